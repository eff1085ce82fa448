"""Documentation that cannot rot: what a user can type, write or meet is documented, and no link between pages is dead.

``FULLDRESS_WRITE_DOCS=1 python -m pytest tests/test_docs.py`` writes docs/reference/commands.md anew."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
import msgspec
import pytest

from fulldress import errors
from fulldress.cli import COMMANDS
from fulldress.cli.group import cli
from fulldress.production import description
from fulldress.runbook import steps

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
COMMAND_PAGE = DOCS / "reference/commands.md"
HEAD = """\
# Commands

Data goes to standard output, talk and progress to standard error. `--json` gives data for programs, `NO_COLOR` plain text;
output that is piped is plain, too. [Exit codes](exit-codes.md) tell the verdict. Nothing is asked without a terminal: say
`--yes`. `fulldress COMMAND --help` prints the same as this page. [Shell completion](../how-to/shell-completion.md) knows
all of it.

`fulldress --version` prints the version, `fulldress --help` (`-h`) the commands.

"""


# -- commands -----------------------------------------------------------------------------------------------------------


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words, groups before what is in them."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield (*path, name), command
            if isinstance(command, click.Group):
                yield from commands(command, (*path, name))


def page() -> str:
    """docs/reference/commands.md, from the commands themselves."""
    return HEAD + "\n".join(_section(path, command) for path, command in commands())


def _section(path: tuple[str, ...], command: click.Command) -> str:
    context = click.Context(command, info_name=" ".join(("fulldress", *path)))
    lines = [f"{'#' * (len(path) + 1)} fulldress {' '.join(path)}", ""]
    lines += ["```", f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}", "```", ""]
    lines += [" ".join(paragraph.split()) + "\n" for paragraph in (command.help or "").split("\n\n") if paragraph]
    options = [o for o in command.params if isinstance(o, click.Option)]
    if options:
        lines += ["| option | meaning |", "|---|---|", *(_row(option, context) for option in options), ""]
    return "\n".join(lines)


def _row(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
    extra = option.get_help_extra(context)
    notes = [f"default {extra['default']}"] if "default" in extra else []
    notes += ["required"] if option.required else []
    notes += ["may be repeated"] if option.multiple else []
    notes += [f"or `{option.envvar}`"] if option.envvar else []
    text = (option.help or "").strip()
    if notes:
        text = f"{text} ({'; '.join(notes)})".strip()
    return f"| {names}{value.replace('|', chr(92) + '|')} | {text.replace('|', chr(92) + '|')} |"


def test_the_page_of_commands_is_in_step() -> None:
    if os.environ.get("FULLDRESS_WRITE_DOCS"):
        COMMAND_PAGE.write_text(page(), encoding="utf-8")
    assert COMMAND_PAGE.read_text(encoding="utf-8") == page(), "write it anew: FULLDRESS_WRITE_DOCS=1"


def test_every_command_and_option_says_what_it_is_for() -> None:
    mute = [
        f"fulldress {' '.join(path)}" + (f" {parameter.opts[-1]}" if parameter is not None else "")
        for path, command in commands()
        for parameter in (None, *(p for p in command.params if isinstance(p, click.Option)))
        if not (command.help if parameter is None else parameter.help)
    ]
    assert not mute, f"without a help text: {mute}"


def test_commands_offer_json() -> None:
    """Those that tell something; the others only write files, or carry out somebody's program."""
    exempt = {"init", "report"}
    silent = [
        path
        for path, command in commands()
        if not isinstance(command, click.Group) and path[0] not in exempt
        and not any("--json" in p.opts for p in command.params)
    ]  # fmt: skip
    assert not silent, f"without --json: {silent}"


def test_every_command_of_the_list_has_its_module() -> None:
    assert {path[0] for path, _ in commands()} == set(COMMANDS)


# -- what users write -----------------------------------------------------------------------------------------------------


def structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """A struct and every struct that its fields lead to."""
    for inner in get_args(kind):
        yield from structs(inner)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        for field in msgspec.structs.fields(kind):
            yield from structs(field.type)


def undocumented(kind: Any, text: str) -> list[str]:
    """Fields whose name the page does not show as code."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    shown = set(re.findall(r"[A-Za-z_0-9]+", " ".join(re.findall(r"`([^`]+)`", text))))
    fields = {(found.__name__, f.encode_name) for found in structs(kind) for f in msgspec.structs.fields(found)}
    return sorted(f"{name}.{key}" for name, key in fields if key not in shown)


def test_every_key_of_production_toml_is_documented() -> None:
    text = (DOCS / "reference/production-toml.md").read_text(encoding="utf-8")
    assert undocumented(description.Description, text) == []


def test_every_key_of_a_runbook_is_documented() -> None:
    text = (DOCS / "reference/runbook.md").read_text(encoding="utf-8")
    assert undocumented(steps.Runbook, text) == []
    kinds = {str(kind.__struct_config__.tag) for kind in get_args(steps.AnyStep)}
    missing = sorted(kind for kind in kinds if f"| `{kind}` |" not in text)
    assert missing == [], "kinds of steps without a line"


# -- exit codes -----------------------------------------------------------------------------------------------------------

#: Verdicts and ends by a signal are not errors.
NO_ERRORS = {0, 1, 3, 129, 130, 143}


def kinds_of_errors(kind: type[errors.FulldressError] = errors.FulldressError) -> Iterator[type[errors.FulldressError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from kinds_of_errors(below)


def test_exit_codes_and_error_classes_agree() -> None:
    text = (DOCS / "reference/exit-codes.md").read_text(encoding="utf-8")
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} | {129}
    raised = {kind.exit_code for kind in kinds_of_errors()}
    assert told - NO_ERRORS <= raised, f"documented, and no error class has it: {told - NO_ERRORS - raised}"
    assert raised <= told, f"error classes, and not documented: {raised - told}"


def test_every_error_is_a_sentence_with_its_own_words() -> None:
    mute = [kind.__name__ for kind in kinds_of_errors() if not (kind.__dict__.get("__doc__") or "").strip()]
    assert mute == []


# -- links ----------------------------------------------------------------------------------------------------------------

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])


def anchors(text: str) -> set[str]:
    """As code hosts make them of headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("source", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(source: Path) -> None:
    text = re.sub(r"```.*?```", "", source.read_text(encoding="utf-8"), flags=re.DOTALL)
    dead = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = source.parent / name if name else source
        if not place.exists() or (
            anchor and place.suffix == ".md" and anchor not in anchors(place.read_text(encoding="utf-8"))
        ):
            dead.append(target)
    assert dead == []
