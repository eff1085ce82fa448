"""Certificates in Java's key stores: JKS, read without its password, and PKCS #12, with the password that Java ships.

Source: sun.security.provider.JavaKeyStore (JDK): magic, version, entries of an alias, a time, and a certificate or a key.
Certificates lie in the open there; the password only seals the whole.
"""

from __future__ import annotations

import struct

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

MAGIC = b"\xfe\xed\xfe\xed"
_MOST = 10_000
_PASSWORDS = (b"changeit", b"", None)  #: Java's default; without one


def certificates(data: bytes) -> list[x509.Certificate]:
    """Every certificate. Raises :class:`ValueError` where the store cannot be read."""
    if data.startswith(MAGIC):
        return _jks(data)
    return _pkcs12(data)


def _jks(data: bytes) -> list[x509.Certificate]:
    version, count = struct.unpack_from(">II", data, 4) if len(data) >= 12 else (0, 0)
    if version not in (1, 2) or count > _MOST:
        raise ValueError(f"a key store of version {version} is not understood")
    found: list[x509.Certificate] = []
    at = 12
    try:
        for _ in range(count):
            (kind,) = struct.unpack_from(">I", data, at)
            _, at = _text(data, at + 4)
            at += 8  # when it was put in
            chain = 1
            if kind == 1:  # a private key, sealed, and then its chain
                (size,) = struct.unpack_from(">I", data, at)
                (chain,) = struct.unpack_from(">I", data, at + 4 + size)
                at += 8 + size
            elif kind != 2:
                raise ValueError(f"an entry of kind {kind} is not understood")
            for _ in range(min(chain, _MOST)):
                if version == 2:
                    _, at = _text(data, at)
                (size,) = struct.unpack_from(">I", data, at)
                if at + 4 + size > len(data):
                    raise ValueError("a certificate is cut off")
                if kind == 2:
                    found.append(x509.load_der_x509_certificate(data[at + 4 : at + 4 + size]))
                at += 4 + size
    except struct.error as error:
        raise ValueError("the key store is cut off") from error
    return found


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">H", data, at)
    return data[at + 2 : at + 2 + size], at + 2 + size


def _pkcs12(data: bytes) -> list[x509.Certificate]:
    from cryptography.hazmat.primitives.serialization import pkcs12

    for password in _PASSWORDS:
        try:
            store = pkcs12.load_pkcs12(data, password)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        # certificates beside a key are the holder's own, no anchors
        return [item.certificate for item in store.additional_certs]
    raise ValueError("its password is not Java's default")
