"""A script as psql would send it: statement by statement, with the data of ``COPY … FROM STDIN`` and psql's commands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from fulldress.package.migrations.sql import statements
from fulldress.patterns import regex

_COPY = regex(r"COPY .*\bFROM STDIN\b")
_END_OF_DATA = regex(r"(?m)^\\\.\r?$\n?")
_META = regex(r"\\(\w+)\s*(.*)", re.DOTALL)
#: Commands of psql that change nothing in the database, and so are passed over.
_HARMLESS = {
    "echo",
    "qecho",
    "warn",
    "timing",
    "pset",
    "x",
    "t",
    "a",
    "q",
    "d",
    "dt",
    "di",
    "l",
    "du",
    "prompt",
    "conninfo",
}

#: Statements that refuse to run in a transaction, the implicit one of a held Sync included.
_ALONE = regex(
    r"(?:CREATE (?:UNIQUE )?INDEX CONCURRENTLY|DROP INDEX CONCURRENTLY|REINDEX (?:.*CONCURRENTLY|SCHEMA|DATABASE|SYSTEM)"
    r"|VACUUM|(?:CREATE|DROP|ALTER) (?:DATABASE|TABLESPACE|SUBSCRIPTION)|ALTER SYSTEM|CLUSTER(?: ;)?$|DISCARD ALL"
    r"|ALTER TABLE .* DETACH PARTITION .* CONCURRENTLY|COPY .*\b(?:STDIN|STDOUT)\b)"
)
_CONTROL = regex(r"(?:BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE TRANSACTION)\b")


class Piece(NamedTuple):
    """One statement to send. ``data``: what follows ``COPY … FROM STDIN``; ``refused``: why it cannot be sent."""

    text: str
    bare: str
    line: int
    file: str
    data: bytes | None = None
    refused: str = ""

    @property
    def alone(self) -> bool:
        """Has to be sent as a simple query: not in a transaction, may commit inside, or speaks the copy protocol."""
        return bool(_ALONE.match(self.bare))

    @property
    def control(self) -> bool:
        """Begins or ends a transaction."""
        return bool(_CONTROL.match(self.bare))


def split(text: str, file: str = "", siblings: Mapping[str, str] | None = None, depth: int = 0) -> list[Piece]:
    """``text`` cut into what has to be sent, in order.

    ``siblings`` maps the names of files beside the script to their texts; ``\\i`` and ``\\ir`` read them. A command of
    psql that would change what is sent and is not known becomes a piece that says why it is refused: running on would
    rehearse something else than production will run.
    """
    pieces: list[Piece] = []
    position, line = 0, 1
    while position < len(text):
        resumed = False
        for found in statements(text[position:]):
            at = line + found.line - 1
            if found.meta:
                pieces += _command(found.text, at, file, siblings or {}, depth)
                continue
            data = None
            if _COPY.match(found.bare) and found.text.rstrip().endswith(";"):
                begin = text.find("\n", position + found.offset + len(found.text) - 1) + 1 or len(text)
                end = _END_OF_DATA.search(text, begin)
                stop = end.start() if end else len(text)
                data = text[begin:stop].encode()
                after = end.end() if end else len(text)
                line += text.count("\n", position, after)
                position, resumed = after, True
            pieces.append(Piece(found.text, found.bare, at, file, data))
            if resumed:
                break
        if not resumed:
            break
    return pieces


def _command(text: str, line: int, file: str, siblings: Mapping[str, str], depth: int) -> list[Piece]:
    match = _META.match(text)
    name, argument = (match[1], match[2].strip().strip("'\"")) if match else (text, "")
    if name in _HARMLESS or (
        name == "set" and argument.split(" ")[0] in ("ON_ERROR_STOP", "QUIET", "ECHO", "VERBOSITY", "")
    ):
        return []
    if name in ("i", "include", "ir", "include_relative"):
        wanted = PurePosixPath(argument)
        beside = str(PurePosixPath(file).parent / wanted)
        for key in (argument, beside, wanted.name):
            if key in siblings and depth < 20:
                return split(siblings[key], key, siblings, depth + 1)
        return [Piece(text, "", line, file, refused=f"{argument} is not among the files that were given")]
    return [Piece(text, "", line, file, refused=f"\\{name} is a command of psql that is not carried out here")]
