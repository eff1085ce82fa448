"""What the hours of the package's jobs do not tell, for the screen: jobs that stay off, runs that are skipped or doubled, zones
that are assumed.

Not every remark is for the screen: a random delay, or a run that the clock's change shifts by an hour, is for who looks it up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from fulldress.checks.index import Index
from fulldress.facts import Fact, Schedule, Witness
from fulldress.patterns import regex

_TELLING = regex(
    r"^no zone is given: |"
    r"does not exist in [^:]+(?::(?! cron runs it at)|$)|comes twice in [^:]+(?::.* twice$|$)|"
    r"^does nothing on a host that systemd runs|"
    r"overlap|"
    r"enables it|^no \[Install\]|preset of the package disables|every instance that somebody enables|made disabled|"
    r"^CRON_TZ is read|event_scheduler is on"
)
#: Those that weigh most come first: jobs that may not run at all, runs that collide, then hours.
_ORDER = (
    "enables it",
    "disable",
    "systemd runs",
    "overlap",
    "event_scheduler",
    "exist in",
    "twice",
    "CRON_TZ",
    "no zone",
)


class JobRemark(msgspec.Struct, frozen=True, kw_only=True):
    """One remark and the jobs that it holds for, in the order in which they were read."""

    remark: str
    jobs: tuple[str, ...]


def job_remarks(facts: Iterable[Fact]) -> tuple[JobRemark, ...]:
    """What a reader of the jobs' hours would not expect, each remark once."""
    told: dict[str, list[str]] = defaultdict(list)
    for schedule in Index(facts).new_jobs:
        if schedule.witness is not Witness.READ or not schedule.enabled:
            continue
        for remark in schedule.remarks:
            if _TELLING.search(remark):
                told[remark].append(_name(schedule))
    weighed = sorted(told.items(), key=lambda item: _weight(item[0]))
    return tuple(JobRemark(remark=remark, jobs=tuple(dict.fromkeys(jobs))) for remark, jobs in weighed)


def _name(schedule: Schedule) -> str:
    """A timer keeps its suffix: the crontab of the same name is another job."""
    return f"{schedule.name}.timer" if schedule.mechanism == "systemd timer" else schedule.name


def _weight(remark: str) -> int:
    return next((place for place, word in enumerate(_ORDER) if word in remark), len(_ORDER))
