"""Flags, webhooks and credentials: registered before they are created, removed, and verified gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from fulldress.cleanup.adapters import ADAPTERS, Removal
from fulldress.cleanup.ledger import Ledger, Thing
from fulldress.engine.venue import Venue
from fulldress.errors import FulldressError
from fulldress.facts import excerpt
from fulldress.findings import Outcome


def clean(ledger: Ledger, venue: Venue, *, only: Callable[[Thing], bool] = lambda thing: True) -> Iterator[Removal]:
    """Remove every open thing and note what became of it. Last entered, first removed."""
    for thing in reversed([t for t in ledger.things() if t.open and only(t)]):
        removal = _remove(thing, venue)
        if removal.outcome is Outcome.PASS and not removal.irrevocable:
            ledger.gone(thing.kind, thing.name, thing.where, removal.words)
        elif removal.irrevocable:
            ledger.irrevocable(thing, removal.words)
        else:
            ledger.left(thing, removal.words)
        yield removal


def _remove(thing: Thing, venue: Venue) -> Removal:
    adapter = ADAPTERS.get(thing.kind)
    if adapter is None:
        return _cannot(thing)
    if not thing.where:
        return Removal(
            thing=thing, outcome=Outcome.UNKNOWN, words="nothing tells where it lives, so nothing can be asked"
        )
    try:
        return adapter(thing, venue)
    except (FulldressError, OSError) as error:
        return Removal(thing=thing, outcome=Outcome.UNKNOWN, words=f"could not be asked: {excerpt(str(error))}")


def _cannot(thing: Thing) -> Removal:
    """Say what is true: a token that nobody can revoke ends when it ends."""
    if thing.expires is None:
        words = f"a {thing.kind} cannot be revoked from here, and has no end date: revoke it at its issuer"
        return Removal(thing=thing, outcome=Outcome.FAIL, words=words)
    ended = thing.expires <= datetime.now(UTC)
    words = f"cannot be revoked, {'expired' if ended else 'expires'} at {thing.expires:%Y-%m-%d %H:%M}Z"
    return Removal(thing=thing, outcome=Outcome.PASS if ended else Outcome.UNKNOWN, words=words, irrevocable=True)


__all__ = ["Ledger", "Removal", "Thing", "clean"]
