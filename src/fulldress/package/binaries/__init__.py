"""What compiled files say of themselves: when they were built, which version they are, what they need.

A date is given only where it is meant as one; a file that states nothing is named in one gap for all of them.
"""

from __future__ import annotations

import importlib
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from fulldress.facts import AnyFact, Binary, Evidence, Reason, Release, Unread, Witness
from fulldress.package.binaries import go, jar, strings
from fulldress.package.binaries.said import NotThis, Said
from fulldress.package.reader import Member, Package

#: Kinds of members; each is read by the module of this name, imported once there is one.
_READERS = ("elf", "pe", "macho")
_SHOWN = 5


def read(package: Package) -> Iterator[AnyFact]:
    """A :class:`Binary` for every compiled file, and a :class:`Release` where one speaks of the package's own product."""
    silent: list[Member] = []
    for member in package.of(*_READERS):
        if not member.sha256:
            continue  # the walker has said why
        try:
            with package.open(member.path) as file:
                said = _said(member, file)
        except NotThis as fault:
            yield _unread(member, str(fault))
            continue
        except (struct.error, ValueError, IndexError, OverflowError, KeyError, RecursionError) as fault:
            yield _unread(member, f"its tables are not as the format demands ({fault})")
            continue
        yield from _facts(package, member.path, member.evidence(text=said.quote), said)
        if said.packed:
            yield _unread(member, f"packed by {said.packed}: what it is made of cannot be seen")
        elif not said.built and not said.version:
            silent.append(member)
    for said, path, evidence in jar.read(package):
        yield from _facts(package, path, evidence, said)
    if silent:
        names = ", ".join(member.path for member in silent[:_SHOWN]) + (" …" if len(silent) > _SHOWN else "")
        yield Unread(
            witness=Witness.READ,
            evidence=silent[0].evidence(),
            what="1 binary" if len(silent) == 1 else f"{len(silent)} binaries",
            reason=Reason.NO_DATA,
            detail=f"neither build date nor version inside: {names}",
        )


def _said(member: Member, file: BinaryIO) -> Said:
    said: Said = importlib.import_module(f"{__name__}.{member.kind}").read(file)
    if (built_by_go := go.read(file)) is not None:
        built_by_go.build_id = built_by_go.build_id or said.build_id
        built_by_go.needed, built_by_go.requires = said.needed, said.requires
        built_by_go.machine = built_by_go.machine or said.machine
        return built_by_go
    if not said.version:
        said.version, words = strings.version(file, strings.stem(member.path))
        if said.version:
            said.version_from, said.product = "text in the file", said.product or strings.stem(member.path)
            said.quote = words
    if not said.built:
        said.built, words = strings.built(file)
        if said.built:
            said.built_from, said.quote = "__DATE__ of its compiler", said.quote or words
    return said


def _facts(package: Package, path: str, evidence: Evidence, said: Said) -> Iterator[AnyFact]:
    built = said.built if said.built and _likely(said.built, package.options.at) else None
    yield Binary(
        witness=Witness.READ,
        evidence=evidence,
        path=path,
        format=said.format,
        built=built,
        built_from=said.built_from if built else "",
        version=said.version,
        version_from=said.version_from if said.version else "",
        build_id=said.build_id,
        needed=said.needed,
        machine=said.machine,
        requires=said.requires,
        bundled=said.bundled,
        soname=said.soname,
        exports=said.exports,
    )
    if said.version and _own(said.product, package.name):
        yield Release(
            witness=Witness.READ, evidence=evidence, product=said.product, version=said.version, aspect="binary"
        )
        for other in said.also:
            yield Release(
                witness=Witness.READ,
                evidence=other.evidence,
                product=said.product,
                version=other.version,
                aspect="binary",
            )


def _likely(built: datetime, at: datetime | None) -> bool:
    """Whether an instant may be a build date: a hash in its place lies anywhere, also in the future."""
    now = at or datetime.now(UTC)
    return (
        datetime(1995, 1, 1, tzinfo=UTC) < built < (now if now.tzinfo else now.replace(tzinfo=UTC)) + timedelta(days=2)
    )


def _own(product: str, package: str) -> bool:
    """Whether a binary speaks of the product that the package is called after, and not of a bundled one."""
    plain, name = (re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") for text in (product, package))
    return len(plain) >= 3 and f"-{plain}-" in f"-{name}-"


def _unread(member: Member, detail: str) -> Unread:
    return Unread(
        witness=Witness.READ,
        evidence=member.evidence(),
        what=member.path,
        reason=Reason.FORMAT,
        detail=detail,
    )
