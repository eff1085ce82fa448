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
    public: str = ""  #: sha256 of the public key (SubjectPublicKeyInfo): the same in a renewed certificate


class Key(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key that stands for itself, without authorities above it: OpenPGP, minisign, SSH."""

    scheme: str  #: ``OpenPGP``, ``minisign``, ``SSH`` …
    fingerprint: str  #: as its own tools spell it
    name: str = ""
    algorithm: str = ""  #: ``RSA 4096``, ``Ed25519`` …
    expires: datetime | None = None
    revoked: bool = False
    held_in: tuple[str, ...] = ()  #: files of the trust folder that hold it; empty: nobody here does


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
    announced_by: str = ""  #: who signed that advisory, and whether that is trusted; empty: nobody did
    continuity: str = ""  #: same issuer as the vendor's last package, or not
    weaknesses: tuple[str, ...] = ()  #: short keys, old hashes, wrong purpose, expired
    key: Key | None = None  #: where a key signed and no certificate
    whole: bool = False  #: it is over the package itself, whatever lies in it
    today: Trust | None = None  #: trust on the day of reading, where ``trust`` is for another day
    judged_at: datetime | None = None  #: the instant that ``trust`` is for, where it was asked for
    stale: tuple[str, ...] = ()  #: copies of its key that have expired there, while another copy has not
    left_out: tuple[str, ...] = ()  #: programs of the container that it signs, and that it does not cover
    product: str = ""  #: why the installed product's own anchors will not accept it; empty: they will, or are not known
    lacks: str = ""  #: the tool of production that will check it (``rpm``, ``apt``) and that holds other keys only
    held_by: tuple[str, ...] = ()  #: files of production, of Java or of a product, that hold the root of its chain
    revocation_known: bool = False  #: every certificate of the chain was looked up in a list or answer of that day

    @property
    def names_a_maker(self) -> bool:
        """Whether it can say who made the package. A list of checksums says only that bytes fit each other, and a time
        stamp only when they did."""
        return not self.scheme.lower().startswith(("checksum", "time stamp"))

    @property
    def of_a_part(self) -> bool:
        """Whether it is the own signature of one program or archive in the package, and no word on the package."""
        if self.whole:
            return False
        inside = self.scheme == "JAR" or self.scheme.startswith("APK")
        return self.scheme in ("Authenticode", "macOS") or (inside and "!/" in self.path)


class Advisory(Fact, tag=True, frozen=True, kw_only=True):
    """A vendor's announcement that the team keeps in its advisories folder."""

    title: str
    published: date | None = None
    fingerprints: tuple[str, ...] = ()  #: sha256 fingerprints that it names
    names: tuple[str, ...] = ()  #: certificate or authority names in it
    signed: tuple[Signature, ...] = ()  #: signatures of the advisory itself: beside it, or around its text


class HeldKey(Fact, tag=True, frozen=True, kw_only=True):
    """A key or certificate by which production itself decides what it installs: apt's, rpm's, Java's, the product's."""

    tool: str  #: the folder below the trust folder: ``apt``, ``rpm``, ``java``, ``product``
    name: str
    fingerprint: str
    expires: datetime
    judged_at: datetime  #: the planned window, or now
    today: datetime  #: the day of reading
