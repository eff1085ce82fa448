"""The stage: the venue where a vendor's scripts run unmodified and can break nothing.

Names are loaded when they are asked for: the process that becomes the stage's first imports this package, too, and must
get by with the standard library alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fulldress.stage.plan import StagePlan
    from fulldress.stage.venue import Stage

__all__ = ["Stage", "StagePlan"]


def __getattr__(name: str) -> Any:
    if name == "Stage":
        from fulldress.stage.venue import Stage

        return Stage
    if name == "StagePlan":
        from fulldress.stage.plan import StagePlan

        return StagePlan
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
