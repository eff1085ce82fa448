"""A place to rehearse in whose every trace can be seen: its own temporary folder, its own records of servers."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from fulldress.database import records


class Ground:
    """``folder`` for the test's own files; ``temporary`` and ``cache`` belong to the rehearsal."""

    def __init__(self, folder: Path, templates: Path) -> None:
        self.folder = folder
        self.temporary = folder / "t"
        self.cache = folder / "c"
        self.temporary.mkdir()
        self.cache.mkdir()
        (self.cache / "postgres").symlink_to(templates)
        self.bases: set[Path] = set()

    def surroundings(self) -> dict[str, str]:
        return {
            **os.environ,
            "TMPDIR": str(self.temporary),
            "FULLDRESS_CACHE": str(self.cache),
            "FULLDRESS_CASES": str(self.folder / "cases"),
        }

    def look(self, words: str = "") -> None:
        """Note the servers that run by now."""
        for path in (self.cache / "servers").glob("*.json"):
            self.bases.add(Path(msgspec.json.decode(path.read_bytes(), type=records.Record).base))

    def left(self) -> list[str]:
        """Processes, mounts, folders, servers and databases that are still there."""
        marks = [str(self.temporary), *map(str, self.bases)]
        found = [f"folder {path}" for path in self.temporary.iterdir()]
        found += [f"server {path}" for path in self.bases if path.exists()]
        found += [f"record {path}" for path in (self.cache / "servers").glob("*.json")]
        found += [f"mount {line}" for line in Path("/proc/self/mountinfo").read_text().splitlines() if marks[0] in line]
        found += [f"process {name}" for name in _processes(marks)]
        return found

    def nothing_left(self, patience: float = 10.0) -> None:
        """Assert it; guards end what was theirs within moments after their owner."""
        assert wait_for(lambda: not self.left(), patience), self.left()


def wait_for(condition: Callable[[], object], patience: float = 30.0) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _processes(marks: list[str]) -> Iterator[str]:
    """Living processes that name one of the marks in their command line, environment or working folder."""
    own = os.getpid()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == own:
            continue
        try:
            text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            place = str((folder / "cwd").readlink())
        except OSError:
            continue  # gone meanwhile, a zombie, or somebody else's
        words = text.decode(errors="replace") + place
        if any(mark in words for mark in marks):
            yield f"{folder.name} {text.split(bytes(1))[0].decode(errors='replace')}"


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data directories as initdb makes them, made once."""
    return tmp_path_factory.mktemp("templates")


@pytest.fixture
def ground(tmp_path: Path, templates: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    made = Ground(tmp_path, templates)
    monkeypatch.setattr(tempfile, "tempdir", str(made.temporary))
    monkeypatch.setenv("FULLDRESS_CACHE", str(made.cache))
    return made
