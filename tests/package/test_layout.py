"""Laying out: nothing lands outside, whatever a package holds."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make
import hostile

from fulldress.errors import PackageEntryMissing
from fulldress.facts import Reason
from fulldress.package import extract, lay_out


def laid(tmp_path: Path, data: bytes, name: str = "x.tar") -> tuple[Path, list[str]]:
    ground = tmp_path / "ground"
    ground.mkdir()
    package = tmp_path / name
    package.write_bytes(data)
    return ground, [f"{gap.what}: {gap.detail}" for gap in lay_out(package, ground)]


def outside(tmp_path: Path) -> set[str]:
    return {path.name for path in tmp_path.iterdir()} - {"ground", "x.tar", "x.zip", "x.deb"}


def test_files_modes_times_and_links(tmp_path: Path) -> None:
    data = make.tar_of(
        make.file("bin/tool", b"#!/bin/sh\n", 0o755),
        make.link("bin/alias", "tool"),
        make.link("up", "bin/../bin"),
        make.link("lib", "./bin"),
        make.link("bin/same", "bin/tool", tarfile.LNKTYPE),
    )
    ground, left_out = laid(tmp_path, data)
    assert (ground / "bin/tool").stat().st_mode & 0o777 == 0o755
    assert (ground / "bin/alias").readlink() == Path("tool")
    assert (ground / "lib/alias").read_bytes() == b"#!/bin/sh\n"
    assert (ground / "bin/same").samefile(ground / "bin/tool")
    assert left_out == ["up: not laid out: a link to bin/../bin, which may lie outside"]


@pytest.mark.parametrize(
    "members",
    [
        [make.file("../evil")],
        [make.file("/tmp/evil-absolute")],
        [make.link("d", ".."), make.file("d/evil")],
        [make.link("d", "/tmp"), make.file("d/evil-absolute")],
        [make.file("a/x"), make.link("a/l", "../.."), make.file("a/l/evil")],
        [make.link("l1", "."), make.link("l2", "l1/.."), make.file("l2/evil")],
        [make.file("f"), make.link("f", ".."), make.file("f/evil")],
        [make.link("h", "../x.tar", tarfile.LNKTYPE)],
        [make.link("s", ".."), make.link("h", "s/x.tar", tarfile.LNKTYPE)],
    ],
)
def test_nothing_lands_outside(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    ground, left_out = laid(tmp_path, make.tar_of(*members))
    assert outside(tmp_path) == set()
    assert not Path("/tmp/evil-absolute").exists()
    for path in ground.rglob("*"):
        if path.is_symlink():
            assert path.resolve().is_relative_to(ground.resolve())
        elif path.is_file():
            assert path.stat().st_ino != (tmp_path / "x.tar").stat().st_ino
    assert left_out or (ground / "d/evil").exists() or (ground / "f/evil").exists()


def test_a_chain_of_links_longer_than_a_path_may_be(tmp_path: Path) -> None:
    """The shape of CVE-2025-4517: a path that cannot be resolved any more is not thereby a safe one."""
    long = "d" * 247
    members = []
    step = ""
    for name in "abcdefghijklmnop":
        members.append(make.file(f"{step}{long}/keep"))
        members.append(make.link(f"{step}{name}", long))
        step += f"{name}/"
    members += [make.link(step + "l" * 100, "../" * 16), make.link("escape", step + "l" * 100 + "/../../evil")]
    members.append(make.file("escape", b"out"))
    laid(tmp_path, make.tar_of(*members))
    assert outside(tmp_path) == set()


def test_setuid_is_dropped_and_said(tmp_path: Path) -> None:
    ground, left_out = laid(tmp_path, make.tar_of(make.file("su", b"x", 0o4755)))
    assert (ground / "su").stat().st_mode & 0o7777 == 0o755
    assert left_out == ["su: laid out without the bits 4000 of its mode"]


def test_devices_are_left_out(tmp_path: Path) -> None:
    info = tarfile.TarInfo("dev")
    info.type = tarfile.CHRTYPE
    ground, left_out = laid(tmp_path, make.tar_of((info, b"")))
    assert not (ground / "dev").exists() and "a device" in left_out[0]


def test_a_debian_package_as_dpkg_lays_it_out(tmp_path: Path) -> None:
    data = make.deb({"./postinst": b"#!/bin/sh\n"}, {"./etc/x.conf": b"a\n"})
    ground, left_out = laid(tmp_path, data, "x.deb")
    assert (ground / "DEBIAN/postinst").read_bytes() == b"#!/bin/sh\n"
    assert (ground / "etc/x.conf").read_bytes() == b"a\n"
    assert left_out == []


def test_a_folder_is_copied(tmp_path: Path) -> None:
    source = tmp_path / "x.zip"
    (source / "d").mkdir(parents=True)
    (source / "d/f").write_bytes(b"1")
    (source / "l").symlink_to("/etc/passwd")
    (tmp_path / "ground").mkdir()
    left_out = lay_out(source, tmp_path / "ground")
    assert (tmp_path / "ground/d/f").read_bytes() == b"1"
    assert [gap.reason for gap in left_out] == [Reason.REFUSED]


def test_an_entry_by_its_digest(tmp_path: Path) -> None:
    inner = make.zipped({"a.sh": b"#!/bin/sh\n"})
    path = tmp_path / "x.zip"
    path.write_bytes(make.zipped({"i.zip": inner}))
    digest = "a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf"
    assert extract(path, digest) == b"#!/bin/sh\n"
    with pytest.raises(PackageEntryMissing):
        extract(path, "0" * 64)


def test_a_hole_of_a_pebibyte_does_not_fill_the_disk(tmp_path: Path) -> None:
    header = hostile.pax({"GNU.sparse.map": "0,4", "GNU.sparse.size": str(1 << 50)})
    data = header + hostile.member(b"s", b"1234") + hostile.member(b"after", b"1") + hostile.END
    ground, left_out = laid(tmp_path, data)
    assert (ground / "s").stat().st_size <= 1 << 30
    assert "unpacks to more than" in left_out[-1]


def test_a_name_longer_than_a_path_may_be(tmp_path: Path) -> None:
    ground, left_out = laid(tmp_path, make.tar_of(make.file("a/" * 2100 + "x"), make.file("b")))
    assert [path.name for path in ground.iterdir()] == ["b"]
    assert "longer than 4,096 bytes" in left_out[0]
