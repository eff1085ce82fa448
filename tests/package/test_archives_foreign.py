"""Formats that libarchive reads in a child process."""

from __future__ import annotations

import hashlib
import lzma
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import contextlib

import archivemaking as make
import rpmmaking as rpms

from fulldress.errors import PackageUnreadable
from fulldress.facts import Reason, Unread
from fulldress.package.archives import child
from fulldress.package.reader import Member, Options
from fulldress.package.walk import Budget, Opened

FILES = {"a.sh": b"#!/bin/sh\necho hello\n", "b.sql": b"SELECT 1;\n" * 5000}


def opened(path: Path, data: bytes, **budget: float) -> tuple[dict[str, Member], list[Unread]]:
    path.write_bytes(data)
    with Opened(path, Budget(**budget), Options()) as package:  # type: ignore[arg-type]
        return dict(package.members), package.unread


def made(folder: Path, name: str) -> bytes:
    if name in ("7zip", "iso9660", "xar"):
        return rpms.by_libarchive(folder / "made", name, FILES)
    return {"cab": rpms.cab, "lha": rpms.lha, "rar": rpms.rar}[name](FILES)


FORMATS = ("7zip", "iso9660", "cab", "lha", "rar")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    members, unread = opened(tmp_path / "package", made(tmp_path, name))
    assert unread == []
    assert {path: member.sha256 for path, member in members.items()} == {
        path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()
    }
    assert members["a.sh"].kind == "shell"


@pytest.mark.parametrize("name", FORMATS)
def test_cut_off_is_said(tmp_path: Path, name: str) -> None:
    data = made(tmp_path, name)
    try:
        _, unread = opened(tmp_path / "package", data[: len(data) // 2])
    except PackageUnreadable:
        return
    assert any(gap.needed for gap in unread)


def test_inside_another_container(tmp_path: Path) -> None:
    members, unread = opened(tmp_path / "p.zip", make.zipped({"x/setup.cab": rpms.cab(FILES)}))
    assert unread == []
    assert members["x/setup.cab!/b.sql"].data == FILES["b.sql"]
    assert members["x/setup.cab!/b.sql"].container == "cab"


def test_a_single_file_that_was_packed(tmp_path: Path) -> None:
    members, unread = opened(tmp_path / "dump.sql.lzma", lzma.compress(FILES["b.sql"], lzma.FORMAT_ALONE))
    assert unread == []
    assert members["dump.sql"].data == FILES["b.sql"]


def test_a_tar_that_was_packed(tmp_path: Path) -> None:
    members, unread = opened(tmp_path / "p.tar.lzma", lzma.compress(make.tarred(FILES), lzma.FORMAT_ALONE))
    assert unread == [] and set(members) == set(FILES)
    assert members["a.sh"].container == "tar"


def test_links_and_names_are_facts(tmp_path: Path) -> None:
    files = {"../../etc/cron.d/x": b"* * * * * root true\n", "/abs": b"x"}
    members, unread = opened(tmp_path / "p.cab", rpms.cab(files))
    assert "../../etc/cron.d/x" in members
    assert any(gap.reason is Reason.REFUSED and "absolute" in gap.detail for gap in unread)


def test_a_password_is_said(tmp_path: Path) -> None:
    data = bytearray(rpms.rar({"a.sh": b"#!/bin/sh\n" * 9}))
    at = data.index(b"\x74\x00\x80")
    data[at + 1] |= 4  # the flag of a member that is encrypted
    import struct
    import zlib

    size = struct.unpack("<H", data[at + 3 : at + 5])[0]
    data[at - 2 : at] = struct.pack("<H", zlib.crc32(bytes(data[at : at - 2 + size])) & 0xFFFF)
    members, unread = opened(tmp_path / "p.rar", bytes(data))
    assert [gap.reason for gap in unread if gap.what == "a.sh"] == [Reason.ENCRYPTED]
    assert members["a.sh"].sha256 == ""


def test_a_budget_ends_it(tmp_path: Path) -> None:
    data = rpms.by_libarchive(tmp_path / "made", "7zip", {"zeros": bytes(20 << 20), "after": b"x"})
    _, unread = opened(tmp_path / "p.7z", data, bytes=1 << 20)
    assert any(gap.reason is Reason.BUDGET and gap.needed for gap in unread)


def test_a_crash_of_the_child_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "libarchive.py"
    program.write_text(f"import os\nos.kill(os.getpid(), {int(signal.SIGSEGV)})\n")
    monkeypatch.setattr(child, "__file__", str(tmp_path / "child.py"))
    with pytest.raises(PackageUnreadable, match="crashed"):
        opened(tmp_path / "p.cab", rpms.cab(FILES))


def test_a_child_that_answers_nonsense_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libarchive.py").write_text("import os\nos.write(1, b'E\\xff\\xff\\xff\\xffxxxx')\n")
    monkeypatch.setattr(child, "__file__", str(tmp_path / "child.py"))
    with pytest.raises(PackageUnreadable, match="no answer"):
        opened(tmp_path / "p.cab", rpms.cab(FILES))


def test_without_the_library_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(PackageUnreadable, match="not installed"):
        opened(tmp_path / "p.cab", rpms.cab(FILES))


def test_the_child_opens_nothing(tmp_path: Path) -> None:
    """Its limits stand before the first byte is read."""
    probe = tmp_path / "libarchive.py"
    source = Path(child.__file__).with_name("libarchive.py").read_text()
    wanted = "_Reader(library, _Bytes("
    assert wanted in source
    probe.write_text(source.replace(wanted, "_refused(); " + wanted, 1) + "")
    text = probe.read_text().replace(
        "def main(",
        "def _refused():\n    import socket\n    for what in (lambda: open('/etc/passwd'), lambda: os.pipe()):\n"
        "        try:\n            what()\n        except OSError:\n            continue\n        os._exit(77)\n\n\ndef main(",
        1,
    )
    probe.write_text(text.replace("    import socket\n", ""))
    package = tmp_path / "p.cab"
    package.write_bytes(rpms.cab(FILES))
    import subprocess

    with package.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        words = [sys.executable, "-I", "-S", str(probe), child.library(), str(file.fileno()), "list", "9", str(1 << 29)]
        done = subprocess.run([*words, f"0:{size}:cab"], pass_fds=(file.fileno(),), capture_output=True, check=False)
    assert done.returncode == 0 and b"a.sh" in done.stdout


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_random_damage_never_raises_another_error(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(made(tmp_path, data.draw(st.sampled_from(["cab", "lha", "rar", "7zip"]))))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, min(400, len(raw)) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PackageUnreadable):
        opened(tmp_path / "package", bytes(raw))


def _first_of_cabinets() -> bytes:
    raw = bytearray(rpms.cab({"a.txt": b"x"}))
    raw[30] |= 2
    return bytes(raw)


def _first_of_rars() -> bytes:
    raw = bytearray(rpms.rar({"a.txt": b"x"}))
    if raw[6] == 0:  # RAR 4: flags of the main header
        raw[10] |= 1
    else:
        raw[12 + raw[12:].index(b"\1") + 2] |= 1
    return bytes(raw)


@pytest.mark.parametrize(
    ("build", "word"), [(_first_of_cabinets, "set of cabinets"), (_first_of_rars, "one of several volumes")]
)
def test_a_volume_says_that_others_are_missing(tmp_path: Path, build: Callable[[], bytes], word: str) -> None:
    (tmp_path / "p").write_bytes(build())
    try:
        with Opened(tmp_path / "p", Budget(), Options()) as package:
            said = " ".join(gap.detail for gap in package.unread if gap.needed)
    except PackageUnreadable as error:
        said = str(error)
    assert word in said


def test_a_disc_with_a_second_file_system_is_not_wholly_read(tmp_path: Path) -> None:
    image = bytearray(rpms.by_libarchive(tmp_path / "i", "iso9660", {"a.txt": b"x"}))
    sector = next(n for n in range(16, 80) if image[n * 2048] == 255) + 1
    for number, word in enumerate((b"BEA01", b"NSR02", b"TEA01")):
        image[(sector + number) * 2048 : (sector + number) * 2048 + 6] = b"\0" + word
    (tmp_path / "p.iso").write_bytes(image)
    with Opened(tmp_path / "p.iso", Budget(), Options()) as package:
        assert any(gap.needed and "UDF" in gap.detail for gap in package.unread)
