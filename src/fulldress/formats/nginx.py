"""``key value;`` and ``block { … }``, as nginx, BIND and rsyslog's old kin have them.

A block's name is its first word; the second block of that name beside it is ``server[1]``. A directive that stands twice
yields two keys of the same name. Source: nginx, "Beginner's Guide", "Configuration File's Structure".
"""

from __future__ import annotations

import re
from collections import Counter

from fulldress.formats.place import Broken, Place, like, newline, unquoted
from fulldress.patterns import regex

_TOKEN = regex(r"""\s+|\#[^\n]*|//[^\n]*|/\*.*?\*/|(?P<mark>[{};])|(?P<word>(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\$\{\w+\}|\\.|[^\s;{}"'\\])+)""", re.X | re.S)  # fmt: skip


class _Block:
    def __init__(self, name: str, start: int) -> None:
        self.name = name
        self.start = start
        self.seen: Counter[str] = Counter()


def scan(text: str) -> list[Place]:
    places: list[Place] = []
    stack = [_Block("", 0)]
    words: list[re.Match[str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Broken(text.count("\n", 0, at) + 1, f"unexpected {text[at]!r}")
        at = match.end()
        mark = match["mark"]
        if match["word"]:
            words.append(match)
        elif mark == ";" and words:
            places.append(_directive(stack[-1].name, words, text, at))
            words = []
        elif mark == "{":
            if len(stack) > 100:
                raise Broken(text.count("\n", 0, at) + 1, "blocks nested more than 100 deep")
            name = words[0]["word"] if words else "block"
            stack[-1].seen[name] += 1
            if (count := stack[-1].seen[name]) > 1:
                name = f"{name}[{count - 1}]"
            start = words[0].start() if words else match.start()
            stack.append(_Block(_join(stack[-1].name, name), start))
            words = []
        elif mark == "}":
            if len(stack) == 1 or words:
                problem = "a directive without ;" if words else "} closes nothing"
                raise Broken(text.count("\n", 0, match.start()) + 1, problem)
            block = stack.pop()
            places.append(
                Place(
                    name=block.name,
                    start=block.start,
                    end=at,
                    value_start=match.start(),
                    value_end=match.start(),
                    leaf=False,
                )
            )
    if words or len(stack) > 1:
        problem = "the last directive has no ;" if words else f"block {stack[-1].name} is never closed"
        raise Broken(text.count("\n") + 1, problem)
    return places


def _directive(block: str, words: list[re.Match[str]], text: str, end: int) -> Place:
    start, stop = (words[1].start(), words[-1].end()) if len(words) > 1 else (words[0].end(), words[0].end())
    raw = text[start:stop]
    return Place(
        name=_join(block, words[0]["word"]),
        value=unquoted(raw),
        start=words[0].start(),
        end=end,
        value_start=start,
        value_end=stop,
    )


def _join(block: str, name: str) -> str:
    return f"{block}.{name}" if block else name


def write(value: str, old: str) -> str:
    return like(old, value)


def insert(text: str, places: list[Place], key: str, value: str) -> str:
    """Before the closing brace of its block; at the end for a key of the outermost level."""
    blocks = [place for place in places if not place.leaf and key.startswith(f"{place.name}.")]
    eol = newline(text)
    if not blocks:
        return f"{text}{'' if not text or text.endswith(chr(10)) else eol}{key} {value};{eol}"
    block = max(blocks, key=lambda place: len(place.name))
    at = block.value_start
    head, indent = text[:at].rstrip(" \t"), "    " * (block.name.count(".") + 1)
    closing = text[len(head) : at]
    lead = "" if head.endswith("\n") else eol
    return f"{head}{lead}{indent}{key[len(block.name) + 1 :]} {value};{eol}{closing}{text[at:]}"
