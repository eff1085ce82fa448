"""``fulldress stage -- CMD…``: run any command on a stage and see everything it touches."""

from __future__ import annotations

import dataclasses
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fulldress.engine.venue import Result
    from fulldress.stage import Stage, StagePlan

_SHOWN = 40


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("-p", "--production", type=click.Path(path_type=Path), help="Folder with production.toml.")
@click.option("--root", type=click.Path(path_type=Path), help="A copy of production's files, etc/ and so on below it.")
@click.option("--package", type=click.Path(path_type=Path), help="A package to lay out below /mnt/package.")
@click.option(
    "--scratch",
    type=click.Path(path_type=Path),
    help="Where the stage keeps what is written; default: the temporary folder.",
)
@click.option("--timeout", type=float, default=3600.0, show_default=True, help="Seconds until the command is cut off.")
@click.option("--user", default="root", show_default=True, help="User of the stage who runs the command.")
@click.option("--json", "as_json", is_flag=True, help="All facts as JSON.")
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    production: Path | None,
    root: Path | None,
    package: Path | None,
    scratch: Path | None,
    timeout: float,
    user: str,
    as_json: bool,
    argv: tuple[str, ...],
) -> int:
    """Run CMD on a stage: nothing of it reaches this machine or the network.

    Without --root or --production the stage lies over this machine's own files, also private ones; the command can read
    them, and can neither change them nor send them anywhere. Exit code: 0 when CMD ended with 0, else 1.
    """
    from fulldress.errors import UsageError
    from fulldress.stage import Stage

    if production is not None and root is not None:
        raise UsageError("give either --production or --root: the description names its own root")
    plan = _plan(production, root, package, scratch)
    with Stage(plan) as stage:
        # below the temporary folder there is a fresh one on the stage: what is not there can't be worked in
        cwd = str(Path.cwd()) if plan.root is None and stage.stat(str(Path.cwd())) is not None else "/"
        result = stage.run(argv, step="command", user=user, cwd=cwd, timeout=timedelta(seconds=timeout))
        if as_json:
            from fulldress.facts import encode

            click.echo(encode(stage.facts()).decode())
        else:
            _show(stage, result)
    return 0 if result.exit_code == 0 else 1


def _plan(production: Path | None, root: Path | None, package: Path | None, scratch: Path | None) -> StagePlan:
    from fulldress.errors import PackageNotFound, UsageError
    from fulldress.stage import StagePlan

    if package is not None and not package.exists():
        raise PackageNotFound(package)
    base = StagePlan(root=root, package=package)
    if scratch is not None:
        base = dataclasses.replace(base, scratch=scratch)
    if production is None:
        return base
    from fulldress.production import load

    loaded = load(production)
    if loaded.root is None:
        raise UsageError(f"{production}/production.toml names no root tree ([folders] root); give --root")
    description = loaded.description
    return dataclasses.replace(
        base,
        root=loaded.root,
        services=description.services,
        endpoints=description.endpoints,
        partitions=tuple(description.partitions),
        zone=description.zone,
        folder_of_production=production,
        name=description.name,
    )


def _show(stage: Stage, result: Result) -> None:
    from rich.console import Console
    from rich.text import Text

    from fulldress.facts import (
        Command,
        Credential,
        Downtime,
        Endpoint,
        FileEffect,
        Health,
        Reboot,
        Restart,
        Unread,
        Webhook,
    )

    out = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else 80)

    def line(text: str, style: str = "") -> None:
        out.print(Text(text, style=style), no_wrap=True, overflow="ellipsis")

    def part(title: str, lines: list[str]) -> None:
        if lines:
            line(f"\n {title}", "bold")
            for text in lines[:_SHOWN]:
                line(f"   {text}")
            if len(lines) > _SHOWN:
                line(f"   and {len(lines) - _SHOWN} more (--json lists all)")

    if result.output:
        click.echo(result.output, nl=not result.output.endswith("\n"), err=True)
    facts = stage.facts()
    cut = ", cut off" if result.timed_out else ""
    line(f"exit code {result.exit_code} after {result.duration.total_seconds():.2f} s{cut}", "bold")
    effects = [fact for fact in facts if isinstance(fact, FileEffect)]
    lines: list[str] = []
    for effect in effects:
        detail = effect.detail.splitlines()
        lines.append(f"{effect.action:<7} {effect.path}" + (f"  {detail[0]}" if len(detail) == 1 else ""))
        changes = [d for d in detail if d[:1] in "+-" and d[:3] not in ("+++", "---")] if len(detail) > 1 else []
        lines += [f"        {change}" for change in changes[:4]]
        if len(changes) > 4:
            lines.append(f"        … {len(changes) - 4} more lines")
    part(f"Files: {len(effects)}", lines)
    part("Connections", [
        f"{f.outcome:<10} {f.scheme}://{f.host}{f':{f.port}' if f.port else ''}{f' × {f.count}' if f.count > 1 else ''}"
        f"  {f.policy or 'not in production.toml'}  {f.evidence.excerpt}"
        for f in facts if isinstance(f, Endpoint)
    ])  # fmt: skip
    part("Commands", [
        f"{'-' if f.exit_code is None else f.exit_code!s:>3} {' '.join(f.argv)}{f'  ({f.note})' if f.note else ''}"
        for f in facts if isinstance(f, Command)
    ])  # fmt: skip
    rest = [f"{f.action} {f.unit}: {f.outcome}" for f in facts if isinstance(f, Restart)]
    rest += [f"the host goes down: {f.claim} {f.command}" for f in facts if isinstance(f, Reboot)]
    rest += [f"down for {f.duration.total_seconds():.2f} s: {f.basis}" for f in facts if isinstance(f, Downtime)]
    rest += [f"{f.subject} {f.outcome}: {f.detail}" for f in facts if isinstance(f, Health)]
    part("Services", rest)
    part("Left behind", [f"webhook {f.target} at {f.registry}" for f in facts if isinstance(f, Webhook)]
         + [f"{f.kind} {f.name}" for f in facts if isinstance(f, Credential)])  # fmt: skip
    part("Not seen", [f"{f.what}: {f.detail or f.reason.value}" for f in facts if isinstance(f, Unread)])
