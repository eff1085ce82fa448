"""Who signed what."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from fulldress.facts.witness import Fact


class Integrity(StrEnum):
    INTACT = "intact"  #: the signature is over exactly these bytes
    BROKEN = "broken"
    UNVERIFIED = "unverified"  #: could not be computed; ``Signature.words`` says why


class Trust(StrEnum):
    TRUSTED = "trusted"  #: chain ends at a root of the team's trust folder
    UNTRUSTED = "untrusted"  #: chain ends elsewhere, or a certificate of it is not fit
    UNKNOWN = "unknown"  #: no trust folder was given, or the chain is incomplete


class Certificate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    sha256: str  #: fingerprint of the DER bytes, lower-case hex
    key: str = ""  #: ``RSA 2048``, ``EC secp256r1`` …
    is_ca: bool = False


class Signature(Fact, tag=True, frozen=True, kw_only=True):
    """One signature and everything that was found out about it."""

    scheme: str  #: ``CMS detached`` …
    path: str  #: the signature file
    covers: tuple[str, ...] = ()  #: entries whose bytes it is over
    integrity: Integrity
    trust: Trust
    words: str  #: the verdict on trust, said as a person would
    signer: str = ""
    chain: tuple[Certificate, ...] = ()  #: leaf first
    signed_at: datetime | None = None
    stamped_at: datetime | None = None  #: from a time-stamp authority, not the signer's own clock
    announced_in: str = ""  #: vendor advisory that announces a certificate of the chain
    continuity: str = ""  #: same issuer as the vendor's last package, or not
    weaknesses: tuple[str, ...] = ()  #: short keys, old hashes, wrong purpose, expired

    @property
    def names_a_maker(self) -> bool:
        """Whether it can say who made the package. A list of checksums says only that bytes fit each other."""
        return not self.scheme.lower().startswith("checksum")


class Advisory(Fact, tag=True, frozen=True, kw_only=True):
    """A vendor's announcement that the team keeps in its advisories folder."""

    title: str
    published: date | None = None
    fingerprints: tuple[str, ...] = ()  #: sha256 fingerprints that it names
    names: tuple[str, ...] = ()  #: certificate or authority names in it
