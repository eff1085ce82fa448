"""The build information that the Go linker leaves in a program (format of Go 1.18 and later, debug/buildinfo).

The mark stands in every kind of executable, so it is searched for and no table of the file is needed.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import BinaryIO

from fulldress.package.binaries.said import Said
from fulldress.patterns import regex

_MARK = b"\xff Go buildinf:"
_CHUNK = 1 << 20
_LIMIT = 1 << 22  #: bytes of module lines
_STAMPED = regex(r"-X[ =]['\"]?[\w./\-]*\.(?:\w*[vV]ersion|VERSION)=v?(\d[\w.\-+]*)")

_MACHINES = {"amd64": "x86_64", "386": "i686", "arm64": "aarch64", "arm": "armv7l"}


def read(file: BinaryIO) -> Said | None:
    """What the Go linker wrote, or None for a program of another language."""
    place = _find(file)
    if place is None:
        return None
    file.seek(place)
    head = file.read(32)
    if len(head) < 32 or not head[15] & 2:  # before Go 1.18 the strings stood elsewhere, behind pointers
        return Said(format="go", quote="built by a Go older than 1.18")
    compiler, modules = _string(file), _string(file)
    if len(modules) >= 33 and modules[-17:-16] == b"\n":
        modules = modules[16:-16]
    return _parsed(compiler.decode("utf-8", "replace"), modules.decode("utf-8", "replace"))


def _find(file: BinaryIO) -> int | None:
    file.seek(0)
    at, kept = 0, b""
    while chunk := file.read(_CHUNK):
        block = kept + chunk
        place = block.find(_MARK)
        while place >= 0:
            if (at - len(kept) + place) % 16 == 0:
                return at - len(kept) + place
            place = block.find(_MARK, place + 1)
        at += len(chunk)
        kept = block[-len(_MARK) :]
    return None


def _string(file: BinaryIO) -> bytes:
    length, shift = 0, 0
    while shift < 64:
        byte = file.read(1)
        if not byte:
            raise ValueError("its Go build information is cut off")
        length |= (byte[0] & 0x7F) << shift
        if not byte[0] & 0x80:
            break
        shift += 7
    if length > _LIMIT:
        raise ValueError(f"its Go build information states {length:,} bytes")
    return file.read(length)


def _parsed(compiler: str, modules: str) -> Said:
    said = Said(format="go")
    main = ""
    bundled: list[str] = []
    for line in modules.splitlines():
        kind, _, rest = line.partition("\t")
        fields = rest.split("\t")
        if kind == "path":
            main = fields[0]
        elif kind == "mod" and len(fields) > 1:
            main = main or fields[0]
            if fields[1] not in ("", "(devel)"):
                said.version, said.version_from = fields[1].removeprefix("v"), "go module version"
        elif kind == "dep" and len(fields) > 1:
            bundled.append(f"{fields[0]} {fields[1]}")
        elif kind == "=>" and len(fields) > 1 and bundled:  # the line before was replaced by this module
            bundled[-1] = f"{fields[0]} {fields[1]}"
        elif kind == "build":
            name, _, value = fields[0].partition("=")
            _build(name, value.strip('"'), said)
    said.bundled = tuple(bundled)
    said.product = re.sub(r"/v\d+$", "", main).rsplit("/", 1)[-1]
    said.quote = f"{compiler} {main}".strip()
    return said


def _build(name: str, value: str, said: Said) -> None:
    if name == "vcs.time":
        try:
            said.built, said.built_from = datetime.fromisoformat(value), "go vcs.time"
        except ValueError:
            return
    elif name == "vcs.revision":
        said.build_id = value
    elif name == "GOARCH":
        said.machine = _MACHINES.get(value, value)
    elif name == "-ldflags" and not said.version and (match := _STAMPED.search(value)):
        said.version, said.version_from = match[1], "go -ldflags -X"
