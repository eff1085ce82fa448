"""RPM and cpio archives, cabinets, LHA and 7z made byte by byte, for tests."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

Value = int | str | bytes | Sequence[int] | Sequence[str]


def newc(
    files: Sequence[tuple[str, int, bytes]], magic: bytes = b"070701", links: Mapping[str, tuple[int, int]] = {}
) -> bytes:
    """A cpio of (name, mode, content); ``links``: inode and number of names of a member."""
    out = b""
    for number, (name, mode, data) in enumerate([*files, ("TRAILER!!!", 0, b"")], 1):
        raw = name.encode("utf-8", "surrogateescape") + b"\0"
        inode, count = links.get(name, (number, 1))
        check = sum(data) & 0xFFFFFFFF if magic == b"070702" else 0
        fields = (inode, mode, 0, 0, count, 1_767_323_046, len(data), 0, 0, 0, 0, len(raw), check)
        head = magic + b"".join(b"%08x" % field for field in fields) + raw
        out += head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)
    return out + b"\0" * (-len(out) % 512)


def odc(files: Sequence[tuple[str, int, bytes]]) -> bytes:
    """The POSIX form."""
    out = b""
    for number, (name, mode, data) in enumerate([*files, ("TRAILER!!!", 0, b"")], 1):
        raw = name.encode() + b"\0"
        out += (
            b"070707"
            + b"%06o" * 7 % (1, number, mode, 0, 0, 1, 0)
            + b"%011o%06o%011o" % (1_767_323_046, len(raw), len(data))
        )
        out += raw + data
    return out


def binary(files: Sequence[tuple[str, int, bytes]], order: str) -> bytes:
    """The old binary form, ``<`` or ``>``."""
    out = b""
    for number, (name, mode, data) in enumerate([*files, ("TRAILER!!!", 0, b"")], 1):
        raw = name.encode() + b"\0"
        size = (len(data) >> 16, len(data) & 0xFFFF)
        out += struct.pack(f"{order}13H", 0o070707, 1, number, mode, 0, 0, 1, 0, 0x6957, 0x3CA6, len(raw), *size)
        out += raw + b"\0" * (len(raw) % 2) + data + b"\0" * (len(data) % 2)
    return out


def stripped(contents: Sequence[tuple[int, bytes]]) -> bytes:
    """The form without names and sizes, of files by their place in the header."""
    out = b""
    for index, data in contents:
        out += b"07070X%08x\0\0" % index + data + b"\0" * (-len(data) % 4)
    trailer = newc([])
    return out + trailer


def header(tags: Mapping[int, Value]) -> bytes:
    """A header: integers are INT32 (INT16 for file modes), text is STRING, a sequence of text is STRING_ARRAY."""
    index, store = b"", b""
    for tag, value in sorted(tags.items()):
        values = [value] if isinstance(value, int | str | bytes) else list(value)
        if isinstance(values[0], int):
            kind, width = (3, 2) if tag == 1030 else (5, 8) if tag == 5008 else (4, 4)
            store += b"\0" * (-len(store) % width)
            data = b"".join(int(item).to_bytes(width, "big") for item in values)  # type: ignore[arg-type]
        elif isinstance(values[0], bytes):
            kind, data = 7, values[0]
        else:
            kind = 6 if isinstance(value, str) else 8
            data = b"".join(str(item).encode() + b"\0" for item in values)
        index += struct.pack(">IIII", tag, kind, len(store), len(data) if kind == 7 else len(values))
        store += data
    return b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", len(index) // 16, len(store)) + index + store


def rpm(
    tags: Mapping[int, Value], payload: bytes, signature: Mapping[int, Value] | None = None, is_source: bool = False
) -> bytes:
    """A package; the digest of its header is stated where ``signature`` does not say otherwise."""
    main = header({1000: "portal-agent", 1001: "4.2.0", 1002: "3", 1022: "noarch", **tags})
    said = {273: hashlib.sha256(main).hexdigest()} if signature is None else signature
    lead = struct.pack(">4sBBHH66sHH16x", b"\xed\xab\xee\xdb", 3, 0, int(is_source), 255, b"portal-agent-4.2.0-3", 1, 5)
    sign = header(said or {1000: 1})
    return lead + sign + b"\0" * (-len(sign) % 8) + main + payload


def listed(
    files: Sequence[tuple[str, int, bytes]], flags: Mapping[str, int] = {}, caps: Mapping[str, str] = {}
) -> dict[int, Value]:
    """The tags that list these files, their digests of SHA-256."""
    names = [name for name, _, _ in files]
    folders = sorted({"/" + name.rpartition("/")[0].removeprefix("./") + "/" for name in names})
    tags: dict[int, Value] = {
        1116: [folders.index("/" + name.rpartition("/")[0].removeprefix("./") + "/") for name in names],
        1117: [name.rpartition("/")[2] for name in names],
        1118: folders,
        1028: [len(data) for _, _, data in files],
        1030: [mode for _, mode, _ in files],
        1034: [1_767_323_046] * len(names),
        1035: [hashlib.sha256(data).hexdigest() if mode >> 12 == 8 else "" for _, mode, data in files],
        1037: [flags.get(name, 0) for name in names],
        1039: ["root"] * len(names),
        1040: ["root"] * len(names),
        5011: 8,
    }
    if caps:
        tags[5010] = [caps.get(name, "") for name in names]
    return tags


def cab(files: Mapping[str, bytes]) -> bytes:
    """A cabinet whose files are stored (MS-CAB)."""
    content = b"".join(files.values())
    blocks = [content[at : at + 32768] for at in range(0, len(content), 32768)]
    entries = b""
    at = 0
    for name, data in files.items():
        entries += struct.pack("<IIHHHH", len(data), at, 0, 0x5C22, 0x1883, 0x20) + name.encode() + b"\0"
        at += len(data)
    first = 36 + 8
    start = first + len(entries)
    body = b"".join(struct.pack("<IHH", 0, len(block), len(block)) + block for block in blocks)
    head = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, start + len(body), 0, first, 0, 3, 1, 1, len(files), 0, 1, 0)
    return head + struct.pack("<IHH", start, len(blocks), 0) + entries + body


def lha(files: Mapping[str, bytes]) -> bytes:
    """An LHA whose members are stored, headers of level 0."""
    out = b""
    for name, data in files.items():
        raw = name.encode()
        body = b"-lh0-" + struct.pack("<III", len(data), len(data), 0x5C221883) + b"\x20\0" + bytes([len(raw)]) + raw
        body += struct.pack("<H", _crc16(data))
        out += bytes([len(body), sum(body) & 0xFF]) + body + data
    return out + b"\0"


def _crc16(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


def rar(files: Mapping[str, bytes]) -> bytes:
    """A RAR 4 whose members are stored."""
    import zlib

    def block(kind: int, flags: int, body: bytes, size: int = 0) -> bytes:
        rest = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(rest) & 0xFFFF) + rest

    out = b"Rar!\x1a\x07\0" + block(0x73, 0, b"\0" * 6)
    for name, data in files.items():
        raw = name.encode()
        body = struct.pack(
            "<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data), 0x5C221883, 20, 0x30, len(raw), 0o100644
        )
        out += block(0x74, 0x8000, body + raw) + data
    return out + block(0x7B, 0x4000, b"")


def by_libarchive(path: Path, form: str, files: Mapping[str, bytes]) -> bytes:
    """An archive that libarchive writes: ``7zip``, ``iso9660``, ``xar``."""
    found = importlib.util.find_spec("archi")
    assert found is not None and found.origin
    library = ctypes.CDLL(found.origin)
    pointer = ctypes.c_void_p
    library.archive_write_new.restype = library.archive_entry_new.restype = pointer
    archive = pointer(library.archive_write_new())
    assert getattr(library, f"archive_write_set_format_{form}")(archive) == 0
    assert library.archive_write_open_filename(archive, str(path).encode()) == 0
    for name, data in files.items():
        entry = pointer(library.archive_entry_new())
        library.archive_entry_set_pathname(entry, name.encode())
        library.archive_entry_set_size(entry, ctypes.c_int64(len(data)))
        library.archive_entry_set_filetype(entry, 0o100000)
        library.archive_entry_set_perm(entry, 0o644)
        library.archive_entry_set_mtime(entry, ctypes.c_int64(1_767_323_046), 0)
        assert library.archive_write_header(archive, entry) == 0
        library.archive_write_data.argtypes = [pointer, ctypes.c_char_p, ctypes.c_size_t]
        library.archive_write_data(archive, data, len(data))
        library.archive_entry_free(entry)
    assert library.archive_write_close(archive) == 0
    library.archive_write_free(archive)
    return path.read_bytes()
