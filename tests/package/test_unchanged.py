"""Programs that stand in production already."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from fulldress.facts import Entry, Witness
from fulldress.package import unchanged
from fulldress.package.reader import Options
from openfolder import FolderPackage, open_folder

PROGRAM = b"\x7fELF" + bytes(60) + b"relay 3.0.3"


def opened(tmp_path: Path, root: Path | None, name: str = "opt/relay/bin/relay") -> FolderPackage:
    folder = tmp_path / "package"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(PROGRAM)
    package = open_folder(folder)
    members = {path: msgspec.structs.replace(m, kind="elf") for path, m in package.members.items()}
    return FolderPackage(members, options=Options(root=root))


def installed(tmp_path: Path, data: bytes) -> Path:
    root = tmp_path / "root"
    (root / "opt/relay/bin").mkdir(parents=True)
    (root / "opt/relay/bin/relay").write_bytes(data)
    return root


def test_a_program_with_the_same_bytes_is_told(tmp_path: Path) -> None:
    found = list(unchanged.read(opened(tmp_path, installed(tmp_path, PROGRAM))))
    assert [(e.path, e.witness, e.sha256) for e in found if isinstance(e, Entry)] == [
        ("/opt/relay/bin/relay", Witness.RUNNING, hashlib.sha256(PROGRAM).hexdigest())
    ]


def test_other_bytes_and_no_copy_of_production_say_nothing(tmp_path: Path) -> None:
    assert not list(unchanged.read(opened(tmp_path, installed(tmp_path, PROGRAM[:-1] + b"4"))))
    assert not list(unchanged.read(opened(tmp_path, None)))


def test_a_link_that_leads_out_of_the_copy_is_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "opt/relay/bin").mkdir(parents=True)
    (tmp_path / "outside").write_bytes(PROGRAM)
    (root / "opt/relay/bin/relay").symlink_to(tmp_path / "outside")
    assert not list(unchanged.read(opened(tmp_path, root)))


def test_a_loop_of_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "opt/relay/bin").mkdir(parents=True)
    (root / "opt/relay/bin/relay").symlink_to("relay")
    assert not list(unchanged.read(opened(tmp_path, root)))
