"""Roles and users that a script creates: credentials that outlive the upgrade unless they expire."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from fulldress.facts import Credential, Secret, Witness
from fulldress.package.migrations.sql import Statement
from fulldress.package.reader import Member
from fulldress.patterns import regex

_CREATE = regex(r"CREATE (?P<what>ROLE|USER) (?:IF NOT EXISTS )?(?!MAPPING\b)(?P<rest>.*)")
_NAME = regex(
    r"(?is)\b(?:ROLE|USER)\s+(?:IF\s+NOT\s+EXISTS\s+)?(\"[^\"]+\"|`[^`]+`|'[^']+'|[\w$-]+)(?:\s*@\s*('[^']*'|\S+))?"
)
_UNTIL = regex(r"(?is)\bVALID\s+UNTIL\s+'([^']*)'")
_PASSWORD = regex(r"(?is)\b(?:PASSWORD|IDENTIFIED\s+(?:WITH\s+\S+\s+)?BY)\s+(?:PASSWORD\s+)?'[^']+'")
_LITERAL = regex(r"'(?:[^']|'')*'")


def read(member: Member, every: list[Statement]) -> Iterator[Credential | Secret]:
    """Logins only: a role that nobody can log in as is a group, not a credential."""
    for statement in every:
        match = _CREATE.match(statement.bare)
        if match is None:
            continue
        can_login = match["what"] == "USER" or re.search(r"\bLOGIN\b|\bPASSWORD\b|\bIDENTIFIED\b", match["rest"])
        named = _NAME.search(statement.text)
        if not can_login or re.search(r"\bNOLOGIN\b", match["rest"]) or named is None:
            continue
        name = named[1].strip("\"`'")
        evidence = member.evidence(
            statement.line, text=_PASSWORD.sub(lambda m: _LITERAL.sub("'********'", m[0]), statement.text)
        )
        until = _UNTIL.search(statement.text)
        yield Credential(
            witness=Witness.READ,
            evidence=evidence,
            kind="database role",
            name=name,
            expires=_instant(until[1]) if until else None,
        )
        if _PASSWORD.search(statement.text):
            yield Secret(witness=Witness.READ, evidence=evidence, kind="database password", name=name)


def _instant(text: str) -> datetime | None:
    """PostgreSQL's common spellings; ``infinity`` and what is not understood never expire."""
    cleaned = text.strip().replace(" UTC", "+00:00").replace("Z", "+00:00")
    try:
        instant = datetime.fromisoformat(cleaned)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
