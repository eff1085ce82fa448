"""Every rule has a case that it must find, and a twin of it, one fact away, that it must not.

A case is ``cases/FDnnn/<name>.json``: ``facts``, what has to be found (``finds``; ``title`` is a part of it), and ``twin``:
``{"change": n, "set": {…}}``, ``{"drop": n}`` or ``{"add": fact}``.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fulldress import checks
from fulldress.facts import AnyFact
from fulldress.runbook import remedies
from fulldress.runbook.steps import AnyStep, Migrate

DRAFTED = Migrate(name="migrate-0004_total", database="main", ups=("ab12",))

CASES = sorted((Path(__file__).parent / "cases").glob("FD*/*.json"))


def _facts(raw: list[dict[str, Any]]) -> list[AnyFact]:
    return msgspec.convert(raw, list[AnyFact])


def twin_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = copy.deepcopy(case["facts"])
    twin = case["twin"]
    if "drop" in twin:
        facts.pop(twin["drop"])
    elif "add" in twin:
        facts.append(twin["add"])
    else:
        facts[twin["change"]].update(twin["set"])
    return facts


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_found(path: Path) -> None:
    case = json.loads(path.read_text())
    wanted = case["finds"]
    assert wanted["rule"] == path.parent.name
    found = [f for f in checks.judge(_facts(case["facts"])) if f.rule == wanted["rule"]]
    assert [(f.subject, f.severity.value) for f in found] == [(wanted["subject"], wanted["severity"])]
    finding = found[0]
    assert wanted.get("title", "") in finding.title
    assert finding.testimony, "a finding has evidence"
    assert finding.remedy
    if finding.offers is not None:
        offers = {**finding.offers}
        if "*" in str(offers["name"]):  # a change of drafted steps, no step of its own
            assert remedies.fits(DRAFTED, str(offers["name"]), offers)
            step = remedies.changed(DRAFTED, offers)
        else:
            step = msgspec.convert(offers, AnyStep)
        assert step.settles == (f"{finding.rule} {finding.subject}",)


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_twin_passes(path: Path) -> None:
    case = json.loads(path.read_text())
    wanted = case["finds"]
    found = [f for f in checks.judge(_facts(twin_of(case))) if f.rule == wanted["rule"]]
    assert [f.title for f in found if f.subject == wanted["subject"]] == []


def test_every_rule_has_a_case() -> None:
    assert sorted({path.parent.name for path in CASES}) == sorted(checks.RULES)


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_order_of_facts_does_not_matter(path: Path) -> None:
    facts = _facts(json.loads(path.read_text())["facts"])
    one = {(f.rule, f.subject, f.severity) for f in checks.judge(facts)}
    other = {(f.rule, f.subject, f.severity) for f in checks.judge(reversed(facts))}
    assert one == other
