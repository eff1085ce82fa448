"""What statements do to rows and tables, from their form alone: which lose data, which rewrite, scan or lock.

PostgreSQL's rules stand in its manual under ALTER TABLE ("Notes"), CREATE INDEX ("Building Indexes Concurrently") and
"Explicit Locking"; MySQL's in "Online DDL Operations". A table that the same script creates is empty: nothing on it
counts as heavy, and dropping it again loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from fulldress.facts import excerpt
from fulldress.facts.database import Effect
from fulldress.package.migrations import mysql, pgalter, pgtree, postgres, rights
from fulldress.package.migrations.kept import Kept
from fulldress.package.migrations.nested import Nested
from fulldress.package.migrations.rebuilds import Rebuilds, plain
from fulldress.package.migrations.script import REPEATED
from fulldress.package.migrations.sql import Statement
from fulldress.package.migrations.triggered import Triggers
from fulldress.patterns import regex

_NAME = r"(?:ONLY )?(?P<table>(?:\"[^\"]+\"|`[^`]+`|[^\s(;,]+)(?: \. (?:\"[^\"]+\"|`[^`]+`|[^\s(;,]+))?)"
_CREATE_TABLE = regex(
    rf"CREATE (?P<temp>(?:GLOBAL |LOCAL )?TEMP(?:ORARY)? )?(?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?{_NAME}"
)
_SELECT_INTO = regex(rf"SELECT .*? INTO (?:TEMP(?:ORARY)? )?TABLE {_NAME}")
_TARGETED = (
    r"(?:ALTER (?:FOREIGN )?TABLE (?:IF EXISTS )?|DROP TABLE (?:IF EXISTS )?|TRUNCATE (?:TABLE )?|DELETE FROM |UPDATE "
    r"|VACUUM (?:\(?.*?FULL.*?\)? )?|CLUSTER (?:VERBOSE )?|LOCK (?:TABLES? )?|CREATE (?:UNIQUE )?INDEX (?:.*?)ON )"
)
_ON_TABLE = regex(_TARGETED + _NAME)
_VOLATILE = regex(
    r"DEFAULT (?:\( )*(?:(?:\w+ \. )?(?:RANDOM|GEN_RANDOM_UUID|UUID_GENERATE_V\d\w*|CLOCK_TIMESTAMP|NEXTVAL|TIMEOFDAY|UUIDV7|UUIDV4))\b"
)

_DESTRUCTIVE = (
    regex(r"DROP (?:TABLE|SCHEMA|DATABASE|MATERIALIZED VIEW)\b"),
    regex(
        r"ALTER TABLE .* DROP (?:COLUMN\b|(?!CONSTRAINT\b|DEFAULT\b|NOT\b|IDENTITY\b|EXPRESSION\b|INDEX\b|KEY\b|PRIMARY\b"
        r"|FOREIGN\b|PARTITION\b|CHECK\b|COLUMN\b)[\w\"`])"
    ),
    regex(r"TRUNCATE\b"),
    regex(r"DELETE FROM (?!.*\bWHERE\b)(?!.*\bUSING\b)"),
    regex(r"ALTER TABLE .* (?:DROP|TRUNCATE) PARTITION\b"),
)
_HEAVY_POSTGRES = (
    regex(r"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY\b)"),
    regex(r"REINDEX (?!.*\bCONCURRENTLY\b)"),
    regex(r"REFRESH MATERIALIZED VIEW (?!CONCURRENTLY\b)"),
    regex(r"CLUSTER\b"),
    regex(r"VACUUM (?:\( )?(?:.*, )?FULL\b"),
    regex(r"LOCK (?:TABLE )?\S"),
    regex(r"ALTER TABLE .* (?:ALTER (?:COLUMN )?\S+ )?(?:SET DATA )?TYPE \w"),
    regex(r"ALTER TABLE .* SET NOT NULL\b"),
    regex(r"ALTER TABLE .* SET (?:LOGGED|UNLOGGED|TABLESPACE|ACCESS METHOD)\b"),
    regex(r"ALTER TABLE (?!.*\bNOT VALID\b).* ADD (?:CONSTRAINT \S+ )?(?:FOREIGN KEY|CHECK)\b"),
    regex(r"ALTER TABLE (?!.*\bNOT VALID\b).* ADD (?:COLUMN )?(?!CONSTRAINT\b).* REFERENCES\b"),
    regex(r"ALTER TABLE (?!.*\bUSING INDEX\b).* ADD (?:CONSTRAINT \S+ )?(?:PRIMARY KEY|UNIQUE|EXCLUDE)\b"),
    regex(r"ALTER TABLE .* ADD (?:COLUMN )?.*\b(?:SMALLSERIAL|SERIAL|BIGSERIAL|SERIAL8|SERIAL4)\b"),
    regex(r"ALTER TABLE .* ADD (?:COLUMN )?.*\bGENERATED (?:ALWAYS|BY DEFAULT) AS (?:IDENTITY\b|\( .* STORED\b)"),
    regex(r"ALTER TABLE .* (?:ATTACH PARTITION|VALIDATE CONSTRAINT)\b"),
)
_EVERY_ROW = regex(r"UPDATE (?!.*\bWHERE\b)(?!.*\bFROM\b)(?!.*\bJOIN\b).*\bSET\b")
_LOCK = regex(r"\b(?:PG_(?:TRY_)?ADVISORY_(?:XACT_)?LOCK(?:_SHARED)?|GET_LOCK)\b|^LOCK (?:TABLES? )?\S")
_TIMEOUT = regex(
    r"^SET (?:LOCAL |SESSION )?(?:LOCK_TIMEOUT|LOCK_WAIT_TIMEOUT|INNODB_LOCK_WAIT_TIMEOUT)\b|^SELECT .*SET_CONFIG"
)
_TYPE_CHANGE = regex(
    rf"ALTER TABLE (?:IF EXISTS )?{_NAME}.*? ALTER (?:COLUMN )?(?P<column>\S+) (?:SET DATA )?TYPE (?P<type>\w+(?: PRECISION| VARYING)?)(?: \( (?P<size>\d+))?"
)
_COLUMN = regex(r"^(?P<column>\"[^\"]+\"|`[^`]+`|\w+) (?P<type>\w+(?: PRECISION| VARYING)?)(?: \( (?P<size>\d+))?")
_NOT_COLUMNS = {"CONSTRAINT", "PRIMARY", "FOREIGN", "UNIQUE", "CHECK", "EXCLUDE", "LIKE", "KEY", "INDEX"}
#: Width order of types that can lose values when a column goes from a later to an earlier one.
_WIDTHS = (
    ("SMALLINT", "INT2", "INTEGER", "INT", "INT4", "BIGINT", "INT8", "NUMERIC", "DECIMAL"),
    ("DATE", "TIMESTAMP", "TIMESTAMPTZ"),
    ("REAL", "FLOAT4", "DOUBLE PRECISION", "FLOAT8"),
)
_ALIAS = {"INT2": "SMALLINT", "INT": "INTEGER", "INT4": "INTEGER", "INT8": "BIGINT", "DECIMAL": "NUMERIC", "SERIAL": "INTEGER",
          "BIGSERIAL": "BIGINT", "FLOAT4": "REAL", "FLOAT8": "DOUBLE PRECISION"}  # fmt: skip
_TEXTS = {"VARCHAR", "CHARACTER VARYING", "CHAR", "CHARACTER", "TEXT", "CITEXT"}

#: Kinds of :class:`~fulldress.facts.database.Effect` that keep others waiting for as long as the table is large.
HEAVY = frozenset({"rewrite", "scan", "index", "lock", "every row"})
#: Kinds that matter to the judge of one script only.
_INNER = frozenset(
    {"drop index", "copies", "reads all", "both tables", "brief", "added value", "trigger on", "fails on rows"}
)
_JUDGED = frozenset(
    [
        "ALTER",
        "CREATE",
        "DROP",
        "TRUNCATE",
        "DELETE",
        "UPDATE",
        "INSERT",
        "VACUUM",
        "REFRESH",
        "REINDEX",
        "CLUSTER",
        "LOCK",
        "SET",
        "WITH",
    ]
)

_LONGEST = 10_000  #: characters of a statement that rules look at: they are not linear, and input may be hostile


@dataclass
class Effects:
    """What a script does. Texts are excerpts of its own statements."""

    count: int = 0
    destructive: list[str] = field(default_factory=list)
    heavy: list[str] = field(default_factory=list)
    takes_lock: bool = False
    sets_lock_timeout: bool = False
    changes_schema: bool = False
    dynamic: list[int] = field(default_factory=list)  #: lines of code that builds its SQL at run time
    foreign: list[tuple[int, str]] = field(default_factory=list)  #: line and language of bodies that are not SQL
    cut: list[int] = field(default_factory=list)  #: lines of statements too long to be judged whole
    bare: list[str] = field(default_factory=list)
    lines: list[tuple[int, str]] = field(default_factory=list)  #: line and text of what is destructive or heavy
    every: list[Effect] = field(default_factory=list)
    preflight: list[str] = field(default_factory=list)
    unparsed: list[int] = field(default_factory=list)  #: lines that libpg_query does not take for PostgreSQL's
    copied: set[str] = field(default_factory=set)  #: tables that were only read whole


Columns = dict[tuple[str, str], tuple[str, int]]  #: (table, column) -> type and size, over all scripts so far


@dataclass
class Known:
    """What earlier scripts of one dialect told of tables, for the word rules and for those on the tree."""

    columns: Columns = field(default_factory=dict)
    state: pgtree.State = field(default_factory=pgtree.State)
    routines: dict[str, str] = field(default_factory=dict)  #: bodies by name, of those that scripts create

    def copy(self) -> Known:
        """What is known now, for a script that nothing is learned from."""
        state = self.state
        kept = pgtree.State(types=dict(state.types), checks=dict(state.checks), proven=set(state.proven))
        return Known(dict(self.columns), kept, dict(self.routines))


_SCHEMA = regex(
    r"(?:CREATE|ALTER|DROP|TRUNCATE|RENAME|GRANT|REVOKE|COMMENT|INSERT|UPDATE|DELETE|MERGE|COPY|DO|REINDEX|VACUUM|CLUSTER|REFRESH)\b"
)


def study(
    every: list[Statement], dialect: str, known: Known, *, ordered: bool = True, wrapped: bool | None = None
) -> Effects:
    """Judge statement by statement, remembering which tables the script itself creates and how wide columns are.

    ``wrapped``: whether the tool puts a transaction around the script; a ``BEGIN`` in it counts by itself."""
    found = Effects()
    created: set[str] = set()
    nested = Nested(every, known.routines)
    found.dynamic, found.foreign = nested.dynamic, nested.foreign
    state = known.state
    state.created, state.values, state.wrapped = set(), set(), wrapped
    if not ordered:  # which type a column has by then is not known
        state.types, state.proven = {}, set()
    rebuilds = Rebuilds(every, known.columns, ordered=ordered)
    kept, triggers = Kept(every), Triggers()
    for statement in every:
        if statement.meta:
            continue
        found.count += 1
        found.bare.append(statement.bare)
        found.changes_schema = found.changes_schema or bool(_SCHEMA.match(statement.bare))
        if re.match(r"(?:BEGIN|START TRANSACTION)\b", statement.bare):
            state.wrapped = True
        elif re.match(r"(?:COMMIT|ROLLBACK|END)\b", statement.bare):
            state.wrapped, state.values = wrapped if not state.wrapped else False, set()
        found.every += triggers.read(statement)
        for line, text, bare in nested.of(statement):
            _one(found, line, text, bare, dialect, created, known, rebuilds, kept, statement.shown)
        _uses_added_value(found, statement, state)
    rebuilds.remember(known.columns)
    _balance_triggers(found)
    return found


def _uses_added_value(found: Effects, statement: Statement, state: pgtree.State) -> None:
    """``unsafe use of new value``: PostgreSQL refuses a value that the same transaction added to its type."""
    if state.values and statement.verb in ("INSERT", "UPDATE", "ALTER", "CREATE") and "ADD VALUE" not in statement.bare:
        used = next((v for v in sorted(state.values) if f"'{v}'" in statement.text), "")
        if used and statement.verb != "CREATE":
            says = f"uses {used!r}, which the same transaction adds to its type: PostgreSQL refuses that"
            found.every.append(
                Effect(kind="fails", statement=excerpt(statement.text[:2000], 120), line=statement.line, says=says)
            )


def _balance_triggers(found: Effects) -> None:
    """A trigger switched off and on again in the same script is none of our business."""
    on = {effect.table for effect in found.every if effect.kind == "trigger on"}
    off_for_session = any(
        "session_replication_role" in e.statement.lower() and "replica" not in e.statement.lower() for e in found.every
    )
    found.every = [
        effect
        for effect in found.every
        if effect.kind not in _INNER
        and not (effect.kind == "trigger" and (effect.table in on if effect.table else off_for_session))
    ]


def _one(
    found: Effects,
    line: int,
    text: str,
    bare: str,
    dialect: str,
    created: set[str],
    known: Known,
    rebuilds: Rebuilds,
    kept: Kept,
    shown: str = "",
) -> None:
    if len(bare) > _LONGEST:
        if not bare.startswith(("INSERT", "SELECT", "CREATE TABLE")):
            found.cut.append(line)
        bare = bare[:_LONGEST]
    if _LOCK.search(bare):
        found.takes_lock = True
    if _TIMEOUT.match(bare) and ("SET_CONFIG" not in bare or "lock_timeout" in text.lower()):
        found.sets_lock_timeout = True
    for effect in rights.read(bare, text, line):
        found.every.append(effect)
    words = excerpt((shown or text)[:2000], 120)
    tree = None
    if dialect in ("postgresql", "") and bare.partition(" ")[0] in _JUDGED and "`" not in bare:
        tree = pgtree.parse(text)
        if tree is None and dialect and len(text) <= pgtree.LONGEST:
            found.unparsed.append(line)
    if shown and tree is not None:
        pgalter.told_old_type(text, tree, known.state)
    judged = postgres.judge(tree, known.state) if tree is not None else pgtree.Judged()
    match = _CREATE_TABLE.match(bare) or _SELECT_INTO.match(bare)
    if match:
        created.add(plain(match["table"]))
        _remember(bare, plain(match["table"]), known.columns)
        return
    narrows = _narrows(bare, known.columns)
    on = _ON_TABLE.match(bare)
    if on and plain(on["table"]) in created:
        return
    if bare.startswith("DROP TABLE ") and on and " , " not in bare:
        table = plain(on["table"])
        if rebuilds.keeps_rows(table):
            said = f"{excerpt((shown or text)[:2000], 90)} after its rows were copied (a column that was not is gone)"
            _note(
                found, Effect(kind="rewrite", statement=said, line=line, table=table, says="rebuilt row by row"), text
            )
            return
        if rebuilds.is_scratch(table) and bare.startswith("DROP TABLE IF EXISTS "):
            return
    if tree is None:
        judged = _by_words(bare, dialect, narrows)
    for one in judged.said:
        if kept.spares(one.kind, one.table, one.says, bare):
            continue
        if shown and one.kind == "rewrite" and REPEATED in text and one.says.endswith("only becomes wider"):
            continue  # the old type is not known: most such calls change a default or NULL alone
        says = one.says
        if not dialect and tree is not None and one.kind in HEAVY and one.kind != "every row":
            says = f"on PostgreSQL {says}"  # others build an index beside the writers
        _note(found, Effect(kind=one.kind, statement=words, line=line, table=one.table, says=says), shown or text)
    found.preflight += [query for query in judged.preflight if query]


def _note(found: Effects, effect: Effect, text: str) -> None:
    found.every.append(effect)
    for into, belongs in ((found.destructive, effect.kind == "lost"), (found.heavy, effect.kind in HEAVY)):
        if belongs:
            into.append(effect.statement)
            found.lines.append((effect.line, text))


def _by_words(bare: str, dialect: str, narrows: bool) -> pgtree.Judged:
    """Where there is no tree: other dialects, and what libpg_query does not take."""
    judged = pgtree.Judged()
    on = _ON_TABLE.match(bare)
    table = plain(on["table"]).lower() if on else ""
    if narrows:
        judged.add("lost", table, "the new type is narrower: what does not fit is cut or refused")
    elif any(pattern.match(bare) for pattern in _DESTRUCTIVE):
        judged.add("lost", table, "")
    elif match := re.match(r"MERGE (?:INTO )?(?:ONLY )?(\S+)\b.*\bTHEN (?:DELETE|UPDATE)\b", bare):
        judged.add(
            "rows",
            plain(match[1]).lower(),
            "rows are deleted or overwritten where both sides match; no statement brings them back",
        )
    elif re.match(r"(?:DELETE|UPDATE)\b.*\bWHERE\b", bare):
        judged.add("rows", table, "rows are deleted or overwritten; no statement brings them back")
    if dialect == "mysql":
        mysql.judge(bare, table, judged)
    if _EVERY_ROW.match(bare):
        judged.add("every row", table, "every row is written anew and stays locked until the end of the transaction")
    elif dialect != "mysql" and _is_heavy(bare, dialect):
        judged.add("lock", table, "")
    return judged


def _is_heavy(bare: str, dialect: str) -> bool:
    if _EVERY_ROW.match(bare):
        return True
    if dialect in ("postgresql", ""):
        added = bare.startswith("ALTER TABLE") and " ADD " in bare and _VOLATILE.search(bare)
        return bool(added) or any(pattern.match(bare) for pattern in _HEAVY_POSTGRES)
    return False


def _remember(bare: str, table: str, columns: Columns) -> None:
    inner = bare.partition(" ( ")[2]
    for part in _top_level(inner):
        match = _COLUMN.match(part)
        if match and match["column"] not in _NOT_COLUMNS:
            columns[table, plain(match["column"])] = (_base(match["type"]), int(match["size"] or 0))


def _top_level(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for match in re.finditer(r"[(),]", text):
        mark = match.group()
        depth += (mark == "(") - (mark == ")")
        if depth < 0 or (mark == "," and depth == 0):
            yield text[start : match.start()].strip()
            start = match.end()
        if depth < 0:
            return


def _base(name: str) -> str:
    return _ALIAS.get(name, name)


def _narrows(bare: str, columns: Columns) -> bool:
    """Whether a change of type can cut values off; only where an earlier script told the old type."""
    match = _TYPE_CHANGE.match(bare)
    if not match:
        return False
    place = plain(match["table"]), plain(match["column"])
    old = columns.get(place)
    new = _base(match["type"]), int(match["size"] or 0)
    columns[place] = new
    if old is None or old == new:
        return False
    if old[0] in _TEXTS and new[0] in _TEXTS:
        return bool(new[1]) and (not old[1] or new[1] < old[1])
    for family in _WIDTHS:
        if old[0] in family and new[0] in family:
            return family.index(new[0]) < family.index(old[0])
    return False
