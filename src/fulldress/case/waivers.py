"""Findings that the team accepts: by whom, why, until when, for which bytes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from fulldress.findings import Finding, Waiver


def apply(findings: Iterable[Finding], waivers: Iterable[Waiver], package: str, today: date) -> list[Finding]:
    """``findings`` with the waiver that covers each; an expired one, or one for other bytes, covers nothing."""
    given = list(waivers)
    return [
        msgspec.structs.replace(finding, waived=next((w for w in given if w.covers(finding, package, today)), None))
        for finding in findings
    ]


def from_event(data: dict[str, object]) -> Waiver:
    return msgspec.convert(data, Waiver)
