"""The pages of the rules, found in an installed package and in the source tree alike."""

from __future__ import annotations

import difflib
import re
from importlib import resources
from pathlib import Path

from fulldress.errors import UnknownRule


def folder() -> Path:
    """Where the pages lie: ``fulldress/rules`` in a wheel, ``docs/rules`` in a source tree."""
    installed = Path(str(resources.files("fulldress"))) / "rules"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "docs" / "rules"


def ids() -> list[str]:
    return sorted(path.stem for path in folder().glob("FD[0-9][0-9][0-9].md"))


def page(rule: str) -> str:
    """The page of a rule as Markdown. Raises :class:`~fulldress.errors.UnknownRule`."""
    wanted = rule.strip().upper()
    if re.fullmatch(r"\d{3}", wanted):
        wanted = f"FD{wanted}"
    known = ids()
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.6)
        raise UnknownRule(rule, f"did you mean {', '.join(near)}" if near else "see: fulldress explain")
    return (folder() / f"{wanted}.md").read_text(encoding="utf-8")
