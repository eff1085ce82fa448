"""Android packages signed with schemes 2 and 3: the block of signatures before the list of a ZIP's entries.

Source: Android Open Source Project, "APK Signature Scheme v2" and "v3". The block is found and its signers are named; it is
not verified here, and that is said.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from cryptography import x509

from fulldress.facts import AnyFact, Integrity, Reason, Signature, Trust, Witness
from fulldress.package.signatures import certificates as certs
from fulldress.package.signatures.carriers import Held
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Ground

KINDS = frozenset({"apk", "zip", "jar"})
MAGIC = (b"PK\3\4",)
_MAGIC = b"APK Sig Block 42"
_SCHEMES = {0x7109871A: "2", 0xF05368C0: "3", 0x1B93AD61: "3.1"}
_LARGEST = 16_000_000


def judge(held: Held, ground: Ground) -> Iterator[AnyFact]:
    """One fact for every scheme in the block."""
    if not held.name.lower().endswith((".apk", ".apex", ".apks")) and not _is_android(held):
        return
    for number, value in _block(held.stream):
        scheme = _SCHEMES.get(number)
        if scheme is None:
            continue
        leaf = _certificate(value)
        words = f"bytes not verified: an APK signature of scheme {scheme}, which fulldress does not verify"
        yield Signature(
            witness=Witness.READ,
            evidence=held.evidence,
            scheme=f"APK {scheme}",
            path=held.path,
            covers=(held.path,),
            integrity=Integrity.UNVERIFIED,
            trust=Trust.UNKNOWN,
            words=words,
            signer=leaf.subject.rfc4514_string() if leaf is not None else "",
            chain=(certs.described(leaf),) if leaf is not None else (),
        )
        detail = f"scheme {scheme} of Android is not verified; apksigner verify does it"
        yield unread(held.evidence, f"signature of {held.name}", Reason.FORMAT, detail, needed=held.whole)


def _is_android(held: Held) -> bool:
    inside = "" if held.whole else f"{held.path}!/"
    return f"{inside}AndroidManifest.xml" in held.package.members


def _block(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Numbers and values of the block, which ends where the list of entries begins."""
    end = stream.seek(0, 2)
    stream.seek(max(0, end - 65_557))
    tail = stream.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) < at + 20:
        return
    (central,) = struct.unpack_from("<I", tail, at + 16)
    if central < 32 or central > end:
        return
    stream.seek(central - 24)
    foot = stream.read(24)
    if foot[8:] != _MAGIC:
        return
    (size,) = struct.unpack_from("<Q", foot)
    if not 24 <= size <= min(central - 8, _LARGEST):
        return
    stream.seek(central - size)
    body = stream.read(size - 24)
    at = 0
    while at + 12 <= len(body):
        length, number = struct.unpack_from("<QI", body, at)
        if length < 4 or at + 8 + length > len(body):
            return
        yield number, body[at + 12 : at + 8 + length]
        at += 8 + length


def _certificate(value: bytes) -> x509.Certificate | None:
    """The certificate of the first signer: lists in lists, each with its length before it."""
    try:
        signed = _sized(_sized(_sized(value)))  # signers, the first of them, its signed data
        (digests,) = struct.unpack_from("<I", signed)
        return certs.checked(x509.load_der_x509_certificate(_sized(_sized(signed[4 + digests :]))))
    except (struct.error, ValueError):
        return None


def _sized(data: bytes) -> bytes:
    (length,) = struct.unpack_from("<I", data)
    return data[4 : 4 + length]
