"""Archives made byte by byte, for tests: whole ones and ones that no honest program writes."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these files."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), data, compress_type=method)
    return held.getvalue()


def tarred(files: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """An uncompressed tar of these files."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), 1_767_323_046, 0o755
            archive.addfile(info, io.BytesIO(data))
    return held.getvalue()


def tar_of(*infos: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A tar of these very members."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for info, data in infos:
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data))
    return held.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    """A link, for :func:`tar_of`."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def file(name: str, data: bytes = b"x", mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    """A file, for :func:`tar_of`."""
    info = tarfile.TarInfo(name)
    info.mode = mode
    return info, data


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def ar(files: Mapping[str, bytes]) -> bytes:
    """An ar archive, as ``dpkg-deb`` writes it."""
    out = b"!<arch>\n"
    for name, data in files.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return out


def deb(control: Mapping[str, bytes], data: Mapping[str, bytes]) -> bytes:
    """A Debian package."""
    return ar(
        {
            "debian-binary": b"2.0\n",
            "control.tar.gz": gzipped(tarred(control)),
            "data.tar.gz": gzipped(tarred(data)),
        }
    )


def raw_zip(members: list[tuple[str, str, bytes, int, int]], shared: int | None = None) -> bytes:
    """A ZIP whose two tables may differ: (directory name, header name, deflated bytes, size, CRC) a member.

    ``shared``: every directory entry points to the header of this member."""
    body, places = b"", []
    for _, name, packed, size, crc in members if shared is None else members[shared : shared + 1]:
        places.append(len(body))
        raw = name.encode()
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(packed), size, len(raw), 0) + raw + packed
    table = b""
    for number, (name, _, packed, size, crc) in enumerate(members):
        raw = name.encode()
        table += (
            struct.pack(
                "<4s4B4H3L5H2L",
                *(b"PK\1\2", 20, 0, 20, 0, 0, 8, 0, 0, crc, len(packed), size, len(raw), 0, 0, 0, 0, 0),
                places[number if shared is None else 0],
            )
            + raw
        )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(members), len(members), len(table), len(body), 0)
    return body + table + end


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()
