"""What changed between two packages, by consequence: what the new one does that the old one did not, and the reverse.

Not a comparison of files. Facts of one family are matched by what they are about; members that only differ in bytes
are counted by kind, except the ones that run on the host by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from fulldress.facts import (
    Binary,
    Credential,
    Downtime,
    Endpoint,
    Entry,
    Evidence,
    Fact,
    FileEffect,
    Flag,
    Interface,
    Migration,
    Privilege,
    Reboot,
    Release,
    Requirement,
    Restart,
    Schedule,
    Setting,
    Signature,
    Unread,
    Webhook,
)

if TYPE_CHECKING:
    from fulldress.package import Reading


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that the new package does or says otherwise than the old one. ``rank`` 0 weighs most."""

    rank: int
    family: str  #: family of the facts: ``Schedule``, ``Setting`` …
    what: str  #: added, removed, changed
    subject: str
    before: str = ""
    after: str = ""
    evidence: Evidence  #: in the new package; in the old one for what was removed


class _Family(msgspec.Struct, frozen=True):
    """How facts of one family are matched and told. ``added`` and ``removed`` are ranks; changed takes the lesser."""

    kind: type[Fact]
    subject: Callable[[Any], str]
    says: Callable[[Any], str]
    added: int
    removed: int


def _migration(fact: Migration) -> str:
    parts = [f"{fact.statements} statements", *fact.destructive, *fact.heavy]
    return ", ".join(parts if fact.statements else ["empty"])


_FAMILIES: tuple[_Family, ...] = (
    _Family(Signature, lambda f: f.path, lambda f: f"{f.signer or '?'}, {f.integrity}, {f.trust}", 5, 1),
    _Family(Reboot, lambda f: f"reboot ({f.witness})", lambda f: f.claim, 2, 30),
    _Family(Schedule, lambda f: f.name, lambda f: f"{f.expression} {f.command}", 3, 20),
    _Family(Migration, lambda f: f"{f.name} ({f.direction})", _migration, 10, 12),
    _Family(Interface, lambda f: f.operation, lambda f: " ".join((*f.shape, "deprecated" * f.deprecated)), 45, 6),
    _Family(Setting, lambda f: f"{f.component} {f.key}".strip(), lambda f: f.value, 14, 7),
    _Family(
        Endpoint,
        lambda f: f"{f.scheme}://{f.host}" if f.scheme else f.host,
        lambda f: f"port {f.port}" if f.port else "",
        8,
        32,
    ),
    _Family(Privilege, lambda f: f.how, lambda f: "", 9, 46),
    _Family(Credential, lambda f: f"{f.kind} {f.name}", lambda f: str(f.expires or "no expiry"), 11, 33),
    _Family(Webhook, lambda f: f.target, lambda f: "", 11, 33),
    _Family(Flag, lambda f: f.name, lambda f: f.value, 13, 34),
    _Family(Requirement, lambda f: f.component, lambda f: f"{f.constraint or 'any'} ({f.looseness})", 16, 31),
    _Family(Restart, lambda f: f"{f.action} {f.unit}", lambda f: f.outcome, 17, 35),
    _Family(Downtime, lambda f: "downtime", lambda f: str(f.duration), 18, 36),
    _Family(FileEffect, lambda f: f"{f.action} {f.path}", lambda f: "", 40, 47),
    _Family(Unread, lambda f: f.what, lambda f: f"{f.reason}: {f.detail}", 22, 50),
)
#: Kinds that run by themselves or are run by the installer: a change of their bytes is told one by one.
_RUNS = ("shell", "python", "perl", "powershell", "batch", "cron", "systemd-service", "systemd-timer", "systemd-unit")
_CONTAINERS = ("zip", "jar", "wheel", "war", "tar", "gz", "xz", "bz2", "zst", "deb", "npm", "ar", "folder")


def changes(old: Reading, new: Reading) -> list[Change]:
    """What changed, the weightiest first. Empty only where both say the same and hold the same bytes."""
    found = list(_releases(old.facts, new.facts))
    for family in _FAMILIES:
        found += _family(family, old.facts, new.facts)
    found += _binaries(old.facts, new.facts)
    found += _entries(old.facts, new.facts)
    return sorted(found, key=lambda change: (change.rank, change.subject))


def _family(family: _Family, old: Iterable[Fact], new: Iterable[Fact]) -> Iterator[Change]:
    before, after = (_by_subject(family, facts) for facts in (old, new))
    name = family.kind.__name__
    for subject in before.keys() | after.keys():
        gone, come = before.get(subject, {}), after.get(subject, {})
        if gone.keys() == come.keys():
            continue
        what = "changed" if gone and come else "added" if come else "removed"
        rank = {"changed": min(family.added, family.removed), "added": family.added, "removed": family.removed}[what]
        fact = next(iter((come or gone).values()))
        yield Change(
            rank=rank,
            family=name,
            what=what,
            subject=subject,
            before="; ".join(sorted(gone)),
            after="; ".join(sorted(come)),
            evidence=fact.evidence,
        )


def _by_subject(family: _Family, facts: Iterable[Fact]) -> dict[str, dict[str, Fact]]:
    found: dict[str, dict[str, Fact]] = {}
    for fact in facts:
        if isinstance(fact, family.kind):
            found.setdefault(family.subject(fact), {}).setdefault(family.says(fact), fact)
    return found


def _releases(old: Iterable[Fact], new: Iterable[Fact]) -> Iterator[Change]:
    """The release as a whole, by product. A product that only one of them names is no change of a release."""
    before, after = _versions(old), _versions(new)
    for product in sorted(before.keys() & after.keys()):
        if before[product].keys() != after[product].keys():
            yield Change(
                rank=0,
                family="Release",
                what="changed",
                subject=product,
                before=", ".join(sorted(before[product])),
                after=", ".join(sorted(after[product])),
                evidence=next(iter(after[product].values())).evidence,
            )


def _versions(facts: Iterable[Fact]) -> dict[str, dict[str, Release]]:
    found: dict[str, dict[str, Release]] = {}
    for fact in facts:
        if isinstance(fact, Release) and fact.aspect != "binary":
            found.setdefault(fact.product, {}).setdefault(fact.version, fact)
    return found


def _binaries(old: Iterable[Fact], new: Iterable[Fact]) -> Iterator[Change]:
    """Binaries that are older than those they replace, and those whose version changed."""
    before = {fact.path.rsplit("/", 1)[-1]: fact for fact in old if isinstance(fact, Binary)}
    for now in new:
        if not isinstance(now, Binary) or (was := before.get(now.path.rsplit("/", 1)[-1])) is None:
            continue
        older = bool(now.built and was.built and now.built < was.built)
        if older or now.version != was.version:
            yield Change(
                rank=4 if older else 24,
                family="Binary",
                what="changed",
                subject=now.path,
                before=_binary(was),
                after=_binary(now) + (" (older than the one it replaces)" if older else ""),
                evidence=now.evidence,
            )


def _binary(fact: Binary) -> str:
    built = f"built {fact.built:%Y-%m-%d}" if fact.built else ""
    return " ".join(part for part in (fact.version, built) if part) or "says nothing"


def _entries(old: Iterable[Fact], new: Iterable[Fact]) -> Iterator[Change]:
    """Members: one by one for what runs, counted by kind for the rest."""
    before, after = ({f.path: f for f in facts if isinstance(f, Entry) and f.kind != "folder"} for facts in (old, new))
    counted: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Entry] = {}
    for path in sorted(before.keys() | after.keys()):
        was, now = before.get(path), after.get(path)
        if was and now and was.sha256 == now.sha256 and was.link == now.link and was.mode == now.mode:
            continue
        entry = now or was
        assert entry is not None  # noqa: S101 - the path stands in one of them
        what = "changed" if was and now else "added" if now else "removed"
        if entry.kind in _RUNS:
            yield Change(
                rank=26,
                family="Entry",
                what=what,
                subject=path,
                before=_member(was),
                after=_member(now),
                evidence=entry.evidence,
            )
        elif entry.kind not in _CONTAINERS:
            counted[what, entry.kind] += 1
            first.setdefault((what, entry.kind), entry)
    for (what, kind), count in counted.items():
        yield Change(
            rank=60,
            family="Entry",
            what=what,
            subject=f"{count} {kind} {'entry' if count == 1 else 'entries'}",
            evidence=first[what, kind].evidence,
        )


def _member(entry: Entry | None) -> str:
    return "" if entry is None else f"{entry.kind}, {entry.size:,} bytes"
