"""The network of a stage, said to the kernel over netlink: every address is local, every connection comes to one listener.

Standard library only. Needs neither ``ip`` nor ``nft``. Messages as in ``linux/rtnetlink.h`` and
``linux/netfilter/nf_tables.h``.
"""

from __future__ import annotations

import ctypes
import ipaddress
import os
import socket
import struct
from collections.abc import Iterable, Sequence

#: One address per name, from the block that RFC 2544 sets aside; names of retired hosts get theirs from the second.
NAMES = ipaddress.IPv4Network("198.18.0.0/16")
RETIRED = ipaddress.IPv4Network("198.19.0.0/16")

_REQUEST, _ACK, _CREATE, _APPEND = 1, 4, 0x400, 0x800
_NFTABLES = 10
_LOCAL_IN, _LOCAL_OUT = 1, 3
_ACCEPT = 1
_TABLE = "fulldress"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Filter = list[tuple[int, int, int, int]]


def _attribute(kind: int, data: bytes | int | str) -> bytes:
    if isinstance(data, int):
        data = struct.pack(">I", data)
    elif isinstance(data, str):
        data = data.encode() + b"\0"
    return struct.pack("=HH", len(data) + 4, kind) + data + b"\0" * (-len(data) % 4)


def _nested(kind: int, *parts: bytes) -> bytes:
    return _attribute(kind | 0x8000, b"".join(parts))


def _talk(protocol: int, messages: Sequence[tuple[int, int, bytes]], acknowledged: int) -> None:
    """Send (type, flags, body) and wait for ``acknowledged`` answers. Raises :class:`OSError` on the first refusal."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as link:
        link.bind((0, 0))
        link.settimeout(2)
        link.sendto(
            b"".join(
                struct.pack("=IHHII", 16 + len(body), kind, flags, number, 0) + body + b"\0" * (-len(body) % 4)
                for number, (kind, flags, body) in enumerate(messages, 1)
            ),
            (0, 0),
        )
        while acknowledged > 0:
            data = link.recv(1 << 16)
            while len(data) >= 20:
                length, kind, _, number, _ = struct.unpack_from("=IHHII", data)
                if kind == 2:
                    code = struct.unpack_from("=i", data, 16)[0]
                    if code:
                        raise OSError(-code, os.strerror(-code), f"netlink message {number}")
                    acknowledged -= 1
                data = data[(length + 3) & ~3 :]


def loopback_up() -> None:
    index = socket.if_nametoindex("lo")
    body = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, 1, 1)  # IFF_UP
    _talk(socket.NETLINK_ROUTE, [(16, _REQUEST | _ACK, body)], 1)


def all_addresses_local(family: int = socket.AF_INET) -> None:
    """``ip route add local 0.0.0.0/0 dev lo``: a connection to any address stays in this namespace."""
    index = socket.if_nametoindex("lo")
    # struct rtmsg: destination length 0, table local (255), protocol boot (3), scope host (254), type local (2)
    body = struct.pack("=BBBBBBBBI", family, 0, 0, 0, 255, 3, 254, 2, 0)
    body += struct.pack("=HHi", 8, 4, index)
    _talk(socket.NETLINK_ROUTE, [(24, _REQUEST | _ACK | _CREATE, body)], 1)


def _expression(name: str, *parts: bytes) -> bytes:
    return _nested(1, _attribute(1, name), _nested(2, *parts))


def _load(base: int, offset: int, length: int) -> bytes:
    return _expression("payload", _attribute(1, 1), _attribute(2, base), _attribute(3, offset), _attribute(4, length))


def _equals(value: bytes, *, negate: bool = False) -> bytes:
    return _expression("cmp", _attribute(1, 1), _attribute(2, int(negate)), _nested(3, _attribute(1, value)))


def _masked(mask: bytes) -> bytes:
    return _expression(
        "bitwise",
        _attribute(1, 1),
        _attribute(2, 1),
        _attribute(3, len(mask)),
        _nested(4, _attribute(1, mask)),
        _nested(5, _attribute(1, bytes(len(mask)))),
    )


_IS_TCP = _expression("meta", _attribute(1, 1), _attribute(2, 16)) + _equals(b"\x06")
#: SYN without ACK. A program's own address toward a local one is that same address, so the reset comes by here, too.
_IS_FIRST = _load(2, 13, 1) + _masked(b"\x12") + _equals(b"\x02")
_TO_ACCEPT = _expression("immediate", _attribute(1, 0), _nested(2, _nested(2, _attribute(1, _ACCEPT))))
_TO_RESET = _expression("reject", _attribute(1, 1))


def _destination(network: Network) -> bytes:
    offset, length = (16, 4) if network.version == 4 else (24, 16)
    return _load(1, offset, length) + _masked(network.netmask.packed) + _equals(network.network_address.packed)


def redirect(sink: int, direct: Sequence[Network] = (), resolver: int = 53) -> None:
    """Lead every TCP connection to port ``sink``, IPv4 and IPv6, but those to loopback, ``direct`` and the resolver.

    Raises :class:`OSError` where the kernel has no nftables or no redirect."""
    to_sink = _expression(
        "immediate", _attribute(1, 1), _nested(2, _attribute(1, struct.pack(">H", sink)))
    ) + _expression("redir", _attribute(1, 1))
    for family, loopback in ((socket.AF_INET, "127.0.0.0/8"), (socket.AF_INET6, "::1/128")):
        rules = [
            _IS_TCP + _destination(ipaddress.ip_network(loopback)) + _TO_ACCEPT,
            _IS_TCP + _load(2, 2, 2) + _equals(struct.pack(">H", resolver)) + _TO_ACCEPT,
        ]
        version = 4 if family == socket.AF_INET else 6
        rules += [_IS_TCP + _destination(net) + _TO_ACCEPT for net in (RETIRED, *direct) if net.version == version]
        rules.append(_IS_TCP + to_sink)
        _chain(family, "lead", "nat", _LOCAL_OUT, -100, rules)


def refuse(networks: Iterable[Network]) -> None:
    """Answer connections to these networks with a reset, as a host does where nothing listens."""
    chosen = [RETIRED, *networks]
    for family, version in ((socket.AF_INET, 4), (socket.AF_INET6, 6)):
        rules = [
            _IS_TCP + _IS_FIRST + _destination(network) + _TO_RESET for network in chosen if network.version == version
        ]
        if rules:
            # before the redirect of the output hook a packet has its own address; that is where it is refused, but a
            # reset from the output hook would be no packet that the watcher could see: so refuse on arrival
            _chain(family, "refuse", "filter", _LOCAL_IN, 0, rules)


def _chain(family: int, name: str, kind: str, hook: int, priority: int, rules: Sequence[bytes]) -> None:
    generic = struct.pack(">BBH", family, 0, 0)
    batch = struct.pack(">BBH", socket.AF_UNSPEC, 0, _NFTABLES)
    place = _nested(4, _attribute(1, hook), _attribute(2, struct.pack(">i", priority)))
    messages = [
        (0x10, _REQUEST, batch),
        (_NFTABLES << 8 | 0, _REQUEST | _ACK | _CREATE, generic + _attribute(1, _TABLE)),
        (
            _NFTABLES << 8 | 3,
            _REQUEST | _ACK | _CREATE,
            generic
            + _attribute(1, _TABLE)
            + _attribute(3, name)
            + place
            + _attribute(5, _ACCEPT)
            + _attribute(7, kind),
        ),
        *(
            (
                _NFTABLES << 8 | 6,
                _REQUEST | _ACK | _CREATE | _APPEND,
                generic + _attribute(1, _TABLE) + _attribute(2, name) + _nested(4, rule),
            )
            for rule in rules
        ),
        (0x11, _REQUEST, batch),
    ]
    _talk(12, messages, 2 + len(rules))  # 12: NETLINK_NETFILTER


#: Classic BPF: first segments of TCP connections that do not go to loopback, and every datagram but DNS.
_ATTEMPTS: _Filter = [
    (0x30, 0, 0, 0),  # 0  ldb [0]
    (0x54, 0, 0, 0xF0),  # 1  and 0xf0
    (0x15, 0, 13, 0x40),  # 2  IPv4? else 16
    (0x20, 0, 0, 16),  # 3  ld [16]: destination
    (0x54, 0, 0, 0xFF000000),  # 4
    (0x15, 21, 0, 0x7F000000),  # 5  loopback: drop (27)
    (0x30, 0, 0, 9),  # 6  protocol
    (0xB1, 0, 0, 0),  # 7  ldx 4*([0]&0xf)
    (0x15, 3, 0, 6),  # 8  TCP: 12
    (0x15, 0, 16, 17),  # 9  UDP? else accept (26)
    (0x48, 0, 0, 2),  # 10 ldh [x+2]: destination port
    (0x15, 15, 14, 53),  # 11 DNS: drop (27), else accept (26)
    (0x50, 0, 0, 13),  # 12 ldb [x+13]: flags
    (0x54, 0, 0, 0x12),  # 13 SYN|ACK
    (0x15, 11, 12, 0x02),  # 14 SYN alone: accept (26), else drop (27)
    (0x06, 0, 0, 0),  # 15 (not reached)
    (0x15, 0, 10, 0x60),  # 16 IPv6? else drop (27)
    (0x30, 0, 0, 6),  # 17 next header
    (0x15, 3, 0, 6),  # 18 TCP: 22
    (0x15, 0, 7, 17),  # 19 UDP? else drop (27)
    (0x28, 0, 0, 42),  # 20 ldh [42]: destination port
    (0x15, 5, 4, 53),  # 21 DNS: drop, else accept
    (0x30, 0, 0, 53),  # 22 ldb [53]: flags
    (0x54, 0, 0, 0x12),  # 23
    (0x15, 1, 2, 0x02),  # 24
    (0x06, 0, 0, 0),  # 25 (not reached)
    (0x06, 0, 0, 96),  # 26 accept the first 96 bytes
    (0x06, 0, 0, 0),  # 27 drop
]


def watch() -> socket.socket:
    """A packet socket that sees attempts to reach something outside, whether or not anything answered."""
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in _ATTEMPTS)
    program = ctypes.create_string_buffer(packed, len(packed))
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", len(_ATTEMPTS), ctypes.addressof(program)))
    sock.bind(("lo", 3))  # ETH_P_ALL
    return sock
