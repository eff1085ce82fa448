"""The rehearsal: a runbook carried out on a stage, under traffic, through the night after, and back again."""

from fulldress.rehearsal.options import Options
from fulldress.rehearsal.rehearse import Rehearsal, practice, rehearse

__all__ = ["Options", "Rehearsal", "practice", "rehearse"]
