"""Migrations among others: killed half-way, behind a long reader or writer, and reaching beyond their database."""

from __future__ import annotations

from datetime import timedelta

from fulldress.facts.witness import Fact


class Interruption(Fact, tag=True, frozen=True, kw_only=True):
    """The migration, killed at one place. ``outcome``: rolled back (the database is as before), resumable (started again it
    comes to the same end), broken (started again it fails, or ends elsewhere), unknown."""

    migration: str
    number: int  #: of the statement, as the server was sent them, from 1
    moment: str  #: before, during, within (a string of several), commit (right before it)
    statement: str
    outcome: str
    detail: str = ""
    left: str = ""  #: what stayed in the database; empty: nothing


class Obstruction(Fact, tag=True, frozen=True, kw_only=True):
    """The migration behind a session that was there before and held on to what it had read or written."""

    migration: str
    kind: str  #: reader, writer
    tables: tuple[str, ...]  #: that the session held
    outcome: str  #: passed (it did not wait), waited, timed out (its own time limit ended it), failed, unknown
    waited: timedelta = timedelta()  #: the migration, in all
    held: timedelta = timedelta()  #: how long the session stayed
    victims: tuple[str, ...] = ()  #: who queued behind the migration, e.g. ``reader of orders``
    worst: timedelta = timedelta()  #: of the victims
    state: str = ""  #: afterwards: complete, unchanged, half-way, unknown
    detail: str = ""


class Overreach(Fact, tag=True, frozen=True, kw_only=True):
    """A statement that reaches for what no copy of a database holds."""

    migration: str
    kind: str  #: program, file, server, session, role, database
    statement: str
    outcome: str  #: refused (the rehearsal's server may not), failed, done (on the copy)
    detail: str = ""
