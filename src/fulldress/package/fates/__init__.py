"""What a package's documents say becomes of keys: sentences of release notes, tables of deprecations, described settings."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.facts import AnyFact, Reason, Unread, Witness
from fulldress.package.changelog import sections
from fulldress.package.fates import sentences, tables
from fulldress.package.fates.descriptions import described, is_description
from fulldress.package.fates.tables import is_table
from fulldress.package.reader import Member

#: Characters of a document that are read for fates; release notes have their newest section first.
_MOST = 256 << 10


def document(member: Member, component: str, known: set[str]) -> Iterator[AnyFact]:
    """Fates in one document. ``known`` are keys that the package ships: sentences on them need no further sign."""
    if is_table(member):
        yield from tables.structured(member, component)
        return
    text = member.text
    if len(text) > _MOST:
        cut = text.rfind("\n", 0, _MOST) + 1
        yield Unread(
            witness=Witness.DECLARED, evidence=member.evidence(text.count("\n", 0, cut) + 1), what=f"older sections of {member.path}",
            reason=Reason.BUDGET, detail=f"the first {_MOST >> 10} KiB were read for fates of keys",
        )  # fmt: skip
        text = text[:cut]
    for section in sections(text):
        yield from sentences.read(member, section, component, known)
        yield from tables.markdown(member, section, component)


__all__ = ["described", "document", "is_description", "is_table"]
