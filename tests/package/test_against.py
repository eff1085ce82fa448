"""Changes between two packages, by consequence."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make

from fulldress.facts import AnyFact, Binary, Endpoint, Evidence, Interface, Reboot, Release, Schedule, Setting, Witness
from fulldress.package import Change, Reading, changes, read

HERE = Evidence(path="x")


def reading(*facts: AnyFact) -> Reading:
    return Reading(source="0", name="x", size=1, facts=list(facts))


def told(found: list[Change]) -> list[tuple[str, str, str]]:
    return [(change.what, change.family, change.subject) for change in found]


def schedule(expression: str) -> Schedule:
    return Schedule(
        witness=Witness.READ, evidence=HERE, name="import", mechanism="cron.d", expression=expression, command="/x"
    )


def binary(year: int) -> Binary:
    built = datetime(year, 1, 1, tzinfo=UTC)
    return Binary(witness=Witness.READ, evidence=HERE, path=f"v{year}/tool", format="go", built=built)


def test_the_weightiest_comes_first() -> None:
    new = reading(
        Endpoint(witness=Witness.READ, evidence=HERE, scheme="https", host="a.example"),
        Reboot(witness=Witness.READ, evidence=HERE, claim="performed"),
        schedule("0 3 * * *"),
    )
    assert told(changes(reading(), new)) == [
        ("added", "Reboot", "reboot (read)"),
        ("added", "Schedule", "import"),
        ("added", "Endpoint", "https://a.example"),
    ]


def test_values_before_and_after() -> None:
    found = changes(reading(schedule("0 3 * * *")), reading(schedule("0 4 * * *")))
    assert [(c.what, c.before, c.after) for c in found] == [("changed", "0 3 * * * /x", "0 4 * * * /x")]
    old = Setting(witness=Witness.READ, evidence=HERE, component="w", key="a.b", value="1")
    assert told(changes(reading(old), reading())) == [("removed", "Setting", "w a.b")]


def test_what_is_taken_away_weighs_by_whom_it_hurts() -> None:
    operation = Interface(witness=Witness.READ, evidence=HERE, kind="openapi", operation="GET /a")
    removed = changes(reading(operation), reading())[0]
    added = changes(reading(), reading(operation))[0]
    assert removed.rank < added.rank


def test_a_binary_older_than_the_one_it_replaces() -> None:
    found = changes(reading(binary(2025)), reading(binary(2023)))
    assert "older than the one it replaces" in found[0].after and found[0].rank < 10
    assert changes(reading(binary(2023)), reading(binary(2025))) == []


def test_the_release() -> None:
    def release(version: str) -> Release:
        return Release(witness=Witness.DECLARED, evidence=HERE, product="w", version=version, aspect="manifest")

    assert [(c.before, c.after) for c in changes(reading(release("1")), reading(release("2")))] == [("1", "2")]


def test_the_same_package_twice_differs_in_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(make.zipped({"a.sh": b"#!/bin/sh\nreboot\n", "b.sql": b"DROP TABLE a;\n"}))
    assert changes(read(path), read(path)) == []


def test_members_are_told_one_by_one_only_where_they_run(tmp_path: Path) -> None:
    old, new = tmp_path / "old.zip", tmp_path / "new.zip"
    old.write_bytes(make.zipped({"a.sh": b"#!/bin/sh\n", "i/1.png": b"\x89PNG\r\n1", "i/2.png": b"\x89PNG\r\n2"}))
    new.write_bytes(make.zipped({"a.sh": b"#!/bin/sh\n:\n", "i/1.png": b"\x89PNG\r\n3", "i/2.png": b"\x89PNG\r\n4"}))
    entries = [change for change in changes(read(old), read(new)) if change.family == "Entry"]
    assert told(entries) == [("changed", "Entry", "a.sh"), ("changed", "Entry", "2 image entries")]
