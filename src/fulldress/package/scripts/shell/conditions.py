"""Whether a condition holds, as far as that is known without running it.

Only what cannot have changed counts as known: the arguments that a script or function was called with, and variables
that the script assigns once, to a constant. Everything else is open, and both ways are followed.
"""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable
from typing import Protocol

from tree_sitter import Node

from fulldress.package.scripts.values import holes, is_constant, is_full
from fulldress.patterns import regex

_NAMES = regex(r"\$(?:\{[!#]?)?(\w+|[#@*?!$-])")
_OPERANDS = frozenset(
    [
        "word",
        "string",
        "raw_string",
        "ansi_c_string",
        "concatenation",
        "simple_expansion",
        "expansion",
        "number",
        "command_substitution",
        "extglob_pattern",
        "regex",
        "translated_string",
        "arithmetic_expansion",
        "array",
        "subscript",
    ]
)
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": operator.eq,
    "-ne": operator.ne,
    "-lt": operator.lt,
    "-le": operator.le,
    "-gt": operator.gt,
    "-ge": operator.ge,
}
#: A text, whether it stood in quotes (then it is no pattern), and whether it may be relied on.
_Operand = tuple[str, bool, bool]


class Knows(Protocol):
    """What is asked of the follower."""

    fixed: frozenset[str]  #: variables that the script assigns once, to a constant
    arguments: tuple[str, ...] | None

    def expand(self, node: Node) -> list[str]: ...
    @staticmethod
    def raw(node: Node) -> str: ...


def holds(shell: Knows, node: Node) -> bool | None:
    """Whether the condition is true or false for sure; None where that is open."""
    kind = node.type
    if kind == "test_command":
        inside = [child for child in node.children if child.type not in ("[", "]", "[[", "]]", "((", "))")]
        if shell.raw(node).startswith("(("):
            return None
        tokens = [token for child in inside for token in _tokens(shell, child)]
        return _Test(tokens, shell.raw(node).startswith("[[")).value()
    if kind == "negated_command":
        value = holds(shell, node.named_children[0]) if node.named_children else None
        return None if value is None else not value
    if kind == "list":
        left, right = holds(shell, node.children[0]), holds(shell, node.children[-1])
        joined = next((child.type for child in node.children if child.type in ("&&", "||")), "")
        if joined == "&&":
            return _and(left, right)
        return _or(left, right) if joined == "||" else None
    if kind in ("subshell", "compound_statement") and node.named_child_count == 1 and not node.has_error:
        return holds(shell, node.named_children[0])
    if kind == "redirected_statement":
        body = node.child_by_field_name("body")
        return holds(shell, body) if body is not None else None
    if kind == "command":
        words = [child for child in node.children if child.is_named]
        name = shell.raw(words[0]) if words else ""
        if name in ("true", ":", "false") and len(words) == 1:
            return name != "false"
        if name == "test":
            return _Test([token for child in words[1:] for token in _tokens(shell, child)], False).value()
    return None


def relied(shell: Knows, node: Node) -> bool:
    """Whether every variable in the word is one that is known for sure."""
    text = shell.raw(node)
    if "$(" in text or "`" in text:
        return False
    for name in _NAMES.findall(text):
        if name == "#" or name in "@*" or (name.isdecimal() and name != "0"):
            if shell.arguments is None:
                return False
        elif name not in shell.fixed:
            return False
    return True


def assigned_once(text: str) -> frozenset[str]:
    """Names that ``text`` assigns in one place and never reads, loops over or takes from a default.

    A script that sources or evaluates what is not known here may change any of them; the caller has to ask for that."""
    found: dict[str, int] = {}
    for match in re.finditer(r"(?<![\w$.{-])([A-Za-z_]\w*)(\+?=)(?!=)([^\n;]*)", text):
        name, sign, value = match.groups()
        own = sign == "+=" or re.search(rf"\$\{{?{name}\b|\$\(|`|:[-=]", value)
        found[name] = found.get(name, 0) + (2 if own else 1)
    taken = set(re.findall(r"\b(?:for|select)\s+(\w+)", text))
    for words in re.findall(r"\b(?:read|getopts|mapfile|readarray|unset|printf\s+-v)\b([^\n;|&<]*)", text):
        taken |= set(re.findall(r"\w+", words))
    taken |= set(re.findall(r"\$\{(\w+):?=", text))
    return frozenset(name for name, number in found.items() if number == 1 and name not in taken)


def _tokens(shell: Knows, node: Node) -> list[str | _Operand]:
    """The operators and operands of a test in their order: the grammar's tree does not keep to the rules of test(1)."""
    if node.type in _OPERANDS:
        quoted = node.type in ("string", "raw_string", "ansi_c_string")
        raw = shell.raw(node)
        if raw in ("-a", "-o", "!", "=", "==", "!=", "(", ")", "\\(", "\\)", "<", ">") or (
            node.type == "word" and re.fullmatch(r"-[a-zA-Z]{1,2}", raw)
        ):
            return [raw.lstrip("\\")]
        values = shell.expand(node)
        return [(values[0] if len(values) == 1 else "", quoted, len(values) == 1 and relied(shell, node))]
    if not node.child_count:
        text = shell.raw(node)
        return [text] if text.strip() else []
    return [token for child in node.children for token in _tokens(shell, child)]


class _Test:
    """test(1) and ``[[ ]]`` by recursive descent: or, and, not, primary."""

    def __init__(self, tokens: list[str | _Operand], double: bool) -> None:
        self.tokens = tokens
        self.double = double
        self.at = 0

    def value(self) -> bool | None:
        if len(self.tokens) > 60:
            return None
        value = self._or()
        return value if self.at == len(self.tokens) else None

    def _peek(self, ahead: int = 0) -> str:
        token = self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""
        return token if isinstance(token, str) else "\0"

    def _or(self) -> bool | None:
        value = self._and()
        while self._peek() in ("-o", "||"):
            self.at += 1
            value = _or(value, self._and())
        return value

    def _and(self) -> bool | None:
        value = self._not()
        while self._peek() in ("-a", "&&"):
            self.at += 1
            value = _and(value, self._not())
        return value

    def _not(self) -> bool | None:
        if self._peek() == "!" and self.at + 1 < len(self.tokens):
            self.at += 1
            value = self._not()
            return None if value is None else not value
        return self._primary()

    def _primary(self) -> bool | None:
        if self._peek() == "(":
            self.at += 1
            value = self._or()
            if self._peek() == ")":
                self.at += 1
                return value
            return None
        if re.fullmatch(r"-[a-zA-Z]", self._peek()) and self._peek(1) == "\0":
            sign = self._peek()
            operand = self.tokens[self.at + 1]
            self.at += 2
            if sign not in ("-n", "-z") or isinstance(operand, str) or not operand[2]:
                return None
            full = _full(operand[0])
            return None if full is None else full == (sign == "-n")
        if self._peek() == "\0":
            left = self.tokens[self.at]
            self.at += 1
            sign = self._peek()
            if sign in ("=", "==", "!=", *_NUMBERS) and self._peek(1) == "\0":
                right = self.tokens[self.at + 1]
                self.at += 2
                return self._compare(left, sign, right)
            if sign in ("=~", "<", ">", "-nt", "-ot", "-ef"):
                self.at += 2
                return None
            return _full(left[0]) if not isinstance(left, str) and left[2] else None
        self.at += 1
        return None

    def _compare(self, left: str | _Operand, sign: str, right: str | _Operand) -> bool | None:
        if isinstance(left, str) or isinstance(right, str) or not (left[2] and right[2]):
            return None
        one, two = left[0], right[0]
        if not (is_constant(one) and is_constant(two)):
            unknown, other = (one, two) if not is_constant(one) else (two, one)
            same = False if other == "" and _full(unknown) else None
            return None if same is None or sign in _NUMBERS else same == (sign != "!=")
        if sign in _NUMBERS:
            if not (re.fullmatch(r"-?\d{1,18}", one) and re.fullmatch(r"-?\d{1,18}", two)):
                return None
            return _NUMBERS[sign](int(one), int(two))
        same = fnmatch.fnmatchcase(one, two) if self.double and not right[1] else one == two
        return same if sign != "!=" else not same


def _full(text: str) -> bool | None:
    """Whether a text is not empty; None where it consists of unknown parts alone."""
    if is_constant(text):
        return bool(text)
    return True if any(map(is_full, holes(text))) else None


def _and(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return True if left and right else None


def _or(left: bool | None, right: bool | None) -> bool | None:
    if left or right:
        return True
    return False if left is False and right is False else None
