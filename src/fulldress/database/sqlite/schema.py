"""What a SQLite database consists of, object by object, so that two states can be compared.

SQLite keeps the text of every CREATE statement and edits it at ALTER TABLE, so the same table may stand there in other
words: texts are compared word by word, in lower case, without quotes and comments, columns and constraints apart.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from fulldress.patterns import regex

_TOKEN = regex(
    r"""(?xs) (?P<skip>\s+|--[^\n]*|/\*.*?(?:\*/|\Z)) | (?P<text>[xX]?'[^']*(?:''[^']*)*'?)
      | (?P<quoted>"[^"]*(?:""[^"]*)*"?|`[^`]*`?|\[[^\]]*\]?) | (?P<word>[^\W\d][\w$]*|\d[\w.]*) | (?P<other>.)"""
)
_CONSTRAINTS = {"constraint", "primary", "unique", "check", "foreign"}
#: Settings that lie in the file itself; migration programs keep their version in the first two.
_PRAGMAS = ("user_version", "application_id", "encoding", "auto_vacuum", "page_size", "journal_mode")


def read(line: sqlite3.Connection) -> dict[str, str]:
    """``column orders.total`` -> ``int not null``, and so on for every object."""
    found: dict[str, str] = {}
    rows = line.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite#_%' ESCAPE '#'"
    ).fetchall()
    for kind, name, table, sql in rows:
        words = list(tokens(sql or ""))
        if kind == "table" and "virtual" not in words[:3]:
            found |= _table(str(name), words)
        elif kind in ("index", "trigger"):
            found[f"{kind} {table}.{name}"] = " ".join(words)
        else:
            found[f"{kind} {name}"] = " ".join(words)
    for pragma in _PRAGMAS:
        found[f"setting {pragma}"] = str(line.execute(f"PRAGMA {pragma}").fetchone()[0])
    for table, count in orphans(line).items():
        found[f"foreign keys of {table}"] = f"{count} rows without the row that they refer to"
    return found


def orphans(line: sqlite3.Connection) -> dict[str, int]:
    """Rows whose foreign key leads nowhere, by table: SQLite checks none unless a connection asks for it."""
    counted: dict[str, int] = {}
    try:
        for row in line.execute("PRAGMA foreign_key_check"):
            counted[str(row[0])] = counted.get(str(row[0]), 0) + 1
    except sqlite3.OperationalError as error:  # a reference to what is no key: "foreign key mismatch"
        counted[f"({error})"] = 0
    return counted


def sequences(line: sqlite3.Connection) -> dict[str, int]:
    """The counters of AUTOINCREMENT, by table."""
    try:
        return {str(name): int(value or 0) for name, value in line.execute("SELECT name, seq FROM sqlite_sequence")}
    except sqlite3.OperationalError:
        return {}  # no table has one


def _table(name: str, words: list[str]) -> dict[str, str]:
    """Columns, constraints, options of the table and the order of the columns, each apart."""
    try:
        begin = words.index("(")
    except ValueError:
        return {f"table {name}": " ".join(words)}
    parts: list[list[str]] = [[]]
    depth, end = 0, len(words)
    for at in range(begin, len(words)):
        word = words[at]
        depth += (word == "(") - (word == ")")
        if depth == 0:
            end = at
            break
        if word == "," and depth == 1:
            parts.append([])
        elif at > begin:
            parts[-1].append(word)
    found, order = {}, []
    for part in parts:
        if part and part[0] in _CONSTRAINTS:
            found[f"constraint {name}.{' '.join(part)[:80]}"] = " ".join(part)
        elif part:
            order.append(part[0])
            found[f"column {name}.{part[0]}"] = " ".join(part[1:])
    options = " ".join(words[end + 1 :]) or "a table"
    return {f"table {name}": options, f"order {name}": ", ".join(order), **found}


def tokens(sql: str) -> Iterator[str]:
    """Words of a statement in lower case, identifiers without their quotes, strings as they stand."""
    for match in _TOKEN.finditer(sql):
        kind, word = match.lastgroup, match.group()
        if kind == "quoted":
            yield word[1:-1].lower()
        elif kind == "text":
            yield word
        elif kind != "skip" and word != ";":
            yield word.lower()
