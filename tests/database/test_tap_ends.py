"""Clients of the tap that go in the middle, cancel what is held, or insist on encryption."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from fulldress.database.postgres import Clone
from fulldress.database.postgres.tap.messages import CANCEL, Framer, Message, message
from fulldress.database.postgres.wire import Connection, cancel


def opened(where: Path, database: str, minor: int = 0) -> tuple[socket.socket, bytes]:
    """A connection that is ready, and its BackendKeyData."""
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(20)
    line.connect(os.fspath(where / ".s.PGSQL.5432"))
    body = (0x30000 + minor).to_bytes(4, "big") + f"user\0postgres\0database\0{database}\0\0".encode()
    line.sendall((len(body) + 4).to_bytes(4, "big") + body)
    return line, next((one.body for one in heard(line) if one.kind == b"K"), b"")


def heard(line: socket.socket, until: bytes = b"Z") -> list[Message]:
    framer, found = Framer([bytes([n]) for n in range(256)]), []
    while not any(one.kind == until for one in found):
        data = line.recv(1 << 16)
        if not data:
            break
        found += [one for one in framer.feed(data) if isinstance(one, Message)]
    return found


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def alone(clone: Clone) -> bool:
    """No session of a vendor's is at the database."""
    return not clone.query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND usename = 'postgres' AND pid <> pg_backend_pid()"
    )


STRING = "INSERT INTO lines VALUES (-1, 1); SELECT pg_sleep(0.3); ALTER TABLE lines ADD COLUMN late int; INSERT INTO lines VALUES (-2, 2)"


@pytest.mark.parametrize("tapped", [False, True], ids=["direct", "tapped"])
def test_a_client_that_is_killed_in_a_string_leaves_what_the_server_would_have_left(clone: Clone, tapped: bool) -> None:
    where = clone.open_tap(always=True).folder if tapped else clone.server.socket_folder
    line, _ = opened(where, clone.name)
    line.sendall(message(b"Q", STRING.encode() + b"\0"))
    until(lambda: bool(clone.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")), "it sleeps")
    line.close()
    until(lambda: alone(clone), "the session ends")
    assert clone.query("SELECT count(*) AS n FROM lines WHERE order_id < 0") == [{"n": 2}]
    assert clone.query("SELECT count(late) AS n FROM lines") == [{"n": 0}]


@pytest.mark.parametrize("tapped", [False, True], ids=["direct", "tapped"])
def test_a_client_that_is_killed_in_a_copy_leaves_no_row(clone: Clone, tapped: bool) -> None:
    where = clone.open_tap(always=True).folder if tapped else clone.server.socket_folder
    line, _ = opened(where, clone.name)
    line.sendall(message(b"Q", b"COPY lines FROM STDIN\0"))
    heard(line, until=b"G")
    line.sendall(message(b"d", b"-1\t1\n" * 1000) + message(b"d", b"-1\t1\n" * 1000)[:700])  # the last is cut off
    line.close()
    until(lambda: alone(clone), "the session ends")
    assert clone.query("SELECT count(*) AS n FROM lines WHERE order_id < 0") == [{"n": 0}]


def test_what_waits_at_a_gate_can_be_cancelled(clone: Clone) -> None:
    tap = clone.open_tap(always=True)
    there, go = threading.Event(), threading.Event()

    def hold(stop: object) -> None:
        if getattr(stop, "at", "") == "gate":
            there.set()
            go.wait(20)

    tap.stops = hold
    with Connection(tap.folder, 5432, user="postgres", database=clone.name, application="") as line:
        found: list[object] = []
        job = threading.Thread(
            target=lambda: found.append(line.simple("ALTER TABLE lines ADD COLUMN a int; SELECT 1; SELECT 2"))
        )
        job.start()
        assert there.wait(20)
        cancel(tap.folder, 5432, line.pid, line.secret)
        until(lambda: not clone.query("SELECT 1 FROM pg_locks WHERE NOT granted"), "it no longer waits")
        go.set()
        job.join(20)
        assert "57014" in str(getattr(found[0], "error", ""))
        tap.stops = None
        assert line.query("SELECT count(*) AS n FROM lines") == [{"n": 500}]
        assert line.query("SELECT 1 AS a FROM pg_attribute WHERE attrelid = 'lines'::regclass AND attname = 'a'") == []
        assert line.simple("ALTER TABLE lines ADD COLUMN a int; SELECT 1").error is None


def test_a_longer_key_of_cancelling_is_passed_on(clone: Clone) -> None:
    """Protocol 3.2, PostgreSQL 18: 32 bytes instead of 4."""
    tap = clone.open_tap(always=True)
    line, key = opened(tap.folder, clone.name, minor=2)
    assert len(key) == (36 if clone.server.installation.major >= 18 else 8)
    line.sendall(message(b"Q", b"SELECT pg_sleep(60)\0"))
    until(lambda: bool(clone.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")), "it sleeps")
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(os.fspath(tap.folder / ".s.PGSQL.5432"))
        other.sendall((8 + len(key)).to_bytes(4, "big") + CANCEL.to_bytes(4, "big") + key)
        other.settimeout(20)
        assert other.recv(1) == b""
    assert any(one.kind == b"E" and b"57014" in one.body for one in heard(line))
    line.close()


def test_encryption_is_declined_in_the_protocols_own_words(clone: Clone) -> None:
    tap = clone.open_tap(always=True, tcp=True)
    psql = clone.server.installation.program("psql")

    def said(mode: str) -> str:
        url = f"postgresql://postgres@127.0.0.1:{tap.port}/{clone.name}?sslmode={mode}"
        done = subprocess.run([psql, "-XAtc", "SELECT 7", url], capture_output=True, text=True, check=False, timeout=30)
        return done.stdout + done.stderr

    assert said("prefer") == said("disable") == "7\n"
    # what a server without TLS says; a psql that was built without any refuses by itself
    assert "server does not support SSL, but SSL was required" in said("require") or "SSL support" in said("require")


def test_encryption_without_asking_ends_the_connection(clone: Clone) -> None:
    tap = clone.open_tap(always=True, tcp=True)
    with socket.create_connection(("127.0.0.1", tap.port), 20) as line:
        line.sendall(bytes.fromhex("16030100c8010000c4"))  # a ClientHello, as sslnegotiation=direct begins
        with suppress(ConnectionResetError):
            assert line.recv(1) == b""


def test_two_taps_at_once_do_not_meet(clone: Clone) -> None:
    taps = [clone.open_tap(always=True, migration=name) for name in ("first", "second")]
    lines = [Connection(tap.folder, 5432, user="postgres", database=clone.name, application="") for tap in taps]
    texts = [
        f"CREATE TABLE by_{n} (i int); INSERT INTO by_{n} VALUES (1); ALTER TABLE by_{n} ADD COLUMN b int"
        for n in (1, 2)
    ]
    jobs = [threading.Thread(target=line.simple, args=(text,)) for line, text in zip(lines, texts, strict=True)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(20)
    for line in lines:
        line.close()
    assert clone.query("SELECT count(*) AS n FROM by_1 JOIN by_2 USING (i, b)") == [{"n": 0}]
    for tap in taps:
        clone.close_tap(tap)
    assert {(one.migration, one.pid) for one in clone.trace.statements} == {
        ("first", lines[0].pid),
        ("second", lines[1].pid),
    }
    assert clone.query("SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory'") == [{"n": 0}]
