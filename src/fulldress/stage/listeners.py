"""The sockets inside the stage's network that the outside answers at: opened here, handed out over the channel.

Standard library only; runs in the stage's first process.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import time

from fulldress.stage import network
from fulldress.stage.channel import Channel, Message


def open_network(setup: Message, channel: Channel) -> list[str]:
    """Sockets for the outside: sink (IPv4, IPv6), resolver (datagrams, streams), watcher. Sentences on what is lacking."""
    lacks: list[str] = []
    network.loopback_up()
    network.all_addresses_local(socket.AF_INET)
    six = socket.has_ipv6
    try:
        network.all_addresses_local(socket.AF_INET6)
    except OSError as error:
        six = False
        lacks.append(f"IPv6 addresses are not led to the stand-ins ({error.strerror})")
    sink = _listener(socket.AF_INET, "0.0.0.0", 0)  # noqa: S104 - the namespace has no way out
    port = int(sink.getsockname()[1])
    sockets = [sink, _listener(socket.AF_INET, "0.0.0.0", 53)]  # noqa: S104
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO: answer from the address that was asked
    datagrams.bind(("0.0.0.0", 53))  # noqa: S104
    sockets += [datagrams, network.watch()]
    if six:
        sockets.append(_listener(socket.AF_INET6, "::", port))
    redirected = True
    direct = [ipaddress.ip_network(text) for text in setup["refused"]]
    try:
        if not setup["redirect"]:
            raise OSError(95, "not wanted")
        network.redirect(port, direct)
    except OSError as error:
        redirected = False
        lacks.append(f"redirect: {error.strerror}")
    try:
        network.refuse(direct)
    except OSError as error:
        lacks.append(f"refuse: {error.strerror}")
    channel.send(
        {"event": "network", "port": port, "redirected": redirected, "six": six, "at": time.time(), "step": ""},
        [sock.fileno() for sock in sockets],
    )
    for sock in sockets:
        sock.close()
    for number in [] if redirected else setup["ports"]:
        # at every address: the one that was meant is the connection's own. A service that takes the port later fails.
        with contextlib.suppress(OSError):
            sock = _listener(socket.AF_INET, "0.0.0.0", number)  # noqa: S104
            channel.send({"event": "port", "at": time.time(), "step": ""}, [sock.fileno()])
            sock.close()
    return lacks


def _listener(family: int, address: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((address, port))
    sock.listen(512)
    return sock


def open_addresses(setup: Message, channel: Channel) -> list[str]:
    """Listeners at addresses that can't be redirected: those on loopback, and socket files."""
    lacks: list[str] = []
    for number, (address, port) in enumerate(setup["listen"]):
        try:
            sock = _listener(socket.AF_INET6 if ":" in address else socket.AF_INET, address, port)
        except OSError as error:
            lacks.append(f"{address}:{port} can't be listened at ({error.strerror})")
            continue
        channel.send({"event": "listener", "number": number, "at": time.time(), "step": ""}, [sock.fileno()])
        sock.close()
    for number, path in enumerate(setup["listen_files"]):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(path)
        os.chmod(path, 0o777)  # noqa: S103 - as a server's own socket file is
        sock.listen(128)
        channel.send({"event": "file listener", "number": number, "at": time.time(), "step": ""}, [sock.fileno()])
        sock.close()
    return lacks
