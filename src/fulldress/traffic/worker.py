"""The generator as a process of its own: ``python -m fulldress.traffic.worker PLAN.json OUT.json``.

It stops on SIGTERM, SIGINT, when the plan's stop file appears, or when its seconds are over, and writes ``OUT.json``
whole or not at all. A process apart keeps the generator's clock free of whatever else the rehearsal does, and lets the
stage start it inside its network.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvloop

from fulldress.errors import BadPlan, FulldressError
from fulldress.production.description import Query
from fulldress.traffic import generator, sql
from fulldress.traffic.samples import Record, Samples
from fulldress.traffic.workload import Workload


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to send. Either or both of HTTP (``workload`` to ``target``) and SQL (``queries`` to ``dsn``).

    ``connect`` replaces the target's host: ``host:port`` or the path of a Unix socket. ``started_file`` is created when
    sending begins. ``isolated`` says that the process has no route out of this machine."""

    workload: Workload | None = None
    target: str = ""
    connect: str = ""
    dsn: str = ""
    queries: tuple[Query, ...] = ()
    seconds: float | None = None
    seed: int = 0
    connections: int = generator.CONNECTIONS
    sessions: int = sql.CONNECTIONS
    drain: float = generator.DRAIN
    stop_file: str = ""
    started_file: str = ""
    isolated: bool = False


class _Out(msgspec.Struct, kw_only=True):
    http: Record | None = None
    sql: Record | None = None
    error: str = ""


def write(plan: Plan, path: Path) -> None:
    """Put a plan where :func:`command` will read it."""
    path.write_bytes(msgspec.json.encode(plan))


def command(plan: Path, out: Path) -> list[str]:
    """The command line of the process, for :class:`subprocess.Popen` or the stage."""
    return [sys.executable, "-m", "fulldress.traffic.worker", str(plan), str(out)]


def collect(out: Path) -> tuple[Samples | None, Samples | None]:
    """(HTTP, SQL) samples of a process that has ended. Raises :class:`BadPlan` with what it said when it failed."""
    try:
        record = msgspec.json.decode(out.read_bytes(), type=_Out)
    except FileNotFoundError:
        raise BadPlan(out, "the generator ended without a result") from None
    except msgspec.DecodeError as error:
        raise BadPlan(out, f"its result is damaged ({error})") from None
    if record.error:
        raise BadPlan(out, record.error)
    return (
        Samples.from_record(record.http) if record.http else None,
        Samples.from_record(record.sql) if record.sql else None,
    )


async def carry_out(plan: Plan, stop: Callable[[], bool]) -> tuple[Samples | None, Samples | None]:
    """Both kinds of traffic at once, on one clock."""
    unset: list[Samples | None] = [None, None]

    async def http() -> None:
        if plan.workload is not None and plan.target:
            unset[0] = await generator.replay(
                plan.workload, plan.target, stop=stop, seed=plan.seed, connect=_address(plan.connect),
                seconds=plan.seconds, connections=plan.connections, drain=plan.drain, isolated=plan.isolated,
            )  # fmt: skip

    async def statements() -> None:
        if plan.queries and plan.dsn:
            unset[1] = await sql.replay(
                plan.dsn, plan.queries, stop=stop, seed=plan.seed, seconds=plan.seconds, connections=plan.sessions,
                drain=plan.drain, isolated=plan.isolated,
            )  # fmt: skip

    if plan.started_file:
        Path(plan.started_file).touch()
    problem: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(http())
            group.create_task(statements())
    except* FulldressError as errors:
        # raised below: what an "except*" block raises is wrapped again by Python before 3.11.4
        problem = errors.exceptions[0]
    if problem is not None:
        raise problem from None
    return unset[0], unset[1]


def _address(text: str) -> generator.Connect | None:
    if not text:
        return None
    if text.startswith("/"):
        return Path(text)
    host, _, port = text.rpartition(":")
    return host, int(port)


def main(argv: list[str]) -> int:
    """Returns 0 when a result was written, else 7."""
    plan_path, out = Path(argv[0]), Path(argv[1])
    stopped = False

    def stop_now(*_: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop_now)
    signal.signal(signal.SIGINT, stop_now)
    result = _Out()
    try:
        try:
            plan = msgspec.json.decode(plan_path.read_bytes(), type=Plan)
        except (OSError, msgspec.DecodeError) as error:
            raise BadPlan(plan_path, str(error)) from None
        stop_file = Path(plan.stop_file) if plan.stop_file else None
        parent = os.getppid()
        _be_punctual()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            http, statements = runner.run(
                carry_out(
                    plan,
                    # A rehearsal that was killed leaves no generator behind.
                    lambda: stopped or os.getppid() != parent or (stop_file is not None and stop_file.exists()),
                )
            )
        result.http = msgspec.convert(http.to_record(), Record) if http is not None else None
        result.sql = msgspec.convert(statements.to_record(), Record) if statements is not None else None
    except FulldressError as error:
        result.error = str(error)
    beside = out.with_name(out.name + ".part")
    beside.write_bytes(msgspec.json.encode(result))
    beside.replace(out)
    return 7 if result.error else 0


def _be_punctual() -> None:
    """No collection of garbage while requests are due, and ahead of others on the machine where that is allowed."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    except PermissionError:
        return  # late sending would show in the send lag


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
