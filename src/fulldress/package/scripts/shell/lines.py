"""Plain line rules, for what no grammar covers: lines are cut into commands at ``;``, ``|``, ``&&`` and keywords."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import msgspec

from fulldress.patterns import regex

_HEREDOC = regex(r"<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")
_KEYWORDS = frozenset(
    [
        "if",
        "then",
        "else",
        "elif",
        "fi",
        "do",
        "done",
        "while",
        "until",
        "for",
        "in",
        "case",
        "esac",
        "{",
        "}",
        "(",
        ")",
        "!",
        "function",
    ]
)
_ASSIGNMENT = regex(r"([A-Za-z_]\w*)=(.*)", re.S)
_OPERATORS = ("&&", "||", ";", "|", "&", ";;", "|&", "(", ")", "{", "}")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One command of a line."""

    number: int
    text: str
    words: tuple[str, ...] = ()
    assignments: tuple[tuple[str, str], ...] = ()
    writes: tuple[tuple[str, bool], ...] = ()
    stdin: str | None = None
    fed: bool = False
    piped_from: str = ""
    guessed: bool = False  #: its quotes do not fit together; cut at white space


def commands(text: str) -> Iterator[Line]:
    """The commands of ``text``, by line from 1; bodies of here-documents are their input, comments are left out."""
    rows = text.split("\n")
    index = 0
    while index < len(rows):
        number, line = index + 1, rows[index]
        index += 1
        while line.endswith("\\") and index < len(rows):
            line = line[:-1] + " " + rows[index]
            index += 1
        stdin: str | None = None
        document = _HEREDOC.search(line)
        if document and "<<<" not in line:
            body: list[str] = []
            while index < len(rows) and rows[index].strip() != document[2]:
                body.append(rows[index])
                index += 1
            index += 1
            stdin = "\n".join(body) + "\n"
            line = line[: document.start()] + line[document.end() :]
        if line.strip() and not line.lstrip().startswith("#"):
            yield from _split(number, line, stdin)


def _split(number: int, line: str, stdin: str | None) -> Iterator[Line]:
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        parts = list(lexer)
        guessed = False
    except ValueError:  # an unbalanced quote, e.g. of a text over several lines
        parts = re.sub(r"[\"']", "", line).split()
        guessed = True
    piped_from, current = "", []
    for part in [*parts, ";"]:
        if part not in _OPERATORS and not re.fullmatch(r"[;|&()]+", part):
            current.append(part)
            continue
        found = _command(number, line, current, stdin, piped_from)
        found = msgspec.structs.replace(found, guessed=guessed) if found is not None and guessed else found
        if found is not None:
            yield found
        piped_from = found.words[0] if found and found.words and part.startswith("|") and part != "||" else ""
        current = []


def _command(number: int, line: str, parts: list[str], stdin: str | None, piped_from: str) -> Line | None:
    words: list[str] = []
    assignments: list[tuple[str, str]] = []
    writes: list[tuple[str, bool]] = []
    skip = looped = False
    for index, part in enumerate(parts):
        if skip:
            skip = False
        elif part in (">", ">>", "<", "&>", ">|"):
            target = parts[index + 1] if index + 1 < len(parts) else ""
            descriptor = words and words[-1] in ("1", "2")
            to_error = bool(descriptor and words[-1] == "2")
            if descriptor:
                words.pop()
            if part != "<" and target and not to_error and not target.startswith(("/dev/", "&")):
                writes.append((target, part == ">>"))
            skip = True
        elif not words and part in _KEYWORDS:
            looped = looped or part in ("while", "until")
        elif not words and (match := _ASSIGNMENT.fullmatch(part)):
            assignments.append((match[1], match[2]))
        else:
            words.append(part)
    if not (words or assignments or writes):
        return None
    return Line(
        number=number,
        text=line.strip(),
        words=tuple(words),
        assignments=tuple(assignments) if not words else (),
        writes=tuple(writes),
        stdin=stdin,
        fed=stdin is not None or bool(piped_from) or looped,  # a loop's read goes over a file or a pipe
        piped_from=piped_from,
    )
