"""Executes a runbook at a venue: journal, gates, undo, resume.

``Engine(runbook, venue, journal, entries=…)``; see :class:`fulldress.engine.engine.Engine`.
"""

from __future__ import annotations

from fulldress.engine.engine import Engine
from fulldress.engine.events import Event, RunOutcome, StepRun
from fulldress.engine.journal import Journal

__all__ = ["Engine", "Event", "Journal", "RunOutcome", "StepRun"]
