"""What the calls of a migration in JavaScript stand for: a table's builder (Knex), rows, SQL as text.

The calls of Sequelize's and TypeORM's interfaces are in :mod:`.jsinterface`.
"""

# ruff: noqa: S608 - statements to be judged, never sent anywhere
from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fulldress.package.migrations.programs import jsinterface
from fulldress.package.migrations.programs.jssource import chain_of, elements, literal, text_of, walk
from fulldress.package.migrations.programs.jstypes import TYPES
from fulldress.package.migrations.script import REPEATED, embedded, quoted, translated
from fulldress.package.migrations.sql import Statement
from fulldress.package.reader import Member

if TYPE_CHECKING:
    from tree_sitter import Node


class Reading:
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
        self.statements += translated(text, node.start_point[0] + 1, text_of(node)[:400])

    def name(self, node: Node | None) -> str:
        known = literal(node, self.known)
        return quoted(known or re.sub(r"\W+", "_", text_of(node)).strip("_")[:60] or "unnamed")

    def _call(self, node: Node) -> bool:
        """Whether the call was understood whole."""
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        given = [a for a in arguments.named_children if a.type != "comment"] if arguments is not None else []
        if function is None:
            return False
        if function.type != "member_expression":
            return False
        method = text_of(function.child_by_field_name("property"))
        owner = text_of(function.child_by_field_name("object"))
        if method in ("raw", "query") and given:
            text = literal(given[0], self.known)
            if text is not None:
                self.statements += embedded(text, given[0].start_point[0] + 1)
            else:
                self.unread.append((node.start_point[0] + 1, f"{method}() of something built at run time"))
            return True
        if self.tool == "knex" and method in _BUILDERS and ("schema" in owner) and given:
            table = self.name(given[0])
            _BUILDERS[method](self, node, table, given)
            return owner.rpartition(".")[2] == "schema"
        if self.tool in ("sequelize", "typeorm") and method in jsinterface.CALLS:
            jsinterface.CALLS[method](self, node, given)
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
        whole = text_of(chain)
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
        for node in walk(builder) if builder is not None else []:
            if node.type != "expression_statement" and not (
                node.type == "call_expression" and node.parent is not None and node.parent.type == "arrow_function"
            ):
                continue
            chain = list(
                chain_of(
                    node.named_children[0] if node.type == "expression_statement" and node.named_children else node
                )
            )
            if not chain or chain[0][0] is None:
                continue
            first, given = chain[0]
            rest = dict(chain[1:])
            if fresh:
                if first.lower() in TYPES and given:
                    found.append(f"{self.name(given[0])} {_sized(first, given)}")
                continue
            for text in self._altering(table, first, given, rest):
                self.say(text, node)
        return found

    def _altering(self, table: str, first: str, given: list[Node], rest: dict[str, list[Node]]) -> Iterator[str]:
        names = [self.name(n) for n in elements(given[0])] if given else []
        head = f"ALTER TABLE {table}"
        if first in ("dropColumn", "dropColumns"):
            for name in [self.name(n) for argument in given for n in elements(argument)]:
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
        elif first.lower() in TYPES and given:
            column = self.name(given[0])
            if "alter" in rest:
                yield f"{head} ALTER COLUMN {column} TYPE {_sized(first, given)} {REPEATED}"
                return
            words = " DEFAULT 0" if "defaultTo" in rest else ""
            words += " NOT NULL" if "notNullable" in rest or "notNull" in rest else ""
            words += " UNIQUE" if "unique" in rest else ""
            if "references" in rest or "inTable" in rest:
                key = literal(rest["references"][0], self.known) if rest.get("references") else None
                named = (
                    self.name(rest["inTable"][0])
                    if rest.get("inTable")
                    else quoted((key or "other.id").partition(".")[0])
                )
                words += f" REFERENCES {named} (id)"
            yield f"{head} ADD COLUMN {column} {_sized(first, given)}{words}"
            if "index" in rest:
                yield f"CREATE INDEX ON {table} ({column})"


def _sized(kind: str, given: list[Node]) -> str:
    name = TYPES[kind.lower()]
    size = text_of(given[1]) if len(given) > 1 else ""
    return f"{name}({size})" if name == "varchar" and size.isdigit() else f"{name}(255)" if name == "varchar" else name


def _create(r: Reading, node: Node, table: str, given: list[Node]) -> None:
    columns = r.columns(table, given[1] if len(given) > 1 else None, fresh=True)
    r.say(f"CREATE TABLE {table} ({', '.join(columns)})", node)


def _alter(r: Reading, node: Node, table: str, given: list[Node]) -> None:
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
