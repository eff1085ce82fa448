"""The trust folder's keys that stand for themselves: OpenPGP key rings of apt and rpm, minisign, signify and SSH keys.

A file is known by what it holds, not by its name; the folder below ``trust/`` says whose it is: ``apt/`` and ``rpm/`` are
what production's own package tools believe, ``product/`` what the installed product itself believes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from fulldress.package.signatures import pgpkeys
from fulldress.package.signatures.packets import NotOpenPgp
from fulldress.patterns import regex

#: Folders below the trust folder whose keys decide what production's own tools accept.
TOOLS = ("apt", "rpm", "product")
#: What stands in place of the trust folder's name where production's own files hold a key.
HOST = "production"
_LARGEST = 8_000_000
_SSH = regex(rb"(?:^|[ \t,])((?:sk-)?(?:ssh|ecdsa)-[\w@.-]+)[ \t]+(AAAA[0-9A-Za-z+/]+=*)(?:[ \t]+([^\r\n]*))?")
_MINISIGN = regex(rb"(?m)^(RW[0-9A-Za-z+/]{54})\s*$")
_OPTION = regex(r'([\w-]+)="([^"]*)"')


class Plain(msgspec.Struct, frozen=True, kw_only=True):
    """A minisign, signify or SSH public key."""

    scheme: str
    name: str
    material: bytes  #: minisign: the 32 bytes of the key; SSH: the key as it goes over the wire
    number: bytes = b""  #: minisign's key number
    path: str = ""
    namespaces: tuple[str, ...] = ()  #: SSH: what it may sign; empty: anything
    after: datetime | None = None
    expires: datetime | None = None

    @property
    def fingerprint(self) -> str:
        if self.scheme == "SSH":
            return "SHA256:" + base64.b64encode(hashlib.sha256(self.material).digest()).decode().rstrip("=")
        return base64.b64encode(b"Ed" + self.number + self.material).decode()


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """Every key of a trust folder."""

    name: str = "trust"
    pgp: tuple[pgpkeys.Holder, ...] = ()
    plain: tuple[Plain, ...] = ()
    roots: tuple[tuple[Path, bytes], ...] = ()  #: trusted roots of sigstore
    public: tuple[tuple[str, Any], ...] = ()  #: bare public keys (PEM), with their file
    unreadable: tuple[tuple[Path, str], ...] = ()


def load(folder: Path) -> Keys:
    """Every key of a folder and the folders in it."""
    pgp: list[pgpkeys.Holder] = []
    plain: list[Plain] = []
    roots: list[tuple[Path, bytes]] = []
    public: list[tuple[str, Any]] = []
    unreadable: list[tuple[Path, str]] = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.stat().st_size > _LARGEST:
            continue
        try:
            data = path.read_bytes()
        except OSError as error:
            unreadable.append((path, str(error.strerror)))
            continue
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        try:
            if found := rings(path, data):
                pgp.extend(holder for ring in found for holder in pgpkeys.certificates(ring, name))
                continue
        except NotOpenPgp as error:
            unreadable.append((path, f"no OpenPGP key: {error}"))
            continue
        if b"dev.sigstore.trustedroot" in data or (b'"tlogs"' in data and b'"certificateAuthorities"' in data):
            roots.append((path, data))
        elif data.lstrip().startswith(b"-----BEGIN PUBLIC KEY-----"):
            try:
                public.append((name, serialization.load_pem_public_key(data)))
            except (ValueError, UnsupportedAlgorithm) as error:
                unreadable.append((path, f"no public key: {str(error)[:80]}"))
        elif b"-----BEGIN" not in data:
            plain.extend(minisign(data, name))
            plain.extend(ssh(data, name))
    return Keys(
        name=folder.name or "trust",
        pgp=tuple(pgp),
        plain=tuple(plain),
        roots=tuple(roots),
        public=tuple(public),
        unreadable=tuple(unreadable),
    )


def rings(path: Path, data: bytes) -> list[bytes]:
    """Key rings in a file: armoured, binary, or within apt's ``Signed-By:`` field, where every line is indented."""
    if b"BEGIN PGP PUBLIC KEY BLOCK" in data:
        if path.suffix == ".sources" or re.search(rb"(?m)^[ \t]+-----BEGIN PGP", data):
            data = re.sub(rb"(?m)^[ \t]+\.?", b"", data)
        return [data]
    binary = data[:1] in (b"\x98", b"\x99", b"\x9a", b"\xc6")
    if binary and (path.suffix.lower() in (".gpg", ".pgp", ".key", ".asc", ".kbx") or path.parent.name in TOOLS):
        return [data]
    return []


def tool(path: str) -> str:
    """Whose key that is, by the place where it is held: apt's, rpm's, the product's; empty: the team's."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[1] in TOOLS else ""


def spoken(path: str) -> str:
    """A place as a person would say it."""
    parts = path.split("/")
    return f"production's /{'/'.join(parts[2:])}" if parts[0] == HOST and len(parts) > 2 else path


def minisign(data: bytes, path: str = "") -> Iterator[Plain]:
    """minisign's and signify's public keys: ``Ed``, eight bytes of number, 32 bytes of key."""
    comment = re.match(rb"untrusted comment: *([^\r\n]*)", data)
    for match in _MINISIGN.finditer(data):
        try:
            raw = base64.b64decode(match[1] + b"=" * (-len(match[1]) % 4), validate=True)
        except binascii.Error:
            continue
        if len(raw) == 42 and raw[:2] == b"Ed":
            name = comment[1].decode("utf-8", "replace").strip() if comment else ""
            yield Plain(scheme="minisign", name=name or path, material=raw[10:], number=raw[2:10], path=path)


def ssh(data: bytes, path: str = "") -> Iterator[Plain]:
    """SSH public keys, also in the form of ``allowed_signers`` (ssh-keygen(1), ALLOWED SIGNERS)."""
    for row in data.splitlines():
        if row.lstrip().startswith(b"#"):
            continue
        match = _SSH.search(row)
        if match is None:
            continue
        try:
            raw = base64.b64decode(match[2], validate=True)
        except binascii.Error:
            continue
        before = row[: match.start(1)].decode("utf-8", "replace").strip()
        options = {name.lower(): value for name, value in _OPTION.findall(before)}
        who = before.split(" ", 1)[0] if before else (match[3] or b"").decode("utf-8", "replace").strip()
        if "cert-authority" in before:
            continue  # an authority over keys, no key that signs files
        yield Plain(
            scheme="SSH",
            name=who or path,
            material=raw,
            path=path,
            namespaces=tuple(item for item in options.get("namespaces", "").split(",") if item),
            after=_day(options.get("valid-after", "")),
            expires=_day(options.get("valid-before", "")),
        )


def _day(text: str) -> datetime | None:
    """``YYYYMMDD[HHMM[SS]][Z]``, as ssh-keygen writes it; taken as UTC."""
    digits = text.rstrip("Zz")
    for form, size in (("%Y%m%d", 8), ("%Y%m%d%H%M", 12), ("%Y%m%d%H%M%S", 14)):
        if len(digits) == size:
            try:
                return datetime.strptime(digits, form).replace(tzinfo=UTC)
            except ValueError:
                return None
    return None
