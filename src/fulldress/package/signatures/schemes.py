"""Every scheme whose signature is an entry of its own, in the order in which they claim one.

A scheme is a module with ``claims`` and ``read``; a new one is a new file, and its name in :data:`SCHEMES`. Those that lie
within the file that they sign are in :mod:`carriers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from fulldress.facts import AnyFact
from fulldress.package.reader import Member, Package
from fulldress.package.signatures import coderesources, debsig, jar, recordjws, stampfile
from fulldress.package.signatures.judged import Ground


class Scheme(Protocol):
    """What such a module has."""

    def claims(self, member: Member) -> bool:
        """Whether this entry is a signature of the scheme, by name, kind or first bytes."""
        ...

    def read(self, package: Package, member: Member, ground: Ground) -> Iterator[AnyFact]:
        """What it says; damage is a fact."""
        ...


SCHEMES: tuple[Scheme, ...] = (debsig, jar, recordjws, stampfile, coderesources)
