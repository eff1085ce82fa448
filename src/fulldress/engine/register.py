"""What the engine asks of the ledger. :class:`fulldress.cleanup.ledger.Ledger` is one; the stage needs none."""

from __future__ import annotations

from typing import Protocol


class Register(Protocol):
    """Whatever outlives a run (a flag, a webhook, a role) is entered *before* it is created.

    A crash between the two then leaves an entry without a thing, which verification settles, and never a thing without
    an entry."""

    def intend(
        self, *, kind: str, name: str, where: str, owner: str, expires: str, step: str, details: dict[str, str]
    ) -> None:
        """``kind``: flag, webhook, role. ``where``: file, registry or database. Entering twice is one entry."""
        ...

    def created(self, kind: str, name: str, where: str) -> None: ...

    def gone(self, kind: str, name: str, where: str, words: str) -> None:
        """It was taken back and its absence was seen."""
        ...
