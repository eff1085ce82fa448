"""The command line: one module per command, imported when it is called."""

from __future__ import annotations

import os
import sys
from typing import Any

from fulldress import __version__

#: command -> (module, one line for ``fulldress --help``)
COMMANDS: dict[str, tuple[str, str]] = {
    "inspect": ("inspect", "What is in a package, who signed it, what it will do."),
    "init": ("init", "Write a commented production.toml beside the folders it names."),
    "check": ("check", "Package, production and catalogue: findings and a verdict."),
    "keys": ("keys", "The matrix of configuration keys, one plain line per key and version."),
    "paths": ("paths", "The way from what runs to what the package brings, stop by stop."),
    "api": ("api", "API changes joined with who called what in the access logs."),
    "plan": ("plan", "Draft the runbook; after rehearsals: window, notices, calendar, freeze."),
    "rehearse": ("rehearse", "Carry out the runbook on the stage, under traffic, and back again."),
    "run": ("run", "Carry out in production exactly what was rehearsed."),
    "rollback": ("rollback", "Take back a run, step by step, and prove it."),
    "watch": ("watch", "Before against after, per endpoint and per outbound host."),
    "clean": ("clean", "Remove flags, webhooks and credentials, and verify that they are gone."),
    "case": ("case", "The record of one upgrade: open, show, waive, verify."),
    "report": ("report", "The report of a case, as HTML, JSON or text."),
    "database": ("database", "Trace a migration, prove a rollback, find a server."),
    "stage": ("stage", "Run any command on a stage and see everything it touches."),
    "inventory": ("inventory", "What is installed and what runs."),
    "explain": ("explain", "Why a rule exists, with an example and a remedy."),
    "doctor": ("doctor", "What this machine can rehearse, and what it lacks."),
}


def main(argv: list[str] | None = None) -> None:
    """Entry point: every known error becomes one line on stderr and its documented exit code."""
    sys.exit(run(argv))


def run(argv: list[str] | None = None) -> int:
    """Carry out one command line and return its exit code."""
    if (sys.argv[1:] if argv is None else argv) == ["--version"]:  # before anything is imported for it
        print(f"fulldress, version {__version__}")
        return 0
    import click

    from fulldress.cli.group import cli

    try:
        outcome: Any = cli.main(args=argv, prog_name="fulldress", standalone_mode=False)
    except click.exceptions.Abort:  # an interrupt, by way of click
        click.echo("fulldress: interrupted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except KeyboardInterrupt:
        click.echo("fulldress: interrupted", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - unknown ones are raised again, known ones become one line
        return _known(error)
    return outcome if isinstance(outcome, int) else 0


def _known(error: Exception) -> int:
    """One clear line for errors of ours and of the operating system; anything else is a bug and keeps its traceback."""
    import errno
    import tempfile

    import click

    from fulldress.errors import DiskFull, FulldressError

    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        error = DiskFull(
            error.filename
            or f"a disk in use (temporary files lie in {tempfile.gettempdir()}; TMPDIR names another place)"
        )
    if isinstance(error, FulldressError):
        click.echo(f"fulldress: {error}", err=True)
        return error.exit_code
    if isinstance(error, OSError) and error.filename is not None:
        click.echo(f"fulldress: {error.filename}: {error.strerror}", err=True)
        return 9
    raise error
