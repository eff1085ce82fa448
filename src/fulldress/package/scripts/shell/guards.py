"""Conditions that a script has tested before, and whether a statement ends it."""

from __future__ import annotations

import re

from tree_sitter import Node

from fulldress.patterns import regex

_FULL = regex(
    r"""(?x) -n\s+ "?\$\{?(\w+)                      # [ -n "$X" ]
    | -[bcdefhkLprsSuwx]\s+ "?\$\{?(\w+)\}?"?\s      # [ -d "$X" ]; not "$X/": that is the root if X is empty
    | \[\s+ "?\$\{?(\w+)\}?"?\s+ \]                  # [ "$X" ]
    | "?\$\{?(\w+)\}?"? \s* != \s* (?:""|'')         # [ "$X" != "" ]
    """
)
_EMPTY = regex(r"""(?x) -z\s+ "?\$\{?(\w+) | "?\$\{?(\w+)\}?"? \s* ==? \s* (?:""|'')""")


def tested(node: Node, what: str) -> frozenset[str]:
    """Variables that are surely not empty when the test holds (``full``), or when it fails (``empty``)."""
    text = (node.text or b"").decode("utf-8", "replace")
    if len(text) > 400 or "||" in text or text.lstrip().startswith("!"):
        return frozenset()
    pattern = _FULL if what == "full" else _EMPTY
    return frozenset(name for match in pattern.finditer(text) for name in match.groups() if name)


def leaves(node: Node) -> bool:
    """Whether the statement ends the script or function."""
    text = (node.text or b"").decode("utf-8", "replace").strip()
    return bool(
        re.match(r"(?:exit|return|die|fatal|abort)\b", text)
        or re.search(r"[;{\n]\s*(?:exit|return)\b[^;]*;?\s*\}?$", text)
    )
