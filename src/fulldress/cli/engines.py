"""Trace and prove on MariaDB, MySQL and SQLite: the engine follows from where the copy comes from."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from fulldress.facts import Evidence, Reason, Unread, Witness
from fulldress.findings import Outcome

if TYPE_CHECKING:
    from fulldress.cli.measured import Results
    from fulldress.database import mysql, sqlite
    from fulldress.database.postgres.steps import Step
    from fulldress.facts import AnyFact, Undo

    Copy = mysql.Clone | sqlite.Clone

_HEADS = {
    "mysql": (b"-- MariaDB dump", b"-- MySQL dump", b"/*M!", b"/*!"),
    "sqlite": (b"PRAGMA foreign_keys=OFF;", b"BEGIN TRANSACTION;"),
}


_PREFLIGHT = Unread(
    witness=Witness.OBSERVED,
    evidence=Evidence(source="trace"),
    what="rows that the migration will stumble over, and the room it needs",
    reason=Reason.NOT_MEASURED,
    detail="the pre-flight and the sizes are measured on PostgreSQL alone",
)


_WINDOW = Unread(
    witness=Witness.OBSERVED,
    evidence=Evidence(source="prove"),
    what="rows written after the upgrade, by every way back",
    reason=Reason.NOT_MEASURED,
    detail="the data-loss window is measured on PostgreSQL alone",
)
_EMPTY = Unread(
    witness=Witness.OBSERVED,
    evidence=Evidence(source="prove"),
    what="whether rows come back",
    reason=Reason.NOT_MEASURED,
    detail="there are none in the copy: only the schema was compared; give a source with rows",
    needed=True,
)


class Engine:
    """A copy to make, on an engine other than PostgreSQL. ``kind``: mysql (MariaDB, too), sqlite."""

    def __init__(self, kind: str, *, url: str = "", dump: Path | None = None, bin_: Path | None = None) -> None:
        self.kind = kind
        self.url = url
        self.dump = dump
        self.bin = bin_

    @contextmanager
    def clone(self) -> Iterator[Copy]:
        """The copy, and all that it needs; gone afterwards."""
        with self._mysql() if self.kind == "mysql" else self._sqlite() as clone:
            yield clone

    def module(self, name: str) -> ModuleType:
        """``programs`` or ``proof`` of the engine."""
        import importlib

        return importlib.import_module(f"fulldress.database.{self.kind}.{name}")

    @contextmanager
    def _sqlite(self) -> Iterator[Copy]:
        import sqlite3

        from fulldress.database.sqlite import rehearsal, source
        from fulldress.errors import NotSqlite

        path = source.path_of(self.url) if self.url else None
        origin = str(path or self.dump or "an empty database (give --sqlite for real sizes)")
        click.echo(f"SQLite {sqlite3.sqlite_version}, copying {origin}", err=True)
        with rehearsal(path) as clone:
            if self.dump is not None:
                run = clone.execute(_text(self.dump), name=self.dump.name, step="set up")
                if run.outcome is not Outcome.PASS:
                    raise NotSqlite(self.dump, run.error)
                clone.restart()
            yield clone

    @contextmanager
    def _mysql(self) -> Iterator[Copy]:
        from fulldress.database.mysql import Server, resolve, source
        from fulldress.facts import mask

        installation = resolve(self.bin)
        told, need = None, (self.dump.stat().st_size * 12 if self.dump is not None else 0)
        if self.url:
            told = source.describe(installation, self.url)
            installation, need = resolve(self.bin, told.version), told.size * 5
        origin = mask(self.url) if self.url else str(self.dump or "an empty database (give --url for real sizes)")
        click.echo(f"{installation.name} {installation.version} ({installation.origin}), cloning {origin}", err=True)
        if installation.warning:
            click.echo(f"WARNING: {installation.warning}", err=True)
        with Server(installation, need=max(need, 256 << 20)) as server:
            if told is not None:
                yield source.clone_url(server, self.url, told)
            elif self.dump is not None:
                yield source.clone_dump(server, self.dump)
            else:
                yield server.create("rehearsal")


def engine(url: str | None, dump: Path | None, sqlite: Path | None, bin_: Path | None) -> Engine | None:
    """None: it is PostgreSQL."""
    from fulldress.errors import UsageError

    if sum(one is not None for one in (url, dump, sqlite)) > 1 and (sqlite is not None or bin_ is not None):
        raise UsageError("Give one of --url, --dump and --sqlite.")
    if sqlite is not None:
        return Engine("sqlite", url=str(sqlite))
    scheme = (url or "").partition(":")[0].partition("+")[0]
    if scheme in ("mysql", "mariadb"):
        return Engine("mysql", url=url or "", bin_=bin_)
    if scheme in ("sqlite", "sqlite3"):
        return Engine("sqlite", url=url or "")
    kind = _kind(dump) if dump is not None and dump.is_file() else ""
    if kind:
        return Engine(kind, dump=dump, bin_=bin_)
    if bin_ is not None:
        if url:
            raise UsageError("--mysql-bin is for mysql:// and mariadb://.")
        return Engine("mysql", dump=dump, bin_=bin_)
    return None


def trace(
    one: Engine,
    program: Sequence[str],
    files: Sequence[Path],
    downs: Sequence[Path],
    texts: Mapping[str, str],
    limit: float | None,
) -> tuple[list[AnyFact], str]:
    """What was observed, and why the migration failed."""
    with one.clone() as clone:
        before = clone.copy("before") if downs else None
        failed = _program(one, clone, program, limit) if program else _files(one, clone, files, texts, "up", limit)
        if downs and not failed:
            failed = _files(one, clone, downs, texts, "down", limit)
        facts = [*clone.facts(), _PREFLIGHT]
        if before is not None and not failed:
            facts += one.module("proof").compare(before, clone)
        return facts, failed


def prove(
    one: Engine, release: Sequence[Step], *, steps: bool, say: Callable[[Undo], None]
) -> tuple[list[AnyFact], str]:
    """There and back, the release first, then each step; and why it cannot be told."""
    from fulldress.database import roundtrip

    engine = roundtrip.Engine(one.module("programs"), one.module("proof"))
    facts: list[AnyFact] = []
    with one.clone() as clone:
        click.echo(f"release: {len(release)} migrations there and back …", err=True)
        apart = clone.copy("release")
        undo, found = roundtrip.release(engine, apart, release)
        facts += [undo, *found, *apart.unread[len(clone.unread) :], _WINDOW]
        apart.drop()
        say(undo)
        if not undo.rows:
            facts.append(_EMPTY)
        if steps and len(release) > 1:
            for told in roundtrip.each(engine, clone, release):
                facts.append(told)
                say(told)
        return [*facts, *clone.unread], undo.detail if undo.outcome in ("fails", "unknown") else ""


def _files(
    one: Engine, clone: Copy, files: Sequence[Path], texts: Mapping[str, str], step: str, limit: float | None
) -> str:
    """Run files among a reader and a writer; on MariaDB and MySQL the ways of every ALTER are tried before."""
    if one.kind != "mysql":
        return _run(clone, files, texts, step, limit, canaries=True)
    from fulldress.database.mysql import ladder
    from fulldress.database.mysql.clone import Clone

    assert isinstance(clone, Clone)  # noqa: S101
    click.echo(f"{step:>5} the ways of every ALTER, on another copy …", err=True)
    ways = ladder.climb(clone, [(path.name, texts[path.name]) for path in files], texts, limit)
    failed = _run(clone, files, texts, step, limit, canaries=True)
    ladder.apply(clone, ways)
    return failed


def _run(
    clone: Copy,
    files: Sequence[Path],
    texts: Mapping[str, str],
    step: str,
    limit: float | None = None,
    *,
    canaries: bool = False,
) -> str:
    """Run files in order up to the first that fails; returns its error."""
    for path in files:
        click.echo(f"{step:>5} {path.name} …", err=True, nl=False)
        run = clone.execute(texts[path.name], name=path.name, step=step, siblings=texts, limit=limit, canaries=canaries)
        click.echo(f" {run.duration.total_seconds():.3f} s {run.outcome.value}", err=True)
        if run.outcome is not Outcome.PASS:
            return run.error
    return ""


def _program(one: Engine, clone: Copy, words: Sequence[str], limit: float | None) -> str:
    """Run a command; returns why it failed."""
    click.echo(f"   up {words[0]} …", err=True)
    run = one.module("programs").run(clone, words, limit=limit).run
    click.echo(f"   up {words[0]}: {run.duration.total_seconds():.3f} s {run.outcome.value}", err=True)
    return f"{words[0]}: {run.error}" if run.outcome is Outcome.FAIL else ""


def add(as_json: bool) -> int:
    """Fetch MariaDB."""
    import msgspec

    from fulldress.database.mysql import packages

    click.echo("fetching MariaDB …", err=True)
    found = packages.add()
    told = msgspec.json.encode(found, enc_hook=str)
    click.echo(told if as_json else f"{found.version:<8} {found.origin:<7} {found.server}")
    return 0


def servers(given: Path | None) -> None:
    """List MariaDB's and MySQL's programs, unless a folder of PostgreSQL's was asked for."""
    from fulldress.database.mysql import installations

    for one in [] if given is not None else installations():
        click.echo(f"{one.version:<8} {one.origin:<7} {one.server} ({one.name})")


def tell(results: Results, told: tuple[list[AnyFact], str], as_json: bool, scripts: Mapping[str, str]) -> int:
    facts, failed = told
    return results.tell(facts, as_json, failed, scripts)


def _kind(dump: Path) -> str:
    """Which engine's dump program wrote a file, by its first words; empty: PostgreSQL's, or unknown."""
    head = _open(dump, 4096).lstrip()
    return next((kind for kind, starts in _HEADS.items() if head.startswith(starts)), "")


def _text(dump: Path) -> str:
    return _open(dump, -1).decode("utf-8", "replace")


def _open(dump: Path, count: int) -> bytes:
    with dump.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(dump) if packed else dump.open("rb") as file:
        try:
            return file.read(count)
        except (OSError, EOFError):
            return b""
