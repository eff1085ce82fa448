"""YAML with positions, from the events of libyaml: fast, and without building any object that a tag names.

Several documents in one text are read as one; a key that stands in two of them yields two keys. Aliases are followed
within a budget, so that a bomb of them ends as an error. Editing touches the lines of one key and no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml as _library

from fulldress.formats.place import Broken, Place, newline, whole_lines
from fulldress.patterns import regex

library: Any = _library
_LOADER: Any = getattr(library, "CSafeLoader", library.SafeLoader)
_LARGEST = 400_000  #: keys, aliases followed
_DEEPEST = 200


def scan(text: str) -> list[Place]:
    """Leaves and the mappings and lists that hold them; scalars as they are written, without quotes."""
    try:
        return _Scanner(text).run()
    except library.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Broken(mark.line + 1 if mark else 1, error.problem or "not YAML") from None
    except library.YAMLError as error:
        raise Broken(1, " ".join(str(error).split())) from None


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.places: list[Place] = []
        self.anchors: dict[str, list[Place]] = {}
        self.events: Iterator[Any] = library.parse(text, Loader=_LOADER)

    def run(self) -> list[Place]:
        for event in self.events:
            if isinstance(event, library.NodeEvent):
                self.node(event, "", None, 0)
        return self.places

    def node(self, event: Any, name: str, start: int | None, depth: int) -> int:
        """Read the node that ``event`` begins; returns the offset behind it."""
        if depth > _DEEPEST or len(self.places) > _LARGEST:
            raise Broken(event.start_mark.line + 1, f"more than {_LARGEST} keys, or nested more than {_DEEPEST} deep")
        at = event.start_mark.index
        begin = at if start is None else start
        mark = len(self.places)
        if isinstance(event, library.AliasEvent):
            end = event.end_mark.index
            self.alias(event, name, begin, at, end)
            return int(end)
        if isinstance(event, library.ScalarEvent):
            end = event.end_mark.index
            if name:
                self.places.append(
                    Place(
                        name=name,
                        value=event.value,
                        start=begin,
                        end=end,
                        value_start=at,
                        value_end=end,
                        style=event.style or "",
                    )
                )
        else:
            mapping = isinstance(event, library.MappingStartEvent)
            end = self.mapping(name, depth) if mapping else self.sequence(name, depth)
            leaf = len(self.places) == mark
            style = ("{" if mapping else "[") + ("flow" if event.flow_style else "")
            value = ("{}" if mapping else "[]") if leaf else ""
            self.places.append(
                Place(
                    name=name,
                    value=value,
                    start=begin,
                    end=end,
                    value_start=at,
                    value_end=end,
                    leaf=leaf and bool(name),
                    style=style,
                )
            )
        if event.anchor:
            self.anchors[event.anchor] = self.places[mark:]
        return int(end)

    def mapping(self, name: str, depth: int) -> int:
        behind = 0
        for key in self.events:
            if isinstance(key, library.MappingEndEvent):
                return behind if key.start_mark.index == key.end_mark.index and behind else int(key.end_mark.index)
            if isinstance(key, library.ScalarEvent):
                part = key.value
            elif isinstance(key, library.AliasEvent):
                part = f"*{key.anchor}"
            else:  # a mapping as a key: read over, under a name of its own
                part = "?"
                self.node(key, f"{name}.?" if name else "?", None, depth + 1)
            inner = name if part == "<<" else f"{name}.{part}" if name else part
            behind = self.node(next(self.events), inner, key.start_mark.index, depth + 1)
        return behind

    def sequence(self, name: str, depth: int) -> int:
        behind = 0
        for count, item in enumerate(self.events):
            if isinstance(item, library.SequenceEndEvent):
                return behind if item.start_mark.index == item.end_mark.index and behind else int(item.end_mark.index)
            behind = self.node(item, f"{name}[{count}]", None, depth + 1)
        return behind

    def alias(self, event: Any, name: str, start: int, at: int, end: int) -> None:
        """The keys of the anchored node once more, under this name; their place is the alias."""
        anchored = self.anchors.get(event.anchor)
        if not anchored:
            raise Broken(event.start_mark.line + 1, f"*{event.anchor} names no anchor")
        root = anchored[-1].name
        for place in anchored:
            if len(self.places) > _LARGEST:
                raise Broken(event.start_mark.line + 1, f"aliases unfold to more than {_LARGEST} keys")
            tail = place.name[len(root) :]
            whole = (name + tail) if name else tail.lstrip(".")
            if whole:
                self.places.append(
                    Place(
                        name=whole,
                        value=place.value,
                        start=start,
                        end=end,
                        value_start=at,
                        value_end=end,
                        leaf=place.leaf,
                        style="alias",
                    )
                )


_PLAIN = regex(r"[\w./][\w ./+\-]*$")
_RESERVED = regex(r"(?i)(?:true|false|yes|no|on|off|null|~|[-+]?\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?|0x[\da-f]+)$")


def write(value: str, old: str) -> str:
    """In the quotes of the old value; plain only where plain text reads back as the same."""
    if old[:1] == '"':
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if (old[:1] == "'" or not _PLAIN.match(value) or value != value.strip()) and value not in ("{}", "[]"):
        if "\n" in value:
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        return "'" + value.replace("'", "''") + "'"
    return value


def remove(text: str, place: Place, places: list[Place]) -> str:
    """The lines of the key. A key that shares its line with a list's dash or with others is refused."""
    line_start = text.rfind("\n", 0, place.start) + 1
    if text[line_start : place.start].strip() or (place.style == "alias" and not place.leaf):
        raise Broken(text.count("\n", 0, place.start) + 1, f"{place.name} shares its line with something else")
    start, end = whole_lines(text, place.start, place.end)
    result = text[:start] + text[end:]
    parent = place.name.rpartition(".")[0]
    siblings = [
        p
        for p in places
        if p.name.startswith(f"{parent}.") and p is not place and not p.name.startswith(f"{place.name}.")
    ]
    if parent and not siblings:  # the last key of its mapping: what is left has to stay a mapping
        raise Broken(
            text.count("\n", 0, place.start) + 1, f"{place.name} is the only key of {parent}; remove {parent} instead"
        )
    return result


def insert(text: str, places: list[Place], key: str, value: str) -> str:
    """Behind the last key of the deepest mapping that its name leads to."""
    maps = [p for p in places if p.style == "{" and (not p.name or key.startswith(f"{p.name}."))]
    eol = newline(text)
    if not maps:
        if any(p.style.startswith(("{", "[")) and not p.name for p in places):
            raise Broken(1, "the document is no block mapping, so no key can be added")
        return text + ("" if not text or text.endswith("\n") else eol) + _nested(key.split("."), value, 0, eol)
    home = max(maps, key=lambda p: len(p.name))
    rest = key[len(home.name) + 1 :] if home.name else key
    indent = home.value_start - (text.rfind("\n", 0, home.value_start) + 1)
    _, end = whole_lines(text, home.start, home.end)
    head = text[:end] if not text[:end] or text[:end].endswith("\n") else text[:end] + eol
    return head + _nested(rest.split("."), value, indent, eol) + text[end:]


def _nested(path: list[str], value: str, indent: int, eol: str) -> str:
    lines = []
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        lines.append(" " * (indent + 2 * depth) + part + (f": {write(value, '')}" if last else ":") + eol)
    return "".join(lines)
