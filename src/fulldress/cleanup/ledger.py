"""The ledger: what outlives an upgrade, entered before it is created, until its absence was seen.

Append-only and hash-chained like the journal. An entry's state is its last word: intended, created, gone, left,
irrevocable. *Intended* counts as open: a crash between the entry and its creation leaves it so, and cleaning looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec

from fulldress.engine.chain import Chain
from fulldress.errors import UsageError
from fulldress.facts import AnyFact, Credential, Flag, Webhook


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that stays until it is removed. ``kind``: flag, webhook, role, or another kind that nobody can revoke."""

    kind: str
    name: str
    where: str
    owner: str = ""
    expires: datetime | None = None
    step: str = ""
    entered: datetime
    state: str = "intended"
    words: str = ""

    @property
    def open(self) -> bool:
        return self.state in ("intended", "created", "left")

    def overdue(self, now: datetime) -> bool:
        return self.open and self.expires is not None and self.expires <= now


class _LedgerChain(Chain):
    what = "a ledger"


class Ledger:
    """``with Ledger(path) as ledger``. Is a :class:`fulldress.engine.register.Register`."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.chain = _LedgerChain(path, read_only=read_only)

    def intend(
        self, *, kind: str, name: str, where: str, owner: str, expires: str, step: str, details: dict[str, str]
    ) -> None:
        known = {(t.kind, t.name, t.where) for t in self.things() if t.open}
        if (kind, name, where) in known:
            return
        ends = instant(expires)
        self.chain.append(
            "intended",
            _key(kind, name, where),
            {
                "kind": kind,
                "name": name,
                "where": where,
                "owner": owner,
                "expires": ends.isoformat() if ends else "",
                "step": step,
                "details": details,
            },
        )

    def created(self, kind: str, name: str, where: str) -> None:
        self._state("created", kind, name, where, "")

    def gone(self, kind: str, name: str, where: str, words: str) -> None:
        self._state("gone", kind, name, where, words)

    def left(self, thing: Thing, words: str) -> None:
        """It could not be removed, or nothing shows that it was."""
        self._state("left", thing.kind, thing.name, thing.where, words)

    def irrevocable(self, thing: Thing, words: str) -> None:
        """Nobody can take it back; it ends by itself at ``thing.expires``."""
        self._state("irrevocable", thing.kind, thing.name, thing.where, words)

    def adopt(self, facts: Iterable[AnyFact], owner: str = "vendor package") -> list[Thing]:
        """Enter what a rehearsal saw the package create. Things without a place that can be asked are entered as well."""
        before = {(t.kind, t.name, t.where) for t in self.things()}
        for fact in facts:
            for kind, name, where, expires in _of(fact):
                if (kind, name, where) not in before:
                    self.intend(kind=kind, name=name, where=where, owner=owner, expires=expires, step="", details={})
                    self.created(kind, name, where)
                    before.add((kind, name, where))
        return self.things()

    def things(self) -> list[Thing]:
        """All that was ever entered, in the order of entry, each in its last state."""
        found: dict[str, Thing] = {}
        for entry in self.chain.entries():
            if entry.kind == "intended":
                data = entry.data
                found[entry.key] = Thing(
                    kind=str(data["kind"]),
                    name=str(data["name"]),
                    where=str(data["where"]),
                    owner=str(data["owner"]),
                    expires=instant(str(data["expires"])),
                    step=str(data["step"]),
                    entered=entry.at,
                )
            elif entry.key in found:
                words = str(entry.data.get("words", ""))
                found[entry.key] = msgspec.structs.replace(found[entry.key], state=entry.kind, words=words)
        return list(found.values())

    def _state(self, state: str, kind: str, name: str, where: str, words: str) -> None:
        self.chain.append(state, _key(kind, name, where), {"words": words})

    def close(self) -> None:
        self.chain.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def instant(text: str) -> datetime | None:
    """A date or an instant; without a zone it is UTC. Raises :class:`~fulldress.errors.UsageError`."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f'"{text}" is no date. Write it as 2026-12-31 or 2026-12-31T02:00:00Z') from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _key(kind: str, name: str, where: str) -> str:
    return f"{kind} {name} @ {where}"


def _of(fact: AnyFact) -> Iterable[tuple[str, str, str, str]]:
    """(kind, name, where, expires) of a fact about something that stays."""
    if isinstance(fact, Flag):
        yield "flag", fact.name, fact.store, ""
    elif isinstance(fact, Webhook):
        yield "webhook", fact.target, fact.registry, ""
    elif isinstance(fact, Credential):
        expires = fact.expires.isoformat() if fact.expires else ""
        place = fact.evidence.table or fact.evidence.host
        yield (
            ("role" if fact.kind in ("role", "postgres role", "database role", "user") else fact.kind),
            fact.name,
            place,
            expires,
        )
