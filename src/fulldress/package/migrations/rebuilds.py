"""Tables that a script replaces by a copy of themselves: dropping the old one then loses no row.

SQLite's manual has it so under ALTER TABLE, "Making Other Kinds Of Table Schema Changes". The copy is made under another
name and renamed at the end; or the old table is renamed first and dropped at the end; or rows go to a copy and back.
"""

from __future__ import annotations

from fulldress.package.migrations.sql import Statement
from fulldress.patterns import regex

_WORD = r"(?:\"[^\"]+\"|`[^`]+`|[^\s(;,]+)(?: \. (?:\"[^\"]+\"|`[^`]+`|[^\s(;,]+))?"
_RENAME = regex(rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(?P<old>{_WORD}) RENAME TO (?P<new>{_WORD})")
_COPY = regex(
    rf"(?:INSERT (?:OR \w+ |IGNORE )?INTO|REPLACE INTO) (?P<target>{_WORD})(?: \( (?P<columns>[^()]*) \))? (?:\( )?SELECT .*? FROM (?P<source>{_WORD})"  # noqa: S608 - a pattern, no query
)
_COPY_OF = regex(
    rf"CREATE (?:(?:GLOBAL |LOCAL )?TEMP(?:ORARY)? |UNLOGGED )?TABLE (?P<target>{_WORD}) AS (?:\( )?SELECT .*? FROM (?P<source>{_WORD})"  # noqa: S608 - a pattern, no query
)
_LONGEST = 10_000

Columns = dict[tuple[str, str], tuple[str, int]]


def plain(name: str) -> str:
    """A table's or column's name without quotes and schema."""
    return name.replace('"', "").replace("`", "").replace(" ", "").upper().rpartition(".")[2]


class Rebuilds:
    """The tables that one script rebuilds. ``columns`` is what earlier scripts told of tables; it is brought up to date
    by :meth:`remember` when the script has been studied. Where the order of the scripts is not known (``ordered``), it
    does not tell which columns the table has by then."""

    def __init__(self, every: list[Statement], columns: Columns, *, ordered: bool = True) -> None:
        self._pairs: dict[tuple[str, str], set[str]] = {}  #: dropped, kept -> columns copied; none: all
        self._scratch: set[str] = set()
        self._losing: set[str] = set()
        heads = [statement.bare[:_LONGEST] for statement in every if not statement.meta]
        renames = {(plain(m["old"]), plain(m["new"])) for bare in heads if (m := _RENAME.match(bare))}
        copies: set[tuple[str, str]] = set()
        for bare in heads:
            match = _COPY.match(bare) or _COPY_OF.match(bare)
            if match is None:
                continue
            source, target = plain(match["source"]), plain(match["target"])
            copies.add((source, target))
            if (target, source) in renames:
                named = match.groupdict().get("columns") or ""
                copied = {plain(part.strip()) for part in named.split(",") if part.strip()}
                self._pairs.setdefault((source, target), set()).update(copied)
                self._scratch.add(target)
        self._refilled = {source for source, target in copies if (target, source) in copies}
        for (source, target), copied in self._pairs.items():
            known = {column for table, column in columns if table == source} or {
                column for table, column in columns if table == target
            }
            if ordered and copied and known - copied:
                self._losing.add(source)

    def keeps_rows(self, table: str) -> bool:
        """Whether the table's rows, with all columns that are known of it, stand in a copy when it is dropped."""
        return table not in self._losing and (
            table in self._refilled or any(table == source for source, _ in self._pairs)
        )

    def is_scratch(self, table: str) -> bool:
        """Whether the table is the script's own copy: what an interrupted run left of it may go."""
        return table in self._scratch

    def remember(self, columns: Columns) -> None:
        """The kept table has the copy's columns from now on."""
        for (source, target), copied in self._pairs.items():
            fresh = {place: kind for place, kind in columns.items() if place[0] == target}
            for place in [place for place in columns if place[0] in (source, target)]:
                del columns[place]
            for (_, column), kind in fresh.items():
                if not copied or column in copied:
                    columns[source, column] = columns[target, column] = kind
