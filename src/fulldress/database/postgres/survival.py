"""The data-loss window in rows: what each way back leaves of the rows that were written after the upgrade.

Rows written after the upgrade are those that are new, or another, against the moment at which it was done, each known by
its key. Every way back then runs on a copy of its own, is timed, and asked for each of them. A table that a way back
renames is found again by the number that the server gives it; columns are compared where both releases have them.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from fulldress.database.postgres import bisection, proof, rows, seeds
from fulldress.database.postgres.clone import RUNNER, Clone
from fulldress.database.postgres.rows import Column
from fulldress.database.postgres.runner import Runner
from fulldress.database.postgres.server import OBSERVER
from fulldress.database.postgres.split import split
from fulldress.database.postgres.steps import Script, Step, run
from fulldress.database.postgres.wire import Connection
from fulldress.errors import DatabaseError, FulldressError
from fulldress.facts import AnyFact, Evidence, Reason, Survival, Unread, Witness, excerpt
from fulldress.findings import Outcome

_CHUNK = 1000
_KEPT = "before the upgrade"


@dataclass
class _Written:
    """Rows of one table that were written after the upgrade."""

    table: str
    columns: list[Column]
    key: list[Column]
    rows: list[str] = field(default_factory=list)  #: keys; texts where there is no key
    short: str = ""


@dataclass
class _Fate:
    survive: int = 0
    lost: int = 0
    changed: int = 0
    where: dict[str, str] = field(default_factory=dict)


def write_rows(clone: Clone) -> None:
    """Five more rows for every table, made from the schema of the new release."""
    seeds.Seeder(5, 7, more=True).fill(clone)


def ways(
    base: Clone, steps: Sequence[Step], write: Callable[[Clone], None] = write_rows, sample: str = "made"
) -> list[AnyFact]:
    """Upgrade a copy of ``base``, let ``write`` write what users write then, and try every way back on its own copy.

    ``sample`` says where the rows come from. Empty where the way there fails: there is nothing to come back from."""
    names = {kind: f"{base.name}@{kind}" for kind in ("old", "upgraded", "written", "back")}
    made: list[Clone] = []
    try:
        old = base.copy(names["old"])
        made.append(old)
        if seeds.missing(seeds.count(old)):
            seeds.Seeder().fill(old)
        upgraded = old.copy(names["upgraded"])
        made.append(upgraded)
        if any(run(upgraded, step.up, "up").run.outcome is not Outcome.PASS for step in steps):
            return []
        written = upgraded.copy(names["written"])
        made.append(written)
        write(written)
        return _ways(old, upgraded, written, names["back"], steps, sample)
    finally:
        for clone in made:
            clone.drop()


def _ways(old: Clone, upgraded: Clone, written: Clone, name: str, steps: Sequence[Step], sample: str) -> list[AnyFact]:
    marked = _marked(upgraded, written)
    total = sum(len(one.rows) for one in marked)
    found: list[AnyFact] = [
        _gap(f"rows of {one.table} that were written after the upgrade", one.short) for one in marked if one.short
    ]
    if not total:
        return [*found, _gap("the data-loss window", "nothing was written after the upgrade", needed=True)]
    kept = f"{name}@{_KEPT}"
    dump = tempfile.TemporaryDirectory(prefix="fulldress-")
    with dump as folder:
        file = Path(folder) / "before.dump"
        dumped = _dump(old, file)
        for way, go in (
            ("down scripts", lambda: _downs(written, name, steps)),
            ("snapshot", lambda: _snapshot(old, written, name, kept)),
            ("dump", lambda: _restore(written, name, file, dumped)),
        ):
            found.append(_try(way, go, old, upgraded, written, marked, sample))
    found.append(_transaction(old, name, steps, sample))
    return found


@dataclass
class _Back:
    """Where a way back led. ``clone`` None: nowhere, and ``outcome`` says why."""

    clone: Clone | None
    took: timedelta = timedelta()
    outcome: str = "ok"
    detail: str = ""


def _try(
    way: str,
    go: Callable[[], _Back],
    old: Clone,
    upgraded: Clone,
    written: Clone,
    marked: list[_Written],
    sample: str,
) -> Survival:
    total = sum(len(one.rows) for one in marked)
    back = go()
    if back.clone is None:
        return _fact(way, total, _Fate(), None, back, sample)
    try:
        fate = _fate(upgraded, written, back.clone, marked)
        whole = _whole(old, back.clone, upgraded, marked) if back.outcome == "ok" else None
        return _fact(way, total, fate, whole, back, sample)
    finally:
        back.clone.drop()


# -- the ways ---------------------------------------------------------------------------------------------------------


def _downs(written: Clone, name: str, steps: Sequence[Step]) -> _Back:
    lacking = [step.name for step in steps if step.down is None]
    if len(lacking) == len(steps):
        return _Back(None, outcome="not possible: there are none")
    clone = written.copy(name)
    took = timedelta()
    for step in reversed(steps):
        if step.down is None:
            continue
        ran = run(clone, step.down, "down")
        took += ran.run.duration
        if ran.run.outcome is not Outcome.PASS:
            return _Back(clone, took, f"failed: {excerpt(ran.run.error, 200)}")
    return _Back(clone, took, detail=f"none for {', '.join(lacking[:3])}" if lacking else "")


def _snapshot(old: Clone, written: Clone, name: str, kept: str) -> _Back:
    """A copy kept before the upgrade takes the place of what is there."""
    clone = written.copy(name)
    old.copy(kept)
    clone.adopt(_KEPT, kept)
    started = time.monotonic()
    clone.restore(_KEPT)
    return _Back(clone, timedelta(seconds=time.monotonic() - started))


def _dump(old: Clone, file: Path) -> str:
    """Why there is no dump; empty: there is one."""
    installation = old.server.installation
    done = subprocess.run(
        [installation.program("pg_dump"), "--format=custom", "--compress=0", "-f", str(file), "-d", old.server.dsn(old.name, OBSERVER)],
        capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL, env={"LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    return "" if done.returncode == 0 else excerpt(done.stderr, 200)


def _restore(written: Clone, name: str, file: Path, dumped: str) -> _Back:
    if dumped:
        return _Back(None, outcome=f"failed: {dumped}")
    started = time.monotonic()
    try:
        clone = written.server.clone_from(dump=file, name=name, role=written.role)
    except FulldressError as error:
        return _Back(None, outcome=f"failed: {excerpt(str(error), 200)}")
    return _Back(clone, timedelta(seconds=time.monotonic() - started))


def _transaction(old: Clone, name: str, steps: Sequence[Step], sample: str) -> Survival:
    """The whole upgrade in one transaction, rolled back: possible until it is committed, and nobody writes to what it
    locks meanwhile."""
    clone = old.copy(name)
    try:
        scripts = [step.up for step in steps if isinstance(step.up, Script)]
        inner = [one.name for one in scripts if not one.wrapped and _commits(one)]
        if inner or len(scripts) < len(steps):
            why = f"{inner[0]} commits by itself" if inner else "a program decides itself when it commits"
            return _fact("transaction", 0, _Fate(), None, _Back(None, outcome=f"not possible: {why}"), sample)
        text = "\n;".join(one.text for one in scripts)
        siblings = {key: value for one in scripts for key, value in one.siblings.items()}
        with clone.session(RUNNER, clone.role) as line:
            ran = Runner(line).run(f"BEGIN; {text}\n", name="all at once", step="up", siblings=siblings)
            if ran.run.outcome is not Outcome.PASS or line.status != "T":
                why = ran.run.error or "a script ends the transaction"
                back = _Back(None, outcome=f"not possible: {excerpt(why, 200)}")
                return _fact("transaction", 0, _Fate(), None, back, sample)
            started = time.monotonic()
            line.simple("ROLLBACK")
        took = timedelta(seconds=time.monotonic() - started)
        whole = all(one.kind in ("none", "note") for one in proof.compare(old, clone))
        words = "only until it is committed; nothing can be written to what it locks before"
        return _fact("transaction", 0, _Fate(), whole, _Back(clone, took, detail=words), sample)
    except DatabaseError as error:
        back = _Back(None, outcome=f"not possible: {excerpt(str(error), 200)}")
        return _fact("transaction", 0, _Fate(), None, back, sample)
    finally:
        clone.drop()


def _commits(script: Script) -> bool:
    return any(piece.control or piece.alone for piece in split(script.text, script.name, script.siblings))


# -- the rows ---------------------------------------------------------------------------------------------------------


def _marked(upgraded: Clone, written: Clone) -> list[_Written]:
    found: list[_Written] = []
    with upgraded.silent() as before, written.silent() as after:
        was = rows.tables(before)
        for table, columns in rows.tables(after).items():
            if _is_view(after, table) or rows.total(before, table, was[table]) == rows.total(after, table, columns):
                continue
            told = bisection.rows(before, after, table, was[table], columns)
            one = _Written(table, columns, told.key, short=told.short)
            if told.key:
                one.rows = [key for key, hashed in told.right.items() if told.left.get(key) != hashed]
            else:
                one.rows = [
                    str(hashed) for hashed in (Counter(told.right.values()) - Counter(told.left.values())).elements()
                ]
            if one.rows:
                found.append(one)
    return found


def _is_view(line: Connection, table: str) -> bool:
    return bool(
        line.rows(
            f"SELECT 1 FROM pg_class WHERE oid = '{table.replace(chr(39), chr(39) * 2)}'::regclass AND relkind = 'm'"
        )
    )


def _fate(upgraded: Clone, written: Clone, back: Clone, marked: list[_Written]) -> _Fate:
    fate = _Fate()
    with upgraded.silent() as before, written.silent() as source, back.silent() as line:
        there = rows.tables(line)
        for one in marked:
            total = len(one.rows)
            table, pairs = _twins(source, line, one, there)
            if not table or not pairs:
                survive, changed = 0, 0
            elif one.key and all(any(a == key for a, _ in pairs) for key in one.key):
                survive, changed = _by_key(source, line, one, table, pairs)
            else:
                survive, changed = _by_content(before, source, line, one, table, pairs), 0
            fate.survive += survive
            fate.changed += changed
            fate.lost += total - survive - changed
            if survive + changed < total:
                fate.where[one.table.removeprefix("public.")] = f"{total - survive - changed} of {total}"
    return fate


def _twins(
    source: Connection, back: Connection, one: _Written, there: dict[str, list[Column]]
) -> tuple[str, list[tuple[Column, Column]]]:
    """The table's name after the way back, and its columns in pairs; by the server's numbers, else by name."""
    number = source.rows(f"SELECT {_regclass(one.table)}::oid::int8")[0][0]
    same = back.rows(
        f"SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {number}"
    )
    # numbers are given out again on another server, or to what is made anew after a restore: then names decide
    if same and str(same[0][0]) in there and _numbers_hold(source, back, one.table, str(same[0][0])):
        table = str(same[0][0])
        positions = _positions(source, one.table), _positions(back, table)
        by_position = {position: name for name, position in positions[1].items()}
        names = {name: by_position.get(position, "") for name, position in positions[0].items()}
    else:
        table = one.table if one.table in there else ""
        names = {column.name: column.name for column in one.columns}
    if not table:
        return "", []
    others = {column.name: column for column in there[table]}
    return table, [(a, others[names[a.name]]) for a in one.columns if names.get(a.name, "") in others]


def _numbers_hold(source: Connection, back: Connection, table: str, other: str) -> bool:
    """Whether two tables of one number are one: they share most columns by number and type."""
    was, is_ = _positions(source, table), _positions(back, other)
    shared = set(was.values()) & set(is_.values())
    return table == other or len(shared) * 2 >= min(len(was), len(is_))


def _positions(line: Connection, table: str) -> dict[str, int]:
    return {
        str(name): int(str(number))
        for name, number in line.rows(
            f"SELECT attname, attnum FROM pg_attribute WHERE attrelid = {_regclass(table)} AND attnum > 0 AND NOT attisdropped"
        )
    }


def _regclass(table: str) -> str:
    return "'" + table.replace("'", "''") + "'::regclass"


def _hashed(columns: list[Column]) -> str:
    """Of the text of every value: a column whose type the way back changes still holds the same."""
    if not columns:
        return "0::int8"
    return "hashtextextended(ROW(" + ", ".join(f"t.{column.quoted}::text" for column in columns) + ")::text, 0)"


def _by_key(
    source: Connection, back: Connection, one: _Written, table: str, pairs: list[tuple[Column, Column]]
) -> tuple[int, int]:
    """Rows that are there as they were written, and rows that are there otherwise."""
    survive = changed = 0
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    other_key = [next(b for a, b in pairs if a == key) for key in one.key]
    for start in range(0, len(one.rows), _CHUNK):
        some = one.rows[start : start + _CHUNK]
        was = _some(source, one.table, one.key, left, some)
        is_ = _some(back, table, other_key, right, some)
        for key, hashed in was.items():
            survive += key in is_ and is_[key] == hashed
            changed += key in is_ and is_[key] != hashed
    return survive, changed


def _some(line: Connection, table: str, key: list[Column], columns: list[Column], keys: list[str]) -> dict[str, str]:
    shown = bisection.shown(key)
    wanted = ", ".join("'" + one.replace("'", "''") + "'" for one in keys)
    return {
        str(name): str(hashed)
        for name, hashed in line.rows(
            f"SELECT {shown}, {_hashed(columns)} FROM ONLY {table} t WHERE {shown} IN ({wanted})"
        )
    }


def _by_content(
    before: Connection,
    source: Connection,
    back: Connection,
    one: _Written,
    table: str,
    pairs: list[tuple[Column, Column]],
) -> int:
    """A table without a key that both have: rows as often as they occur beyond what was there at the upgrade."""
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    old = Counter(before.lines(f"SELECT {_hashed(left)} FROM ONLY {one.table} t"))
    new = Counter(source.lines(f"SELECT {_hashed(left)} FROM ONLY {one.table} t")) - old
    there = Counter(back.lines(f"SELECT {_hashed(right)} FROM ONLY {table} t")) - old
    return min((new & there).total(), len(one.rows))


def _whole(old: Clone, back: Clone, upgraded: Clone, marked: list[_Written]) -> bool:
    """Whether the rows of before the upgrade are all there, as they were: nothing but what was written is different."""
    touched = {one.table: set(one.rows) for one in marked}
    with old.silent() as left, back.silent() as right, upgraded.silent() as between:
        there, at_upgrade = rows.tables(right), rows.tables(between)
        for table, columns in rows.tables(left).items():
            if _is_view(left, table):
                continue
            if table not in there:
                if rows.total(left, table, columns)[0]:
                    return False
                continue
            others = {column.name: column for column in there[table]}
            pairs = [(column, others[column.name]) for column in columns if column.name in others]
            lacking = [column for column in columns if column.name not in others]
            if lacking and left.rows(
                f"SELECT 1 FROM ONLY {table} t WHERE {' OR '.join(f't.{c.quoted} IS NOT NULL' for c in lacking)} LIMIT 1"
            ):
                return False
            told = bisection.rows(left, right, table, [a for a, _ in pairs], [b for _, b in pairs])
            if told.key:
                written = touched.get(table, set()) if table in at_upgrade else set()
                if any(told.right.get(key) != hashed and key not in written for key, hashed in told.left.items()):
                    return False
            elif Counter(told.left.values()) - Counter(told.right.values()):
                return False
    return True


# -- facts ------------------------------------------------------------------------------------------------------------


def _fact(way: str, total: int, fate: _Fate, whole: bool | None, back: _Back, sample: str) -> Survival:
    none = back.clone is None and way != "transaction"
    return Survival(
        witness=Witness.OBSERVED,
        evidence=Evidence(step=f"way back: {way}"),
        way=way,
        written=total,
        survive=fate.survive,
        lost=0 if none else fate.lost,
        changed=fate.changed,
        tables=tuple(f"{table}: {words}" for table, words in sorted(fate.where.items())),
        whole=whole,
        duration=back.took if back.clone is not None else None,
        outcome=back.outcome,
        detail=back.detail,
        sample=sample,
    )


def _gap(what: str, detail: str, *, needed: bool = False) -> Unread:
    return Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(),
        what=what,
        reason=Reason.NOT_MEASURED,
        detail=detail,
        needed=needed,
    )
