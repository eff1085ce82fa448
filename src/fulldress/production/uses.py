"""Requests -> who calls which operation. Paths are folded to templates: ``/orders/17`` belongs to ``/orders/{id}``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from fulldress.facts import Evidence, Use, Witness
from fulldress.patterns import regex
from fulldress.production.logs import Request

_CLIENTS_SHOWN = 12
_SHAPES = (
    (regex(r"\d+$"), "{id}"),
    (regex(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"), "{uuid}"),
    (regex(r"\d{4}-\d\d-\d\d(?:[T ].*)?$"), "{date}"),
    (regex(r"(?=.*\d)[0-9a-fA-F]{8,}$"), "{hex}"),
    (regex(r"[^/@\s]+(?:@|%40)[^/@\s]+\.[a-z]+$"), "{email}"),
    (regex(r"[A-Za-z]{1,6}[-_]?\d{2,}$"), "{id}"),
    (regex(r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_\-]{16,}={0,2}$"), "{token}"),
)
_VERSION = regex(r"v\d+(?:\.\d+)*$")


def fold(path: str) -> str:
    """A path without query and with the segments that look like identifiers replaced; ``v2`` stays what it is."""
    return "/".join(map(_fold_segment, path.partition("?")[0].partition("#")[0].split("/"))) or "/"


def _fold_segment(segment: str) -> str:
    if not segment or _VERSION.match(segment):
        return segment
    return next((name for shape, name in _SHAPES if shape.match(segment)), segment)


def matcher(operations: Iterable[str]) -> Callable[[str, str], str | None]:
    """A function from (method, path) to the operation of a known API that it belongs to, or None.

    ``operations`` are written as OpenAPI writes paths: ``GET /orders/{id}``. A literal segment beats a parameter
    (OpenAPI 3.1, "Path Templating Matching")."""
    table: dict[tuple[str, int], list[tuple[tuple[int, ...], re.Pattern[str], str]]] = {}
    for operation in operations:
        method, _, template = operation.partition(" ")
        parts = template.rstrip("/").split("/")
        expression = "/".join(
            "".join("[^/]+" if piece.startswith("{") else re.escape(piece) for piece in re.split(r"(\{[^}]*\})", part))
            for part in parts
        )
        rank = tuple(int("{" in part) for part in parts)
        table.setdefault((method, len(parts)), []).append((rank, re.compile(expression + "/?$"), operation))
    for rows in table.values():
        rows.sort(key=lambda row: row[0])

    def match(method: str, path: str) -> str | None:
        bare = path.partition("?")[0].rstrip("/")
        for _, pattern, operation in table.get((method, bare.count("/") + 1), ()):
            if pattern.match(bare):
                return operation
        return None

    return match


def folder(operations: Iterable[str] = ()) -> Callable[[str, str], str]:
    """A function from (method, path) to an operation: one of the known API's, else one that the path's shape suggests."""
    known = matcher(operations)
    memory: dict[tuple[str, str], str] = {}

    def operation(method: str, path: str) -> str:
        found = memory.get((method, path))
        if found is None:
            if len(memory) > 200_000:
                memory.clear()
            found = memory[method, path] = known(method, path) or f"{method} {fold(path)}"
        return found

    return operation


def suggest(operations: Iterable[str], least: int = 40) -> dict[str, str]:
    """Operations whose names differ in one segment only, in at least ``least`` values, folded to ``{name}``.

    Such a segment is an identifier that has no telling shape, as user names have. Returns old -> new."""
    rows = [operation.partition(" ") for operation in operations]
    families: dict[tuple[str, int, tuple[str, ...]], list[str]] = {}
    for method, _, path in rows:
        parts = path.split("/")
        for position in range(2, len(parts)):
            if not parts[position].startswith("{"):
                key = (method, position, (*parts[:position], "{name}", *parts[position + 1 :]))
                families.setdefault(key, []).append(f"{method} {path}")
    folded: dict[str, str] = {}
    for (method, _, template), members in families.items():
        if len(members) >= least:
            folded |= {member: f"{method} {'/'.join(template)}" for member in members if member not in folded}
    return folded


class _Calls(msgspec.Struct):
    first: datetime
    last: datetime
    calls: int = 0
    clients: Counter[str] = msgspec.field(default_factory=Counter)


def client(request: Request) -> str:
    """Who called: the agent's product (``billing-sync/2.1``) where it is a program, else the address."""
    agent = request.agent.partition(" ")[0]
    return agent if agent and agent != "-" and not agent.startswith("Mozilla/") else request.client or "unknown"


def uses(requests: Iterable[Request], operations: Iterable[str] = (), source: str = "logs") -> list[Use]:
    """One :class:`Use` per operation, most called first. Outbound calls are left out.

    ``per_day`` extrapolates a log that is shorter than a day (at least an hour is assumed); answers 404 and 405 do not
    count, since an operation that is not there is not used."""
    name = folder(operations)
    table: dict[str, _Calls] = {}
    begin = end = None
    for request in requests:
        if request.host:
            continue
        start = request.start
        begin = start if begin is None or start < begin else begin
        end = start if end is None or start > end else end
        if request.status in (404, 405):
            continue
        operation = name(request.method, request.path)
        row = table.get(operation)
        if row is None:
            row = table[operation] = _Calls(start, start)
        row.calls += 1
        row.first, row.last = min(row.first, start), max(row.last, start)
        row.clients[client(request)] += 1
    if begin is None or end is None:
        return []
    known = set(operations)
    for old, new in suggest(operation for operation in table if operation not in known).items():
        _merge(table, old, new)
    days = max((end - begin).total_seconds(), 3600) / 86400
    return [_use(operation, row, days, source) for operation, row in sorted(table.items(), key=lambda i: -i[1].calls)]


def _merge(table: dict[str, _Calls], old: str, new: str) -> None:
    row = table.pop(old)
    into = table.setdefault(new, _Calls(row.first, row.last))
    into.calls += row.calls
    into.first, into.last = min(into.first, row.first), max(into.last, row.last)
    into.clients += row.clients


def _use(operation: str, row: _Calls, days: float, source: str) -> Use:
    shown = [name for name, _ in row.clients.most_common(_CLIENTS_SHOWN)]
    if len(row.clients) > _CLIENTS_SHOWN:
        shown.append(f"and {len(row.clients) - _CLIENTS_SHOWN} more")
    evidence = Evidence(source=source, path=source, at=row.last, excerpt=f"{row.calls} calls")
    return Use(
        witness=Witness.RUNNING, evidence=evidence, operation=operation, calls=row.calls, per_day=row.calls / days,
        clients=tuple(shown), first=row.first, last=row.last,
    )  # fmt: skip
