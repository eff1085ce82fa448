"""Nothing a test does reaches the user's own folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# how long one example takes says more of the machine's load than of the reader; readers have limits of their own
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def own_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What inspected packages leave behind for ``fulldress keys`` goes into a folder of the test's own."""
    folder: Path = tmp_path_factory.getbasetemp() / "store"
    monkeypatch.setenv("FULLDRESS_STORE", str(folder))
    return folder
