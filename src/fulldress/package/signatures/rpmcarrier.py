"""RPM packages as carriers of their signatures (:mod:`rpmsig` reads them)."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.facts import AnyFact
from fulldress.package.signatures import rpmsig
from fulldress.package.signatures.carriers import Held
from fulldress.package.signatures.judged import Ground

KINDS = frozenset({"rpm"})
MAGIC = (b"\xed\xab\xee\xdb",)


def judge(held: Held, ground: Ground) -> Iterator[AnyFact]:
    """Signatures over header, and header and contents."""
    held.stream.seek(0)
    yield from rpmsig.read(held.stream, ground, held.evidence, held.path, (held.path,), whole=held.whole)
