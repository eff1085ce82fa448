"""Batch files as cmd.exe reads them: commands, groups, ``if``, ``for``, labels; variables are not filled in here.

cmd.exe has no grammar beyond this: it takes a line, cuts it at operators that are neither quoted nor escaped by ``^``, and
only then looks at the words.
"""

from __future__ import annotations

import re

import msgspec

from fulldress.patterns import regex


class Simple(msgspec.Struct, frozen=True):
    """One command with its redirections, as it stands."""

    line: int
    text: str
    operator: str = ""  #: what joins it to the command before: ``|``, ``&&``, ``||``, ``&``


class Group(msgspec.Struct, frozen=True):
    line: int
    body: tuple[Statement, ...]
    rest: str = ""  #: redirections after the closing parenthesis


class If(msgspec.Struct, frozen=True):
    line: int
    condition: str
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()


class For(msgspec.Struct, frozen=True):
    line: int
    options: str
    variable: str
    source: str
    body: tuple[Statement, ...]


class Label(msgspec.Struct, frozen=True):
    line: int
    name: str


Statement = Simple | Group | If | For | Label
_DEPTH = 40
_IF = regex(
    r"""(?ix)@?if\s+ (?:/i\s+)? (not\s+)? (?:/i\s+)?
    ( exist\s+(?:"[^"]*"|\S+) | defined\s+\S+ | errorlevel\s+\S+ | cmdextversion\s+\S+
    | (?:"[^"]*"|[^\s"=(]|\((?!\s*$))*? \s*==\s* (?:"[^"]*"[^\s"&|)]*|[^\s"&|(]+)
    | (?:"[^"]*"|\S+)\s+(?:equ|neq|lss|leq|gtr|geq)\s+(?:"[^"]*"|[^\s(]+) ) \s*"""
)
_FOR = regex(r"(?is)@?for\s+((?:/[dflr]\s+)?(?:\"[^\"]*\"\s+|[^\s%\"]\S*\s+)?)%%?(\S)\s+in\s*\((.*?)\)\s*do\b\s*")


def parse(text: str) -> tuple[list[Statement], bool]:
    """The statements of a file, and whether every parenthesis was closed."""
    scanner = _Scanner(text)
    found = scanner.statements(0)
    return found, scanner.balanced


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.at = 0
        self.line = 1
        self.balanced = True

    def _move(self, to: int) -> None:
        self.line += self.text.count("\n", self.at, to)
        self.at = to

    def _blank(self, marks: str) -> None:
        at = self.at
        while at < len(self.text) and self.text[at] in marks:
            at += 1
        self._move(at)

    def statements(self, depth: int) -> list[Statement]:
        found: list[Statement] = []
        operator = ""
        while True:
            self._blank(" \t\n@,;=" if not operator else " \t@")
            if self.at >= len(self.text):
                if depth:
                    self.balanced = False
                return found
            mark = self.text[self.at]
            if mark == ")":
                self._move(self.at + 1)
                if depth:
                    return found
                end = self.text.find("\n", self.at)  # a stray one: the rest of the line is a remark
                self._move(len(self.text) if end < 0 else end)
                continue
            if mark in "&|":
                end = self.at + (2 if self.text[self.at : self.at + 2] in ("&&", "||") else 1)
                operator = self.text[self.at : end]
                self._move(end)
                continue
            found += self.statement(depth, operator)
            operator = ""

    def statement(self, depth: int, operator: str = "") -> list[Statement]:
        line = self.line
        rest = self.text[self.at : self.at + 4000]
        if rest.startswith(":"):
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end
            name = self.text[self.at + 1 : end].strip()
            self._move(end)
            return [] if name.startswith(":") or not name else [Label(line, re.split(r"[\s:+]", name)[0].lower())]
        if re.match(r"(?i)rem\b", rest):
            end = self.text.find("\n", self.at)
            self._move(len(self.text) if end < 0 else end)
            return []
        if rest.startswith("(") and depth < _DEPTH:
            self._move(self.at + 1)
            body = tuple(self.statements(depth + 1))
            start = self.at
            match = re.compile(r"[ \t]*(?:\d?>>?[ \t]*(?:\"[^\"\n]*\"|[^\s&|)]+)[ \t]*)*").match(self.text, self.at)
            self._move(match.end() if match else self.at)
            return [Group(line, body, self.text[start : self.at].strip())]
        match = _IF.match(rest) if rest[:2].lower() == "if" else None
        if match and depth < _DEPTH:
            self._move(self.at + match.end())
            one = self._one(depth)
            otherwise: list[Statement] = []
            after = re.compile(r"[ \t\n]*else\b[ \t]*" if one and isinstance(one[-1], Group) else r"[ \t]*else\b[ \t]*", re.I).match(self.text, self.at)  # fmt: skip
            if after:
                self._move(after.end())
                otherwise = self._one(depth)
            return [If(line, ((match[1] or "") + match[2]).strip(), tuple(one), tuple(otherwise))]
        match = _FOR.match(rest) if rest[:3].lower() == "for" else None
        if match and depth < _DEPTH:
            self._move(self.at + match.end())
            return [For(line, match[1].strip(), match[2], match[3].strip(), tuple(self._one(depth)))]
        return [Simple(line, self._command(depth), operator)]

    def _one(self, depth: int) -> list[Statement]:
        """One statement and what is joined to it on the same line."""
        self._blank(" \t@")
        found: list[Statement] = []
        operator = ""
        while self.at < len(self.text) and self.text[self.at] not in "\n)":
            if self.text[self.at] in "&|":
                end = self.at + (2 if self.text[self.at : self.at + 2] in ("&&", "||") else 1)
                operator = self.text[self.at : end]
                self._move(end)
                self._blank(" \t@")
                continue
            if re.compile(r"else\b", re.I).match(self.text, self.at) and found:
                break
            found += self.statement(depth, operator)
            operator = ""
            self._blank(" \t")
        return found

    def _command(self, depth: int) -> str:
        """The text of one command, up to an operator; ``^`` at the end of a line goes on with the next."""
        found: list[str] = []
        at, quoted = self.at, False
        text = self.text
        while at < len(text):
            mark = text[at]
            if mark == "\n":
                break
            if mark == '"':
                quoted = not quoted
            elif mark == "^" and not quoted and at + 1 < len(text):
                if text[at + 1] != "\n":
                    found.append("^" + text[at + 1])
                at += 2
                continue
            elif not quoted and (mark == "|" or (mark == "&" and not _is_merge(text, at)) or (mark == ")" and depth)):
                break
            found.append(mark)
            at += 1
        if at == self.at:  # always forward
            at += 1
        self._move(at)
        return "".join(found).strip()


def _is_merge(text: str, at: int) -> bool:
    """Whether ``&`` belongs to ``2>&1``."""
    return at > 0 and text[at - 1] in "<>"


_WORD = regex(r'(?:[^\s"^,;=]|\^.|"[^"]*(?:"|$)|=)+|[,;]', re.S)
_REDIRECT = regex(r'(?<!\^)(?:(?<![^\s"])([0-9]))?(>>?|<)\s*(&\d|"[^"]*"|(?:[^\s"&|<>^]|\^.)+)')


def redirections(text: str) -> tuple[str, list[tuple[str, str, str]]]:
    """A command without its redirections, and these: descriptor, operator, target."""
    spans = [(m.start(), m.end()) for m in re.finditer(r'"[^"]*"', text)]
    found: list[tuple[str, str, str]] = []
    kept, last = [], 0
    for match in _REDIRECT.finditer(text):
        if any(start < match.start() < end for start, end in spans):
            continue
        found.append((match[1] or "", match[2], match[3].strip('"')))
        kept.append(text[last : match.start()])
        last = match.end()
    return "".join([*kept, text[last:]]).rstrip(), found


#: Stands for ``\\"`` inside of quotes, which the program and not cmd.exe reads as a quote: ``binPath= "\\"C:\\a b.exe\\" /s"``.
_QUOTE = "\x1f"


def words(text: str) -> list[str]:
    """The words of a command: quotes hold together and are taken off, ``^x`` is ``x``, a backslash is no escape."""
    found = []
    marked = (
        re.sub(r'"\\"|\\"(?=\s+[^\s"]|"(?:\s|$))', lambda match: match[0].replace('\\"', _QUOTE), text)
        if '"\\"' in text
        else text
    )
    for match in _WORD.finditer(marked):
        word = re.sub(r"\^(.)", r"\1", match[0]) if '"' not in match[0] else match[0]
        if word not in (",", ";"):
            found.append(word.replace('"', "").replace(_QUOTE, '"'))
    return found
