"""The plan as data: steps, drafting, its text, freezing, window, notices."""

from __future__ import annotations

from fulldress.runbook.drafting import draft
from fulldress.runbook.frozen import freeze
from fulldress.runbook.steps import Runbook

__all__ = ["Runbook", "draft", "freeze"]
