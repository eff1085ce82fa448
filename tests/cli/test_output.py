"""Output as other programs and other terminals need it: plain when piped, JSON by the published schema, completion."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import skiff

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/reference/schema/view.json").read_text(encoding="utf-8"))
ESCAPE = re.compile(r"\x1b")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf")
    skiff.package(folder / "skiff.tar.gz")
    skiff.production(folder / "production")
    return folder


def surroundings(**more: str) -> dict[str, str]:
    hidden = {"NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "FULLDRESS_CASES"}
    return {name: value for name, value in os.environ.items() if name not in hidden} | more


def piped(shelf: Path, *argv: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fulldress", *argv],
        cwd=shelf, env=surroundings(**more), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def on_terminal(shelf: Path, *argv: str, **more: str) -> str:
    """What a terminal of 80 columns shows."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "fulldress", *argv],
        cwd=shelf, env=surroundings(TERM="xterm-256color", COLUMNS="80", **more), stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end was closed
            break
        if not part:
            break
        shown += part
    child.wait()
    os.close(ours)
    return shown.decode()


SCREENS = [
    ("inspect", "skiff.tar.gz"),
    ("check", "skiff.tar.gz", "-p", "production", "--no-case"),
    ("explain", "FD301"),
]


@pytest.mark.parametrize("argv", SCREENS, ids=lambda argv: argv[0])
def test_piped_output_is_plain_and_fits(shelf: Path, argv: tuple[str, ...]) -> None:
    done = piped(shelf, *argv)
    assert done.returncode in (0, 1, 3) and done.stdout
    assert not ESCAPE.search(done.stdout + done.stderr)
    if argv[0] != "explain":
        assert max(map(len, done.stdout.splitlines())) <= 80


def test_no_color_is_respected_and_without_it_there_is_colour(shelf: Path) -> None:
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert coloured.search(on_terminal(shelf, "inspect", "skiff.tar.gz"))
    assert not coloured.search(on_terminal(shelf, "inspect", "skiff.tar.gz", NO_COLOR="1"))


@pytest.mark.parametrize("argv", SCREENS[:2], ids=lambda argv: argv[0])
def test_json_is_what_the_published_schema_says(shelf: Path, argv: tuple[str, ...]) -> None:
    done = piped(shelf, *argv, "--json")
    assert done.stderr == ""
    view = json.loads(done.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(view)
    assert view["kind"] == argv[0] and view["package"]["name"] == "skiff.tar.gz"
    assert done.returncode == {"pass": 0, "fail": 1, "unknown": 3}[view["verdict"]["outcome"]]
    assert {fact["fact"] for fact in view["facts"]} >= {"Entry", "Schedule", "Migration", "Release"}


def test_the_schema_refuses_what_is_none() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert not validator.is_valid({}) and not validator.is_valid({"kind": "inspect", "facts": [{"fact": "Nonsense"}]})


def test_same_input_same_json(shelf: Path) -> None:
    def view() -> dict[str, object]:
        found: dict[str, object] = json.loads(
            piped(shelf, "inspect", "skiff.tar.gz", "--json", "--at", "2026-11-20").stdout
        )
        found.pop("made", None)
        return found

    assert view() == view()


def test_a_reader_that_goes_away_is_no_error(shelf: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "fulldress", "inspect", "skiff.tar.gz", "--json"],
        cwd=shelf, env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert child.stdout is not None and child.stderr is not None
    child.stdout.close()
    assert child.stderr.read() == b""
    assert child.wait() in (0, 1, 3)
    child.stderr.close()


@pytest.mark.parametrize(("shell", "sign"), [("bash", "complete -o nosort"), ("zsh", "#compdef fulldress"), ("fish", "complete --no-files")])  # fmt: skip
def test_the_completion_script(shelf: Path, shell: str, sign: str) -> None:
    code = "from fulldress.cli import main; import sys; sys.argv[0] = 'fulldress'; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=surroundings(_FULLDRESS_COMPLETE=f"{shell}_source"), capture_output=True, text=True, check=False, cwd=shelf,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == ""
    assert sign in done.stdout and "_FULLDRESS_COMPLETE" in done.stdout
    page = (ROOT / "docs/how-to/shell-completion.md").read_text(encoding="utf-8")
    assert f"_FULLDRESS_COMPLETE={shell}_source fulldress" in page


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("fulldress insp", "inspect"), ("fulldress check --fail-on bl", "blocker"), ("fulldress database ", "trace"), ("fulldress inspect --ag", "--against")],
)  # fmt: skip
def test_completion_knows_commands_options_and_choices(shelf: Path, typed: str, offered: str) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)}
    done = piped(shelf, _FULLDRESS_COMPLETE="bash_complete", **words)
    assert f"plain,{offered}" in done.stdout.splitlines()
