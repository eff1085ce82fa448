"""When a finding counts as settled: a rehearsed step answers it, and it did not happen again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

import msgspec

from fulldress.checks.index import Index
from fulldress.checks.rule import RULES
from fulldress.facts import AnyFact, Fact, Timing, Unread, Witness, Work
from fulldress.findings import Finding


class Step(Protocol):
    """What this room needs to know of a runbook step."""

    @property
    def name(self) -> str: ...

    @property
    def settles(self) -> tuple[str, ...]: ...


def settle(findings: Iterable[Finding], steps: Iterable[Step], observed: Iterable[Fact]) -> list[Finding]:
    """``findings`` with ``settled_by`` filled in where it has been earned, in the same order.

    Three things have to hold: a step names the finding in ``settles`` (``FD301 etc/cron.d/x``, or ``FD301 *``); that step
    ended well in every rehearsed run; and the rehearsal did not observe the thing again. Where it did not look, the
    finding stays open: unknown never passes.
    """
    index = Index(observed)
    outcomes: dict[str, set[str]] = defaultdict(set)
    for timing in index.of(Timing, Witness.OBSERVED):
        if timing.step and timing.act != "rollback":
            outcomes[timing.step].add(timing.outcome)
    answers: dict[str, list[str]] = defaultdict(list)
    for step in steps:
        for name in step.settles:
            answers[name].append(step.name)
    result = []
    for finding in findings:
        names = answers[f"{finding.rule} {finding.subject}"] + answers[f"{finding.rule} *"]
        proven = [name for name in names if outcomes.get(name) == {"ok"}]
        if proven and _again(finding, index) is False:
            finding = msgspec.structs.replace(finding, settled_by=proven[0])
        result.append(finding)
    return result


def shown(facts: Iterable[AnyFact], observed: Iterable[Fact]) -> list[AnyFact]:
    """``facts``, where no verdict depends any more on what the rehearsal showed instead.

    That is so only when the upgrade ran to its end in every run, and a database saw statements of it."""
    index = Index(observed)
    ends = {t.outcome for t in index.of(Timing, Witness.OBSERVED) if t.act == "upgrade" and not t.step}
    if ends != {"ok"} or not index.of(Work, Witness.OBSERVED):
        return list(facts)
    return [
        msgspec.structs.replace(fact, needed=False, detail=f"{fact.detail}; it was rehearsed")
        if isinstance(fact, Unread) and fact.shows
        else fact
        for fact in facts
    ]


def _again(finding: Finding, index: Index) -> bool | None:
    if any(t.witness is Witness.OBSERVED for t in finding.testimony):
        return True
    known = RULES.get(finding.rule)
    return known.recurrence(finding, index) if known is not None and known.recurrence is not None else False
