"""XML as a tree whose elements know their lines. Entities are not expanded, nesting is bounded; names lose their prefix."""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

import msgspec

MAX_DEPTH = 200


class BadXml(ValueError):
    """No XML, or one that a configuration would never be."""


class Element(msgspec.Struct, kw_only=True):
    name: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = msgspec.field(default_factory=list)
    text: str = ""

    def all(self, name: str) -> list[Element]:
        """Children of this name."""
        return [child for child in self.children if child.name == name]

    def get(self, *path: str) -> Element | None:
        """The first element at the end of a path of names."""
        here: Element | None = self
        for name in path:
            here = next((child for child in here.children if child.name == name), None) if here else None
        return here

    def word(self, *path: str) -> str:
        """Its text without the space around it; empty where there is no such element."""
        found = self.get(*path)
        return found.text.strip() if found else ""

    def walk(self) -> Iterator[Element]:
        open_ = [self]
        while open_:
            here = open_.pop()
            yield here
            open_ += reversed(here.children)


def parse(text: str) -> Element:
    """The root of a document that was decoded already. Raises :class:`BadXml`."""
    parser = expat.ParserCreate("utf-8")
    root: list[Element] = []
    open_: list[Element] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_) >= MAX_DEPTH:
            raise BadXml("it nests too deep")
        plain = {key.rsplit(":", 1)[-1]: value for key, value in attributes.items()}
        element = Element(name=name.rsplit(":", 1)[-1], attributes=plain, line=parser.CurrentLineNumber)
        (open_[-1].children if open_ else root).append(element)
        open_.append(element)

    def end(_: str) -> None:
        open_.pop()

    def data(words: str) -> None:
        if open_:
            open_[-1].text += words

    def entity(*_: object) -> None:
        raise BadXml("it declares entities")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.EntityDeclHandler = entity
    parser.buffer_text = True
    try:
        parser.Parse(text.lstrip("\ufeff").encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise BadXml(str(error)) from error
    if not root:
        raise BadXml("no element")
    return root[0]
