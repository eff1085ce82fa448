"""Values of PowerShell's expressions: strings with variables, joins, formats, lists, tables, methods of .NET."""

from __future__ import annotations

import re

from tree_sitter import Node

from fulldress.package.reader import Member
from fulldress.package.scripts import powershellmethods
from fulldress.package.scripts.follower import Follower, Trail, Value, text_of
from fulldress.package.scripts.values import HERE, hole
from fulldress.patterns import regex

_NAME = regex(r"`(.)|\$\{([^}]+)\}|\$((?:\w+:)?\w+|[?$^])|\$\(([^()]*)\)", re.S)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "", "`": "`", '"': '"', "'": "'", "$": "$"}
_KNOWN: dict[str, Value] = {
    "true": "True",
    "false": "False",
    "null": "",
    "psscriptroot": HERE,
    "pshome": hole("PSHOME"),
}
_STATICS = regex(r"(?i)^\[?(?:system\.)?([\w.]+)\]?::(\w+)$")


def variable_name(text: str) -> str:
    """``$Script:Url``, ``${env:X}``, ``@splat`` as the name that is looked up: lower case, without a scope."""
    name = text.strip().lstrip("$@").strip("{}").lower()
    scope, colon, rest = name.partition(":")
    return rest if colon and scope in ("script", "global", "local", "private", "using", "variable") else name


class Values(Follower):
    """A follower that knows what PowerShell's expressions come to."""

    def __init__(self, trail: Trail, member: Member, offset: int = 0) -> None:
        super().__init__(trail, member, offset)
        self.functions: dict[str, Node] = {}
        self.called: set[str] = set()
        self.stops = False
        self.rows: list[str] = []
        self.tried = 0  #: inside how many try blocks
        self.silenced: tuple[int, str] | None = (
            None  #: line and text of ``$ErrorActionPreference = 'SilentlyContinue'``
        )

    def command(self, node: Node, fed: Value, before: str) -> Value:
        raise NotImplementedError

    def follow(self, node: Node) -> None:
        raise NotImplementedError

    def source(self, path: str, line: int) -> None:
        raise NotImplementedError

    @staticmethod
    def raw(node: Node) -> str:
        return (node.text or b"").decode("utf-8", "replace")

    def line(self, node: Node) -> int:
        return node.start_point.row + 1 + self.offset

    def value(self, node: Node) -> Value:
        """What an expression comes to; the commands in it are followed."""
        while node.named_child_count == 1 and node.type in _CHAINS and node.child_count == 1:
            node = node.named_children[0]
        kind = node.type
        if kind == "pipeline":
            return self._pipeline(node)
        if kind == "pipeline_chain":
            return self._chain(node)
        if kind == "command":
            return self.command(node, None, "")
        if kind == "assignment_expression":
            return self._assignment(node)
        if kind == "string_literal":
            return self.string(node.named_children[0]) if node.named_children else ""
        if kind in ("expandable_string_literal", "verbatim_string_characters", "expandable_here_string_literal",
                    "verbatim_here_string_characters", "command_name", "generic_token", "path_command_name", "command_name_expr"):  # fmt: skip
            return self.string(node)
        if kind == "variable":
            return self.variable(self.raw(node))
        if kind in ("integer_literal", "decimal_integer_literal", "real_literal", "simple_name", "key_expression"):
            text = self.raw(node)
            return text.strip("\"'") if kind == "key_expression" else text
        if kind == "hash_literal_expression":
            return self._table(node)
        if kind in ("array_literal_expression", "argument_expression_list", "array_expression"):
            return self._list(node)
        if kind in ("additive_expression", "additive_argument_expression") and node.named_child_count == 2:
            return self._sum(node)
        if kind in ("format_expression", "format_argument_expression"):
            return self._format(node)
        if kind in ("cast_expression", "expression_with_unary_operator"):
            return self._unary(node)
        if kind == "member_access":
            return self._member(node)
        if kind == "element_access":
            return self._element(node)
        if kind == "invokation_expression":
            return powershellmethods.invoked(self, node)
        if kind == "script_block_expression":
            self.follow(node)
            return None
        found: Value = None
        for child in node.named_children:
            if child.type in ("statement_list", "script_block", "script_block_body"):
                for part in child.named_children:
                    if part.type == "pipeline":
                        found = self.value(part)
                    else:
                        self.follow(part)
            elif (
                child.type.endswith(("expression", "literal", "variable", "pipeline", "chain")) or child.type in _CHAINS
            ):
                found = self.value(child)
            else:
                self.follow(child)
        return found if node.named_child_count == 1 else None

    def texts(self, node: Node, name: str = "a value") -> str:
        return text_of(self.value(node), name)

    # -- parts

    def _pipeline(self, node: Node) -> Value:
        found: Value = None
        for child in node.named_children:
            found = self.value(child)
        return found

    def _chain(self, node: Node) -> Value:
        value: Value = None
        before = ""
        for number, stage in enumerate(node.named_children):
            if stage.type == "command":
                value = self.command(stage, value if number else None, before)
                name = stage.child_by_field_name("command_name")
                before = self.raw(name).lower() if name is not None else ""
            elif stage.type == "redirections":
                for target in stage.named_children:
                    self.redirect(node, target, value)
            else:
                value = self.value(stage)
        return value

    def redirect(self, node: Node, redirection: Node, content: Value) -> None:
        operator = next((c for c in redirection.named_children if c.type == "file_redirection_operator"), None)
        target = next((c for c in redirection.named_children if c.type == "redirected_file_name"), None)
        if operator is None or target is None or self.raw(operator).startswith(("2", "3", "4", "5", "6")):
            return
        named = [child for child in target.named_children if child.type != "command_argument_sep"]
        if not named:
            return
        path = text_of(self.value(named[-1]))
        if path.lower() not in ("$null", "nul", ""):
            text = text_of(content) if content is not None else None
            self.write(self.line(node), self.raw(node), path, text, append=">>" in self.raw(operator))

    def _assignment(self, node: Node) -> Value:
        right = node.child_by_field_name("value")
        value = self.value(right) if right is not None else None
        left = next((c for c in node.named_children if c.type == "left_assignment_expression"), None)
        operator = next((self.raw(c) for c in node.named_children if c.type == "assignement_operator"), "=")
        if left is None:
            return value
        target = self.raw(left).strip()
        if not re.fullmatch(r"(\[[\w.\[\]]+\]\s*)*[$@]\{?[\w:]+\}?", target):
            self._member_set(target, value)
            shown = value if isinstance(value, str) else self.raw(right)[:60] if right is not None else ""
            self.emit(self.line(node), self.raw(node), ("set-member", re.sub(r"\s+", "", target).lower(), shown))
            return value
        name = variable_name(re.sub(r"^(\[[\w.\[\]]+\]\s*)+", "", target))
        if name in _KNOWN:
            return value
        if name == "erroractionpreference":
            silent = text_of(value).lower() in ("silentlycontinue", "ignore", "0")
            self.silenced = (self.line(node), self.raw(node)) if silent else None
        old = self.names.get(name)
        if operator == "+=":
            if isinstance(old, list):
                value = [*old, *(value if isinstance(value, list) else [value])]
            elif isinstance(old, str) and isinstance(value, str):
                value = old + value
            elif isinstance(old, dict) and isinstance(value, dict):
                value = {**old, **value}
        self.names[name] = hole(name) if value is None else value
        if isinstance(value, str):
            self.assign(self.line(node), self.raw(node), name, value)
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, str) and key != "@type":
                    self.assign(self.line(node), self.raw(node), key, item)
        return value

    def _member_set(self, target: str, value: Value) -> None:
        """``$trigger.Repetition = …``: a part of what a variable holds."""
        match = re.fullmatch(r"\$(\w+)((?:\.\w+)+)", target)
        owner = self.names.get(variable_name(match[1])) if match else None
        *ways, last = match[2].lower().lstrip(".").split(".") if match else [""]
        for way in ways:
            owner = owner.get(way) if isinstance(owner, dict) else None
        if isinstance(owner, dict):
            owner[last] = value

    def variable(self, text: str) -> Value:
        name = variable_name(text)
        if name in self.names and name not in _KNOWN:
            return self.names[name]
        shown = text.strip().lstrip("$@").strip("{}")
        return _KNOWN.get(name, hole(shown))

    def string(self, node: Node) -> str:
        text = self.raw(node)
        if text.startswith("@'"):
            return re.sub(r"^@'[ \t]*\r?\n|\r?\n'@$", "", text)
        if text.startswith("'"):
            return text[1:-1].replace("''", "'")
        if text.startswith('@"'):
            text = re.sub(r'^@"[ \t]*\r?\n|\r?\n"@$', "", text)
        elif text.startswith('"'):
            text = text[1:-1].replace('""', '"')
        for child in node.named_children:  # what stands in $( … ) is followed, too
            if child.type == "sub_expression":
                self.value(child)
        return _NAME.sub(self._filled, text)

    def _filled(self, match: re.Match[str]) -> str:
        if match[1]:
            return _ESCAPES.get(match[1], match[1])
        if match[4] is not None:
            inner = match[4].strip()
            simple = re.fullmatch(r"\$([\w:]+)(?:\.(\w+))?", inner)
            if simple:
                value = self.variable(simple[1])
                value = value.get(simple[2].lower()) if simple[2] and isinstance(value, dict) else value
                if isinstance(value, str) and not simple[2]:
                    return value
                if isinstance(value, str):
                    return value
            return hole(f"$({inner})"[:80])
        return text_of(self.variable(match[2] or match[3]), match[2] or match[3])

    def _table(self, node: Node) -> Value:
        found: dict[str, Value] = {}
        body = next((c for c in node.named_children if c.type == "hash_literal_body"), node)
        for entry in body.named_children:
            if entry.type == "hash_entry" and entry.named_child_count >= 2:
                key = self.raw(entry.named_children[0]).strip("\"' ").lower()
                found[key] = self.value(entry.named_children[-1])
        return found

    def _list(self, node: Node) -> Value:
        if node.type == "array_expression":
            found: list[Value] = []
            for statement in (s for child in node.named_children for s in child.named_children):
                value = self.value(statement)
                found += value if isinstance(value, list) else [value]
            return found
        items = [self.value(child) for child in node.named_children]
        return items if len(items) != 1 or node.type == "argument_expression_list" else items[0]

    def _sum(self, node: Node) -> Value:
        left, right = self.value(node.named_children[0]), self.value(node.named_children[1])
        if any(self.raw(c) == "-" for c in node.children if not c.is_named):
            return None
        if isinstance(left, list):
            return [*left, *(right if isinstance(right, list) else [right])]
        if isinstance(left, dict) and isinstance(right, dict):
            return {**left, **right}
        return text_of(left) + text_of(right)

    def _format(self, node: Node) -> Value:
        parts = node.named_children
        if len(parts) < 2:
            return self.value(parts[0]) if parts else None
        form, given = self.value(parts[0]), self.value(parts[-1])
        return powershellmethods.formatted(text_of(form), given if isinstance(given, list) else [given])

    def _unary(self, node: Node) -> Value:
        value = self.value(node.named_children[-1]) if node.named_children else None
        return None if self.raw(node).startswith(("-not", "!", "-split", "-")) else value

    def _member(self, node: Node) -> Value:
        owner = self.value(node.named_children[0])
        name = self.raw(node.named_children[-1]).lower()
        if isinstance(owner, dict) and name in owner:
            return owner[name]
        if name == "pendingfilerenameoperations":
            self.emit(self.line(node), self.raw(node), ("test-path", name))
        if re.search(r"(?i)\$MyInvocation.*(path|scriptroot)|\$PSCommandPath", self.raw(node)):
            return HERE
        return hole(self.raw(node).lstrip("$")[:60])

    def _element(self, node: Node) -> Value:
        owner = self.value(node.named_children[0])
        key = text_of(self.value(node.named_children[-1])) if node.named_child_count > 1 else ""
        if isinstance(owner, list) and key.isdecimal() and len(key) < 9 and int(key) < len(owner):
            return owner[int(key)]
        if isinstance(owner, dict) and key.lower() in owner:
            return owner[key.lower()]
        return hole(self.raw(node).lstrip("$")[:60])


_CHAINS = frozenset(
    """
    pipeline_chain logical_expression bitwise_expression comparison_expression additive_expression multiplicative_expression
    format_expression range_expression array_literal_expression unary_expression parenthesized_expression
    logical_argument_expression bitwise_argument_expression comparison_argument_expression additive_argument_expression
    multiplicative_argument_expression format_argument_expression range_argument_expression argument_expression
    left_assignment_expression sub_expression
    """.split()  # noqa: SIM905 - a table of words is read as words
)
