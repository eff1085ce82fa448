"""What an awk program runs and writes: ``system(…)``, ``print > FILE``, ``print | COMMAND``, ``COMMAND | getline``.

Strings that stand beside each other are joined; variables are those of ``-v`` and of the operands, all else is a hole.
Source: POSIX, awk, "Output Statements" and "Input/Output and General Functions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fulldress.package.scripts.values import hole, is_constant
from fulldress.patterns import regex

NAMES = frozenset({"awk", "gawk", "mawk", "nawk", "original-awk"})
_VALUES = "vfFeiEld"
_TOKEN = regex(
    r'(?P<space>[ \t\r]+|\\\r?\n|#[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<name>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)|'
    r"(?P<sign>>>|\|&|&&|\|\||[<>=!+*/%^-]=|\n|.)",
    re.S,
)
_REGEX = regex(r"/(?:\\.|\[[^\]\n]*\]|[^/\\\n])*/")
_STOPS = frozenset({";", "\n", "{", "}"})
_KEYWORDS = frozenset(
    "while if else for do print printf return BEGIN END in getline next exit delete function".split()  # noqa: SIM905
)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "/": "/"}


class Effect(msgspec.Struct, frozen=True):
    """A command that the program runs, or a file that it writes."""

    runs: str = ""  #: may be a hole alone, where nothing of the command is known
    printed: str | None = None  #: what the command reads, where that is known
    writes: str = ""
    appends: bool = False
    row: int = 0  #: rows below the first one of the program


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    row: int


def program(words: tuple[str, ...]) -> tuple[str, str, dict[str, str]]:
    """The program of ``awk WORDS``, or the file that holds it, and the variables that the words set."""
    text = file = ""
    given: dict[str, str] = {}
    rest = list(words)
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        word = rest.pop(0)
        if word == "--":
            break
        letter = (
            word[1]
            if not word.startswith("--")
            else {"--assign": "v", "--file": "f", "--source": "e"}.get(word.partition("=")[0], "")
        )
        if not letter or letter not in _VALUES:
            continue
        value = word[2:] if not word.startswith("--") else word.partition("=")[2]
        value = value or (rest.pop(0) if rest else "")
        if letter == "v":
            name, _, assigned = value.partition("=")
            given[name] = assigned
        elif letter in "fE":
            file = value
        elif letter == "e":
            text += value + "\n"
    if not text and not file and rest:
        text = rest.pop(0)
    for word in rest:
        name, equals, assigned = word.partition("=")
        if equals and name.isidentifier():
            given.setdefault(name, assigned)
    return text, file, given


def effects(text: str, given: dict[str, str]) -> Iterator[Effect]:
    tokens = _tokens(text)
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "name" and token.text == "system" and _text(tokens, at + 1) == "(":
            end = _closing(tokens, at + 1)
            yield Effect(
                runs=_joined(tokens[at + 2 : end], given) or hole("a program that awk puts together"), row=token.row
            )
        elif token.kind == "name" and token.text in ("print", "printf"):
            yield from _printed(tokens, at + 1, given)
        elif token.text in ("|", "|&") and _text(tokens, at + 1) == "getline":
            begin = at
            while begin and (tokens[begin - 1].kind in ("string", "number") or _is_plain(tokens[begin - 1])):
                begin -= 1
            if command := _joined(tokens[begin:at], given):
                yield Effect(runs=command, row=token.row)
        at += 1


def _is_plain(token: _Token) -> bool:
    return token.text == "$" or (token.kind == "name" and token.text not in _KEYWORDS)


def _printed(tokens: list[_Token], at: int, given: dict[str, str]) -> Iterator[Effect]:
    """Where the statement's output goes; ``>`` inside parentheses compares."""
    depth = 0
    sign: _Token | None = None
    printed: list[_Token] = []
    target: list[_Token] = []
    while at < len(tokens):
        token = tokens[at]
        depth += (token.text in "([" and token.kind == "sign") - (token.text in ")]" and token.kind == "sign")
        if depth < 0 or (not depth and token.text in _STOPS and token.kind == "sign"):
            if token.text != "\n" or tokens[at - 1].text != ",":
                break
        elif sign is None and not depth and token.kind == "sign" and token.text in (">", ">>", "|", "|&"):
            sign = token
        elif sign is not None:
            target.append(token)
        else:
            printed.append(token)
        at += 1
    text = _joined(target, given)
    if sign is None or not text:
        return
    if sign.text in (">", ">>"):
        yield Effect(writes=text, appends=sign.text == ">>", row=sign.row)
    else:
        known = _joined(printed, given)
        yield Effect(runs=text, printed=f"{known}\n" if known and is_constant(known) else "", row=sign.row)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = row = 0
    while at < len(text):
        operand = bool(found) and (found[-1].kind in ("string", "name", "number") or found[-1].text in (")", "]", "$"))
        keyword = bool(found) and found[-1].kind == "name" and found[-1].text in _KEYWORDS
        expression = _REGEX.match(text, at) if text[at] == "/" and (not operand or keyword) else None
        match = expression or _TOKEN.match(text, at)
        if match is None:  # cannot be: the last alternative takes any character
            break
        kind = "regex" if expression else match.lastgroup or ""
        if kind != "space":
            found.append(_Token(kind, match[0], row))
        row += match[0].count("\n")
        at = match.end()
    return found


def _text(tokens: list[_Token], at: int) -> str:
    return tokens[at].text if at < len(tokens) else ""


def _closing(tokens: list[_Token], at: int) -> int:
    depth = 0
    for index in range(at, len(tokens)):
        if tokens[index].kind == "sign":
            depth += (tokens[index].text == "(") - (tokens[index].text == ")")
        if not depth:
            return index
    return len(tokens)


def _joined(tokens: list[_Token], given: dict[str, str]) -> str:
    """The text that the tokens make beside each other; empty where nothing of it is known."""
    parts: list[str] = []
    index = 0
    while index < len(tokens):
        token, after = tokens[index], _text(tokens, index + 1)
        if token.kind == "string":
            parts.append(re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), token.text[1:-1]))
        elif token.kind == "name" and after in ("[", "("):
            end = index + 1
            while end < len(tokens) and tokens[end].text not in ("]", ")"):
                end += 1
            inner = tokens[index + 2].text.strip('"') if index + 2 < len(tokens) else ""
            parts.append(hole(inner if token.text == "ENVIRON" else f"{token.text}{after}…"))
            index = end
        elif token.kind == "name":
            parts.append(given.get(token.text, hole(token.text)))
        elif token.text == "$":
            parts.append(hole(f"${after}"))
            index += 1
        elif token.kind == "number":
            parts.append(token.text)
        elif token.text not in ("(", ")"):
            parts.append(hole("…"))
        index += 1
    text = "".join(parts)
    return text if any(is_constant(part) and part.strip() for part in parts) else ""
