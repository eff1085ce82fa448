"""Keys that production itself holds, found in a copy of its files: apt's, rpm's, Java's, and anchors of installed products.

What apt and rpm hold decides what they install, so that their keys count as ``trust/apt`` and ``trust/rpm`` do. What Java
and products hold is said where a signature ends there; it makes nobody trusted, for a list of authorities of the web is no
decision of the team's. Sources: apt-secure(8), sources.list(5), rpmkeys(8), rpm's ``rpmdb.sqlite``, dnf.conf(5).
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from cryptography import x509

from fulldress.package.signatures import certificates as certs
from fulldress.package.signatures import keystores, pgpkeys
from fulldress.package.signatures.keys import HOST, rings
from fulldress.package.signatures.packets import NotOpenPgp
from fulldress.patterns import regex

_LARGEST = 8_000_000
_MOST_FILES = 60_000  #: names below the products' folders
_MOST_ANCHORS = 500
#: A file with more certificates than that is a list of the web's authorities, no decision for one product.
_WEB = 30
_RPM = ("var/lib/rpm", "usr/lib/sysimage/rpm")
_JAVA = (
    "etc/ssl/certs/java/cacerts",
    "etc/pki/java/cacerts",
    "etc/pki/ca-trust/extracted/java/cacerts",
    "usr/lib/jvm/*/lib/security/cacerts",
    "usr/lib/jvm/*/jre/lib/security/cacerts",
    "usr/java/*/lib/security/cacerts",
    "opt/*/lib/security/cacerts",
    "opt/*/jre/lib/security/cacerts",
    "opt/*/*/lib/security/cacerts",
)
_PRODUCTS = ("opt", "srv", "usr/local", "etc", "var/lib", "usr/share")
#: Below them: what belongs to the system, to TLS, or to libraries.
_NOT = regex(
    r"^(?:etc/(?:ssl|pki|apt|ca-certificates|alternatives|letsencrypt|yum\.repos\.d|zypp)"
    r"|var/lib/(?:apt|rpm|dpkg|docker|containers|containerd|ca-certificates|postgresql|mysql)"
    r"|usr/share/(?:ca-certificates|keyrings|doc|man|locale|icons|fonts|distribution-gpg-keys))$"
)
_LIBRARIES = ("site-packages", "dist-packages", "node_modules", ".git", "__pycache__")
_ANCHOR = regex(r"\.(?:pem|crt|cer|der|p7b|jks|p12|pfx|keystore|truststore)$|(?:^|/)cacerts$", re.I)


class HostKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What production holds."""

    pgp: tuple[pgpkeys.Holder, ...] = ()  #: apt's and rpm's; the path says whose
    tools: frozenset[str] = (
        frozenset()
    )  #: of apt and rpm, those whose keys could be read: they hold these and no others
    anchors: tuple[tuple[str, x509.Certificate], ...] = ()  #: of Java and of products, with the file
    unreadable: tuple[tuple[str, str], ...] = ()  #: file and why


def load(root: Path) -> HostKeys:
    """Every key below ``root``, a copy of a host's files. Links are followed within it only."""
    tree = _Tree(root)
    pgp = [*_apt(tree), *_rpm(tree)]
    anchors = [*_java(tree), *_products(tree)]
    return HostKeys(
        pgp=tuple(pgp),
        tools=frozenset(tree.read),
        anchors=tuple(anchors),
        unreadable=tuple(tree.unreadable),
    )


class _Tree:
    """The copy, and what of it could not be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.read: set[str] = set()
        self.unreadable: list[tuple[str, str]] = []

    def find(self, name: str) -> Path | None:
        """The file of that name with links resolved as on the host; None: it is not there, or it leads out."""
        parts, done, hops = [p for p in name.split("/") if p], self.root, 0
        while parts:
            part = parts.pop(0)
            if part == "..":
                done = done.parent if done != self.root else done
                continue
            here = done / part
            if not here.is_symlink():
                done = here
                continue
            hops += 1
            if hops > 40:
                return None
            target = str(here.readlink())
            parts = [p for p in target.split("/") if p and p != "."] + parts
            if target.startswith("/"):
                done = self.root
        return done if done.exists() else None

    def glob(self, *patterns: str) -> Iterator[tuple[str, Path]]:
        """Names below the root, and the files."""
        for pattern in patterns:
            try:
                found = sorted(self.root.glob(pattern))
            except OSError:
                continue
            for path in found:
                name = path.relative_to(self.root).as_posix()
                there = self.find(name)
                if there is not None and there.is_file():
                    yield name, there

    def contents(self, name: str, path: Path) -> bytes:
        """Empty, and said, for one that cannot be read."""
        try:
            if path.stat().st_size <= _LARGEST:
                return path.read_bytes()
            self.unreadable.append((name, "it is too large for a key ring"))
        except OSError as error:
            self.unreadable.append((name, str(error.strerror)))
        return b""

    def keys(self, tool: str, name: str, data: bytes) -> Iterator[pgpkeys.Holder]:
        """Keys of a file for apt or rpm."""
        if not data:
            return
        try:
            for ring in rings(Path("x") / tool / Path(name).name, data):
                yield from pgpkeys.certificates(ring, f"{HOST}/{tool}/{name}")
                self.read.add(tool)
        except NotOpenPgp as error:
            self.unreadable.append((name, f"no OpenPGP key: {error}"))


def _apt(tree: _Tree) -> Iterator[pgpkeys.Holder]:
    """Keys for every source, and those that a source names. One in a folder that no source names opens nothing."""
    sources = list(
        tree.glob("etc/apt/sources.list", "etc/apt/sources.list.d/*.list", "etc/apt/sources.list.d/*.sources")
    )
    wanted: list[str] = []
    for name, path in sources:
        data = tree.contents(name, path)
        text = data.decode("utf-8", "replace")
        if name.endswith(".sources"):
            if b"BEGIN PGP" in data:
                yield from tree.keys("apt", name, data)
            wanted += [
                part for row in re.findall(r"(?mi)^signed-by:[ \t]*(/.*)$", text) for part in re.split(r"[\s,]+", row)
            ]
        else:
            for row in re.findall(r"(?m)^[ \t]*deb(?:-src)?[ \t]+\[([^\]]*)\]", text):
                wanted += [part for value in re.findall(r"signed-by=(\S+)", row) for part in value.split(",")]
    everywhere = ["etc/apt/trusted.gpg", "etc/apt/trusted.gpg.d/*.gpg", "etc/apt/trusted.gpg.d/*.asc"]
    if not sources:  # a copy of the keys alone: which source names which is not known
        everywhere += ["etc/apt/keyrings/*", "usr/share/keyrings/*"]
    for name, path in tree.glob(*everywhere):
        yield from tree.keys("apt", name, tree.contents(name, path))
    for name in dict.fromkeys(part.lstrip("/") for part in wanted if part.startswith("/")):
        there = tree.find(name)
        if there is None or not there.is_file():
            tree.unreadable.append((name, "a source of apt names it, and it is not in the copy"))
        else:
            yield from tree.keys("apt", name, tree.contents(name, there))


def _rpm(tree: _Tree) -> Iterator[pgpkeys.Holder]:
    """Keys that were imported, and those that a repository names, which dnf imports when it needs them."""
    for folder in _RPM:
        for name, path in tree.glob(f"{folder}/pubkeys/*.key"):
            yield from tree.keys("rpm", name, tree.contents(name, path))
        name = f"{folder}/rpmdb.sqlite"
        there = tree.find(name)
        if there is not None and there.is_file():
            yield from _database(tree, name, there)
        for old in ("Packages", "Packages.db"):
            there = tree.find(f"{folder}/{old}")
            if there is not None and there.is_file():
                why = "rpm's database is of an older kind; put the output of rpm -qi gpg-pubkey into trust/rpm/"
                tree.unreadable.append((f"{folder}/{old}", why))
    for name, path in tree.glob("etc/yum.repos.d/*.repo", "etc/zypp/repos.d/*.repo"):
        text = tree.contents(name, path).decode("utf-8", "replace")
        for row in re.findall(r"(?m)^[ \t]*gpgkey[ \t]*=[ \t]*(.*(?:\n[ \t]+.*)*)", text):
            for url in row.replace(",", " ").split():
                there = tree.find(url.removeprefix("file://")) if url.startswith("file:///") else None
                if there is not None and there.is_file():
                    inside = url.removeprefix("file:///")
                    yield from tree.keys("rpm", inside, tree.contents(inside, there))


def _database(tree: _Tree, name: str, path: Path) -> Iterator[pgpkeys.Holder]:
    """Rows of ``gpg-pubkey`` in rpm's SQLite database; the key stands in their description, armoured."""
    try:
        with tempfile.TemporaryDirectory(prefix="fulldress-") as folder:
            copy = Path(folder) / "rpmdb.sqlite"  # a copy: SQLite writes beside a file that it reads
            shutil.copyfile(path, copy)
            wal = path.with_name(path.name + "-wal")
            if wal.is_file() and not wal.is_symlink():
                shutil.copyfile(wal, copy.with_name(copy.name + "-wal"))
            base = sqlite3.connect(copy)
            try:
                blobs = [
                    row[0] for row in base.execute("SELECT blob FROM Packages WHERE instr(blob, ?)", (b"gpg-pubkey",))
                ]
            finally:
                base.close()
    except (sqlite3.Error, OSError) as error:
        tree.unreadable.append((name, f"rpm's database could not be read ({str(error)[:80]})"))
        return
    tree.read.add("rpm")
    for blob in blobs:
        if isinstance(blob, bytes) and _string(blob, 1000) == b"gpg-pubkey":
            yield from tree.keys("rpm", name, _string(blob, 1005))


def _string(blob: bytes, tag: int) -> bytes:
    """A text of a header as it lies in the database: without magic, first the number of tags and of bytes."""
    try:
        count, size = struct.unpack_from(">II", blob)
        data = blob[8 + 16 * count : 8 + 16 * count + size]
        for row in range(min(count, 10_000)):
            number, kind, at, _ = struct.unpack_from(">IIII", blob, 8 + 16 * row)
            if number == tag and kind in (6, 8, 9):
                return data[at:].split(b"\0", 1)[0]
    except struct.error:
        pass
    return b""


def _java(tree: _Tree) -> Iterator[tuple[str, x509.Certificate]]:
    seen: set[Path] = set()
    for name, path in tree.glob(*_JAVA):
        if path in seen:
            continue
        seen.add(path)
        yield from _anchors(tree, name, path, keystores.certificates)


def _products(tree: _Tree) -> Iterator[tuple[str, x509.Certificate]]:
    """Certificates in the folders of products that sign themselves, and are not a list of the web's authorities."""
    left, found = _MOST_FILES, 0
    for top in _PRODUCTS:
        start = tree.find(top)
        if start is None or not start.is_dir():
            continue
        for folder, below, files in os.walk(start):
            base = Path(folder).relative_to(tree.root).as_posix()
            below[:] = sorted(d for d in below if d not in _LIBRARIES and not _NOT.match(f"{base}/{d}"))
            left -= len(files)
            if left < 0:
                why = f"more than {_MOST_FILES:,} files; keys in the rest were not looked for"
                tree.unreadable.append((base, why))
                return
            for file in sorted(files):
                name = f"{base}/{file}"
                if not _ANCHOR.search(name) or (there := tree.find(name)) is None or not there.is_file():
                    continue
                found += 1
                if found > _MOST_ANCHORS:
                    tree.unreadable.append((base, f"more than {_MOST_ANCHORS} files of certificates"))
                    return
                store = not re.search(r"\.(?:pem|crt|cer|der|p7b)$", name, re.I)
                yield from _anchors(tree, name, there, keystores.certificates if store else certs.parse, quiet=True)


def _anchors(
    tree: _Tree, name: str, path: Path, parse: Callable[[bytes], list[x509.Certificate]], *, quiet: bool = False
) -> Iterator[tuple[str, x509.Certificate]]:
    """``quiet``: what is no certificate is passed over, as keys and requests have such names, too."""
    try:
        data = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
        found = [certs.checked(one) for one in parse(data)] if data else []
    except (ValueError, OSError) as error:
        if not quiet:
            tree.unreadable.append((name, str(error).split("\n", 1)[0][:120]))
        return
    if quiet and len(found) > _WEB:
        return
    yield from ((name, one) for one in found if certs.signs_itself(one))
