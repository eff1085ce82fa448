"""Protocol buffers (proto2, proto3, editions) -> one Interface per method of a service.

The operation is the request as gRPC sends it over HTTP/2, ``POST /package.Service/Method``, so that access logs of a
proxy join with it. A part of a shape names a field with its number, since the number is what travels:
``body:customer#3?=string``, ``200:items[].id#1?=int64``. Source: Protocol Buffers language specification (proto3,
editions); gRPC over HTTP2, "Requests".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fulldress.facts import AnyFact, Interface, Witness
from fulldress.package.reader import Member
from fulldress.patterns import regex

_TOKEN = regex(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)|(?P<word>[A-Za-z_.][\w.]*)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?P<number>-?\d[\w.+-]*)|(?P<sign>.)""",
    re.S,
)
_DEEPEST = 4  #: levels of messages in messages; what lies deeper is compared by the name of its type
_MOST = 600  #: parts of one shape
CUT = "and more:=cut"  #: stands in a shape that has more parts; two of them are compared as far as they go
_LABELS = ("optional", "required", "repeated")


class Unreadable(Exception):
    """A file that is not what it says; the message says why."""


class _Field(msgspec.Struct, frozen=True):
    name: str
    number: int
    type: str
    label: str


class _Method(msgspec.Struct, frozen=True):
    service: str
    name: str
    takes: str
    gives: str
    line: int
    deprecated: bool


class _File:
    """Messages and methods of one file; names are full names."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self.package = ""
        self.messages: dict[str, list[_Field]] = {}
        self.methods: list[_Method] = []
        while self._at < len(self._tokens):
            self._statement("")

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise Unreadable("it ends in the middle of a definition")
        self._at += 1
        return self._tokens[self._at - 1][0]

    def _statement(self, scope: str) -> None:
        word = self._next()
        if word == "package":
            self.package = self._next()
            self._rest()
        elif word == "message":
            self._message(scope)
        elif word == "service":
            self._service()
        else:  # syntax, edition, import, option, enum, extend: nothing of a shape
            self._rest()

    def _rest(self) -> None:
        """To the end of a statement: its semicolon, or the end of its block."""
        depth = 0
        while self._at < len(self._tokens):
            sign = self._next()
            if sign in "{[(" and sign:
                depth += 1
            elif sign in "}])" and sign:
                depth -= 1
                if depth <= 0 and sign == "}":
                    return
            elif sign == ";" and depth <= 0:
                return

    def _message(self, scope: str) -> None:
        # one loop over all levels: a file may nest deeper than Python recurses
        scopes = [self._open(scope)]
        plain = 0  # blocks that are part of the message around them: oneof
        while scopes:
            word = self._next()
            if word == "}":
                if plain:
                    plain -= 1
                else:
                    scopes.pop()
            elif word in ("message", "group"):
                scopes.append(self._open(scopes[-1]))
            elif word == "oneof":
                self._next()
                if self._next() == "{":
                    plain += 1
            elif word in ("enum", "option", "reserved", "extensions", "extend"):
                self._rest()
            elif word != ";":
                self._field(scopes[-1], word)

    def _open(self, scope: str) -> str:
        name = self._next()
        full = f"{scope}.{name}" if scope else name
        self.messages.setdefault(full, [])
        while self._peek() not in ("{", ""):
            self._next()
        self._next()
        return full

    def _field(self, message: str, word: str) -> None:
        label = word if word in _LABELS else ""
        type_ = self._next() if label else word
        if type_ == "group":
            self._at -= 1
            return
        if type_ == "map" and self._peek() == "<":
            while (part := self._next()) != ">":
                type_ += part
            type_ += ">"
        name = self._next()
        if self._next() != "=":
            self._rest()
            return
        number = self._next()
        self.messages[message].append(_Field(name, _number(number), type_, label))
        if self._peek() == "[":
            self._rest()
        elif self._peek() == ";":
            self._next()

    def _service(self) -> None:
        service = self._next()
        if self._next() != "{":
            self._rest()
            return
        while (word := self._next()) != "}":
            if word != "rpc":
                self._rest()
                continue
            line = self._tokens[self._at - 1][1]
            name = self._next()
            takes = self._message_of()
            if self._next() != "returns":
                raise Unreadable(f"rpc {name} returns nothing")
            gives = self._message_of()
            deprecated = False
            if self._peek() == "{":
                begin = self._at
                self._rest()
                options = [token for token, _ in self._tokens[begin : self._at]]
                deprecated = "deprecated" in options and options[options.index("deprecated") + 2 :][:1] == ["true"]
            elif self._peek() == ";":
                self._next()
            self.methods.append(_Method(service, name, takes, gives, line, deprecated))

    def _message_of(self) -> str:
        """``(stream pkg.Message)``; a stream is told in the type."""
        words = []
        self._next()
        while (word := self._next()) != ")":
            words.append(word)
        return " ".join(words)


def read(member: Member) -> Iterator[AnyFact]:
    """Interfaces in the order of the file. Raises :class:`Unreadable`."""
    file = _File(member.text)
    for method in file.methods:
        service = f"{file.package}.{method.service}" if file.package else method.service
        operation = f"POST /{service}/{method.name}"
        yield Interface(
            witness=Witness.READ,
            evidence=member.evidence(method.line, 0, f"rpc {method.name}({method.takes}) returns ({method.gives})"),
            kind="grpc",
            operation=operation,
            version=file.package,
            deprecated=method.deprecated,
            shape=tuple(sorted({*_shape(file, "body", method.takes), *_shape(file, "200", method.gives)})),
        )


def _shape(file: _File, place: str, type_: str) -> Iterator[str]:
    name = type_.removeprefix("stream ").lstrip(".")
    yield f"{place}:=stream {name}" if type_.startswith("stream ") else f"{place}:={name}"
    for number, (field, kind, required) in enumerate(_fields(file, name, "", 0, ())):
        if number >= _MOST:
            yield CUT
            return
        yield f"{place}:{field}{'' if required else '?'}={kind}"


def _fields(
    file: _File, message: str, prefix: str, depth: int, trail: tuple[str, ...]
) -> Iterator[tuple[str, str, bool]]:
    full = _resolve(file, message, trail[-1] if trail else "")
    if full is None or full in trail or depth > _DEEPEST:
        return
    for field in file.messages[full]:
        many = "[]" if field.label == "repeated" else ""
        yield f"{prefix}{field.name}#{field.number}", f"{field.type}{many}", field.label == "required"
        yield from _fields(file, field.type, f"{prefix}{field.name}{many}.", depth + 1, (*trail, full))


def _resolve(file: _File, name: str, scope: str) -> str | None:
    """The full name of a message of this file, from the innermost scope outwards; None for one of another file."""
    name = name.lstrip(".")
    if file.package and name.startswith(f"{file.package}."):
        name = name[len(file.package) + 1 :]
    while scope:
        if f"{scope}.{name}" in file.messages:
            return f"{scope}.{name}"
        scope = scope.rpartition(".")[0]
    return name if name in file.messages else None


def _number(text: str) -> int:
    """A field's number: decimal, hexadecimal or octal, as in C; 0 for what is none."""
    octal = len(text) > 1 and text[0] == "0" and text.isdigit()
    try:
        return int(text, 8 if octal else 0)
    except ValueError:
        return 0


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    """Tokens with their lines; comments and blanks left out."""
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "skip":
            yield match[0], line
        line += match[0].count("\n")
