"""Which remarks about jobs a screen shows, and in which order."""

from __future__ import annotations

import pytest

from fulldress.checks import job_remarks
from fulldress.facts import Evidence, Schedule, Witness


def job(name: str, *remarks: str, enabled: bool = True, mechanism: str = "cron.d") -> Schedule:
    evidence = Evidence(path=f"etc/cron.d/{name}")
    return Schedule(
        witness=Witness.READ, evidence=evidence, name=name, mechanism=mechanism, expression="30 2 * * *", command=f"/opt/{name}",
        remarks=remarks, enabled=enabled,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("remark", "shown"),
    [
        ("no zone is given: counted in UTC, pg_cron's own unless cron.timezone is set", True),
        ("2027-03-28 02:30 does not exist in Europe/Berlin: systemd leaves it out that day", True),
        ("2027-03-28 02:30 does not exist in Europe/Berlin: cron runs it at 03:00", False),
        ("2026-10-25 02:30 comes twice in Europe/Berlin: cron runs it once", False),
        ("2026-10-25 02:30 comes twice in Europe/Berlin: Kubernetes CronJob runs twice", True),
        ("2026-10-25 02:30 comes twice in Europe/Berlin", True),
        ("runs may overlap (no prohibit_overlap)", True),
        ("may do nothing on a host that systemd runs: it asks for /run/systemd/system", False),
        ("up to 12h later (RandomizedDelaySec)", False),
        ("made up right after the start where the host was off at its hour (Persistent)", False),
    ],
)
def test_what_is_shown(remark: str, shown: bool) -> None:
    assert bool(job_remarks([job("app", remark)])) is shown


def test_one_remark_is_told_once_and_what_stays_off_comes_first() -> None:
    zone = "no zone is given: counted in UTC, Celery's own unless the application sets timezone"
    off = "nothing that was read in the package enables it: it runs once somebody does"
    told = job_remarks([job("a", zone), job("b", zone), job("c", off, mechanism="systemd timer")])
    assert [(t.remark, t.jobs) for t in told] == [(off, ("c.timer",)), (zone, ("a", "b"))]


def test_a_job_that_is_switched_off_has_none() -> None:
    assert not job_remarks([job("a", "runs may overlap", enabled=False)])
