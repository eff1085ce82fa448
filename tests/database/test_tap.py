"""Programs behind the tap notice nothing: what they print, and what they leave, is what a direct connection gives."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from fulldress.database.postgres import Clone
from fulldress.database.postgres.tap.messages import FLUSH, SSL, SYNC, Framer, Message, message
from fulldress.database.postgres.wire import Connection

HERE = Path(__file__).parent / "tap"


def psql(clone: Clone, where: Path, *arguments: str, text: str = "") -> str:
    environment = {
        **os.environ,
        "PGHOST": str(where),
        "PGUSER": "postgres",
        "PGDATABASE": clone.name,
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        [clone.server.installation.program("psql"), "-X", *arguments],
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return f"{done.stdout}\n-- stderr\n{done.stderr}\n-- {done.returncode}"


def steady(said: str, clone: Clone) -> list[str]:
    """Without what differs from one run to the next."""
    said = re.sub(r"with PID \d+", "with PID …", said)
    return said.replace(clone.name, "DATABASE").splitlines()


@pytest.fixture
def pair(clone: Clone) -> tuple[Clone, Clone]:
    other = clone.copy(f"{clone.name}-tap")
    yield clone, other
    other.drop()


def test_a_file_of_oddities_reads_the_same(pair: tuple[Clone, Clone]) -> None:
    direct, tapped = pair
    text = (HERE / "odd.sql").read_text()
    wanted = psql(direct, direct.server.socket_folder, text=text)
    tap = tapped.open_tap(always=True)
    tapped.start_watch()
    found = psql(tapped, tap.folder, text=text)
    assert steady(found, tapped) == steady(wanted, direct)


# -- the protocol itself ----------------------------------------------------------------------------------------------


def q(text: str) -> bytes:
    return message(b"Q", text.encode() + b"\0")


def p(text: str, name: str = "") -> bytes:
    return message(b"P", name.encode() + b"\0" + text.encode() + b"\0\0\0")


def b(name: str = "", portal: str = "") -> bytes:
    return message(b"B", portal.encode() + b"\0" + name.encode() + b"\0" + bytes(6))


def d(what: bytes = b"P", name: str = "") -> bytes:
    return message(b"D", what + name.encode() + b"\0")


def e(portal: str = "", rows: int = 0) -> bytes:
    return message(b"E", portal.encode() + b"\0" + rows.to_bytes(4, "big"))


S, H = SYNC, FLUSH
ONE = p("ALTER TABLE lines ADD COLUMN a int") + b() + d() + e()
#: Name -> what is sent, each part after the answer to the part before has ended with ReadyForQuery.
TRACES: dict[str, list[bytes]] = {
    "a zero byte in a query": [message(b"Q", b"SELECT 1\0; SELECT 2\0")],
    "an unterminated quote": [q("SELECT 'a; SELECT 2")],
    "an empty query": [q(""), q(" ; ; ")],
    "an empty one between": [q("SELECT 1;; SELECT 2;")],
    "a pipeline with a transaction": [
        p("BEGIN") + b() + e() + ONE + p("COMMIT") + b() + e() + p("SELECT 1") + b() + e() + S
    ],
    "a portal that is suspended": [
        q("BEGIN"),
        p("SELECT * FROM lines ORDER BY 1 LIMIT 5") + b(portal="c") + e("c", 2) + S,
        e("c", 2) + S,
        e("c", 0) + S,
        q("COMMIT"),
    ],
    "a name twice": [p("SELECT 1", "n") + S, p("SELECT 2", "n") + S, b("n") + d() + e() + S],
    "three queries at once": [q("SELECT 1") + q("ALTER TABLE lines ADD COLUMN z int") + q("SELECT 3")],
    "an error skips to the Sync": [p("SELECT nope") + b() + e() + p("SELECT 1") + b() + e() + S + q("SELECT 2")],
    "two statements before a Sync": [ONE + p("ALTER TABLE lines ADD COLUMN b int") + b() + e() + S],
    "the second fails, both are undone": [
        ONE + p("ALTER TABLE lines ADD COLUMN a int") + b() + e() + S + q("SELECT a FROM lines")
    ],
    "a Flush alone": [p("SELECT 1") + H + b() + H + d() + e() + H + S],
    "rows before a Sync": [p("INSERT INTO lines VALUES (1, 1)") + b() + e() + b() + e() + b() + e() + S],
    "copies both ways in one query": [
        q("CREATE TABLE c (i int)"),
        q("COPY c FROM STDIN; SELECT count(*) FROM c; COPY c TO STDOUT") + message(b"d", b"1\n2\n") + message(b"c"),
    ],
    "a copy that the client gives up": [q("COPY lines FROM STDIN") + message(b"f", b"no more\0"), q("SELECT 1")],
    "a copy with bad data": [q("COPY lines FROM STDIN") + message(b"d", b"x\ty\n") + message(b"c"), q("SELECT 1")],
    "a copy in the extended protocol": [
        p("COPY lines FROM STDIN") + b() + e() + message(b"d", b"9\t9\n") + message(b"c") + S,
        q("SELECT count(*) FROM lines WHERE n = 9"),
    ],
    "a copy whose Sync comes before its data": [
        p("COPY lines FROM STDIN") + b() + d() + e() + S + message(b"d", b"9\t9\n") + message(b"c") + S,
        p("SELECT count(*) FROM lines WHERE n = 9") + b() + e() + S,
    ],
    "a constraint that fails at the end": [
        q("CREATE TABLE a (i int PRIMARY KEY)"),
        q("CREATE TABLE r (i int REFERENCES a DEFERRABLE INITIALLY DEFERRED)"),
        q("INSERT INTO r VALUES (1)"),
        p("INSERT INTO r VALUES (1)") + b() + e() + S,
        q("INSERT INTO r VALUES (1); SELECT 2"),
        q("BEGIN; INSERT INTO r VALUES (1); COMMIT; SELECT 3"),
        q("SELECT 4"),
    ],
    "a call of a function by number": [
        message(b"F", (1397).to_bytes(4, "big") + b"\0\0\0\1\0\0\0\2-5\0\0"),
        q("SELECT 1"),
    ],
    "describing after a simple query": [
        p("ALTER TABLE lines ADD COLUMN k int", "k") + S,
        q("ALTER TABLE lines ADD COLUMN l int"),
        d(b"S", "k") + S,
        b("k") + e() + S,
    ],
    "one after the other without waiting": [
        p("BEGIN")
        + b()
        + e()
        + S
        + ONE
        + S
        + p("COMMIT")
        + b()
        + e()
        + S
        + p("ALTER TABLE lines ADD COLUMN q int")
        + b()
        + e()
        + S
    ],
    "an error in a string": [
        q("SELECT 1; ALTER TABLE lines ADD COLUMN w int; SELECT 1/0; SELECT 4"),
        q("SELECT w FROM lines"),
    ],
    "a transaction over strings": [
        q("BEGIN; ALTER TABLE lines ADD COLUMN w int"),
        q("SAVEPOINT s; ALTER TABLE lines ADD COLUMN v int; ROLLBACK TO s; SELECT 1"),
        q("ALTER TABLE lines ADD COLUMN v int; COMMIT; BEGIN; SELECT 2"),
        q("ROLLBACK; SELECT 3"),
    ],
    "a failed transaction": [q("BEGIN"), q("SELECT 1/0"), q("SELECT 1; COMMIT"), q("COMMIT"), q("SELECT 1")],
    "a notice from a string": [q("DROP TABLE IF EXISTS nix; DROP TABLE IF EXISTS nix2; SELECT 1")],
    "settings told": [
        q("SET application_name = 'x'; SELECT 1"),
        q("SET application_name = 'y'"),
        q("SET client_encoding = 'LATIN1'; SELECT 'é'"),
    ],
    "an unknown message": [message(b"y", b"??")],
    "long rows in a string": [
        q("SELECT repeat('x', 300000); ALTER TABLE lines ADD COLUMN u int; SELECT repeat('y', 300000)")
    ],
}


def spoken(where: Path, database: str, parts: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Every message that the server says, in order, from the first ReadyForQuery on."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(20)
    line.connect(os.fspath(where / ".s.PGSQL.5432"))
    body = (
        b"\0\3\0\0"
        + b"".join(f"{k}\0{v}\0".encode() for k, v in (("user", "postgres"), ("database", database)))
        + b"\0"
    )
    line.sendall((len(body) + 4).to_bytes(4, "big") + body)
    heard: list[tuple[bytes, bytes]] = []
    data = _until_ready(line, b"", [], 1)
    for part in parts:
        line.sendall(part)
        data = _until_ready(line, data, heard, _syncs(part))
    line.close()
    return heard


def _syncs(part: bytes) -> int:
    kinds = [one.kind for one in Framer([bytes([n]) for n in range(256)]).feed(part) if isinstance(one, Message)]
    if b"c" in kinds and kinds.count(b"S") == 2:
        return 1  # the first is swallowed by the COPY
    return kinds.count(b"S") + kinds.count(b"Q") + kinds.count(b"F") or 1


def _until_ready(line: socket.socket, data: bytes, heard: list[tuple[bytes, bytes]], times: int) -> bytes:
    while times:
        while len(data) >= 5 and len(data) > (size := int.from_bytes(data[1:5], "big")):
            kind, body, data = data[:1], data[5 : size + 1], data[size + 1 :]
            if kind in (b"E", b"N"):
                body = re.sub(rb"\0L\d+", b"", body)
            heard.append((kind, body))
            times -= kind == b"Z"
            if not times:
                return data
        more = line.recv(1 << 16)
        if not more:
            heard.append((b"", b"closed"))
            return b""
        data += more
    return data


@pytest.mark.parametrize("name", TRACES)
def test_what_the_server_says_is_the_same_message_by_message(pair: tuple[Clone, Clone], name: str) -> None:
    direct, tapped = pair
    wanted = spoken(direct.server.socket_folder, direct.name, TRACES[name])
    found = spoken(tapped.open_tap(always=True).folder, tapped.name, TRACES[name])
    assert [kind for kind, _ in found] == [kind for kind, _ in wanted]
    assert found == wanted


def test_of_a_run_of_rows_in_a_string_one_look_tells_all(clone: Clone) -> None:
    tap = clone.open_tap(always=True)
    rows = "".join(f"INSERT INTO lines VALUES ({n}, 1);" for n in range(90))
    with Connection(tap.folder, 5432, user="postgres", database=clone.name, application="") as line:
        reply = line.simple(f"{rows} ALTER TABLE lines ADD COLUMN a int; {rows}")
    assert reply.error is None
    clone.close_tap(tap)  # ends when everything is told
    seen = [one.text for one in clone.trace.statements]
    assert [text[:11] for text in seen] == ["INSERT INTO", "ALTER TABLE", "INSERT INTO"]
    assert [one.rows for one in clone.trace.statements] == [90, None, 90]
    locks = {(one.mode, one.object, one.caught) for one in clone.trace.held}
    assert {("AccessExclusiveLock", "lines", "gate"), ("RowExclusiveLock", "lines", "gate")} <= locks


def test_a_program_whose_sockets_are_of_the_newer_family_may_come(clone: Clone) -> None:
    tap = clone.open_tap(always=True, tcp=True)
    with socket.socket(socket.AF_INET6) as line:  # as Java's are
        line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        line.settimeout(20)
        line.connect(("::ffff:127.0.0.1", tap.port))
        line.sendall((8).to_bytes(4, "big") + SSL.to_bytes(4, "big"))
        assert line.recv(1) == b"N"
