"""A PostgreSQL role: no such role, no session of it, asked by somebody whom the same question shows."""

from __future__ import annotations

from fulldress.cleanup.adapters.adapter import Removal
from fulldress.cleanup.ledger import Thing
from fulldress.engine.acts import roles
from fulldress.engine.venue import Venue


def remove(thing: Thing, venue: Venue) -> Removal:
    """Remove and look. Raises what the venue raises when it cannot be asked."""
    done = roles.remove(thing.where, thing.name, venue)
    return Removal(thing=thing, outcome=done.outcome, words=done.detail)
