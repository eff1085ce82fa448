"""What an adapter is: a function that removes a thing at a venue and looks whether it is gone."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from fulldress.cleanup.ledger import Thing
from fulldress.engine.venue import Venue
from fulldress.findings import Outcome


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """Pass: its absence was seen, by a question that shows what is there. Unknown: nothing proves either."""

    thing: Thing
    outcome: Outcome
    words: str
    irrevocable: bool = False


Adapter = Callable[[Thing, Venue], Removal]
