"""Answers every name with an address of its own, so that a connection tells which name the program used.

Messages as in RFC 1035. Only addresses (A) are answered; other types get an empty answer, which makes programs go on."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable

from fulldress.stage.network import NAMES, RETIRED

_A, _PTR, _AAAA, _ANY = 1, 12, 28, 255


class Resolver:
    """``retired(name)`` chooses the block in which connections are refused. ``known`` are production's own hosts."""

    def __init__(self, retired: Callable[[str], bool]) -> None:
        self._retired = retired
        self._addresses: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._next = {NAMES: 1, RETIRED: 1}
        self.asked: dict[str, int] = {}

    def know(self, address: str, name: str) -> None:
        """Take a line of production's hosts file: this address means that name. The first name of a line counts."""
        self._names.setdefault(address, name)

    def address(self, name: str) -> str:
        """The address of ``name``; the same one each time."""
        name = name.rstrip(".").lower()
        if name == "localhost" or name.endswith(".localhost"):
            return "127.0.0.1"
        if name not in self._addresses:
            block = RETIRED if self._retired(name) else NAMES
            number = self._next[block]
            if number >= block.num_addresses - 1:
                block, number = NAMES, self._next[NAMES] % (NAMES.num_addresses - 2) + 1
            self._next[block] = number + 1
            found = str(block.network_address + number)
            self._addresses[name] = found
            self._names[found] = name
        return self._addresses[name]

    def name(self, address: str) -> str:
        """The name behind an address that was given out; the address itself when a program used it directly."""
        with_v4 = ipaddress.ip_address(address)
        if isinstance(with_v4, ipaddress.IPv6Address) and with_v4.ipv4_mapped is not None:
            address = str(with_v4.ipv4_mapped)
        return self._names.get(address, address)

    def answer(self, query: bytes) -> bytes | None:
        """The answer to one message; None for what is no query."""
        if len(query) < 12:
            return None
        number, flags, questions = struct.unpack_from(">HHH", query)
        if flags & 0x8000 or questions < 1:
            return None
        labels: list[str] = []
        at = 12
        while at < len(query) and query[at]:
            length = query[at]
            if length > 63 or at + 1 + length > len(query):
                return None
            labels.append(query[at + 1 : at + 1 + length].decode("ascii", "replace"))
            at += 1 + length
        if at + 5 > len(query):
            return None
        kind = struct.unpack_from(">H", query, at + 1)[0]
        question = query[12 : at + 5]
        name = ".".join(labels).lower()
        data = self._data(name, kind)
        head = struct.pack(">HHHHHH", number, 0x8180 | (flags & 0x0100), 1, int(data is not None), 0, 0)
        if data is None:
            return head + question
        kind = _PTR if kind == _PTR else _A
        return head + question + struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(data)) + data

    def _data(self, name: str, kind: int) -> bytes | None:
        if kind in (_A, _ANY):
            self.asked[name] = self.asked.get(name, 0) + 1
            return ipaddress.IPv4Address(self.address(name)).packed
        if kind == _PTR and name.endswith(".in-addr.arpa"):
            address = ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
            found = self._names.get(address, "")
            if found:
                return b"".join(bytes([len(p)]) + p.encode() for p in found.split(".") if 0 < len(p) < 64) + b"\0"
        return None
