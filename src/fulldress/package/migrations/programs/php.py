"""PHP: Laravel, Doctrine and Phinx by line rules, which follow braces but no variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fulldress.package.migrations.script import REPEATED, Script, embedded, listed, quoted, translated
from fulldress.package.migrations.sql import Statement
from fulldress.package.reader import Member
from fulldress.patterns import regex

_METHOD = regex(r"function\s+(?P<name>up|down|change|safeUp|safeDown)\s*\([^)]*\)[^{;]*\{")
_SQL = regex(
    r"(?:->\s*(?:addSql|execute|query|unprepared|statement)|DB::(?:statement|unprepared|update|delete|insert)(?:\s*\(\s*DB::raw)?)\s*\(\s*"
    r"(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|<<<['\"]?(?P<tag>\w+)['\"]?\r?\n(?P<body>.*?)\n\s*(?P=tag)|[^;]*)",
    re.S,
)
_SCHEMA = regex(
    r"Schema::(?:connection\([^)]*\)->)?(?P<verb>create|table|drop|dropIfExists|rename)\s*\(\s*['\"](?P<table>[\w.]+)['\"]"
    r"(?:\s*,\s*['\"](?P<new>\w+)['\"])?"
)
_COLUMN = regex(
    r"\$\w+\s*->\s*(?P<verb>\w+)\s*\((?P<arguments>[^;]*?)\)(?P<rest>(?:\s*->\s*\w+\s*\([^;]*?\))*)\s*;", re.S
)
_PHINX = regex(r"\$this\s*->\s*table\s*\(\s*['\"](?P<table>\w+)['\"](?P<chain>.*?);", re.S)
_LINK = regex(r"->\s*(?P<verb>\w+)\s*\((?P<arguments>(?:[^()]|\([^()]*\))*)\)")
_TYPES = {"string": "varchar(255)", "char": "char(255)", "integer": "integer", "biginteger": "bigint", "unsignedbiginteger": "bigint",
          "unsignedinteger": "integer", "foreignid": "bigint", "tinyinteger": "smallint", "smallinteger": "smallint", "text": "text",
          "longtext": "text", "mediumtext": "text", "boolean": "boolean", "date": "date", "datetime": "timestamp", "timestamp": "timestamp",
          "decimal": "numeric", "float": "real", "double": "double precision", "json": "json", "jsonb": "jsonb", "uuid": "uuid",
          "binary": "bytea", "enum": "unknown_kind", "id": "bigserial", "increments": "serial", "bigincrements": "bigserial", "foreignuuid": "uuid"}  # fmt: skip
_OWN_CODE = regex(
    r"->(?:save|persist|flush|chunk|each)\s*\(|::(?:chunk|each|all|create)\s*\(|DB::table\(|->fetchAllAssociative\("
)

#: What a body may hold that does nothing: a bare return, a message, a call that only says it is empty.
_QUIET = regex(
    r"return\s*(?:true|null)?\s*;|parent::\w+\([^;]*;|(?://|#)[^\n]*|(?:echo|print)\b[^;]*;"
    r"|\$this\s*->\s*\w*(?i:empty|warn|skipIf|abortIf|write)\w*\s*\([^;]*;"
)
#: Doctrine's schema object: a table of it, by name or held in a variable.
_DOCTRINE = regex(
    r"(?:(?P<held>\$\w+)\s*=\s*)?\$schema\s*->\s*(?P<verb>createTable|getTable|dropTable|renameTable)\s*\(\s*"
    r"(?:['\"](?P<table>\w+)['\"])?(?:\s*,\s*['\"](?P<new>\w+)['\"])?[^()]*\)(?P<chain>(?:\s*->\s*\w+\s*\((?:[^()]|\([^()]*\))*\))*)"
)


def read(member: Member, memory: dict[str, object]) -> Iterator[Script]:
    """Two scripts a class with ``up``; Phinx's ``change`` is undone by Phinx itself."""
    text = _without_comments(member.text)
    bodies: dict[str, tuple[int, str]] = {}
    for match in _METHOD.finditer(text):
        name = {"safeUp": "up", "safeDown": "down"}.get(match["name"], match["name"])
        bodies.setdefault(name, (match.end(), _braced(text, match.end())))
    forth = bodies.get("up") or bodies.get("change")
    if forth is None:
        return
    tool = (
        "doctrine"
        if "addSql" in text or ("AbstractMigration" in text and "Doctrine" in text)
        else "phinx"
        if "Phinx" in text
        else "laravel"
    )
    down = bodies.get("down")
    refuses = down is not None and re.match(r"\s*(?:throw\b|\$this->throwIrreversible)", down[1]) is not None
    other = member.path if (down is not None and not refuses) or ("change" in bodies and "up" not in bodies) else ""
    number = re.search(r"\d[\d_]{5,}", member.name)
    common: dict[str, Any] = {"member": member, "other": other, "name": member.name.removesuffix(".php"), "tool": tool,
                              "language": "php", "version": number[0].strip("_") if number else ""}  # fmt: skip
    for direction, body in (("up", forth), ("down", down if other else None)):
        if body is None:
            continue
        statements, unread = _body(text, *body)
        yield Script(
            direction=direction, statements=statements, unread=unread, acts=bool(_QUIET.sub("", body[1]).strip()),
            line=text.count("\n", 0, body[0]) + 1, **common,
        )  # fmt: skip


def _without_comments(text: str) -> str:
    """Comments that fill their lines become blanks; lines stay where they are."""
    text = re.sub(r"(?s)/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    return re.sub(r"(?m)^(\s*)(?://|#(?!\[)).*$", r"\1", text)


def _braced(text: str, start: int) -> str:
    depth = 1
    for match in re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[{}]", re.S).finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return text[start : match.start()]
    return text[start:]


def _body(text: str, start: int, body: str) -> tuple[list[Statement], list[tuple[int, str]]]:
    found: list[tuple[int, list[Statement]]] = []
    unread: list[tuple[int, str]] = []

    def line(at: int) -> int:
        return text.count("\n", 0, start + at) + 1

    for match in _SQL.finditer(body):
        raw = match["body"] if match["body"] is not None else match["text"].strip()
        if match["body"] is not None:
            found.append((match.start(), embedded(raw, line(match.start("body")))))
        elif raw[:1] in "'\"" and raw:
            inner = re.sub(r"\\(['\"\\])", r"\1", raw[1:-1])
            sql = inner if raw[0] == "'" else re.sub(r"\{?\$\w+(?:->\w+)?\}?", "x", inner)
            found.append((match.start(), embedded(sql, line(match.start("text")))))
        else:
            unread.append((line(match.start()), "SQL built at run time"))
    for match in _SCHEMA.finditer(body):
        shown, at = match[0], line(match.start())
        table = quoted(match["table"])
        if match["verb"] in ("drop", "dropIfExists"):
            found.append((match.start(), translated(f"DROP TABLE {table}", at, f"{shown})")))
        elif match["verb"] == "rename":
            found.append(
                (
                    match.start(),
                    translated(f"ALTER TABLE {table} RENAME TO {quoted(match['new'] or 'unnamed')}", at, f"{shown})"),
                )
            )
        else:
            opened = body.find("{", match.end())
            inner = _braced(body, opened + 1) if opened >= 0 else ""
            if match["verb"] == "create":
                columns = [
                    f"{quoted(n)} {_TYPES[v.lower()]}"
                    for v, n in re.findall(r"->\s*(\w+)\s*\(\s*['\"](\w+)", inner)
                    if v.lower() in _TYPES
                ]
                found.append(
                    (match.start(), translated(f"CREATE TABLE {table} ({', '.join(columns)})", at, f"{shown})"))
                )
                continue
            for column in _COLUMN.finditer(inner):
                where = opened + 1 + column.start()
                for sql in _altering(table, column["verb"], column["arguments"], column["rest"]):
                    found.append((where, translated(sql, line(where), column[0])))
    for match in _DOCTRINE.finditer(body):
        table = quoted(match["table"] or "unnamed")
        for at, sql, shown in _schema_object(match, body, table):
            found.append((at, translated(sql, line(at), shown)))
    for match in _PHINX.finditer(body):
        for link in _LINK.finditer(match["chain"]):
            where = match.start("chain") + link.start()
            for sql in _phinx(quoted(match["table"]), link["verb"], link["arguments"], match["chain"]):
                found.append((where, translated(sql, line(where), f"table('{match['table']}'){link[0]}")))
    unread += [(line(m.start()), m[0]) for m in _OWN_CODE.finditer(body)][:3]
    return [s for _, group in sorted(found, key=lambda f: f[0]) for s in group], unread


def _schema_object(match: re.Match[str], body: str, table: str) -> Iterator[tuple[int, str, str]]:
    """What calls on Doctrine's schema and its tables stand for: place, statement, the call."""
    if match["verb"] == "dropTable":
        yield match.start(), f"DROP TABLE {table}", match[0]
    elif match["verb"] == "renameTable":
        yield match.start(), f"ALTER TABLE {table} RENAME TO {quoted(match['new'] or 'unnamed')}", match[0]
    elif match["verb"] == "createTable":
        yield match.start(), f"CREATE TABLE {table} ()", match[0]
    else:
        links = [(match.start("chain") + m.start(), m) for m in _LINK.finditer(match["chain"])]
        if match["held"]:
            held = re.compile(rf"{re.escape(match['held'])}((?:\s*->\s*\w+\s*\((?:[^()]|\([^()]*\))*\))+)")
            for use in held.finditer(body, match.end()):
                links += [(use.start(1) + m.start(), m) for m in _LINK.finditer(use[1])]
        for at, link in links:
            for sql in _of_table(table, link["verb"], link["arguments"]):
                yield at, sql, f"{match['table']}{link[0]}"


def _of_table(table: str, verb: str, arguments: str) -> Iterator[str]:
    names, head = _words(arguments), f"ALTER TABLE {table}"
    first = quoted(names[0]) if names else "unnamed"
    if verb == "addColumn":
        kind = _TYPES.get(names[1].lower(), "unknown_kind") if len(names) > 1 else "unknown_kind"
        null = "" if re.search(r"notnull['\"]\s*=>\s*false", arguments) else " NOT NULL"
        given = " DEFAULT 0" if re.search(r"['\"]default['\"]\s*=>", arguments) else ""
        yield f"{head} ADD COLUMN {first} {kind}{given}{null}"
    elif verb == "dropColumn":
        yield f"{head} DROP COLUMN {first}"
    elif verb in ("modifyColumn", "changeColumn"):
        if told := re.search(r"notnull['\"]\s*=>\s*(true|false)", arguments):
            yield f"{head} ALTER COLUMN {first} {'SET' if told[1] == 'true' else 'DROP'} NOT NULL"
        else:
            yield f"{head} ALTER COLUMN {first} TYPE unknown_kind"
    elif verb == "addIndex":
        yield f"CREATE INDEX ON {table} ({first})"
    elif verb == "addUniqueIndex":
        yield f"{head} ADD UNIQUE ({first})"
    elif verb == "dropIndex":
        yield f"DROP INDEX {first}"
    elif verb == "addForeignKeyConstraint":
        columns = re.search(r"\[\s*['\"](\w+)", arguments)
        yield f"{head} ADD FOREIGN KEY ({quoted(columns[1]) if columns else 'unnamed'}) REFERENCES {first} (id)"
    elif verb in ("removeForeignKey", "dropPrimaryKey"):
        yield f"{head} DROP CONSTRAINT {first}"


def _words(arguments: str) -> list[str]:
    return re.findall(r"['\"](\w+)['\"]", arguments)


def _altering(table: str, verb: str, arguments: str, rest: str) -> Iterator[str]:
    names, head = _words(arguments), f"ALTER TABLE {table}"
    if verb == "dropColumn":
        yield from (f"{head} DROP COLUMN {quoted(name)}" for name in names)
    elif verb == "renameColumn" and len(names) > 1:
        yield f"{head} RENAME COLUMN {quoted(names[0])} TO {quoted(names[1])}"
    elif verb == "index" and names:
        yield f"CREATE INDEX ON {table} ({listed(names if '[' in arguments else names[:1])})"
    elif verb == "unique" and names:
        yield f"{head} ADD UNIQUE ({listed(names if '[' in arguments else names[:1])})"
    elif verb == "foreign" and names:
        other = re.search(r"on\s*\(\s*['\"](\w+)", rest)
        yield f"{head} ADD FOREIGN KEY ({quoted(names[0])}) REFERENCES {quoted(other[1]) if other else 'other'} (id)"
    elif verb == "dropIndex":
        yield f"DROP INDEX {quoted(names[0]) if names else 'unnamed'}"
    elif verb in ("dropUnique", "dropForeign", "dropPrimary"):
        yield f"{head} DROP CONSTRAINT {quoted(names[0]) if names else 'dropped'}"
    elif verb in ("dropTimestamps", "dropSoftDeletes", "dropConstrainedForeignId", "dropRememberToken"):
        yield f"{head} DROP COLUMN {quoted(names[0]) if names else {'dropTimestamps': 'created_at', 'dropSoftDeletes': 'deleted_at'}.get(verb, 'unnamed')}"
    elif verb.lower() in _TYPES and names:
        kind = _TYPES[verb.lower()]
        size = re.search(r",\s*(\d+)", arguments)
        if size and kind.startswith("varchar"):
            kind = f"varchar({size[1]})"
        if "->change(" in rest.replace(" ", ""):
            yield f"{head} ALTER COLUMN {quoted(names[0])} TYPE {kind} {REPEATED}"
            return
        words = " DEFAULT 0" if "default(" in rest else ""
        words += "" if "nullable(" in rest else " NOT NULL"
        words += " REFERENCES other (id)" if "constrained(" in rest else ""
        words += " UNIQUE" if "unique(" in rest else ""
        yield f"{head} ADD COLUMN {quoted(names[0])} {kind}{words}"
        if "->index(" in rest.replace(" ", ""):
            yield f"CREATE INDEX ON {table} ({quoted(names[0])})"


def _phinx(table: str, verb: str, arguments: str, chain: str) -> Iterator[str]:
    names, head = _words(arguments), f"ALTER TABLE {table}"
    fresh = re.search(r"->\s*create\s*\(", chain)
    if verb == "create":
        yield f"CREATE TABLE {table} ()"
    elif verb == "drop":
        yield f"DROP TABLE {table}"
    elif fresh or not names:
        return
    elif verb == "addColumn":
        kind = _TYPES.get(names[1].lower() if len(names) > 1 else "", "unknown_kind")
        yield f"{head} ADD COLUMN {quoted(names[0])} {kind}"
    elif verb == "removeColumn":
        yield f"{head} DROP COLUMN {quoted(names[0])}"
    elif verb == "renameColumn" and len(names) > 1:
        yield f"{head} RENAME COLUMN {quoted(names[0])} TO {quoted(names[1])}"
    elif verb == "changeColumn" and len(names) > 1:
        yield f"{head} ALTER COLUMN {quoted(names[0])} TYPE {_TYPES.get(names[1].lower(), 'unknown_kind')} {REPEATED}"
    elif verb == "addIndex":
        columns = names if arguments.lstrip().startswith("[") and "=>" not in arguments else names[:1]
        yield (
            f"{head} ADD UNIQUE ({listed(names[:1])})"
            if "unique" in arguments
            else f"CREATE INDEX ON {table} ({listed(columns)})"
        )
    elif verb == "addForeignKey" and len(names) > 1:
        yield f"{head} ADD FOREIGN KEY ({quoted(names[0])}) REFERENCES {quoted(names[1])} (id)"
