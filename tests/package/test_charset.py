"""Text of 16-bit units without a byte-order mark, as Windows tools export it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulldress.package.charset import sixteen
from fulldress.package.identify import identify
from fulldress.package.reader import Member

_WORDS = {
    "install.ps1": ("# Größe prüfen\r\nRestart-Service -Name dten\r\n", "powershell"),
    "dten.reg": ("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\Software\\Dten]\r\n", "text"),
    "001.sql": ("ALTER TABLE orders ADD COLUMN note nvarchar(80);\r\n", "sql"),
    "dten.ini": ("[server]\r\nport=8080\r\n", "ini"),
    "kyrill.ps1": ("# Служба\r\nStop-Service dten\r\n", "powershell"),
    "kanji.ps1": ("# 更新する\r\nStop-Service dten\r\n", "powershell"),
}


def member(name: str, data: bytes) -> Member:
    return Member(source="", path=name, kind=identify(name, data), size=len(data), sha256="", data=data)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize("name", _WORDS)
def test_it_is_text_of_its_kind(name: str, codec: str) -> None:
    text, kind = _WORDS[name]
    got = member(name, text.encode(codec))
    assert (got.kind, got.text) == (kind, text)


def test_half_a_surrogate_pair_costs_one_character() -> None:
    raw = "Write-Host 'a\ud800b'\r\n".encode("utf-16-le", "surrogatepass")
    assert member("x.ps1", raw).text == "Write-Host 'a\ufffdb'\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0",
        b"a\0",
        b"\0" * 64,
        bytes(range(256)) * 4,
        b"\1\0\2\0\3\0\4\0" * 9,
        b"ab\0\0cd\0\0",
        b"\xff\xd8" * 40 + b"\0a",
    ],
)
def test_binary_data_stays_binary(raw: bytes) -> None:
    assert sixteen(raw) == ""


def test_eight_bit_text_stays_as_it_is() -> None:
    assert member("x.ini", b"[a]\nb=caf\xe9\n").text == "[a]\nb=caf\xe9\n"


@given(st.binary(max_size=200))
def test_any_bytes_give_a_text_that_can_be_written(raw: bytes) -> None:
    member("x.ps1", raw).text.encode()


@given(st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=4))
def test_every_plain_text_is_found(text: str) -> None:
    for codec in ("utf-16-le", "utf-16-be"):
        assert sixteen(text.encode(codec)) == codec
