"""A feature flag in a JSON file: the file has to be readable still, else its absence proves nothing."""

from __future__ import annotations

from fulldress.cleanup.adapters.adapter import Removal
from fulldress.cleanup.ledger import Thing
from fulldress.engine.acts import flags
from fulldress.engine.venue import Venue


def remove(thing: Thing, venue: Venue) -> Removal:
    """Remove and look. Raises what the venue raises when it cannot be asked."""
    done = flags.remove(thing.where, thing.name, venue)
    return Removal(thing=thing, outcome=done.outcome, words=done.detail)
