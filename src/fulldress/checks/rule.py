"""What a rule is, and the registry of them all.

A rule is a generator over the :class:`~fulldress.checks.index.Index` of facts. It yields :class:`Hit`; the registry
stamps its id and severity on it. Its page is ``docs/rules/FDnnn.md``; a test fails when either lacks the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from fulldress.checks.index import Index
from fulldress.facts import Fact
from fulldress.findings import Finding, Severity, Testimony

#: Whether the thing happened again although a runbook step answers it. None: the rehearsal did not look.
Recurrence = Callable[[Finding, Index], bool | None]


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule yields. ``severity`` None takes the rule's own.

    ``offers`` is a runbook step without ``settles``, which is filled in with the rule and the subject."""

    title: str
    subject: str
    remedy: str
    testimony: tuple[Testimony, ...]
    severity: Severity | None = None
    offers: dict[str, object] | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A registered rule. ``title`` is the general form of what its findings state."""

    id: str
    severity: Severity
    title: str
    judge: Callable[[Index], Iterator[Hit]]
    recurrence: Recurrence | None = None

    def findings(self, index: Index) -> Iterator[Finding]:
        for hit in self.judge(index):
            offers = {**hit.offers, "settles": [f"{self.id} {hit.subject}"]} if hit.offers else None
            yield Finding(
                rule=self.id,
                severity=hit.severity or self.severity,
                title=hit.title,
                subject=hit.subject,
                remedy=hit.remedy,
                testimony=hit.testimony,
                offers=offers,
            )


RULES: dict[str, Rule] = {}


def rule(
    id: str, severity: Severity, title: str, recurrence: Recurrence | None = None
) -> Callable[[Callable[[Index], Iterator[Hit]]], Callable[[Index], Iterator[Hit]]]:
    """Register the decorated generator under ``id``. Ids are never used twice, not even after a rule is gone."""

    def register(judge: Callable[[Index], Iterator[Hit]]) -> Callable[[Index], Iterator[Hit]]:
        if id in RULES:
            raise ValueError(f"{id} is registered twice")
        RULES[id] = Rule(id=id, severity=severity, title=title, judge=judge, recurrence=recurrence)
        return judge

    return register


def says(fact: Fact, words: str) -> Testimony:
    """What ``fact``'s witness says, in ``words``."""
    return Testimony(witness=fact.witness, says=words, evidence=fact.evidence)


def several(names: list[str], most: int = 4) -> str:
    """``a, b, c and 5 more``: the number is always the whole number."""
    names = list(dict.fromkeys(names))
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def brief(statement: str, most: int = 76) -> str:
    """A statement short enough for a title; the whole of it is in the evidence."""
    text = " ".join(statement.split()).rstrip("; ")
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 job``, ``3 jobs``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
