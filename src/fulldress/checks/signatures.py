"""FD1xx: who signed it, and whether that can be believed."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fulldress.checks.escalation import call_script
from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, count, rule, says, several
from fulldress.facts import Command, Entry, Evidence, Integrity, Restart, Schedule, Signature, Trust, Witness
from fulldress.findings import Severity


def _signed(index: Index) -> list[Signature]:
    """Signatures of the package: a file of checksums says nothing of who made it, nor does a program's own signature."""
    return [s for s in index.of(Signature) if s.names_a_maker and not s.of_a_part]


def _each(index: Index) -> Iterator[Signature]:
    """Signatures that need an answer: where several keys signed one file, one that is good will do (apt's rule, too)."""
    good = {
        (s.path, s.scheme)
        for s in index.of(Signature)
        if s.integrity is Integrity.INTACT and s.trust is Trust.TRUSTED and s.names_a_maker
    }
    for signature in index.of(Signature):
        if signature.trust is Trust.TRUSTED or (signature.path, signature.scheme) not in good:
            yield signature


#: What a package may hold that somebody will run: there a changed byte is a changed deed.
_RUNS = frozenset({"shell", "python", "perl", "ruby", "powershell", "batch", "sql", "cron", "elf", "pe", "macho"})


def _runs(index: Index, entries: list[Entry]) -> bool:
    """Whether the package brings anything that is run: scripts, programs, jobs, units."""
    if any(e.kind in _RUNS or ((e.mode or 0) & 0o111 and e.kind not in ("folder", "link")) for e in entries):
        return True
    return bool(index.of(Schedule, Witness.READ) or index.of(Restart, Witness.READ) or index.of(Command, Witness.READ))


def _is_deb(entries: list[Entry]) -> bool:
    """Whether the package is one .deb: apt looks at the signature of the repository's list (apt-secure(8)), not at files."""
    return any(e.container == "deb" and "!/" not in e.path for e in entries)


def _named(index: Index) -> str:
    release = index.release
    return f"{release.product}={release.version}" if release is not None and release.version else "PACKAGE"


def _anchor(signature: Signature) -> str:
    """The name at the top of the chain."""
    return signature.chain[-1].issuer if signature.chain else signature.signer or "an unknown signer"


@rule("FD101", Severity.BLOCKER, "The bytes are not the bytes that were signed")
def broken(index: Index) -> Iterator[Hit]:
    for signature in index.of(Signature):
        if signature.integrity is Integrity.BROKEN:
            yield Hit(
                title=f"the bytes are not those that {signature.signer or 'the vendor'} signed: changed after signing",
                subject=signature.path,
                remedy="Do not use it. Fetch the package again; if it is the same, report it to the vendor's security contact.",
                testimony=(says(signature, signature.words),),
            )


@rule("FD102", Severity.MAJOR, "Nobody signed the package")
def not_signed(index: Index) -> Iterator[Hit]:
    entries = index.of(Entry, Witness.READ)
    if not entries or _signed(index):
        return
    source = entries[0].evidence.source
    whole = msgspec.structs.replace(entries[0], evidence=Evidence())  # it is said of the package, not of an entry
    digest = f"sha256 {source}" if len(source) == 64 else "sha256sum PACKAGE"
    sums = [s for s in index.of(Signature) if not s.names_a_maker]
    lists = f"; {several([s.path for s in sums])} can be changed along with them" if sums else ""
    parts = list(dict.fromkeys(s.path for s in index.of(Signature) if s.of_a_part))
    among = (
        f"{count(len(parts), 'of them is', 'of them are')} signed on its own" if parts else "no signature among them"
    )
    if _is_deb(entries):
        yield Hit(
            title="no signature of its own, like any .deb: its repository has to vouch",
            subject="signature",
            remedy="Let apt fetch it from a repository whose key production holds; a file that came another way, compare with its list:\n"
            f"  apt-cache show {_named(index)} | grep SHA256\n  {digest}",
            testimony=(says(whole, f"{count(len(entries), 'entry', 'entries')}, {among}{lists}"),),
            severity=Severity.MINOR,
        )
        return
    yield Hit(
        title="nobody signed it: anyone on the way could have changed it",
        subject="signature",
        remedy="Ask the vendor for the digest over another channel than the one the package came by, and compare:\n"
        f"  {digest}\nor ask for a detached signature, and keep it beside the package.",
        testimony=(says(whole, f"{count(len(entries), 'entry', 'entries')}, {among}{lists}"),),
        severity=None if _runs(index, entries) else Severity.MINOR,
    )


@rule("FD103", Severity.MAJOR, "The signer's certificate has expired and no time stamp proves when it signed")
def expired(index: Index) -> Iterator[Hit]:
    for signature in _each(index):
        words = [w for w in signature.weaknesses if "expired" in w.lower()]
        if signature.today is Trust.TRUSTED or signature.stale:
            continue  # FD113, FD114: good today, or good by a newer copy of the key
        if words and signature.key is not None:
            yield Hit(
                title=f"the key of {signature.signer} has expired: package tools refuse what it signed",
                subject=signature.path,
                remedy="Ask the vendor whether the key was renewed, have the fingerprint read out, and import the renewed key.",
                testimony=(says(signature, "; ".join(words)),),
            )
        elif words and signature.stamped_at is None:
            yield Hit(
                title="the signer's certificate has expired and no time stamp proves that it signed before",
                subject=signature.path,
                remedy="Ask for a package signed with the current certificate, or with a time stamp (RFC 3161).",
                testimony=(says(signature, "; ".join(words)),),
            )


@rule("FD104", Severity.MAJOR, "The signature is weak")
def weak(index: Index) -> Iterator[Hit]:
    for signature in _each(index):
        words = [w for w in signature.weaknesses if "expired" not in w.lower()]
        if words:
            yield Hit(
                title=f"something is wrong with the signature: {several(words)}",
                subject=signature.path,
                remedy="Ask for a package signed with RSA of at least 3072 bits or an elliptic curve, and SHA-256 or better.",
                testimony=(says(signature, "; ".join(words)),),
            )


@rule("FD105", Severity.MAJOR, "Another issuer than that of the vendor's last package")
def issuer_changed(index: Index) -> Iterator[Hit]:
    for signature in _each(index):
        # the reader's words begin with "same" where it is; empty: there is no earlier package to compare with
        changed = bool(signature.continuity) and not signature.continuity.lower().startswith("same")
        if changed and not signature.announced_in:
            yield Hit(
                title="another issuer than that of this vendor's last package, and no advisory announces it",
                subject=signature.path,
                remedy=call_script(signature),
                testimony=(says(signature, signature.continuity),),
            )


@rule("FD110", Severity.BLOCKER, "The chain ends at a root that nobody here trusts")
def unknown_root(index: Index) -> Iterator[Hit]:
    seen: set[str] = set()
    for signature in _each(index):
        if not signature.names_a_maker or signature.today is Trust.TRUSTED or _held(signature):
            continue  # FD113 and FD103 say when and why
        if signature.of_a_part:
            yield from _part(index, signature, seen)
            continue
        if signature.integrity is Integrity.BROKEN or signature.trust is Trust.TRUSTED or signature.announced_in:
            continue
        if signature.integrity is Integrity.UNVERIFIED and not signature.chain:
            continue  # FD112: nothing is known of its signer, not even a name to ask for
        yield Hit(
            title=f"signed by {_by(signature)}, which nobody here trusts",
            subject=signature.path,
            remedy=call_script(signature),
            testimony=(says(signature, signature.words),),
            # Without a trust folder nothing can be trusted: that is a gap of ours, not yet a fault of theirs.
            severity=None if signature.trust is Trust.UNTRUSTED else Severity.MAJOR,
        )


def _by(signature: Signature) -> str:
    return f"the key {signature.signer}" if signature.key is not None else f"a chain that ends at {_anchor(signature)}"


def _held(signature: Signature) -> bool:
    return signature.key is not None and bool(signature.key.held_in)


def _part(index: Index, signature: Signature, seen: set[str]) -> Iterator[Hit]:
    """Programs that are signed on their own, once for every authority: a word on them, not on the package."""
    anchor = _anchor(signature)
    if anchor in seen or signature.trust is not Trust.UNTRUSTED or signature.integrity is not Integrity.INTACT:
        return
    seen.add(anchor)
    alike = [s for s in index.of(Signature) if s.of_a_part and _anchor(s) == anchor and s.trust is Trust.UNTRUSTED]
    yield Hit(
        title=f"{count(len({s.path for s in alike}), 'program')} signed by a chain that ends at {anchor}, which nobody here trusts",
        subject=signature.path,
        remedy=call_script(signature),
        testimony=tuple(says(s, s.words) for s in alike[:3]),
        severity=Severity.MINOR,
    )


@rule("FD111", Severity.MAJOR, "An advisory announces the root, but it is not in the trust folder")
def announced_only(index: Index) -> Iterator[Hit]:
    for signature in _each(index):
        if (
            signature.announced_in
            and signature.trust is not Trust.TRUSTED
            and signature.integrity is not Integrity.BROKEN
        ):
            yield Hit(
                title=f"its root is announced in {signature.announced_in} but stands in no trust folder of ours yet",
                subject=signature.path,
                remedy=f"{call_script(signature)}\n{_alone(signature)}",
                testimony=(says(signature, f"{signature.words}; announced in {signature.announced_in}"),),
            )


def _alone(signature: Signature) -> str:
    """Why the advisory is not yet enough."""
    if signature.announced_by:
        return f"{signature.announced_by}; that says who wrote it, and the fingerprint is still to be compared."
    return "The advisory alone is not enough: nobody signed it, and it may have come the same way as the package."


@rule("FD112", Severity.MAJOR, "The signature could not be verified")
def unverified(index: Index) -> Iterator[Hit]:
    for signature in _each(index):
        if signature.integrity is Integrity.UNVERIFIED:
            yield Hit(
                title=f"a signature is there, but whether the bytes are intact could not be computed: {signature.words}",
                subject=signature.path,
                remedy="Put the file that it covers beside it, or verify it with the vendor's own tool and note the result in the case.",
                testimony=(says(signature, signature.words),),
            )
