"""What a file is, by bytes, first line, place, suffix and content."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulldress.package.identify import identify, refine, shown

CASES = [
    ("a", b"", "empty"),
    ("bin/x", b"\x7fELF\x02\x01\x01", "elf"),
    ("x.exe", b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0", "pe"),
    ("x.txt", b"MZ is how a sentence may begin\n", "text"),
    ("A.class", b"\xca\xfe\xba\xbe\0\0\0\x41", "java-class"),
    ("x.dylib", b"\xca\xfe\xba\xbe\0\0\0\x02", "macho"),
    ("x", b"PK\x03\x04", "zip"),
    ("x.rpm", b"\xed\xab\xee\xdb", "rpm"),
    ("notes", b"BZhere it stands\n", "text"),
    ("post", b"#!/bin/sh -e\necho\n", "shell"),
    ("run", b"#!/usr/bin/env -S FOO=1 python3 -u\n", "python"),
    ("run", b"#!/usr/bin/perl -w\n", "perl"),
    ("run", b"#!/usr/bin/env node\n", "javascript"),
    ("scripts/pre.sh", b"echo no first line\n", "shell"),
    ("x.ps1", b"Write-Host 1\r\n", "powershell"),
    ("etc/cron.d/job", b"0 3 * * * root /opt/x\n", "cron"),
    ("debian/pkg.cron.d", b"0 3 * * * root /opt/x\n", "cron"),
    ("etc/cron.daily/job", b"#!/bin/sh\n", "shell"),
    ("etc/cron.daily/job", b"test -x /usr/bin/x && x\n", "shell"),
    ("files/nightly", b"# by us\nMAILTO=root\n*/5 * * * * root /opt/x\n", "cron"),
    ("var/spool/cron/crontabs/dten", b"0 3 * * * /opt/x\n", "crontab"),
    ("x.timer", b"[Unit]\n[Timer]\nOnCalendar=daily\n", "systemd-timer"),
    ("x.service", b"[Service]\nExecStart=/x\n", "systemd-service"),
    ("x.socket", b"[Socket]\nListenStream=1\n", "systemd-unit"),
    ("up.service", b"words of a marketing page\n", "text"),
    ("x.sql", b"-- nothing\n", "sql"),
    ("delta/05_x.sql.postgres", b"/* words */ ANALYZE a;\n", "sql"),
    ("config/NOTICE", b"Words about licences.\n", "text"),
    ("migrate", b"-- first\nCREATE TABLE a (b int);\n", "sql"),
    ("select.txt", b"Select one of the following options.\n", "text"),
    ("manifest", b'{"name": 1}\n', "json"),
    ("x.yml", b"a: 1\n", "yaml"),
    ("x", b"---\na: 1\n", "yaml"),
    ("x.toml", b"a = 1\n", "toml"),
    ("x", b"[main]\nkey = 1\n", "ini"),
    ("a.properties", b"a=1\n", "properties"),
    (".env", b"A=1\n", "env"),
    ("etc/default/x", b"A=1\n", "env"),
    ("x.conf", b"a 1\n", "conf"),
    ("etc/ssh/sshd_config", b"Port 22\n", "conf"),
    ("x", b"<?xml version='1.0'?><a/>", "xml"),
    ("x", b"<!DOCTYPE html><p>", "html"),
    ("ca.crt", b"-----BEGIN CERTIFICATE-----\nMII\n", "pem"),
    ("x", b"-----BEGIN PKCS7-----\nMII\n", "cms"),
    ("x.p7s", bytes.fromhex("308206ad06092a864886f70d010702"), "cms"),
    ("x.der", bytes.fromhex("308202ad30820199a003"), "der"),
    ("x.asc", b"-----BEGIN PGP SIGNATURE-----\n", "pgp"),
    ("x.sig", b"\x89\x01\x33\x04\0\x01", "pgp"),
    ("x.minisig", b"untrusted comment: signature\nRWQ\n", "minisign"),
    ("x", bytes(range(256)), "data"),
    ("x.txt", b"caf\xe9 au lait\n", "text"),
    ("x.txt", "words".encode("utf-16"), "text"),
    ("README.md", b"# Title\n", "markdown"),
]


@pytest.mark.parametrize(("path", "head", "kind"), CASES)
def test_kinds(path: str, head: bytes, kind: str) -> None:
    assert identify(path, head) == kind


@pytest.mark.parametrize(
    ("kind", "names", "finer"),
    [
        ("zip", {"a-1.dist-info/WHEEL", "a/b.py"}, "wheel"),
        ("zip", {"META-INF/MANIFEST.MF"}, "jar"),
        ("zip", {"META-INF/MANIFEST.MF", "WEB-INF/web.xml"}, "war"),
        ("zip", {"x/META-INF/MANIFEST.MF"}, "zip"),
        ("gz", {"package/package.json"}, "npm"),
        ("gz", {"a"}, "gz"),
    ],
)
def test_a_container_is_known_by_what_it_holds(kind: str, names: set[str], finer: str) -> None:
    assert refine(kind, names) == finer


@given(st.text(max_size=30), st.binary(max_size=600))
def test_no_bytes_break_it(path: str, head: bytes) -> None:
    assert identify(path, head)


@given(st.text())
def test_a_shown_name_can_be_printed_anywhere(name: str) -> None:
    assert shown(name).isprintable()
    shown(name).encode()


@pytest.mark.parametrize("name", ["x", "x.service", "x.cron", "x.pem", "x.p7s"])
@pytest.mark.parametrize(
    "piece",
    [
        b"\n",
        b" \n",
        b"# \n",
        b"/*",
        b"/* */",
        b"--\n",
        b"a ",
        b"A=\n",
        b"\t",
        b"-",
        b"\n-",
        b"{ ",
        b"1 ",
        b"select ",
        b"[a]\n",
    ],
)
def test_no_text_keeps_the_patterns_busy(name: str, piece: bytes) -> None:
    begin = time.process_time()
    for head in (piece * (8192 // len(piece)) + b"x", b"[a]\n" + piece * (8000 // len(piece)) + b"x"):
        identify(name, head)
    assert time.process_time() - begin < 0.5  # backtracking took seconds to years
