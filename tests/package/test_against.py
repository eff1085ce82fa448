"""Changes between two packages, by consequence."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make

from fulldress.facts import (
    AnyFact,
    Binary,
    Endpoint,
    Entry,
    Evidence,
    Interface,
    Looseness,
    Migration,
    Reboot,
    Release,
    Requirement,
    Schedule,
    Setting,
    Witness,
)
from fulldress.package import Change, Reading, changes, read
from fulldress.package.against import arrived, reissued

HERE = Evidence(path="x")


def reading(*facts: AnyFact) -> Reading:
    return Reading(source="0", name="x", size=1, facts=list(facts))


def told(found: list[Change]) -> list[tuple[str, str, str]]:
    return [(change.what, change.family, change.subject) for change in found]


def schedule(expression: str) -> Schedule:
    return Schedule(
        witness=Witness.READ, evidence=HERE, name="import", mechanism="cron.d", expression=expression, command="/x"
    )


def binary(year: int) -> Binary:
    built = datetime(year, 1, 1, tzinfo=UTC)
    return Binary(witness=Witness.READ, evidence=HERE, path=f"v{year}/tool", format="go", built=built)


def test_the_weightiest_comes_first() -> None:
    new = reading(
        Endpoint(witness=Witness.READ, evidence=HERE, scheme="https", host="a.example"),
        Reboot(witness=Witness.READ, evidence=HERE, claim="performed"),
        schedule("0 3 * * *"),
    )
    assert told(changes(reading(), new)) == [
        ("added", "Reboot", "reboot (read)"),
        ("added", "Schedule", "import"),
        ("added", "Endpoint", "a.example"),
    ]


def test_values_before_and_after() -> None:
    found = changes(reading(schedule("0 3 * * *")), reading(schedule("0 4 * * *")))
    assert [(c.what, c.before, c.after) for c in found] == [("changed", "0 3 * * * /x", "0 4 * * * /x")]
    old = Setting(witness=Witness.READ, evidence=HERE, component="w", key="a.b", value="1")
    assert told(changes(reading(old), reading())) == [("removed", "Setting", "w a.b")]


def test_what_is_taken_away_weighs_by_whom_it_hurts() -> None:
    operation = Interface(witness=Witness.READ, evidence=HERE, kind="openapi", operation="GET /a")
    removed = changes(reading(operation), reading())[0]
    added = changes(reading(), reading(operation))[0]
    assert removed.rank < added.rank


def test_a_binary_older_than_the_one_it_replaces() -> None:
    found = changes(reading(binary(2025)), reading(binary(2023)))
    assert "older than the one it replaces" in found[0].after and found[0].rank < 10
    assert changes(reading(binary(2023)), reading(binary(2025))) == []


def test_the_release() -> None:
    assert [(c.before, c.after) for c in changes(reading(release("1")), reading(release("2")))] == [("1", "2")]


def test_the_same_package_twice_differs_in_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(make.zipped({"a.sh": b"#!/bin/sh\nreboot\n", "b.sql": b"DROP TABLE a;\n"}))
    assert changes(read(path), read(path)) == []


def test_members_are_told_one_by_one_only_where_they_run(tmp_path: Path) -> None:
    old, new = tmp_path / "old.zip", tmp_path / "new.zip"
    old.write_bytes(make.zipped({"a.sh": b"#!/bin/sh\n", "i/1.png": b"\x89PNG\r\n1", "i/2.png": b"\x89PNG\r\n2"}))
    new.write_bytes(make.zipped({"a.sh": b"#!/bin/sh\n:\n", "i/1.png": b"\x89PNG\r\n3", "i/2.png": b"\x89PNG\r\n4"}))
    entries = [change for change in changes(read(old), read(new)) if change.family == "Entry"]
    assert told(entries) == [("changed", "Entry", "a.sh"), ("changed", "Entry", "2 image entries")]


def release(version: str, product: str = "w") -> Release:
    return Release(witness=Witness.DECLARED, evidence=HERE, product=product, version=version, aspect="manifest")


def entry(path: str, sha256: str, kind: str = "elf", **more: int) -> Entry:
    return Entry(witness=Witness.READ, evidence=HERE, path=path, kind=kind, size=9, sha256=sha256, **more)  # type: ignore[arg-type]


def program(path: str, **more: object) -> Binary:
    return Binary(witness=Witness.READ, evidence=HERE, path=path, format="elf", **more)  # type: ignore[arg-type]


def test_versions_in_paths_are_set_aside() -> None:
    old = reading(
        release("4.1.0"), entry("w-4.1.0/post.sh", "a", "shell"), entry("x.tar.gz!/w-4.1.0/bin/w", "b", "shell")
    )
    new = reading(
        release("4.2.0"), entry("w-4.2.0/post.sh", "a", "shell"), entry("x.tar.zst!/w-4.2.0/bin/w", "c", "shell")
    )
    assert told(changes(old, new)) == [("changed", "Release", "w"), ("changed", "Entry", "x.tar.zst!/w-4.2.0/bin/w")]


def test_a_version_is_not_found_inside_another() -> None:
    old = reading(release("1.2"), entry("lib-11.2.sh", "a", "shell"), entry("lib-1.2.3.sh", "b", "shell"))
    new = reading(release("1.3"), entry("lib-11.3.sh", "c", "shell"), entry("lib-1.2.3.sh", "b", "shell"))
    assert told(changes(old, new))[1:] == [("removed", "Entry", "lib-11.2.sh"), ("added", "Entry", "lib-11.3.sh")]


def test_a_file_that_only_moved() -> None:
    old, new = reading(entry("a/x.sh", "1", "shell")), reading(entry("b/y.sh", "1", "shell"))
    assert [(c.what, c.subject, c.before) for c in changes(old, new)] == [("moved", "b/y.sh", "a/x.sh")]


def test_rights_are_part_of_a_member() -> None:
    found = changes(reading(entry("x.sh", "1", "shell", mode=0o755)), reading(entry("x.sh", "1", "shell", mode=0o4755)))
    assert [(c.what, c.after) for c in found] == [("changed", "shell, 9 bytes, mode 4755")]


def test_a_program_with_the_old_releases_bytes() -> None:
    old = reading(release("1.0"), entry("bin/w", "1"), program("bin/w"))
    assert told(changes(old, reading(release("1.1"), entry("bin/w", "1"), program("bin/w"))))[1:] == [
        ("same", "Binary", "bin/w")
    ]
    changed = reading(release("1.1"), entry("bin/w", "2"), program("bin/w"))
    assert [c.family for c in changes(old, changed)] == ["Release", "Entry"]
    assert changes(old, old) == []


def test_what_a_library_no_longer_gives() -> None:
    was = reading(entry("libw.so", "1"), program("libw.so", soname="libw.so.1", exports=("a", "b", "c")))
    now = reading(entry("libw.so", "2"), program("libw.so", soname="libw.so.1", exports=("a", "d")))
    found = [c for c in changes(was, now) if c.family == "Binary"]
    assert [(c.subject, c.lost) for c in found] == [("libw.so.1", ("b", "c"))]
    other = reading(entry("libw.so", "2"), program("libw.so", soname="libw.so.2", exports=("a", "d")))
    assert [(c.before, c.after, c.lost) for c in changes(was, other) if c.family == "Binary"] == [
        ("libw.so.1", "libw.so.2", ())
    ]


def test_what_the_host_has_to_bring_now() -> None:
    was = reading(program("w", requires=("GLIBC 2.28",)))
    assert [c.after for c in changes(was, reading(program("w", requires=("GLIBC 2.38",))))] == ["needs GLIBC 2.38"]
    assert changes(was, reading(program("w"))) == []


def setting(path: str, key: str) -> Setting:
    return Setting(witness=Witness.READ, evidence=Evidence(path=path, line=3), component="w", key=key, value="1")


def test_a_settings_file_in_another_folder() -> None:
    old = reading(setting("x.tar!/etc/w/w.conf", "port"), setting("x.tar!/etc/w/w.conf", "host"))
    new = reading(setting("x.tar!/etc/opt/w/w.conf", "port"), setting("x.tar!/etc/opt/w/w.conf", "host"))
    assert [(c.before, c.after) for c in changes(old, new)] == [("/etc/w/w.conf", "/etc/opt/w/w.conf")]
    elsewhere = reading(setting("x.tar!/etc/v/w.conf", "port"), setting("x.tar!/etc/v/w.conf", "colour"))
    assert [c for c in changes(old, elsewhere) if c.what == "moved"] == []


def test_one_release_with_other_bytes() -> None:
    mine = [release("1.0"), release("9.9", "bundled")]
    assert [c.subject for c in reissued("aa", mine, "bb", [release("1.0")], "w-1.0.zip")] == ["w 1.0"]
    assert list(reissued("aa", mine, "aa", [release("1.0")], "w-1.0.zip")) == []
    assert list(reissued("aa", mine, "bb", [release("0.9")], "w-0.9.zip")) == []
    inner = Release(
        witness=Witness.DECLARED, evidence=Evidence(path="a!/b!/c"), product="w", version="1.0", aspect="manifest"
    )
    assert list(reissued("aa", [inner], "bb", [inner], "x.zip")) == []


def migration(name: str, **fields: object) -> Migration:
    return Migration(witness=Witness.READ, evidence=HERE, name=name, path=f"db/{name}.sql", **fields)  # type: ignore[arg-type]


def test_migrations_that_the_old_release_had_are_not_of_this_upgrade() -> None:
    old = reading(migration("001_a"), migration("R__views", repeatable=True))
    new = reading(migration("001_a", statements=2), migration("002_b"), migration("R__views", repeatable=True))
    now = {f.name: f.current for f in arrived(old, new) if isinstance(f, Migration)}
    assert now == {"001_a": False, "002_b": True, "R__views": True}
    assert [f.current for f in arrived(reading(), new) if isinstance(f, Migration)] == [None] * 3


def test_python_spells_a_name_in_many_ways() -> None:
    def wants(name: str) -> Requirement:
        return Requirement(
            witness=Witness.DECLARED,
            evidence=HERE,
            component=name,
            constraint=">=3",
            looseness=Looseness.UNBOUNDED,
            scheme="pep440",
        )

    assert (
        changes(reading(wants("PyYAML"), wants("zope.interface")), reading(wants("pyyaml"), wants("zope-interface")))
        == []
    )
