"""What compiled files say of themselves. The files are built here, byte by byte or by the machine's own compiler."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make

from fulldress.facts import AnyFact, Binary, Reason, Release, Unread
from fulldress.package import binaries
from fulldress.package.binaries import elf, go, jar, macho, pe, strings
from fulldress.package.binaries.said import NotThis
from fulldress.package.reader import Options
from fulldress.package.walk import Budget, Opened


def facts(tmp_path: Path, files: dict[str, bytes], name: str = "x.zip") -> list[AnyFact]:
    (tmp_path / name).write_bytes(make.zipped(files))
    with Opened(tmp_path / name, Budget(), Options(at=datetime(2026, 9, 1, tzinfo=UTC))) as package:
        return list(binaries.read(package))


def go_program(lines: str, compiler: bytes = b"go1.23.4") -> bytes:
    mark, end = bytes(range(16)), bytes(range(16, 32))
    info = mark + lines.encode() + end
    head = (b"\xff Go buildinf:\x08\x02").ljust(32, b"\0")
    size = bytes([len(info) & 0x7F | 0x80, len(info) >> 7])
    return b"\x7fELF".ljust(64, b"\0") + head + bytes([len(compiler)]) + compiler + size + info + bytes(64)


def windows_program(stamp: int, *, reproducible: bool = False, version: str = "") -> bytes:
    """A PE file of one section that holds a debug directory and a version resource."""
    base, raw = 0x1000, 0x200
    debug = struct.pack("<LLHHLLLL", 0, stamp, 0, 0, 16 if reproducible else 2, 0, 0, 0)
    words = b""
    for key, value in (("ProductName", "Widget"), ("ProductVersion", version)):
        body = key.encode("utf-16-le") + b"\0\0"
        body += b"\0" * (-(6 + len(body)) % 4) + value.encode("utf-16-le") + b"\0\0"
        words += struct.pack("<HHH", 6 + len(body), len(value) + 1, 1) + body
        words += b"\0" * (-len(words) % 4)

    def level(number: int, offset: int) -> bytes:
        return bytes(14) + struct.pack("<H", 1) + struct.pack("<LL", number, offset)

    tree = level(16, 24 | 1 << 31) + level(1, 48 | 1 << 31) + level(1033, 72)
    data_at = base + len(debug) + len(tree) + 16
    tree += struct.pack("<LLLL", data_at, len(words), 0, 0)
    content = debug + tree + words
    directories = [(0, 0)] * 16
    directories[6] = (base, len(debug))
    if version:
        directories[2] = (base + len(debug), len(tree))
    optional = b"\x0b\x02" + bytes(106) + struct.pack("<L", 16) + b"".join(struct.pack("<LL", *d) for d in directories)
    coff = b"PE\0\0" + struct.pack("<HHLLLHH", 0x8664, 1, stamp, 0, 0, len(optional), 0x22)
    section = b".rdata\0\0" + struct.pack("<LLLL", len(content), base, len(content), raw) + bytes(16)
    head = b"MZ".ljust(60, b"\0") + struct.pack("<L", 64)
    return (head + coff + optional + section).ljust(raw, b"\0") + content


def test_a_go_program_says_when_it_was_built(tmp_path: Path) -> None:
    program = go_program(
        "path\tx.example/widget\nmod\tx.example/widget\tv3.1.0\t\nbuild\tvcs.time=2025-02-11T09:12:31Z\n"
    )
    said = go.read(io.BytesIO(program))
    assert said is not None
    assert (said.version, said.product) == ("3.1.0", "widget")
    assert said.built == datetime(2025, 2, 11, 9, 12, 31, tzinfo=UTC)


def test_go_versions_stamped_by_the_linker_and_versions_that_are_none() -> None:
    said = go.read(io.BytesIO(go_program('mod\tx\t(devel)\t\nbuild\t-ldflags="-w -X main.version=1.18.1"\n')))
    assert said is not None and (said.version, said.version_from) == ("1.18.1", "go -ldflags -X")
    said = go.read(io.BytesIO(go_program("mod\tx\t(devel)\t\n")))
    assert said is not None and said.version == ""


def test_a_windows_program_says_its_link_time_and_version(tmp_path: Path) -> None:
    found = facts(tmp_path, {"w.exe": windows_program(1_368_100_000, version="4, 2, 0, 1")}, name="widget-4.2.zip")
    binary = next(fact for fact in found if isinstance(fact, Binary))
    assert (binary.format, binary.version, binary.version_from) == ("pe", "4.2.0.1", "pe ProductVersion")
    assert binary.built == datetime.fromtimestamp(1_368_100_000, UTC)
    assert [(f.product, f.aspect) for f in found if isinstance(f, Release)] == [("Widget", "binary")]


def test_a_hash_is_not_a_date(tmp_path: Path) -> None:
    for program in (
        windows_program(1_368_100_000, reproducible=True),
        windows_program(0),
        windows_program(0x2A425E19),
        windows_program(4_000_000_000),
    ):
        binary = next(f for f in facts(tmp_path, {"w.exe": program}) if isinstance(f, Binary))
        assert binary.built is None and binary.built_from == ""


def test_the_machines_own_programs(tmp_path: Path) -> None:
    ls = shutil.which("ls")
    if ls is None:
        pytest.skip("this machine has no ls")
    with Path(ls).open("rb") as file:
        said = elf.read(file)
    assert any(name.startswith("libc.") for name in said.needed)
    if tool := shutil.which("readelf"):
        notes = subprocess.run([tool, "-n", ls], capture_output=True, text=True, check=True).stdout
        assert said.build_id and said.build_id in notes


def test_a_java_archive_says_when_it_was_built(tmp_path: Path) -> None:
    manifest = b"Manifest-Version: 1.0\r\nImplementation-Version: 3.\r\n 6.1\r\nBuild-Time: 2025-02-11T09:12:00Z\r\n\r\nName: x\r\n"
    inner = make.zipped({"META-INF/MANIFEST.MF": manifest, "a.properties": b"a=1\n"})
    binary = next(f for f in facts(tmp_path, {"lib/w.jar": inner}) if isinstance(f, Binary))
    assert (binary.path, binary.version, binary.built_from) == ("lib/w.jar", "3.6.1", "jar Build-Time")
    assert binary.built == datetime(2025, 2, 11, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2025-02-11T09:12:00Z",
        "2025-02-11 09:12:00",
        "2025-02-11T10:12:00+0100",
        "20250211-0912",
        "20250211091200",
        "Tue Feb 11 09:12:00 UTC 2025",
        "Tue Feb 11 09:12:00 GMT 2025",
        "1739265120000",
    ],
)
def test_dates_as_build_tools_write_them(text: str) -> None:
    assert jar.instant(text) == datetime(2025, 2, 11, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "${maven.build.timestamp}", "yesterday", "17"])
def test_what_is_no_date(text: str) -> None:
    assert jar.instant(text) is None


def test_a_mach_o_library() -> None:
    name = b"/usr/lib/libSystem.B.dylib\0".ljust(32, b"\0")
    load = struct.pack("<LLLLLL", 0xC, 24 + len(name), 24, 2, 0x10000, 0x10000) + name
    uuid = struct.pack("<LL", 0x1B, 24) + bytes(range(16))
    source = struct.pack("<LLQ", 0x2A, 16, 4 << 40 | 2 << 30)
    commands = load + uuid + source
    head = struct.pack("<LLLLLLLL", 0xFEEDFACF, 0, 0, 6, 3, len(commands), 0, 0)
    said = macho.read(io.BytesIO(head + commands))
    assert said.needed == ("/usr/lib/libSystem.B.dylib",)
    assert (said.version, said.build_id) == ("4.2.0", bytes(range(16)).hex())


def test_files_that_say_nothing_are_named_once(tmp_path: Path) -> None:
    found = facts(tmp_path, {f"{n}.exe": windows_program(0) for n in range(8)})
    gaps = [fact for fact in found if isinstance(fact, Unread)]
    assert [(gap.what, gap.reason) for gap in gaps] == [("8 binaries", Reason.NO_DATA)]
    assert gaps[0].detail.endswith("…")


def test_a_damaged_program_is_said(tmp_path: Path) -> None:
    found = facts(tmp_path, {"bin/x": b"\x7fELF\x02\x01\x01" + b"\xff" * 400})
    assert [(f.what, f.reason) for f in found if isinstance(f, Unread)] == [("bin/x", Reason.FORMAT)]


@given(st.binary(max_size=400), st.sampled_from(["elf", "pe", "macho", "go"]))
def test_no_bytes_break_a_reader(tail: bytes, kind: str) -> None:
    heads = {
        "elf": b"\x7fELF\x02\x01\x01",
        "pe": b"MZ".ljust(60, b"\0") + struct.pack("<L", 64) + b"PE\0\0",
        "macho": b"\xcf\xfa\xed\xfe",
        "go": b"\xff Go buildinf:\x08\x02".ljust(32, b"\0"),
    }
    readers = {"elf": elf.read, "pe": pe.read, "macho": macho.read, "go": go.read}
    try:
        readers[kind](io.BytesIO(heads[kind] + tail))
    except (NotThis, struct.error, ValueError, IndexError, OverflowError, KeyError, RecursionError):
        return


def elf_program(sections: dict[str, bytes]) -> bytes:
    """A 64-bit ELF file of plain sections (type SHT_PROGBITS), for x86-64."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*sections, ".shstrtab"))
    body, rows, at = b"", [bytes(64)], 64
    for name, data in (*sections.items(), (".shstrtab", names)):
        kind = 3 if name == ".shstrtab" else 1
        rows.append(
            struct.pack("<LLQQQQLLQQ", names.index(name.encode() + b"\0"), kind, 0, 0, at, len(data), 0, 0, 1, 0)
        )
        body, at = body + data, at + len(data)
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHLQQQLHHHHHH", 2, 62, 1, 0, 0, at, 0, 64, 56, 0, 64, len(rows), len(rows) - 1)
    return head + body + b"".join(rows)


def test_what_rust_compiled_in(tmp_path: Path) -> None:
    packages = {
        "packages": [
            {"name": "relay", "version": "4.2.0", "source": "local", "root": True},
            {"name": "serde", "version": "1.0.200", "source": "registry"},
            {"name": "cc", "version": "1.0.0", "source": "registry", "kind": "build"},
        ]
    }
    program = elf_program({".dep-v0": zlib.compress(json.dumps(packages).encode())})
    binary = next(f for f in facts(tmp_path, {"bin/relay": program}) if isinstance(f, Binary))
    assert (binary.version, binary.version_from) == ("4.2.0", "cargo auditable data")
    assert binary.bundled == ("serde 1.0.200",)
    assert binary.machine == "x86_64"


@pytest.mark.parametrize(
    "packed",
    [b"", b"not zlib", zlib.compress(b"[1, 2]"), zlib.compress(b'{"packages": 3}'), zlib.compress(b" " * (64 << 20))],
)
def test_a_bill_of_materials_that_is_none(packed: bytes) -> None:
    try:
        said = elf.read(io.BytesIO(elf_program({".dep-v0": packed})))
    except NotThis:
        return
    assert said.bundled == ()


def test_the_c_library_that_is_needed_at_least() -> None:
    tool, program = shutil.which("readelf"), shutil.which("ls")
    if tool is None or program is None:
        pytest.skip("this machine has no readelf to compare with")
    told = subprocess.run([tool, "-V", program], capture_output=True, text=True, check=True).stdout
    versions = {tuple(map(int, part.split()[0].split("."))) for part in told.split("Name: GLIBC_")[1:]}
    with Path(program).open("rb") as file:
        said = elf.read(file)
    assert f"GLIBC {'.'.join(map(str, max(versions)))}" in said.requires


def test_the_symbols_that_a_library_gives() -> None:
    library = next((p for p in Path("/usr/lib").rglob("libz.so.1") if p.is_file()), None)
    if library is None:
        pytest.skip("this machine has no zlib")
    with library.open("rb") as file:
        said = elf.read(file)
    assert said.soname == "libz.so.1"
    assert {"inflate", "deflate", "crc32"} <= set(said.exports)
    assert "malloc" not in said.exports


def test_go_says_what_it_was_built_from() -> None:
    said = go.read(
        io.BytesIO(
            go_program(
                "path\tx.example/w\ndep\ta.example/one\tv1.2.3\th1:x=\ndep\tb.example/two\tv0.1.0\n"
                "=>\tb.example/fork\tv0.2.0\nbuild\tGOARCH=arm64\n"
            )
        )
    )
    assert said is not None
    assert said.bundled == ("a.example/one v1.2.3", "b.example/fork v0.2.0")
    assert said.machine == "aarch64"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (b"\0relay-agent 3.6.1\0", "3.6.1"),
        (b"\0relay-agent version v3.6.1-rc2\0", "3.6.1-rc2"),
        (b"\0relay-agent - v4.2 - 2021-12-30\0", "4.2"),
        (b"\0RELAY-AGENT/10.0.4 (linux)\0", "10.0.4"),
        (b"\0relay-agent 3.6.1\0relay-agent 3.6.1\0", "3.6.1"),
        (b"\0relay-agent 3.6.1\0needs relay-agent 3.0 or later\0", ""),
        (b"\0my-relay-agent 3.6.1\0", ""),
        (b"\0/usr/lib/relay-agent-3.6.1.so\0", ""),
        (b"\0relay-agent 3\0", ""),
        (b"\0relay-agent\0003.6.1\0", ""),
    ],
)
def test_a_version_behind_the_own_name(text: bytes, version: str) -> None:
    program = elf_program({".rodata": bytes(500) + text + bytes(500)})
    assert strings.version(io.BytesIO(program), "relay-agent")[0] == version


@pytest.mark.parametrize("stem", ["main", "ab", "tést"])
def test_a_name_too_common_to_be_one(stem: str) -> None:
    assert strings.version(io.BytesIO(stem.encode() + b" 1.2.3\0"), stem) == ("", "")


def test_the_youngest_compiler_date_counts() -> None:
    program = elf_program({".rodata": b"\0Feb 11 2025\0\0Jan  3 2024\0 on Mar  1 2026\0\0Xxx 10 2026\0\0Feb 31 2026\0"})
    assert strings.built(io.BytesIO(program)) == (datetime(2025, 2, 11, tzinfo=UTC), "Feb 11 2025")


def test_texts_across_the_blocks_of_a_large_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strings, "_CHUNK", 1000)
    for shift in range(40):
        program = bytes(970 + shift) + b"\0relay-agent 3.6.1\0Feb 11 2025\0" + bytes(2000)
        assert strings.version(io.BytesIO(program), "relay-agent")[0] == "3.6.1"
        assert strings.built(io.BytesIO(program))[1] == "Feb 11 2025"


def class_file(major: int) -> bytes:
    return b"\xca\xfe\xba\xbe\0\0" + major.to_bytes(2, "big") + bytes(20)


def test_the_java_that_classes_need(tmp_path: Path) -> None:
    inner = make.zipped(
        {
            "META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n\n",
            "META-INF/versions/21/a/B.class": class_file(65),
            "module-info.class": class_file(53),
            "a/A.class": class_file(52),
            "a/B.class": class_file(61),
        }
    )
    binary = next(f for f in facts(tmp_path, {"lib/w.jar": inner}) if isinstance(f, Binary))
    assert binary.requires == ("Java 17",)


def test_a_jar_that_says_two_versions(tmp_path: Path) -> None:
    inner = make.zipped(
        {
            "META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\nImplementation-Title: relay\nImplementation-Version: 4.2.0\n\n",
            "META-INF/maven/g/relay/pom.properties": b"#Tue Feb 11 09:12:00 UTC 2025\nartifactId=relay\nversion=3.6.1\n",
        }
    )
    found = facts(tmp_path, {"lib/relay.jar": inner}, name="relay-4.2.0.zip")
    binary = next(f for f in found if isinstance(f, Binary))
    assert (binary.version, binary.built) == ("4.2.0", datetime(2025, 2, 11, 9, 12, tzinfo=UTC))
    releases = [f for f in found if isinstance(f, Release)]
    assert [f.version for f in releases] == ["4.2.0", "3.6.1"]
    assert releases[1].evidence.path.endswith("pom.properties")


def test_what_spring_boot_and_git_say(tmp_path: Path) -> None:
    inner = make.zipped(
        {
            "META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n\n",
            "BOOT-INF/classes/META-INF/build-info.properties": b"build.time=2025-02-11T09\\:12\\:00Z\nbuild.version=3.6.1\n",
            "BOOT-INF/classes/git.properties": b"git.commit.time=2020-01-01T00\\:00\\:00Z\n",
        }
    )
    binary = next(f for f in facts(tmp_path, {"lib/w.jar": inner}) if isinstance(f, Binary))
    assert (binary.version, binary.version_from) == ("3.6.1", "jar build-info.properties")
    assert binary.built == datetime(2025, 2, 11, 9, 12, tzinfo=UTC)


def test_a_packed_program_hides_what_it_is(tmp_path: Path) -> None:
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHLQQQLHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 0, 64, 0, 0)
    found = facts(tmp_path, {"bin/relay": head + b"\0" * 60 + b"UPX!" + bytes(200)})
    assert [f.detail for f in found if isinstance(f, Unread)] == ["packed by UPX: what it is made of cannot be seen"]
