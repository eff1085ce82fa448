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


def _object(required: str, **properties: object) -> dict[str, object]:
    return {"type": "object", "required": required.split(), "properties": properties, "additionalProperties": False}


def _list(items: object) -> dict[str, object]:
    return {"type": "array", "items": items}


_TEXT = {"type": "string", "minLength": 1}
_URI = {"type": "string", "format": "uri-reference", "pattern": r"^[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]*$"}
_MESSAGE = _object("text", text=_TEXT, markdown=_TEXT)
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_PLACE = _object("uri", uri=_URI)
_PHYSICAL = _object(
    "artifactLocation",
    artifactLocation=_PLACE,
    region=_object("startLine", startLine={"type": "integer", "minimum": 1}),
)
#: What SARIF 2.1.0 (OASIS, section 3) lays down for the objects that we write, and nothing beside them.
SARIF = _object(
    "version runs",
    **{"$schema": _TEXT},
    version={"const": "2.1.0"},
    runs=_list(
        _object(
            "tool results",
            tool=_object(
                "driver",
                driver=_object(
                    "name", name=_TEXT, version=_TEXT,
                    rules=_list(_object("id", id=_TEXT, shortDescription=_MESSAGE, help=_MESSAGE,
                                        defaultConfiguration=_object("", level=_LEVEL))),
                ),
            ),
            artifacts=_list(_object("", location=_PLACE, length={"type": "integer", "minimum": -1},
                                    hashes={"type": "object", "additionalProperties": _TEXT})),
            invocations=_list(_object("executionSuccessful", executionSuccessful={"type": "boolean"},
                                      toolExecutionNotifications=_list(_object("message", level=_LEVEL, message=_MESSAGE)))),
            results=_list(
                _object(
                    "message locations", ruleId=_TEXT, ruleIndex={"type": "integer", "minimum": 0}, level=_LEVEL,
                    rank={"type": "number", "minimum": 0, "maximum": 100}, message=_MESSAGE,
                    partialFingerprints={"type": "object", "additionalProperties": _TEXT},
                    locations={**_list(_object("physicalLocation", physicalLocation=_PHYSICAL, message=_MESSAGE)), "minItems": 1},
                    suppressions=_list(_object("kind", kind={"enum": ["inSource", "external"]},
                                               status={"enum": ["accepted", "underReview", "rejected"]}, justification=_TEXT)),
                ),
            ),
        )
    ),
)  # fmt: skip


def test_sarif_has_the_shape_of_its_standard(view: View) -> None:
    jsonschema.Draft202012Validator(SARIF).validate(sarif.log(view))
    odd = msgspec.structs.replace(view.findings[0], testimony=())
    log = sarif.log(msgspec.structs.replace(view, findings=(odd,)))
    jsonschema.Draft202012Validator(SARIF).validate(log)
    assert (
        log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == view.package.name
    )


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
