"""Migrations taken there and back: the release as a whole first, then each step by itself.

A step that a tool wraps in a transaction is run in one; where the server refuses that (CREATE INDEX CONCURRENTLY, a new
value of an enum used at once) it is run statement by statement, as the tool's users then have to, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from fulldress.database.postgres import programs, proof, rows, seeds
from fulldress.database.postgres.clone import RUNNER, Clone
from fulldress.database.postgres.rows import Equality
from fulldress.database.postgres.runner import Ran, Runner
from fulldress.database.postgres.split import split
from fulldress.facts import RESTORED, Difference, Evidence, Undo, Witness, excerpt
from fulldress.findings import Outcome
from fulldress.patterns import regex

#: Not in a transaction block; a new enum value that is used before it is committed.
_REFUSED = regex(r"SQLSTATE (?:25001|55P04)|refused in a transaction")
_FRAME = ("BEGIN", "START TRANSACTION", "COMMIT", "END ", "SET ", "SELECT 1 ")
#: Stand-in rows that are tried, one after the other, where the way there refuses the first.
_SAMPLES = ((5, 1), (5, 2), (1, 3))


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """One direction. ``wrapped``: the tool puts a transaction around it. ``siblings``: files that ``\\i`` may name."""

    name: str
    text: str
    path: str = ""
    wrapped: bool = False
    siblings: Mapping[str, str] = {}

    @property
    def empty(self) -> bool:
        """It holds no statement that does anything."""
        return all(piece.bare.startswith(_FRAME) for piece in split(self.text, self.name, self.siblings))


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One direction as a program that migrates. ``limit``: seconds after which it is ended, and has failed."""

    name: str
    words: tuple[str, ...]
    limit: float | None = None
    path: str = ""
    empty: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """``down`` None: there is no way back."""

    name: str
    up: Script | Command
    down: Script | Command | None = None


def run(clone: Clone, script: Script | Command, step: str) -> Ran:
    """Run one direction; scripts untraced, since a proof asks what is there afterwards, not how it came."""
    if isinstance(script, Command):
        return programs.run(clone, script.words, step=step, limit=script.limit)
    if script.wrapped:
        ran = _run(clone, script, step, f"BEGIN; {script.text}\n;COMMIT;")
        if ran.run.outcome is Outcome.PASS or not _REFUSED.search(ran.run.error):
            clone.ran.append(ran)
            return ran
    ran = _run(clone, script, step, script.text)
    clone.ran.append(ran)
    return ran


def _run(clone: Clone, script: Script, step: str, text: str) -> Ran:
    with clone.session(RUNNER, clone.role) as line:
        return Runner(line).run(text, name=script.name, step=step, siblings=script.siblings)


def release(base: Clone, steps: Sequence[Step], equality: Equality = "byte") -> tuple[Undo, list[Difference]]:
    """All ways there, then all ways back, last first, on a copy of ``base``. Rows are made where there are tables and none."""
    before = base.copy(f"{base.name}@before")
    try:
        count, made = _rows(before, seeds.Seeder())
        after = before.copy(f"{base.name}@after")
        try:
            return _release(before, after, steps, count, made, equality)
        finally:
            after.drop()
    finally:
        before.drop()


def _release(
    before: Clone, after: Clone, steps: Sequence[Step], rows: int, made: bool, equality: Equality
) -> tuple[Undo, list[Difference]]:
    name = f"{len(steps)} migrations" if len(steps) != 1 else steps[0].name
    roles = proof.fingerprint_roles(before)

    def told(outcome: str, detail: str, found: list[Difference], took: timedelta | None = None) -> Undo:
        return _undo(name, "release", outcome, "", detail, found, rows, made, took)

    for step in steps:
        ran = run(after, step.up, "up")
        if ran.run.outcome is not Outcome.PASS:
            words = f"the way there fails: {ran.run.error}" + (", on rows that were made" if made else "")
            return told("unknown", words, []), []
    took = timedelta()
    lacking = [step.name for step in steps if step.down is None]
    for step in reversed(steps):
        if step.down is None:
            continue
        ran = run(after, step.down, "down")
        took += ran.run.duration
        if ran.run.outcome is not Outcome.PASS:
            return told("fails", ran.run.error, [], took), []
    found = _apart(before, proof.compare(before, after, equality))
    found += proof.compare_roles(roles, proof.fingerprint_roles(after))
    words = f"no way back for {', '.join(lacking[:5])}" + (" …" if len(lacking) > 5 else "") if lacking else ""
    differs = any(one.kind not in RESTORED for one in found)
    outcome = ("no way back" if lacking else "not restored") if differs else "restored"
    return told(outcome, words, found, took), found


def each(
    base: Clone, steps: Sequence[Step], equality: Equality = "byte", *, onward: bool = False, defaults: bool = False
) -> Iterator[Undo]:
    """Every step by itself, on the state that the steps before it leave. Ends where a way there fails, unless ``onward``:
    then the steps after it are tried on what there is, as a study does. ``defaults``: see :class:`~.seeds.Seeder`."""
    seeders = [seeds.Seeder(number, seed, defaults=defaults) for number, seed in _SAMPLES]
    chain = base.copy(f"{base.name}@steps")
    try:
        for step in steps:
            yield _Trial(chain, step, equality, seeders).undo()
            ran = run(chain, step.up, "up")
            if ran.run.outcome is not Outcome.PASS and not onward:
                return
    finally:
        chain.drop()


def _apart(clone: Clone, found: list[Difference]) -> list[Difference]:
    """Rows in which a migration tool records its own runs are its business, and told as notes."""
    told = []
    with clone.silent() as line:
        tools = {
            name.removeprefix("public."): seeds.bookkeeping(name, {column.name for column in columns})
            for name, columns in rows.tables(line).items()
        }
    for one in found:
        tool = tools.get(one.object, "")
        if tool and one.kind in ("rows lost", "rows added", "rows changed"):
            one = msgspec.structs.replace(one, kind="note", detail=f"{one.kind}: what {tool} records of its own runs")
        told.append(one)
    return told


@dataclass
class _Trial:
    """One step on copies of ``chain``."""

    chain: Clone
    step: Step
    equality: Equality
    seeders: Sequence[seeds.Seeder]
    refused: str = ""  #: why the way there did not take the rows
    clones: list[Clone] = field(default_factory=list)

    def undo(self) -> Undo:
        try:
            for seeder in self.seeders:
                told = self._with_rows(seeder)
                if told is not None:
                    return told
            return self._without_rows()
        finally:
            for clone in self.clones:
                clone.drop()

    def _with_rows(self, seeder: seeds.Seeder) -> Undo | None:
        """None where the way there refuses the rows that were made."""
        before = self._copy(self.chain, "rows")
        rows, made = _rows(before, seeder)
        after = self._copy(before, "there")
        there = run(after, self.step.up, "up")
        if there.run.outcome is not Outcome.PASS:
            self.refused = there.run.error
            return (
                None
                if made and rows
                else self._told("unknown", f"the way there fails: {there.run.error}", [], rows, made)
            )
        if self.step.down is None:
            return self._told("no way back", "", proof.compare(before, after, self.equality), rows, made)
        back = run(after, self.step.down, "down")
        if back.run.outcome is Outcome.UNKNOWN:
            return self._told("unknown", back.run.error, [], rows, made, back.run.duration)
        if back.run.outcome is not Outcome.PASS:
            outcome = "fails with rows" if rows and not self._fails_empty() else "fails"
            return self._told(outcome, back.run.error, [], rows, made, back.run.duration)
        found = proof.compare(before, after, self.equality)
        return self._told(self._verdict(found), "", found, rows, made, back.run.duration)

    def _without_rows(self) -> Undo:
        after = self._copy(self.chain, "there")
        note = f"the way there refuses the rows that were made ({self.refused}): tried on the tables as they are"
        there = run(after, self.step.up, "up")
        if there.run.outcome is not Outcome.PASS:
            return self._told("unknown", f"the way there fails: {there.run.error}", [], None, False)
        if self.step.down is None:
            return self._told("no way back", note, proof.compare(self.chain, after, self.equality), None, False)
        back = run(after, self.step.down, "down")
        if back.run.outcome is not Outcome.PASS:
            return self._told("fails", back.run.error, [], None, False, back.run.duration)
        found = proof.compare(self.chain, after, self.equality)
        return self._told(self._verdict(found), note, found, None, False, back.run.duration)

    def _fails_empty(self) -> bool:
        after = self._copy(self.chain, "empty")
        there = run(after, self.step.up, "up")
        assert self.step.down is not None  # noqa: S101
        return (
            there.run.outcome is not Outcome.PASS or run(after, self.step.down, "down").run.outcome is not Outcome.PASS
        )

    def _verdict(self, found: list[Difference]) -> str:
        if all(one.kind in RESTORED for one in found):
            return "restored"
        return "nothing undone" if self.step.down is not None and self.step.down.empty else "not restored"

    def _told(
        self,
        outcome: str,
        detail: str,
        found: list[Difference],
        rows: int | None,
        made: bool,
        took: timedelta | None = None,
    ) -> Undo:
        path = self.step.down.path if self.step.down else ""
        return _undo(self.step.name, "step", outcome, path, detail, found, rows, made, took)

    def _copy(self, source: Clone, name: str) -> Clone:
        full = f"{self.chain.name}@{name}"
        for old in [clone for clone in self.clones if clone.name == full]:
            self.clones.remove(old)
            old.drop()
        copy = source.copy(full)
        self.clones.append(copy)
        return copy


def _rows(clone: Clone, seeder: seeds.Seeder) -> tuple[int, bool]:
    """Rows of all tables, and whether they had to be made: they are where whole tables are empty."""
    counts = seeds.count(clone)
    if not seeds.missing(counts):
        return sum(counts.values()), False
    return sum(seeder.fill(clone).rows.values()), True


def _undo(
    name: str,
    granularity: str,
    outcome: str,
    path: str,
    detail: str,
    found: list[Difference],
    rows: int | None,
    made: bool,
    took: timedelta | None = None,
) -> Undo:
    return Undo(
        witness=Witness.OBSERVED,
        evidence=Evidence(path=path, step=name),
        name=name,
        granularity=granularity,
        outcome=outcome,
        path=path,
        detail=excerpt(detail, 300),
        differences=tuple(in_words(one) for one in found if one.kind not in RESTORED),
        notes=tuple(in_words(one) for one in found if one.kind == "note"),
        rows=rows,
        made=made,
        duration=took,
    )


def in_words(one: Difference) -> str:
    """``orders: column lost (legacy_ref) in 20,000 rows: the column is there, and empty in every row``."""
    columns = f" ({', '.join(one.columns)})" if one.columns else ""
    count = f" in {one.rows:,} row{'s' if one.rows != 1 else ''}" if one.rows is not None else ""
    kind = "" if one.kind in ("schema", "note", "sequence") else f"{one.kind}{columns}{count}: "
    # masked already, and "column users.token: was: text" is no secret
    text = f"{one.object}: {kind}{one.detail}".rstrip(": ")
    return text if len(text) <= 240 else f"{text[:239]}…"
