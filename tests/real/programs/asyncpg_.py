"""asyncpg: scripts, prepared statements, cursors, COPY of records, a time limit; prints what it saw."""

from __future__ import annotations

import asyncio
import os

import asyncpg


async def said(what: str, job: object) -> None:
    try:
        print(what, await job)  # type: ignore[misc]
    except (TimeoutError, asyncpg.PostgresError) as error:
        print(
            what, "refused", type(error).__name__, getattr(error, "sqlstate", ""), getattr(error, "position", ""), error
        )


async def main() -> None:
    line = await asyncpg.connect(os.environ["DATABASE_URL"])
    line.add_log_listener(lambda _, one: print("notice", one.sqlstate, one.message))
    await said(
        "script",
        line.execute(
            "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'); DROP TABLE IF EXISTS no"
        ),
    )
    await said("bad script", line.execute("ALTER TABLE t ADD COLUMN x int; SELECT 1/0"))
    await said("alter", line.execute("ALTER TABLE t ADD COLUMN y int"))
    await line.executemany("INSERT INTO t VALUES ($1, $2)", [(n, str(n)) for n in range(2, 2000)])
    await said("fetch", line.fetch("SELECT count(*) AS n, sum(id) AS s FROM t"))
    await said("prepared ddl", line.fetch("ALTER TABLE t ADD COLUMN z int"))
    statement = await line.prepare("SELECT id FROM t WHERE id > $1 ORDER BY id LIMIT 3")
    await said("prepared", statement.fetch(5))
    async with line.transaction():
        await line.execute("ALTER TABLE t ADD COLUMN w int")
        total = 0
        async for row in line.cursor("SELECT id FROM t ORDER BY id", prefetch=100):
            total += row[0]
        print("cursor", total)
        try:
            async with line.transaction():
                await line.execute("ALTER TABLE t ADD COLUMN gone int")
                await line.execute("SELECT 1/0")
        except asyncpg.PostgresError as error:
            print("inner", error.sqlstate)
    await said(
        "records", line.copy_records_to_table("t", records=[(n, "c") for n in range(9000, 12000)], columns=["id", "v"])
    )
    await said("same again", line.copy_records_to_table("t", records=[(9000, "c")], columns=["id", "v"]))
    await said("time", line.fetch("SELECT pg_sleep(20)", timeout=0.3))
    await said("after", line.fetchval("SELECT count(*) FROM t"))
    await said("index", line.execute("CREATE INDEX CONCURRENTLY tv ON t (v)"))
    await said("index in a script", line.execute("SELECT 1; REINDEX INDEX CONCURRENTLY tv"))
    await said("bad", line.fetch("SELECT nope FROM t"))
    await said("twice", line.execute("INSERT INTO t VALUES (1, 'again')"))
    await line.close()


asyncio.run(main())
