"""Which database a migration is written for: by its path, else by words that only one dialect has."""

from __future__ import annotations

import re
from collections import Counter

_PATH = (
    ("postgresql", re.compile(r"(?:^|[/._-])(?:postgres(?:ql)?|pgsql|pg|psql)(?:[/._-]|$)", re.I)),
    ("mysql", re.compile(r"(?:^|[/._-])(?:mysql|mariadb)(?:[/._-]|$)", re.I)),
    ("sqlite", re.compile(r"(?:^|[/._-])sqlite3?(?:[/._-]|$)", re.I)),
    ("oracle", re.compile(r"(?:^|[/._-])oracle(?:[/._-]|$)", re.I)),
    ("mssql", re.compile(r"(?:^|[/._-])(?:mssql|sqlserver)(?:[/._-]|$)", re.I)),
)
_WORDS = (
    (
        "postgresql",
        re.compile(
            r"\$\w*\$|\b(?:BIGSERIAL|SERIAL|JSONB|TIMESTAMPTZ|PLPGSQL|CONCURRENTLY|BYTEA|ILIKE|TSVECTOR|RETURNING)\b"
            r"|\b(?:CREATE|ALTER|DROP)\s+EXTENSION\b|\bADD\s+VALUE\b|\bNOT\s+VALID\b|::\s*\w|\bpg_\w+|\bUSING\s+(?:gin|gist)\b"
            r"|\bALTER\s+COLUMN\s+\S+\s+(?:TYPE|SET|DROP)\b|\bWITH(?:OUT)?\s+TIME\s+ZONE\b",
            re.I,
        ),
    ),
    (
        "mysql",
        re.compile(
            r"`\w+`|\bENGINE\s*=|\bAUTO_INCREMENT\b|\bUNSIGNED\b|\bTINYINT\b|\bMEDIUM(?:TEXT|INT|BLOB)\b|\bLONGTEXT\b"
            r"|\bCHANGE\s+COLUMN\b|\bMODIFY\s+(?:COLUMN\b|\w+\s)|\bDATETIME\(\d|\bON\s+DUPLICATE\s+KEY\b|^\s*DELIMITER\b",
            re.I | re.M,
        ),
    ),
    (
        "sqlite",
        re.compile(r"\bAUTOINCREMENT\b|\bPRAGMA\b|\bWITHOUT\s+ROWID\b|\bINSERT\s+OR\s+(?:IGNORE|REPLACE)\b", re.I),
    ),
    ("oracle", re.compile(r"\bVARCHAR2\b|\bNUMBER\(\d|\bNVARCHAR2\b|\bSYSDATE\b", re.I)),
    ("mssql", re.compile(r"\[dbo\]|\bNVARCHAR\s*\(MAX\)|^\s*GO\s*$|\bIDENTITY\s*\(\d", re.I | re.M)),
)
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


def by_words(text: str) -> Counter[str]:
    """How many telling words of each dialect stand in ``text``."""
    head = text[:_HEAD]
    return Counter({dialect: sum(1 for _ in pattern.finditer(head)) for dialect, pattern in _WORDS})


def guess(path: str, text: str, neighbours: Counter[str] | None = None) -> str:
    """The dialect, or empty where neither path nor text nor the files beside it tell."""
    told = by_path(path)
    if told:
        return told
    for votes in (by_words(text), neighbours or Counter()):
        ranked = votes.most_common(2)
        if ranked and ranked[0][1] and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]):
            return ranked[0][0]
    return ""
