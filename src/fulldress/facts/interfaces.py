"""What others call, what becomes of it, and who calls it today."""

from __future__ import annotations

from datetime import datetime

from fulldress.facts.witness import Fact


class Interface(Fact, tag=True, frozen=True, kw_only=True):
    """An operation that an API description lists. ``shape`` is a normal form of its parameters and responses."""

    kind: str  #: openapi
    operation: str  #: ``GET /orders/{id}``
    version: str = ""
    deprecated: bool = False
    shape: tuple[str, ...] = ()


class InterfaceChange(Fact, tag=True, frozen=True, kw_only=True):
    operation: str
    kind: str  #: removed, added, deprecated, narrowed, widened
    detail: str = ""


class Use(Fact, tag=True, frozen=True, kw_only=True):
    """Who called an operation, from the access logs."""

    operation: str  #: ``GET /orders/17`` is folded to the path template it belongs to, or to one that the log suggests
    calls: int
    per_day: float
    clients: tuple[str, ...]
    first: datetime
    last: datetime
