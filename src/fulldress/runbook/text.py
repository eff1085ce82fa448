"""``runbook.toml``: read with clear errors, written so that a person likes to review it."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import msgspec

from fulldress.errors import RunbookInvalid, RunbookSyntax
from fulldress.patterns import regex
from fulldress.runbook.steps import Runbook

PHASES = ("before", "upgrade", "verify", "after")

_HEAD = """\
# Drafted by fulldress. Everything here may be edited; "fulldress rehearse" binds its rehearsal to what it says then,
# and "fulldress run" carries out nothing else.
"""
_PLAIN = regex(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def load(text: str, name: str = "runbook.toml") -> Runbook:
    """Raises :class:`~fulldress.errors.RunbookSyntax` (with file and line) or
    :class:`~fulldress.errors.RunbookInvalid` when the steps do not hang together."""
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise RunbookSyntax(file=name, line=line, problem=str(error).partition(" (at ")[0]) from error
    try:
        runbook = msgspec.convert(plain, Runbook)
    except msgspec.ValidationError as error:
        raise RunbookSyntax(file=name, line=_line(text, str(error)), problem=_plainly(str(error))) from error
    check(runbook, name)
    return runbook


def check(runbook: Runbook, name: str = "runbook.toml") -> None:
    """Names are unique and fit for a file name, phases are known and in order, references lead somewhere."""
    names: set[str] = set()
    rank = 0
    after = {getattr(step, "after", "") for step in runbook.step} - {""}
    for step in runbook.step:
        where = f"{name}: step {step.name!r}"
        if not step.name or "/" in step.name or "\n" in step.name or len(step.name) > 120:
            raise RunbookInvalid(where=where, problem="not a name", remedy="Use a short name without slashes")
        if step.name in names:
            raise RunbookInvalid(where=where, problem="a name that is used twice", remedy="Give every step its own")
        names.add(step.name)
        if step.phase not in PHASES:
            raise RunbookInvalid(
                where=where, problem=f"unknown phase {step.phase!r}", remedy=f"Use {', '.join(PHASES)}"
            )
        if PHASES.index(step.phase) < rank:
            raise RunbookInvalid(
                where=where,
                problem=f"phase {step.phase} comes after {PHASES[rank]}",
                remedy="Move the step: phases run in the order " + ", ".join(PHASES),
            )
        rank = PHASES.index(step.phase)
    for missing in sorted(after - names):
        raise RunbookInvalid(where=name, problem=f'"after" names {missing!r}', remedy="Name a step of this runbook")


def dump(runbook: Runbook) -> str:
    """The inverse of :func:`load`, comments apart."""
    plain: dict[str, Any] = msgspec.to_builtins(runbook)
    parts = [_HEAD, "[runbook]\n", *(_pair(key, value) for key, value in plain["runbook"].items())]
    phase = ""
    for step in plain["step"]:
        now = step.get("phase", "upgrade")
        if now != phase:
            phase = now
            parts.append(f"\n# ---- {phase} " + "-" * (66 - len(phase)) + "\n")
        parts.append(_step(step))
    return "".join(parts)


def _step(step: dict[str, Any]) -> str:
    first = ("name", "kind", "phase", "why", "settles", "owner", "estimate")
    order = [key for key in first if key in step] + [key for key in step if key not in first]
    text = "\n[[step]]\n"
    later = ""
    for key in order:
        value = step[key]
        if key == "verify":
            for probe in value:
                later += "[[step.verify]]\n" + "".join(_pair(k, v) for k, v in probe.items())
        elif isinstance(value, dict):
            later += f"[step.{_key(key)}]\n" + "".join(_pair(k, v) for k, v in value.items())
        else:
            text += _pair(key, value)
    return text + later


def _pair(key: str, value: object) -> str:
    return f"{_key(key)} = {_value(value)}\n"


def _key(key: str) -> str:
    return key if _PLAIN.fullmatch(key) else _string(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _long(value) if value.count("\n") > 1 else _string(value)
    if isinstance(value, list | tuple):
        inner = [_value(item) for item in value]
        joined = f"[{', '.join(inner)}]"
        return joined if len(joined) < 100 else "[\n" + "".join(f"  {item},\n" for item in inner) + "]"
    return repr(value)


def _string(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else _code(c)) for c in text) + '"'


def _long(text: str) -> str:
    """Several lines as several lines; every character that TOML would change is escaped."""
    body = "".join(c if c == "\n" else _ESCAPES.get(c) or (c if c.isprintable() else _code(c)) for c in text)
    return f'"""\n{body}"""'


def _code(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"


def _line(text: str, problem: str) -> int:
    """Line of the step that a validation error speaks of."""
    found = re.search(r"\$\.step\[(\d+)\]", problem)
    if not found:
        return next((n for n, line in enumerate(text.splitlines(), 1) if line.strip() == "[runbook]"), 1)
    starts = [n for n, line in enumerate(text.splitlines(), 1) if line.strip() == "[[step]]"]
    index = int(found[1])
    return starts[index] if index < len(starts) else 1


def _plainly(problem: str) -> str:
    """msgspec's words, said as ours."""
    words = re.sub(r"\s*- at `\$\.?([^`]*)`", lambda m: f" in {m[1]}" if m[1] else "", problem)
    words = words.replace("Object contains unknown field", "unknown key").replace(
        "Object missing required field", "missing"
    )
    return words.replace("`", '"').rstrip(".")
