"""XML settings with positions.

``<add key="a" value="b"/>``, ``<entry key="a">b</entry>``, ``<property name="a" value="b"/>`` and
``<property><name>a</name><value>b</value></property>`` are the key ``a``. Everything else is the dotted path of its
elements without the root; attributes as ``.@name``; the second element of a name beside its like is ``name[1]``.
Documents that declare entities are refused: no settings file needs them, and bombs are made of them.
"""

from __future__ import annotations

import re
from collections import Counter
from xml.parsers import expat  # expat alone resolves nothing outside; entity declarations are refused below
from xml.sax.saxutils import escape

from fulldress.formats.place import Broken, Place, whole_lines

_DEEPEST = 200
_NAMES = ("key", "name")


class _Element:
    def __init__(self, tag: str, name: str, start: int, inside: int, attributes: dict[str, str]) -> None:
        self.tag, self.name, self.start, self.inside, self.attributes = tag, name, start, inside, attributes
        self.seen: Counter[str] = Counter()
        self.text: list[str] = []
        self.children: dict[str, tuple[str, int, int]] = {}
        self.mark = 0


def scan(text: str) -> list[Place]:
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.bytes = re.sub(r"(<\?xml[^>]*?)\s+encoding\s*=\s*(\"[^\"]*\"|'[^']*')", _blank, text, count=1).encode(
            "utf-8", "replace"
        )
        self.ascii = len(self.bytes) == len(text)
        self.places: list[Place] = []
        self.stack: list[_Element] = []

    def run(self) -> list[Place]:
        parser = expat.ParserCreate("utf-8")
        self.parser = parser
        parser.buffer_text = True
        parser.StartElementHandler = self.open
        parser.EndElementHandler = self.close
        parser.CharacterDataHandler = lambda data: self.stack[-1].text.append(data) if self.stack else None
        parser.EntityDeclHandler = self.refuse
        try:
            parser.Parse(self.bytes, True)
        except expat.ExpatError as error:
            raise Broken(error.lineno, expat.ErrorString(error.code)) from None
        return self.places

    def refuse(self, *_: object) -> None:
        raise Broken(self.parser.CurrentLineNumber, "the document declares entities")

    def offset(self) -> int:
        at = self.parser.CurrentByteIndex
        return at if self.ascii else len(self.bytes[:at].decode("utf-8", "replace"))

    def open(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self.stack) > _DEEPEST:
            raise Broken(self.parser.CurrentLineNumber, f"nested more than {_DEEPEST} deep")
        start = self.offset()
        name = ""
        if self.stack:
            parent = self.stack[-1]
            parent.seen[tag] += 1
            own = tag if parent.seen[tag] == 1 else f"{tag}[{parent.seen[tag] - 1}]"
            name = f"{parent.name}.{own}" if parent.name else own
        element = _Element(tag, name, start, self.tag_end(start), attributes)
        element.mark = len(self.places)
        self.stack.append(element)

    def tag_end(self, start: int) -> int:
        match = re.compile(r"<(?:[^>\"']|\"[^\"]*\"|'[^']*')*>").match(self.text, start)
        return match.end() if match else start

    def close(self, tag: str) -> None:
        element = self.stack.pop()
        at = self.offset()
        empty = self.text[element.inside - 2 : element.inside] == "/>"
        inner_end = element.inside if empty else at
        end = element.inside if empty else self.tag_end(at)
        text = "".join(element.text).strip()
        begin, stop = _trimmed(self.text, element.inside, inner_end)
        if self.stack:
            self.stack[-1].children[tag] = (text, begin, stop)
        called = next((element.attributes[n] for n in _NAMES if n in element.attributes), "")
        if not called and len(element.children) >= 2 and {"name", "value"} <= set(element.children):
            value, begin, stop = element.children["value"]
            del self.places[element.mark :]
            self.add(element.children["name"][0], value, element.start, end, begin, stop)
        elif called and "value" in element.attributes:
            self.add(called, element.attributes["value"], element.start, end, *self.attribute(element, "value"))
        elif called and text and not element.children:
            self.add(called, text, element.start, end, begin, stop)
        else:
            self.whole(element, text, end, begin, stop)

    def whole(self, element: _Element, text: str, end: int, begin: int, stop: int) -> None:
        prefix = f"{element.name}." if element.name else ""
        for name, value in element.attributes.items():
            if not name.startswith("xmlns") and not name.startswith("xsi:"):
                self.add(
                    f"{prefix}@{name}",
                    value,
                    element.start,
                    element.inside,
                    *self.attribute(element, name),
                    style="attribute",
                )
        if element.name and not element.children and (text or not element.attributes):
            self.add(element.name, text, element.start, end, begin, stop)

    def attribute(self, element: _Element, name: str) -> tuple[int, int]:
        tag = self.text[element.start : element.inside]
        match = re.search(rf"\s{re.escape(name)}\s*=\s*(\"([^\"]*)\"|'([^']*)')", tag)
        if match is None:
            return element.inside, element.inside
        return element.start + match.start(1) + 1, element.start + match.end(1) - 1

    def add(self, name: str, value: str, start: int, end: int, begin: int, stop: int, style: str = "element") -> None:
        self.places.append(
            Place(name=name, value=value, start=start, end=end, value_start=begin, value_end=stop, style=style)
        )


def _blank(match: re.Match[str]) -> str:
    return match[1] + " " * (len(match[0]) - len(match[1]))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    raw = text[start:end]
    return start + len(raw) - len(raw.lstrip()), max(start + len(raw) - len(raw.lstrip()), start + len(raw.rstrip()))


def write(value: str, old: str) -> str:
    return escape(value, {'"': "&quot;", "'": "&apos;"})


def remove(text: str, place: Place, places: list[Place]) -> str:
    if place.style == "attribute":
        lead = re.search(r"\s+[\w:.\-]+\s*=\s*[\"']$", text[: place.value_start])
        return text[: lead.start() if lead else place.value_start] + text[place.value_end + 1 :]
    start, end = whole_lines(text, place.start, place.end)
    alone = not text[start : place.start].strip() and not text[place.end : end].strip()
    return text[:start] + text[end:] if alone else text[: place.start] + text[place.end :]


def insert(text: str, places: list[Place], key: str, value: str) -> str:
    """A copy of the last ``key``/``value`` element with this key; other documents have no place that could be guessed."""
    for place in reversed(places):
        raw = text[place.start : place.end]
        if place.style == "element" and re.search(
            rf"(?:key|name)\s*=\s*[\"']{re.escape(place.name)}[\"']|<name>\s*{re.escape(place.name)}\s*</name>", raw
        ):
            at = place.value_start - place.start
            new = raw[:at] + write(value, "") + raw[place.value_end - place.start :]
            new = re.sub(rf"(?<=[\"'>\s]){re.escape(place.name)}(?=[\"'<\s])", lambda _: write(key, ""), new, count=1)
            begin = text.rfind("\n", 0, place.start) + 1
            indent = text[begin : place.start] if not text[begin : place.start].strip() else ""
            return f"{text[: place.end]}\n{indent}{new}{text[place.end :]}"
    raise Broken(1, "there is no element beside which this key could stand; edit the file by hand, or as a whole")
