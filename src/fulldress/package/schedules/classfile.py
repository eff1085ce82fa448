"""Annotations of a Java class file: which methods carry which, with which values. Nothing else of it is read.

The Java Virtual Machine Specification, chapter 4: the constant pool, methods, ``RuntimeVisibleAnnotations``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

Value = str | int | float | list["Value"] | dict[str, "Value"]
_WIDTHS = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
_MAX_DEPTH = 16


class BadClass(ValueError):
    """No class file, or a damaged one."""


class Annotated(msgspec.Struct, frozen=True):
    """One annotation. ``method`` is empty for one of the class."""

    owner: str
    method: str
    annotation: str  #: ``org.springframework.scheduling.annotation.Scheduled``
    values: dict[str, Value]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.end = data, 0, len(data)
        self.pool: dict[int, Value] = {}

    def take(self, form: str) -> int:
        try:
            (value,) = struct.unpack_from(f">{form}", self.data, self.at)
        except struct.error as error:
            raise BadClass("it ends too early") from error
        self.at += struct.calcsize(form)
        if self.at > self.end:
            raise BadClass("an attribute is longer than it says")
        return int(value)

    def skip(self, count: int) -> None:
        self.at += count
        if self.at > len(self.data):
            raise BadClass("it ends too early")

    def name(self, index: int) -> str:
        value = self.pool.get(index, "")
        return value if isinstance(value, str) else ""


def annotated(data: bytes) -> Iterator[Annotated]:
    """All annotations of a class and its methods. Raises :class:`BadClass`."""
    reader = _Reader(data)
    if reader.take("I") != 0xCAFEBABE:
        raise BadClass("no class file")
    reader.skip(4)
    classes = _constants(reader)
    reader.skip(2)
    owner = reader.name(classes.get(reader.take("H"), 0)).replace("/", ".")
    reader.skip(2)
    reader.skip(2 * reader.take("H"))
    for _ in range(reader.take("H")):  # fields
        reader.skip(6)
        _attributes(reader)
    for _ in range(reader.take("H")):
        reader.skip(2)
        method = reader.name(reader.take("H"))
        reader.skip(2)
        for name, values in _attributes(reader):
            yield Annotated(owner, method, name, values)
    for name, values in _attributes(reader):
        yield Annotated(owner, "", name, values)


def _constants(reader: _Reader) -> dict[int, int]:
    """Fills the pool; gives the indexes of class names."""
    classes: dict[int, int] = {}
    count, index = reader.take("H"), 1
    while index < count:
        tag = reader.take("B")
        if tag == 1:
            length = reader.take("H")
            begin = reader.at
            reader.skip(length)
            reader.pool[index] = reader.data[begin : begin + length].decode("utf-8", "replace")
        elif tag in (3, 5):
            reader.pool[index] = reader.take("i" if tag == 3 else "q")
        elif tag == 7:
            classes[index] = reader.take("H")
        elif tag in _WIDTHS:
            reader.skip(_WIDTHS[tag])
        else:
            raise BadClass(f"a constant of kind {tag}")
        index += 2 if tag in (5, 6) else 1
    return classes


def _attributes(reader: _Reader) -> list[tuple[str, dict[str, Value]]]:
    found: list[tuple[str, dict[str, Value]]] = []
    for _ in range(reader.take("H")):
        name, length = reader.name(reader.take("H")), reader.take("I")
        end = reader.at + length
        if end > len(reader.data):
            raise BadClass("it ends too early")
        if name in ("RuntimeVisibleAnnotations", "RuntimeInvisibleAnnotations"):
            reader.end = end
            found += [_annotation(reader, 0) for _ in range(reader.take("H"))]
            reader.end = len(reader.data)
        reader.at = end
    return found


def _annotation(reader: _Reader, depth: int) -> tuple[str, dict[str, Value]]:
    if depth > _MAX_DEPTH:
        raise BadClass("annotations nest too deep")
    name = reader.name(reader.take("H")).removeprefix("L").removesuffix(";").replace("/", ".")
    values: dict[str, Value] = {}
    for _ in range(reader.take("H")):
        key = reader.name(reader.take("H"))
        values[key] = _value(reader, depth)
    return name, values


def _value(reader: _Reader, depth: int) -> Value:
    if depth > _MAX_DEPTH:
        raise BadClass("annotations nest too deep")
    tag = chr(reader.take("B"))
    if tag in "BCDFIJSZs":
        return reader.pool.get(reader.take("H"), "")
    if tag == "e":
        reader.skip(2)
        return reader.name(reader.take("H"))
    if tag == "c":
        return reader.name(reader.take("H"))
    if tag == "@":
        name, values = _annotation(reader, depth + 1)
        return {"@": name, **values}
    if tag == "[":
        return [_value(reader, depth + 1) for _ in range(reader.take("H"))]
    raise BadClass(f"an annotation's value of kind {tag!r}")
