"""Deltas in Python: a module whose ``run_create`` and ``run_upgrade`` get a cursor, beside deltas in SQL; one direction."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.package.migrations import naming, sqlfiles
from fulldress.package.migrations.programs import pyexecuted
from fulldress.package.migrations.programs.pysource import Source
from fulldress.package.migrations.script import Script
from fulldress.package.reader import Member

#: In the order in which they run.
_FUNCTIONS = ("run_create", "run_upgrade")


def read(member: Member, memory: dict[str, object]) -> Iterator[Script]:
    """One script a module."""
    source = Source.of(member)
    functions = [source.functions[name] for name in _FUNCTIONS if name in source.functions] if source else []
    if source is None or not functions:
        return
    found = [pyexecuted.of(source, function, str.lower) for function in functions]
    yield Script(
        member=member, direction="up", statements=[one for part in found for one in part.statements],
        name=member.name.removesuffix(".py"), line=functions[0].lineno, language="python",
        version=sqlfiles.version(member.path, naming.named(member.path)),
        unread=[one for part in found for one in part.unread], acts=True,  # not empty: what it does on SQLite alone is passed over
    )  # fmt: skip
