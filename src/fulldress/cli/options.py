"""Options that several commands share, said once."""

from __future__ import annotations

from pathlib import Path

import click

#: ``folder``: the production that the command is about.
production = click.option(
    "-p", "--production", "folder", required=True, type=click.Path(path_type=Path), help="Folder with production.toml."
)

#: ``cases``: where the records of upgrades lie.
case_store = click.option(
    "--case-store",
    "cases",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="FULLDRESS_CASES",
    default=Path("cases"),
    show_default=True,
    help="Folder of the cases.",
)

#: ``fail_on``: a name of :class:`fulldress.findings.Severity`, which is not imported for a mere ``--help``.
fail_on = click.option(
    "--fail-on",
    type=click.Choice(("blocker", "major", "minor", "note")),
    default="blocker",
    show_default=True,
    help="Severity from which the verdict is NO-GO.",
)

#: ``as_json``
everything_as_json = click.option(
    "--json", "as_json", is_flag=True, help="Everything as JSON on standard output (docs/reference/json.md)."
)
