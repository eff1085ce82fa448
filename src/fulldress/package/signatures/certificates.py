"""Certificates: loading them from a folder, chains to a root that the team trusts, and what is unfit about them."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from fulldress.facts import Certificate
from fulldress.package.signatures import keystores

# Key stores in use hold authorities whose serial number is 0. The library reads them, and warns on standard error.
warnings.filterwarnings("ignore", message="Parsed a serial number", module="fulldress")

_LONGEST = 10  #: certificates in one chain; longer ones do not occur
_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "TLS servers",
    ExtendedKeyUsageOID.CLIENT_AUTH: "TLS clients",
    ExtendedKeyUsageOID.CODE_SIGNING: "signing code",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "mail",
    ExtendedKeyUsageOID.TIME_STAMPING: "time stamps",
    ExtendedKeyUsageOID.OCSP_SIGNING: "revocation answers",
}
#: Purposes that allow to sign a file. Mail is one: S/MIME certificates are what ``.p7s`` files are often made with.
SIGNING = frozenset(
    {ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
)
STAMPING = frozenset({ExtendedKeyUsageOID.TIME_STAMPING})
_DAMAGES = (x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType, UnsupportedAlgorithm)
#: The folder below the trust folder with what the installed product itself believes.
PRODUCT = "product"
_STORES = (".jks", ".p12", ".pfx", ".keystore", ".truststore")
_OTHER = (b"-----BEGIN X509 CRL", b"-----BEGIN PGP", b"-----BEGIN PUBLIC KEY", b"-----BEGIN SSH")
_SUFFIXES = (".pem", ".crt", ".cer", ".der", ".p7b", ".ca-bundle")


class Folder(msgspec.Struct, frozen=True):
    """What a trust folder holds. ``roots`` sign themselves; ``others`` only help to build a chain."""

    name: str = ""
    roots: tuple[x509.Certificate, ...] = ()
    others: tuple[x509.Certificate, ...] = ()
    unreadable: tuple[tuple[Path, str], ...] = ()


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Leaf first. ``anchored``: its last certificate is a root of the trust folder."""

    certificates: tuple[x509.Certificate, ...]
    anchored: bool
    missing: str = ""  #: name of the issuer that was not found, where the chain is incomplete

    @property
    def last(self) -> x509.Certificate:
        return self.certificates[-1]


def load(folder: Path | None) -> Folder:
    """Every certificate of a folder and the folders in it; PEM files may hold several."""
    if folder is None or not folder.is_dir():
        return Folder()
    roots: list[x509.Certificate] = []
    others: list[x509.Certificate] = []
    unreadable: list[tuple[Path, str]] = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or folder / PRODUCT in path.parents:
            continue  # what the product believes is not yet what the team believes
        store = path.suffix.lower() in _STORES or path.name == "cacerts"
        if path.suffix.lower() not in _SUFFIXES and not store:
            continue
        try:
            data = path.read_bytes()
            if any(mark in data for mark in _OTHER):
                continue
            found = [checked(one) for one in keystores.certificates(data)] if store else parse(data)
        except (ValueError, OSError) as error:
            unreadable.append((path, str(error).split("\n", 1)[0][:120]))
            continue
        for certificate in found:
            (roots if signs_itself(certificate) else others).append(certificate)
    return Folder(folder.name or "trust", tuple(roots), tuple(others), tuple(unreadable))


def parse(data: bytes) -> list[x509.Certificate]:
    """Certificates of a PEM or DER file. Raises :class:`ValueError` where there is none."""
    try:
        return _parsed(data)
    except _DAMAGES as error:
        raise ValueError(f"damaged certificate: {error}") from error


def _parsed(data: bytes) -> list[x509.Certificate]:
    if b"-----BEGIN" in data:
        return [checked(certificate) for certificate in x509.load_pem_x509_certificates(data)]
    return [checked(x509.load_der_x509_certificate(data))]


def checked(certificate: x509.Certificate) -> x509.Certificate:
    """The certificate, with all of it parsed now and not at first use. Raises :class:`ValueError` for a damaged one."""
    try:
        _ = certificate.subject, certificate.issuer, certificate.extensions, certificate.version
        _ = certificate.not_valid_after_utc, certificate.not_valid_before_utc, certificate.signature_algorithm_oid
        _ = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string(), certificate.issuer.public_bytes()
    except (ValueError, TypeError, OverflowError, *_DAMAGES) as error:
        raise ValueError(f"damaged certificate: {error}") from error
    # The byte before the signature counts unused bits. Libraries overlook it where the last bits are 0 anyway, and the
    # same certificate would have a second fingerprint. Source: X.690, 8.6.2 and 11.2; signatures are whole bytes.
    if certificate.public_bytes(Encoding.DER)[-len(certificate.signature) - 1] != 0:
        raise ValueError("damaged certificate: its signature is not a whole number of bytes")
    return certificate


def fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(SHA256()).hex()


def common_name(name: x509.Name) -> str:
    """The common name, or the whole name where there is none."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string() or "(no name)"


def issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether ``issuer``'s key signed ``certificate``. Names alone prove nothing."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return _issued_of_old(issuer, certificate)
    except InvalidSignature:
        return False
    return True


def _issued_of_old(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """The same for SHA-1 and MD5, which the library refuses. Half of the roots in use signed themselves so before 2012, and
    nobody relies on what a root says of itself; below a root :func:`weak_hash` speaks against it."""
    if issuer.subject != certificate.issuer:
        return False
    try:
        chosen, key = certificate.signature_hash_algorithm, issuer.public_key()
        if chosen is None or chosen.name not in ("sha1", "md5"):
            return False
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), chosen)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(chosen))
        elif isinstance(key, dsa.DSAPublicKey):
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, chosen)
        else:
            return False
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def signs_itself(certificate: x509.Certificate) -> bool:
    return certificate.issuer == certificate.subject and issued(certificate, certificate)


def build(leaf: x509.Certificate, given: Iterable[x509.Certificate], trust: Folder) -> Chain:
    """The chain from ``leaf`` upwards; one that ends at a trusted root wins over any other, then the longest."""
    trusted = {fingerprint(root) for root in trust.roots}
    pool = list({fingerprint(item): item for item in (*trust.roots, *trust.others, *given)}.values())
    best = Chain(certificates=(leaf,), anchored=fingerprint(leaf) in trusted, missing="")
    stack: list[tuple[x509.Certificate, ...]] = [(leaf,)]
    tried = 0
    while stack and not best.anchored and tried < 2000:
        path = stack.pop()
        tried += 1
        last = path[-1]
        if fingerprint(last) in trusted:
            best = Chain(certificates=path, anchored=True)
            break
        if len(path) > len(best.certificates):
            best = Chain(certificates=path, anchored=False)
        if signs_itself(last) or len(path) >= _LONGEST:
            continue
        held = {fingerprint(item) for item in path}
        issuers = [c for c in pool if c.subject == last.issuer and fingerprint(c) not in held and issued(c, last)]
        issuers.sort(key=lambda c: fingerprint(c) in trusted)
        stack.extend((*path, issuer) for issuer in issuers)
    if not best.anchored and not signs_itself(best.last):
        return msgspec.structs.replace(best, missing=common_name(best.last.issuer))
    return best


def unfit(chain: Chain, at: datetime, purposes: frozenset[x509.ObjectIdentifier]) -> list[str]:
    """What is wrong with the certificates of a chain at an instant, each as a person would say it."""
    found: list[str] = []
    for index, certificate in enumerate(chain.certificates):
        name = f'"{common_name(certificate.subject)}"'
        if certificate.not_valid_after_utc < at:
            found.append(f"{name} expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
        if certificate.not_valid_before_utc > at:
            found.append(f"{name} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}")
        if weak := weak_key(certificate):
            found.append(f"{name} has a weak key: {weak}")
        if not (index == len(chain.certificates) - 1 and signs_itself(certificate)) and (
            hashed := weak_hash(certificate)
        ):
            found.append(f"{name} was signed with {hashed}, which can be forged")
        if index:
            found.extend(f"{name} {fault}" for fault in _as_authority(certificate, index - 1))
        found.extend(f"{name} {fault}" for fault in _unknown(certificate, purposes, leaf=not index))
    found.extend(_purpose(chain.certificates[0], purposes))
    return found


#: Critical extensions that are judged here, or that say nothing against a signature (RFC 5280, 4.2).
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.ISSUER_ALTERNATIVE_NAME,
        # Apple's marks of what a certificate was issued for: Developer ID for programs, for installers, for kernel
        # extensions (Apple, "Certification Practice Statement: Developer ID", 4.11.2)
        *(x509.ObjectIdentifier(f"1.2.840.113635.100.6.1.{last}") for last in (13, 14, 18, 33)),
    }
)


def _unknown(certificate: x509.Certificate, purposes: frozenset[x509.ObjectIdentifier], *, leaf: bool) -> list[str]:
    """Conditions that a certificate makes and that are not judged here."""
    found = []
    for extension in certificate.extensions:
        if extension.oid == ExtensionOID.NAME_CONSTRAINTS:
            found.append("may issue for some names only, and that is not checked")
        elif extension.critical and extension.oid not in _UNDERSTOOD:
            found.append(f"makes a condition that is not understood ({extension.oid.dotted_string})")
        elif (
            leaf
            and purposes is STAMPING
            and extension.oid == ExtensionOID.EXTENDED_KEY_USAGE
            and not extension.critical
            and ExtendedKeyUsageOID.TIME_STAMPING in extension.value
        ):
            found.append("does not insist on being for time stamps (RFC 3161, 2.3)")
    return found


def weak_key(certificate: x509.Certificate) -> str:
    """Why the key is too weak, or empty: RSA and DSA below 2048 bits, curves below 256."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "of a kind that could not be read"
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) and key.key_size < 2048:
        return f"{'RSA' if isinstance(key, rsa.RSAPublicKey) else 'DSA'} {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < 224:
        return f"EC {key.curve.name}"
    return ""


def weak_hash(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return "an unknown hash"
    return algorithm.name.upper() if algorithm is not None and algorithm.name in ("md5", "sha1", "md2") else ""


def _as_authority(certificate: x509.Certificate, below: int) -> list[str]:
    """Faults of a certificate that issued another; ``below``: authorities between it and the leaf."""
    found: list[str] = []
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not constraints.ca:
            found.append("is no authority, yet issued a certificate")
        elif constraints.path_length is not None and below > constraints.path_length:
            found.append(f"may have {constraints.path_length} authorities below it, but has {below}")
    except x509.ExtensionNotFound:
        if certificate.version == x509.Version.v3:
            found.append("does not say that it is an authority")
    except ValueError as error:
        return [f"has extensions that could not be read ({error})"]
    try:
        if not certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign:
            found.append("may not sign certificates")
    except x509.ExtensionNotFound:
        pass  # without the extension every use is allowed (RFC 5280, 4.2.1.3)
    return found


def _purpose(leaf: x509.Certificate, purposes: frozenset[x509.ObjectIdentifier]) -> list[str]:
    name, found = f'"{common_name(leaf.subject)}"', []
    try:
        allowed = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        if not allowed & purposes:
            named = ", ".join(sorted(_PURPOSES.get(item, item.dotted_string) for item in allowed))
            found.append(
                f"{name} is for {named}, not for {_PURPOSES[next(iter(purposes - {ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}))] if len(purposes) == 1 else 'signing code'}"
            )
    except x509.ExtensionNotFound:
        pass  # without the extension every purpose is allowed
    except ValueError as error:
        return [f"{name} has extensions that could not be read ({error})"]
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        if not (usage.digital_signature or usage.content_commitment):
            found.append(f"{name} may not be used for signatures")
    except x509.ExtensionNotFound:
        pass
    return found


def described(certificate: x509.Certificate) -> Certificate:
    """The certificate as a fact."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        authority = constraints.ca
    except (x509.ExtensionNotFound, ValueError):
        authority = False
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        sha256=fingerprint(certificate),
        key=_key(certificate),
        is_ca=authority,
        public=_public(certificate),
    )


def _public(certificate: x509.Certificate) -> str:
    try:
        raw = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return ""
    return hashlib.sha256(raw).hexdigest()


def _key(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "unknown"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, dsa.DSAPublicKey):
        return f"DSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519"
    return "Ed448" if isinstance(key, ed448.Ed448PublicKey) else "unknown"
