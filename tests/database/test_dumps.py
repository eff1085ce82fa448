"""Clones of what pg_dump wrote, in each of its forms, and of what is no dump, or not one for us."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from fulldress.database.postgres import Clone, Server, dumps, restored
from fulldress.errors import BadDump, DumpTooNew, NoSpace, RanOutOfSpace

FORMS = {
    "plain": ["--format=plain"],
    "plain with -C": ["--format=plain", "-C"],
    "custom": ["--format=custom"],
    "tar": ["--format=tar"],
    "directory": ["--format=directory", "-j2"],
}


def dump(production: Clone, target: Path, *words: str) -> Path:
    programs = production.server.installation
    dsn = production.server.dsn("prod", "postgres")
    subprocess.run([programs.program("pg_dump"), *words, "-f", str(target), "-d", dsn], check=True)
    return target


@pytest.fixture(autouse=True)
def same_major(production: Clone, server: Server) -> None:
    if server.installation.major < production.server.installation.major:
        pytest.skip("an older server takes no dump of a newer one")


@pytest.mark.parametrize("form", FORMS)
def test_every_form(form: str, production: Clone, server: Server, tmp_path: Path) -> None:
    clone = server.clone_from(dump=dump(production, tmp_path / "prod", *FORMS[form]), name=f"from {form}")
    rows = clone.query(
        "SELECT count(*) AS n, min(c.relowner::regrole::text) AS owner FROM app.orders, pg_class c"
        " WHERE c.oid = 'app.orders'::regclass"
    )
    assert rows == [{"n": 3000, "owner": "shopd"}]
    assert not [gap for gap in clone.unread if gap.needed]
    if form != "plain":  # which tells nothing of the database itself
        assert clone.query("SHOW lock_timeout") == [{"lock_timeout": "7s"}]
    clone.drop()


def test_gzipped(production: Clone, server: Server, tmp_path: Path) -> None:
    packed = tmp_path / "prod.sql.gz"
    packed.write_bytes(gzip.compress(dump(production, tmp_path / "prod.sql").read_bytes()))
    clone = server.clone_from(dump=packed, name="gz")
    assert clone.query("SELECT count(*) AS n FROM app.orders") == [{"n": 3000}]
    clone.drop()
    packed.write_bytes(packed.read_bytes()[:-2000])
    with pytest.raises(BadDump, match="end-of-stream"):
        server.clone_from(dump=packed, name="never")


def test_psqls_own_commands_in_a_dump_do_nothing(production: Clone, server: Server, tmp_path: Path) -> None:
    text = dump(production, tmp_path / "prod.sql").read_text()
    marks = [tmp_path / "one", tmp_path / "two"]
    evil = tmp_path / "evil.sql"
    evil.write_text(f"\\unrestrict x\n\\! touch {marks[0]}\n{text}\n\\o {marks[1]}\nSELECT 1;\n")
    clone = server.clone_from(dump=evil, name="evil")
    assert not any(mark.exists() for mark in marks)
    assert any("restrict" in gap.detail for gap in clone.unread), [gap.detail for gap in clone.unread]
    clone.drop()


def test_a_dump_of_several_databases_is_refused(server: Server, tmp_path: Path) -> None:
    every = tmp_path / "all.sql"
    every.write_text("-- PostgreSQL database cluster dump\n\\connect shop\nCREATE TABLE a ();\n\\connect staff\n")
    with pytest.raises(BadDump, match="2 databases"):
        server.clone_from(dump=every, name="never")


def test_a_dump_of_a_newer_server_is_refused_with_words(server: Server, tmp_path: Path) -> None:
    newer = tmp_path / "newer.sql"
    newer.write_text("--\n-- Dumped from database version 99.1\nSELECT 1;\n")
    with pytest.raises(DumpTooNew, match="database add 99"):
        server.clone_from(dump=newer, name="never")
    newer.write_bytes(b"PGDMP\x01\x63\x00\x04\x08\x01" + b"\0" * 200)
    with pytest.raises(DumpTooNew, match="made by PostgreSQL newer than"):
        server.clone_from(dump=newer, name="never")


def test_the_head_tells_the_major_before_a_server_is_chosen(production: Clone, tmp_path: Path) -> None:
    for form, words in FORMS.items():
        assert dumps.head(dump(production, tmp_path / form, *words)).major == production.server.installation.major


def test_no_folder_or_tar_of_something_else(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("15")
    with pytest.raises(BadDump, match="--data"):
        server.clone_from(dump=tmp_path / "data", name="never")
    other = shutil.make_archive(str(tmp_path / "other"), "tar", tmp_path / "data")
    with pytest.raises(BadDump, match="pg_dump did not write"):
        server.clone_from(dump=other, name="never")


def test_a_missing_extension_is_named(server: Server, tmp_path: Path) -> None:
    text = tmp_path / "x.sql"
    text.write_text("CREATE TABLE t (a int);\nCREATE EXTENSION IF NOT EXISTS no_such_thing WITH SCHEMA public;\n")
    clone = server.clone_from(dump=text, name="lacking")
    assert any(gap.needed and "no_such_thing" in gap.what for gap in clone.unread)
    clone.drop()


def test_no_room_is_said_before_and_after(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoSpace):
        restored.check_room(server, 1 << 60)
    server.create("full")
    with pytest.raises(RanOutOfSpace, match="did not fit"):
        restored.finish(
            server, "full", "postgres", errors=["pg_restore: error: could not extend file: No space left on device"]
        )
    with server.session("postgres") as line:
        assert not line.rows("SELECT 1 FROM pg_database WHERE datname = 'full'")
