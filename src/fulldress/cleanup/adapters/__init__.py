"""How each kind of thing is removed, and how its absence is shown. A new kind is one module and one line."""

from __future__ import annotations

from fulldress.cleanup.adapters import flag, role, webhook
from fulldress.cleanup.adapters.adapter import Adapter, Removal

ADAPTERS: dict[str, Adapter] = {
    "flag": flag.remove,
    "webhook": webhook.remove,
    "role": role.remove,
}

__all__ = ["ADAPTERS", "Adapter", "Removal"]
