"""The parts that need no stage: names, scripted answers, unit files, command lines."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulldress.stage import units
from fulldress.stage.commands import Ask, _sudo, restart_of_host
from fulldress.stage.keeper import mappings
from fulldress.stage.network import RETIRED
from fulldress.stage.observe import masked
from fulldress.stage.resolver import Resolver


def query(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)


def test_every_name_has_one_address_of_its_own() -> None:
    resolver = Resolver(lambda name: name == "old.example")
    answer = resolver.answer(query("a.example"))
    assert answer is not None and answer[-4:] == bytes([198, 18, 0, 1])
    assert resolver.address("A.example.") == "198.18.0.1" and resolver.address("b.example") == "198.18.0.2"
    assert resolver.name("198.18.0.2") == "b.example" and resolver.name("::ffff:198.18.0.2") == "b.example"
    assert resolver.address("old.example").startswith(str(RETIRED.network_address)[:6])
    empty = resolver.answer(query("a.example", 28))
    assert empty is not None and struct.unpack_from(">H", empty, 6)[0] == 0


@given(st.binary(max_size=200))
def test_no_message_breaks_the_resolver(data: bytes) -> None:
    answer = Resolver(lambda name: False).answer(data)
    assert answer is None or answer[:2] == data[:2]


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader_of_units(text: str) -> None:
    values: dict[str, list[str]] = {}
    units.parse(text, values)
    assert all(isinstance(value, str) for found in values.values() for value in found)
    argv, _ = units.words(text, "x.service", {})
    assert argv


@pytest.mark.parametrize(
    ("line", "argv", "tolerant"),
    [
        ("-/bin/rm -f %t/x '%i'", ["/bin/rm", "-f", "%t/x", "a"], True),
        ("/bin/app $OPTS ${PORT}x", ["/bin/app", "-v", "-q", "80x"], False),
        ("@/bin/app name --x", ["/bin/app", "--x"], False),
    ],
)
def test_command_lines_of_units(line: str, argv: list[str], tolerant: bool) -> None:
    assert units.words(line, "app@a.service", {"OPTS": "-v -q", "PORT": "80"}) == (argv, tolerant)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("reboot -f", "reboot"),
        ("shutdown -r now", "reboot"),
        ("shutdown -r +1", "later reboot +1"),
        ("shutdown -h now", "poweroff"),
        ("shutdown", "later poweroff +1"),
        ("shutdown -c", "cancelled"),
        ("init 0", "poweroff"),
        ("init 3", ""),
        ("halt", "poweroff"),
        ("reboot --help", ""),
    ],
)
def test_whether_the_host_goes_down(command: str, expected: str) -> None:
    name, *rest = command.split()
    assert restart_of_host(name, rest).reboot == expected


@pytest.mark.parametrize(
    ("command", "user", "argv"),
    [
        ("-u app -H ls -l", "app", ["ls", "-l"]),
        ("-n -- -odd", "root", ["-odd"]),
        ("-uapp id", "app", ["id"]),
        ("-i", "root", []),
        ("-v", "root", None),
        ("-s echo a", "root", ["/bin/sh", "-c", "echo a"]),
    ],
)
def test_sudo_options(command: str, user: str, argv: list[str] | None) -> None:
    found = _sudo(Ask("sudo", ["sudo", *command.split()], 1, 0, ""))
    assert found[:2] == (user, argv)


@given(st.integers(0, 70000))
def test_mappings_cover_every_user_once(owner: int) -> None:
    lines = mappings(1_900_000_000, owner)
    assert sum(count for _, _, count in lines) == 65536
    outside = sorted((start, start + count) for _, start, count in lines)
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(outside))
    if owner < 65536:
        inside = next(out + owner - start for start, out, count in lines if start <= owner < start + count)
        assert inside == 1_900_000_000


def test_secrets_after_their_option_are_hidden() -> None:
    assert masked(["x", "--password", "hunter2hunter2"])[-1] != "hunter2hunter2"
    assert masked(["a\udcff"]) == ("a\\udcff",)
