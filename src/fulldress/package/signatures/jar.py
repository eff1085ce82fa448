"""Signed JAR and APK (scheme 1) archives: signature file, manifest, entries, in this order.

Source: the JAR File Specification, "Signed JAR File". The block (.RSA, .DSA, .EC) signs the .SF file, that holds the digest
of the manifest or of its sections, and the manifest those of the entries.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import posixpath
import re
from collections.abc import Iterator

import msgspec

from fulldress.facts import AnyFact, Integrity, Reason, Signature
from fulldress.package.reader import Member, NotRead, Package
from fulldress.package.signatures import cms
from fulldress.package.signatures.entries import digest, entry
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Ground, signature
from fulldress.patterns import regex

_BLOCK = regex(r"^META-INF/[^/]+\.(?:RSA|DSA|EC)$", re.I)
_OWN = regex(r"^META-INF/(?:MANIFEST\.MF|[^/]+\.(?:SF|RSA|DSA|EC)|SIG-[^/]*)$", re.I)
_DIGEST = regex(r"^(sha-?\d+|md5)-digest$", re.I)
_STRENGTH = ("sha512", "sha384", "sha256", "sha1", "md5")


class Section(msgspec.Struct, frozen=True):
    """One section of a manifest: what it says, and its bytes."""

    fields: dict[str, str]
    raw: bytes


def claims(member: Member) -> bool:
    return bool(_BLOCK.match(member.inner)) and bool(member.size)


def sections(data: bytes) -> tuple[Section, dict[str, Section]]:
    """Main section and the others by name. Lines go on where the next begins with a blank."""
    raws = [match[0] for match in re.finditer(rb"(?:[^\r\n][^\n]*\n?)+(?:\r?\n)?", data)]
    made = [Section(_fields(raw), raw) for raw in raws]
    if not made:
        return Section({}, b""), {}
    return made[0], {item.fields["name"]: item for item in made[1:] if "name" in item.fields}


def _fields(raw: bytes) -> dict[str, str]:
    text = re.sub(r"\r?\n ", "", raw.decode("utf-8", "replace"))
    found = {}
    for row in text.splitlines():
        name, colon, value = row.partition(":")
        if colon:
            found[name.strip().lower()] = value.strip()
    return found


def _best(fields: dict[str, str], suffix: str = "") -> tuple[str, bytes] | None:
    """The strongest digest of a section."""
    found = {}
    for name, value in fields.items():
        if not name.endswith(suffix):
            continue
        match = _DIGEST.match(name[: len(name) - len(suffix)] if suffix else name)
        if match:
            try:
                found[match[1].lower().replace("-", "")] = base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                continue
    return next(((name, found[name]) for name in _STRENGTH if name in found), None)


def read(package: Package, block: Member, ground: Ground) -> Iterator[AnyFact]:
    """The signature of one block."""
    stem = posixpath.splitext(block.path)[0]
    listed = package.members.get(f"{stem}.SF") or package.members.get(f"{stem}.sf")
    manifest = package.members.get(f"{block.prefix}META-INF/MANIFEST.MF")
    if listed is None or manifest is None:
        missing = "signature file (.SF)" if listed is None else "manifest"
        yield unread(block.evidence(), block.name, Reason.MISSING, f"its {missing} is not there", needed=False)
        return
    try:
        data = cms.parse(block.data)
    except cms.NotCms as error:
        yield unread(block.evidence(), block.name, Reason.DAMAGED, str(error))
        return
    problem, names, weak = _chained(listed, manifest)
    wrong, gone, good = _entries(package, block.prefix, manifest, names)
    left = tuple(_left_out(package, block.prefix, set(good) | set(wrong)))
    for signer in data.signers:
        more = [f"its list of digests uses {weak.upper()}, which can be forged"] if weak in ("md5", "sha1") else []
        fact = signature(
            signer, data, entry(package, listed), ground, block.evidence(), block.path, scheme="JAR", more=more
        )
        yield _whole(fact, problem, wrong, gone, good, left)


def _whole(
    fact: Signature, problem: str, wrong: list[str], missing: list[str], good: list[str], left: tuple[str, ...]
) -> Signature:
    changed = problem
    if wrong:
        changed = f"{len(wrong)} entries are not those that were signed: {', '.join(wrong[:3])}"
    elif missing and not problem:
        changed = f"{len(missing)} signed entries are gone: {', '.join(missing[:3])}"
    words, integrity = fact.words, fact.integrity
    if changed and integrity is Integrity.INTACT:
        integrity = Integrity.BROKEN
        words = words.replace("bytes intact", f"bytes not intact: {changed}", 1)
    if left:
        words = f"{words}; {len(left)} entries of the archive are not signed: {', '.join(left[:3])}"
    return msgspec.structs.replace(fact, covers=tuple(good), integrity=integrity, words=words, left_out=left)


def _chained(listed: Member, manifest: Member) -> tuple[str, list[str], str]:
    """What breaks the chain from .SF to the manifest, the entries it speaks for, and the weakest hash used."""
    top, rows = sections(listed.data)
    main, wanted = sections(manifest.data)
    whole = _best(top.fields, "-manifest")
    if whole is not None and hashlib.new(whole[0], manifest.data, usedforsecurity=False).digest() == whole[1]:
        return "", list(wanted), whole[0]
    head = _best(top.fields, "-manifest-main-attributes")
    if head is not None and hashlib.new(head[0], main.raw, usedforsecurity=False).digest() != head[1]:
        return "the main part of the manifest was changed", [], head[0]
    weak, good = "", list[str]()
    for name, row in rows.items():
        said, held = _best(row.fields), wanted.get(name)
        if said is None or held is None:
            return f"the manifest has no section for {name}", good, weak
        if hashlib.new(said[0], held.raw, usedforsecurity=False).digest() != said[1]:
            return f"the manifest's section for {name} was changed", good, weak
        weak = said[0]
        good.append(name)
    if whole is not None and not rows:
        return "the manifest was changed", [], whole[0]
    return "", good, weak


def _entries(
    package: Package, prefix: str, manifest: Member, names: list[str]
) -> tuple[list[str], list[str], list[str]]:
    """Entries that do not fit, that are gone, and that fit."""
    _, rows = sections(manifest.data)
    wrong, missing, good = list[str](), list[str](), list[str]()
    for name in names:
        said = _best(rows[name].fields) if name in rows else None
        if said is None:
            continue
        member = package.members.get(prefix + name)
        if member is None:
            if not name.endswith("/"):
                missing.append(name)
            continue
        try:
            fits = digest(package, member, said[0]) == said[1]
        except (NotRead, OSError, ValueError):
            continue
        (good if fits else wrong).append(member.path)
    return wrong, missing, good


def _left_out(package: Package, prefix: str, signed: set[str]) -> Iterator[str]:
    """Entries of the archive itself, not of those in it, that nobody signed."""
    for path, member in package.members.items():
        if not path.startswith(prefix) or "!/" in path[len(prefix) :] or path in signed:
            continue
        if member.kind not in ("folder", "link") and not _OWN.match(member.inner):
            yield path


def stripped(package: Package) -> Iterator[AnyFact]:
    """Archives whose manifest holds digests, and whose signature is not there any more."""
    blocks = {member.prefix for member in package.members.values() if claims(member)}
    for path, member in package.members.items():
        if not path.endswith("META-INF/MANIFEST.MF") or member.inner != "META-INF/MANIFEST.MF":
            continue
        if member.prefix in blocks or b"-Digest:" not in member.data:
            continue
        if any(p.startswith(f"{member.prefix}META-INF/") and p.upper().endswith(".SF") for p in package.members):
            detail = "its signature file is there, and its signature is not"
            yield unread(
                member.evidence(), f"signature of {member.prefix.rstrip('!/') or package.name}", Reason.MISSING, detail
            )
