"""Clones of files: data directories and base backups, copied and cut off; what is refused and in which words."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fulldress.database.postgres import Clone, Server, datadir, installations
from fulldress.database.postgres.origin import Origin, opened
from fulldress.errors import BadDataFolder


@pytest.fixture(scope="module")
def stopped() -> Iterator[tuple[Path, Path, Path]]:
    """A data directory of a server that was shut down, with a tablespace elsewhere; and two base backups of it."""
    top = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    one = next(one for one in installations() if (one.bin / "pg_basebackup").is_file())
    with Server(one) as server:
        space = server.base / "space"
        space.mkdir()
        shutil.chown(space, server.base.joinpath("data").stat().st_uid)
        clone = server.create("shop")
        clone.execute(
            f"""CREATE TABLESPACE elsewhere LOCATION '{space}'; CREATE TABLE orders (id int PRIMARY KEY, ref text);
            INSERT INTO orders SELECT g, 'r' || g FROM generate_series(1, 3000) g;
            CREATE TABLE far (a int) TABLESPACE elsewhere; INSERT INTO far SELECT generate_series(1, 10);
            CREATE PUBLICATION p FOR ALL TABLES""",
            name="m.sql",
            step="",
        )
        with server.session("postgres") as line:
            line.query("ALTER SYSTEM SET lock_timeout = '7s'")
            line.query("ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'")
            line.query("CHECKPOINT")
        for form in ("plain", "tar"):
            words = ["-F", form, *(["-z"] if form == "tar" else ["-T", f"{space}={top / 'mapped'}"])]
            subprocess.run(
                [
                    one.bin / "pg_basebackup",
                    "-D",
                    top / form,
                    "-X",
                    "stream",
                    "-d",
                    server.dsn("postgres", "fulldress"),
                    *words,
                ],
                check=True,
            )
        with pytest.raises(BadDataFolder, match=r"a server runs on it.*--url"):
            datadir.look(server.base / "data")
        process = (server.base / "data" / "postmaster.pid").read_text().split("\n", 1)[0]
        os.kill(int(process), 2)  # SIGINT: fast shutdown
        assert server._guard is not None
        while (server.base / "data" / "postmaster.pid").exists():
            os.sched_yield()
        shutil.copytree(server.base / "data", top / "stopped", symlinks=True)
        shutil.copytree(space, top / "space", symlinks=True)
    link = next((top / "stopped" / "pg_tblspc").iterdir())
    link.unlink()
    link.symlink_to(top / "space")
    yield top / "stopped", top / "plain", top / "tar"
    shutil.rmtree(top)


def signature(top: Path) -> list[tuple[str, int, int, bytes]]:
    return sorted(
        (str(one), one.stat().st_mtime_ns, one.stat().st_size, one.read_bytes())
        for one in top.parent.rglob("*")
        if one.is_file()
    )


@pytest.mark.parametrize("which", [0, 1, 2], ids=["stopped", "plain backup", "tar backup"])
def test_copied_started_and_nothing_of_production_changed(which: int, stopped: tuple[Path, Path, Path]) -> None:
    folder = stopped[which]
    before = signature(folder)
    with opened(Origin(data=folder)) as clone:
        assert clone.name == "shop"
        assert clone.query("SELECT count(*) AS n, (SELECT count(*) FROM far) AS far FROM orders") == [
            {"n": 3000, "far": 10}
        ]
        assert clone.query("SHOW lock_timeout") == [{"lock_timeout": "7s"}]
        assert clone.query("SHOW max_logical_replication_workers") == [{"max_logical_replication_workers": "0"}]
        assert not [gap for gap in clone.unread if gap.needed or "moment" in gap.what]
        run = clone.execute("ALTER TABLE far ADD b int DEFAULT 1; INSERT INTO far VALUES (1, 2)", name="m.sql", step="")
        assert run.error == ""
        other = clone.copy("other")
        assert other.query("SELECT count(*) AS n FROM far") == [{"n": 11}]
    assert signature(folder) == before


def test_one_that_had_not_been_shut_down_says_so(stopped: tuple[Path, Path, Path], tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    shutil.copytree(stopped[0], crashed, symlinks=True)
    control = crashed / "global" / "pg_control"
    data = bytearray(control.read_bytes())
    data[16] = 6
    control.write_bytes(data)
    assert not datadir.look(crashed).clean
    (crashed / "postmaster.pid").write_text("999999999\n")  # nobody
    assert datadir.look(crashed).major
    (crashed / "postmaster.pid").write_text(f"{os.getpid()}\n")  # somebody else, no server
    assert datadir.look(crashed).major


def test_another_major_is_refused_with_the_remedy(stopped: tuple[Path, Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(stopped[0], other, symlinks=True)
    (other / "PG_VERSION").write_text("11\n")
    with pytest.raises(BadDataFolder, match="database add 11"), opened(Origin(data=other)):
        pass


def test_a_tablespace_that_is_missing_is_named(stopped: tuple[Path, Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(stopped[0], other, symlinks=True)
    link = next((other / "pg_tblspc").iterdir())
    link.unlink()
    link.symlink_to(tmp_path / "absent")
    with pytest.raises(BadDataFolder, match="pg_tblspc"), opened(Origin(data=other)):
        pass


def test_several_databases_need_a_choice(stopped: tuple[Path, Path, Path]) -> None:
    with (
        pytest.raises(BadDataFolder, match=r'no database "staff".*shop'),
        opened(Origin(data=stopped[0], database="staff")),
    ):
        pass


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no PG_VERSION"),
        ({"base.tar.zst": b""}, "compressed in a way"),
        ({"base.tar": b"nothing"}, "no base backup"),
        ({"PG_VERSION": b"17", "backup_manifest": b"{}", "global/INCREMENTAL.1": b""}, "incremental"),
        ({"PG_VERSION": b"17"}, "No such file"),
    ],
)
def test_what_is_no_data_directory(files: dict[str, bytes], words: str, tmp_path: Path) -> None:
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    with pytest.raises(BadDataFolder, match=words):
        datadir.look(tmp_path)


def test_a_copy_that_cannot_start_is_one_error(stopped: tuple[Path, Path, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(stopped[0], broken, symlinks=True)
    shutil.rmtree(broken / "pg_xact")
    with pytest.raises(BadDataFolder, match="does not start on a copy"), opened(Origin(data=broken)):
        pass


def test_a_clone_of_this_machine_sorts_as_production(production: Clone) -> None:
    from fulldress.database.postgres import compared

    with production.session() as line:
        assert compared.collation(line, "prod", "C.UTF-8", "") == []
        assert compared.collation(line, "prod", "de_DE.UTF-8", "2.31", copied=True)[0].needed
        assert not compared.collation(line, "prod", "de_DE.UTF-8", "2.31")[0].needed
