"""RPM and cpio."""

from __future__ import annotations

import bz2
import hashlib
import lzma
import sys
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import contextlib

import archivemaking as make
import rpmmaking as rpms

from fulldress.errors import PackageUnreadable
from fulldress.facts import Entry, Privilege, Reason, Release, Requirement, Unread
from fulldress.package import read
from fulldress.package.reader import Member, Options
from fulldress.package.walk import Budget, Opened

FILE, FOLDER, LINK = 0o100644, 0o040755, 0o120777
FILES = [
    ("./etc/portal/a.conf", FILE, b"a = 1\n"),
    ("./etc/portal/b.conf", FILE, b"b = 1\n"),
    ("./usr/bin/portal", 0o104755, b"#!/bin/sh\necho portal\n"),
    ("./usr/bin/p", LINK, b"portal"),
    ("./usr/share/doc/portal", FOLDER, b""),
]
PAYLOAD = rpms.newc(FILES)
TAGS = {**rpms.listed(FILES, {"./etc/portal/a.conf": 1, "./etc/portal/b.conf": 17}), 1124: "cpio"}


def opened(path: Path, data: bytes, **budget: float) -> tuple[dict[str, Member], list[Unread]]:
    path.write_bytes(data)
    with Opened(path, Budget(**budget), Options()) as package:  # type: ignore[arg-type]
        return dict(package.members), package.unread


COMPRESSIONS = {
    "gzip": make.gzipped,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": zstandard.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "none": lambda data: data,
}


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_every_compression_of_the_payload(tmp_path: Path, name: str) -> None:
    members, unread = opened(tmp_path / "p.rpm", rpms.rpm(TAGS, COMPRESSIONS[name](PAYLOAD)))
    assert unread == []
    assert members["usr/bin/portal"].data == FILES[2][2]
    assert members["usr/bin/portal"].mode == 0o4755
    assert members["usr/bin/p"].link == "portal"
    assert members["usr/share/doc/portal"].kind == "folder"


CPIOS = {
    "newc": rpms.newc(FILES),
    "crc": rpms.newc(FILES, b"070702"),
    "odc": rpms.odc(FILES),
    "little": rpms.binary(FILES, "<"),
    "big": rpms.binary(FILES, ">"),
}


@pytest.mark.parametrize("name", CPIOS)
def test_every_form_of_cpio(tmp_path: Path, name: str) -> None:
    members, unread = opened(tmp_path / "p.cpio", CPIOS[name])
    assert unread == []
    assert {path: member.sha256 for path, member in members.items() if member.sha256} == {
        path[2:]: hashlib.sha256(data).hexdigest() for path, mode, data in FILES if mode >> 12 == 8
    }
    assert members["usr/bin/p"].link == "portal"


def test_hard_links_lead_to_the_name_that_carries_the_bytes(tmp_path: Path) -> None:
    files = [("a", FILE, b""), ("b", FILE, b""), ("c", FILE, b"bytes")]
    members, unread = opened(tmp_path / "p.cpio", rpms.newc(files, links=dict.fromkeys("abc", (7, 3))))
    assert (members["a"].link, members["b"].link, members["c"].data) == ("c", "c", b"bytes")
    assert unread == []


def test_hard_links_without_bytes_are_empty_files(tmp_path: Path) -> None:
    files = [("a", FILE, b""), ("b", FILE, b"")]
    members, _ = opened(tmp_path / "p.cpio", rpms.newc(files, links=dict.fromkeys("ab", (7, 2))))
    assert [members[name].kind for name in "ab"] == ["empty", "empty"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data[:400], "cut off"),
        (lambda data: data.replace(b"a = 1", b"a = 2"), "check sum"),
        (lambda data: data + b"hidden", "after its end mark"),
        (lambda data: data.replace(b"07070200000002", b"0707020000000z"), "where a number belongs"),
    ],
)
def test_a_cpio_that_is_not_as_it_should_be(tmp_path: Path, spoil, said: str) -> None:  # type: ignore[no-untyped-def]
    _, unread = opened(tmp_path / "p.cpio", spoil(CPIOS["crc"]))
    assert any(said in gap.detail for gap in unread), unread


def test_two_archives_in_a_row_as_in_an_initial_ram_disk(tmp_path: Path) -> None:
    members, unread = opened(tmp_path / "p.cpio", rpms.newc([("one", FILE, b"1")]) + rpms.newc([("two", FILE, b"2")]))
    assert set(members) == {"one", "two"} and unread == []


def test_files_without_names_and_sizes_take_them_from_the_header(tmp_path: Path) -> None:
    payload = rpms.stripped([(0, b"a = 1\n"), (2, b"#!/bin/sh\necho portal\n")])
    files = [FILES[0], FILES[1], FILES[2]]
    tags = rpms.listed(files, {"./etc/portal/b.conf": 64})
    tags[5008] = tags.pop(1028)
    members, unread = opened(tmp_path / "p.rpm", rpms.rpm(tags, payload))
    assert unread == []
    assert members["usr/bin/portal"].data == FILES[2][2]


SCRIPTS = {
    1023: "systemctl stop portal", 1085: "/bin/sh",
    1024: "systemctl restart portal\n", 1086: ["/bin/bash", "-e"],
    1088: "/sbin/ldconfig",
    1151: "print('x')", 1153: "<lua>",
    1065: ["systemctl try-restart portal"], 1092: ["/bin/sh"], 1066: ["openssl-libs"], 1067: ["3"], 1068: [(1 << 16) | 4],
    1069: [0],
    5076: ["portal rescan"], 5077: ["/bin/sh"], 5079: ["/usr/lib/portal.d"], 5080: [0],
}  # fmt: skip


def test_scriptlets_are_members_with_their_interpreter(tmp_path: Path) -> None:
    members, unread = opened(tmp_path / "p.rpm", rpms.rpm({**TAGS, **SCRIPTS}, PAYLOAD))
    texts = {path.removeprefix(".scriptlets/"): member.text for path, member in members.items() if "scriptlets" in path}
    assert texts == {
        "pre": "#!/bin/sh\nsystemctl stop portal\n",
        "post": "#!/bin/bash -e\nsystemctl restart portal\n",
        "postun": "#!/bin/sh\n/sbin/ldconfig\n",
        "pretrans.lua": "print('x')",
        "triggerin-1": "#!/bin/sh\n# runs when this changes: openssl-libs\nsystemctl try-restart portal\n",
        "transfiletrigger-1": "#!/bin/sh\n# runs when this changes: /usr/lib/portal.d\nportal rescan\n",
    }
    assert [(gap.what, gap.reason, gap.needed) for gap in unread] == [(".scriptlets/pretrans.lua", Reason.FORMAT, True)]
    assert members[".scriptlets/post"].kind == "shell"


def test_what_the_header_says_becomes_facts(tmp_path: Path) -> None:
    tags = {
        **TAGS, **rpms.listed(FILES, {"./etc/portal/a.conf": 1, "./etc/portal/b.conf": 17}, {"./usr/bin/portal": "cap_net_raw=ep"}),
        1003: 1, 1006: 1_767_323_046, 1011: "Portal GmbH", 1005: "An agent.\n\nA reboot is required after the upgrade.",
        1049: ["openssl-libs", "openssl-libs", "/bin/sh", "libc.so.6(GLIBC_2.34)(64bit)", "rpmlib(X)", "bash"],
        1050: ["3.0", "4", "", "", "1", ""], 1048: [12, 2, 0, 0, (1 << 24) | 8, 0],
    }  # fmt: skip
    path = tmp_path / "portal-agent-4.2.0-3.noarch.rpm"
    path.write_bytes(rpms.rpm(tags, PAYLOAD))
    facts = read(path).facts
    releases = {fact.aspect: fact for fact in facts if isinstance(fact, Release)}
    assert releases["control"].version == "1:4.2.0-3"
    assert (releases["control"].vendor, str(releases["control"].released)) == ("Portal GmbH", "2026-01-02")
    assert releases["file name"].version == "4.2.0-3"
    assert {(fact.component, fact.constraint) for fact in facts if isinstance(fact, Requirement)} == {
        ("openssl-libs", ">= 3.0, < 4"),
        ("bash", ""),
    }
    assert {fact.path: fact.role for fact in facts if isinstance(fact, Entry) and fact.role} == {
        "etc/portal/a.conf": "config",
        "etc/portal/b.conf": "config(noreplace)",
    }
    assert [(fact.how, fact.command) for fact in facts if isinstance(fact, Privilege) and fact.how == "capability"] == [
        ("capability", "/usr/bin/portal is given cap_net_raw=ep")
    ]


def test_conffiles_of_a_debian_package_have_their_role(tmp_path: Path) -> None:
    path = tmp_path / "p.deb"
    control = {
        "./control": b"Package: p\nVersion: 1\n",
        "./conffiles": b"/etc/p.conf\nremove-on-upgrade /etc/old.conf\n",
    }
    path.write_bytes(make.deb(control, {"./etc/p.conf": b"a=1\n", "./etc/q.conf": b"a=1\n"}))
    roles = {fact.path: fact.role for fact in read(path).facts if isinstance(fact, Entry) and fact.role}
    assert roles == {"data.tar.gz!/etc/p.conf": "conffile"}


DAMAGE = {
    "digest of a file": (
        rpms.rpm(TAGS, PAYLOAD.replace(b"a = 1", b"a = 9")),
        "not the one that the package's header states",
    ),
    "digest of the header": (rpms.rpm(TAGS, PAYLOAD, {273: "0" * 64}), "the sha256 of its header"),
    "digest of the payload": (rpms.rpm({**TAGS, 5092: ["1" * 64], 5093: 8}, PAYLOAD), "the sha256 of its payload"),
    "a file that is missing": (rpms.rpm(TAGS, rpms.newc(FILES[1:])), "1 files that its header lists are not"),
    "a file that is not listed": (
        rpms.rpm(TAGS, rpms.newc([*FILES, ("./x", FILE, b"x")])),
        "1 files of its payload are not in its header's list",
    ),
    "unknown payload": (rpms.rpm(TAGS, b"what is this"), "which no known compression does"),
    "a delta": (rpms.rpm({**TAGS, 1124: "drpm"}, PAYLOAD), "'drpm'"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_an_rpm_that_is_not_as_its_header_says(tmp_path: Path, name: str) -> None:
    data, said = DAMAGE[name]
    _, unread = opened(tmp_path / "p.rpm", data)
    assert any(said in gap.detail and gap.needed for gap in unread), unread


def test_headers_that_lie_about_their_size(tmp_path: Path) -> None:
    whole = rpms.rpm(TAGS, PAYLOAD)
    at = whole.index(b"\x8e\xad\xe8\x01", 100)
    for field in (8, 12):
        data = whole[: at + field] + b"\x7f\xff\xff\xff" + whole[at + field + 4 :]
        with pytest.raises(PackageUnreadable, match="claims"):
            opened(tmp_path / "p.rpm", data)


def test_overlapping_values_take_no_memory(tmp_path: Path) -> None:
    store = b"x" * 60_000 + b"\0"
    import struct

    index = b"".join(struct.pack(">IIII", 2000 + tag, 6, 0, 1) for tag in range(5000))
    bad = b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", 5000, len(store)) + index + store
    with pytest.raises(PackageUnreadable, match="overlap"):
        opened(tmp_path / "p.rpm", rpms.rpm({}, b"")[:96] + rpms.header({1000: 1}).ljust(40, b"\0") + bad)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_random_damage_never_raises_another_error(tmp_path: Path, data: st.DataObject) -> None:
    source = data.draw(st.sampled_from([rpms.rpm({**TAGS, **SCRIPTS}, make.gzipped(PAYLOAD)), *CPIOS.values()]))
    raw = bytearray(source)
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PackageUnreadable):
        opened(tmp_path / "p.rpm", bytes(raw[: data.draw(st.integers(1, len(raw)))]))
