"""A whole package: its facts, its digest, its gaps; and a reader that fails."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make

from fulldress.errors import PackageNotFound, PackageUnreadable
from fulldress.facts import AnyFact, Entry, Reason, Release, Unread
from fulldress.package import Budget, Reading, read, reader
from fulldress.package.names import claimed
from fulldress.package.reader import Options, Package
from fulldress.package.walk import Opened


def reading(tmp_path: Path, data: bytes, name: str = "x.zip") -> Reading:
    (tmp_path / name).write_bytes(data)
    return read(tmp_path / name)


def test_every_reader_of_the_table_can_be_called() -> None:
    for name in reader.READERS:
        assert callable(importlib.import_module(name).read)


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    data = make.zipped({"a.sh": b"#!/bin/sh\n"})
    found = reading(tmp_path, data)
    assert (found.source, found.size, found.kind) == (hashlib.sha256(data).hexdigest(), len(data), "zip")
    assert all(fact.evidence.source == found.source for fact in found.facts if isinstance(fact, Entry))


def test_a_folder_has_a_digest_of_its_own(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place / "d").mkdir(parents=True)
        (tmp_path / place / "d/a.sh").write_bytes(b"#!/bin/sh\n")
    first, second = read(tmp_path / "one"), read(tmp_path / "two")
    assert first.source == second.source and first.kind == "folder"
    (tmp_path / "two/d/a.sh").write_bytes(b"#!/bin/bash\n")
    assert read(tmp_path / "two").source != first.source


def test_links_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "p/l").symlink_to("../secret")
    entry = next(f for f in read(tmp_path / "p").facts if isinstance(f, Entry))
    assert (entry.kind, entry.link, entry.sha256) == ("link", "../secret", "")


def _failing(package: Package) -> Iterator[AnyFact]:
    raise RuntimeError("a bug")
    yield


def test_a_reader_that_fails_is_a_gap_that_the_verdict_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("failing")
    module.read = _failing  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "failing", module)
    monkeypatch.setattr("fulldress.package.READERS", ("failing", "fulldress.package.nowhere"))
    gaps = [f for f in reading(tmp_path, make.zipped({"a": b"1"})).facts if isinstance(f, Unread)]
    assert [(gap.reason, gap.needed) for gap in gaps] == [(Reason.CANNOT, True), (Reason.MISSING, True)]
    assert "a bug" in gaps[0].detail


def test_entries_beyond_the_budget_are_said(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(make.zipped({f"{n}": b"1" for n in range(9)}))
    with Opened(tmp_path / "x.zip", Budget(entries=4), Options()) as package:
        assert len(package.members) == 4
        assert [(gap.reason, gap.needed) for gap in package.unread] == [(Reason.BUDGET, True)]


def test_bytes_and_seconds_beyond_the_budget_are_said(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(make.zipped({"a": os.urandom(5000), "b": os.urandom(5000)}))
    for budget in (Budget(bytes=6000), Budget(seconds=-1)):
        with Opened(tmp_path / "x.zip", budget, Options()) as package:
            assert all(gap.reason is Reason.BUDGET for gap in package.unread) and package.unread


def test_a_text_too_large_to_keep_is_said_and_can_be_opened(tmp_path: Path) -> None:
    text = b"SELECT 1;\n" * 1000
    (tmp_path / "x.tgz").write_bytes(make.gzipped(make.tarred({"a.sql": text})))
    with Opened(tmp_path / "x.tgz", Budget(each=100), Options()) as package:
        assert not package.members["a.sql"].kept and package.members["a.sql"].data == b""
        assert [(gap.what, gap.reason, gap.needed) for gap in package.unread] == [("a.sql", Reason.BUDGET, True)]
        assert package.open("a.sql").read() == text


def test_an_archive_behind_a_script_is_opened(tmp_path: Path) -> None:
    found = reading(tmp_path, b"#!/bin/sh\nexit 0\n" + b"# words\n" * 2000 + make.gzipped(b"x" * 999), "x.run")
    sizes = [f.size for f in found.facts if isinstance(f, Entry) and f.kind != "shell"]
    assert 999 in sizes
    assert any(f.kind == "shell" for f in found.facts if isinstance(f, Entry))


def test_missing_and_empty(tmp_path: Path) -> None:
    with pytest.raises(PackageNotFound):
        read(tmp_path / "nowhere.zip")
    with pytest.raises(PackageUnreadable, match="it holds no file"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mediawiki_1%3a1.39.13-1+deb12u2_all.deb", ("mediawiki", "1:1.39.13-1+deb12u2")),
        ("matrix_synapse-1.163.2-cp310-abi3-manylinux_2_28_x86_64.whl", ("matrix-synapse", "1.163.2")),
        ("ghost-5.130.6.tgz", ("ghost", "5.130.6")),
        ("widget-server-4.2.0-rc1.tar.gz", ("widget-server", "4.2.0-rc1")),
        ("Widget_v4.2.0_linux_amd64.zip", ("Widget", "4.2.0")),
        ("widget-upgrade-4.2.zip", ("widget", "4.2")),
        ("log4j-core-2.17.1.jar", ("log4j-core", "2.17.1")),
        ("Full-upgrade-package-widget.zip", None),
        ("backup-20260901.zip", None),
    ],
)
def test_what_a_file_name_claims(name: str, said: tuple[str, str] | None) -> None:
    assert claimed(name) == said


def test_the_file_name_is_a_fact(tmp_path: Path) -> None:
    found = reading(tmp_path, make.zipped({"a": b"1"}), "widget-4.2.0.zip")
    assert [(f.version, f.aspect) for f in found.facts if isinstance(f, Release)] == [("4.2.0", "file name")]


def test_a_large_stream_gives_its_bytes_before_the_next_member_is_asked_for() -> None:
    """What comes before a member that can be read once only must not move the stream past it."""
    from fulldress.package.ahead import ahead
    from fulldress.package.archives import Offer

    at = [0]

    def items() -> Iterator[Offer]:
        for number in range(6):
            at[0] = number
            shape = "folder" if number % 3 == 0 else "file"
            yield Offer(name=str(number), shape=shape, chunks=lambda number=number: iter([b"%d" % (at[0] - number)]))  # type: ignore[misc]

    late = [b"".join(item.chunks()) for item, _ in ahead(items(), 1 << 30, 2) if item.shape == "file"]
    assert late == [b"0"] * 4
