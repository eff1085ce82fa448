"""Conditions that a script has tested before, and whether a statement ends it."""

from __future__ import annotations

import re

from tree_sitter import Node

from fulldress.package.reader import Member

_FULL = re.compile(
    r"""(?x) -n\s+ "?\$\{?(\w+)                      # [ -n "$X" ]
    | -[bcdefhkLprsSuwx]\s+ "?\$\{?(\w+)\}?"?\s      # [ -d "$X" ]; not "$X/": that is the root if X is empty
    | \[\s+ "?\$\{?(\w+)\}?"?\s+ \]                  # [ "$X" ]
    | "?\$\{?(\w+)\}?"? \s* != \s* (?:""|'')         # [ "$X" != "" ]
    """
)
_EMPTY = re.compile(r"""(?x) -z\s+ "?\$\{?(\w+) | "?\$\{?(\w+)\}?"? \s* ==? \s* (?:""|'')""")


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


#: What dpkg calls maintainer scripts with when a package is removed or an upgrade fails; none of it runs in an upgrade
#: (Debian Policy, "Summary of ways maintainer scripts are called").
_REMOVAL = frozenset({"purge", "remove", "deconfigure", "disappear", "failed-upgrade"})
_MAINTAINER = re.compile(r"(?:^|/)(?:control\.tar[\w.]*!/(?:\./)?|DEBIAN/)(?:pre|post)(?:inst|rm)$")


def unused(member: Member, labels: list[str]) -> bool:
    """Whether the branch of a maintainer script's ``case`` is one that no upgrade takes."""
    words = {label.strip("\"'") for label in labels}
    return bool(words) and bool(_MAINTAINER.search(member.path)) and all(map(_is_removal, words))


def unused_test(member: Member, text: str) -> bool:
    """The same for ``if [ "$1" = purge ]``, also with several words that are compared."""
    if not _MAINTAINER.search(member.path) or len(text) > 400 or "&&" in text or "!" in text:
        return False
    words = re.findall(r"""\$\{?1\}?"?\s*==?\s*["']?([\w-]+)""", text)
    return bool(words) and len(words) == len(re.findall(r"==?", text)) and all(map(_is_removal, words))


def _is_removal(word: str) -> bool:
    return word in _REMOVAL or word.startswith("abort-")
