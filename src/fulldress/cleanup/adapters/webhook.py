"""A webhook at an HTTP registry: the list that showed it has to answer still, without it."""

from __future__ import annotations

from fulldress.cleanup.adapters.adapter import Removal
from fulldress.cleanup.ledger import Thing
from fulldress.engine.acts import webhooks
from fulldress.engine.venue import Venue


def remove(thing: Thing, venue: Venue) -> Removal:
    """Remove and look. Raises what the venue raises when it cannot be asked."""
    done = webhooks.remove(thing.where, thing.name, venue)
    return Removal(thing=thing, outcome=done.outcome, words=done.detail)
