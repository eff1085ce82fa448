"""Files of checksums inside a package, and whether its members fit them."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

_FILE = regex(
    r"(?i)(?:^|[._-])(?:(sha3-?(?:256|384|512)|sha512|sha384|sha256|sha224|sha1|md5|b2)(?:sums?)?|checksums?)(?:\.(?:txt|sums?))?$"
)
_BY_LENGTH = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
#: The same lengths where the file's name says that it is of another family.
_FAMILIES = ((regex(r"(?i)(?:^|[._-])b2(?:sums?)?(?:$|\.)|blake2"), {128: "blake2b"}),
             (regex(r"(?i)sha3"), {56: "sha3_224", 64: "sha3_256", 96: "sha3_384", 128: "sha3_512"}))  # fmt: skip
_GNU = regex(r"^\\?([0-9a-fA-F]{32,128})[ \t]+[ *]?(.+)$")
_BSD = regex(r"^(MD5|SHA\d+|SHA3-\d+|BLAKE2b|SHA512/256) ?\((.+)\) ?= ?([0-9a-fA-F]{32,128})$")
#: A digest, the size, the name: as ``Release`` files and many vendors' CHECKSUMS have it.
_SIZED = regex(r"^([0-9a-fA-F]{32,128})[ \t]+(\d+)[ \t]+(\S+)$")
KNOWN = frozenset({*_BY_LENGTH.values(), "blake2b", "sha3_224", "sha3_256", "sha3_384", "sha3_512"})
WEAK = frozenset({"md5", "sha1"})


def new(name: str) -> Any:
    """A hash of that name. Raises :class:`ValueError` for one that is not known."""
    if name not in KNOWN:
        raise ValueError(name)
    return hashlib.new(name, usedforsecurity=False)


class Line(msgspec.Struct, frozen=True):
    number: int
    hash: str
    digest: str
    path: str
    size: int | None = None  #: bytes, where the file says it


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of one file. ``bad`` are lines that are no checksum."""

    member: Member
    lines: tuple[Line, ...]
    bad: tuple[int, ...]


def files(package: Package) -> Iterator[Sums]:
    """Every checksum file, by its name and by what its lines look like."""
    for path in sorted(package.members):
        member = package.members[path]
        if member.kept and member.size and member.kind not in ("folder", "link") and _FILE.search(member.name):
            sums = parse(member)
            if sums.lines:
                yield sums


def parse(member: Member) -> Sums:
    """The lines of a checksum file: GNU's and BSD's form, with sizes, or a bare digest beside the file that it is of."""
    lines: list[Line] = []
    bad: list[int] = []
    text, offset = _unsigned(member.text)
    by_length = next((table for name, table in _FAMILIES if name.search(member.name)), _BY_LENGTH)
    rows = text.split("\0") if "\0" in text else text.splitlines()
    alone = sum(bool(row.strip()) for row in rows) == 1  # several bare digests are a list of versions, not of files
    for number, raw in enumerate(rows, 1 + offset):
        row = raw.strip()
        if not row or row.startswith(("#", "-----", "Hash:", ";", "//")):
            continue
        if match := _BSD.match(row):
            name = match[1].lower().replace("-", "_")
            lines.append(Line(number, name, match[3].lower(), match[2]))
        elif (match := _SIZED.match(row)) and len(match[1]) in by_length:
            lines.append(Line(number, by_length[len(match[1])], match[1].lower(), match[3], int(match[2])))
        elif (match := _GNU.match(row)) and len(match[1]) in by_length:
            name = match[2].strip()
            if row.startswith("\\"):  # coreutils: a name with a line feed or a backslash
                name = name.replace("\\n", "\n").replace("\\\\", "\\")
            lines.append(Line(number, by_length[len(match[1])], match[1].lower(), name))
        elif alone and re.fullmatch(r"[0-9a-fA-F]+", row) and len(row) in by_length:
            lines.append(Line(number, by_length[len(row)], row.lower(), posixpath.splitext(member.name)[0]))
        else:
            bad.append(number)
    return Sums(member=member, lines=tuple(lines), bad=tuple(bad))


def _unsigned(text: str) -> tuple[str, int]:
    """The text of a message signed in clear text, and how many lines come before it."""
    if not text.startswith("-----BEGIN PGP SIGNED MESSAGE-----"):
        return text, 0
    head, _, rest = text.replace("\r\n", "\n").partition("\n\n")
    body = rest.split("\n-----BEGIN PGP SIGNATURE-----", 1)[0]
    return "\n".join(row.removeprefix("- ") for row in body.split("\n")), head.count("\n") + 2


def target(package: Package, sums: Sums, path: str) -> Member | None:
    """The member that a line names: beside the file, from the container's top, or in the data archive of a deb."""
    prefix, folder = sums.member.prefix, posixpath.dirname(sums.member.inner)
    clean = posixpath.normpath(path.replace("\\", "/")).lstrip("/")
    for candidate in (prefix + posixpath.normpath(posixpath.join(folder, clean)), prefix + clean):
        found = _linked(package, package.members.get(candidate))
        if found is not None and found.kind not in ("folder", "device"):
            return found
    if "control.tar" in prefix:  # a deb: md5sums stands in control.tar, the files in data.tar
        outer = prefix.rsplit("control.tar", 1)[0]
        for data in ("data.tar.xz", "data.tar.zst", "data.tar.gz", "data.tar"):
            for inner in (clean, f"./{clean}"):
                found = _linked(package, package.members.get(f"{outer}{data}!/{inner}"))
                if found is not None:
                    return found
    return None


def _linked(package: Package, member: Member | None) -> Member | None:
    """The file whose bytes a member has: for a hard link (its target is a path from the archive's top) the other name."""
    if member is None or member.kind != "link":
        return member
    top = posixpath.normpath(member.link).lstrip("/")
    found = package.members.get(member.prefix + top)
    if found is None or found.kind in ("folder", "device", "link"):
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(member.inner), member.link))
        found = package.members.get(member.prefix + beside.lstrip("/"))
    return found if found is not None and found.kind not in ("folder", "device", "link") else None
