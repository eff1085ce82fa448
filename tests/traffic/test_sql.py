from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from fulldress.errors import BadQuery, FulldressError, NoTraffic, TargetRefused
from fulldress.production.description import Query
from fulldress.traffic import sql
from fulldress.traffic.samples import Failure

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from fulldress.database import postgres

    try:
        installation = postgres.resolve()
    except FulldressError as error:
        pytest.skip(str(error))
    with postgres.Server(installation, tmp_path_factory.mktemp("pg")) as running:
        yield running


@pytest.fixture(scope="module")
def dsn(server: Any) -> str:
    address: str = server.dsn("postgres", "postgres")

    async def fill() -> None:
        connection = await asyncpg.connect(address)
        await connection.execute(
            "CREATE TABLE orders AS SELECT n AS id, 0 AS total FROM generate_series(1, 500) n;"
            "ALTER TABLE orders ADD PRIMARY KEY (id)"
        )
        await connection.close()

    asyncio.run(fill())
    return address


READ = Query(name="read", sql="SELECT * FROM orders WHERE id = $1", per_second=150, draw="SELECT id FROM orders")
WRITE = Query(
    name="write", sql="UPDATE orders SET total = total + 1 WHERE id = $1", per_second=50, draw="SELECT id FROM orders"
)


def test_open_loop_under_a_lock(dsn: str) -> None:
    """A lock of 0.4 s: those who were due meanwhile have waited, and their sessions are known."""
    ready = threading.Event()

    async def hold() -> None:
        connection = await asyncpg.connect(dsn)
        ready.wait(10)
        async with connection.transaction():
            await connection.execute("LOCK orders IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(0.4)
        await connection.close()

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    samples = sql.run(dsn, [READ, WRITE], seconds=1.2, seed=3, stop=lambda: bool(ready.set()))
    thread.join()
    assert 170 <= len(samples) <= 320
    assert not list(samples.outcomes())
    assert max(samples.latency) > 0.25
    assert samples.most_connections > 5
    assert all(pid > 0 for pid in samples.pid)
    waited = [row for row in range(len(samples)) if samples.latency[row] > 0.1]
    assert len(waited) > 20


def test_the_same_seed_gives_the_same_arrivals(dsn: str) -> None:
    first, second = (sql.run(dsn, [READ], seconds=0.3, seed=9) for _ in range(2))
    assert len(first) == pytest.approx(len(second), abs=2)


def test_what_the_server_refuses_is_counted(dsn: str) -> None:
    bad = Query(
        name="odd", sql="SELECT 1 / (id - id) FROM orders WHERE id = $1", per_second=50, draw="SELECT id FROM orders"
    )
    samples = sql.run(dsn, [bad], seconds=0.3)
    assert samples.count(Failure.SQL) == len(samples) > 3
    assert any("division by zero" in words for words in samples.words)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (Query(name="q", sql="SELEKT 1", per_second=1), "syntax error"),
        (Query(name="q", sql="SELECT $1::int", per_second=1), "no draw"),
        (Query(name="q", sql="SELECT $1::int", per_second=1, draw="SELECT 1 WHERE false"), "gives no row"),
        (Query(name="q", sql="SELECT $1::int + $2::int", per_second=1, draw="SELECT 1"), "2 parameters"),
        (Query(name="q", sql="SELECT $1::int", per_second=1, draw="DELETE FROM orders RETURNING id"), "q"),
    ],
)
def test_bad_queries(dsn: str, query: Query, words: str) -> None:
    with pytest.raises(BadQuery, match=words):
        sql.run(dsn, [query], seconds=0.2)


def test_a_server_that_is_not_ours(tmp_path: Path) -> None:
    with pytest.raises(TargetRefused):
        sql.run("postgresql://u@192.0.2.1/x", [READ], seconds=1)
    with pytest.raises(NoTraffic):
        sql.run(f"postgresql://u@/x?host={tmp_path}", [READ], seconds=1)


def test_both_kinds_in_one_process(dsn: str, server: Any, tmp_path: Path) -> None:
    from fulldress.traffic import worker
    from traffic.plans import plan

    worker.write(
        worker.Plan(
            dsn=dsn, queries=(READ,), workload=plan(["/a"], 50, 0.3), target="http://127.0.0.1:1", seconds=0.3
        ),
        tmp_path / "plan.json",
    )  # fmt: skip
    assert worker.main([str(tmp_path / "plan.json"), str(tmp_path / "out.json")]) == 0
    http, statements = worker.collect(tmp_path / "out.json")
    assert http is not None
    assert statements is not None
    assert http.count(Failure.REFUSED) == len(http) == 15
    assert len(statements) > 10
    assert len(http.merged(statements)) == len(http) + len(statements)


def test_nothing_to_send(dsn: str) -> None:
    begun = time.monotonic()
    assert len(sql.run(dsn, [], seconds=5)) == 0
    assert time.monotonic() - begun < 2
