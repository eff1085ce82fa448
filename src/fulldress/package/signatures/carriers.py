"""Files that carry their signature within themselves: programs, installers, archives, packages of a system.

Such a file may be an entry, or the package itself. A scheme for it is a module with ``KINDS`` (of entries), ``MAGIC`` (first
bytes, for a package that is that file) and ``judge``; its name stands in :func:`_carriers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from fulldress.facts import AnyFact, Evidence, Signature
from fulldress.package.reader import Member, NotRead, Package
from fulldress.package.signatures.judged import Ground


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One such file, open."""

    stream: BinaryIO
    path: str
    evidence: Evidence
    whole: bool  #: it is the package itself
    package: Package

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


class Carrier(Protocol):
    """What a module of such a scheme has."""

    @property
    def KINDS(self) -> frozenset[str]: ...

    @property
    def MAGIC(self) -> tuple[bytes, ...]: ...

    def judge(self, held: Held, ground: Ground) -> Iterator[AnyFact]:
        """Every signature in the file; nothing where there is none. Damage is a fact."""
        ...


def _carriers() -> tuple[Carrier, ...]:
    """Every such scheme."""
    from fulldress.package.signatures import apk, apple, cabsig, msisig, pesig, rpmcarrier

    return (pesig, msisig, cabsig, apple, apk, rpmcarrier)


def of_member(package: Package, member: Member, ground: Ground) -> Iterator[AnyFact]:
    """Signatures within an entry."""
    for carrier in _carriers():
        if member.kind not in carrier.KINDS:
            continue
        try:
            stream = package.open(member.path)
        except (NotRead, OSError):
            return
        # a package that is one program by itself has that one entry
        alone = member.path == package.name and "!/" not in member.path and len(package.members) == 1
        with stream:
            held = Held(stream=stream, path=member.path, evidence=member.evidence(), whole=alone, package=package)
            yield from _whole(carrier.judge(held, ground), alone)


def outermost(package: Package, ground: Ground) -> Iterator[AnyFact]:
    """Signatures within the package itself, where it is no entry of anything."""
    path = getattr(package, "path", None)
    if not isinstance(path, Path) or not path.is_file() or package.name in package.members:
        return
    with path.open("rb") as stream:
        head = stream.read(16)
        for carrier in _carriers():
            if head.startswith(carrier.MAGIC):
                evidence = Evidence(source=package.source, path=package.name)
                held = Held(stream=stream, path=package.name, evidence=evidence, whole=True, package=package)
                yield from _whole(carrier.judge(held, ground), True)


def _whole(facts: Iterator[AnyFact], whole: bool) -> Iterator[AnyFact]:
    for fact in facts:
        # one over a header alone is not over the package
        over = whole and bool(getattr(fact, "covers", ()))
        yield msgspec.structs.replace(fact, whole=over) if isinstance(fact, Signature) else fact
