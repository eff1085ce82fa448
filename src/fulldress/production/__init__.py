"""What is running: ``production.toml``, inventories, settings and logs -> facts whose witness is ``running``."""

from __future__ import annotations

from fulldress.production.load import Production, load

__all__ = ["Production", "load"]
