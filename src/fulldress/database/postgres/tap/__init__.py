"""The tap: a proxy that any migration program talks through, and that sees its locks while they are still held."""

from __future__ import annotations

from fulldress.database.postgres.tap.proxy import Tap

__all__ = ["Tap"]
