"""OpenPGP packets: armour, framing, signatures and public keys as they lie in the bytes (RFC 4880, RFC 9580).

Own reading, because the question here is not the one that a mail program asks: whether a signature fits *and*, apart from
that, whether its key had expired, on any day that is asked for (decision 0115).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from fulldress.patterns import regex

#: RFC 9580, 9.5: number of a hash algorithm to the name that hashlib knows it by.
HASHES = {
    1: "md5",
    2: "sha1",
    3: "ripemd160",
    8: "sha256",
    9: "sha384",
    10: "sha512",
    11: "sha224",
    12: "sha3_256",
    14: "sha3_512",
}
WEAK = frozenset({"md5", "sha1", "ripemd160"})
SIGNATURE, PUBLIC_KEY, USER_ID, PUBLIC_SUBKEY = 2, 6, 13, 14
_MOST_PACKETS = 20_000
_ARMOUR = regex(
    rb"-----BEGIN PGP ([A-Z ]+)-----[ \t]*\r?\n(.*?)-----END PGP \1-----",
    re.S,
)


class NotOpenPgp(ValueError):
    """The bytes are no OpenPGP packets; the message says why."""


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key packet. ``material``: its numbers (RSA n and e, …) or the raw point."""

    version: int
    created: datetime
    algorithm: int
    material: bytes
    body: bytes
    fingerprint: str  #: lower-case hex

    @property
    def key_id(self) -> str:
        return self.fingerprint[:16] if self.version == 6 else self.fingerprint[-16:]

    def hashed(self) -> bytes:
        """The form in which a key stands in the bytes that a certification is over."""
        if self.version == 6:
            return b"\x9b" + len(self.body).to_bytes(4, "big") + self.body
        return b"\x99" + len(self.body).to_bytes(2, "big") + self.body


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """A signature packet, not yet checked."""

    version: int
    type: int
    algorithm: int
    hash: str  #: hashlib's name, or "hash NN" for one not known
    created: datetime | None
    expires: datetime | None = None  #: of the signature
    key_lasts: int = 0  #: seconds from the key's creation; 0: for ever
    issuer: str = ""  #: key id, lower-case hex
    fingerprint: str = ""  #: of the key, where it is said
    flags: int | None = None
    embedded: bytes = b""
    critical: tuple[int, ...] = ()  #: critical subpackets that are not understood
    salt: bytes = b""
    trailer: bytes = b""  #: what is hashed after the data
    left: bytes = b""  #: first two bytes of the digest
    numbers: bytes = b""


def dearmoured(data: bytes) -> bytes:
    """The packets of an armoured or binary file; several blocks one after the other. Raises :class:`NotOpenPgp`."""
    if b"-----BEGIN PGP" not in data:
        return data
    blocks = [_block(body) for _, body in _ARMOUR.findall(data)]
    if not blocks:
        raise NotOpenPgp("its armour has no end")
    return b"".join(blocks)


def _block(body: bytes) -> bytes:
    rows = body.replace(b"\r\n", b"\n").split(b"\n")
    blank = next((number for number, row in enumerate(rows) if not row.strip()), -1)
    kept = [row.strip() for row in rows[blank + 1 :] if b":" not in row]
    kept = [row for row in kept if row and not (row.startswith(b"=") and len(row) == 5)]
    try:
        return base64.b64decode(b"".join(kept), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotOpenPgp("its armour is damaged") from error


def packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and body of every packet. Raises :class:`NotOpenPgp` where the framing breaks."""
    at, found = 0, 0
    while at < len(data):
        found += 1
        if found > _MOST_PACKETS:
            raise NotOpenPgp(f"more than {_MOST_PACKETS} packets")
        first = data[at]
        if not first & 0x80:
            raise NotOpenPgp("no packet where one should begin")
        try:
            tag, body, at = _new(data, at) if first & 0x40 else _old(data, at)
        except IndexError as error:
            raise NotOpenPgp("a packet is cut off") from error
        yield tag, body


def _old(data: bytes, at: int) -> tuple[int, bytes, int]:
    kind = data[at] & 3
    size = (1, 2, 4, 0)[kind]
    start = at + 1 + size
    length = int.from_bytes(data[at + 1 : start], "big") if size else len(data) - start
    return (data[at] >> 2) & 15, _cut(data, start, length), start + length


def _new(data: bytes, at: int) -> tuple[int, bytes, int]:
    tag, at, parts = data[at] & 63, at + 1, []
    while True:
        first = data[at]
        if 224 <= first < 255:  # a part: more follow
            length, start = 1 << (first & 31), at + 1
        else:
            length, start = _length(data, at)
        parts.append(_cut(data, start, length))
        at = start + length
        if not 224 <= first < 255:
            return tag, b"".join(parts), at


def _length(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first < 192:
        return first, at + 1
    if first < 255:
        return ((first - 192) << 8) + data[at + 1] + 192, at + 2
    return int.from_bytes(data[at + 1 : at + 5], "big"), at + 5


def _cut(data: bytes, start: int, length: int) -> bytes:
    if start + length > len(data):
        raise NotOpenPgp("a packet is cut off")
    return data[start : start + length]


def _time(raw: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(raw, "big"), UTC)


def key(body: bytes) -> PublicKey:
    """A public key packet (version 4 or 6). Raises :class:`NotOpenPgp`."""
    if len(body) < 7 or body[0] not in (4, 6):
        raise NotOpenPgp(f"a key of version {body[0] if body else 'none'} is not understood")
    version = body[0]
    material = body[6:] if version == 4 else body[10:]
    if version == 6:
        print_ = hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest()
    else:
        print_ = hashlib.sha1(
            b"\x99" + (len(body) & 0xFFFF).to_bytes(2, "big") + body, usedforsecurity=False
        ).hexdigest()
    return PublicKey(
        version=version,
        created=_time(body[1:5]),
        algorithm=body[5],
        material=material,
        body=body,
        fingerprint=print_,
    )


def signature(body: bytes) -> Packet:
    """A signature packet (version 3, 4 or 6). Raises :class:`NotOpenPgp`."""
    try:
        if body[0] == 3:
            return _third(body)
        if body[0] in (4, 6):
            return _fourth(body)
    except (IndexError, OverflowError, ValueError) as error:
        raise NotOpenPgp("a signature is cut off") from error
    raise NotOpenPgp(f"a signature of version {body[0]} is not understood")


def _third(body: bytes) -> Packet:
    if body[1] != 5:
        raise NotOpenPgp("a signature of version 3 is damaged")
    return Packet(
        version=3,
        type=body[2],
        created=_time(body[3:7]),
        issuer=body[7:15].hex(),
        algorithm=body[15],
        hash=HASHES.get(body[16], f"hash {body[16]}"),
        trailer=body[2:7],
        left=body[17:19],
        numbers=body[19:],
    )


def _fourth(body: bytes) -> Packet:
    version, wide = body[0], 4 if body[0] == 6 else 2
    size = int.from_bytes(body[4 : 4 + wide], "big")
    end = 4 + wide + size
    hashed = _cut(body, 4 + wide, size)
    loose_size = int.from_bytes(_cut(body, end, wide), "big")
    loose = _cut(body, end + wide, loose_size)
    at = end + wide + loose_size
    left, at = _cut(body, at, 2), at + 2
    salt = b""
    if version == 6:
        salt, at = _cut(body, at + 1, body[at]), at + 1 + body[at]
    said = dict(_said(hashed))
    hints = dict(_said(loose))
    created = _time(said[2][1]) if 2 in said else None
    lasts = int.from_bytes(said[3][1], "big") if 3 in said else 0
    owner = said.get(33) or hints.get(33)
    known = {2, 3, 9, 11, 16, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 39}
    critical = tuple(sorted(number for number, (must, _) in said.items() if must and number not in known))
    fingerprint = owner[1][1:].hex() if owner else ""
    issuer = (said.get(16) or hints.get(16) or (False, b""))[1].hex()
    if not issuer and fingerprint:
        issuer = fingerprint[:16] if len(fingerprint) == 64 else fingerprint[-16:]
    return Packet(
        version=version,
        type=body[1],
        algorithm=body[2],
        hash=HASHES.get(body[3], f"hash {body[3]}"),
        created=created,
        expires=created + timedelta(seconds=lasts) if created and lasts else None,
        key_lasts=int.from_bytes(said[9][1], "big") if 9 in said else 0,
        issuer=issuer,
        fingerprint=fingerprint,
        flags=said[27][1][0] if 27 in said and said[27][1] else None,
        embedded=(said.get(32) or hints.get(32) or (False, b""))[1],
        critical=critical,
        salt=salt,
        trailer=body[:end] + bytes([version, 0xFF]) + (end & 0xFFFFFFFF).to_bytes(4, "big"),
        left=left,
        numbers=body[at:],
    )


def _said(area: bytes) -> Iterator[tuple[int, tuple[bool, bytes]]]:
    """Subpackets: number, whether it is critical, and what it says. RFC 9580, 5.2.3.7."""
    at = 0
    while at < len(area):
        length, start = _length(area, at)
        raw = _cut(area, start, length)
        if not raw:
            raise NotOpenPgp("an empty subpacket")
        yield raw[0] & 127, (bool(raw[0] & 128), raw[1:])
        at = start + length
