"""Signatures inside a .deb: debsigs (``_gpgorigin`` …, over the three parts) and dpkg-sig (``_gpgbuilder``, a signed list).

Source: debsigs(1), dpkg-sig(1). Most .deb files hold none: their archive signs the index that lists them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from fulldress.facts import AnyFact, Integrity, Reason
from fulldress.package.reader import Member, NotRead, Package
from fulldress.package.signatures import bykey, openpgp, packets
from fulldress.package.signatures.entries import digest, entry, of_bytes
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Covered, Ground
from fulldress.patterns import regex

_NAME = regex(r"^_gpg[a-z]+$")
_PARTS = regex(r"^(?:debian-binary|control\.tar(?:\.\w+)?|data\.tar(?:\.\w+)?)$")
_ROW = regex(r"^\s*([0-9a-f]{32}) ([0-9a-f]{40}) (\d+) (\S+)\s*$", re.M)


def claims(member: Member) -> bool:
    return bool(_NAME.match(member.inner)) and member.container in ("deb", "ar", "")


def read(package: Package, member: Member, ground: Ground) -> Iterator[AnyFact]:
    """The fact for one ``_gpg…`` member."""
    try:
        message = openpgp.parse(member.data)
    except packets.NotOpenPgp as error:
        yield unread(member.evidence(), member.name, Reason.DAMAGED, str(error))
        return
    parts = [m for m in package.members.values() if m.prefix == member.prefix and _PARTS.match(m.inner)]
    parts.sort(key=lambda m: ("debian-binary", "control", "data").index(m.inner.split(".tar")[0]))
    names = tuple(part.path for part in parts)
    if message.clear and message.content is not None:
        covered = of_bytes((member.path,), message.content)
        wrong = _listed(package, message.content.decode("utf-8", "replace"), parts)
        for packet in message.signatures:
            made = openpgp.check(packet, covered, ground, "dpkg-sig")
            if wrong and made.integrity is Integrity.INTACT:
                made = msgspec.structs.replace(made, integrity=Integrity.BROKEN, problem=wrong)
            target = msgspec.structs.replace(covered, entries=names)
            yield bykey.signature(made, target, ground, member.evidence(), member.path)
        return
    if len(parts) != 3:
        doubt = "the three parts of the package could not be told apart"
        covered = Covered(entries=names, digest=lambda name: b"", doubt=doubt)
    else:
        feeds = [entry(package, part).feed for part in parts]

        def feed(state: Any) -> None:
            for write in feeds:
                if write is not None:
                    write(state)

        covered = Covered(entries=names, digest=lambda name: b"", feed=feed)
    yield from openpgp.judged(message, covered, ground, member.evidence(), member.path, scheme="debsigs")


def _listed(package: Package, text: str, parts: list[Member]) -> str:
    """Why the parts are not those of the signed list."""
    rows = {match[4]: match for match in _ROW.finditer(text)}
    for part in parts:
        row = rows.get(part.inner)
        if row is None:
            return f"the signed list does not name {part.inner}"
        try:
            fits = part.size == int(row[3]) and digest(package, part, "sha1").hex() == row[2]
        except (NotRead, OSError):
            return f"{part.inner} could not be read"
        if not fits:
            return f"{part.inner} is not the one that was signed"
    return "" if len(parts) == 3 else "a part of the package is missing"
