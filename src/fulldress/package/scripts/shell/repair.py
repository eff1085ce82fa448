"""Writings that a shell accepts and the grammar does not, put into others that mean the same to us.

Done only where the grammar failed, and kept only where it then fails less. Sources: the grammar's open issues 305, 334, 346
and what real maintainer scripts hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree

from fulldress.patterns import regex

_ROUNDS = 16  #: times that commands are parted; each round brings to light those inside the ones before


def parsed(parser: Parser, text: bytes) -> Tree:
    """The tree of ``text``, with as few errors as repairing brings about. Rows stay as they are."""
    tree, text = _mended(parser, _rejoined(text))
    return _parted(parser, tree, text)


def _mended(parser: Parser, text: bytes) -> tuple[Tree, bytes]:
    tree = parser.parse(text)
    if not tree.root_node.has_error:
        return tree, text
    before = _lost(tree.root_node)
    better = text
    for mend in _MENDS:
        candidate = mend(better)
        if candidate == better:
            continue
        other = parser.parse(candidate)
        after = _lost(other.root_node)
        if after < before:
            tree, before, better = other, after, candidate
        if not after:
            return tree, better
    # a script with several such writings may be lost as a whole until the last of them is mended
    together = text
    for mend in _MENDS:
        together = mend(together)
    other = parser.parse(together)
    return (other, together) if _lost(other.root_node) < before else (tree, better)


def _parted(parser: Parser, tree: Tree, text: bytes) -> Tree:
    """A pipeline of three commands and a later redirection, and the grammar makes all lines between words of the third
    (``a | b | c``, newline, ``rm x``, newline, ``d > f``), without an error. No command goes on behind a bare newline, so
    each such newline gets the semicolon that the grammar heeds."""
    lost = _lost(tree.root_node)
    for _ in range(_ROUNDS):
        places = sorted(set(_joints(parser, tree, text)))
        if not places:
            break
        pieces = [text[begin:end] for begin, end in zip([0, *places], [*places, len(text)], strict=True)]
        text = b";".join(pieces)
        other = parser.parse(text)
        if (now := _lost(other.root_node)) > lost:
            break
        tree, lost = other, now
    return tree


def _joints(parser: Parser, tree: Tree, text: bytes) -> Iterator[int]:
    if text.count(b"|") < 2 or parser.language is None:
        return
    for node in QueryCursor(_commands(parser.language)).captures(tree.root_node).get("command", ()):
        if node.start_point.row == node.end_point.row:
            continue
        for one, two in pairwise(node.children):
            if one.end_point.row != two.start_point.row:
                between = text[one.end_byte : two.start_byte]
                if b"\n" in between.replace(b"\\\n", b""):
                    yield one.end_byte


@lru_cache(maxsize=2)
def _commands(language: Language) -> Query:
    return Query(language, "[(command) (declaration_command) (unset_command)] @command")


def _lost(root: Node) -> int:
    """Bytes below nodes that the grammar could not place."""
    lost, nodes = 0, [root]
    while nodes:
        node = nodes.pop()
        if node.is_error or node.is_missing:
            lost += 1 + node.end_byte - node.start_byte
        elif node.has_error:
            nodes.extend(node.children)
    return lost


def _rejoined(text: bytes) -> bytes:
    r"""A word that a backslash cuts at the end of a row (``sys\\``, ``temctl``) is one; the rows after it keep their numbers."""
    if b"\\\n" not in text:
        return text
    found: list[bytes] = []
    owed = 0
    for row in text.split(b"\n"):
        if owed and found[-1].endswith(b"\\"):
            found[-1] = found[-1][:-1] + row
        else:
            found += [b""] * owed
            owed = 0
            found.append(row)
        if _CUT.search(found[-1]) and not _REMARK.search(found[-1]):
            owed += 1
    return b"\n".join(found + [b""] * owed)


_CUT = regex(rb"(?<![\\\s&|;(\"'])\\$")
_REMARK = regex(rb"(?:^|\s)#")


def _in_braces(text: bytes) -> bytes:
    """``{reboot,-f}`` where a command stands: the words that bash makes of it."""
    return re.sub(
        rb"(?m)(^[ \t]*|[;&|][ \t]*|\b(?:then|do|else|exec|sudo)[ \t]+)\{([^\s{},$'\"]+(?:,[^\s{},$'\"]*)+)\}",
        lambda m: m[1] + b" " + m[2].replace(b",", b" ") + b" ",
        text,
    )


def _groups(text: bytes) -> bytes:
    r"""``[ \( a -o b \) -a c ]``."""
    return re.sub(rb"(?<=\s)\\([()])(?=\s)", rb" \1", text)


def _dollars(text: bytes) -> bytes:
    """``grep ^lo$;``: a dollar that ends a word stands for itself."""
    return re.sub(rb"(?<=[\w*.\])])\$(?=[;\s)|&])", b"_", text)


def _classes(text: bytes) -> bytes:
    """``[ -f /etc/rc0.d/K[0-9][0-9]x ]``: a class of characters inside a word of a test."""
    return re.sub(
        rb"(?m)^.*(?:\[ |\btest ).*$",
        lambda row: re.sub(rb"(?<=[\w/.])(?:\[[\w!^-]+\])+", lambda found: b"?" * len(found[0]), row[0]),
        text,
    )


def _patterns(text: bytes) -> bytes:
    r"""``${k%%[\"\']\]*}``: quoted characters in the pattern of an expansion."""
    return re.sub(
        rb"\$\{\w+(?:%%?|##?|//?)[^{}\n]*\}",
        lambda found: re.sub(rb"\\[\[\]\"'()*?]", b"??", found[0]),
        text,
    )


def _numbers(text: bytes) -> bytes:
    """``$((0x$mode & 0x7))``: a prefix before a variable's digits."""
    return re.sub(rb"(?<![\w$])0[xX](?=\$\{?\w)", b"0+", text)


def _closers(text: bytes) -> bytes:
    """``if ! { a || b; } then``: after a closing brace or parenthesis the semicolon may be left out."""
    return re.sub(rb"(?<=[})])[ \t](?=[ \t]*(?:then|do)\b)", b";", text)


_MENDS = (_in_braces, _groups, _dollars, _classes, _patterns, _numbers, _closers)
