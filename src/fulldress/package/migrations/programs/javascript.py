"""JavaScript and TypeScript: Knex, Sequelize and TypeORM, through the syntax tree (:mod:`.jssource`).

A module exports ``up`` and ``down`` (:mod:`.jsbuilder`), or what a function of the product's own makes (:mod:`.jsfactory`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fulldress.package.migrations.programs import jsfactory
from fulldress.package.migrations.programs.jsbuilder import Reading
from fulldress.package.migrations.programs.jssource import constants, parse, text_of, walk
from fulldress.package.migrations.script import Script
from fulldress.package.reader import Member
from fulldress.patterns import regex

if TYPE_CHECKING:
    from tree_sitter import Node

_LARGEST = 400_000
_QUIET = regex(r"(?i)^(?:console|log|logger|logging)\.\w+$|^Promise\.resolve$|^require$")


def read(member: Member, memory: dict[str, object]) -> Iterator[Script]:
    """Two scripts a module that exports ``up``, or whose default class has it."""
    if len(member.data) > _LARGEST:
        return
    root = parse(member.data)
    found = dict(_directions(root))
    if "up" not in found:
        yield from jsfactory.read(member, root)
        return
    tool = _tool(member.text)
    reads = {direction: Reading(member, tool, constants(root)) for direction in ("up", "down")}
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
            tool=tool, language="javascript", version=jsfactory.number(member.name), unread=reading.unread,
            acts=_acts(found[direction]),
        )  # fmt: skip


def _tool(text: str) -> str:
    if "queryRunner" in text:
        return "typeorm"
    if "queryInterface" in text:
        return "sequelize"
    return "knex"


def _directions(root: Node) -> Iterator[tuple[str, Node]]:
    """``exports.up = …``, ``export function up``, ``module.exports = {up, down}``, methods of a class, and functions that
    are given to a helper by name."""
    for node in walk(root):
        name = ""
        body: Node | None = None
        if node.type in (
            "function_declaration",
            "function_expression",
            "function",
            "method_definition",
            "generator_function_declaration",
        ):
            name, body = text_of(node.child_by_field_name("name")), node.child_by_field_name("body")
        elif node.type == "assignment_expression":
            name = text_of(node.child_by_field_name("left")).rpartition(".")[2]
            body = node.child_by_field_name("right")
        elif node.type == "variable_declarator":
            name, body = text_of(node.child_by_field_name("name")), node.child_by_field_name("value")
        elif node.type == "pair":
            name, body = text_of(node.child_by_field_name("key")).strip("'\""), node.child_by_field_name("value")
        elif node.type == "call_expression" and jsfactory.WRAPPERS.match(text_of(node.child_by_field_name("function"))):
            arguments = [a for a in node.child_by_field_name("arguments").named_children if "function" in a.type]  # type: ignore[union-attr]
            if not any(text_of(a.child_by_field_name("name")) for a in arguments):
                yield from zip(("up", "down"), arguments, strict=False)
        if name in ("up", "down") and body is not None and body.type != "identifier":
            yield name, body


def _acts(node: Node) -> bool:
    """Calls something that is neither a message nor a promise of nothing."""
    calls = (text_of(n.child_by_field_name("function")) for n in walk(node) if n.type == "call_expression")
    return any(not _QUIET.search(call) for call in calls)


def _throws(node: Node) -> bool:
    """The first thing that it does is to refuse."""
    body = node if node.type == "statement_block" else node.child_by_field_name("body")
    first = next((c for c in (body.named_children if body is not None else []) if c.type != "comment"), None)
    return first is not None and first.type == "throw_statement"
