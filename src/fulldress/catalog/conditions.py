"""Conditions over facts, three-valued: true, false, or unknown (None). Unknown never passes for false.

The language is small on purpose: comparisons joined by ``and``, ``or``, ``not`` and parentheses::

    postgresql < 14                  a component's version, running before installed, in its own scheme
    installed(app-relay)            a component is there
    setting(app, app.legacy.bridge) = on
    setting(app, app.legacy.bridge)          the key is set
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from fulldress.patterns import regex

_TOKEN = regex(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<word>and|or|not)\b|(?P<call>setting|installed)\s*\(\s*(?P<args>[^()]*)\)"
    r"|(?P<op>>=|<=|==|!=|=|<|>)|(?P<string>\"[^\"]*\"|'[^']*')|(?P<name>[\w.\-/:+~]+))"
)


class Known(msgspec.Struct, frozen=True):
    """What conditions may ask of. ``None`` as an answer is *unknown*.

    ``within(component, range)``, ``installed(component)``, ``setting(component, key)`` (value, or empty for not set)."""

    within: Callable[[str, str], bool | None]
    installed: Callable[[str], bool | None]
    setting: Callable[[str, str], str | None]


class _Wrong(Exception):
    pass


class Condition(msgspec.Struct, frozen=True):
    """A condition that was read. An empty text always holds."""

    text: str
    tree: object = None

    @classmethod
    def read(cls, text: str) -> Condition:
        """Raises :class:`ValueError` with what is wrong; call :meth:`problem` first."""
        if not text.strip():
            return cls("")
        try:
            return cls(text, _Reader(text).whole())
        except _Wrong as wrong:
            raise ValueError(str(wrong)) from None

    @classmethod
    def problem(cls, text: str) -> str:
        """What is wrong with a condition, in words; empty: nothing."""
        try:
            cls.read(text)
        except ValueError as error:
            return f'condition "{text}": {error}'
        return ""

    def holds(self, known: Known) -> bool | None:
        return True if self.tree is None else _evaluate(self.tree, known)


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[re.Match[str]] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                raise _Wrong(f"{text[at : at + 10]!r} is not understood")
            self.tokens.append(match)
            at = match.end()
        self.at = 0

    def whole(self) -> object:
        tree = self.either()
        if self.at < len(self.tokens):
            raise _Wrong(f"{self.tokens[self.at][0].strip()!r} is too much")
        return tree

    def word(self, *words: str) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at]["word"] in words:
            self.at += 1
            return str(self.tokens[self.at - 1]["word"])
        return ""

    def either(self) -> object:
        tree = self.both()
        while self.word("or"):
            tree = ("or", tree, self.both())
        return tree

    def both(self) -> object:
        tree = self.one()
        while self.word("and"):
            tree = ("and", tree, self.one())
        return tree

    def one(self) -> object:
        if self.word("not"):
            return ("not", self.one())
        if self.at >= len(self.tokens):
            raise _Wrong("it ends too early")
        token = self.tokens[self.at]
        self.at += 1
        if token["open"]:
            tree = self.either()
            if self.at >= len(self.tokens) or not self.tokens[self.at]["close"]:
                raise _Wrong("a ) is missing")
            self.at += 1
            return tree
        if token["call"]:
            return self.call(token)
        if token["name"]:
            operator, value = self.comparison()
            return ("within", token["name"], ("==" if operator == "=" else operator) + value)
        raise _Wrong(f"{token[0].strip()!r} is not expected here")

    def call(self, token: re.Match[str]) -> object:
        arguments = [part.strip() for part in token["args"].split(",")]
        if token["call"] == "installed":
            if len(arguments) != 1 or not arguments[0]:
                raise _Wrong("installed() takes one component")
            return ("installed", arguments[0])
        if len(arguments) != 2 or not all(arguments):
            raise _Wrong("setting() takes a component and a key")
        if self.at < len(self.tokens) and self.tokens[self.at]["op"]:
            return ("setting", *arguments, *self.comparison())
        return ("setting", *arguments, "", "")

    def comparison(self) -> tuple[str, str]:
        tokens = self.tokens[self.at : self.at + 2]
        if len(tokens) < 2 or not tokens[0]["op"] or not (tokens[1]["name"] or tokens[1]["string"]):
            raise _Wrong("a comparison such as >= 14 is expected")
        self.at += 2
        return tokens[0]["op"], (tokens[1]["name"] or tokens[1]["string"]).strip("\"'")


def _evaluate(tree: object, known: Known) -> bool | None:
    match tree:
        case ("or", left, right):
            answers = (_evaluate(left, known), _evaluate(right, known))
            return True if True in answers else None if None in answers else False
        case ("and", left, right):
            answers = (_evaluate(left, known), _evaluate(right, known))
            return False if False in answers else None if None in answers else True
        case ("not", inner):
            answer = _evaluate(inner, known)
            return None if answer is None else not answer
        case ("within", str(component), str(range_)):
            return known.within(component, range_)
        case ("installed", str(component)):
            return known.installed(component)
        case ("setting", str(component), str(key), str(operator), str(value)):
            there = known.setting(component, key)
            if there is None:
                return None
            if not operator:
                return there != ""
            return _compare(there, operator, value)
    return None


def _compare(there: str, operator: str, value: str) -> bool | None:
    if operator in ("=", "=="):
        return there.lower() == value.lower()
    if operator == "!=":
        return there.lower() != value.lower()
    try:
        left, right = float(there), float(value)
    except ValueError:
        return None
    return {">=": left >= right, ">": left > right, "<=": left <= right, "<": left < right}[operator]
