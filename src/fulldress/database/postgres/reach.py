"""What statements reach for beyond their database: programs, files, other servers, sessions, roles, databases.

A copy stands in for a database alone. What its server refused (see :mod:`fulldress.database.contain`) would have been done
in production and has not been rehearsed; what it did with other sessions, roles or databases, no way back takes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fulldress.database.happenings import Statement
from fulldress.database.testimony import place
from fulldress.facts import Overreach, Witness, excerpt
from fulldress.patterns import regex

_COMMENTS = regex(r"(?s)--[^\n]*|/\*.*?\*/")
_LITERALS = regex(r"'(?:[^']|'')*'")
_ROUTINE = regex(r"(?i)\s*(?:DO|CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE))\b")
#: By the statement's own words; literals are empty there, except in the body of a routine.
_FORMS = (
    ("program", regex(r"(?is)\bCOPY\b.*\b(?:FROM|TO)\s+PROGRAM\b|\barchive_command\b|\brestore_command\b")),
    ("file", regex(r"(?is)\bCOPY\b(?:(?!;).)*\bTO\s+'|\blo_export\s*\(|\bpg_file_(?:write|rename|unlink|sync)\s*\(|\bCREATE\s+TABLESPACE\b")),
    ("server", regex(r"(?i)\bdblink(?:_connect\w*|_exec|_send_query)?\s*\(|\bCREATE\s+SUBSCRIPTION\b|\bCREATE\s+SERVER\b|\bCREATE\s+USER\s+MAPPING\b")),
    ("session", regex(r"(?i)\bpg_(?:terminate|cancel)_backend\s*\(")),
    ("role", regex(r"(?i)\b(?:CREATE|ALTER|DROP)\s+(?:ROLE|USER|GROUP)\b(?!\s+MAPPING)")),
    ("database", regex(r"(?i)\b(?:CREATE|DROP)\s+DATABASE\b|\bALTER\s+SYSTEM\b|\bALTER\s+DATABASE\b")),
)  # fmt: skip
#: By what the server said, wherever the statement came from: it may have been put together in a routine.
_SAID = (
    ("program", regex(r"could not execute command|program \".*\" failed")),
    ("file", regex(r"could not (?:open|create|write|remove|rename|stat) (?:server )?(?:file|directory)|could not set permissions on directory")),
    ("server", regex(r"could not (?:establish connection|connect to server|connect to the publisher)")),
)  # fmt: skip
_REFUSED = regex(r"SQLSTATE (?:42501|53200|38000|08001|08006|58P01|XX000|58030)")


def beyond(statements: Iterable[Statement]) -> Iterator[Overreach]:
    """One fact per statement and kind."""
    for statement in statements:
        for kind in _kinds(statement):
            refused = any(name == kind and said.search(statement.error) for name, said in _SAID)
            outcome = "done"
            if statement.error:
                outcome = "refused" if refused and _REFUSED.search(statement.error) else "failed"
            yield Overreach(
                witness=Witness.OBSERVED,
                evidence=place(statement, statement.started),
                migration=statement.migration,
                kind=kind,
                statement=excerpt(statement.text, 120),
                outcome=outcome,
                detail=excerpt(statement.error, 300),
            )


def of_machine(script: str) -> str:
    """The words of a script that would run a program or write a file; empty where there are none. For machines whose kernel
    cannot hold the server: what a routine puts together is not found."""
    text = _COMMENTS.sub(" ", script)
    for kind, form in _FORMS:
        if kind in ("program", "file") and (match := form.search(text)):
            return excerpt(match[0], 100)
    return ""


def _kinds(statement: Statement) -> list[str]:
    said = [kind for kind, words in _SAID if words.search(statement.error)]
    text = _COMMENTS.sub(" ", statement.text)
    if said and _ROUTINE.match(text):
        return said  # its text is put together, and the server knows what became of it
    if not _ROUTINE.match(text):
        text = _LITERALS.sub("''", text)
    found = [kind for kind, form in _FORMS if form.search(text)]
    return [*found, *(kind for kind in said if kind not in found)]
