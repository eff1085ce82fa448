"""Clones: from a server, from a dump, copied, kept and put back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fulldress.database.postgres import Clone, Server, installations, resolve
from fulldress.engine.venue import Database
from fulldress.errors import BadDump, DatabaseError, NoSnapshot, TooNew, Unreachable
from fulldress.facts import Unread


def test_it_is_a_database_of_a_venue(clone: Clone) -> None:
    assert isinstance(clone, Database)


def test_from_a_server_with_owners_grants_and_settings(production: Clone, server: Server) -> None:
    clone = server.clone_from(url=production.server.dsn("prod", "shopd"), name="from-url")
    assert clone.role == "shopd"
    assert clone.query("SELECT count(*) AS n FROM orders") == [{"n": 3000}]
    assert clone.query("SHOW lock_timeout") == [{"lock_timeout": "7s"}]
    assert clone.query("SELECT current_user::text AS who") == [{"who": "shopd"}]
    assert clone.query("SELECT has_table_privilege('Odd role', 'app.orders', 'SELECT') AS may") == [{"may": True}]
    assert not [gap for gap in clone.unread if gap.needed]
    clone.drop()


def test_nothing_that_runs_on_production_can_write(production: Clone) -> None:
    from fulldress.database.postgres.source import Address

    address = Address.parse(production.server.dsn("prod", "postgres"))
    done = subprocess.run(
        [installations()[0].program("psql"), "-Xd", address.url, "-c", "DELETE FROM app.orders"],
        env=address.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "read-only transaction" in done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:geheim@127.0.0.1:1/x", "refused"),
        ("mysql://u:geheim@h/x", "postgresql://"),
        ("postgresql://u:geheim@h:99999/x", "no address"),
        ("postgresql://u:geheim@[::1/x", "no address"),
    ],
)
def test_what_cannot_be_reached_is_one_line_without_the_password(url: str, words: str, server: Server) -> None:
    with pytest.raises(Unreachable, match=words) as caught:
        server.clone_from(url=url, name="never")
    assert "geheim" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_database_is_said(production: Clone, server: Server) -> None:
    with pytest.raises(Unreachable, match='"nothing" does not exist'):
        server.clone_from(url=production.server.dsn("nothing", "postgres"), name="never")


@pytest.mark.parametrize("data", [b"", b"no dump", b"PGDMP but damaged"])
def test_a_bad_dump_is_one_error(data: bytes, server: Server, tmp_path: Path) -> None:
    dump = tmp_path / "bad.dump"
    dump.write_bytes(data)
    with pytest.raises(BadDump):
        server.clone_from(dump=dump, name="never")
    with pytest.raises(BadDump, match="No such file"):
        server.clone_from(dump=tmp_path / "absent", name="never")
    with pytest.raises(DatabaseError, match="not both"):
        server.clone_from(name="never")


def test_an_older_pg_dump_says_so(production: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    from fulldress.database.postgres import source

    old = resolve()
    monkeypatch.setattr(source, "installations", lambda: [old])
    with pytest.raises(TooNew, match=r"PostgreSQL 99"):
        source.dumper_for(old, 99, "postgresql://h/x")


def test_another_major_is_a_gap_in_the_report(production: Clone) -> None:
    other = [one for one in installations() if one.major != production.server.installation.major]
    if not other:
        pytest.skip("one major only")
    with Server(other[0]) as server:
        clone = server.clone_from(url=production.server.dsn("prod", "postgres"), name="x")
        assert any("may differ" in fact.detail for fact in clone.facts() if isinstance(fact, Unread))


def test_kept_and_put_back_while_others_are_connected(clone: Clone) -> None:
    clone.start_watch()
    with clone.session("other"):
        clone.snapshot("before")
    clone.execute("TRUNCATE orders; DROP TABLE lines", name="x.sql", step="")
    with clone.session("other"):
        clone.restore("before")
    assert clone.query("SELECT count(*) AS n FROM orders") == [{"n": 20000}]
    assert clone.query("SHOW log_min_messages") == [{"log_min_messages": "debug1"}]
    clone.restore("before")  # it stays kept
    clone.forget("before")
    with pytest.raises(NoSnapshot):
        clone.restore("before")
    clone.stop_watch()
    assert not clone.unread


def test_a_copy_is_independent(clone: Clone) -> None:
    other = clone.copy("independent")
    other.execute("DELETE FROM orders", name="x.sql", step="")
    assert clone.query("SELECT count(*) AS n FROM orders") == [{"n": 20000}]
    other.drop()
    assert "independent" not in clone.server.clones
