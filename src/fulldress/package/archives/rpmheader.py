"""The headers of an RPM package: the lead, the signature header and the main header, each a table of tagged values.

Formats 3, 4 and 6 share this form (rpm's manual, "RPM Package format"; ``lib/header.c`` for the limits): a magic, the
number of entries, the size of the store, entries of sixteen bytes (tag, type, offset, count) and the store. No number in
it is believed; what points outside the store is left out and said.
"""

from __future__ import annotations

import hashlib
import struct
from typing import BinaryIO

import msgspec

from fulldress.package.archives import Damage

LEAD = 96
_MAGIC = b"\x8e\xad\xe8\x01"
_ENTRIES = 0xFFFF  #: as rpm itself limits them
_STORE = 64 << 20  #: bytes; the largest known headers, of packages with 100,000 files, take about 20 MiB
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}
_CODES = {1: "B", 2: "B", 3: "H", 4: "I", 5: "Q"}
_STRING, _BYTES, _STRINGS, _I18N = 6, 7, 8, 9


class Header(msgspec.Struct, kw_only=True):
    """Tagged values. ``start`` and ``end`` are its place in the file, the padding not counted."""

    values: dict[int, tuple[int | str, ...] | bytes]
    start: int
    end: int
    faults: list[str]

    def texts(self, tag: int) -> tuple[str, ...]:
        found = self.values.get(tag, ())
        return tuple(str(item) for item in found) if isinstance(found, tuple) else ()

    def text(self, tag: int) -> str:
        return next(iter(self.texts(tag)), "")

    def numbers(self, tag: int) -> tuple[int, ...]:
        found = self.values.get(tag, ())
        return tuple(item for item in found if isinstance(item, int)) if isinstance(found, tuple) else ()

    def number(self, tag: int) -> int | None:
        return next(iter(self.numbers(tag)), None)


class Headers(msgspec.Struct, kw_only=True):
    """All that stands before the payload."""

    format: int  #: major number of the lead
    is_source: bool
    signature: Header
    main: Header

    @property
    def payload(self) -> int:
        """Where the payload begins."""
        return self.main.end


def read(source: BinaryIO) -> Headers:
    """The headers. ``source`` is seekable. Raises :class:`Damage`."""
    source.seek(0)
    lead = source.read(LEAD)
    if len(lead) < LEAD or lead[:4] != b"\xed\xab\xee\xdb":
        raise Damage("it does not begin as an RPM package")
    signature = _header(source, LEAD, "signature")
    main = _header(source, signature.end + -signature.end % 8, "main")
    is_source = struct.unpack(">H", lead[6:8])[0] == 1 or 1106 in main.values
    return Headers(format=lead[4], is_source=is_source, signature=signature, main=main)


def header_digest(source: BinaryIO, header: Header, algorithm: str) -> str:
    """The digest of a header's bytes, as the signature header states it."""
    source.seek(header.start)
    return hashlib.new(algorithm, source.read(header.end - header.start), usedforsecurity=False).hexdigest()


def _header(source: BinaryIO, start: int, which: str) -> Header:
    source.seek(start)
    intro = source.read(16)
    if len(intro) < 16 or intro[:4] != _MAGIC:
        raise Damage(f"its {which} header does not begin at byte {start:,}")
    count, size = struct.unpack(">II", intro[8:])
    if count > _ENTRIES or size > _STORE:
        raise Damage(f"its {which} header claims {count:,} entries and {size:,} bytes")
    index = source.read(count * 16)
    store = source.read(size)
    if len(index) < count * 16 or len(store) < size:
        raise Damage(f"its {which} header is cut off: it claims {count:,} entries and {size:,} bytes")
    values: dict[int, tuple[int | str, ...] | bytes] = {}
    faults: list[str] = []
    left = 4 * size + 4096  # values may share bytes; all of them together may not take much more than the store
    for at in range(0, len(index), 16):
        tag, kind, offset, number = struct.unpack(">IIII", index[at : at + 16])
        try:
            value, used = _value(store, kind, offset, number)
        except Damage as damage:
            faults.append(f"tag {tag} {damage}")
            continue
        left -= used
        if left < 0:
            raise Damage(f"the entries of its {which} header overlap")
        values.setdefault(tag, value)
    return Header(values=values, start=start, end=start + 16 + len(index) + size, faults=faults)


def _value(store: bytes, kind: int, offset: int, count: int) -> tuple[tuple[int | str, ...] | bytes, int]:
    """A value and the bytes it takes."""
    if offset > len(store) or count > len(store):
        raise Damage("points outside its header")
    if kind in _WIDTHS:
        length = count * _WIDTHS[kind]
        if offset + length > len(store):
            raise Damage("points outside its header")
        return struct.unpack(f">{count}{_CODES[kind]}", store[offset : offset + length]), length
    if kind == _BYTES:
        if offset + count > len(store):
            raise Damage("points outside its header")
        return store[offset : offset + count], count
    if kind in (_STRING, _STRINGS, _I18N):
        found: list[int | str] = []
        at = offset
        for _ in range(1 if kind == _STRING else count):
            end = store.find(b"\0", at)
            if end < 0:
                raise Damage("has no end")
            found.append(store[at:end].decode("utf-8", "surrogateescape"))
            at = end + 1
        return tuple(found), at - offset
    if kind == 0:
        return (), 0
    raise Damage(f"has the unknown type {kind}")
