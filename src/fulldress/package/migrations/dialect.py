"""Which database a migration is written for: by its path, else by words that only one dialect has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from fulldress.patterns import regex

_PATH = (
    ("postgresql", regex(r"(?:^|[/._-])(?:postgres(?:ql)?|pgsql|pg|psql)(?:[/._-]|$)", re.I)),
    ("mysql", regex(r"(?:^|[/._-])(?:mysql|mariadb)(?:[/._-]|$)", re.I)),
    ("sqlite", regex(r"(?:^|[/._-])sqlite3?(?:[/._-]|$)", re.I)),
    ("oracle", regex(r"(?:^|[/._-])oracle(?:[/._-]|$)", re.I)),
    ("mssql", regex(r"(?:^|[/._-])(?:mssql|sqlserver)(?:[/._-]|$)", re.I)),
)
_WORDS = (
    (
        "postgresql",
        regex(
            r"\b(?:BIGSERIAL|SERIAL|JSONB|TIMESTAMPTZ|PLPGSQL|CONCURRENTLY|BYTEA|ILIKE|TSVECTOR|RETURNING)\b"
            r"|\b(?:CREATE|ALTER|DROP)\s+EXTENSION\b|\bADD\s+VALUE\b|\bNOT\s+VALID\b|: : \w|\bPG_\w+|\bUSING\s+(?:gin|gist)\b"
            r"|\bALTER\s+COLUMN\s+\S+\s+(?:TYPE|SET|DROP)\b|\bWITH(?:OUT)?\s+TIME\s+ZONE\b"
        ),
    ),
    (
        "mysql",
        regex(
            r"`\w+`|\bENGINE\s*=|\bAUTO_INCREMENT\b|\bUNSIGNED\b|\bTINYINT\b|\bMEDIUM(?:TEXT|INT|BLOB)\b|\bLONGTEXT\b"
            r"|\bCHANGE\s+COLUMN\b|\bMODIFY\s+(?:COLUMN\b|\w+\s)|\bDATETIME\(\d|\bON\s+DUPLICATE\s+KEY\b|^\s*DELIMITER\b",
            re.M,
        ),
    ),
    (
        "sqlite",
        regex(r"\bAUTOINCREMENT\b|\bPRAGMA\b|\bWITHOUT\s+ROWID\b|\bINSERT\s+OR\s+(?:IGNORE|REPLACE)\b"),
    ),
    ("oracle", regex(r"\bVARCHAR2\b|\bNUMBER\(\d|\bNVARCHAR2\b|\bSYSDATE\b")),
    ("mssql", regex(r"\[DBO\]|\bNVARCHAR\s*\(MAX\)|^\s*GO\s*$|\bIDENTITY\s*\(\d", re.M)),
)
#: One of these stands wherever the expression of :data:`_WORDS` matches. The engine looks for the first letters of an
#: alternation at every place; for plain words it does not.
_PARTS = {
    "mysql": (
        "`", "ENGINE", "AUTO_INC", "UNSIGNED", "TINYINT", "MEDIUM", "LONGTEXT", "CHANGE", "MODIFY", "DATETIME(", "DUPLICATE", "DELIMITER",
    ),
    "sqlite": ("AUTOINCREMENT", "PRAGMA", "ROWID", "INSERT"),
    "oracle": ("VARCHAR2", "NUMBER(", "SYSDATE"),
    "mssql": ("[DBO]", "NVARCHAR", "GO", "IDENTITY"),
}  # fmt: skip
_HEAD = 200_000  #: characters looked at; words that tell stand early


def by_path(path: str) -> str:
    """The dialect that the path names; the name nearest to the file wins. Empty: none."""
    best = ""
    at = -1
    for dialect, pattern in _PATH:
        for match in pattern.finditer(path):
            if match.start() > at:
                best, at = dialect, match.start()
    return best


def by_words(bare: Iterable[str]) -> Counter[str]:
    """How many telling words of each dialect stand in statements without their comments and literals."""
    head = "\n".join(bare)[:_HEAD]
    found: Counter[str] = Counter()
    for dialect, pattern in _WORDS:
        parts = _PARTS.get(dialect)
        may = parts is None or any(part in head for part in parts)
        found[dialect] = sum(1 for _ in pattern.finditer(head)) if may else 0
    return found


def guess(path: str, words: Counter[str], around: list[Counter[str]]) -> str:
    """The dialect, or empty where neither path nor words nor the files around it tell.

    ``around`` holds the words of the files below each folder that holds this one, nearest first; they count where they
    speak with one voice, for many migrations are written so that several databases take them."""
    told = by_path(path)
    if told:
        return told
    ranked = words.most_common(2)
    if ranked and ranked[0][1] and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]):
        return ranked[0][0]
    for votes in around:
        total = votes.total()
        if total >= 3:
            dialect, count = votes.most_common(1)[0]
            return dialect if count >= 0.95 * total else ""
    return ""
