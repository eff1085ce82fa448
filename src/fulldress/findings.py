"""What falls out when witnesses disagree with each other, or with a rule of the trade."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

import msgspec

from fulldress.facts import Evidence, Unread, Witness


class Severity(StrEnum):
    BLOCKER = "blocker"
    MAJOR = "major"
    MINOR = "minor"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Outcome(StrEnum):
    """Every gate has three outcomes."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


class Testimony(msgspec.Struct, frozen=True, kw_only=True):
    """What one witness says on the matter of a finding."""

    witness: Witness
    says: str
    evidence: Evidence


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that the team accepts. Void when the package's digest changes or ``until`` has passed."""

    rule: str
    subject: str  #: the finding's subject, or ``*``
    who: str
    why: str
    until: date
    package: str  #: sha256 of the package it was given for

    def covers(self, finding: Finding, package: str, today: date) -> bool:
        return (
            self.rule == finding.rule
            and self.subject in ("*", finding.subject)
            and self.package == package
            and today <= self.until
        )


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One consequence that a person must know of before the upgrade.

    ``title`` states the consequence, ``subject`` the thing it is about (stable, so that a waiver can name it),
    ``remedy`` something that can be done or pasted. ``offers`` is a runbook step, as a plain mapping in the form of
    ``runbook.toml``, that settles the finding."""

    rule: str
    severity: Severity
    title: str
    subject: str
    remedy: str
    testimony: tuple[Testimony, ...] = ()
    offers: dict[str, object] | None = None
    settled_by: str = ""  #: runbook step that settles it, once a rehearsal has shown that it does
    waived: Waiver | None = None

    @property
    def counts(self) -> bool:
        """Whether it still weighs on the verdict."""
        return self.waived is None and not self.settled_by


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``outcome`` pass is GO, fail is NO-GO. Unknown never passes."""

    outcome: Outcome
    counts: dict[str, int]
    unknown: int
    why: str

    @property
    def word(self) -> str:
        return {Outcome.PASS: "GO", Outcome.FAIL: "NO-GO", Outcome.UNKNOWN: "UNKNOWN"}[self.outcome]

    @property
    def exit_code(self) -> int:
        return {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 3}[self.outcome]


def judge(findings: Iterable[Finding], unread: Iterable[Unread], fail_on: Severity = Severity.BLOCKER) -> Verdict:
    """The verdict over findings and gaps.

    A finding at or above ``fail_on`` that is neither waived nor settled fails. Otherwise anything unread that a verdict
    *needs* makes the outcome unknown: unknown never passes.
    """
    weighing = [finding for finding in findings if finding.counts]
    gaps = [gap for gap in unread if gap.needed]
    counts = {severity.value: sum(f.severity is severity for f in weighing) for severity in Severity}
    failing = [finding for finding in weighing if finding.severity.rank <= fail_on.rank]
    if failing:
        outcome, why = Outcome.FAIL, f"{len(failing)} at or above {fail_on.value}"
    elif gaps:
        outcome, why = Outcome.UNKNOWN, "; ".join(f"{gap.what}: {gap.reason.value}" for gap in gaps[:3])
    else:
        outcome, why = Outcome.PASS, f"nothing at or above {fail_on.value}"
    return Verdict(outcome=outcome, counts=counts, unknown=len(gaps), why=why)
