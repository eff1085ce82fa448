"""The tables of an MSI package, as they lie in the streams of its compound file.

The names of streams are packed two letters into one; strings stand once, in a pool, and rows hold their numbers; a table is
written column by column. (Windows Installer's own database format is not published; this is what Wine's and msitools'
readers take it to be, and what the tables ``_Tables`` and ``_Columns`` say of themselves.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from fulldress.package.archives import Damage
from fulldress.package.archives.compound import Compound, Stream

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
_LARGEST = 64 << 20  #: bytes of one table, or of all strings
_LARGEST_SCRIPT = 4 << 20
_MOST_ROWS = 500_000
_STRING, _BINARY, _NULLABLE = 0x0800, 0x0900, 0x1000
_CODEPAGES = {0: "cp1252", 65001: "utf-8", 1200: "utf-16-le"}

Row = dict[str, str]  #: by column; numbers in decimal, null is empty


class Table(msgspec.Struct, frozen=True):
    """The columns of a table, and its rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def name(written: str) -> str:
    """The name of a stream; that of a table begins with ``!``."""
    found = []
    for char in written:
        code = ord(char)
        if code == 0x4840:
            found.append("!")
        elif 0x3800 <= code < 0x4800:
            found += (_LETTERS[(code - 0x3800) & 0x3F], _LETTERS[(code - 0x3800) >> 6])
        elif 0x4800 <= code < 0x4840:
            found.append(_LETTERS[code - 0x4800])
        else:
            found.append(char)
    return "".join(found)


class Database:
    """All tables of an MSI. ``streams``: the others by name. Raises :class:`Damage`."""

    def __init__(self, file: Compound) -> None:
        named = {name(stream.path): stream for stream in file.streams}
        self.streams = {key: stream for key, stream in named.items() if not key.startswith("!")}
        self.faults: list[str] = []
        self._file = file
        self._strings, self._wide = self._pool(named)
        columns: dict[str, list[tuple[int, str, int]]] = {}
        for row in self._rows(
            named.get("!_Columns"), [("Table", _STRING), ("Number", 2), ("Name", _STRING), ("Type", 2)]
        ):
            columns.setdefault(row["Table"], []).append((int(row["Number"] or 0), row["Name"], int(row["Type"] or 0)))
        self.tables: dict[str, Table] = {}
        for row in self._rows(named.get("!_Tables"), [("Name", _STRING)]):
            table = row["Name"]
            layout = [(label, kind) for _, label, kind in sorted(columns.get(table, []))]
            if not layout:
                self.faults.append(f"its table {table} has no columns")
                continue
            rows = tuple(self._rows(named.get(f"!{table}"), layout))
            self.tables[table] = Table(tuple(label for label, _ in layout), rows)

    def rows(self, table: str, key: str = "") -> tuple[Row, ...]:
        """The rows of a table; none where there is no such table, or where it lacks the column ``key``."""
        found = self.tables.get(table)
        if found is not None and key and key not in found.columns:
            self.faults.append(f"its table {table} lacks the column {key}")
            return ()
        return found.rows if found else ()

    def script(self, stream: Stream) -> str | None:
        """The text of a stream; None where it is too large."""
        if stream.size > _LARGEST_SCRIPT:
            return None
        raw = self._file.read(stream, _LARGEST_SCRIPT)
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return raw.decode("utf-16", "replace")
        try:
            return raw.removeprefix(b"\xef\xbb\xbf").decode()
        except UnicodeDecodeError:
            return raw.decode("latin-1")

    def _pool(self, named: dict[str, Stream]) -> tuple[list[str], int]:
        if "!_StringPool" not in named or "!_StringData" not in named:
            raise Damage("it has no pool of strings")
        pool = self._file.read(named["!_StringPool"], _LARGEST)
        data = self._file.read(named["!_StringData"], _LARGEST)
        page, flags = struct.unpack_from("<HH", pool.ljust(4, b"\0"))
        codec = _CODEPAGES.get(page, f"cp{page}")
        try:
            "".encode(codec)
        except LookupError:
            codec = "cp1252"
        strings, at, place = [""], 4, 0
        while at + 4 <= len(pool):
            length, references = struct.unpack_from("<HH", pool, at)
            at += 4
            if (
                not length and references and at + 4 <= len(pool)
            ):  # longer than 64 KiB: the next four bytes are its length
                (length,) = struct.unpack_from("<I", pool, at)
                at += 4
            strings.append(data[place : place + length].decode(codec, "replace"))
            place += length
        if place != len(data):
            self.faults.append(f"its strings take {place:,} bytes by their table, and {len(data):,} are there")
        return strings, 3 if flags & 0x8000 else 2

    def _rows(self, stream: Stream | None, layout: list[tuple[str, int]]) -> Iterator[Row]:
        if stream is None or not stream.size:
            return
        data = self._file.read(stream, _LARGEST)
        widths = [_width(kind, self._wide) for _, kind in layout]
        count, rest = divmod(len(data), sum(widths))
        if rest or count > _MOST_ROWS:
            raise Damage(f"its table {name(stream.path)[1:]} has {len(data):,} bytes, which its columns do not divide")
        starts = [count * sum(widths[:index]) for index in range(len(widths))]
        for number in range(count):
            yield {
                label: self._value(data[start + number * width : start + (number + 1) * width], kind)
                for (label, kind), start, width in zip(layout, starts, widths, strict=True)
            }

    def _value(self, raw: bytes, kind: int) -> str:
        number = int.from_bytes(raw, "little")
        if kind & ~_NULLABLE == _BINARY:
            return "[Binary Data]" if number else ""
        if kind & _STRING:
            return self._strings[number] if number < len(self._strings) else ""
        if not number:
            return ""
        return str(number - (0x8000 if len(raw) == 2 else 0x80000000))


def _width(kind: int, wide: int) -> int:
    if kind & ~_NULLABLE == _BINARY:
        return 2
    if kind & _STRING:
        return wide
    return 2 if kind & 0xFF <= 2 else 4


def exported(table: Table) -> str:
    """A table as msitools and Windows Installer export it: columns, then rows, with tabs between."""
    lines = ["\t".join(table.columns)]
    lines += ["\t".join(" ".join(row[column].split()) for column in table.columns) for row in table.rows]
    return "\n".join(lines) + "\n"
