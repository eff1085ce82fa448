"""Who signed the advisories: a signature beside an advisory, or the one around its text, judged like a package's.

An advisory that was changed after it was signed announces nothing. One that nobody signed still announces, and is said to
be just that: it may have come the same way as the package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fulldress.facts import Integrity, Signature, Trust, Unread
from fulldress.package.reader import Member, Package
from fulldress.package.signatures import one
from fulldress.package.signatures.advisories import CLEAR, Text
from fulldress.package.signatures.entries import LARGEST, SUFFIXES, of_bytes
from fulldress.package.signatures.judged import Ground


def judged(package: Package, texts: tuple[Text, ...], ground: Ground) -> Iterator[tuple[Text, tuple[Unread, ...]]]:
    """Every advisory with the signatures that are over it, and what of them could not be read."""
    for text in texts:
        path = Path(text.fact.evidence.source)
        try:
            content = path.read_bytes()
            files = [file for suffix in SUFFIXES if (file := path.with_name(path.name + suffix)).is_file()]
            given = [(file.name, file.read_bytes()) for file in files if file.stat().st_size <= LARGEST]
        except OSError:
            yield text, ()
            continue
        if content.startswith(CLEAR):
            given.append((text.name, content))
        found: list[Signature] = []
        gaps: list[Unread] = []
        for name, raw in given:
            for fact in _read(package, name, raw, text, content, ground):
                if isinstance(fact, Signature):
                    found.append(fact)
                elif isinstance(fact, Unread):
                    gaps.append(msgspec.structs.replace(fact, needed=False))
        yield msgspec.structs.replace(text, fact=msgspec.structs.replace(text.fact, signed=tuple(found))), tuple(gaps)


def _read(package: Package, name: str, raw: bytes, text: Text, content: bytes, ground: Ground) -> Iterator[object]:
    digest = hashlib.sha256(raw).hexdigest()
    member = Member(source="", path=name, kind="data", size=len(raw), sha256=digest, data=raw)
    over = of_bytes((text.name,), content)
    bare = msgspec.structs.replace(ground, previous=(), advisories=())  # it does not vouch for itself
    return one.read(
        package,
        member,
        bare,
        over=lambda data, signer: over if data.content is None else of_bytes((text.name,), data.content),
        named=lambda: over,
        evidence=text.fact.evidence,
    )


def holds(text: Text) -> bool:
    """Whether it may announce anything: no signature of it is broken, unless another one is good."""
    states = [fact.integrity for fact in text.fact.signed]
    return Integrity.BROKEN not in states or Integrity.INTACT in states


def words(text: Text) -> str:
    """What to add where an advisory announces something; empty where nobody signed it."""
    good = [fact for fact in text.fact.signed if fact.integrity is Integrity.INTACT]
    if not good:
        return ""
    best = next((fact for fact in good if fact.trust is Trust.TRUSTED), good[0])
    return f"{text.name} is signed by {best.signer}, {'trusted here' if best.trust is Trust.TRUSTED else 'not trusted here'}"
