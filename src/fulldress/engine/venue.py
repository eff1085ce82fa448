"""Where a runbook is carried out. The engine knows nothing else about where it is.

:mod:`fulldress.stage` implements this for the rehearsal, :mod:`fulldress.engine.venues` for production.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import msgspec

from fulldress.findings import Outcome


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended. ``output`` is stdout and stderr together, masked, its last 64 KiB."""

    exit_code: int
    output: str
    started: datetime
    duration: timedelta
    timed_out: bool = False


class Metadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything of a file but its bytes, enough to put it back as it was."""

    type: str  #: file, dir, link, other
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    sha256: str = ""
    link: str = ""
    xattrs: dict[str, bytes] = {}


class ServiceState(msgspec.Struct, frozen=True, kw_only=True):
    """``known`` is False when there is no such unit: starting it is an error, not a no-op."""

    unit: str
    known: bool
    active: bool | None
    enabled: bool | None = None
    detail: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer. ``status`` 0: no answer, ``body`` says why."""

    status: int
    body: str
    headers: dict[str, str] = {}


class StatementRun(msgspec.Struct, frozen=True, kw_only=True):
    """A SQL script that ran. ``outcome`` pass: all of it, in its own transactions."""

    outcome: Outcome
    error: str
    started: datetime
    duration: timedelta


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """State of a venue, for comparison of before and after. Values are text so that anything can be compared."""

    at: datetime
    units: dict[str, str] = {}
    files: dict[str, Metadata] = {}
    schedules: dict[str, str] = {}
    users: dict[str, str] = {}
    sockets: tuple[str, ...] = ()
    flags: dict[str, str] = {}


@runtime_checkable
class Database(Protocol):
    """One database of a venue: a clone on the stage (traced), the real one in production."""

    def query(self, sql: str) -> list[dict[str, object]]: ...

    def execute(self, sql: str, *, name: str, step: str) -> StatementRun: ...

    def snapshot(self, name: str) -> None:
        """Keep all rows under ``name`` (a copy of the database beside it, or a dump)."""
        ...

    def restore(self, name: str) -> None:
        """Put the rows kept under ``name`` in place of what is there now; sessions of others are ended."""
        ...

    def forget(self, name: str) -> None:
        """Drop a snapshot that is no longer needed."""
        ...


@runtime_checkable
class Venue(Protocol):
    """Run a command, read / write / stat a file, query a database, control a service, tell the time."""

    name: str  #: ``stage`` or the name of production
    package_root: str  #: folder at the venue where the package's entries stand under their checked names; empty: none

    def run(
        self,
        argv: Sequence[str],
        *,
        step: str,
        user: str = "root",
        cwd: str = "/",
        environment: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: timedelta = timedelta(hours=1),
    ) -> Result: ...

    def read(self, path: str) -> bytes:
        """Bytes of a file. Raises :class:`FileNotFoundError`."""
        ...

    def write(self, path: str, data: bytes, metadata: Metadata | None = None) -> None:
        """Atomically: metadata is set before the new name appears. ``metadata`` None keeps what the file has."""
        ...

    def stat(self, path: str) -> Metadata | None:
        """None when there is nothing at ``path``. Links are not followed."""
        ...

    def remove(self, path: str) -> None: ...

    def walk(self, path: str) -> list[str]:
        """``path`` and everything below it, sorted, links not followed; empty when there is nothing."""
        ...

    def database(self, name: str) -> Database:
        """A database of ``production.toml`` by its name. Raises :class:`fulldress.errors.RunbookError` for others."""
        ...

    def query(self, database: str, sql: str) -> list[dict[str, object]]:
        """Rows of one statement, in its own transaction. ``database`` is a name of ``production.toml``."""
        ...

    def execute(self, database: str, sql: str, *, name: str, step: str) -> StatementRun:
        """A script of statements as the vendor wrote it, over one connection; on the stage it is traced."""
        ...

    def service(self, unit: str, action: str, *, step: str) -> ServiceState:
        """``action``: start, stop, restart, reload, enable, disable, status."""
        ...

    def http(self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer: ...

    def notify(self, channel: str, text: str, *, step: str) -> None: ...

    def confirm(self, instruction: str, *, step: str) -> Outcome:
        """Ask a person. Unknown when nobody is there to ask (no terminal and no ``--yes``)."""
        ...

    def now(self) -> datetime: ...

    def snapshot(self) -> Snapshot: ...
