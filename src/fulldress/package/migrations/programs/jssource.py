"""JavaScript's syntax tree: its nodes' text, constants of a module, chains of calls.

TypeScript is read with JavaScript's grammar, whose errors at type annotations leave the calls where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fulldress.patterns import regex

if TYPE_CHECKING:
    from tree_sitter import Node

_PLACEHOLDER = regex(r"\$\{(?P<expression>[^}]*)\}(?P<more>\w?)")


def parse(data: bytes) -> Node:
    import tree_sitter_javascript
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_javascript.language())).parse(data).root_node


def text_of(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def walk(node: Node) -> Iterator[Node]:
    """Depth first, without recursion."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(node.children))


def constants(root: Node) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in walk(root):
        if node.type == "variable_declarator":
            value = node.child_by_field_name("value")
            if value is not None and value.type in ("string", "template_string"):
                found[text_of(node.child_by_field_name("name"))] = literal(value, {}) or ""
    return found


def literal(node: Node | None, known: dict[str, str]) -> str | None:
    if node is None:
        return None
    if node.type == "string":
        return re.sub(r"\\(.)", r"\1", text_of(node)[1:-1])
    if node.type == "template_string":
        return re.sub(r"\\([`$])", r"\1", _PLACEHOLDER.sub(_run_time_name, text_of(node)[1:-1]))
    if node.type == "identifier":
        return known.get(text_of(node))
    if node.type == "binary_expression" and text_of(node.child_by_field_name("operator")) == "+":
        parts = [literal(node.child_by_field_name(side), known) for side in ("left", "right")]
        return None if None in parts else "".join(part or "" for part in parts)
    return None


def _run_time_name(match: re.Match[str]) -> str:
    """``${table}`` is ``x_table``: known only when it runs, and not the same as another. A prefix of a name is ``x``."""
    words = re.findall(r"[A-Za-z_]\w*", match["expression"])
    return f"x_{words[-1][:40]}" if words and not match["more"] else f"x{match['more']}"


def elements(node: Node) -> list[Node]:
    return list(node.named_children) if node.type == "array" else [node]


def chain_of(node: Node) -> Iterator[tuple[str, list[Node]]]:
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
            links.append((text_of(function.child_by_field_name("property")), given))
            current = function.child_by_field_name("object")
        else:
            current = current.child_by_field_name("object")
    yield from reversed(links)
