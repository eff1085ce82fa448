"""What no snapshot brings back: flags, webhooks, credentials."""

from __future__ import annotations

from datetime import datetime

from fulldress.facts.witness import Fact


class Flag(Fact, tag=True, frozen=True, kw_only=True):
    name: str
    value: str = ""
    store: str = ""  #: file, table or address that holds it
    left: bool = False  #: observed: still there after the rollback


class Webhook(Fact, tag=True, frozen=True, kw_only=True):
    target: str  #: address that is called
    registry: str = ""  #: where it is registered
    left: bool = False


class Credential(Fact, tag=True, frozen=True, kw_only=True):
    """A role, user, token or key that the upgrade creates. Its secret is never kept."""

    kind: str
    name: str
    expires: datetime | None = None
    left: bool = False
