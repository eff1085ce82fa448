"""JSON with its schema, SARIF, JUnit: what other programs read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest

import rehearsed
from fulldress.findings import Outcome, Severity
from fulldress.report import dump, junit, load, sarif, schema
from fulldress.report.schema import text
from fulldress.report.view import View, waive

DOCS = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def view() -> View:
    return rehearsed.rehearsal()


def test_json_holds_to_its_schema(view: View) -> None:
    jsonschema.Draft202012Validator(schema()).validate(json.loads(dump(view)))


def test_schema_refuses_something_else(view: View) -> None:
    broken = json.loads(dump(view))
    broken["findings"][0]["severity"] = "catastrophic"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema())


def test_published_schema_is_in_step() -> None:
    assert (DOCS / "schema" / "view.json").read_text() == text(), "write fulldress.report.schema.text() to it again"


def test_json_there_and_back(view: View) -> None:
    assert load(dump(view)) == view


def test_sarif(view: View) -> None:
    run = sarif.log(view)["runs"][0]
    assert len(run["results"]) == len(view.findings)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    suppressed = [r["ruleId"] for r in run["results"] if "suppressions" in r]
    assert suppressed == ["FD405"]
    prints = [r["partialFingerprints"]["fulldress/v1"] for r in run["results"]]
    assert len(set(prints)) == len(prints)
    assert run["artifacts"][0]["hashes"]["sha-256"] == rehearsed.DIGEST


def test_junit_counts_what_fails(view: View) -> None:
    root = ElementTree.fromstring(junit.text(view, Severity.BLOCKER).split("\n", 1)[1])  # noqa: S314 - our own text
    suites = {suite.get("name"): suite for suite in root}
    assert suites["rules"].get("failures") == str(len(view.of(Severity.BLOCKER)))
    assert suites["rules"].get("skipped") == "1"
    assert suites["gates"].get("failures") == "2"
    assert suites["gates"].get("errors") == "2"


def test_junit_survives_control_characters(view: View) -> None:
    odd = msgspec.structs.replace(view.findings[0], title="a\x00b\x1b[31m<&>")
    text = junit.text(msgspec.structs.replace(view, findings=(odd,)))
    ElementTree.fromstring(text.split("\n", 1)[1])  # noqa: S314 - our own text


def test_waivers_run_out(view: View) -> None:
    later = waive(view, view.waivers, at=datetime(2027, 2, 1, tzinfo=UTC))
    assert any(f.rule == "FD405" and f.counts for f in later.findings)
    assert later.verdict.outcome is Outcome.FAIL


def test_a_waiver_for_other_bytes_is_void(view: View) -> None:
    other = msgspec.structs.replace(view.waivers[0], package="0" * 64)
    assert all(f.waived is None for f in waive(view, [other]).findings)
