"""Findings as SARIF 2.1.0 (OASIS), which code-scanning pages and editors read."""

from __future__ import annotations

import hashlib
from typing import Any

from fulldress.checks import RULES
from fulldress.findings import Finding, Severity
from fulldress.report import rules
from fulldress.report.view import View

#: SARIF 2.1.0, 3.27.10. A blocker and a major finding are both errors there; ``rank`` tells them apart.
_LEVEL = {Severity.BLOCKER: "error", Severity.MAJOR: "error", Severity.MINOR: "warning", Severity.NOTE: "note"}
_RANK = {Severity.BLOCKER: 100.0, Severity.MAJOR: 70.0, Severity.MINOR: 40.0, Severity.NOTE: 10.0}


def log(view: View) -> dict[str, Any]:
    """One SARIF log with one run."""
    ids = list(dict.fromkeys(f.rule for f in view.findings))
    return {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "fulldress",
                        "version": view.fulldress,
                        "rules": [_rule(rule) for rule in ids],
                    }
                },
                "artifacts": [
                    {
                        "location": {"uri": _uri(view.package.name)},
                        "length": view.package.size,
                        "hashes": {"sha-256": view.package.sha256},
                    }
                ],
                "results": [_result(finding, ids, view.package.name) for finding in view.findings],
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            {"level": "warning", "message": {"text": f"not read: {gap.what}: {gap.reason.value}"}}
                            for gap in view.unread
                        ],
                    }
                ],
            }
        ],
    }


def _rule(rule: str) -> dict[str, Any]:
    """A rule with its page, which code-scanning sites show beside the finding."""
    found: dict[str, Any] = {"id": rule}
    if rule in RULES:
        page = rules.page(rule)
        found |= {
            "shortDescription": {"text": RULES[rule].title},
            "help": {"text": page, "markdown": page},
            "defaultConfiguration": {"level": _LEVEL[RULES[rule].severity]},
        }
    return found


def _result(finding: Finding, ids: list[str], package: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": ids.index(finding.rule),
        "level": _LEVEL[finding.severity],
        "rank": _RANK[finding.severity],
        "message": {"text": f"{finding.title}\n{finding.remedy}"},
        "partialFingerprints": {
            "fulldress/v1": hashlib.sha256(f"{finding.rule}\0{finding.subject}".encode()).hexdigest()
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(t.evidence.path)},
                    **({"region": {"startLine": t.evidence.line}} if t.evidence.line else {}),
                },
                "message": {"text": f"{t.witness.value}: {t.says}"},
            }
            for t in finding.testimony
            if t.evidence.path
        ]
        # some readers refuse a result without a place: then it is the package as a whole
        or [{"physicalLocation": {"artifactLocation": {"uri": _uri(package)}}}],
    }
    if not finding.counts:
        waiver = finding.waived
        why = f"waived by {waiver.who}: {waiver.why}" if waiver else f"settled by {finding.settled_by}"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
    return result


def _uri(path: str) -> str:
    """A relative URI reference (RFC 3986): names of entries may hold anything."""
    from urllib.parse import quote

    return quote(path.lstrip("/"), safe="/!$&'()*+,;=@")
