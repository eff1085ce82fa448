"""Migrations there and back: the release, each step, folders of any tool."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulldress.database.postgres import Clone, Server, folder, seeds, steps
from fulldress.database.postgres.steps import Script, Step
from fulldress.errors import UsageError

FOLDERS = {
    "golang-migrate": {"0001_a.up.sql": "CREATE TABLE a (i int);", "0001_a.down.sql": "DROP TABLE a;", "0002_b.up.sql": "CREATE TABLE b (i int);", "seeds.sql": "SELECT 1/0"},
    "diesel": {"20170101_a/up.sql": "CREATE TABLE a (i int);", "20170101_a/down.sql": "DROP TABLE a;", "2018-01-01-000000_b/up.sql": "CREATE TABLE b (i int);", "2018-01-01-000000_b/down.sql": ""},
    "goose": {"001_a.sql": "-- +goose Up\nCREATE TABLE a (i int);\n-- +goose Down\nDROP TABLE a;", "002_b.sql": "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE b (i int);\n"},
    "dbmate": {"1_a.sql": "-- migrate:up\nCREATE TABLE a (i int);\n-- migrate:down\nDROP TABLE a;", "2_b.sql": "-- migrate:up\nCREATE TABLE b (i int);\n-- migrate:down\n"},
    "flyway": {"V1__a.sql": "CREATE TABLE a (i int);", "U1__a.sql": "DROP TABLE a;", "V2__b.sql": "CREATE TABLE b (i int);", "B1__all.sql": "SELECT 1/0"},
    "liquibase": {"1.sql": "--liquibase formatted sql\n--changeset me:1\nCREATE TABLE a (i int);\n--rollback DROP TABLE a;\n", "2.sql": "--liquibase formatted sql\n--changeset me:2\nCREATE TABLE b (i int);\n"},
    "rollback beside": {"0001_a.sql": "CREATE TABLE a (i int);", "0001_a_rollback.sql": "DROP TABLE a;", "0002_b.sql": "CREATE TABLE b (i int);"},
}  # fmt: skip


@pytest.mark.parametrize("tool", FOLDERS)
def test_a_folder_of_any_tool(tool: str, tmp_path: Path) -> None:
    for name, text in FOLDERS[tool].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    first, second = folder.read(tmp_path).steps
    assert "TABLE a" in first.up.text and first.down is not None and "DROP TABLE a" in first.down.text
    assert "DROP" not in first.up.text and "CREATE TABLE b" in second.up.text
    assert second.down is None or second.down.empty


def test_programs_beside_sql_are_told(tmp_path: Path) -> None:
    (tmp_path / "1_a.up.sql").write_text("SELECT 1;")
    (tmp_path / "2_b.up.go").write_text("package b")
    assert folder.read(tmp_path).unread == ("2_b.up.go",)
    (tmp_path / "1_a.up.sql").unlink()
    with pytest.raises(UsageError):
        folder.read(tmp_path)


def step(name: str, up: str, down: str | None, wrapped: bool = True) -> Step:
    def script(direction: str, text: str) -> Script:
        return Script(name=f"{name}.{direction}.sql", text=text, wrapped=wrapped)

    return Step(name=name, up=script("up", up), down=None if down is None else script("down", down))


STEPS = [
    step("base", "CREATE TABLE a (i serial PRIMARY KEY, t text, n int CHECK (n > 0)); CREATE TYPE m AS ENUM ('x')", "DROP TABLE a; DROP TYPE m"),
    step("good", "ALTER TABLE a ADD z int", "ALTER TABLE a DROP z"),
    step("loses", "ALTER TABLE a DROP t", "ALTER TABLE a ADD t text"),
    step("empty", "CREATE TABLE e (i int)", "-- nothing to do"),
    step("none", "ALTER TABLE e ADD j int", None),
    step("needs none", "ALTER TABLE a ADD k int", "ALTER TABLE a DROP k; ALTER TABLE a ADD k2 int NOT NULL"),
    step("fails", "ALTER TABLE a ADD o int", "ALTER TABLE a DROP oo"),
    step("concurrently", "CREATE INDEX CONCURRENTLY c ON a (n)", "DROP INDEX CONCURRENTLY c"),
    step("enum", "ALTER TYPE m ADD VALUE 'y'; CREATE TABLE u AS SELECT 'y'::m AS m", "DROP TABLE u"),
    step("name only", "DROP INDEX c", "CREATE INDEX d ON a (n)"),
]  # fmt: skip


def test_each_step_has_its_own_verdict(server: Server) -> None:
    base = server.create("steps")
    told = {undo.name: undo for undo in steps.each(base, STEPS)}
    base.drop()
    assert {name: undo.outcome for name, undo in told.items()} == {
        "base": "restored",
        "good": "restored",
        "loses": "not restored",
        "empty": "nothing undone",
        "none": "no way back",
        "needs none": "fails with rows",
        "fails": "fails",
        "concurrently": "restored",
        "enum": "not restored",
        "name only": "restored",
    }
    assert told["loses"].made and told["loses"].rows == 5
    assert told["loses"].differences == ("a: column lost (t) in 5 rows: the column is there, and empty in every row",)
    assert told["name only"].notes == ("index public.c: has another name: d",)
    assert not [name for name in server.clones if name.startswith("steps")]


def test_a_release_is_judged_as_a_whole(shop: Clone) -> None:
    split = [
        step("1", "ALTER TABLE orders RENAME total TO a", ""),
        step("2", "ALTER TABLE orders RENAME a TO b", "ALTER TABLE orders RENAME b TO total"),
    ]
    undo, found = steps.release(shop, split)
    assert undo.outcome == "restored" and undo.rows == 20501 and not undo.made
    assert {one.kind for one in found} == {"none"}
    assert [one.outcome for one in steps.each(shop, split)] == ["nothing undone", "not restored"]
    undo, _ = steps.release(shop, [step("1", "ALTER TABLE orders DROP extra", None)])
    assert undo.outcome == "no way back" and "no way back for 1" in undo.detail


def test_rows_satisfy_constraints(server: Server) -> None:
    clone = server.create("seeded")
    clone.execute(
        """CREATE TYPE mood AS ENUM ('ok', 'bad');
        CREATE DOMAIN mail AS text CHECK (value ~ '@');
        CREATE TABLE people (id uuid PRIMARY KEY, mail mail UNIQUE NOT NULL, mood mood, short varchar(3), flags bit(4), tags text[], during tstzrange, doc jsonb NOT NULL);
        CREATE TABLE posts (id bigserial PRIMARY KEY, person uuid NOT NULL REFERENCES people, parent bigint REFERENCES posts, kind text CHECK (kind IN ('page', 'link')),
          a int, b int, CONSTRAINT one CHECK (num_nonnulls(a, b) = 1), price numeric(5, 2) CHECK (price > 0));
        CREATE TABLE sole (one boolean PRIMARY KEY DEFAULT true CHECK (one));""",
        name="s.sql",
        step="",
    )
    assert not clone.ran[-1].run.error
    told = seeds.Seeder().fill(clone)
    again = seeds.count(clone)
    clone.drop()
    assert told.rows == again == {"people": 5, "posts": 5, "sole": 1} and told.empty == {}
