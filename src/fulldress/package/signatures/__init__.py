"""Who signed what of a package, whether the bytes are those, and whether the team has a reason to believe the signer.

One module a scheme: those that lie in files of their own (:mod:`one` knows them by their bytes, :mod:`schemes` by their
names), those within what they sign (:mod:`carriers`), lists of digests (:mod:`checksums`); two that judge (:mod:`judged` by
certificates, :mod:`bykey` by keys). Nothing is asked of the network.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from fulldress.facts import AnyFact, Evidence, HeldKey, Integrity, Reason, Signature, Unread, Witness
from fulldress.package.reader import Member, Package
from fulldress.package.signatures import (
    advisories,
    beside,
    carriers,
    certificates,
    checksums,
    entries,
    hostkeys,
    jar,
    keys,
    one,
    openpgp,
    packets,
    pgpkeys,
    revocation,
    schemes,
    stampfile,
    sums,
    vouched,
)
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Ground
from fulldress.patterns import regex

_SHA256 = regex(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])")
_MOST_KEYS = 50  #: key rings of a package that are read, to look for renewed copies of known keys


def read(package: Package) -> Iterator[AnyFact]:
    """Signatures with everything known about them; that nothing is signed is said, too."""
    options = package.options
    texts = tuple(advisories.load(options.advisories))
    folder = options.trust if options.trust is not None and options.trust.is_dir() else None
    ground = _ground(package, folder, texts)
    for text, gaps in (said := tuple(vouched.judged(package, texts, ground))):
        yield text.fact
        yield from gaps
    ground = msgspec.structs.replace(ground, advisories=tuple(text for text, _ in said if vouched.holds(text)))
    yield from _of_the_folder(ground, folder)
    found: list[AnyFact] = []
    lists = {item.member.path: item for item in checksums.files(package)}
    verified: dict[str, tuple[str, ...]] = {}
    for path, item in lists.items():
        facts, good = sums.judged(package, item)
        found.extend(facts)
        verified[path] = good
    for path in sorted(package.members):
        found.extend(_member(package, package.members[path], ground, verified))
    found.extend(jar.stripped(package))
    found.extend(carriers.outermost(package, ground))
    found.extend(beside.read(package, ground))
    yield from _concluded(package, found, ground)


def _ground(package: Package, folder: Path | None, texts: tuple[advisories.Text, ...]) -> Ground:
    options = package.options
    now = _aware(options.today or datetime.now(UTC))
    at = _aware(options.at) if options.at is not None else now
    own = folder / certificates.PRODUCT if folder is not None else None
    held = hostkeys.load(options.root) if options.root is not None and options.root.is_dir() else hostkeys.HostKeys()
    ring = keys.load(folder) if folder is not None else keys.Keys()
    tools = held.tools | {tool for one in ring.pgp if (tool := keys.tool(one.path)) in ("apt", "rpm")}
    return Ground(
        trust=certificates.load(folder) if folder is not None else None,
        advisories=texts,
        at=at,
        previous=options.previous,
        keys=msgspec.structs.replace(ring, pgp=(*ring.pgp, *held.pgp)),
        unheld=held.unreadable,
        tools=frozenset(tools),
        anchors=held.anchors,
        brought=tuple(_brought(package)),
        product=certificates.load(own) if own is not None and own.is_dir() else None,
        revocations=revocation.load(folder, _lists(package)),
        today=now if at.date() != now.date() else None,
        stamps=tuple(_stamps(package)),
    )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _stamps(package: Package) -> Iterator[Any]:
    """Tokens of time-stamp files, in the package and beside it."""
    held = [m.data for m in package.members.values() if stampfile.claims(m) and m.kept]
    for data in (*held, *beside.stamps(package)):
        with contextlib.suppress(ValueError):  # what is wrong with it is said where it is read itself
            yield stampfile.token(data)


def _lists(package: Package) -> Iterator[bytes]:
    for member in package.members.values():
        if member.kept and member.data and member.name.lower().endswith((".crl", ".ocsp")):
            yield member.data


def _brought(package: Package) -> Iterator[pgpkeys.Holder]:
    """OpenPGP keys in the package: they can show bytes intact, and renew a key that is known already."""
    done = 0
    for member in package.members.values():
        if not member.kept or not member.data or not openpgp.is_key(member.data):
            continue
        if b"BEGIN PGP" not in member.data[:4096] and not member.name.lower().endswith(
            (".gpg", ".pgp", ".key", ".asc")
        ):
            continue
        done += 1
        if done > _MOST_KEYS:
            return
        try:
            yield from pgpkeys.certificates(member.data)
        except packets.NotOpenPgp:
            continue


def _of_the_folder(ground: Ground, folder: Path | None) -> Iterator[AnyFact]:
    """What of the trust folder cannot be read, and the keys that production's own tools go by."""
    for path, problem in (*(ground.trust.unreadable if ground.trust is not None else ()), *ground.keys.unreadable):
        what = f"certificate {path.parent.name}/{re.sub(r'[^ -~]', '?', path.name)}"
        yield unread(Evidence(source=str(path), path=path.name), what, Reason.DAMAGED, problem)
    for name, problem in ground.unheld:
        # what the copy does not hold may still be on the host: a gap only for what is judged by it
        yield unread(Evidence(source=name, path=name), f"production's /{name}", Reason.MISSING, problem, needed=False)
    lasts: dict[tuple[str, str], tuple[datetime, pgpkeys.Holder]] = {}
    for holder in ground.keys.pgp:
        tool = keys.tool(holder.path)
        ends = max(
            (end for key in (holder.primary, *holder.subkeys) if key.signs and (end := holder.ends(key))), default=None
        )
        mark = (tool, holder.fingerprint)
        if tool and ends is not None and (mark not in lasts or lasts[mark][0] < ends):
            lasts[mark] = ends, holder  # several copies of a key are one key, which ends with the last of them
    for (tool, print_), (ends, holder) in lasts.items():
        yield _held(tool, holder.name, print_, ends, ground, keys.spoken(holder.path))
    if folder is None or ground.product is None:
        return
    for root in ground.product.roots:
        name, print_ = certificates.common_name(root.subject), certificates.fingerprint(root)
        yield _held("product", name, print_, root.not_valid_after_utc, ground, f"{folder.name}/{certificates.PRODUCT}")


def _held(tool: str, name: str, print_: str, ends: datetime, ground: Ground, path: str) -> HeldKey:
    return HeldKey(
        witness=Witness.RUNNING,
        evidence=Evidence(source=path, path=path),
        tool=tool,
        name=name,
        fingerprint=print_,
        expires=ends,
        judged_at=ground.at,
        today=ground.today or ground.at,
    )


def _member(
    package: Package, member: Member, ground: Ground, verified: dict[str, tuple[str, ...]]
) -> Iterator[AnyFact]:
    yield from carriers.of_member(package, member, ground)
    scheme = next((one for one in schemes.SCHEMES if one.claims(member)), None)
    if scheme is not None:
        yield from scheme.read(package, member, ground)
    elif entries.may_sign(member) or _clear(member):
        yield from _signature(package, member, ground, verified)


def _clear(member: Member) -> bool:
    """A text that carries its signature: ``.dsc``, ``InRelease``, ``SHA256SUMS`` …"""
    return member.kept and member.data.startswith(b"-----BEGIN PGP SIGNED MESSAGE-----")


def _signature(
    package: Package, member: Member, ground: Ground, verified: dict[str, tuple[str, ...]]
) -> Iterator[AnyFact]:
    if not member.kept or member.size > entries.LARGEST:
        detail = f"{member.size} bytes are too many for a signature"
        # a key ring or an encrypted archive may have such a name, too
        yield unread(member.evidence(), member.name, Reason.BUDGET, detail)
        return
    facts = one.read(
        package,
        member,
        ground,
        over=partial(entries.covered, package, member),
        named=partial(entries.named, package, member),
        evidence=member.evidence(),
    )
    for fact in facts:
        if isinstance(fact, Signature) and fact.integrity is Integrity.INTACT:
            # one over a list of checksums is one over everything that the list's lines fit
            extra = [path for entry in (*fact.covers, member.path) for path in verified.get(entry, ())]
            extra += [path for entry in fact.covers for path in _named_by_digest(package, entry)]
            yield msgspec.structs.replace(fact, covers=tuple(dict.fromkeys((*fact.covers, *extra))))
        else:
            yield fact


def _named_by_digest(package: Package, entry: str) -> Iterator[str]:
    """Entries whose sha256 stands in a signed text, whatever its form: a manifest of the vendor's own making."""
    signed = package.members.get(entry)
    if signed is None or not signed.kept or b"\0" in signed.data[:1024]:
        return
    said = {match.lower() for match in _SHA256.findall(signed.text)}
    if said:
        yield from (path for path, member in package.members.items() if member.sha256 in said and path != entry)


def _concluded(package: Package, found: list[AnyFact], ground: Ground) -> Iterator[AnyFact]:
    signed = [fact for fact in found if isinstance(fact, Signature) and fact.names_a_maker]
    vouched = any(fact.integrity is Integrity.INTACT for fact in signed)
    other = {fact.evidence for fact in signed if fact.integrity is Integrity.UNVERIFIED}
    for fact in found:
        # one signature that could be verified is enough: what others say of the same package adds nothing to a verdict
        beside_it = vouched and isinstance(fact, Unread) and fact.evidence in other
        yield msgspec.structs.replace(fact, needed=False) if beside_it and isinstance(fact, Unread) else fact
    # that nothing is signed is known, and no gap: the rules weigh it (FD102)
    if any(fact.chain and not fact.revocation_known for fact in signed):
        lists = len(ground.revocations.lists) + len(ground.revocations.answers)
        detail = (
            f"looked up only in the {lists} lists and answers at hand"
            if lists
            else "revocation needs the network, and fulldress works offline"
        )
        yield Unread(
            witness=Witness.READ,
            evidence=Evidence(source=package.source),
            what="whether a certificate was revoked",
            reason=Reason.UNREACHABLE,
            detail=detail,
        )


__all__ = ["read"]
