"""How many threads and processes may be at work."""

from __future__ import annotations

import os


def cores(limit: int = 0) -> int:
    """How many workers there may be: ``limit``, or ``FULLDRESS_WORKERS``, or as many as there are cores for us."""
    said = os.environ.get("FULLDRESS_WORKERS", "")
    most = limit or (int(said) if said.isdigit() else 0)
    have = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(most or have, 64))
