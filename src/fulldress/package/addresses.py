"""Addresses in values: ``https://api.vendor.example:8443/v1`` as a host that is called."""

from __future__ import annotations

from fulldress.facts import Endpoint, Evidence, Witness
from fulldress.patterns import regex

_ADDRESS = regex(
    r"(?i)^([a-z][a-z0-9+.-]*)://(?:[^\s/@]*@)?((?:[a-z0-9](?:[a-z0-9-]*)\.)+[a-z][a-z0-9-]*)(?::(\d{1,5}))?(?:[/?#]|$)"
)
_PORTS = {"https": 443, "http": 80, "postgres": 5432, "postgresql": 5432, "mysql": 3306, "redis": 6379, "amqp": 5672}
_INSIDE = regex(r"(?i)\.(?:svc|local|internal|localdomain)(?:\.|$)|^localhost\.")


def endpoint(value: str, place: Evidence) -> Endpoint | None:
    """The host that a value names, where all of it is an address of one outside."""
    match = _ADDRESS.match(value.strip())
    if match is None or _INSIDE.search(match[2]):
        return None
    scheme = match[1].lower()
    port = int(match[3]) if match[3] else _PORTS.get(scheme)
    return Endpoint(witness=Witness.READ, evidence=place, scheme=scheme, host=match[2].lower(), port=port)
