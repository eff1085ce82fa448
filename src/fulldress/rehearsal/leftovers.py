"""What no rollback brings back: flags, webhooks and roles that are there after it and were not there before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from fulldress.engine.venue import Venue
from fulldress.errors import RunbookError
from fulldress.facts import AnyFact, Credential, Evidence, Flag, Reason, Unread, Webhook, Witness, is_secret_name
from fulldress.facts.masking import MASK

#: Roles of a PostgreSQL server that are not its own. Works on every supported major.
ROLES = "SELECT rolname, rolvaliduntil FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY rolname"


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """Flags, webhooks and roles of a venue at one instant."""

    flags: dict[str, dict[str, str]]  #: store -> flag -> value
    webhooks: dict[str, dict[str, str]]  #: registry -> identifier -> target
    roles: dict[str, dict[str, datetime | None]]  #: database -> role -> end date
    unread: tuple[Unread, ...] = ()


def registered(
    venue: Venue, flags: tuple[str, ...], webhooks: tuple[str, ...], databases: tuple[str, ...], run: str
) -> Registered:
    """Look at the flag files, ask the webhook registries, list the database roles."""
    gaps: list[Unread] = []

    def gap(what: str, why: str) -> None:
        gaps.append(
            Unread(
                witness=Witness.OBSERVED,
                evidence=Evidence(source=run, path=what, at=venue.now()),
                what=what,
                reason=Reason.UNREACHABLE,
                detail=why,
            )
        )

    stores: dict[str, dict[str, str]] = {}
    for path in flags:
        try:
            stores[path] = _flat(json.loads(venue.read(path)))
        except FileNotFoundError:
            stores[path] = {}
        except ValueError as problem:
            gap(path, f"not JSON: {problem}")
    hooks: dict[str, dict[str, str]] = {}
    for url in webhooks:
        answer = venue.http("GET", url)
        if answer.status != 200:
            gap(url, f"answered {answer.status or answer.body}")
            continue
        try:
            hooks[url] = _hooks(json.loads(answer.body))
        except ValueError:
            gap(url, "the list of webhooks is not JSON")
    roles: dict[str, dict[str, datetime | None]] = {}
    for name in databases:
        try:
            rows = venue.query(name, ROLES)
        except (RunbookError, OSError) as problem:
            gap(f"roles of {name}", str(problem))
            continue
        roles[name] = {str(row["rolname"]): _instant(row["rolvaliduntil"]) for row in rows}
    return Registered(flags=stores, webhooks=hooks, roles=roles, unread=tuple(gaps))


def left(before: Registered, after: Registered, run: str, at: datetime) -> Iterator[AnyFact]:
    """Facts on what is there after the rollback and was not before, with ``left`` set."""

    def evidence(path: str, words: str, table: str = "") -> Evidence:
        return Evidence(source=run, path=path, table=table, step="rollback", at=at, excerpt=words)

    for store, name, value, old in _changes(before.flags, after.flags):
        yield Flag(
            witness=Witness.OBSERVED,
            evidence=evidence(store, f"{name}: {old or 'absent'} before, {value} after the rollback"),
            name=name,
            value=value,
            store=store,
            left=True,
        )
    for registry, identifier, target, old in _changes(before.webhooks, after.webhooks):
        if not old:
            yield Webhook(
                witness=Witness.OBSERVED,
                evidence=evidence(registry, f"{identifier}: {target}"),
                target=target,
                registry=registry,
                left=True,
            )
    for database, held in after.roles.items():
        for role in sorted(held.keys() - before.roles.get(database, {}).keys()):
            yield Credential(
                witness=Witness.OBSERVED,
                evidence=evidence(f"role {role}", f"role {role} of database {database}", database),
                kind="database role",
                name=role,
                expires=held[role],
                left=True,
            )


def _changes(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, str, str, str]]:
    for place, held in after.items():
        old = before.get(place, {})
        for name, value in sorted(held.items()):
            if old.get(name) != value:
                yield place, name, value, old.get(name, "")


def _flat(value: object, prefix: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        found: dict[str, str] = {}
        for key, inner in value.items():
            found |= _flat(inner, f"{prefix}.{key}" if prefix else str(key))
        return found
    name = prefix or "value"
    return {name: MASK if is_secret_name(name) else json.dumps(value)}


def _hooks(listing: object) -> dict[str, str]:
    """Registries answer with a list, or with an object that holds one; entries are objects with an id and an address."""
    if isinstance(listing, dict):
        lists = [value for value in listing.values() if isinstance(value, list)]
        listing = lists[0] if lists else []
    found: dict[str, str] = {}
    for index, hook in enumerate(listing if isinstance(listing, list) else []):
        if isinstance(hook, dict):
            inner = hook.get("body")
            body = inner if isinstance(inner, dict) else hook
            address = next(
                (str(body[k]) for k in ("target", "url", "endpoint", "callback", "address") if k in body), ""
            )
            found[str(hook.get("id", index))] = address
        else:
            found[str(index)] = str(hook)
    return found


def _instant(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
