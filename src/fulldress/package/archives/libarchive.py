"""The child process in which libarchive reads a container that nobody trusts. It runs alone: ``python -I -S`` this file.

It imports nothing of fulldress and no package but the library inside ``archi``, whose path it is given: so it starts in
about 40 ms. Before the first byte is looked at it gives up what it does not need: memory beyond a limit, processor time,
new descriptors (and so files, sockets, pipes), files it could write, core dumps.

Arguments: library, descriptor, ``read`` or ``list`` or ``hash``, seconds, bytes of memory, and one or more containers of
that file, ``start:length:kinds``.
Output: frames of a letter, four bytes of length (big endian) and a body.

=  ==========================================================================================================
E  a member, JSON: name, shape, size (null if unknown), mode, modified, link, format, closed
D  bytes of it
F  JSON text: why its bytes ended early
X  JSON: given (bytes), sha256; ends a member that was listed with its digest
.  its end
Z  JSON: what ended the container (``""``: its end), and whether something in it is encrypted
=  ==========================================================================================================
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import resource
import struct
import sys

_BLOCK = 1 << 18  #: bytes asked of the file, and put into a frame, at once
_HOLE = 1 << 30  #: a hole of a sparse file that is filled with zeros; a larger one is refused
_MOST = 2_000_000  #: members listed
_EOF, _OK, _RETRY, _WARN = 1, 0, -10, -20
_SHAPES = {0o100000: "file", 0o040000: "folder", 0o120000: "link"}
#: by the kind of :mod:`fulldress.package.identify`: formats, filters
_SUPPORT: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "7z": (("7zip",), ()),
    "rar": (("rar", "rar5"), ()),
    "cab": (("cab",), ()),
    "iso": (("iso9660",), ()),
    "xar": (("xar",), ()),
    "lha": (("lha",), ()),
    "lz4": (("tar", "cpio", "raw"), ("lz4",)),
    "lzma": (("tar", "cpio", "raw"), ("lzma",)),
    "compress": (("tar", "cpio", "raw"), ("compress",)),
    "zip": (("zip",), ()),
    "tar": (("tar", "gnutar"), ("gzip", "xz", "zstd", "lzma", "compress", "lz4")),
    "ar": (("ar",), ()),
    "cpio": (("cpio",), ("gzip", "xz", "zstd", "lzma")),
    "rpm": (("cpio",), ("rpm", "gzip", "xz", "zstd", "lzma")),
}

_ReadCall = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
_SeekCall = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int)
_SkipCall = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


class _Bytes:
    """A part of a file, read by position so that the parent's place in it does not move."""

    def __init__(self, descriptor: int, start: int, length: int) -> None:
        self._descriptor, self._start, self._length, self._at = descriptor, start, length, 0
        self._held = ctypes.create_string_buffer(_BLOCK)
        self.calls = (_ReadCall(self._read), _SeekCall(self._seek), _SkipCall(self._skip))

    def _read(self, _archive: object, _data: object, target: ctypes._Pointer[ctypes.c_void_p]) -> int:
        wanted = max(0, min(_BLOCK, self._length - self._at))
        got = os.preadv(self._descriptor, [memoryview(self._held)[:wanted]], self._start + self._at) if wanted else 0
        self._at += got
        target[0] = ctypes.addressof(self._held)
        return got

    def _seek(self, _archive: object, _data: object, offset: int, whence: int) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}.get(whence, 0)
        self._at = min(max(0, base + offset), self._length)
        return self._at

    def _skip(self, _archive: object, _data: object, count: int) -> int:
        count = max(0, min(count, self._length - self._at))
        self._at += count
        return count


def _load(path: str) -> ctypes.CDLL:
    library = ctypes.CDLL(path)
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, kind in (
        ("archive_read_new", pointer), ("archive_error_string", text), ("archive_entry_pathname", text),
        ("archive_entry_pathname_w", ctypes.c_wchar_p), ("archive_entry_symlink", text), ("archive_entry_hardlink", text),
        ("archive_entry_size", ctypes.c_int64), ("archive_entry_mtime", ctypes.c_int64), ("archive_format_name", text),
        ("archive_entry_symlink_w", ctypes.c_wchar_p), ("archive_entry_hardlink_w", ctypes.c_wchar_p),
    ):  # fmt: skip
        function = getattr(library, name)
        function.restype = kind
        function.argtypes = [] if name == "archive_read_new" else [pointer]
    for name in (
        "archive_entry_filetype", "archive_entry_perm", "archive_entry_size_is_set", "archive_entry_mtime_is_set",
        "archive_entry_is_data_encrypted", "archive_entry_is_metadata_encrypted", "archive_read_has_encrypted_entries",
        "archive_read_open1", "archive_read_data_skip",
    ):  # fmt: skip
        getattr(library, name).argtypes = [pointer]
    library.archive_read_next_header.argtypes = [pointer, ctypes.POINTER(pointer)]
    library.archive_read_data_block.argtypes = [
        pointer, ctypes.POINTER(pointer), ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_int64)
    ]  # fmt: skip
    return library


class _Reader:
    """One container."""

    def __init__(self, library: ctypes.CDLL, source: _Bytes, kinds: list[str], how: str) -> None:
        self._library, self._source, self._how = library, source, how
        self._archive = ctypes.c_void_p(library.archive_read_new())
        for kind in kinds:
            formats, filters = _SUPPORT[kind]
            for name in formats:
                self._call(f"archive_read_support_format_{name}")
            for name in filters:
                self._call(f"archive_read_support_filter_{name}")
        for name, call in zip(("read", "seek", "skip"), source.calls, strict=True):
            function = getattr(library, f"archive_read_set_{name}_callback")
            function.argtypes = [ctypes.c_void_p, type(call)]
            function(self._archive, call)
        library.archive_read_set_callback_data.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        library.archive_read_set_callback_data(self._archive, None)

    def _call(self, name: str) -> None:
        function = getattr(self._library, name)
        function.argtypes = [ctypes.c_void_p]
        function(self._archive)

    def run(self) -> None:
        """All members, then why there are no more."""
        ended = "" if self._library.archive_read_open1(self._archive) >= _WARN else self._error()
        entry, listed = ctypes.c_void_p(), 0
        while not ended:
            status = self._library.archive_read_next_header(self._archive, ctypes.byref(entry))
            if status == _EOF:
                break
            if status < _WARN and status != _RETRY:
                ended = self._error()
                break
            if status == _RETRY:
                continue
            listed += 1
            if listed > _MOST:
                ended = f"more than {_MOST:,} members"
                break
            self._member(entry)
        secret = self._library.archive_read_has_encrypted_entries(self._archive) == 1
        self._call("archive_read_free")
        _frame(b"Z", json.dumps([ended, secret]).encode())

    def _member(self, entry: ctypes.c_void_p) -> None:
        library = self._library
        hard = _text(library.archive_entry_hardlink(entry), library.archive_entry_hardlink_w, entry)
        soft = _text(library.archive_entry_symlink(entry), library.archive_entry_symlink_w, entry)
        kind = library.archive_entry_filetype(entry) & 0o170000
        said = {
            "name": _text(library.archive_entry_pathname(entry), library.archive_entry_pathname_w, entry),
            "shape": "hardlink" if hard else _SHAPES.get(kind, "file" if kind == 0 else "device"),
            "size": library.archive_entry_size(entry) if library.archive_entry_size_is_set(entry) else None,
            "mode": library.archive_entry_perm(entry) & 0o7777,
            "modified": library.archive_entry_mtime(entry) if library.archive_entry_mtime_is_set(entry) else None,
            "link": hard or soft,
            "format": (library.archive_format_name(self._archive) or b"").decode("ascii", "replace"),
            "secret": bool(
                library.archive_entry_is_data_encrypted(entry) or library.archive_entry_is_metadata_encrypted(entry)
            ),
            "closed": "",
        }
        if said["shape"] != "file" or said["secret"] or self._how == "list":
            _frame(b"E", json.dumps(said).encode())
        else:
            self._content(said)
        _frame(b".", b"")

    def _content(self, said: dict[str, object]) -> None:
        """A member with its bytes. The first block is read before the member is told, so that a method that libarchive
        does not know shows itself in time."""
        digest, given, told = hashlib.sha256(), 0, False
        data, size, place = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_int64()
        while True:
            status = self._library.archive_read_data_block(
                self._archive, ctypes.byref(data), ctypes.byref(size), ctypes.byref(place)
            )
            if status == _RETRY:
                continue
            fault = self._error() if status < _WARN else ""
            if status not in (_OK, _EOF, _WARN) or fault:
                if not told:
                    said["closed"] = fault
                    _frame(b"E", json.dumps(said).encode())
                else:
                    _frame(b"F", json.dumps(fault).encode())
                return
            if not told:
                _frame(b"E", json.dumps(said).encode())
                told = True
            whole = said["size"] if status == _EOF and isinstance(said["size"], int) else place.value
            hole = (whole if status == _EOF else place.value) - given
            if hole > _HOLE:
                _frame(b"F", json.dumps(f"a hole of {hole:,} bytes").encode())
                return
            for length in _pieces(hole if hole > 0 and (status != _EOF or given or place.value) else 0):
                self._give(bytes(length), digest)
                given += length
            if status == _EOF:
                break
            for at in range(0, size.value, _BLOCK):
                part = ctypes.string_at((data.value or 0) + at, min(_BLOCK, size.value - at))
                self._give(part, digest)
                given += len(part)
        if self._how == "hash":
            _frame(b"X", json.dumps([given, digest.hexdigest()]).encode())

    def _give(self, part: bytes, digest: hashlib._Hash) -> None:
        if self._how == "hash":
            digest.update(part)
        else:
            _frame(b"D", part)

    def _error(self) -> str:
        said = self._library.archive_error_string(self._archive) or b"no reason given"
        return " ".join(said.decode("utf-8", "replace").split())[:300]


def _pieces(length: int) -> list[int]:
    whole, rest = divmod(length, _BLOCK)
    return [_BLOCK] * whole + ([rest] if rest else [])


def _text(raw: bytes | None, wide: object, entry: ctypes.c_void_p) -> str:
    if raw is not None:
        return raw.decode("utf-8", "surrogateescape")
    return (wide(entry) or "") if callable(wide) else ""


def _frame(kind: bytes, body: bytes) -> None:
    view = memoryview(struct.pack(">cI", kind, len(body)) + body)
    while view:
        view = view[os.write(1, view) :]


def main(arguments: list[str]) -> None:
    path, descriptor, how, seconds, memory, *jobs = arguments
    library = _load(path)
    for limit, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, int(seconds)),
        (resource.RLIMIT_AS, int(memory)),
        (resource.RLIMIT_NOFILE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (most, most))
    for job in jobs:
        start, length, kinds = job.split(":")
        _Reader(library, _Bytes(int(descriptor), int(start), int(length)), kinds.split(","), how).run()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(1)
    except MemoryError:
        os._exit(3)
