"""Statements that need more than an ordinary role of the product has, or reach beyond its own tables; by their words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import excerpt
from fulldress.facts.database import Effect
from fulldress.patterns import regex

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (regex(pattern), says)
    for pattern, says in (
        (r"SET (?:GLOBAL|PERSIST|@ ?@ ?GLOBAL)\b", "changes the whole server, for every other database on it, too"),
        (r"CREATE (?:OR REPLACE )?(?:TRUSTED )?(?:PROCEDURAL )?LANGUAGE\b", "creates a language: a superuser's right"),
        (r"(?:CREATE|ALTER|DROP) EVENT TRIGGER\b", "event triggers are a superuser's right"),
        (r"CREATE (?:PUBLICATION|SUBSCRIPTION)\b", "replication needs rights of its own"),
        (r"CREATE DATABASE\b", "creates a database"),
        (r"CREATE TABLESPACE\b", "creates a tablespace: a superuser's right"),
        (r"GRANT ALL (?:PRIVILEGES )?ON \* \. \*", "gives every right on every database of the server"),
        (r"GRANT .*\bON \* \. \*", "gives rights on every database of the server"),
        (r"(?:INSERT INTO|UPDATE|DELETE FROM) (?:PG_CATALOG \. \w+|PG_(?:PROC|ATTRIBUTE|CLASS|ENUM|TYPE|CONSTRAINT|INDEX|DATABASE)\b)",
         "writes into the system catalogue: a superuser's right, and PostgreSQL checks nothing of it"),
        (r"(?:INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO) [`\"]?MYSQL[`\"]? \.", "writes into the server's own tables of users and rights"),
        (r"COPY .* (?:FROM|TO) (?:PROGRAM )?''", "reads or writes a file of the server, or starts a program there: a superuser's right"),
        (r"LOAD (?:DATA|XML) (?:LOW_PRIORITY |CONCURRENT )?INFILE\b", "reads a file of the server (the FILE right)"),
        (r"LOAD (?:DATA|XML) (?:LOW_PRIORITY |CONCURRENT )?LOCAL INFILE\b", "reads a file of the host that runs the script"),
        (r"SELECT .*\bINTO (?:OUTFILE|DUMPFILE) ''", "writes a file on the database's host (the FILE right)"),
        (r"INSTALL (?:PLUGIN|SONAME|COMPONENT)\b", "loads a library into the server"),
        (r"CREATE (?:OR REPLACE )?(?:AGGREGATE )?FUNCTION .*\bSONAME ''", "loads a library into the server"),
        (r"(?:CREATE|ALTER) (?:ROLE|USER|GROUP) .*\b(?:SUPERUSER|CREATEROLE|CREATEDB|REPLICATION|BYPASSRLS)\b",
         "makes a role that may do more than its own tables"),
        (r"ALTER (?:DATABASE|ROLE|USER) .*?\b(?:SET|RESET) (?!TABLESPACE\b|PASSWORD\b)", "sets what every later session gets"),
        (r"(?:REASSIGN|DROP) OWNED BY\b", "takes all that a role owns, by whatever name"),
        (r"GRANT .*\bTO (?:.*, )?PUBLIC\b", "gives rights to every role there is (PUBLIC)"),
        (r"GRANT (?:PG_READ_SERVER_FILES|PG_WRITE_SERVER_FILES|PG_EXECUTE_SERVER_PROGRAM|PG_READ_ALL_DATA|PG_WRITE_ALL_DATA)\b",
         "gives a role files or programs of the server, or all data"),
        (r"ALTER TABLE .*\b(?:DISABLE|NO FORCE) ROW LEVEL SECURITY\b|DROP POLICY\b", "rows are shown that row level security kept back"),
        (r"CREATE SERVER\b|CREATE FOREIGN DATA WRAPPER\b", "opens another server or file as tables of this one"),
        (r"CHANGE (?:MASTER|REPLICATION SOURCE) TO\b|STOP (?:SLAVE|REPLICA)\b|RESET (?:MASTER|SLAVE|REPLICA)\b", "changes replication"),
        (r"(?:CREATE|ALTER) (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|ROUTINE)\b.*\bSECURITY DEFINER\b",
         "lets whoever calls it act with the rights of its owner"),
        (r"SHUTDOWN\b", "stops the whole server"),
        (r"EXEC(?:UTE)? (?:MASTER \. (?:DBO )?\. )?(?:DBO \. )?(?:XP_CMDSHELL|SP_CONFIGURE|SP_OACREATE|XP_REGWRITE|SP_ADDSRVROLEMEMBER)\b",
         "reaches out of the database, or changes the whole server"),
    )
)  # fmt: skip
#: Functions of PostgreSQL, called anywhere in a statement.
_FUNCTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (regex(pattern), says)
    for pattern, says in (
        (r"\bPG_(?:READ_FILE|READ_BINARY_FILE|LS_DIR|STAT_FILE|FILE_WRITE|FILE_UNLINK|FILE_RENAME) \(", "reads or writes files of the server"),
        (r"\bLO_(?:IMPORT|EXPORT) \(", "reads or writes files of the server"),
        (r"\bPG_(?:TERMINATE|CANCEL)_BACKEND \(", "ends sessions or queries of others"),
        (r"\bPG_(?:RELOAD_CONF|ROTATE_LOGFILE|PROMOTE|SWITCH_WAL|REPLICATION_ORIGIN_\w+|DROP_REPLICATION_SLOT) \(", "acts on the whole server"),
        (r"\bDBLINK(?:_EXEC|_SEND_QUERY|_CONNECT|_CONNECT_U|_OPEN)? \(", "runs statements on another server"),
        (r"\bSYS_(?:EXEC|EVAL) \(", "starts a program on the database's host"),
        (r"\bLOAD_FILE \(", "reads a file of the server (the FILE right)"),
    )
)  # fmt: skip


#: One of these stands in every call of :data:`_FUNCTIONS`.
_PARTS = ("PG_", "LO_", "DBLINK", "SYS_E", "LOAD_FILE")


def read(bare: str, text: str, line: int) -> Iterator[Effect]:
    """At most one effect of the statement's own form, and one of a function that it calls."""
    says = [next((says for pattern, says in _RULES if pattern.match(bare)), "")]
    if any(part in bare for part in _PARTS) and not bare.startswith(
        ("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", "COMMENT", "GRANT", "REVOKE", "DROP", "ALTER FUNCTION")
    ):
        says.append(next((says for pattern, says in _FUNCTIONS if pattern.search(bare)), ""))
    for one in filter(None, says):
        yield Effect(kind="rights", statement=excerpt(text[:2000], 120), line=line, says=one)
