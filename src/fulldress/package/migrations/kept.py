"""What a script keeps although single statements of it read like a loss: a column that was copied before it is dropped,
one that the script itself had added, a name that comes back, values put where there were none.

By the statements' words, in their order. Only plain copies count: of the whole column, or of all of it that is not NULL.
"""

from __future__ import annotations

from fulldress.package.migrations.rebuilds import plain
from fulldress.package.migrations.sql import Statement
from fulldress.patterns import regex

_WORD = r"(?:\"[^\"]+\"|`[^`]+`|[^\s(;,]+)(?: \. (?:\"[^\"]+\"|`[^`]+`|[^\s(;,]+))?"
_UPDATE = regex(rf"UPDATE (?:ONLY )?(?P<table>{_WORD}) (?:(?:AS )?\w+ )?SET (?P<set>.*?)(?: WHERE (?P<where>.*))?$")
_INSERT = regex(
    rf"INSERT INTO {_WORD}(?: \( [^()]* \))? (?:\( )?SELECT (?P<what>.*?) FROM (?P<table>{_WORD})(?: (?:AS )?\w+)?(?: WHERE (?P<where>.*))?$"  # noqa: S608 - a pattern, no query
)
_ALTER = regex(rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(?P<table>{_WORD}) (?P<rest>.*)")
_ADDED = regex(rf"\bADD (?:COLUMN )?(?:IF NOT EXISTS )?(?P<column>{_WORD}) \w")
_DROPPED = regex(
    rf"\bDROP (?:COLUMN )?(?:IF EXISTS )?(?!CONSTRAINT\b|INDEX\b|KEY\b|PRIMARY\b|FOREIGN\b|CHECK\b|PARTITION\b|NOT\b|DEFAULT\b)(?P<column>{_WORD})"
)
_RENAMED = regex(rf"RENAME (?:COLUMN )?(?!TO\b|CONSTRAINT\b|INDEX\b)(?P<old>{_WORD}) TO (?P<new>{_WORD})")
_TABLE_RENAMED = regex(rf"RENAME TO (?P<new>{_WORD})")
_MADE = regex(rf"CREATE (?:OR REPLACE )?(?:TABLE|VIEW|MATERIALIZED VIEW) (?:IF NOT EXISTS )?(?P<name>{_WORD})")
_NOT_NULL = regex(rf"(?:\( )?(?P<column>{_WORD}) IS NOT NULL(?: \))?$")
_NULL = regex(rf"(?:\( )?(?P<column>{_WORD}) IS NULL\b(?! OR\b)(?:(?! OR ).)*$")
_SET_COLUMN = regex(rf"(?:^|, )(?P<column>{_WORD}) = ")
_NAMES = regex(r"\"[^\"]+\"|`[^`]+`|[A-Za-z_]\w*")
_COLUMN_OF = regex(r"what column (\S+) holds is gone")
_RUN_TIME = regex(r"(?i)(?:TABLE|COLUMN|RENAME) [\"`]?X_\w+")
_LONGEST = 10_000


def fills_blanks(bare: str) -> bool:
    """``UPDATE t SET c = … WHERE c IS NULL``: nothing that was there is overwritten."""
    match = _UPDATE.match(bare[:_LONGEST])
    where = _NULL.match(match["where"]) if match is not None and match["where"] else None
    if match is None or where is None:
        return False
    changed = {plain(found["column"]) for found in _SET_COLUMN.finditer(match["set"])}
    return changed == {plain(where["column"])}


class Kept:
    """Of one script; ``every`` are its statements in their order."""

    def __init__(self, every: list[Statement]) -> None:
        self._copied: set[tuple[str, str]] = set()  #: (table, column) read whole before it is dropped
        self._again: set[str] = set()  #: tables and views that are made under a name that was renamed away
        self._columns_again: set[tuple[str, str]] = set()
        added: set[tuple[str, str]] = set()
        renamed: set[tuple[str, str]] = set()
        tables: set[str] = set()
        for statement in every:
            bare = statement.bare[:_LONGEST]
            if statement.meta:
                continue
            if match := _MADE.match(bare):
                self._again |= {plain(match["name"])} & tables
            elif match := _UPDATE.match(bare):
                self._read(plain(match["table"]), match["set"], match["where"])
            elif match := _INSERT.match(bare):
                self._read(plain(match["table"]), match["what"], match["where"])
            elif match := _ALTER.match(bare):
                table, rest = plain(match["table"]), match["rest"]
                if change := _TABLE_RENAMED.match(rest):
                    self._again |= {plain(change["new"])} & tables
                    tables.add(table)
                elif change := _RENAMED.match(rest):
                    if (table, plain(change["old"])) in added:
                        added.add((table, plain(change["new"])))
                    renamed.add((table, plain(change["old"])))
                    self._columns_again |= {(table, plain(change["new"]))} & renamed
                for change in _ADDED.finditer(rest):
                    place = (table, plain(change["column"]))
                    added.add(place)
                    self._columns_again |= {place} & renamed
                for change in _DROPPED.finditer(rest):
                    if (place := (table, plain(change["column"]))) in added:
                        self._copied.add(place)

    def _read(self, table: str, text: str, where: str | None) -> None:
        """Columns that a copy takes whole: it has no condition, or that the copied value is there."""
        condition = _NOT_NULL.match(where) if where else None
        named = {plain(name) for part in text.split(" = ")[1:] or [text] for name in _NAMES.findall(part)}
        if where and condition is None:
            return
        if condition is not None:
            named &= {plain(condition["column"])}
        self._copied |= {(table, name) for name in named}

    def spares(self, kind: str, table: str, says: str, bare: str) -> bool:
        """Whether the script itself takes back, or has made good before, what one statement says."""
        name = table.upper()
        if kind == "lost":
            told = _COLUMN_OF.search(says)
            rest = _ALTER.match(bare)
            dropped = [told[1]] if told else [m["column"] for m in _DROPPED.finditer(rest["rest"])] if rest else []
            return bool(dropped) and all((name, plain(column)) in self._copied for column in dropped)
        if kind == "rename":
            change = _ALTER.match(bare)
            if change is None or _RUN_TIME.search(bare):
                return change is not None  # which name it is, nobody knows before it runs
            if column := _RENAMED.match(change["rest"]):
                return (name, plain(column["old"])) in self._columns_again
            return name in self._again
        return kind == "rows" and fills_blanks(bare)
