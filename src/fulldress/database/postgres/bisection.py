"""Which rows and columns of a table differ between two databases, once its sums do.

First a sum per column, then sums of 65,536 groups of rows (by the hash of the key), and then only the rows of the groups
that differ, as key and hash: a table of a billion rows of which one differs sends some thousands.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from fulldress.database.postgres.rows import Column, Equality, row_hash, tables
from fulldress.database.postgres.wire import Connection
from fulldress.facts import excerpt

_BUCKETS = 65536
#: Rows that travel from either side. Above, so many groups are looked at as hold no more, and that is said.
LIMIT = 1_000_000
#: Differing rows that are named.
FIRST = 5
_SAMPLE = 500


@dataclass
class Told:
    """How a table differs. ``first_*`` name rows by their keys, in order of the keys."""

    count_before: int = 0
    count_after: int = 0
    lost: int = 0
    added: int = 0
    changed: int = 0
    changed_columns: tuple[str, ...] = ()
    lost_columns: dict[str, tuple[int, str]] = field(default_factory=dict)
    new_columns: tuple[str, ...] = ()
    first_lost: tuple[str, ...] = ()
    first_added: tuple[str, ...] = ()
    first_changed: tuple[str, ...] = ()
    detail: str = ""


def compare(before: Connection, after: Connection, table: str, equality: Equality = "byte", limit: int = LIMIT) -> Told:
    """Columns, then groups of rows, then rows."""
    old = {column.name: column for column in tables(before, table).get(table, [])}
    new = {column.name: column for column in tables(after, table).get(table, [])}
    told = Told(new_columns=tuple(name for name in new if name not in old))
    was = _column_sums(before, table, list(old.values()), equality)
    is_ = _column_sums(after, table, list(new.values()), equality)
    told.count_before, told.count_after = was[""][0], is_[""][0]
    shared = [name for name in old if name in new]
    for name in old:
        if name not in new:
            twin = next((other for other in told.new_columns if is_[other] == was[name] and was[name][0]), "")
            told.lost_columns[name] = (was[name][0], f"its values are in {twin}" if twin else "the column is gone")
        elif was[name][0] and not is_[name][0] and told.count_after:
            told.lost_columns[name] = (was[name][0], "the column is there, and empty in every row")
    differing = [name for name in shared if was[name] != is_[name] and name not in told.lost_columns]
    if told.count_before == told.count_after:
        for name in _filled(before, after, table, [old[n] for n in differing], [new[n] for n in differing], equality):
            differing.remove(name)
            told.lost_columns[name] = (was[name][0], "the column is there, with one value in every row")
    kept = [name for name in shared if name not in told.lost_columns]
    if kept:
        _one_by_one(
            before, after, table, [old[n] for n in kept], [new[n] for n in kept], told, differing, equality, limit
        )
    else:
        told.lost = max(told.count_before - told.count_after, 0)
        told.added = max(told.count_after - told.count_before, 0)
    if told.changed and not (told.lost or told.added) and equality == "byte" and not told.detail:
        told.detail = _written(before, after, table, [old[n] for n in differing], [new[n] for n in differing])
    return told


def _column_sums(line: Connection, table: str, columns: list[Column], equality: Equality) -> dict[str, tuple[int, str]]:
    """Non-null values and the sum of hashes per column; rows of the table under the empty name."""
    parts = ["count(*)"]
    for column in columns:
        hashed = row_hash([column], line.major, equality)
        parts += [f"count(t.{column.quoted})", f"coalesce(sum({hashed}), 0)::text"]
    sums: dict[str, tuple[int, str]] = {}
    row: list[object] = []
    for start in range(0, len(parts), 1600):  # a target list ends at 1664 columns
        row += line.rows(f"SELECT {', '.join(parts[start : start + 1600])} FROM ONLY {table} t")[0]
    sums[""] = (int(str(row[0])), "")
    for index, column in enumerate(columns):
        sums[column.name] = (int(str(row[1 + 2 * index])), str(row[2 + 2 * index]))
    return sums


def _filled(
    before: Connection, after: Connection, table: str, old: list[Column], new: list[Column], equality: Equality
) -> list[str]:
    """Columns that had different values and now have one and the same in every row: a default, put there by the way back."""
    if not old:
        return []
    sides = []
    for line, columns in ((before, old), (after, new)):
        hashes = (row_hash([column], line.major, equality) for column in columns)
        row = line.rows(
            f"SELECT {', '.join(f'min({h}) IS NOT DISTINCT FROM max({h})' for h in hashes)} FROM ONLY {table} t"
        )[0]
        sides.append(row)
    return [column.name for column, was, is_ in zip(old, *sides, strict=True) if is_ and not was]


def _written(before: Connection, after: Connection, table: str, old: list[Column], new: list[Column]) -> str:
    """Whether the values are equal after all, and only their text is not."""
    if not old or any(a.form != "semantic" or b.form != "semantic" for a, b in zip(old, new, strict=True)):
        return ""
    if _column_sums(before, table, old, "semantic") != _column_sums(after, table, new, "semantic"):
        return ""
    return "the values are equal and written otherwise, as 1.0 and 1.00"


class Rows(NamedTuple):
    """Rows of the groups that differ, as ``key -> hash``; without a key as ``number NUL text -> hash``. ``short`` says that
    not all groups were looked at."""

    left: dict[str, object]
    right: dict[str, object]
    key: list[Column]  #: of the right side
    short: str = ""


def rows(
    before: Connection,
    after: Connection,
    table: str,
    old: list[Column],
    new: list[Column],
    equality: Equality = "byte",
    limit: int = LIMIT,
    other: str = "",
) -> Rows:
    """Rows that differ in the columns ``old`` and ``new``, which are pairs. ``other``: the table's name on the right side."""
    keyed = any(column.key for column in old) and all(a.key == b.key for a, b in zip(old, new, strict=True))
    key_old = [column for column in old if column.key] if keyed else old
    key_new = [column for column in new if column.key] if keyed else new
    sums = (_groups(before, table, key_old, old, equality), _groups(after, other or table, key_new, new, equality))
    groups = sorted(b for b in sums[0].keys() | sums[1].keys() if sums[0].get(b) != sums[1].get(b))
    looked = _affordable(groups, sums, limit)
    short = ""
    if len(looked) < len(groups):
        short = f"at least: more than {limit:,} rows differ; {len(looked):,} of {len(groups):,} groups were looked at"
    if not groups:
        return Rows({}, {}, key_new if keyed else [])
    left = _fetch(before, table, key_old, old, looked, keyed, equality)
    right = _fetch(after, other or table, key_new, new, looked, keyed, equality)
    return Rows(left, right, key_new if keyed else [], short)


def _one_by_one(
    before: Connection,
    after: Connection,
    table: str,
    old: list[Column],
    new: list[Column],
    told: Told,
    differing: list[str],
    equality: Equality,
    limit: int,
) -> None:
    """Only rows of those groups whose sums differ travel."""
    left, right, key_new, told.detail = rows(before, after, table, old, new, equality, limit)
    if not left and not right:
        return
    if not key_new:
        _by_content(told, left, right, differing)
        return
    key_old = [column for column in old if column.key]
    lost, added = left.keys() - right.keys(), right.keys() - left.keys()
    told.lost, told.added = len(lost), len(added)
    if told.detail:
        told.lost = max(told.lost, told.count_before - told.count_after)
        told.added = max(told.added, told.count_after - told.count_before)
    changed = sorted((key for key in left.keys() & right.keys() if left[key] != right[key]), key=_natural)
    told.changed = len(changed)
    by_row = _columns_of(before, after, table, key_old, key_new, old, new, changed[:_SAMPLE], equality)
    if lost or added or told.detail:  # sums over all rows differ everywhere: look at the changed rows alone
        told.changed_columns = tuple(c.name for c in old if any(c.name in names for names in by_row.values()))
        if len(changed) > _SAMPLE and not told.detail:
            told.detail = f"columns seen in {_SAMPLE} of the rows"
    elif changed:
        union = {name for names in by_row.values() for name in names}
        told.changed_columns = tuple(c.name for c in old if c.name in union or c.name in differing)
    names = ", ".join(column.name for column in key_old)
    told.first_lost = tuple(f"{names} = {key}" for key in sorted(lost, key=_natural)[:FIRST])
    told.first_added = tuple(f"{names} = {key}" for key in sorted(added, key=_natural)[:FIRST])
    told.first_changed = tuple(
        f"{names} = {key}" + (f" ({', '.join(by_row[key][:4])})" if by_row.get(key) else "") for key in changed[:FIRST]
    )


def _by_content(told: Told, left: dict[str, object], right: dict[str, object], differing: list[str]) -> None:
    """A table without a key: rows are what is in them."""
    was, is_ = Counter(left.values()), Counter(right.values())
    gone, come = was - is_, is_ - was
    told.lost, told.added = gone.total(), come.total()
    lost = _shown_rows(left, gone)
    added = _shown_rows(right, come)
    if told.lost == told.added and told.lost and told.count_before == told.count_after:
        told.changed, told.lost, told.added = told.lost, 0, 0
        told.changed_columns = tuple(differing)
        told.first_changed = lost
        told.detail = told.detail or "no key: rows are told apart by their content"
        return
    told.first_lost, told.first_added = lost, added


def _shown_rows(rows: dict[str, object], wanted: Counter[object]) -> tuple[str, ...]:
    left, shown = Counter(wanted), []
    for text, hashed in rows.items():
        if left[hashed] > 0:
            left[hashed] -= 1
            shown.append("a row " + excerpt(text.partition("\0")[2], 80))
            if len(shown) == FIRST:
                break
    return tuple(shown)


def _natural(key: str) -> tuple[tuple[int, float, str], ...]:
    """Keys in the order of their numbers where they are numbers."""
    parts = key.split(", ")
    return tuple((0, float(p), p) if p.lstrip("-").isdigit() else (1, 0.0, p) for p in parts)


def _columns_of(
    before: Connection,
    after: Connection,
    table: str,
    key_old: list[Column],
    key_new: list[Column],
    old: list[Column],
    new: list[Column],
    keys: list[str],
    equality: Equality,
) -> dict[str, tuple[str, ...]]:
    """Columns that differ in each of the rows with these keys."""
    if not keys:
        return {}
    wanted = ", ".join("'" + key.replace("'", "''") + "'" for key in keys)
    sides = []
    for line, key, columns in ((before, key_old, old), (after, key_new, new)):
        hashes = ", ".join(row_hash([column], line.major, equality) for column in columns)
        found = line.rows(f"SELECT {shown(key)}, {hashes} FROM ONLY {table} t WHERE {shown(key)} IN ({wanted})")
        sides.append({str(row[0]): row[1:] for row in found})
    return {
        key: tuple(column.name for i, column in enumerate(old) if values[i] != sides[1][key][i])
        for key, values in sides[0].items()
        if key in sides[1]
    }


def shown(key: list[Column]) -> str:
    """The key as a person reads it."""
    return " || ', ' || ".join(f"coalesce(t.{column.quoted}::text, 'null')" for column in key)


def _groups(
    line: Connection, table: str, key: list[Column], columns: list[Column], equality: Equality
) -> dict[int, tuple[int, str]]:
    found = line.rows(
        f"SELECT mod({row_hash(key, line.major, equality)}, {_BUCKETS}) AS b, count(*),"
        f" sum({row_hash(columns, line.major, equality)})::text FROM ONLY {table} t GROUP BY 1"
    )
    return {int(str(b)): (int(str(count)), str(hashed)) for b, count, hashed in found}


def _affordable(
    groups: list[int], sums: tuple[dict[int, tuple[int, str]], dict[int, tuple[int, str]]], limit: int
) -> list[int]:
    rows, taken = 0, list[int]()
    for group in groups:
        rows += max(side.get(group, (0, ""))[0] for side in sums)
        if taken and rows > limit:
            break
        taken.append(group)
    return taken


def _fetch(
    line: Connection,
    table: str,
    key: list[Column],
    columns: list[Column],
    groups: list[int],
    keyed: bool,
    equality: Equality,
) -> dict[str, object]:
    """Rows of ``groups`` as ``key -> hash``; without a key as ``number NUL text -> hash``."""
    text = shown(key) if keyed else "left(ROW(t.*)::text, 200)"
    dense = len(groups) > _BUCKETS // 2
    grouped = f"mod({row_hash(key, line.major, equality)}, {_BUCKETS})"
    where = "" if dense else f" WHERE {grouped} IN ({', '.join(map(str, groups))})"
    found = line.lines(f"SELECT {row_hash(columns, line.major, equality)}, {text} FROM ONLY {table} t{where}")
    pairs = (row.decode("utf-8", "replace").partition("\t") for row in found)
    if keyed:
        return {_unescaped(text): hashed for hashed, _, text in pairs}
    return {f"{number}\0{_unescaped(text)}": hashed for number, (hashed, _, text) in enumerate(pairs)}


def _unescaped(text: str) -> str:
    r"""COPY writes a backslash as ``\\``, a tab as ``\t``."""
    if "\\" not in text:
        return text
    marks = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
    parts, at = [], 0
    while (found := text.find("\\", at)) >= 0 and found + 1 < len(text):
        parts += [text[at:found], marks.get(text[found + 1], text[found + 1])]
        at = found + 2
    return "".join([*parts, text[at:]])
