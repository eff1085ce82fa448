"""The record of one upgrade, append-only and hash-chained. ``Store(folder).open_case(…) -> Case``."""

from __future__ import annotations

from fulldress.case.store import Case, Store

__all__ = ["Case", "Store"]
