"""A compressed stream that is inflated in a thread."""

from __future__ import annotations

import gzip
import random
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make

from fulldress.package.archives import compressed
from fulldress.package.reader import Options
from fulldress.package.walk import Budget, Opened

_FILES = {f"d/{number}.bin": random.Random(number).randbytes(300_000) for number in range(12)}


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(make.tarred(_FILES), 1))
    return tmp_path / "x.tar.gz"


def seen(path: Path, **budget: float) -> tuple[list[tuple[str, str]], list[str]]:
    with Opened(path, Budget(**budget), Options()) as package:  # type: ignore[arg-type]
        rows = [(member.path, member.sha256) for member in package.members.values()]
        assert not [one for one in threading.enumerate() if one.name.startswith("fulldress")]
        return rows, [gap.detail for gap in package.unread]


def test_a_thread_changes_nothing(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "cores", lambda: 2)
    threaded = seen(packed)
    monkeypatch.setattr(compressed, "cores", lambda: 1)
    assert seen(packed) == threaded and len(threaded[0]) == len(_FILES)


@pytest.mark.parametrize("cut", [0.3, 0.999])
def test_damage_in_the_thread_is_told_as_without(packed: Path, monkeypatch: pytest.MonkeyPatch, cut: float) -> None:
    data = packed.read_bytes()
    packed.write_bytes(data[: int(len(data) * cut)])
    monkeypatch.setattr(compressed, "cores", lambda: 2)
    threaded = seen(packed)
    monkeypatch.setattr(compressed, "cores", lambda: 1)
    assert seen(packed) == threaded and threaded[1]


@pytest.mark.parametrize("budget", [{"bytes": 1_000_000}, {"entries": 3}])
def test_a_budget_ends_the_thread(packed: Path, monkeypatch: pytest.MonkeyPatch, budget: dict[str, int]) -> None:
    monkeypatch.setattr(compressed, "cores", lambda: 2)
    assert seen(packed, **budget)[1]
