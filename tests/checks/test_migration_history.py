"""Rules on how migrations run, where a package carries every migration since its first release."""

from __future__ import annotations

import msgspec

from fulldress import checks
from fulldress.facts import Change, Evidence, Migration, Witness
from fulldress.findings import Finding, Severity

RULES = ("FD205", "FD206", "FD211")


def migration(number: int, current: bool | None = None) -> Migration:
    name = f"{number:04}_step"
    return Migration(
        witness=Witness.READ, evidence=Evidence(path=f"sql/{name}.sql", line=1, source="4f1c9ab2"), name=name,
        path=f"sql/{name}.sql", dialect="postgresql", statements=3, heavy=("ALTER TABLE orders ALTER total TYPE bigint",),
        transaction=False, takes_lock=False, sets_lock_timeout=False, current=current,
    )  # fmt: skip


def found(*migrations: Migration) -> dict[str, Finding]:
    return {f.rule: f for f in checks.judge(migrations) if f.rule in RULES}


def test_a_history_shows_its_last_three_and_says_how_many_more_there_are() -> None:
    findings = found(*(migration(n) for n in range(1, 41)))
    assert sorted(findings) == list(RULES)
    for finding in findings.values():
        assert "40 of 40 migrations since the first release" in finding.title
        assert [t.evidence.path for t in finding.testimony[:3]] == [f"sql/{n:04}_step.sql" for n in (40, 39, 38)]
        assert [t.says for t in finding.testimony[3:]] == ["and 37 more (--json has them all)"]


def test_a_short_list_is_told_whole_where_nothing_is_known_of_the_release() -> None:
    for finding in found(*(migration(n) for n in range(1, 5))).values():
        assert "since the first release" not in finding.title
        assert len(finding.testimony) == 4


def test_those_of_earlier_releases_are_left_out_of_a_short_list_too() -> None:
    for finding in found(migration(1, current=False), migration(2, current=True)).values():
        assert [t.evidence.path for t in finding.testimony] == ["sql/0002_step.sql"]


def test_all_of_this_release_are_told_however_many_there_are() -> None:
    old, new = [migration(n, current=False) for n in range(1, 21)], [migration(n, current=True) for n in range(21, 26)]
    for finding in found(*old, *new).values():
        assert "since the first release" not in finding.title
        assert len(finding.testimony) == 5


def test_a_release_without_migrations_of_its_own_is_a_history() -> None:
    """Which of them run depends on the release before; silence would be wrong."""
    for finding in found(*(migration(n, current=False) for n in range(1, 21))).values():
        assert "20 of 20 migrations since the first release" in finding.title


def test_those_of_which_nothing_is_known_are_not_taken_for_old_ones() -> None:
    old, unknown = [migration(n, current=False) for n in range(1, 11)], [migration(n) for n in range(11, 15)]
    for finding in found(*old, *unknown, migration(15, current=True)).values():
        assert "5 of 5 migrations that may be of this release" in finding.title


def test_a_loss_in_an_earlier_release_does_not_stop_this_one() -> None:
    lossy = msgspec.structs.replace(migration(1, current=False), destructive=("ALTER TABLE orders DROP note",))
    (told,) = [f for f in checks.judge([lossy, migration(2, current=True)]) if f.rule == "FD201"]
    assert told.severity is Severity.MAJOR and told.title.startswith("1 of 2 migrations since the first release")


def test_beside_an_older_release_those_that_came_since_are_told_alone() -> None:
    step = Change(
        witness=Witness.READ, evidence=Evidence(path="x"), rank=0, family="Release", what="changed", subject="app",
        before="1.0", after="2.0",
    )  # fmt: skip
    old, new = [migration(n, current=False) for n in range(1, 41)], [migration(n, current=True) for n in range(41, 43)]
    findings = checks.judge([*old, *new, step])
    assert {f.rule for f in findings} >= {"FD202", *RULES}
    assert "FD220" not in {f.rule for f in findings}
    for finding in findings:
        assert {t.evidence.path for t in finding.testimony} <= {"sql/0041_step.sql", "sql/0042_step.sql"}
    assert not checks.judge([*old, step])
