"""What a package's documents say becomes of keys: sentences of release notes, tables of deprecations, described settings."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.facts import AnyFact
from fulldress.package.changelog import sections
from fulldress.package.fates import sentences, tables
from fulldress.package.fates.descriptions import described, is_description
from fulldress.package.fates.tables import is_table
from fulldress.package.reader import Member


def document(member: Member, component: str, known: set[str]) -> Iterator[AnyFact]:
    """Fates in one document. ``known`` are keys that the package ships: sentences on them need no further sign."""
    if is_table(member):
        yield from tables.structured(member, component)
        return
    for section in sections(member.text):
        yield from sentences.read(member, section, component, known)
        yield from tables.markdown(member, section, component)


__all__ = ["described", "document", "is_description", "is_table"]
