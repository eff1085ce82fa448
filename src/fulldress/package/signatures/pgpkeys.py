"""OpenPGP certificates: a primary key, its names and subkeys, and what its own signatures say of how long they last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from fulldress.package.signatures import packets, pgpmath
from fulldress.package.signatures.packets import NotOpenPgp, Packet, PublicKey

_CERTIFICATIONS = (0x10, 0x11, 0x12, 0x13)
_SIGN = 2  #: key flag (RFC 9580, 5.2.3.29)


class SubKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that may sign files, primary or subkey, as the certificate's own signatures say."""

    key: PublicKey
    expires: datetime | None
    revoked: bool = False
    signs: bool = True


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate. ``path``: the file of the trust folder that holds it, empty for one that a package brings."""

    primary: SubKey
    subkeys: tuple[SubKey, ...]
    names: tuple[str, ...]
    path: str = ""

    @property
    def fingerprint(self) -> str:
        return self.primary.key.fingerprint

    @property
    def name(self) -> str:
        return self.names[0] if self.names else f"key {self.fingerprint[-16:].upper()}"

    def find(self, packet: Packet) -> SubKey | None:
        """The key that a signature names."""
        for item in (self.primary, *self.subkeys):
            if packet.fingerprint:
                if item.key.fingerprint == packet.fingerprint:
                    return item
            elif packet.issuer and item.key.key_id == packet.issuer:
                return item
        return None

    def ends(self, item: SubKey) -> datetime | None:
        """When a key stops being good: its own end or the primary's, whichever is sooner."""
        ends = [end for end in (item.expires, self.primary.expires) if end is not None]
        return min(ends) if ends else None


def certificates(data: bytes, path: str = "") -> list[Holder]:
    """Every certificate in an armoured or binary key ring. Raises :class:`NotOpenPgp` where there is none."""
    groups: list[list[tuple[int, bytes]]] = []
    for tag, body in packets.packets(packets.dearmoured(data)):
        if tag == packets.PUBLIC_KEY:
            groups.append([])
        if groups:
            groups[-1].append((tag, body))
    found = []
    for group in groups:
        try:
            found.append(_certificate(group, path))
        except NotOpenPgp:
            if len(groups) == 1:
                raise
    if not found:
        raise NotOpenPgp("it holds no public key")
    return found


def _certificate(group: list[tuple[int, bytes]], path: str) -> Holder:
    primary = packets.key(group[0][1])
    names: list[tuple[str, Packet]] = []
    own: list[Packet] = []
    subkeys: list[SubKey] = []
    revoked = False
    for head, signatures in _parts(group):
        tag, body = head
        if tag == packets.PUBLIC_KEY:
            for packet in signatures:
                if packet.type in (0x1F, 0x20) and _good(packet, primary, primary.hashed()):
                    revoked |= packet.type == 0x20
                    own.extend([packet] if packet.type == 0x1F else [])
        elif tag == packets.USER_ID:
            over = primary.hashed() + b"\xb4" + len(body).to_bytes(4, "big") + body
            good = [p for p in signatures if p.type in (*_CERTIFICATIONS, 0x30) and _good(p, primary, over)]
            newest = _newest(good)
            if newest is not None and newest.type != 0x30:
                own.append(newest)
                names.append((body.decode("utf-8", "replace"), newest))
        elif tag == packets.PUBLIC_SUBKEY:
            subkeys.extend(_subkey(primary, body, signatures))
    newest = _newest(own)
    return Holder(
        primary=SubKey(
            key=primary,
            expires=_end(primary, newest),
            revoked=revoked,
            signs=newest is None or newest.flags is None or bool(newest.flags & _SIGN),
        ),
        subkeys=tuple(subkeys),
        names=tuple(name for name, _ in names),
        path=path,
    )


def _parts(group: list[tuple[int, bytes]]) -> Iterator[tuple[tuple[int, bytes], list[Packet]]]:
    """Every key or name with the signatures that follow it; signatures that are not understood are no evidence."""
    head, signatures = group[0], list[Packet]()
    for tag, body in group[1:]:
        if tag == packets.SIGNATURE:
            try:
                signatures.append(packets.signature(body))
            except NotOpenPgp:
                continue
        elif tag in (packets.USER_ID, packets.PUBLIC_SUBKEY, 17):
            yield head, signatures
            head, signatures = (tag, body), []
    yield head, signatures


def _subkey(primary: PublicKey, body: bytes, signatures: list[Packet]) -> Iterator[SubKey]:
    try:
        key = packets.key(body)
    except NotOpenPgp:
        return
    over = primary.hashed() + key.hashed()
    good = [packet for packet in signatures if packet.type in (0x18, 0x28) and _good(packet, primary, over)]
    newest = _newest([packet for packet in good if packet.type == 0x18])
    if newest is None:
        return  # nobody says that it belongs to the primary key
    signs = newest.flags is None or bool(newest.flags & _SIGN)
    if signs:  # it has to agree itself, or anybody's key could be claimed (RFC 9580, 5.2.1.10)
        try:
            back = packets.signature(newest.embedded)
        except NotOpenPgp:
            signs = False
        else:
            signs = back.type == 0x19 and _good(back, key, over)
    revoked = any(packet.type == 0x28 for packet in good)
    yield SubKey(key=key, expires=_end(key, newest), revoked=revoked, signs=signs)


def _good(packet: Packet, key: PublicKey, over: bytes) -> bool:
    try:
        return not packet.critical and pgpmath.made(packet, key, lambda state: state.update(over))
    except pgpmath.Unusable:
        return False


def _newest(found: list[Packet]) -> Packet | None:
    dated = [(packet.created, packet) for packet in found if packet.created is not None]
    return max(dated, key=lambda pair: pair[0])[1] if dated else None


def _end(key: PublicKey, packet: Packet | None) -> datetime | None:
    if packet is None or not packet.key_lasts:
        return None
    try:
        return key.created + timedelta(seconds=packet.key_lasts)
    except OverflowError:
        return None
