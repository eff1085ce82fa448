"""What a way back does not bring back, from the names in both directions. Half of such ways back run without an error.

Names only: a column that was dropped and is added again comes back empty, a table that was dropped and is created again
comes back without its rows, and nothing but another statement brings back rows that were deleted or overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from fulldress.package.migrations.kept import fills_blanks
from fulldress.package.migrations.rebuilds import plain
from fulldress.patterns import regex

_NAME = r"(?P<name>(?:\"[^\"]+\"|`[^`]+`|[^\s(;,]+)(?: \. (?:\"[^\"]+\"|`[^`]+`|[^\s(;,]+))*)"
_OBJECT = regex(
    r"(?P<verb>CREATE|DROP) (?:OR REPLACE )?(?:(?:GLOBAL |LOCAL )?(?P<temp>TEMP(?:ORARY)? )|UNLOGGED |UNIQUE |FOREIGN |VIRTUAL )?"
    rf"(?P<kind>TABLE|MATERIALIZED VIEW|TYPE|SCHEMA|SEQUENCE) (?:IF (?:NOT )?EXISTS )?{_NAME}(?P<more>(?: , [^\s;]+(?: \. [^\s;,]+)?)*)"
)
_ALTER = regex(rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{_NAME}(?: \*)? (?P<rest>.*)")
_COLUMN = regex(
    r"(?P<verb>ADD|DROP) (?:COLUMN )?(?:IF (?:NOT )?EXISTS )?"
    r"(?!(?:COLUMN|CONSTRAINT|PRIMARY|FOREIGN|UNIQUE|CHECK|INDEX|KEY|FULLTEXT|SPATIAL|PARTITION|EXCLUDE|DEFAULT|NOT|IDENTITY|VALUE)\b)"
    rf"(?:\( )?{_NAME}"
)
_RENAME_TABLE = regex(r"RENAME TO (?P<new>\S+)")
_RENAME_COLUMN = regex(r"RENAME (?:COLUMN )?(?!TO\b|CONSTRAINT\b|INDEX\b|KEY\b)(?P<old>\S+) TO (?P<new>\S+)")
_ROWS = regex(
    rf"(?P<verb>INSERT (?:OR \w+ |IGNORE )?INTO|REPLACE INTO|UPDATE(?: ONLY)?|DELETE FROM(?: ONLY)?|TRUNCATE(?: TABLE)?|COPY|MERGE INTO) {_NAME}"
)
_DYNAMIC = regex(r"(?:DO|CALL|EXECUTE|SELECT)\b")


class Changes:
    """The names that one direction creates, drops, renames and fills. Upper case, without quotes and schema."""

    def __init__(self, bare: Iterable[str]) -> None:
        self.created: dict[tuple[str, str], int] = {}
        self.dropped: dict[tuple[str, str], int] = {}
        self.renamed: set[tuple[str, str]] = set()
        self.filled: set[str] = set()  #: tables that rows are put into or changed in
        self.changed: set[str] = set()  #: tables of which rows are deleted or overwritten
        self.dynamic = False
        self.cascades = False
        for position, text in enumerate(bare):
            self._read(text[:10_000], position)

    def _read(self, text: str, position: int) -> None:
        self.cascades = self.cascades or (text.startswith("DROP") and "CASCADE" in text)
        if match := _OBJECT.match(text):
            if match["temp"]:
                return
            names = [match["name"], *re.findall(r" , ([^\s;,]+(?: \. [^\s;,]+)?)", match["more"])]
            into = self.created if match["verb"] == "CREATE" else self.dropped
            into.update({(match["kind"].lower(), plain(name)): position for name in names})
        elif match := _ALTER.match(text):
            table, rest = plain(match["name"]), match["rest"]
            if new := _RENAME_TABLE.match(rest):
                self.renamed.add((table, plain(new["new"])))
            elif column := _RENAME_COLUMN.match(rest):
                self.renamed.add((f"{table}.{plain(column['old'])}", f"{table}.{plain(column['new'])}"))
            else:
                for clause in _clauses(rest):
                    if column := _COLUMN.match(clause):
                        into = self.created if column["verb"] == "ADD" else self.dropped
                        into["column", f"{table}.{plain(column['name'])}"] = position
        elif match := _ROWS.match(text):
            table = plain(match["name"])
            if match["verb"].startswith(("DELETE", "TRUNCATE", "UPDATE")) and not fills_blanks(text):
                self.changed.add(table)
            if not match["verb"].startswith(("DELETE", "TRUNCATE")):
                self.filled.add(table)
        elif _DYNAMIC.match(text):
            self.dynamic = True


def _clauses(text: str) -> list[str]:
    depth, start, found = 0, 0, []
    for match in re.finditer(r"[(),]", text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if match[0] == "," and depth == 0:
            found.append(text[start : match.start()].strip())
            start = match.end()
    return [*found, text[start:].strip()]


def unrestored(up: Iterable[str], down: Iterable[str]) -> tuple[str, ...]:
    """What ``down`` leaves otherwise than before ``up``, in words; both are statements in their bare form."""
    forth, back = Changes(up), Changes(down)
    if not (back.created or back.dropped or back.renamed or back.filled or back.changed):
        return ()  # empty, or beyond names: told of elsewhere
    moved_forth = {new for _, new in forth.renamed}
    found = [
        _dropped(kind, name, forth, back) for kind, name in forth.dropped if not _own(kind, name, forth, moved_forth)
    ]
    found += [_created(kind, name, forth, back) for kind, name in forth.created if (kind, name) not in forth.dropped]
    found += [_renamed(old, new, forth, back) for old, new in sorted(forth.renamed)]
    touched = {name for kind, name in (*forth.created, *forth.dropped) if kind == "table"}
    added = {name.partition(".")[0] for kind, name in forth.created if kind == "column"}
    for table in sorted(forth.changed - touched - added):
        if table not in back.filled | back.changed and not back.dynamic:
            found.append(f"rows of {table.lower()} stay changed or deleted")
    return tuple(dict.fromkeys(words for words in found if words and "unnamed" not in words))


def _own(kind: str, name: str, forth: Changes, moved: set[str]) -> bool:
    """Created by the same script, or a copy that it renamed away: a rebuild."""
    return (kind, name) in forth.created or name in moved or any(old == name for old, _ in forth.renamed)


def _dropped(kind: str, name: str, forth: Changes, back: Changes) -> str:
    shown = f"{kind} {name.lower()}"
    table = name.partition(".")[0]
    if (kind, name) not in back.created:
        gone = ("table", table) in back.dropped or ("table", table) in back.created or back.dynamic
        returned = any(new == name for _, new in back.renamed)
        return "" if gone or returned else f"{shown} is not made again"
    if kind == "table":
        return "" if name in back.filled or back.dynamic else f"{shown} comes back without its rows"
    if kind == "column":
        return "" if table in back.filled or back.dynamic else f"{shown} comes back without its values"
    return ""


def _created(kind: str, name: str, forth: Changes, back: Changes) -> str:
    table = name.partition(".")[0]
    new = next((new for old, new in forth.renamed if old == name), name)
    away = {(kind, name), (kind, new), ("table", table)} & set(back.dropped)
    remade = ("table", table) in back.created or any(table in pair for pair in back.renamed)
    if away or remade or back.cascades or back.dynamic or ("table", table) in forth.dropped:
        return ""
    if kind == "column" and (("table", table) in forth.created or any(r[1] == table for r in forth.renamed)):
        return ""
    if any(k == "schema" for k, _ in back.dropped):
        return ""
    return f"{kind} {name.lower()} stays"


def _renamed(old: str, new: str, forth: Changes, back: Changes) -> str:
    if (new, old) in back.renamed or back.dynamic:
        return ""
    kind = "column" if "." in old else "table"
    if (kind, new) in back.dropped or ("table", new.partition(".")[0]) in back.dropped or (kind, old) in forth.dropped:
        return ""
    if (kind, old) in forth.created or (kind, new) in forth.dropped or (kind, old) in back.created:
        return ""
    if any(new == a or old == b for a, b in back.renamed) or any(new == a for a, _ in forth.renamed):
        return ""
    return f"{kind} {new.lower()} is not called {old.lower().rpartition('.')[2]} again"
