"""SQL inside SQL: the bodies of ``DO`` blocks and of routines that the same scripts call, and what ``EXECUTE`` puts together.

Constants are followed through ``||``, ``format()``, ``concat()``, ``quote_ident()``, the variables of PL/pgSQL and those
of a MySQL session (``SET @s = …; PREPARE p FROM @s; EXECUTE p``). What is not constant is left to the caller to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from fulldress.package.migrations.sql import Statement, statements
from fulldress.patterns import regex

_TERM = regex(
    r"""\s*(?:(?P<string>[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*')|\$(?P<tag>\w*)\$(?P<dollar>.*?)\$(?P=tag)\$"""
    r"""|(?P<call>quote_ident|quote_literal|quote_nullable|format|concat)\s*\(|(?P<name>@?[a-z_]\w*)|(?P<open>\())\s*"""
    r"""(?:::\s*(?:text|name|varchar|regclass)\b\s*)?""",
    re.S | re.I,
)
#: ``v text := …`` and ``v := …`` of PL/pgSQL, ``SET v = …`` and ``SET @v := …`` of MySQL; where the value begins.
_SET = regex(
    r"(?i)(?:\bSET\s+(?P<mysql>@?[a-z_]\w*)\s*:?=|(?<![\w@.])(?P<name>[a-z_]\w*)(?:\s+CONSTANT)?"
    r"(?:\s+(?:text|varchar|character varying|name|regclass)(?:\s*\(\d+\))?\s*(?::=|=|\bDEFAULT\b)|\s*:=))"
)
#: What else gives a variable a value, which nobody knows.
_FILLED = regex(r"(?i)\bINTO\s+(?:STRICT\s+)?(@?[a-z_]\w*(?:\s*,\s*@?[a-z_]\w*)*)|\bFOR(?:EACH)?\s+([a-z_]\w*)\s+")
_EXECUTE = regex(r"(?i)\bEXECUTE\s+(?:IMMEDIATE\s+)?")
_PREPARE = regex(r"(?i)^\s*PREPARE\s+(\w+)\s+FROM\s+")
_BRANCH = regex(r"(?i)\b(?:IF|CASE|LOOP|WHILE|FOREACH|EXCEPTION)\b")
_PLAIN_DO = regex(r"(?is)^\s*DO\s+(?:LANGUAGE\s+\S+\s+)?(?P<body>[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*')")
_ROUTINE = regex(
    r"(?is)^\s*CREATE\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?(?:DEFINER\s*=\s*\S+\s+)?(?:FUNCTION|PROC(?:EDURE)?)\s+"
    r"(?:IF\s+NOT\s+EXISTS\s+)?(?:[\w\"`\[\]]+\s*\.\s*)?[\"`\[]?(?P<name>\w+)"
)
_LANGUAGE = regex(r"(?i)\bLANGUAGE\s+['\"]?([a-z]\w*)")
_CALLS = regex(r"(?i)\b(\w+)\s*\(|\b(?:CALL|EXEC)\s+(?:\w+\.)?[`\"]?(\w+)")
_TRIGGERED = regex(r"(?i)\bRETURNS\s+(?:TRIGGER|EVENT_TRIGGER)\b")
_DEFINES = frozenset({"CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE"})
_ALTERNATIVES = 16  #: values of one variable
_MOST = 200  #: parts of one expression
_LONGEST = 1 << 17  #: characters of a body that is looked into for the values of variables

Known = dict[str, list[str] | None]  #: values of a variable, None: not known


class NotConstant(Exception):
    """The text is only known when the statement runs."""


def body(statement: Statement) -> str:
    """The body of a DO block, in dollar quotes or in plain ones; empty for anything else."""
    if statement.verb != "DO":
        return ""
    match = None if statement.body else _PLAIN_DO.match(statement.text)
    return statement.body or (_unquoted(match["body"]) if match else "")


def routine(statement: Statement) -> tuple[str, str]:
    """Name, in lower case, and body of the function or procedure that this statement brings; empty for others and for
    triggers, which nothing calls by name."""
    match = _ROUTINE.match(statement.text) if statement.verb == "CREATE" else None
    if match is None:
        return "", ""
    inside = statement.body
    if not inside or inside.lstrip()[:6].upper() == "CREATE":  # MySQL's: no quotes around BEGIN … END
        begin = re.search(r"(?i)\bBEGIN\b", statement.text)
        inside = statement.text[begin.start() :] if begin else ""
    head = statement.text.split(inside)[0] if inside else ""
    return ("", "") if _TRIGGERED.search(head) else (match["name"].lower(), inside)


def foreign(statement: Statement) -> str:
    """The language of a body that is not SQL's own: ``plpython3u``, ``plperlu``, ``c`` …; empty for others."""
    if statement.verb not in ("DO", "CREATE") or " LANGUAGE " not in f" {statement.bare} ":
        return ""
    if statement.verb == "CREATE" and not _ROUTINE.match(statement.text):
        return ""
    outside = statement.text.replace(statement.body, "") if statement.body else statement.text
    match = _LANGUAGE.search(outside)
    name = match[1].lower() if match else ""
    return "" if name in ("sql", "plpgsql", "internal", "", "sqlscript") else name


def called(statement: Statement, routines: dict[str, str]) -> Iterator[str]:
    """The names of the routines that a statement runs, and of those that they run in turn."""
    if not routines or statement.verb in _DEFINES:
        return
    seen: dict[str, None] = {}
    waiting = [statement.body or statement.text]
    while waiting:
        for pair in _CALLS.findall(waiting.pop()):
            name = (pair[0] or pair[1]).lower()
            if name in routines and name not in seen:
                seen[name] = None
                waiting.append(routines[name])
    yield from seen


class Block:
    """One body, or one script of MySQL: what its variables hold where a statement of it runs."""

    def __init__(self, text: str) -> None:
        self.text = text if len(text) <= _LONGEST else ""
        self.branches = bool(_BRANCH.search(self.text))
        self.prepared: dict[str, str] = {}
        self.ran: set[str] = set()
        self._values: Known = {}
        self._until = 0  #: how far the text was looked into for values

    def executed(self, inner: Statement) -> list[Statement]:
        """What ``EXECUTE …`` runs there, each text once. Raises :class:`NotConstant`."""
        match = _EXECUTE.search(inner.text)
        if match is None or not self.text:
            raise NotConstant
        expression = inner.text[match.end() :]
        name = re.match(r"\w+", expression)
        if name and name[0].lower() in self.prepared:
            expression = self.prepared[name[0].lower()]
        values, rest = _sum(expression, self._known(inner.offset), 0)
        if rest.strip(" \t\r\n;") and not re.match(r"(?i)\s*(?:USING|INTO)\b", rest):
            raise NotConstant
        fresh = [value for value in values if value not in self.ran]
        self.ran.update(fresh)
        return [found for value in fresh for found in statements(value)]

    def prepares(self, inner: Statement) -> bool:
        """Whether it is MySQL's ``PREPARE name FROM …``, which is kept for its EXECUTE."""
        match = _PREPARE.match(inner.text)
        if match:
            self.prepared[match[1].lower()] = inner.text[match.end() :]
        return match is not None

    def _known(self, until: int) -> Known:
        """Without branches the last value given before; else each that is given anywhere."""
        known, begin = self._values, self._until
        end = len(self.text) if self.branches else max(until, begin)
        self._until = end
        for match in _SET.finditer(self.text, begin, end):
            name = (match["mysql"] or match["name"]).lower()
            try:
                values, rest = _sum(self.text[match.end() : match.end() + 8000], known, 0)
                given = values if rest.lstrip()[:1] == ";" else None
            except NotConstant:
                given = None
            if not self.branches or name not in known:
                known[name] = given
            elif (before := known[name]) is None or given is None:
                known[name] = None
            else:
                every = list(dict.fromkeys(before + given))
                known[name] = every if len(every) <= _ALTERNATIVES else None
        for match in _FILLED.finditer(self.text, begin, end):
            for name in re.split(r"\s*,\s*", match[1] or match[2]):
                known[name.lower()] = None
        return known


def _sum(text: str, known: Known, depth: int) -> tuple[list[str], str]:
    """The values of ``a || b || …`` and what follows it."""
    values = [""]
    for number in count():
        given, text = _term(text, known, depth)
        values = [old + new for old in values for new in given]
        if len(values) > _ALTERNATIVES or sum(map(len, values)) > _LONGEST:
            raise NotConstant
        if not text.startswith("||") or number > _MOST:
            return values, text
        text = text[2:]
    raise NotConstant


def _term(text: str, known: Known, depth: int) -> tuple[list[str], str]:
    match = _TERM.match(text)
    if match is None or depth > 16:
        raise NotConstant
    rest = text[match.end() :]
    if match["string"]:
        return [_unquoted(match["string"])], rest
    if match["dollar"] is not None:
        return [match["dollar"]], rest
    if match["name"]:
        values = known.get(match["name"].lower())
        if values is None or rest.startswith("("):
            raise NotConstant
        return values, rest
    arguments: list[str] = []
    while True:
        values, rest = _sum(rest, known, depth + 1)
        if len(values) != 1:
            raise NotConstant
        arguments += values
        if rest.startswith(",") and len(arguments) <= _MOST:
            rest = rest[1:]
        elif rest.startswith(")"):
            return [_called((match["call"] or "").lower(), arguments)], rest[1:].lstrip()
        else:
            raise NotConstant


def _called(name: str, arguments: list[str]) -> str:
    if name in ("quote_literal", "quote_nullable"):
        return "'" + arguments[0].replace("'", "''") + "'"
    if name != "format":
        return "".join(arguments)
    following = count(1)

    def put(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        place = int(match[1]) if match[1] else next(following)
        value = arguments[place] if 0 < place < len(arguments) else ""
        return "'" + value.replace("'", "''") + "'" if match[2] == "L" else value

    return re.sub(r"%(?:(\d{1,3})\$)?([IsL])|%%", put, arguments[0])


def _unquoted(literal: str) -> str:
    if literal[:1] in "eE":
        signs = {"n": "\n", "t": "\t", "r": "\r"}
        inside = literal[2:-1].replace("''", "'")
        return re.sub(r"\\(.)", lambda m: signs.get(m[1], m[1]), inside, flags=re.S)
    return literal[1:-1].replace("''", "'")
