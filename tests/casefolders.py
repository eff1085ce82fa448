"""Case folders: an input and the facts expected of it, so that a new case needs no code.

A case is a folder with an ``expected.json``: ``{"facts": [...], "absent": [...]}``. Every element of ``facts`` is a partial
fact (a mapping with ``fact`` and some of its fields; ``evidence`` may be partial, too) that must match at least one fact;
no element of ``absent`` may match any. ``"only": ["Schedule"]`` says that facts of these families are listed completely.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec


def folders(root: Path) -> list[Path]:
    """Folders below ``root`` that hold an ``expected.json``, sorted; there has to be one."""
    found = sorted(path.parent for path in root.rglob("expected.json"))
    assert found, f"no case folder below {root}"
    return found


def matches(expected: Any, actual: Any) -> bool:
    """Whether ``actual`` holds all of ``expected``: mappings in part, lists in full and in order, the rest equal."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            key in actual and matches(value, actual[key]) if value is not None else actual.get(key) is None
            for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(expected) == len(actual)
            and all(matches(e, a) for e, a in zip(expected, actual, strict=True))
        )
    return bool(expected == actual)


def check(case: Path, facts: Iterable[msgspec.Struct]) -> None:
    """Assert that ``facts`` are what the case's ``expected.json`` says."""
    wanted = json.loads((case / "expected.json").read_text())
    actual = [json.loads(msgspec.json.encode(fact)) for fact in facts]
    for expected in wanted.get("facts", []):
        family = [fact for fact in actual if fact["fact"] == expected["fact"]]
        assert any(matches(expected, fact) for fact in family), (
            f"{case.name}: expected {expected}\namong {json.dumps(family, indent=1)}"
        )
    for unwanted in wanted.get("absent", []):
        hits = [fact for fact in actual if matches(unwanted, fact)]
        assert not hits, f"{case.name}: did not expect {hits}"
    for only in wanted.get("only", []):
        family = [fact for fact in actual if fact["fact"] == only]
        listed = [e for e in wanted["facts"] if e["fact"] == only]
        assert len(family) == len(listed), (
            f"{case.name}: {len(listed)} {only} expected, got {json.dumps(family, indent=1)}"
        )
