"""Lines of ``Name value``, as sshd, Apache httpd and Redis have them; ``<Section>`` or ``Match`` lines nest names.

Source: sshd_config(5); Apache HTTP Server, "Configuration Files".
"""

from __future__ import annotations

import re

from fulldress.formats.place import Broken, Place, append_line, like, unquoted
from fulldress.patterns import regex

_LINE = regex(r"(\s*)([A-Za-z_][\w.\-/]*)(?:[ \t]*=[ \t]*|[ \t]+|$)(.*)$")
_OPEN = regex(r"\s*<([A-Za-z]\w*)\b\s*(.*)>\s*$")
_CLOSE = regex(r"\s*</([A-Za-z]\w*)>\s*$")


def scan(text: str) -> list[Place]:
    """A directive that stands twice yields two keys of the same name."""
    places: list[Place] = []
    stack: list[str] = []
    offset = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        body = line.rstrip("\r\n")
        start, offset = offset, offset + len(line)
        if not body.strip() or body.lstrip().startswith("#"):
            continue
        if match := _OPEN.match(body):
            stack.append(match[1])
        elif match := _CLOSE.match(body):
            if not stack or stack.pop().lower() != match[1].lower():
                raise Broken(number, f"</{match[1]}> closes nothing")
        elif match := _LINE.match(body):
            raw = match[3].rstrip()
            at = start + match.start(3)
            places.append(
                Place(
                    name=".".join((*stack, match[2])),
                    value=unquoted(raw),
                    start=start,
                    end=offset,
                    value_start=at,
                    value_end=at + len(raw),
                )
            )
        else:
            raise Broken(number, "not of the form Name value")
    if stack:
        raise Broken(text.count("\n") + 1, f"<{stack[-1]}> is never closed")
    return places


def write(value: str, old: str) -> str:
    return like(old, value)


def insert(text: str, places: list[Place], key: str, value: str) -> str:
    match = re.search(r"(?mi)^Match\b", text)  # what follows a Match line would belong to it
    line = f"{key} {value}"
    if match:
        return f"{text[: match.start()]}{line}\n{text[match.start() :]}"
    return append_line(text, line)
