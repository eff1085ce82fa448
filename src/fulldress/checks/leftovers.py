"""FD9xx: what no snapshot brings back: flags, webhooks, credentials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, rule, says, several
from fulldress.facts import Credential, Flag, Timing, Webhook, Witness
from fulldress.findings import Finding, Severity

_OFF = frozenset({"false", "off", "no", "0", "disabled", "disable"})


def _left(family: type[Flag] | type[Webhook] | type[Credential], index: Index) -> bool | None:
    if not any(t.act == "rollback" for t in index.of(Timing, Witness.OBSERVED)):
        return None
    return any(fact.left for fact in index.of(family, Witness.OBSERVED))


def _flags_recur(finding: Finding, index: Index) -> bool | None:
    return _left(Flag, index)


def _flipped(group: list[Flag], where: str) -> str:
    """``flag a in F is set``, or ``still set`` where it was left; those that are off are no less flipped, and told apart."""
    still = "still " if group[0].left else ""
    ways = (
        ([f.name for f in group if f.value.lower() not in _OFF], "set"),
        ([f.name for f in group if f.value.lower() in _OFF], "switched off"),
    )
    said = [(names, word) for names, word in ways if names]
    rest = "".join(f", {several(names)} is {still}{word}" for names, word in said[1:])
    return f"flag {several(said[0][0])}{where} is {still}{said[0][1]}{rest}"


@rule("FD901", Severity.MINOR, "Flags stay flipped when the upgrade is taken back", _flags_recur)
def flags(index: Index) -> Iterator[Hit]:
    by_store: dict[str, list[Flag]] = defaultdict(list)
    observed = index.of(Flag, Witness.OBSERVED)
    for flag in index.of(Flag, Witness.READ) + [f for f in observed if f.left]:
        by_store[flag.store].append(flag)
    for store, group in by_store.items():
        left = [f for f in group if f.left]
        if observed and not left:
            continue  # a rehearsal looked, and none was left
        names = several([f.name for f in left or group])
        where = f" in {store}" if store else ""
        yield Hit(
            title=_flipped(left or group, where)
            + (" after the rollback" if left else ", and nothing in the package takes it back"),
            subject=store or names,
            remedy="Enter it into the ledger, and put it back with the rollback: fulldress clean shows and removes what is left.",
            testimony=tuple(says(f, f"{f.name} = {f.value}" if f.value else f.name) for f in group),
            severity=Severity.MAJOR if left else None,
            offers={"kind": "snapshot", "name": "keep-flags", "phase": "before", "paths": [store]}
            if store.startswith("/")
            else None,
        )


@rule("FD902", Severity.MINOR, "Webhooks stay registered when the upgrade is taken back")
def webhooks(index: Index) -> Iterator[Hit]:
    by_target: dict[tuple[str, str], list[Webhook]] = defaultdict(list)
    observed = index.of(Webhook, Witness.OBSERVED)
    for hook in index.of(Webhook, Witness.READ) + [w for w in observed if w.left]:
        by_target[hook.target, hook.registry].append(hook)
    for (target, registry), group in by_target.items():
        left = any(w.left for w in group)
        yield Hit(
            title=f"webhook {target} stays registered"
            + (f" at {registry}" if registry else "")
            + (" after the rollback: events keep going there" if left else ", and nothing in the package removes it"),
            subject=target,
            remedy=f"curl -X DELETE {registry or 'REGISTRY'}/ID, then look: curl {registry or 'REGISTRY'}\nor: fulldress clean",
            testimony=tuple(
                says(w, f"{w.target}{' (still there after the rollback)' if w.left else ''}") for w in group
            ),
            severity=Severity.MAJOR if left else None,
        )


#: Kinds that are no way in: what to do about them, and what is said of them.
_OF_THE_HOST = {
    "system account": (
        "Nobody logs in with it. Where the product goes for good: userdel {name}",
        "no log-in, no expiry",
    ),
    "group": ("Nobody logs in with it. Where the product goes for good: groupdel {name}", "no log-in, no expiry"),
    "SSH host key": (
        "Keep {name} with the host's backup: a new one makes every client ask whether this is still the same host.",
        "the host's own identity, no expiry",
    ),
}


@rule("FD903", Severity.MAJOR, "A credential is created that never expires")
def credentials(index: Index) -> Iterator[Hit]:
    by_name: dict[tuple[str, str], list[Credential]] = defaultdict(list)
    for credential in index.of(Credential, Witness.READ, Witness.OBSERVED):
        by_name[credential.kind, credential.name].append(credential)
    for (kind, name), group in by_name.items():
        left = any(c.left for c in group)
        expires = [c.expires for c in group if c.expires]
        if expires and not left:
            continue
        if kind in _OF_THE_HOST and not left:
            remedy, words = _OF_THE_HOST[kind]
            yield Hit(
                title=f"{kind} {name} is created, and stays",
                subject=f"{kind} {name}",
                remedy=remedy.format(name=name),
                testimony=tuple(says(c, words) for c in group),
                severity=Severity.NOTE,
            )
            continue
        yield Hit(
            title=f"{kind} {name} is created"
            + (" and is still there after the rollback" if left else "")
            + ("" if expires else ": it never expires"),
            subject=f"{kind} {name}",
            remedy=f"""For a PostgreSQL role: ALTER ROLE "{name}" VALID UNTIL '…'; and to take it back: DROP ROLE "{name}";\nor: fulldress clean""",
            testimony=tuple(
                says(
                    c,
                    f"expires {c.expires:%Y-%m-%d}" if c.expires else "no expiry" + (", left behind" if c.left else ""),
                )
                for c in group
            ),
        )
