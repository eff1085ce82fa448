"""One view model, shown as screens, HTML, JSON, SARIF and JUnit. Reports show; they don't compute.

``view.build`` gathers, ``terminal.*_screen`` print, ``html.write`` writes; ``schema`` is the published JSON Schema.
"""

from __future__ import annotations

from fulldress.report.schema import dump, load, schema
from fulldress.report.view import View, build

__all__ = ["View", "build", "dump", "load", "schema"]
