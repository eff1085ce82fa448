"""SQL text into statements, without a parser.

The lexical rules are PostgreSQL's (manual, "Lexical Structure"): nested comments, ``E''`` strings, dollar quotes, bodies
in ``BEGIN ATOMIC … END``. Back-ticks and ``BEGIN … END`` bodies of triggers are read for the sake of MySQL and SQLite.
What is cut apart is sent on unchanged, so nothing is ever rewritten here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from fulldress.patterns import regex

_TOKEN = regex(
    r"""
      (?P<word>(?![eE]')[^\W\d][\w$]*)
    | (?P<space>(?>\s+|--[^\n]*)+)
    | (?P<block>/\*)
    | (?P<escape>[eE]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*(?:'|\Z))
    | (?P<string>'[^']*(?:''[^']*)*(?:'|\Z))
    | (?P<quoted>"[^"]*(?:""[^"]*)*(?:"|\Z)|`[^`]*(?:`|\Z))
    | (?P<dollar>\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<letter>[^\W\d][\w$]*)  # an E whose string has no end
    | (?P<semicolon>;)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<meta>\\[^\n]*)
    | (?P<other>\d[\w.]*|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK = regex(r"/\*|\*/")
#: MySQL's and MariaDB's comments that their servers run: ``/*!50001 DROP TABLE x */``.
_CODE = regex(r"/\*M?!\d{0,6}")
_BODIED = {"FUNCTION", "PROCEDURE", "TRIGGER"}
_COPY_DATA = regex(r"(?ims)(^[ \t]*COPY\b[^;]*\bFROM\s+STDIN\b[^;]*;[^\n]*\n)(.*?)^\\\.[ \t]*\r?$")
_DELIMITER = regex(r"(?im)^[ \t]*delimiter[ \t]+(\S+)[ \t]*\r?$")


class Statement(NamedTuple):
    """One statement as it stands in the text, its semicolon included.

    ``bare`` is the same without comments, with words in upper case, one blank between tokens and every literal reduced
    to ``''``: the form that rules look at. ``offset`` counts characters, ``line`` from 1, both at the first token."""

    text: str
    bare: str
    offset: int
    line: int
    meta: bool = False  #: a command of psql (``\\i file``), not SQL
    body: str = ""  #: text between the first pair of dollar quotes
    shown: str = ""  #: what stands in the file where the statement was translated from a program's call

    @property
    def verb(self) -> str:
        return self.bare.partition(" ")[0]


def without_data(text: str) -> str:
    """The script with the rows of its ``COPY … FROM stdin`` blanked out, lines kept: they are no statements."""
    if "\n\\." not in text:
        return text
    return _COPY_DATA.sub(lambda match: match[1] + "\n" * match[2].count("\n"), text)


def statements(text: str) -> Iterator[Statement]:
    """The statements of ``text`` in order. Comments between statements belong to none of them."""
    if _DELIMITER.search(text):
        yield from _delimited(text)
        return
    yield from _plain(text, 0, 1)


def _plain(text: str, base: int, line: int) -> Iterator[Statement]:
    position, length = 0, len(text)
    start, start_line, counted = -1, line, 0
    bare: list[str] = []
    parentheses = depth = 0
    body, conditional = "", False
    while position < length:
        match = _TOKEN.match(text, position)
        assert match is not None  # the last alternative takes any character  # noqa: S101
        kind, token, end = match.lastgroup, match.group(), match.end()
        if kind == "tag":  # the inner group of a dollar quote is the last one that closed
            kind = "dollar"
        if kind == "block":
            code = _CODE.match(text, position)
            conditional = bool(code)
            position = code.end() if code else _comment_end(text, end)
            continue
        if kind == "space":
            position = end
            continue
        if conditional and text.startswith("*/", position):
            conditional = False
            position += 2
            continue
        if start < 0 and kind != "semicolon":
            start_line += text.count("\n", counted, position)
            start = counted = position
        if kind == "meta" and not bare:
            yield Statement(token.rstrip(), token.strip(), base + position, start_line, meta=True)
            start = -1
            position = end
            continue
        if kind == "semicolon" and parentheses <= 0 and depth == 0:
            if bare:
                yield Statement(text[start:end], " ".join(bare), base + start, start_line, body=body)
            bare, start, parentheses, body = [], -1, 0, ""
            position = end
            continue
        if kind == "word" or kind == "letter":
            word = token.upper()
            if word in ("BEGIN", "CASE", "END") and bare and bare[0] == "CREATE" and not _BODIED.isdisjoint(bare[1:5]):
                if word == "END":
                    depth = max(depth - 1, 0)
                elif word == "BEGIN" or depth:
                    depth += 1
            bare.append(word)
        elif kind in ("string", "escape", "dollar"):
            bare.append("''")
            if kind == "dollar" and not body:
                tag = len(match["tag"]) + 2
                body = token[tag:-tag]
        else:
            parentheses += (kind == "open") - (kind == "close")
            bare.append(token)
        position = end
    if bare:
        yield Statement(text[start:].rstrip(), " ".join(bare), base + start, start_line, body=body)


def offset_of(statement: Statement, at: int) -> int:
    """Where in the statement's text the token stands that begins at character ``at`` of its bare form."""
    text, position, seen = statement.text, 0, 0
    while position < len(text) and at:
        match = _TOKEN.match(text, position)
        assert match is not None  # the last alternative takes any character  # noqa: S101
        kind = match.lastgroup
        if kind == "block":
            code = _CODE.match(text, position)
            position = code.end() if code else _comment_end(text, match.end())
            continue
        if kind == "other" and text.startswith("*/", position):
            position += 2
            continue
        if kind != "space":
            if seen >= at:
                return position
            literal = kind in ("string", "escape", "dollar", "tag")
            seen += 3 if literal else len(match.group().upper() if kind in ("word", "letter") else match.group()) + 1
        position = match.end()
    return 0


def _comment_end(text: str, position: int) -> int:
    """Where a block comment ends; PostgreSQL nests them. An open one reaches to the end."""
    depth = 1
    for match in _BLOCK.finditer(text, position):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)


def _delimited(text: str) -> Iterator[Statement]:
    """Statements of a MySQL script that changes its delimiter around bodies with semicolons."""
    delimiter, position = ";", 0
    for match in [*_DELIMITER.finditer(text), None]:
        end = match.start() if match else len(text)
        part, line = text[position:end], text.count("\n", 0, position) + 1
        if delimiter == ";":
            yield from _plain(part, position, line)
        else:
            offset = 0
            for piece in part.split(delimiter):
                found = next(_plain(piece, position + offset, line + part.count("\n", 0, offset)), None)
                if found:
                    whole = " ".join(s.bare for s in _plain(piece, 0, 1))
                    yield found._replace(text=piece.strip(), bare=whole, body=piece)
                offset += len(piece) + len(delimiter)
        if match:
            delimiter, position = match[1], match.end()
