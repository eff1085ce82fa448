"""The server's own log as a witness: rewrites, scans, index builds, lock waits, and statements of other programs.

Unlike messages to the client it cannot be silenced by a script's ``SET client_min_messages``.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from fulldress.database.postgres.wire import Connection
from fulldress.errors import QueryFailed
from fulldress.patterns import regex

#: Settings of a traced database. At DEBUG1 the server says what it rewrites and scans; ordinary queries stay silent.
DATABASE_SETTINGS = {
    "log_min_messages": "debug1",
    "log_statement": "ddl",
    "log_min_duration_statement": "10",
    "log_temp_files": "0",
}
#: With the server's own module ``auto_explain``, where it is installed: the plan of what took 10 ms and more, functions'
#: statements included. The plans are as the planner made them; nothing is measured twice for their sake.
PLANS = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "10",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "log",
}


#: For sessions of our own that put or compare rows: nothing of theirs is testimony, and logging it takes longer than it.
SILENT = (
    "-c session_preload_libraries= -c log_min_messages=fatal -c log_min_error_statement=panic -c log_statement=none"
    " -c log_min_duration_statement=-1 -c log_temp_files=-1 -c jit=off"
)
_TAIL = 1 << 20  #: bytes at the end of the log in which a mark is looked for


class Line(NamedTuple):
    """One line of the log. ``at`` is seconds since the epoch, exact to the millisecond."""

    at: float
    pid: int
    database: str
    user: str
    application: str
    severity: str
    message: str
    detail: str
    context: str
    statement: str
    code: str = ""  #: SQLSTATE of an error


class Reader:
    """Reads what was added to the log since the last call. ``damaged`` counts lines that could not be understood."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.damaged = 0

    def read(self, observer: Connection | None = None) -> list[Line]:
        """New lines. With ``observer``, first waits until everything logged before this call has reached the file."""
        if observer is not None:
            self._flush(observer)
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = file.read()
        end = data.rfind(b"\n") + 1
        self.offset += end
        text = data[:end].decode("utf-8", "replace")
        return list(self._json(text) if self.path.suffix == ".json" else self._csv(text))

    def skip(self) -> None:
        """Pass over what is there already, unread."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - _TAIL, self.offset))
            start = file.tell()
            self.offset = start + file.read().rfind(b"\n") + 1

    def _flush(self, observer: Connection, patience: float = 3.0) -> None:
        mark = f"fulldress mark {time.monotonic_ns()}"
        try:
            observer.query(f"DO $$BEGIN RAISE LOG '{mark}'; END$$")
        except QueryFailed:
            return
        deadline = time.monotonic() + patience
        needle = mark.encode()
        while time.monotonic() < deadline:
            with self.path.open("rb") as file:
                file.seek(max(self.offset, file.seek(0, 2) - _TAIL))
                if needle in file.read():
                    return
            time.sleep(0.002)

    def _json(self, text: str) -> Iterator[Line]:
        for raw in text.splitlines():
            try:
                entry = msgspec.json.decode(raw, type=dict)
            except msgspec.DecodeError:
                self.damaged += 1
                continue
            yield Line(
                _instant(entry.get("timestamp", "")),
                int(entry.get("pid", 0)),
                entry.get("dbname", ""),
                entry.get("user", ""),
                entry.get("application_name", ""),
                entry.get("error_severity", ""),
                entry.get("message", ""),
                entry.get("detail", ""),
                entry.get("context", ""),
                entry.get("statement", ""),
                entry.get("state_code", ""),
            )

    def _csv(self, text: str) -> Iterator[Line]:
        for row in csv.reader(io.StringIO(text)):
            if len(row) < 23:
                self.damaged += 1
                continue
            yield Line(
                _instant(row[0]),
                int(row[3] or 0),
                row[2],
                row[1],
                row[22],
                row[11],
                row[13],
                row[14],
                row[18],
                row[19],
                row[12],
            )


def _instant(text: str) -> float:
    try:
        return datetime.strptime(text.removesuffix(" UTC"), "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


class Waited(NamedTuple):
    """A lock wait as the log tells it. ``seconds`` so far, or in all when ``over``."""

    pid: int
    mode: str
    object: str  #: ``relation 16444``, ``transaction 735`` …
    seconds: float
    over: bool
    holders: tuple[int, ...]


_WAIT = regex(
    r"process (\d+) (still waiting for|acquired|detected deadlock while waiting for) (\w+) on (.+?)"
    r"(?: of database \d+)? after ([\d.]+) ms"
)
_HOLDERS = regex(r"holding the locks?: ([\d, ]+)")
_WORK = (
    ("rewritten", regex(r'rewriting table "(.+)"')),
    ("scanned", regex(r'verifying table "(.+)"')),
    ("scanned", regex(r'validating foreign key constraint "(.+)"')),
    ("built", regex(r'building index "(.+)" on table "(.+)" ')),
)
_TEMPORARY = regex(r'temporary file: path "[^"]*", size (\d+)')
_PLAN = regex(r"duration: [\d.]+ ms  plan:\s*(\{.*)", re.DOTALL)
_CIRCLE = regex(r"Process (\d+) waits for (\w+) on (.+?)(?: of database \d+)?; blocked by process (\d+)\.")
_QUERIES = regex(r"(?m)^Process (\d+): (.*)$")
_STATEMENT = regex(r"(?:statement|execute [^:]*): (.*)", re.DOTALL)
_DURATION = regex(r"duration: ([\d.]+) ms(?:\s+(?:statement|execute [^:]*): (.*))?", re.DOTALL)


def wait(line: Line) -> Waited | None:
    match = _WAIT.match(line.message)
    if not match:
        return None
    holders = _HOLDERS.search(line.detail)
    pids = tuple(int(pid) for pid in holders[1].split(",") if pid.strip()) if holders else ()
    return Waited(int(match[1]), match[3], match[4], float(match[5]) / 1000, match[2] == "acquired", pids)


def work(line: Line) -> tuple[str, str] | None:
    """``("rewritten", "orders")`` and the like; catalogue and toast relations are the server's own affair."""
    for kind, pattern in _WORK:
        match = pattern.match(line.message)
        if match:
            if match[match.lastindex or 1].startswith("pg_"):
                return None
            return kind, match[1] if match.lastindex == 1 else f"{match[1]} on {match[2]}"
    return None


def temporary(line: Line) -> int | None:
    """Bytes of a temporary file that was used up; None for other lines."""
    match = _TEMPORARY.match(line.message)
    return int(match[1]) if match else None


def read_whole(line: Line) -> tuple[list[str], str]:
    """Tables that a logged plan reads from end to end, the server's catalogue left out, and the text it was made for, which
    the server leaves out of the line's own statement; nothing for other lines."""
    match = _PLAN.match(line.message)
    if not match:
        return [], ""
    try:
        plan = msgspec.json.decode(match[1])
    except msgspec.DecodeError:
        return [], ""
    found: list[str] = []
    nodes = [plan.get("Plan", {})] if isinstance(plan, dict) else []
    while nodes:
        node = nodes.pop()
        name = str(node.get("Relation Name", ""))
        if node.get("Node Type") == "Seq Scan" and name and not name.startswith("pg_") and name not in found:
            found.append(name)
        nodes += node.get("Plans", [])
    return found, str(plan.get("Query Text", "")) if isinstance(plan, dict) else ""


class Deadlock(NamedTuple):
    """Who waited for whom when the server broke a deadlock; process id -> mode and object, and -> the one in front."""

    waits: dict[int, tuple[str, str]]
    behind: dict[int, int]
    queries: dict[int, str]


def deadlock(line: Line) -> Deadlock | None:
    """What the server says of a deadlock that it has broken."""
    if line.code != "40P01":
        return None
    waits, behind = {}, {}
    for pid, mode, object_, other in _CIRCLE.findall(line.detail):
        waits[int(pid)] = (mode, object_)
        behind[int(pid)] = int(other)
    queries = {int(pid): text for pid, text in _QUERIES.findall(line.detail)}
    return Deadlock(waits, behind, queries) if waits else None


def statement(line: Line) -> str:
    """The statement that a ``log_statement`` line holds; empty for other lines."""
    match = _STATEMENT.match(line.message)
    return match[1] if match else ""


def duration(line: Line) -> tuple[float, str] | None:
    """Seconds, and the statement where the line holds it."""
    match = _DURATION.match(line.message)
    return (float(match[1]) / 1000, match[2] or "") if match else None
