"""The comparison with an older package, as it is read."""

from __future__ import annotations

from fulldress.facts import Change, Evidence, Witness
from fulldress.report import changes


def change(family: str, what: str, subject: str, before: str = "", after: str = "", rank: int = 5) -> Change:
    return Change(
        witness=Witness.READ,
        evidence=Evidence(path="x"),
        rank=rank,
        family=family,
        what=what,
        subject=subject,
        before=before,
        after=after,
    )


def told(*found: Change) -> list[tuple[str, str]]:
    return [(line.name, line.words) for line in changes.lines(found)]


def test_one_line_a_family_the_weightiest_first() -> None:
    assert told(
        change("Setting", "changed", "pool.size", "16", "4", rank=7),
        change("Setting", "removed", "bridge", "off", rank=7),
        change("Release", "changed", "w", "1.0", "1.1", rank=0),
        change("Schedule", "added", "import", after="0 3 * * * /opt/w/import --all", rank=3),
    ) == [
        ("release", "w 1.0 → 1.1"),
        ("jobs", "new: import 0 3 * * *"),
        ("settings", "gone: bridge; pool.size 16 → 4"),
    ]


def test_numbers_are_whole_numbers() -> None:
    found = told(*(change("Flag", "added", f"f{n}") for n in range(9)))
    assert found == [("flags", "new: f0, f1, f2, f3 and 5 more")]


def test_a_signer_is_told_without_what_stayed() -> None:
    assert told(change("Signature", "changed", "s.p7s", "CN=A, intact, unknown", "CN=B, intact, unknown")) == [
        ("signature", "CN=A → CN=B")
    ]


def test_a_migration_is_told_once() -> None:
    assert told(change("Migration", "added", "0007 (up)"), change("Migration", "added", "0007 (down)")) == [
        ("migrations", "new: 0007")
    ]


def test_every_change_is_in_a_line() -> None:
    found = [
        change("Binary", what, f"bin/{what}", "1", "2") for what in ("added", "removed", "changed", "same", "moved")
    ]
    lines = changes.lines(found)
    assert sum(len(line.changes) for line in lines) == len(found)
    assert "bytes unchanged: same" in lines[0].words and "moved: moved" in lines[0].words
