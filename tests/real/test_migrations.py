"""Migrations of packages that nobody here wrote: counts, checked by hand once, and statements that have to be found.

They come from ``.cache/real``, which ``test_inspect.py`` fills; a package that is not there is skipped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fulldress.facts import Migration, Unread
from fulldress.package import migrations
from fulldress.package.reader import Options
from fulldress.package.walk import Budget, Opened

pytestmark = pytest.mark.real

CACHE = Path(__file__).parents[2] / ".cache/real"

#: pattern -> tool, least numbers of ways there and back, least numbers by kind of effect, and (part of a name, kind, table)
EXPECTED: dict[str, tuple[str, int, int, dict[str, int], list[tuple[str, str, str]]]] = {
    "matrix_synapse-*": (
        "",
        400,
        0,
        {"lost": 60, "index": 20, "rewrite": 20},
        [("01_drop_old_tables", "lost", "event_txn_id")],
    ),
    "apache_airflow_core-*": (
        "alembic",
        110,
        110,
        {"lost": 40, "scan": 60, "index": 40, "rewrite": 20},
        [("remove_team_id", "lost", "")],
    ),
    "ghost-*": (
        "knex",
        340,
        320,
        {"lost": 10, "rows": 80, "rename": 3},
        [("drop-newsletters-border-color-column", "lost", "newsletters")],
    ),
    "mediawiki_*": ("", 250, 0, {"lost": 30, "rewrite": 100, "index": 40}, []),
    "cacti_*": ("dbconfig-common", 1, 0, {"rights": 1}, []),
}


@pytest.mark.parametrize("pattern", EXPECTED)
def test_what_real_migrations_do(pattern: str) -> None:
    path = next(iter(sorted(CACHE.glob(pattern))), None)
    if path is None:
        pytest.skip(f"{pattern} is not in the cache")
    tool, ups, downs, kinds, named = EXPECTED[pattern]
    with Opened(path, Budget(), Options()) as package:
        facts = list(migrations.read(package))
    found = [fact for fact in facts if isinstance(fact, Migration)]
    assert Counter(m.direction for m in found)["up"] >= ups
    assert Counter(m.direction for m in found)["down"] >= downs
    assert not tool or Counter(m.tool for m in found)[tool] >= ups + downs
    counted: Counter[str] = Counter(e.kind for m in found if m.direction == "up" for e in m.effects)
    assert {kind: counted[kind] for kind, least in kinds.items() if counted[kind] < least} == {}
    for part, kind, table in named:
        effects: list[Any] = [e for m in found if part in m.name and m.direction == "up" for e in m.effects]
        assert any(e.kind == kind and (not table or e.table == table) and e.line for e in effects), (part, effects)
    assert all(not m.disorder for m in found)
    # what is not understood is told in a few lines, not one a migration
    assert len([fact for fact in facts if isinstance(fact, Unread)]) <= 6
