"""Words told by one pass of Hyperscan: the same as by a search for each, on any bytes and for whole packages."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fulldress.facts import encode
from fulldress.package import lookups, read, telling
from fulldress.package.reader import Member, Options
from fulldress.package.telling import WORDS, Telling, holds
from fulldress.package.walk import Budget, Opened

pytest.importorskip("hyperscan")
ASKED = Telling()
ASKED.prepare()


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=6))).map(b"".join))
def test_as_a_search_for_each(data: bytes) -> None:
    assert ASKED.scan(data) == sum(1 << number for number, word in enumerate(WORDS) if word in data)


def test_every_sign_of_a_lookup_is_known() -> None:
    tables = (*lookups._BY_KIND.values(), *lookups._BY_SUFFIX.values())
    assert {pattern.sign for table in tables for pattern in table} <= set(WORDS)


def test_another_member_of_the_same_path_is_searched_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.py", "import os\nos.getenv('X')\n")
    with Opened(path, Budget(), Options()) as package:
        package.telling.prepare()
        member = package.members["a.py"]
        assert holds(package, member, (b"getenv",)) and not holds(package, member, (b"cron",))
        assert holds(package, member, (b"import os",)), "no word of the table"
        other = Member(source="", path="a.py", kind="python", size=4, sha256="", data=b"cron")
        assert holds(package, other, (b"cron",)) and not holds(package, other, (b"getenv",))


def test_facts_are_the_same_with_and_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "example-2.0.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "app/tasks.py",
            "from celery import Celery\napp = Celery()\napp.conf.beat_schedule = {'x': {'task': 't', 'schedule': 60.0}}\n",
        )
        archive.writestr(
            "app/config.py",
            "import os\nA = os.environ['EXAMPLE_A']\nB = os.getenv('EXAMPLE_B', '1')\nC = conf.get('core', 'level')\n",
        )
        archive.writestr("app/jobs.js", "const cron = require('node-cron');\ncron.schedule('0 3 * * *', () => {});\n")
        archive.writestr(
            "app/more.js", "manager.addJob({at: '1 2 3 * * *', name: 'x', job: require.resolve('./x.js')});\n"
        )
        archive.writestr("app/plain.py", "print('nothing')\n" * 10)
    at = datetime(2026, 9, 1, tzinfo=UTC)
    without = read(path, at=at).facts
    asked: list[bytes] = []
    scan = Telling.scan
    monkeypatch.setattr(telling, "PAYS", 0)
    monkeypatch.setattr(Telling, "scan", lambda self, data: asked.append(data) or scan(self, data))
    monkeypatch.setattr("fulldress.package.apart.threading.active_count", lambda: 2)  # the readers in this process
    assert read(path, at=at).facts == without
    assert len(asked) == 5
    told = encode(without)
    missing = [
        word for word in (b"Celery beat", b"EXAMPLE_A", b"EXAMPLE_B", b"core.level", b"node-cron") if word not in told
    ]
    assert not missing
