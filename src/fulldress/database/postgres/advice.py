"""What a linter says of a statement, against what was measured: each piece of its advice confirmed or cancelled.

Squawk reads a statement without the table under it: that ``ALTER COLUMN … TYPE`` rewrites is true for int to bigint and false
for a longer varchar. The server has said which; so its advice need not be taken on trust, in either direction.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from fulldress.database.happenings import Held, Statement

#: Squawk's rules that foretell work under a lock -> what the server would then have said.
FORETELL = {
    "changing-column-type": "rewrites",
    "adding-field-with-default": "rewrites",
    "adding-serial-primary-key-field": "rewrites",
    "adding-not-nullable-field": "scans",
    "constraint-missing-not-valid": "scans",
    "adding-foreign-key-constraint": "scans",
    "require-concurrent-index-creation": "builds",
    "disallowed-unique-constraint": "builds",
}
_SECONDS = 30
_MOST = 2000  #: statements of one trace that are given to the linter
_LOCKING = ("ALTER", "CREATE", "DROP", "REINDEX", "REFRESH", "VACUUM", "CLUSTER")


class Weighed(NamedTuple):
    """Advice on one statement. ``said``: what the measurement says of it."""

    rule: str
    confirmed: bool
    said: str

    def __str__(self) -> str:
        return f"squawk {self.rule}: {'confirmed' if self.confirmed else 'cancelled'}, {self.said}"


def weigh(statements: Sequence[Statement], held: Sequence[Held]) -> dict[int, list[Weighed]]:
    """``id(statement) -> advice``, for statements that ran to their end. Empty where squawk is not installed."""
    able = [one for one in statements if one.ended is not None and not one.error and _locking(one)][:_MOST]
    advice = _ask([one.text for one in able])
    longest: dict[int, float] = {}
    for lock in held:
        if lock.released is not None:
            key = id(lock.statement)
            longest[key] = max(longest.get(key, 0.0), lock.released - lock.taken)
    return {
        id(one): [_weigh(rule, one, longest.get(id(one))) for rule in rules]
        for one, rules in zip(able, advice, strict=True)
        if rules
    }


def _locking(statement: Statement) -> bool:
    return statement.text.lstrip().upper().startswith(_LOCKING)


def _weigh(rule: str, statement: Statement, held: float | None) -> Weighed:
    foretold = FORETELL[rule]
    did = {"rewrites": statement.rewritten, "scans": statement.scanned, "builds": statement.built}
    took = (statement.ended or statement.started) - statement.started
    seen = did[foretold] or (statement.rewritten if foretold == "scans" else [])
    time_ = f"{took * 1000:.1f} ms" if took < 1 else f"{took:.1f} s"
    lock = (
        f", lock held {held * 1000:.0f} ms"
        if held is not None and held < 1
        else f", lock held {held:.1f} s"
        if held
        else ""
    )
    if seen:
        return Weighed(rule, True, f"it {foretold} {', '.join(seen)} in {time_}{lock}")
    none = {"rewrites": "nothing was rewritten", "scans": "nothing was scanned", "builds": "nothing was built"}[
        foretold
    ]
    return Weighed(rule, False, f"{none}, {time_}{lock}")


def _ask(texts: Sequence[str]) -> list[list[str]]:
    """For each text the rules of :data:`FORETELL` that squawk names, each once."""
    found: list[list[str]] = [[] for _ in texts]
    binary = _binary()
    if binary is None or not texts:
        return found
    with tempfile.TemporaryDirectory(prefix="fulldress-") as folder:
        for number, text in enumerate(texts):
            end = "" if text.rstrip().endswith(";") else ";"
            (Path(folder) / f"{number}.sql").write_text(text + end, encoding="utf-8", errors="replace")
        command = [binary, "--reporter", "json", *(f"{number}.sql" for number in range(len(texts)))]
        try:
            ran = subprocess.run(command, cwd=folder, capture_output=True, timeout=_SECONDS, check=False, env={})
            said: list[dict[str, Any]] = msgspec.json.decode(ran.stdout or b"[]", type=list[dict[str, Any]])
        except (OSError, subprocess.TimeoutExpired, msgspec.DecodeError):
            return found  # advice is all that is missing then: what was measured stands
    for item in said:
        stem, rule = Path(str(item.get("file"))).stem, str(item.get("rule_name"))
        if rule in FORETELL and stem.isdigit() and int(stem) < len(found) and rule not in found[int(stem)]:
            found[int(stem)].append(rule)
    return found


def _binary() -> str | None:
    beside = Path(sys.executable).with_name("squawk")
    return str(beside) if beside.is_file() else shutil.which("squawk")
