"""What happened in an act, in one line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fulldress.facts import Difference, Evidence, FileEffect, Growth, Health, JobRun, Lock, Wait, Witness, Work
from fulldress.rehearsal import words
from fulldress.rehearsal.recorder import theirs

AT = datetime(2026, 11, 29, 1, tzinfo=UTC)
SEEN = {"witness": Witness.OBSERVED, "evidence": Evidence(source="run:1")}


def lock(held: float, mode: str = "AccessExclusiveLock", table: str = "orders") -> Lock:
    return Lock(migration="m", statement="s", mode=mode, object=table, taken=AT, held=timedelta(seconds=held), caught="poll", **SEEN)  # type: ignore[arg-type]  # fmt: skip


def wait(count: int, worst: float) -> Wait:
    span = timedelta(seconds=worst)
    return Wait(victim="v", object="orders", mode="x", blocker="b", migration="m", count=count, worst=span, total=span * count, **SEEN)  # type: ignore[arg-type]  # fmt: skip


def path(name: str, left: bool = True) -> FileEffect:
    return FileEffect(path=name, action="create", left=left, **SEEN)  # type: ignore[arg-type]


def table(name: str, kind: str) -> Difference:
    return Difference(object=name, kind=kind, **SEEN)  # type: ignore[arg-type]


def test_the_longest_lock_and_who_waited() -> None:
    assert words.locked([lock(0.5), lock(97, table="lines"), lock(200, "ShareLock")]) == "lines locked 97 s"
    assert words.locked([lock(0.5), wait(1, 0.4)]) == "orders locked 500 ms: 1 wait, worst 400 ms"
    assert words.locked([lock(2), wait(1200, 96), wait(4, 1)]) == "orders locked 2.0 s: 1,204 waits, worst 96 s"
    assert words.locked([lock(5, "ShareLock"), wait(3, 1)]) == "no table was locked against readers"


def test_a_table_goes_before_its_index() -> None:
    index, table = lock(0.7061, table="orders_pkey"), lock(0.706, table="orders")
    assert words.strongest([index, table]) is table, "of two that are taken at once, the shorter name"
    assert words.strongest([index, table], {"orders_pkey"}) is index
    assert words.strongest([lock(9, "ShareLock")]) is None and words.strongest([]) is None


def test_what_a_statement_did() -> None:
    work = Work(migration="m", statement="s", started=AT, duration=timedelta(), rewritten=("b", "a"), built=("i on a",), **SEEN)  # type: ignore[arg-type]  # fmt: skip
    assert words.statement([work], [lock(1)]) == "AccessExclusiveLock on orders, rewrote a, b, built i on a"
    assert words.statement([], []) == ""


def test_health_names_those_that_are_not_well_first() -> None:
    found = [Health(subject=s, outcome=o, detail="no answer", **SEEN) for s, o in (("a", "pass"), ("b", "unknown"), ("c", "fail"))]  # type: ignore[arg-type]  # fmt: skip
    assert words.health(found) == "not well: c (no answer); not known: b (no answer); well: a"
    assert words.health([]) == "nothing was asked"


def test_the_night_names_the_job_that_would_do_most_harm() -> None:
    runs = [JobRun(schedule="j", due=AT, exit_code=code, duration=timedelta(), **SEEN) for code in (0, 1, None)]  # type: ignore[arg-type]  # fmt: skip
    grown = [
        Growth(schedule=name, partition="/var/log", written=1, over=timedelta(seconds=1), runs_per_hour=1, bytes_per_hour=rate, full_at=AT, **SEEN)  # type: ignore[arg-type]
        for name, rate in (("small", 10.0), ("large", 1.5 * 2**30))
    ]  # fmt: skip
    said = words.night([*runs, *grown])
    assert said == "3 jobs run at their hour, 2 failed or did not end; large writes 1.5 GiB an hour to /var/log"
    assert words.night(runs[:1]) == "1 job run at its hour"
    assert words.night([]) == "0 jobs run at their hour"


def test_the_way_back() -> None:
    assert words.way_back([], 0) == "every file as before"
    assert words.way_back([table("a", "none")], 1) == "1 table equal, row for row; every file as before"
    one = [table("a", "rows lost"), table("b", "none"), path("/x"), path("/y", left=False)]
    assert words.way_back(one, 1) == "1 object differs (a); 1 path differs"
    assert words.way_back([table("a", "schema")], 0) == "1 object differs (a); every file as before", "not one is equal"
    many = [table(n, "rows lost") for n in "cab"]
    assert words.way_back([*many, path("/x"), path("/y")], 4) == "3 objects differ (a, b …); 2 paths differ"


def test_the_engines_own_files_are_not_the_vendors() -> None:
    effects = [path("/var/lib/fulldress"), path("/var/lib/fulldress/entries/ab"), path("/var/lib/fulldressed")]
    assert [e.path for e in theirs([*effects, lock(1)]) if isinstance(e, FileEffect)] == ["/var/lib/fulldressed"]
    assert len(theirs([*effects, lock(1)])) == 2


@given(st.integers(0, 10**15))
def test_sizes_read_short(number: int) -> None:
    said = words.size(number)
    value, unit = said.split()
    assert float(value) <= 1024 or unit == "TiB"
    assert abs(float(value) * 1024 ** ("B", "KiB", "MiB", "GiB", "TiB").index(unit) - number) <= 0.05 * 1024**4
    assert len(said) <= 12


@given(st.integers(0, 10**9))
def test_durations_read_short_and_true(microseconds: int) -> None:
    said = words.seconds(timedelta(microseconds=microseconds))
    value, unit = said.split()
    told = float(value) / (1000 if unit == "ms" else 1)
    assert abs(told - microseconds / 1e6) <= 0.51 and unit in ("ms", "s")
    assert said != "1000 ms"


@given(
    st.lists(st.floats(0, 1e5), max_size=8), st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 1e5)), max_size=8)
)
def test_locked_is_always_one_line(held: list[float], waits: list[tuple[int, float]]) -> None:
    said = words.locked([*map(lock, held), *(wait(*one) for one in waits)])
    assert said and "\n" not in said
    assert ("wait" in said) == bool(held and waits)
