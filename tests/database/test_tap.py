"""Programs behind the tap notice nothing: what they print, and what they leave, is what a direct connection gives."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from fulldress.database.postgres import Clone

HERE = Path(__file__).parent / "tap"


def psql(clone: Clone, where: Path, *arguments: str, text: str = "") -> str:
    environment = {**os.environ, "PGHOST": str(where), "PGUSER": "postgres", "PGDATABASE": clone.name, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [clone.server.installation.program("psql"), "-X", *arguments],
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return f"{done.stdout}\n-- stderr\n{done.stderr}\n-- {done.returncode}"


def steady(said: str, clone: Clone) -> list[str]:
    """Without what differs from one run to the next."""
    said = re.sub(r"with PID \d+", "with PID …", said)
    return said.replace(clone.name, "DATABASE").splitlines()


@pytest.fixture
def pair(clone: Clone) -> tuple[Clone, Clone]:
    other = clone.copy(f"{clone.name}-tap")
    yield clone, other
    other.drop()


def test_a_file_of_oddities_reads_the_same(pair: tuple[Clone, Clone]) -> None:
    direct, tapped = pair
    text = (HERE / "odd.sql").read_text()
    wanted = psql(direct, direct.server.socket_folder, text=text)
    tap = tapped.open_tap(always=True)
    tapped.start_watch()
    found = psql(tapped, tap.folder, text=text)
    assert steady(found, tapped) == steady(wanted, direct)
