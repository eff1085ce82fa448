"""Expansion of the shell's words: quotes, variables with defaults, substitutions. The result is a list of alternatives."""

from __future__ import annotations

import re
from functools import cached_property

from tree_sitter import Node

from fulldress.package.reader import Member
from fulldress.package.scripts.events import Gap
from fulldress.package.scripts.expansions import cut, formatted, trimmed, unquoted
from fulldress.package.scripts.texttools import unescaped
from fulldress.package.scripts.values import ALTERNATIVES, HERE, TEMPORARY, combine, hole, is_constant, show
from fulldress.patterns import regex

_PARAMETER = regex(r"\$\{(!?)(\w+|[@*#?!$-])(?:\[([^\]]*)\])?(:?[-=?+]|%%?|##?|//?|\^\^?|,,?|:|@)?", re.S)
_OWN_FOLDER = regex(r"dirname[^)]*(?:\$0|\$\{0|BASH_SOURCE|\$\{?_\}?)|readlink[^)]*\$\{?0.*dirname")
_ASKS_FOLDER = regex(
    r"(?:\$\(|`)[\s\"(]*(?:CDPATH=\S*\s+|unset\s+CDPATH\s*[;&]+\s*|command\s+|builtin\s+)?(?:cd|pushd|dirname|readlink|realpath|\$)"
)
_ALL = regex(rb'"?\$\{(!?)(\w+)\[[@*]\]\}"?')
_ESCAPE = regex(r"\\(.)", re.S)
_EXPANSIONS = ("simple_expansion", "expansion", "command_substitution", "arithmetic_expansion")


class Words:
    """The part of the follower that expands words; statements are in :mod:`fulldress.package.scripts.shell`."""

    member: Member
    variables: dict[str, list[str]]
    arrays: dict[str, list[str]]
    maps: dict[str, dict[str, str]]
    arguments: tuple[str, ...] | None
    sure: frozenset[str]
    stdin: str | None
    fed: bool
    alone: bool

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Names that stand for commands (``alias``)."""
        return {}

    @cached_property
    def binary(self) -> dict[str, bytes]:
        """What commands printed that is no text, by the hole that stands for it."""
        return {}

    @cached_property
    def unopened(self) -> dict[str, Gap]:
        """Of these bytes those that no tool here made text of, with what is then to be said."""
        return {}

    def follow(self, node: Node) -> str:
        raise NotImplementedError

    def holds(self, file: str, text: str, node: Node) -> None:
        """Notes what a file holds that only this command has: ``<(…)``."""
        raise NotImplementedError

    def read_in(self, redirect: Node) -> str:
        """What ``$(< FILE)`` gives."""
        raise NotImplementedError

    @staticmethod
    def raw(node: Node) -> str:
        return (node.text or b"").decode("utf-8", "replace")

    # -- words

    @staticmethod
    def splits(node: Node) -> bool:
        """Whether the word may become several: an expansion without quotes."""
        return node.type in ("simple_expansion", "expansion", "string") and (
            node.type != "string" or node.text in (b'"$@"', b'"${@}"') or bool(_ALL.fullmatch(node.text or b""))
        )

    def split(self, node: Node) -> list[str]:
        """The words that a node becomes; alternatives of a variable become words, which over-states them."""
        if node.text in (b'"$@"', b'"${@}"', b"$@", b"$*") and self.arguments is not None:
            return list(self.arguments)
        whole = _ALL.fullmatch(node.text or b"")
        if whole:
            name = whole[2].decode()
            if whole[1]:
                return list(self.maps[name]) if name in self.maps else [hole(f"!{name}[@]")]
            if name in self.maps:
                return list(self.maps[name].values())
            if name in self.arrays:
                return list(self.arrays[name])
        texts = self.expand(node)
        if node.type in ("simple_expansion", "expansion"):
            if len(texts) == 1:
                signs = self.variables.get("IFS", [""])[0].strip()
                if signs and is_constant(signs) and is_constant(texts[0]):
                    return [part for part in re.split(f"[{re.escape(signs)}]", texts[0]) if part]
                return texts[0].split() if is_constant(texts[0]) else texts
            return [text for text in texts if text][:1] or [""]
        return texts[:1]

    def expand(self, node: Node) -> list[str]:
        """Every text that a word may be."""
        kind = node.type
        if kind == "raw_string":
            return [self.raw(node)[1:-1]]
        if kind == "ansi_c_string":
            return [unescaped(self.raw(node)[2:-1])]
        if kind == "string":
            return self.filled(node, node.start_byte + 1, node.end_byte - 1)
        if kind == "concatenation":
            # what has no name is text, too: the grammar knows no $$
            return combine([self.expand(child) if child.is_named else [self.raw(child)] for child in node.children])
        if kind == "simple_expansion":
            return self.variable(self.raw(node)[1:])
        if kind == "expansion":
            return self._parameter(node)
        if kind == "command_substitution":
            return [self._substitution(node)]
        if kind == "process_substitution":
            kept, self.alone = self.alone, False
            printed = "".join(self.follow(child) for child in node.named_children)
            self.alone = kept
            file = hole(f"<({self.raw(node)[2:40].strip(')')})")
            self.holds(file, printed, node)
            return [file]
        if kind == "arithmetic_expansion":
            return [hole(self.raw(node)[:40])]
        if kind == "array":
            return [" ".join(text for child in node.named_children for text in self.expand(child)[:1])]
        if kind in ("word", "command_name", "number") and node.named_children and kind != "number":
            return self.filled(node, node.start_byte, node.end_byte)
        return [_ESCAPE.sub(r"\1", self.raw(node))]

    def filled(self, node: Node, start: int, end: int) -> list[str]:
        """The text between two offsets of ``node`` with the expansions in it filled in."""
        data = node.text or b""
        parts: list[list[str]] = []
        at = start
        for child in _expansions(node):
            if child.start_byte < at or child.end_byte > end:
                continue
            parts.append([unquoted(data[at - node.start_byte : child.start_byte - node.start_byte])])
            parts.append(self.expand(child))
            at = child.end_byte
        parts.append([unquoted(data[at - node.start_byte : end - node.start_byte])])
        return combine(parts)

    # -- variables

    def variable(self, name: str) -> list[str]:
        """The values that ``$name`` may have; a hole where nothing is known."""
        if name.isdecimal() and len(name) < 9 and name != "0" and self.arguments is not None:
            index = int(name) - 1
            return [self.arguments[index] if index < len(self.arguments) else ""]
        if name in ("@", "*") and self.arguments is not None:
            return [" ".join(self.arguments)]
        if name == "#" and self.arguments is not None:
            return [str(len(self.arguments))]
        if name == "BASH_SOURCE":
            return [f"{HERE}/{self.member.name}"]
        if name == "0":
            return [f"{HERE}/{self.member.name}"]
        values = self.variables.get(name)
        return list(values) if values else [hole(name)]

    def own_hole(self, name: str, text: str) -> str:
        """What a variable keeps of a value: one that is wholly unknown is from now on known by the variable's name."""
        if is_constant(text) or text in (HERE, TEMPORARY) or HERE in text:
            return text
        whole = re.fullmatch("\ue000[^\ue000\ue001]*\ue001", text)
        return hole(name) if whole else text

    def _parameter(self, node: Node) -> list[str]:
        raw = self.raw(node)
        match = _PARAMETER.match(raw)
        if not match:
            return [hole(raw[:40])]
        indirect, name, key, operator = match.groups()
        if raw == "${#}":
            return self.variable("#")
        if raw.startswith("${#"):
            return [hole(raw[2:-1][:40])]
        known = self.variables.get(name)
        if indirect:
            if operator or not known or not all(map(is_constant, known)):
                return [hole(raw[2:-1][:40])]
            return [text for pointed in known for text in self.variable(pointed)][:ALTERNATIVES]
        if key is not None:
            known = self._element(name, key)
        if name.isdecimal() and len(name) < 9 and name != "0" and self.arguments is not None:
            known = self.variable(name)
        if name in ("0", "BASH_SOURCE"):
            if operator in ("%", "%%") and raw[match.end() : -1] == "/*":
                return [HERE]
            known = self.variable(name)
        if not operator:
            return list(known) if known else self.variable(name)
        argument_start = node.start_byte + len(raw[: match.end()].encode())
        if operator in (":-", "-", ":=", "="):
            full = [value for value in known or [] if value]
            if full and all(value for value in known or []):
                return full
            default = self.filled(node, argument_start, node.end_byte - 1)
            default = [
                text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text for text in default
            ]
            found = [*full, *(text for text in default if text not in full)][:ALTERNATIVES]
            if "=" in operator:
                self.variables[name] = found
            return found
        if operator == ":":
            return [cut(text, raw[match.end() : -1], hole(raw[2:-1][:40])) for text in known or [hole(name)]]
        if operator in (":?", "?"):
            self.sure |= {name}
            return list(known) if known else [hole(name)]
        if operator in (":+", "+"):
            return self.filled(node, argument_start, node.end_byte - 1) if known != [""] else [""]
        pattern = self.filled(node, argument_start, node.end_byte - 1)[0]
        return [trimmed(value, operator, pattern, name) for value in known] if known else [hole(raw[2:-1][:40])]

    def _element(self, name: str, key: str) -> list[str] | None:
        """An element of an array; None where it is not known."""
        plain = key.strip("\"'")
        if plain.startswith("$"):
            given = self.variable(plain.strip("${}"))
            plain = given[0] if len(given) == 1 else plain
        if name in self.maps:
            return [self.maps[name][plain]] if plain in self.maps[name] else None
        elements = self.arrays.get(name)
        if elements is None:
            return self.variables.get(name) if plain == "0" else None
        if plain in ("@", "*"):
            return [" ".join(elements)]
        if re.fullmatch(r"-?\d{1,4}", plain) and -len(elements) <= int(plain) < len(elements):
            return [elements[int(plain)]]
        return None

    def _substitution(self, node: Node) -> str:
        raw = self.raw(node)
        if _OWN_FOLDER.search(raw[:400]) and _ASKS_FOLDER.match(raw):
            up = re.search(r"\)\"?((?:/\.\.)+)", raw)
            return HERE + (up[1] if up else "")
        kept = self.stdin, self.fed, self.alone
        self.stdin, self.fed, self.alone = None, self.fed, False
        printed = "".join(
            self.read_in(child) if child.type == "file_redirect" else self.follow(child)
            for child in node.named_children
            if child.type != "comment"
        )
        self.stdin, self.fed, self.alone = kept
        if "mktemp" in raw or "tempfile" in raw:
            return TEMPORARY
        text = printed.rstrip("\n")
        if text and is_constant(text):
            return text
        inner = raw[2:-1] if raw.startswith("$(") else raw[1:-1]
        return hole(f"$({' '.join(show(inner).split())[:40]})")

    def substituted(self, text: str) -> str:
        """``text`` with ``$NAME`` filled in where a variable has one value; for lines outside the grammar."""

        def fill(match: re.Match[str]) -> str:
            return self.variable(match[1] or match[2])[0]

        text = re.sub(r"\$\([^()]*\)|`[^`]*`", lambda m: hole(m[0][:40]), text)
        return re.sub(r"\$(?:(\w+)|\{(\w+)[^}]*\})", fill, text)

    # -- what commands print

    def printed(self, name: str, words: tuple[str, ...]) -> str:
        """What a command prints, where its words or its input tell; else a hole."""
        if name == "echo":
            rest = list(words[1:])
            newline, escapes = "\n", False
            while rest and re.fullmatch(r"-[neE]+", rest[0]):
                escapes = escapes or "e" in rest[0]
                newline = "" if "n" in rest.pop(0) else newline
            text = " ".join(rest)
            return (unescaped(text) if escapes else text.replace("\\n", "\n").replace("\\t", "\t")) + newline
        if name == "printf" and len(words) > 1:
            return formatted(words[1:])
        if name == "cat" and self.stdin is not None and all(word == "-" for word in words[1:]):
            return self.stdin
        if name == "basename" and len(words) > 1 and is_constant(words[1]):
            return words[1].rstrip("/").rsplit("/", 1)[-1].removesuffix(words[2] if len(words) > 2 else "") + "\n"
        if (name == "which" or (name in ("command", "type") and words[1:2] in (("-v",), ("-p",)))) and is_constant(
            words[-1]
        ):
            return words[-1] + "\n"
        if name == "dirname" and len(words) > 1:
            return (words[1].rstrip("/").rsplit("/", 1)[0] if "/" in words[1] else ".") + "\n"
        return hole(f"$({show(' '.join(words))[:40]})") + "\n"


def _expansions(node: Node) -> list[Node]:
    found: list[Node] = []
    for child in node.children:
        if child.type in _EXPANSIONS:
            found.append(child)
        elif child.type in ("string", "concatenation", "word", "string_content", "heredoc_content", "regex"):
            found.extend(_expansions(child))
    return found
