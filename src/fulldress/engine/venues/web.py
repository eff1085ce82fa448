"""HTTP by the standard library: one request, no redirects followed to another host, a bounded answer."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit

from fulldress.engine.venue import Answer
from fulldress.errors import RunbookError
from fulldress.facts import excerpt

#: Longest part of a body that is looked at.
_BODY = 1024 * 1024


def ask(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, wait: float = 15
) -> Answer:
    """One request. Status 0 when there was no answer; the body then says why."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RunbookError(f"{excerpt(url)}: not an http or https address")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname, parts.port, timeout=wait)
    except ValueError as error:
        raise RunbookError(f"{excerpt(url)}: {error}") from error
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, path, body=body or None, headers=dict(headers or {}))
        answer = connection.getresponse()
        text = answer.read(_BODY).decode(errors="replace")
        return Answer(status=answer.status, body=text, headers={k.lower(): v for k, v in answer.getheaders()})
    except (OSError, http.client.HTTPException) as error:
        return Answer(status=0, body=excerpt(str(error) or type(error).__name__))
    finally:
        connection.close()
