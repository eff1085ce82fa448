"""Recipes of a Makefile that a script runs: ``make install`` is as much a part of the installation as the lines around it.

Rules are found as GNU make's manual writes them ("Rules", "Recipe Syntax", "How to Use Variables"). Constants are put in;
functions of make (``$(shell …)``, ``$(foreach …)``) stay open. Conditional directives are not judged: both sides count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from fulldress.patterns import regex

NAMES = ("GNUmakefile", "makefile", "Makefile")
_VALUED = frozenset(
    {"-C", "--directory", "-f", "--file", "--makefile", "-I", "-o", "-W", "--include-dir", "--old-file", "--what-if"}
)
_RULE = regex(r"^(?P<targets>[^\s#:=][^:=#]*?)\s*::?(?!=)\s*(?P<needs>[^=;]*?)(?:;(?P<recipe>.*))?$")
_SET = regex(r"^(?:override\s+|export\s+)*(?P<name>[\w.-]+)\s*(?P<how>\?|:{1,3}|\+|!)?=\s*(?P<value>.*)$")
_REFERENCE = regex(r"\$(?:\((?P<round>[^()$]*)\)|\{(?P<curly>[^{}$]*)\}|(?P<one>[@<^*?%]))")
MOST = 400  #: recipe lines of one call
_LONGEST = 4000  #: characters that a line may grow to


class Call(NamedTuple):
    """What ``make …`` is asked for."""

    folder: str
    file: str
    targets: tuple[str, ...]
    variables: dict[str, str]


class Row(NamedTuple):
    """One line of a recipe as the shell gets it, and the line of the file on which it begins."""

    text: str
    line: int


class _Rule(NamedTuple):
    needs: str
    rows: list[Row]


def asked(words: tuple[str, ...]) -> Call:
    """The meaning of make's arguments; ``words`` begins behind its name."""
    folder, file, targets, variables = "", "", [], {}
    at = 0
    while at < len(words):
        word = words[at]
        name, equals, value = word.partition("=")
        if word in _VALUED:
            value = words[at + 1] if at + 1 < len(words) else ""
            at += 1
        elif match := re.match(r"-([Cf])(?=.)", word):
            word, value = f"-{match[1]}", word[2:]
        elif word.startswith("--") and equals:
            word = name
        if word in ("-C", "--directory"):
            folder = f"{folder}/{value}" if folder and not value.startswith("/") else value
        elif word in ("-f", "--file", "--makefile"):
            file = value
        elif not word.startswith("-"):
            if equals and re.fullmatch(r"[\w.]+[:+?]?", name):
                variables[name.rstrip(":+?")] = value
            else:
                targets.append(word)
        at += 1
    return Call(folder, file, tuple(targets), variables)


def recipes(text: str, targets: tuple[str, ...], given: Mapping[str, str]) -> Iterator[Row]:
    """The lines that make would run for these targets (the first of the file where there are none), what they need first."""
    rules, known = _read(text)
    known = {**known, **given}
    waiting = list(targets) or [next((name for name in rules if not name.startswith(".")), "")]
    for name, row in islice(_ordered(rules, waiting, known, set()), MOST):
        yield Row(_filled(row.text, {**known, "@": name}), row.line)


def _ordered(
    rules: dict[str, _Rule], names: list[str], known: Mapping[str, str], done: set[str]
) -> Iterator[tuple[str, Row]]:
    for name in names:
        rule = rules.get(name)
        if rule is None or name in done or len(done) > MOST:
            continue
        done.add(name)
        yield from _ordered(rules, _filled(rule.needs, known).replace("|", " ").split(), known, done)
        yield from ((name, row) for row in rule.rows)


def _read(text: str) -> tuple[dict[str, _Rule], dict[str, str]]:
    rules: dict[str, _Rule] = {}
    known: dict[str, str] = {"MAKE": "make", "CURDIR": ".", "SHELL": "/bin/sh"}
    current: list[str] = []
    for number, row in _joined(text):
        if row.startswith("\t"):
            for name in current:
                rules[name].rows.append(Row(_bare(row), number))
            continue
        plain = row.strip()
        if not plain or plain.startswith("#"):
            continue
        if match := _SET.match(plain):
            how = match["how"] or ""
            if how == "?" and match["name"] in known:
                continue
            before = f"{known.get(match['name'], '')} " if how == "+" else ""
            known[match["name"]] = (before + match["value"].strip())[:_LONGEST]
        elif match := _RULE.match(plain):
            current = _filled(match["targets"], known).split()
            for name in current:
                old = rules.get(name, _Rule("", []))
                rules[name] = _Rule(f"{old.needs} {match['needs']}", old.rows)
                if match["recipe"]:
                    rules[name].rows.append(Row(_bare(match["recipe"]), number))
        elif not re.match(
            r"(?:ifn?eq|ifn?def|else|endif|-?include|sinclude|define|endef|vpath|unexport|export)\b", plain
        ):
            current = []
    return rules, known


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Rows with those that a backslash continues, and the number of the first."""
    begin = 0
    parts: list[str] = []
    for number, row in enumerate(text.splitlines(), 1):
        begin = begin or number
        if row.endswith("\\") and not row.endswith("\\\\"):
            parts.append(row[:-1] if not parts else row[:-1].strip())
            continue
        parts.append(row if not parts else row.strip())
        yield begin, " ".join(parts)
        begin, parts = 0, []
    if parts:
        yield begin, " ".join(parts)


def _bare(row: str) -> str:
    """Without the marks that make takes for itself: ``@`` silent, ``-`` failures do not matter, ``+`` always."""
    plain = row.lstrip("\t ")
    marks = plain[: len(plain) - len(plain.lstrip("@-+ "))]
    text = plain[len(marks) :]
    return f"{text} || true" if "-" in marks and text and "#" not in text else text


def _filled(text: str, known: Mapping[str, str]) -> str:
    """Variables of make put in; ``$$`` is the shell's own dollar. Unknown names become the shell's, and so stay unknown."""
    kept = text.replace("$$", "\0")
    for _ in range(8):
        filled = _REFERENCE.sub(lambda m: _value(m, known), kept)
        if filled == kept or len(filled) > _LONGEST:
            break
        kept = filled
    return kept.replace("\1", "$").replace("\0", "$")


def _value(match: re.Match[str], known: Mapping[str, str]) -> str:
    name = (match["one"] or match["round"] or match["curly"] or "").strip()
    if name in known:
        return known[name]
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        return f"\1{{{name}}}"
    if name.startswith("shell "):
        return f"\1({name[6:]})"
    return "\1{MAKE_FUNCTION}" if name and match["one"] is None else ""
