"""``fulldress paths COMPONENT [FROM] TO``."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fulldress.catalog.paths import Path as Found


@click.command(short_help="The way from what runs to what the package brings, stop by stop.")
@click.argument("component")
@click.argument("versions", nargs=-1, required=True, metavar="[FROM] TO")
@click.option("-p", "--production", type=click.Path(path_type=Path, exists=True), help="Folder with production.toml.")
@click.option(
    "--matrices", type=click.Path(path_type=Path, exists=True), help="Records, in place of production's matrices."
)
@click.option("--hold", multiple=True, metavar="COMPONENT", help="A component that must stay as it is.")
@click.option(
    "--at", multiple=True, metavar="COMPONENT=VERSION", help="What another component runs, where no inventory says so."
)
@click.option("--budget", type=click.IntRange(min=1), default=None, help="States to look at before giving up.")
@click.option("--json", "as_json", is_flag=True, help="The path as JSON.")
def command(
    component: str,
    versions: tuple[str, ...],
    production: Path | None,
    matrices: Path | None,
    hold: tuple[str, ...],
    at: tuple[str, ...],
    budget: int | None,
    as_json: bool,
) -> int:
    """The shortest way of COMPONENT from version FROM to version TO, with every stop, and with the moves that other
    components have to make on the way. Without FROM, from what runs in production.

    Exit code 0 when there is a way, 1 when it is proven that there is none, 3 when data is missing that decides.
    """
    from fulldress.catalog import joining, paths, records
    from fulldress.errors import UsageError

    words = [word for word in versions if word not in ("→", "->", "to", "──►")]
    if len(words) not in (1, 2):
        raise UsageError("give one version (TO) or two (FROM TO).")
    facts: list[Any] = []
    known: list[records.Record] = []
    if production is not None:
        from fulldress.production import load

        described = load(production)
        facts = described.facts()
        known = records.load(matrices or described.matrices)
    elif matrices is not None:
        known = records.load(matrices)
    else:
        raise UsageError(
            "no records to search: name the production folder with -p, or a folder of records with --matrices."
        )
    there = joining.running(facts)
    for pair in at:
        name, _, version = pair.partition("=")
        if not version:
            raise UsageError(f"--at {pair}: write it as COMPONENT=VERSION.")
        there[name.lower()] = [joining.given(name, version)]
    if len(words) == 2:
        start = words[0]
    else:
        runs = there.get(component.lower(), [])
        if not runs:
            raise UsageError(
                f"no inventory lists {component}: give its version, fulldress paths {component} FROM {words[0]}"
            )
        start = runs[0].version
    graph = joining.graph_for(component, start, words[-1], there, known, joining.knowledge(there, facts))
    found = paths.search(graph, {component: words[-1]}, frozenset(hold), budget or paths.BUDGET)
    if not graph.speaks_of(component):
        found = paths.doubted(found, f"no data on the way of {component} (asked: matrices/*.toml)")
    elif found.possible and graph.lacks(component, words[-1]):
        found = paths.doubted(found, f"no record of a release {component} {words[-1]}")
    if as_json:
        import msgspec

        click.echo(
            msgspec.json.encode(
                {"component": component, "start": start, "target": words[-1], **msgspec.to_builtins(found)}
            )
        )
    else:
        _show(component, start, words[-1], found)
    return {True: 0, False: 1, None: 3}[found.possible]


def _show(component: str, start: str, target: str, found: Found) -> None:
    own = [
        start,
        *(
            step.new + (" (required stop)" if step.required else "")
            for step in found.steps
            if step.component == component
        ),
    ]
    if found.steps:
        _say(" ──► ".join(own))
        width = max(len(step.component) for step in found.steps)
        for number, step in enumerate(found.steps, 1):
            click.echo(
                f" {number:>2}  {step.component:<{width}}  {step.old} ──► {step.new}"
                + ("  required stop" if step.required else "")
            )
            if step.one_way:
                _say(f"no way back after this: {step.one_way}", "     ")
        count = len(found.steps)
        _say(
            f"{count} step{'s' * (count != 1)}, shortest"
            + ("" if found.possible else "; only if what is unknown below fits")
        )
    elif found.possible:
        _say(f"{component} {target} runs already")
    elif found.possible is False:
        _say(f"no way from {component} {start} to {target}")
        for rule in found.blocked_by:
            _say(f"blocked by: {rule}")
        for rule in found.waivers if len(found.blocked_by) > 1 else ():
            _say(f"would open if this alone were waived: {rule}")
        _say(
            f"nearest that can be reached: {found.nearest}"
            if found.nearest
            else "no other version can be reached either"
        )
    else:
        _say(f"unknown whether there is a way from {component} {start} to {target}")
    for gap in found.unknown:
        _say(f"unknown: {gap}")


def _say(text: str, indent: str = " ") -> None:
    for line in textwrap.wrap(
        text, 79, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False
    ):
        click.echo(line)
