"""What MySQL and MariaDB do for an ALTER TABLE: at once, beside the writers, or by a copy that keeps them out.

From the manuals ("Online DDL Operations", "InnoDB Online DDL Operations with ALGORITHM=INSTANT"), and from attempts on
MariaDB 10.11, where a change of type, a shrunk VARCHAR, another character set, a CHECK and a foreign key each needed
ALGORITHM=COPY with LOCK=SHARED.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fulldress.patterns import regex

if TYPE_CHECKING:
    from fulldress.package.migrations.pgtree import Judged

_COPY = "the whole table is copied while nobody can write to it"
_REBUILD = (
    "the whole table is rebuilt beside the writers; an ALTER waits for every open transaction at its start and end"
)
_RULES: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (regex(pattern), kind, says)
    for pattern, kind, says in (
        (r"ALTER TABLE .* CONVERT TO (?:CHARACTER SET|CHARSET)\b", "rewrite", _COPY),
        (
            r"ALTER TABLE .* (?:MODIFY|CHANGE)\b",
            "rewrite",
            f"{_COPY}, unless only the name, the default or a wider VARCHAR is new",
        ),
        (r"ALTER TABLE .* (?:ENGINE =|ENGINE \w|TYPE =|ROW_FORMAT =|FORCE\b|KEY_BLOCK_SIZE =)", "rewrite", _REBUILD),
        (
            r"ALTER TABLE .* ADD (?:CONSTRAINT (?:\S+ )?)?FOREIGN KEY\b",
            "scan",
            f"{_COPY} (unless foreign_key_checks is off)",
        ),
        (r"ALTER TABLE .* ADD (?:CONSTRAINT (?:\S+ )?)?CHECK\b", "rewrite", _COPY),
        (r"ALTER TABLE .* ADD (?:CONSTRAINT (?:\S+ )?)?PRIMARY KEY\b", "rewrite", _REBUILD),
        (r"ALTER TABLE .* DROP PRIMARY KEY\b", "rewrite", _COPY),
        (r"ALTER TABLE .* ADD (?:FULLTEXT|SPATIAL)\b", "index", "nobody can write to it until the index is built"),
        (r"CREATE (?:FULLTEXT|SPATIAL) INDEX\b", "index", "nobody can write to it until the index is built"),
        (
            r"ALTER TABLE .* (?:REORGANIZE|COALESCE) PARTITION\b|ALTER TABLE .* (?:PARTITION BY|REMOVE PARTITIONING)\b",
            "rewrite",
            _COPY,
        ),
        (r"OPTIMIZE (?:LOCAL |NO_WRITE_TO_BINLOG )?TABLE\b", "rewrite", _REBUILD),
        (r"LOCK TABLES?\b.*\bWRITE\b", "lock", "nobody can read or write it until UNLOCK TABLES"),
        (r"LOCK TABLES?\b.*\bREAD\b", "lock", "nobody can write to it until UNLOCK TABLES"),
    )
)
_ONLINE = regex(r"\bALGORITHM = (?:INSTANT|NOCOPY)\b|\bLOCK = NONE\b")
_RENAME = regex(r"(?:RENAME TABLE|ALTER TABLE \S+ RENAME(?: TO| AS)?) (?!COLUMN\b|INDEX\b|KEY\b)\S+")
_UNIQUE = regex(
    r"(?:ALTER (?:IGNORE )?TABLE (?P<table>\S+) .*?ADD (?:CONSTRAINT \S+ )?UNIQUE (?:KEY |INDEX )?(?:[^\s(]+ )?"
    r"|CREATE UNIQUE INDEX \S+ ON (?P<on>\S+) )\( (?P<columns>[^()]+) \)"
)
_JOINED_DELETE = regex(r"DELETE (?!FROM\b)(?:LOW_PRIORITY |QUICK |IGNORE )*(?P<table>[^\s,]+) .*?\bFROM (?P<rest>.*)")
_IGNORE = regex(r"ALTER IGNORE TABLE\b")


def judge(bare: str, table: str, judged: Judged) -> None:
    """Adds the consequence, the worst one only; a statement that asks for INSTANT or LOCK=NONE fails rather than waits."""
    if not _ONLINE.search(bare):
        for pattern, kind, says in _RULES:
            if pattern.match(bare):
                judged.add(kind, table, says)
                break
    if match := _JOINED_DELETE.match(bare):
        chosen = re.search(r"\b(?:WHERE|USING|ON)\b", match["rest"])
        says = "rows are deleted; no statement brings them back" if chosen else "all rows are gone"
        judged.add("rows" if chosen else "lost", table or match["table"].strip("`").lower(), says)
    if re.match(r"(?:REPLACE|INSERT OVERWRITE) ", bare):
        judged.add("rows", table, "rows with the same key are overwritten; their old values are kept nowhere")
    if _RENAME.match(bare):
        judged.add("rename", table, "the running version still asks for the old name")
    if _IGNORE.match(bare):
        judged.add("lost", table, "rows that are there twice are deleted without a word (ALTER IGNORE)")
    if match := _UNIQUE.match(bare):
        named = (match["table"] or match["on"]).strip("`").lower()
        columns = ", ".join(part.strip(" `").lower() for part in match["columns"].split(","))
        judged.preflight.append(f"SELECT {columns}, count(*) FROM {named} GROUP BY {columns} HAVING count(*) > 1")  # noqa: S608
