"""FD113–FD119: trust on the day of the window, by the keys that production holds, and what no signature covers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, count, rule, says, several
from fulldress.facts import Advisory, Entry, HeldKey, Integrity, Signature, Trust, Witness
from fulldress.findings import Severity

_SOON = timedelta(days=30)
#: What is run, loaded or installed: a changed byte in it is a changed deed.
_PROGRAMS = frozenset(
    {
        "elf",
        "pe",
        "macho",
        "java-class",
        "jar",
        "war",
        "wheel",
        "deb",
        "rpm",
        "shell",
        "python",
        "perl",
        "ruby",
        "powershell",
        "batch",
        "sql",
        "cron",
        "crontab",
        "systemd-service",
        "systemd-timer",
    }
)


def _number(signature: Signature) -> str:
    """The fingerprint to compare, in groups of four."""
    print_ = signature.key.fingerprint if signature.key else signature.chain[-1].sha256 if signature.chain else ""
    if all(letter in "0123456789abcdef" for letter in print_):
        return " ".join(print_[at : at + 4] for at in range(0, len(print_), 4)).upper()
    return print_


@rule("FD113", Severity.BLOCKER, "Trust ends before the window")
def ends_before(index: Index) -> Iterator[Hit]:
    still = {s.path for s in index.of(Signature) if s.integrity is Integrity.INTACT and s.trust is Trust.TRUSTED}
    for signature in index.of(Signature):
        if signature.path in still:
            continue  # another key signed the same, and that one is good
        if signature.today is not Trust.TRUSTED or signature.trust is Trust.TRUSTED or signature.stale:
            continue
        when = f"{signature.judged_at:%Y-%m-%d}" if signature.judged_at else "the planned day"
        yield Hit(
            title=f"its signature is good today and no longer on {when}: {several(list(signature.weaknesses), 1)}",
            subject=signature.path,
            remedy="Ask the vendor for the renewed key or a package signed anew, and have the fingerprint read out:\n"
            f"  {_number(signature)}\n"
            "Put the renewed copy into the trust folder and into production before the window, or move the window.",
            testimony=(says(signature, signature.words),),
        )


@rule("FD114", Severity.BLOCKER, "Production holds an old copy of the signer's key")
def stale_copy(index: Index) -> Iterator[Hit]:
    for signature in index.of(Signature):
        if signature.stale and signature.integrity is not Integrity.BROKEN:
            yield Hit(
                title=f"production's copy of the key of {signature.signer} has expired by then; the key was renewed",
                subject=signature.path,
                remedy="Importing alone may change nothing, for the tool sees the same key id as present. Compare the\n"
                f"fingerprint {_number(signature)},\n"
                "remove the old copy, then import the renewed one (rpm --erase gpg-pubkey-… , then rpm --import;\n"
                "for apt replace the file), and put that copy into the trust folder.",
                testimony=(says(signature, f"{signature.words}; old copy: {several(list(signature.stale))}"),),
            )


@rule("FD115", Severity.BLOCKER, "The installed product will not accept this package's signature")
def product_refuses(index: Index) -> Iterator[Hit]:
    for signature in index.of(Signature):
        if signature.product and signature.integrity is Integrity.INTACT:
            yield Hit(
                title=f"the installed product will refuse it: {signature.product}",
                subject=signature.path,
                remedy="Ask the vendor which release brings the new anchor. Order: install that release first, restart what has\n"
                "to take the anchor up, copy the product's anchors into trust/product/ again, and then this package.",
                testimony=(says(signature, signature.product),),
            )


@rule("FD116", Severity.MAJOR, "A key by which production installs ends before the window")
def held_key_ends(index: Index) -> Iterator[Hit]:
    told = {s.key.fingerprint for s in index.of(Signature) if s.key and (s.stale or s.today is Trust.TRUSTED)}
    for key in index.of(HeldKey):
        if key.fingerprint in told or key.expires <= key.today or key.expires > key.judged_at + _SOON:
            continue  # FD113 and FD114 say it; or it is an old key that lies about and that nothing needs today
        before = key.expires <= key.judged_at
        verb = "will have ended" if before else "ends soon after"
        yield Hit(
            title=f"{key.tool}: the key {key.name} {verb} ({key.expires:%Y-%m-%d}); from then on nothing under it installs",
            subject=key.evidence.path or key.fingerprint,
            remedy="Fetch what you need under this key before that day, or import the renewed key first and compare:\n"
            f"  {key.fingerprint.upper()}",
            testimony=(says(key, f"ends on {key.expires:%Y-%m-%d}, the window is on {key.judged_at:%Y-%m-%d}"),),
            severity=None if before else Severity.MINOR,
        )


@rule("FD117", Severity.MAJOR, "Signed in part: programs of it that no signature covers")
def not_covered(index: Index) -> Iterator[Hit]:
    good = [s for s in index.of(Signature) if s.names_a_maker and s.integrity is Integrity.INTACT]
    outer = [s for s in good if not s.of_a_part]
    entries = {entry.path: entry for entry in index.of(Entry, Witness.READ)}
    if any(signature.whole for signature in outer):
        return
    covered = {path for signature in good for path in signature.covers}
    for signature in good:
        if signature.of_a_part and signature.left_out:
            yield from _hit(signature, [p for p in signature.left_out if _program(entries.get(p))])
    if outer:
        bare = [path for path, entry in entries.items() if _program(entry) and not _under(path, covered)]
        signatures = {signature.path for signature in outer}
        bare = [path for path in bare if path not in signatures]
        tops = set(bare)  # what lies in an archive that is not covered goes without saying
        yield from _hit(outer[0], [path for path in bare if not _under(path.rpartition("!/")[0], tops)])


_REFUSES = {
    "rpm": ("rpm and dnf call that NOKEY and install nothing that is to be checked", "rpm --import VENDOR-KEY"),
    "apt": ("apt-get update refuses the repository (NO_PUBKEY)", "put it into /etc/apt/keyrings, with Signed-By in its source"),
}  # fmt: skip


@rule("FD118", Severity.MAJOR, "Production does not hold the key that signed it")
def not_held(index: Index) -> Iterator[Hit]:
    """Only where production's keys are known, and where its own package tool is the one that checks."""
    seen: set[tuple[str, str]] = set()
    told: set[str] = set()
    for signature in index.of(Signature):
        mark = (signature.lacks, signature.key.fingerprint if signature.key else "")
        if not signature.lacks or signature.integrity is Integrity.BROKEN or mark in seen or signature.path in told:
            continue
        if signature.integrity is Integrity.INTACT and signature.key is not None and not signature.key.held_in:
            continue  # FD110: nobody holds it
        if any(
            s.path == signature.path and s.scheme == signature.scheme and s.key and not s.lacks
            for s in index.of(Signature)
        ):
            continue  # another key signed it, too, and that one is held
        seen.add(mark)
        told.add(signature.path)
        what, how = _REFUSES[signature.lacks]
        alike = [s for s in index.of(Signature) if (s.lacks, s.key.fingerprint if s.key else "") == mark]
        many = f"{len(alike)} files are" if len(alike) > 1 else "it is"
        yield Hit(
            title=f"{many} signed with a key that {signature.lacks} in production does not hold: {signature.signer}",
            subject=signature.path,
            remedy=f"{what[0].upper()}{what[1:]}.\nHave the fingerprint read out by the vendor, then, before the window: {how}\n  {_number(signature)}",
            testimony=tuple(says(s, s.words) for s in alike[:3]),
        )


@rule("FD119", Severity.MAJOR, "An advisory was changed after it was signed")
def advisory_changed(index: Index) -> Iterator[Hit]:
    for advisory in index.of(Advisory):
        states = [s.integrity for s in advisory.signed]
        if Integrity.BROKEN in states and Integrity.INTACT not in states:
            first = next(s for s in advisory.signed if s.integrity is Integrity.BROKEN)
            yield Hit(
                title=f"the advisory {advisory.evidence.path or advisory.title} is not the one that {first.signer} signed; it announces nothing",
                subject=advisory.evidence.path or advisory.title,
                remedy="Fetch text and signature again from the vendor, byte by byte (no copying from a mail), and compare.",
                testimony=(says(advisory, first.words),),
            )


def _program(entry: Entry | None) -> bool:
    return entry is not None and entry.kind in _PROGRAMS


def _under(path: str, covered: set[str]) -> bool:
    """Whether an entry or a container that holds it is covered."""
    while path:
        if path in covered:
            return True
        path = path.rpartition("!/")[0]
    return False


def _hit(signature: Signature, bare: list[str]) -> Iterator[Hit]:
    if bare:
        yield Hit(
            title=f"it is signed in part only: {count(len(bare), 'program')} of it that no signature covers",
            subject=signature.path,
            remedy="Ask the vendor for a signature over the whole package. Until then anyone on the way could have changed:\n  "
            + "\n  ".join(bare[:8])
            + (f"\n  and {len(bare) - 8} more" if len(bare) > 8 else ""),
            testimony=(
                says(signature, f"covers {count(len(signature.covers), 'entry', 'entries')}, not {several(bare)}"),
            ),
        )
