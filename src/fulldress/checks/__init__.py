"""Facts in, findings out. Checks see facts alone: they open no package and touch no network.

``judge`` gives the findings, ``gaps`` what could not be judged for want of facts, ``claims`` the table of the four
witnesses, ``settle`` marks the findings that a rehearsed runbook step answers.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from fulldress.checks.index import Index
from fulldress.checks.rule import RULES, Rule
from fulldress.facts import Fact
from fulldress.findings import Finding

#: One module per family of rules. A new family is one new line.
FAMILIES = (
    "contents",
    "readers",
    "archives",
    "binaries",
    "against",
    "conffiles",
    "signatures",
    "trust",
    "migrations",
    "migrationruns",
    "concurrency",
    "schemachanges",
    "waits",
    "waysback",
    "foresight",
    "room",
    "jobs",
    "schedules",
    "operations",
    "units",
    "clusters",
    "packagesets",
    "unchanged",
    "hosts",
    "scripts",
    "safeguards",
    "dependencies",
    "hooks",
    "settings",
    "interfaces",
    "rehearsals",
    "leftovers",
)
for _family in FAMILIES:
    importlib.import_module(f"fulldress.checks.{_family}")

from fulldress.checks.claims import Cell, Claim, claims  # noqa: E402 - the rules have to be registered first
from fulldress.checks.gaps import gaps  # noqa: E402
from fulldress.checks.jobremarks import JobRemark, job_remarks  # noqa: E402
from fulldress.checks.settling import settle, shown  # noqa: E402


def judge(facts: Iterable[Fact]) -> list[Finding]:
    """Every rule over all facts; the worst first, then by rule and subject."""
    index = Index(facts)
    found = [finding for known in RULES.values() for finding in known.findings(index)]
    return sorted(found, key=lambda f: (f.severity.rank, f.rule, f.subject))


__all__ = ["RULES", "Cell", "Claim", "JobRemark", "Rule", "claims", "gaps", "job_remarks", "judge", "settle", "shown"]
