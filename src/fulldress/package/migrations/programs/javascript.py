"""JavaScript and TypeScript: Knex, Sequelize and TypeORM, through the syntax tree.

TypeScript is read with JavaScript's grammar, whose errors at type annotations leave the calls where they are.
"""

# ruff: noqa: S608 - statements to be judged, never sent anywhere
from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fulldress.package.migrations.script import Script, embedded, listed, quoted, translated
from fulldress.package.migrations.sql import Statement
from fulldress.package.reader import Member

if TYPE_CHECKING:
    from tree_sitter import Node

_TYPES = {"string": "varchar", "integer": "integer", "bigint": "bigint", "biginteger": "bigint", "text": "text", "boolean": "boolean",
          "datetime": "timestamp", "timestamp": "timestamp", "date": "date", "float": "real", "decimal": "numeric", "json": "json",
          "jsonb": "jsonb", "uuid": "uuid", "binary": "bytea", "specifictype": "unknown_kind", "increments": "serial", "bigincrements": "bigserial",
          "enum": "unknown_kind", "enu": "unknown_kind", "tinyint": "smallint", "smallint": "smallint", "double": "double precision", "number": "integer"}  # fmt: skip
_LARGEST = 400_000
_DEEPEST = 150
#: Calls of Ghost's kind: helpers whose names say what they do.
_NAMED = re.compile(
    r"^create(?P<verb>Add|Drop|Rename|SetNullable|DropNullable)?(?P<what>Column|Table|Index)?Migration$|^(?P<tables>addTable|dropTables?)$"
)
_LOGGING = frozenset({"require", "info", "warn", "error", "debug"})
#: Helpers that put rows of a product's own tables in, or take them out.
_DATA = re.compile(r"^(?:(?P<add>add|insert|create)|remove|delete)(?:Setting|Permission|Role|Fixture)\w*$")
_WRAPPERS = re.compile(r"(?i)^(?:create|combine)(?:non)?(?:transactional|irreversible)?migrations?$")


def read(member: Member, memory: dict[str, object]) -> Iterator[Script]:
    """Two scripts a module that exports ``up``, or whose default class has it."""
    if len(member.data) > _LARGEST:
        return
    root = _parse(member.data)
    found = dict(_directions(root))
    if "up" not in found:
        yield from _by_helpers(member, root)
        return
    tool = _tool(member.text)
    reads = {direction: _Reading(member, tool, _locals(root)) for direction in ("up", "down")}
    for direction, node in found.items():
        reads[direction].block(node)
    back = "down" in found and not _throws(found["down"])
    wrapped = (
        False
        if re.search(r"transaction\s*[:=]\s*false|createNonTransactional", member.text)
        else True
        if tool != "sequelize"
        else None
    )
    for direction in ("up", "down") if back else ("up",):
        reading = reads[direction]
        yield Script(
            member=member, direction=direction, statements=reading.statements, other=member.path if back else "",
            name=re.sub(r"\.\w+$", "", member.name), line=found[direction].start_point[0] + 1, wrapped=wrapped, locks=tool == "knex",
            tool=tool, language="javascript", version=_number(member.name), unread=reading.unread,
        )  # fmt: skip


def _number(name: str) -> str:
    match = re.match(r"\d[\d\-]*\d|\d", name)
    return match[0] if match else ""


def _parse(data: bytes) -> Node:
    import tree_sitter_javascript
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_javascript.language())).parse(data).root_node


def _tool(text: str) -> str:
    if "queryRunner" in text:
        return "typeorm"
    if "queryInterface" in text:
        return "sequelize"
    return "knex"


def _text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def _walk(node: Node) -> Iterator[Node]:
    """Depth first, without recursion."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(node.children))


def _directions(root: Node) -> Iterator[tuple[str, Node]]:
    """``exports.up = …``, ``export function up``, ``module.exports = {up, down}``, methods of a class, and functions that
    are given to a helper by name."""
    for node in _walk(root):
        name = ""
        body: Node | None = None
        if node.type in (
            "function_declaration",
            "function_expression",
            "function",
            "method_definition",
            "generator_function_declaration",
        ):
            name, body = _text(node.child_by_field_name("name")), node.child_by_field_name("body")
        elif node.type == "assignment_expression":
            name = _text(node.child_by_field_name("left")).rpartition(".")[2]
            body = node.child_by_field_name("right")
        elif node.type == "variable_declarator":
            name, body = _text(node.child_by_field_name("name")), node.child_by_field_name("value")
        elif node.type == "pair":
            name, body = _text(node.child_by_field_name("key")).strip("'\""), node.child_by_field_name("value")
        elif node.type == "call_expression" and _WRAPPERS.match(_text(node.child_by_field_name("function"))):
            arguments = [a for a in node.child_by_field_name("arguments").named_children if "function" in a.type]  # type: ignore[union-attr]
            if not any(_text(a.child_by_field_name("name")) for a in arguments):
                yield from zip(("up", "down"), arguments, strict=False)
        if name in ("up", "down") and body is not None and body.type != "identifier":
            yield name, body


def _locals(root: Node) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in _walk(root):
        if node.type == "variable_declarator":
            value = node.child_by_field_name("value")
            if value is not None and value.type in ("string", "template_string"):
                found[_text(node.child_by_field_name("name"))] = _literal(value, {}) or ""
    return found


def _throws(node: Node) -> bool:
    """The first thing that it does is to refuse."""
    body = node if node.type == "statement_block" else node.child_by_field_name("body")
    first = next((c for c in (body.named_children if body is not None else []) if c.type != "comment"), None)
    return first is not None and first.type == "throw_statement"


def _literal(node: Node | None, known: dict[str, str]) -> str | None:
    if node is None:
        return None
    if node.type == "string":
        return re.sub(r"\\(.)", r"\1", _text(node)[1:-1])
    if node.type == "template_string":
        return re.sub(r"\$\{[^}]*\}", "x", _text(node)[1:-1])
    if node.type == "identifier":
        return known.get(_text(node))
    if node.type == "binary_expression" and _text(node.child_by_field_name("operator")) == "+":
        parts = [_literal(node.child_by_field_name(side), known) for side in ("left", "right")]
        return None if None in parts else "".join(part or "" for part in parts)
    return None


class _Reading:
    def __init__(self, member: Member, tool: str, known: dict[str, str]) -> None:
        self.member, self.tool, self.known = member, tool, known
        self.statements: list[Statement] = []
        self.unread: list[tuple[int, str]] = []

    def block(self, node: Node) -> None:
        """All calls in it, outermost first; what a call of a table's builder holds is read with that call."""
        todo = [node]
        while todo:
            current = todo.pop()
            if current.type == "call_expression" and self._call(current):
                continue
            todo.extend(reversed(current.children))

    def say(self, text: str, node: Node) -> None:
        self.statements += translated(text, node.start_point[0] + 1, _text(node)[:400])

    def name(self, node: Node | None) -> str:
        literal = _literal(node, self.known)
        return quoted(literal or re.sub(r"\W+", "_", _text(node)).strip("_")[:60] or "unnamed")

    def _call(self, node: Node) -> bool:
        """Whether the call was understood whole."""
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        given = [a for a in arguments.named_children if a.type != "comment"] if arguments is not None else []
        if function is None:
            return False
        if function.type != "member_expression":
            return False
        method = _text(function.child_by_field_name("property"))
        owner = _text(function.child_by_field_name("object"))
        if method in ("raw", "query") and given:
            text = _literal(given[0], self.known)
            if text is not None:
                self.statements += embedded(text, given[0].start_point[0] + 1)
            else:
                self.unread.append((node.start_point[0] + 1, f"{method}() of something built at run time"))
            return True
        if self.tool == "knex" and method in _BUILDERS and ("schema" in owner) and given:
            table = self.name(given[0])
            _BUILDERS[method](self, node, table, given)
            return owner.rpartition(".")[2] == "schema"
        if self.tool in ("sequelize", "typeorm") and method in _INTERFACE:
            _INTERFACE[method](self, node, given)
            return True
        if method in ("update", "del", "delete", "truncate", "insert"):
            self._rows(node, method, owner)
            return False
        return False

    def _rows(self, node: Node, method: str, owner: str) -> None:
        """``knex('posts').where(…).update(…)``: the chain may go on after the verb, too."""
        chain = node
        while chain.parent is not None and chain.parent.type in (
            "member_expression",
            "call_expression",
            "await_expression",
        ):
            chain = chain.parent
        whole = _text(chain)
        match = re.match(r"(?:await\s+)?(?:\w+\s*\(\s*|\w+\.(?:table|from|into|with\w+)\s*\()['\"`](\w+)", whole)
        if match is None and not re.search(r"\b(?:knex|trx|connection|transacting|db)\b", whole):
            return
        table = quoted(match[1]) if match else "rows"
        where = (
            " WHERE id = 1"
            if re.search(r"\.(?:where|andWhere|whereIn|whereNull|orWhere|whereNot|whereRaw|join)\w*\(", whole)
            else ""
        )
        text = {
            "update": f"UPDATE {table} SET changed = 1{where}", "insert": f"INSERT INTO {table} VALUES (1)",
            "truncate": f"TRUNCATE {table}",
        }.get(method, f"DELETE FROM {table}{where}")  # fmt: skip
        self.say(text, node)

    def columns(self, table: str, builder: Node | None, *, fresh: bool) -> list[str]:
        """The calls on a table's builder; in a new table they are its columns."""
        found: list[str] = []
        for node in _walk(builder) if builder is not None else []:
            if node.type != "expression_statement" and not (
                node.type == "call_expression" and node.parent is not None and node.parent.type == "arrow_function"
            ):
                continue
            chain = list(
                _chain(node.named_children[0] if node.type == "expression_statement" and node.named_children else node)
            )
            if not chain or chain[0][0] is None:
                continue
            first, given = chain[0]
            rest = dict(chain[1:])
            if fresh:
                if first.lower() in _TYPES and given:
                    found.append(f"{self.name(given[0])} {_sized(first, given)}")
                continue
            for text in self._altering(table, first, given, rest):
                self.say(text, node)
        return found

    def _altering(self, table: str, first: str, given: list[Node], rest: dict[str, list[Node]]) -> Iterator[str]:
        names = [self.name(n) for n in _elements(given[0])] if given else []
        head = f"ALTER TABLE {table}"
        if first in ("dropColumn", "dropColumns"):
            for name in [self.name(n) for argument in given for n in _elements(argument)]:
                yield f"{head} DROP COLUMN {name}"
        elif first == "renameColumn" and len(given) > 1:
            yield f"{head} RENAME COLUMN {self.name(given[0])} TO {self.name(given[1])}"
        elif first == "index" and names:
            yield f"CREATE INDEX ON {table} ({', '.join(names)})"
        elif first == "unique" and names:
            yield f"{head} ADD UNIQUE ({', '.join(names)})"
        elif first == "primary" and names:
            yield f"{head} ADD PRIMARY KEY ({', '.join(names)})"
        elif first == "foreign" and names:
            other = self.name(rest["inTable"][0]) if rest.get("inTable") else "other"
            yield f"{head} ADD FOREIGN KEY ({', '.join(names)}) REFERENCES {other} (id)"
        elif first == "dropNullable" and given:
            yield f"{head} ALTER COLUMN {self.name(given[0])} SET NOT NULL"
        elif first == "setNullable" and given:
            yield f"{head} ALTER COLUMN {self.name(given[0])} DROP NOT NULL"
        elif first in ("dropForeign", "dropUnique", "dropPrimary"):
            yield f"{head} DROP CONSTRAINT dropped"
        elif first == "dropTimestamps":
            yield f"{head} DROP COLUMN created_at"
        elif first == "timestamps":
            yield f"{head} ADD COLUMN created_at timestamp"
        elif first.lower() in _TYPES and given:
            column = self.name(given[0])
            if "alter" in rest:
                yield f"{head} ALTER COLUMN {column} TYPE {_sized(first, given)}"
                return
            words = " DEFAULT 0" if "defaultTo" in rest else ""
            words += " NOT NULL" if "notNullable" in rest or "notNull" in rest else ""
            words += " UNIQUE" if "unique" in rest else ""
            if "references" in rest or "inTable" in rest:
                key = _literal(rest["references"][0], self.known) if rest.get("references") else None
                named = (
                    self.name(rest["inTable"][0])
                    if rest.get("inTable")
                    else quoted((key or "other.id").partition(".")[0])
                )
                words += f" REFERENCES {named} (id)"
            yield f"{head} ADD COLUMN {column} {_sized(first, given)}{words}"
            if "index" in rest:
                yield f"CREATE INDEX ON {table} ({column})"


def _elements(node: Node) -> list[Node]:
    return list(node.named_children) if node.type == "array" else [node]


def _sized(kind: str, given: list[Node]) -> str:
    name = _TYPES[kind.lower()]
    size = _text(given[1]) if len(given) > 1 else ""
    return f"{name}({size})" if name == "varchar" and size.isdigit() else f"{name}(255)" if name == "varchar" else name


def _chain(node: Node) -> Iterator[tuple[str, list[Node]]]:
    """``t.string('a').notNullable()`` as ``(string, ['a']), (notNullable, [])``."""
    links: list[tuple[str, list[Node]]] = []
    current: Node | None = node
    while current is not None and current.type in ("call_expression", "await_expression", "member_expression"):
        if current.type == "await_expression":
            current = current.named_children[0] if current.named_children else None
            continue
        if current.type == "call_expression":
            function, arguments = current.child_by_field_name("function"), current.child_by_field_name("arguments")
            if function is None or function.type != "member_expression":
                break
            given = [a for a in arguments.named_children if a.type != "comment"] if arguments is not None else []
            links.append((_text(function.child_by_field_name("property")), given))
            current = function.child_by_field_name("object")
        else:
            current = current.child_by_field_name("object")
    yield from reversed(links)


def _create(r: _Reading, node: Node, table: str, given: list[Node]) -> None:
    columns = r.columns(table, given[1] if len(given) > 1 else None, fresh=True)
    r.say(f"CREATE TABLE {table} ({', '.join(columns)})", node)


def _alter(r: _Reading, node: Node, table: str, given: list[Node]) -> None:
    r.columns(table, given[1] if len(given) > 1 else None, fresh=False)


_BUILDERS: dict[str, Any] = {
    "createTable": _create,
    "createTableIfNotExists": _create,
    "alterTable": _alter,
    "table": _alter,
    "dropTable": lambda r, n, t, g: r.say(f"DROP TABLE {t}", n),
    "dropTableIfExists": lambda r, n, t, g: r.say(f"DROP TABLE IF EXISTS {t}", n),
    "renameTable": lambda r, n, t, g: r.say(
        f"ALTER TABLE {t} RENAME TO {r.name(g[1]) if len(g) > 1 else 'unnamed'}", n
    ),
}


def _interface(text: str) -> Any:
    """``{0}`` … are the call's arguments as names."""

    def handler(r: _Reading, node: Node, given: list[Node]) -> None:
        names = [r.name(argument) for argument in given] + ["unnamed"] * 3
        r.say(text.format(*names), node)

    return handler


def _definition(node: Node | None) -> str:
    """The type and the flags of a column as Sequelize and TypeORM give it, by words."""
    text = _text(node)
    match = re.search(r"(?:Sequelize|DataTypes|type)\s*[.:]\s*(?:\w+\.)?['\"]?(\w+)(?:\((\d+)\))?", text)
    name = _TYPES.get(match[1].lower(), "unknown_kind") if match else "unknown_kind"
    size = f"({match[2]})" if match and match[2] and name == "varchar" else ""
    words = " DEFAULT 0" if re.search(r"default(?:Value)?\s*:", text) else ""
    if re.search(r"allowNull\s*:\s*false|isNullable\s*:\s*false", text):
        words += " NOT NULL"
    if re.search(r"references\s*:", text):
        words += " REFERENCES other (id)"
    return f"{name}{size}{words}"


def _column(r: _Reading, node: Node, given: list[Node]) -> None:
    if len(given) > 2:
        r.say(f"ALTER TABLE {r.name(given[0])} ADD COLUMN {r.name(given[1])} {_definition(given[2])}", node)
    elif len(given) == 2:
        named = re.search(r"name\s*:\s*['\"](\w+)", _text(given[1]))
        r.say(
            f"ALTER TABLE {r.name(given[0])} ADD COLUMN {quoted(named[1]) if named else 'unnamed'} {_definition(given[1])}",
            node,
        )


def _change(r: _Reading, node: Node, given: list[Node]) -> None:
    if len(given) > 2:
        kind = _definition(given[2]).split(" ")[0]
        r.say(f"ALTER TABLE {r.name(given[0])} ALTER COLUMN {r.name(given[1])} TYPE {kind}", node)


def _index(r: _Reading, node: Node, given: list[Node]) -> None:
    text = " ".join(_text(argument) for argument in given[1:])
    unique = "UNIQUE " if re.search(r"unique\s*:\s*true|isUnique\s*:\s*true|type\s*:\s*['\"]UNIQUE", text, re.I) else ""
    concurrently = "CONCURRENTLY " if re.search(r"concurrently\s*:\s*true", text) else ""
    array = next((a for a in given[1:] if a.type == "array"), None)
    columns = (
        listed(_literal(n, r.known) or "unnamed" for n in array.named_children) if array is not None else "unnamed"
    )
    if given:
        r.say(f"CREATE {unique}INDEX {concurrently}ON {r.name(given[0])} ({columns or 'unnamed'})", node)


def _constraint(r: _Reading, node: Node, given: list[Node]) -> None:
    text = _text(given[1]) if len(given) > 1 else ""
    table = r.name(given[0]) if given else "unnamed"
    kind = (re.search(r"type\s*:\s*['\"](\w+(?: \w+)?)", text) or ["", "check"])[1].lower()
    fields = re.search(r"fields\s*:\s*\[([^\]]*)\]", text)
    columns = listed(re.findall(r"['\"](\w+)['\"]", fields[1])) if fields else "unnamed"
    shape = {
        "unique": f"UNIQUE ({columns})",
        "primary key": f"PRIMARY KEY ({columns})",
        "foreign key": f"FOREIGN KEY ({columns}) REFERENCES other (id)",
    }
    r.say(f"ALTER TABLE {table} ADD CONSTRAINT added {shape.get(kind, 'CHECK (condition)')}", node)


def _foreign(r: _Reading, node: Node, given: list[Node]) -> None:
    if given:
        r.say(f"ALTER TABLE {r.name(given[0])} ADD FOREIGN KEY (unnamed) REFERENCES other (id)", node)


def _create_by_options(r: _Reading, node: Node, given: list[Node]) -> None:
    named = re.search(r"name\s*:\s*['\"](\w+)", _text(given[0])) if given else None
    table = quoted(named[1]) if named and given[0].type != "string" else r.name(given[0] if given else None)
    r.say(f"CREATE TABLE {table} ()", node)


_INTERFACE: dict[str, Any] = {
    "createTable": _create_by_options, "dropTable": _interface("DROP TABLE {0}"), "addColumn": _column,
    "removeColumn": _interface("ALTER TABLE {0} DROP COLUMN {1}"), "dropColumn": _interface("ALTER TABLE {0} DROP COLUMN {1}"),
    "changeColumn": _change, "renameColumn": _interface("ALTER TABLE {0} RENAME COLUMN {1} TO {2}"),
    "renameTable": _interface("ALTER TABLE {0} RENAME TO {1}"), "addIndex": _index, "createIndex": _index,
    "removeIndex": _interface("DROP INDEX {1}"), "dropIndex": _interface("DROP INDEX {1}"), "addConstraint": _constraint,
    "removeConstraint": _interface("ALTER TABLE {0} DROP CONSTRAINT {1}"), "createForeignKey": _foreign,
    "dropForeignKey": _interface("ALTER TABLE {0} DROP CONSTRAINT {1}"),
    "bulkInsert": _interface("INSERT INTO {0} VALUES (1)"), "bulkUpdate": _interface("UPDATE {0} SET changed = 1 WHERE id = 1"),
    "bulkDelete": _interface("DELETE FROM {0} WHERE id = 1"), "clearTable": _interface("TRUNCATE {0}"),
}  # fmt: skip


def _by_helpers(member: Member, root: Node) -> Iterator[Script]:
    """``module.exports = createDropColumnMigration('posts', 'amp', …)``: both directions by the helper's name."""
    forth: list[Statement] = []
    back: list[Statement] = []
    known = _locals(root)
    reading = _Reading(member, "knex", known)
    understood = True
    calls = 0
    for node in _walk(root):
        if node.type != "call_expression":
            continue
        name = _text(node.child_by_field_name("function")).rpartition(".")[2]
        match = _NAMED.match(name)
        arguments = node.child_by_field_name("arguments")
        given = [a for a in arguments.named_children if a.type != "comment"] if arguments is not None else []
        line, shown = node.start_point[0] + 1, _text(node)[:400]
        if match is None and _exported(node) and name not in _LOGGING and not _WRAPPERS.match(name):
            calls += 1
            data = _DATA.match(name)
            if data is None:
                understood = False
                reading.unread.append((line, f"{name}()"))
            else:
                rows = ("INSERT INTO settings VALUES (1)", "DELETE FROM settings WHERE id = 1")[
                    :: 1 if data["add"] else -1
                ]
                forth += translated(rows[0], line, shown)
                back[:0] = translated(rows[1], line, shown)
        if match is None or not given:
            continue
        calls += 1
        table = reading.name(given[0])
        there, again = _helped(match, table, given, reading)
        forth += translated(there, line, shown)
        back[:0] = translated(again, line, shown)
    if not calls or (not forth and understood):
        return
    never = bool(re.search(r"irreversible\s*:\s*true", member.text))
    common: dict[str, Any] = {
        "member": member, "other": "" if never else member.path, "name": re.sub(r"\.\w+$", "", member.name), "locks": True, "tool": "knex",
        "language": "javascript", "version": _number(member.name), "unread": reading.unread,
    }  # fmt: skip
    yield Script(direction="up", statements=forth, **common)
    if not never:
        yield Script(direction="down", statements=back, **common)


def _exported(node: Node) -> bool:
    """Stands in what the module exports, not deeper than in one other call or a list."""
    parent = node.parent
    for _ in range(4):
        if parent is None:
            return False
        if parent.type == "assignment_expression":
            return "exports" in _text(parent.child_by_field_name("left"))
        parent = parent.parent
    return False


def _helped(match: re.Match[str], table: str, given: list[Node], r: _Reading) -> tuple[str, str]:
    column = r.name(given[1]) if len(given) > 1 else "unnamed"
    add, drop = f"ALTER TABLE {table} ADD COLUMN {column} unknown_kind", f"ALTER TABLE {table} DROP COLUMN {column}"
    if match["tables"]:
        names = [r.name(n) for n in _elements(given[0])]
        made, gone = "; ".join(f"CREATE TABLE {n} ()" for n in names), "; ".join(f"DROP TABLE {n}" for n in names)
        return (made, gone) if match["tables"] == "addTable" else (gone, made)
    if match["what"] == "Index" and match["verb"] == "Add":
        columns = ", ".join(r.name(n) for n in _elements(given[1])) if len(given) > 1 else "unnamed"
        return f"CREATE INDEX ON {table} ({columns})", "DROP INDEX unnamed"
    tight, loose = (f"ALTER TABLE {table} ALTER COLUMN {column} {verb} NOT NULL" for verb in ("SET", "DROP"))
    if match["verb"] == "Rename" and len(given) > 2:
        new = r.name(given[2])
        return (
            f"ALTER TABLE {table} RENAME COLUMN {column} TO {new}",
            f"ALTER TABLE {table} RENAME COLUMN {new} TO {column}",
        )
    return {"Add": (add, drop), "Drop": (drop, add), "SetNullable": (loose, tight), "DropNullable": (tight, loose)}.get(
        match["verb"] or "", ("", "")
    )
