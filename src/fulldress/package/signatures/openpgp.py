"""OpenPGP signatures on entries: detached, in clear text, inline; checked with the trust folder's keys.

Sources: RFC 9580; for clear text its chapter 7. A key that only the package brings can show that bytes are intact, and
never whose they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from fulldress.facts import Evidence, Integrity, Key, Signature
from fulldress.package.signatures import bykey, packets, pgpkeys, pgpmath
from fulldress.package.signatures.judged import Covered, Ground
from fulldress.package.signatures.keys import spoken, tool
from fulldress.package.signatures.packets import NotOpenPgp, Packet
from fulldress.patterns import regex

_CLEAR = regex(
    rb"-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\r?\n((?:[A-Za-z-]+:[^\n]*\n)*)[ \t]*\r?\n(.*?)\r?\n"
    rb"(-----BEGIN PGP SIGNATURE-----.*?-----END PGP SIGNATURE-----)",
    re.S,
)
_AHEAD = timedelta(days=1)  #: clocks of signers may be a little fast


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Signature packets, and the text they are over where it stands in the same file."""

    signatures: tuple[Packet, ...]
    content: bytes | None = None  #: None: detached
    clear: bool = False


def is_key(data: bytes) -> bool:
    """Whether the bytes are a public key and no signature."""
    head = data[:4096]
    if b"BEGIN PGP PUBLIC KEY BLOCK" in head:
        return b"BEGIN PGP SIGNATURE" not in head
    return head[:1] in (b"\x98", b"\x99", b"\x9a", b"\xc6")


def looks(data: bytes) -> bool:
    """Whether the bytes begin as a signature or a signed message does."""
    if b"-----BEGIN PGP SIG" in data[:8192] or b"-----BEGIN PGP MESSAGE" in data[:8192]:
        return True
    return data[:1] in (b"\x88", b"\x89", b"\x8a", b"\xc2", b"\x90", b"\xc4", b"\xa3", b"\xc8")


def parse(data: bytes) -> Message:
    """Signatures of a file. Raises :class:`NotOpenPgp`."""
    clear = _CLEAR.search(data)
    if clear is not None:
        rows = [re.sub(rb"[ \t\r]+$", b"", row.removeprefix(b"- ")) for row in clear[2].split(b"\n")]
        found = _signatures(packets.dearmoured(clear[3]))
        return Message(signatures=tuple(found), content=b"\r\n".join(rows), clear=True)
    return _message(packets.dearmoured(data), 0)


def _message(raw: bytes, depth: int) -> Message:
    found: list[Packet] = []
    content: bytes | None = None
    for tag, body in packets.packets(raw):
        if tag == packets.SIGNATURE:
            found.append(packets.signature(body))
        elif tag == 11:  # literal data: format, name, date, then the bytes
            content = body[6 + body[1] :] if len(body) > 1 else b""
        elif tag == 8 and depth < 2:
            return _message(_inflated(body), depth + 1)
        elif tag in (1, 3, 9, 18, 20):
            raise NotOpenPgp("it is encrypted")
    if not found:
        raise NotOpenPgp("it holds no signature")
    return Message(signatures=tuple(found), content=content)


def _inflated(body: bytes) -> bytes:
    import bz2
    import zlib

    most = 64_000_000
    try:
        if body[:1] in (b"\x01", b"\x02"):
            return zlib.decompressobj(-15 if body[0] == 1 else 15).decompress(body[1:], most)
        if body[:1] == b"\x03":
            return bz2.BZ2Decompressor().decompress(body[1:], most)
    except (zlib.error, OSError, EOFError, ValueError) as error:
        raise NotOpenPgp("its compressed part is damaged") from error
    return body[1:]


def _signatures(raw: bytes) -> Iterator[Packet]:
    for tag, body in packets.packets(raw):
        if tag == packets.SIGNATURE:
            yield packets.signature(body)


def judged(
    message: Message, covered: Covered, ground: Ground, evidence: Evidence, path: str, *, scheme: str = ""
) -> Iterator[Signature]:
    """The fact for every signature of a file."""
    name = scheme or (
        "OpenPGP" if message.content is None else "OpenPGP in clear text" if message.clear else "OpenPGP inline"
    )
    lists = path.rsplit("/", 1)[-1] in ("InRelease", "Release.gpg")  # of a repository: apt itself looks at them
    for packet in message.signatures:
        made = check(packet, covered, ground, name, "apt" if lists else "")
        yield bykey.signature(made, covered, ground, evidence, path)


def check(packet: Packet, covered: Covered, ground: Ground, scheme: str, by: str = "") -> bykey.Made:
    """One signature against every copy of its key that is at hand. ``by``: the tool of production that will check it."""
    held = [(holder, key) for holder in ground.keys.pgp if (key := holder.find(packet))]
    brought = [(holder, key) for holder in ground.brought if (key := holder.find(packet))]
    wanted = packet.fingerprint or packet.issuer
    own = [(holder, key) for holder, key in held if tool(holder.path) == by] if by else []
    lacks = by if by in ground.tools and not own else ""
    if not held and not brought:
        problem = covered.doubt or "the key that made it is not here"
        return bykey.Made(
            scheme=scheme,
            integrity=Integrity.UNVERIFIED,
            problem=problem,
            key=Key(scheme="OpenPGP", fingerprint=wanted or "not named"),
            signed_at=packet.created,
            lacks=lacks,
        )
    candidates = held or brought
    integrity, problem = _integrity(packet, covered, candidates)
    tools = own or [(holder, key) for holder, key in held if tool(holder.path)]
    deciding = tools or candidates
    # the copy that lasts longest is the key's newest; a tool that holds an older one goes by that
    best = max(deciding, key=lambda pair: (not pair[0].primary.revoked, _last(pair), pair[0].path))
    newest = max((*held, *brought), key=_last)
    algorithm, weak = pgpmath.described(best[1].key)
    stale = tuple(
        spoken(holder.path)
        for holder, key in tools
        if bykey.sooner(holder.ends(key), ground.at)
        and holder.fingerprint == newest[0].fingerprint
        and not bykey.sooner(newest[0].ends(newest[1]), ground.at)
    )
    revoked = any(holder.primary.revoked or key.revoked for holder, key in (*held, *brought))
    whose = Key(
        scheme="OpenPGP",
        fingerprint=best[0].fingerprint,
        name=best[0].name,
        algorithm=algorithm,
        expires=best[0].ends(best[1]),
        revoked=revoked,
        held_in=tuple(dict.fromkeys(spoken(holder.path) for holder, _ in held)),
    )
    lasting = _faults(packet, best, weak, revoked)
    return bykey.Made(
        scheme=scheme,
        integrity=integrity,
        problem=problem,
        key=whose,
        faults=lambda at: [*lasting, *_on(packet, best, at)],
        signed_at=packet.created,
        stale=stale,
        lacks=lacks,
    )


def _last(pair: tuple[pgpkeys.Holder, pgpkeys.SubKey]) -> datetime:
    from datetime import UTC

    return pair[0].ends(pair[1]) or datetime.max.replace(tzinfo=UTC)


def _integrity(
    packet: Packet, covered: Covered, candidates: list[tuple[pgpkeys.Holder, pgpkeys.SubKey]]
) -> tuple[Integrity, str]:
    if covered.doubt or covered.feed is None:
        return Integrity.UNVERIFIED, covered.doubt or "the signed bytes are not here"
    if packet.type not in (0, 1):
        return Integrity.UNVERIFIED, f"it is a signature of type {packet.type:#04x}, not one over a file"
    feed = _text(covered) if packet.type == 1 else covered.feed
    if feed is None:
        return Integrity.UNVERIFIED, "it is over a text, and that is too large to be held"
    problem = ""
    for _, key in candidates:
        try:
            if pgpmath.made(packet, key.key, feed):
                return Integrity.INTACT, ""
        except pgpmath.Unusable as error:
            problem = str(error)
    if problem:
        return Integrity.UNVERIFIED, problem
    return Integrity.BROKEN, "the bytes are not those that were signed"


def _text(covered: Covered) -> Any:
    """Signatures over text are over lines that end in CR LF (RFC 9580, 5.2.1.2)."""
    if covered.content is None:
        return None
    content = re.sub(rb"\r?\n", b"\r\n", covered.content())
    return lambda state: state.update(content)


def _faults(packet: Packet, pair: tuple[pgpkeys.Holder, pgpkeys.SubKey], weak: bool, revoked: bool) -> list[str]:
    """What is wrong on any day."""
    holder, key = pair
    found = []
    name = f'"{holder.name}"'
    if revoked:
        found.append(f"the key of {name} was revoked")
    if not key.signs:
        found.append(f"that key of {name} is not one for signatures")
    if weak:
        found.append(f"{name} has a weak key: {pgpmath.described(key.key)[0]}")
    if packet.hash in packets.WEAK:
        found.append(f"the signature uses {packet.hash.upper()}, which can be forged")
    if packet.created is not None and packet.created < key.key.created - _AHEAD:
        found.append(f"it is dated {packet.created:%Y-%m-%d}, before its key was made")
    if packet.critical:
        found.append(f"it makes conditions that are not understood (subpackets {', '.join(map(str, packet.critical))})")
    return found


def _on(packet: Packet, pair: tuple[pgpkeys.Holder, pgpkeys.SubKey], at: datetime) -> list[str]:
    """What is wrong on one day."""
    holder, key = pair
    found = []
    ends = holder.ends(key)
    place = f" in {spoken(holder.path)}" if holder.path else ""
    if ends is not None and ends <= at:
        found.append(f'the key of "{holder.name}"{place} expired on {ends:%Y-%m-%d}')
    if packet.expires is not None and packet.expires <= at:
        found.append(f"the signature itself expired on {packet.expires:%Y-%m-%d}")
    if packet.created is not None and packet.created > at + _AHEAD:
        found.append(f"it is dated {packet.created:%Y-%m-%d}, which has not come yet")
    return found
