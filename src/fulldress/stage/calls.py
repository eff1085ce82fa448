"""Connections that the team itself makes from inside the stage's network: plain TCP and HTTP."""

from __future__ import annotations

import http.client
import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from fulldress.engine.venue import Answer
from fulldress.facts import mask
from fulldress.stage.link import Link
from fulldress.stage.resolver import Resolver


def connect(link: Link, resolver: Resolver, host: str, port: int, timeout: float) -> socket.socket:
    """A TCP connection from inside the stage's network. Raises :class:`OSError`."""
    address = resolver.address(host) if not _numeric(host) else host.strip("[]")
    _, fds = link.ask_with_descriptors("socket", six=":" in address)
    sock = socket.socket(fileno=fds[0])
    try:
        sock.settimeout(timeout)
        sock.connect((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def request(link: Link, resolver: Resolver, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """The answer to one request; status 0 with the reason in its body when there is none."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return Answer(status=0, body=f"{url}: the stage speaks plain http only")
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.sock = connect(link, resolver, parts.hostname, parts.port or 80, 10)
        connection.request(method, target, body or None, dict(headers))
        response = connection.getresponse()
        text = mask(response.read().decode("utf-8", "replace"))
        return Answer(status=response.status, body=text, headers=dict(response.getheaders()))
    except (OSError, http.client.HTTPException) as error:
        return Answer(status=0, body=f"{type(error).__name__}: {error}")
    finally:
        connection.close()


def _numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
