"""sigstore bundles and attestations, verified offline against a trusted root that the team keeps in its trust folder.

Sources: the bundle and trusted-root messages of sigstore's protobuf-specs (0.1 to 0.3); PEP 740 for Python's attestations;
DSSE 1.0 for the envelope; RFC 6962 for the inclusion proof. What no trusted root was given for is said, not assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from fulldress.facts import Evidence, Integrity, Signature, Trust, Witness
from fulldress.package.signatures import certificates as certs
from fulldress.package.signatures import sigstorestamps, translog
from fulldress.package.signatures.bundles import Bundle, NotBundle, looks, parse
from fulldress.package.signatures.judged import Ground, quoted
from fulldress.package.signatures.translog import check, unbase64

_ISSUER_V2, _ISSUER_V1 = "1.3.6.1.4.1.57264.1.8", "1.3.6.1.4.1.57264.1.1"


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """A trusted root: authorities, and keys of logs."""

    name: str
    folder: certs.Folder
    logs: dict[bytes, Any]
    transparency: dict[bytes, Any] = {}  #: keys of the logs that hold the authority's certificates
    stampers: tuple[sigstorestamps.Authority, ...] = ()


def root(name: str, data: bytes) -> Root | None:
    """A trusted root; None for one that cannot be read."""
    try:
        whole = msgspec.json.decode(data)
        roots: list[x509.Certificate] = []
        others: list[x509.Certificate] = []
        for authority in whole.get("certificateAuthorities", ()):
            for row in authority["certChain"]["certificates"]:
                for one in certs.parse(unbase64(row["rawBytes"])):
                    (roots if certs.signs_itself(one) else others).append(one)
        logs, transparency = _keys(whole.get("tlogs", ())), _keys(whole.get("ctlogs", ()))
        stampers = tuple(sigstorestamps.authorities(whole.get("timestampAuthorities", ())))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError, UnsupportedAlgorithm, RecursionError):
        return None
    folder = certs.Folder(name, tuple(roots), tuple(others))
    return Root(name=name, folder=folder, logs=logs, transparency=transparency, stampers=stampers)


def _keys(rows: Any) -> dict[bytes, Any]:
    """Keys of logs, without those that do not say since when they are good."""
    return {
        unbase64(row["logId"]["keyId"]): serialization.load_der_public_key(unbase64(row["publicKey"]["rawBytes"]))
        for row in rows
        if "validFor" not in row["publicKey"] or row["publicKey"]["validFor"].get("start")
    }


Find = Callable[[str, dict[str, str]], str]


def judged(
    bundle: Bundle,
    roots: list[Root],
    ground: Ground,
    evidence: Evidence,
    path: str,
    find: Find,
    named: tuple[str, bytes | None],
) -> Signature:
    """The fact. ``find`` gives the entry with one of these digests, or nothing; ``named`` is the entry that the bundle's
    own name points to, and its sha256."""
    held, key = _bare(bundle, find, named, ground)
    covers, integrity, problem = _bytes(bundle, find, named, key)
    said = [
        "bytes intact"
        if integrity is Integrity.INTACT
        else f"bytes {'not intact' if integrity is Integrity.BROKEN else 'not verified'}: {problem}"
    ]
    leaf = bundle.certificates[0] if bundle.certificates else None
    who, by = _identity(leaf) if leaf is not None else ("", "")
    if who:
        said.append(f"signed by {quoted(who)}" + (f", as {by} knew it" if by else ""))
    trust, words, at, faults = _by_key(bundle, roots, held) if held else _trusted(bundle, roots, ground)
    said.extend(words)
    said.extend(faults)
    if bundle.statement:
        said.append(f"a statement of the kind {bundle.statement}")
    chain = certs.build(leaf, bundle.certificates[1:], certs.Folder()) if leaf is not None else None
    return Signature(
        witness=Witness.READ,
        evidence=evidence,
        scheme="sigstore",
        path=path,
        covers=covers,
        integrity=integrity,
        trust=trust,
        words="; ".join(said),
        signer=who,
        chain=tuple(certs.described(one) for one in chain.certificates) if chain is not None else (),
        stamped_at=at,
        weaknesses=tuple(faults),
    )


def _bare(bundle: Bundle, find: Find, named: tuple[str, bytes | None], ground: Ground) -> tuple[str, Any]:
    """The file of the trust folder with the key that signed a bundle without certificates, and that key."""
    for path, key in ground.keys.public if not bundle.certificates else ():
        if _bytes(bundle, find, named, key)[1] is Integrity.INTACT:
            return path, key
    return "", None


def _by_key(bundle: Bundle, roots: list[Root], held: str) -> tuple[Trust, list[str], datetime | None, list[str]]:
    """Trust for a key that the team holds: the log adds to it where it is known, and may not speak against it."""
    words = [f"signed with the key that {held} holds"]
    for one in roots:
        if not any(entry.log in one.logs for entry in bundle.entries):
            continue
        logged, at, problem = translog.when(bundle.entries, one.logs, bundle.signature, proven=bundle.proven)
        return (Trust.TRUSTED, words, at, []) if logged else (Trust.UNTRUSTED, words, None, [problem])
    return Trust.TRUSTED, words, None, []


def _bytes(
    bundle: Bundle, find: Find, named: tuple[str, bytes | None], key: Any
) -> tuple[tuple[str, ...], Integrity, str]:
    if not bundle.certificates and key is None:
        return (), Integrity.UNVERIFIED, "it is signed with a bare key, which it only hints at"
    key = key or bundle.certificates[0].public_key()
    if bundle.signed is not None:
        try:
            check(key, bundle.signature, bundle.signed)
        except InvalidSignature:
            return (), Integrity.BROKEN, "the statement is not the one that was signed"
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            return (), Integrity.UNVERIFIED, f"its key could not be used ({str(error)[:80]})"
        found = tuple(dict.fromkeys(hit for name, digests in bundle.subjects if (hit := find(name, digests))))
        if found:
            return found, Integrity.INTACT, ""
        names = ", ".join(name for name, _ in bundle.subjects[:3])
        if named[0] and any(name.rsplit("/", 1)[-1] == named[0].rsplit("/", 1)[-1] for name, _ in bundle.subjects):
            return (named[0],), Integrity.BROKEN, f"{named[0]} is not the one that the statement is about"
        return (), Integrity.UNVERIFIED, f"the statement is about {names or 'nothing'}, which is not here"
    wanted = bundle.digest
    hit = find("", {wanted[0]: wanted[1].hex()}) if wanted is not None else ""
    digest = wanted if hit else ("sha256", named[1]) if named[1] is not None else None
    if digest is None or digest[1] is None:
        return (), Integrity.UNVERIFIED, "it is over no entry of the package"
    try:
        check(key, bundle.signature, None, (digest[0], digest[1]))
    except InvalidSignature:
        return (hit or named[0],), Integrity.BROKEN, "the bytes are not those that were signed"
    except (ValueError, TypeError, KeyError, UnsupportedAlgorithm) as error:
        return (hit or named[0],), Integrity.UNVERIFIED, f"its key could not be used ({str(error)[:80]})"
    if wanted is not None and not hit and wanted[0] == "sha256":
        return (named[0],), Integrity.BROKEN, "the bundle states the digest of other bytes"
    return (hit or named[0],), Integrity.INTACT, ""


def _identity(leaf: x509.Certificate) -> tuple[str, str]:
    """Who signed, as the authority wrote it into the certificate, and the provider that had checked it."""
    who = by = ""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        who = next((str(name.value) for name in names if isinstance(name.value, str)), "")
    except (x509.ExtensionNotFound, ValueError):
        pass
    for oid, skip in ((_ISSUER_V2, 2), (_ISSUER_V1, 0)):
        try:
            raw = leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier(oid)).value
        except (x509.ExtensionNotFound, ValueError):
            continue
        if isinstance(raw, x509.UnrecognizedExtension):
            by = by or raw.value[skip:].decode("utf-8", "replace")
    return who, by


def _trusted(bundle: Bundle, roots: list[Root], ground: Ground) -> tuple[Trust, list[str], datetime | None, list[str]]:
    """Trust, words for it, the log's time where that holds, and what is wrong."""
    if not bundle.certificates:
        return Trust.UNKNOWN, [], None, []
    if not roots:
        where = (
            f"{ground.keys.name}/ holds no trusted root of sigstore"
            if ground.trust is not None
            else "no trust folder was given"
        )
        return Trust.UNKNOWN, [f"its authority and its log could not be checked: {where}"], None, []
    for one in roots:
        chain = certs.build(bundle.certificates[0], bundle.certificates[1:], one.folder)
        if chain.anchored:
            return _under(bundle, one, chain)
    return Trust.UNTRUSTED, [f"its authority is in no trusted root of {ground.keys.name}/"], None, []


def _under(bundle: Bundle, root: Root, chain: certs.Chain) -> tuple[Trust, list[str], datetime | None, list[str]]:
    """The same under one trusted root: log, times, certificate at those times, log of certificates."""
    words = [f"chain ends in {root.name}"]
    held, promised, problem = translog.when(bundle.entries, root.logs, bundle.signature, proven=bundle.proven)
    stamps, wrong = sigstorestamps.stamped(bundle.stamps, bundle.signature, root.stampers)
    times = [*([promised] if promised is not None else []), *stamps]
    if not held or not times:
        return Trust.UNTRUSTED, words, None, [problem or wrong or "nobody says when it was signed"]
    faults = [fault for at in times for fault in certs.unfit(chain, at, certs.SIGNING)]
    if any(certs.signs_itself(one) for one in bundle.certificates):
        faults.append("it brings a root of its own, which a bundle may not do")
    if root.transparency and not sigstorestamps.logged(chain.certificates[0], chain.certificates[1], root.transparency):
        faults.append("no log of the trusted root holds its certificate")
    by = "its log had it on" if promised is not None else "time-stamped"
    words = [f"{words[0]}; {by} {times[0]:%Y-%m-%d %H:%M} UTC"]
    return (Trust.UNTRUSTED if faults else Trust.TRUSTED), words, times[0], list(dict.fromkeys(faults))


__all__ = ["Bundle", "NotBundle", "Root", "judged", "looks", "parse", "root"]
