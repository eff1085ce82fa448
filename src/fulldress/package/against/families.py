"""Families of facts, and how two packages' facts of one family are matched and told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from fulldress.facts import (
    Admission,
    Base,
    Change,
    Credential,
    Downtime,
    Endpoint,
    Fact,
    FileEffect,
    Flag,
    Lookup,
    Migration,
    Privilege,
    Reboot,
    Requirement,
    Restart,
    Schedule,
    Secret,
    Service,
    Setting,
    Signature,
    Unread,
    Webhook,
    Witness,
    Workload,
)
from fulldress.package.against.alike import Alike


class Family(msgspec.Struct, frozen=True):
    """How facts of one family are matched and told. ``added`` and ``removed`` are ranks; changed takes the lesser."""

    kind: type[Fact]
    subject: Callable[[Any], str]
    says: Callable[[Any], str]
    added: int
    removed: int


def _migration(fact: Migration) -> str:
    parts = [f"{fact.statements} statements", *fact.destructive, *fact.heavy]
    return ", ".join(parts if fact.statements else ["empty"])


def _workload(fact: Workload) -> str:
    """What a change of it means to the one who applies it: fields that cannot be changed first."""
    parts = [
        f"selector {fact.selector}" if fact.selector else "",
        fact.fixed,
        f"{fact.replicas} replicas" if fact.replicas else "",
    ]
    return "; ".join(filter(None, parts))


def _endpoint(fact: Endpoint) -> str:
    user, port = f"{fact.user}@" if fact.user else "", f":{fact.port}" if fact.port else ""
    return f"{fact.scheme}://{user}{fact.host}{port}" if fact.scheme else f"{user}{fact.host}{port}"


def _minutes(fact: Downtime) -> str:
    return f"{fact.duration.total_seconds() / 60:g} min"


def _named(fact: Migration) -> str:
    """With the folder where that is a number: each release may have its ``01_tables``."""
    folder = fact.path.rsplit("/", 2)[-2] if "/" in fact.path else ""
    return (
        f"{folder}/{fact.name} ({fact.direction})"
        if re.fullmatch(r"v?\d[\d.]*", folder)
        else f"{fact.name} ({fact.direction})"
    )


def _gap(fact: Unread) -> str:
    """What was not read, without how many of it there are."""
    return re.sub(r"(?<!\S)\d[\d,]* ", "", fact.what)


FAMILIES: tuple[Family, ...] = (
    Family(Signature, lambda f: f.path, lambda f: f"{f.signer or '?'}, {f.integrity}, {f.trust}", 5, 1),
    Family(Base, lambda f: f.component, lambda f: f.distribution, 6, 47),
    Family(Admission, lambda f: f.name, lambda f: f"{f.service or 'an address'}, {f.policy}", 11, 11),
    Family(Workload, lambda f: f"{f.kind} {f.name}", _workload, 15, 19),
    Family(Reboot, lambda f: f"reboot ({f.witness})", lambda f: f.claim, 2, 30),
    Family(Schedule, lambda f: f.name, lambda f: f"{f.expression} {f.command}", 3, 20),
    Family(Migration, _named, _migration, 10, 42),
    Family(Setting, lambda f: f"{f.component} {f.key}".strip(), lambda f: f.value, 14, 7),
    Family(Lookup, lambda f: f.key, lambda f: "required" if f.required else f.default, 37, 38),
    Family(Endpoint, lambda f: f.host, _endpoint, 8, 32),
    Family(Privilege, lambda f: f.how, lambda f: "", 9, 46),
    Family(Service, lambda f: f.unit, lambda f: f.start, 15, 19),
    Family(Secret, lambda f: f"{f.kind} {f.name}".strip(), lambda f: "", 12, 48),
    Family(Credential, lambda f: f"{f.kind} {f.name}", lambda f: str(f.expires or "no expiry"), 11, 33),
    Family(Webhook, lambda f: f.target, lambda f: "", 11, 33),
    Family(Flag, lambda f: f.name, lambda f: f.value, 13, 34),
    Family(Requirement, lambda f: f.canonical, lambda f: f"{f.constraint or 'any'} ({f.looseness})", 16, 31),
    Family(Restart, lambda f: f"{f.action} {f.unit}", lambda f: f.outcome, 17, 35),
    Family(Downtime, lambda f: "downtime", _minutes, 18, 36),
    Family(FileEffect, lambda f: f"{f.action} {f.path}", lambda f: "", 40, 47),
    Family(Unread, _gap, lambda f: str(f.reason), 22, 50),
)


def compare(old: Iterable[Fact], new: Iterable[Fact], alike: Alike) -> Iterator[Change]:
    """What one of them says and the other does not, family by family."""
    for family in FAMILIES:
        yield from _family(family, old, new, alike)


def _family(family: Family, old: Iterable[Fact], new: Iterable[Fact], alike: Alike) -> Iterator[Change]:
    before = _by_subject(family, old, alike.old)
    after = _by_subject(family, new, alike.new)
    for key in before.keys() | after.keys():
        gone, come = before.get(key, {}), after.get(key, {})
        if gone.keys() == come.keys():
            continue
        what = "changed" if gone and come else "added" if come else "removed"
        rank = {"changed": min(family.added, family.removed), "added": family.added, "removed": family.removed}[what]
        fact = next(iter((come or gone).values()))
        yield Change(
            witness=Witness.READ,
            rank=rank,
            family=family.kind.__name__,
            what=what,
            subject=family.subject(fact),
            before=_told(family, gone),
            after=_told(family, come),
            evidence=fact.evidence,
        )


def _told(family: Family, facts: dict[str, Fact]) -> str:
    return "; ".join(sorted({family.says(fact) for fact in facts.values()}))


def _by_subject(family: Family, facts: Iterable[Fact], key: Callable[[str], str]) -> dict[str, dict[str, Fact]]:
    found: dict[str, dict[str, Fact]] = {}
    for fact in facts:
        if isinstance(fact, family.kind):
            found.setdefault(key(family.subject(fact)), {}).setdefault(key(family.says(fact)), fact)
    return found
