"""Scripts that carry an archive."""

from __future__ import annotations

import base64
import bz2
import hashlib
import lzma
import sys
from pathlib import Path

import pytest
import zstandard

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make

from fulldress.facts import Reason, Unread
from fulldress.package.archives.run import SCRIPT
from fulldress.package.reader import Member, Options
from fulldress.package.walk import Budget, Opened

TAR = make.tarred({"opt/install.sh": b"#!/bin/sh\nsystemctl restart portal\n", "opt/data": bytes(range(256)) * 40})
PAYLOADS = {
    "gz": make.gzipped(TAR),
    "xz": lzma.compress(TAR),
    "bz2": bz2.compress(TAR),
    "zst": zstandard.compress(TAR),
    "tar": TAR,
}
HEADERS = {
    "a fixed line": b'#!/bin/sh\ntail -n +4 "$0" | tar x -C /opt\nexit 0\n',
    "a marker": (
        b"#!/bin/bash\nset -e\nLINE=$(awk '/^__ARCHIVE_BELOW__/ {print NR + 1; exit 0; }' \"$0\")\n"
        b'tail -n+$LINE "$0" | tar xz -C /opt\nexit 0\n__ARCHIVE_BELOW__\n'
    ),
    "dd": b'#!/bin/sh\n# portal 4.2.0\ndd if="$0" bs=1 skip=92 2>/dev/null | tar x -C /opt\nexit $?\n',
    "latin-1 in a remark": "#!/bin/sh\n# für die Umstellung\ntail -n +4 $0 | tar x\n".encode("latin-1"),
}


def opened(path: Path, data: bytes) -> tuple[dict[str, Member], list[Unread]]:
    path.write_bytes(data)
    with Opened(path, Budget(), Options()) as package:
        return dict(package.members), package.unread


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("header", HEADERS)
def test_the_script_and_what_it_carries(tmp_path: Path, header: str, payload: str) -> None:
    members, unread = opened(tmp_path / "p.run", HEADERS[header] + PAYLOADS[payload])
    assert unread == []
    assert members[SCRIPT].data == HEADERS[header]
    assert members[SCRIPT].kind == "shell"
    assert any(path.endswith("!/opt/install.sh") for path in members)


def makeself(payload: bytes, **stated: str) -> bytes:
    words = {"CRCsum": "0000000000", "MD5": "0" * 32, "SHA": "0" * 64, "filesizes": str(len(payload)), **stated}
    rows = "".join(f'{name}="{value}"\n' for name, value in words.items())
    return f'#!/bin/sh\n# This script was generated using Makeself 2.5.0\n{rows}tail -n +8 "$0"\n'.encode() + payload


GZ = PAYLOADS["gz"]
#: cksum(1) of b"123456789" is 930766865, the check value that its catalogues give
CHECKED = {
    "MD5": hashlib.md5(GZ, usedforsecurity=False).hexdigest(),
    "SHA": hashlib.sha256(GZ).hexdigest(),
}


@pytest.mark.parametrize("name", CHECKED)
def test_a_check_sum_that_is_right_and_one_that_is_wrong(tmp_path: Path, name: str) -> None:
    members, unread = opened(tmp_path / "p.run", makeself(GZ, **{name: CHECKED[name]}))
    assert unread == [] and "payload.tar.gz!/opt/install.sh" in members
    wrong = CHECKED[name][:-1] + ("0" if CHECKED[name][-1] != "0" else "1")
    _, unread = opened(tmp_path / "p.run", makeself(GZ, **{name: wrong}))
    assert [gap.reason for gap in unread] == [Reason.DAMAGED]
    assert wrong in unread[0].detail


def test_the_crc_of_cksum(tmp_path: Path) -> None:
    from fulldress.package.archives.run import _checked
    from fulldress.package.archives.streams import Slice

    (tmp_path / "x").write_bytes(b"123456789")
    with (tmp_path / "x").open("rb") as file:
        assert list(_checked(Slice(file, 0, 9), b'\nCRCsum="930766865"\n', 0)) == []
        assert len(list(_checked(Slice(file, 0, 9), b'\nCRCsum="930766866"\n', 0))) == 1


def test_two_archives_of_stated_sizes(tmp_path: Path) -> None:
    second = make.gzipped(make.tarred({"two": b"2"}))
    members, unread = opened(tmp_path / "p.run", makeself(GZ + second, filesizes=f"{len(GZ)} {len(second)}"))
    assert unread == []
    assert {"payload1.tar.gz!/opt/install.sh", "payload2.tar.gz!/two"} <= set(members)


def test_bytes_behind_and_bytes_missing(tmp_path: Path) -> None:
    _, unread = opened(tmp_path / "p.run", makeself(GZ, filesizes=str(len(GZ))) + b"more")
    assert [(gap.reason, gap.needed) for gap in unread] == [(Reason.REFUSED, True)]
    _, unread = opened(tmp_path / "p.run", makeself(GZ)[:-40])
    assert any("cut off" in gap.detail for gap in unread)


def test_an_encrypted_payload_is_said(tmp_path: Path) -> None:
    _, unread = opened(tmp_path / "p.run", makeself(b"Salted__" + bytes(range(200))))
    assert [gap.reason for gap in unread] == [Reason.ENCRYPTED]


@pytest.mark.parametrize(
    "decode",
    [
        "base64 -d <<'EOF' | tar xz -C /opt",
        "base64 --decode > /tmp/p.tgz <<'EOF'",
        "openssl base64 -d <<'EOF' | tar xz",
    ],
)
def test_base64_in_a_script(tmp_path: Path, decode: str) -> None:
    text = f"#!/bin/sh\nset -e\n{decode}\n".encode() + base64.encodebytes(GZ) + b"EOF\nsystemctl restart portal\n"
    members, unread = opened(tmp_path / "p.sh", text)
    assert unread == []
    assert "payload.tar.gz!/opt/install.sh" in members
    script = members[SCRIPT].text.splitlines()
    assert script[-1] == "systemctl restart portal"
    assert len(script) == len(text.splitlines())  # lines keep their numbers


@pytest.mark.parametrize(
    "carried",
    [
        pytest.param(base64.encodebytes(TAR), id="makeself --base64: a tar that nothing packed"),
        pytest.param(base64.encodebytes(TAR).rstrip(b"\n"), id="without a last line's end"),
        pytest.param(base64.b64encode(GZ) + b"\n", id="one line, as base64 -w0 writes it"),
        pytest.param(b'P="' + base64.b64encode(TAR) + b'"\n', id="in a variable"),
    ],
)
def test_other_forms_of_base64(tmp_path: Path, carried: bytes) -> None:
    members, unread = opened(
        tmp_path / "p.run", b"#!/bin/sh\ntail -n +3 $0 | base64 --decode -i - | tar xf -\n" + carried
    )
    assert unread == []
    assert any(path.endswith("!/opt/install.sh") for path in members)
    assert members[SCRIPT].text.count("\n") <= 2 + carried.count(b"\n")


def test_a_program_in_base64_is_a_member(tmp_path: Path) -> None:
    text = (
        b"#!/bin/sh\nbase64 -d > /usr/bin/agent <<EOF\n"
        + base64.encodebytes(b"\x7fELF" + bytes(range(256)) * 4)
        + b"EOF\n"
    )
    members, _ = opened(tmp_path / "p.sh", text)
    assert members["payload.elf"].kind == "elf"


@pytest.mark.parametrize(
    "text",
    [
        b"#!/bin/sh\necho 'base64 -d'\n" + base64.encodebytes(b"words, not an archive. " * 30),
        b"#!/bin/sh\nKEY=$(base64 -d key.b64)\necho done\n",
        b"#!/bin/sh\ngzip -dc <<'EOF'\nno archive here\nEOF\n",
    ],
)
def test_scripts_that_carry_nothing_stay_scripts(tmp_path: Path, text: bytes) -> None:
    members, unread = opened(tmp_path / "p.sh", text)
    assert [(member.kind, member.path) for member in members.values()] == [("shell", "p.sh")] and unread == []
