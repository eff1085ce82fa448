"""Access logs and logs of outbound calls -> requests, as instants in UTC.

A line format is a ``log_format`` string of nginx or a ``LogFormat`` string of Apache; the usual ones are recognised from
the first lines, with whatever they append (``$request_time``, ``$msec``, ``%D`` …). JSON lines are recognised by their
keys. nginx stamps a request when it *ends* (``log_format`` of ngx_http_log_module), Apache when it was *received*
(``%t`` of mod_log_config): :attr:`Request.start` is the beginning in both.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from io import BufferedIOBase
from pathlib import Path

import msgspec

from fulldress.facts import Evidence, Reason, Unread, Witness, excerpt, mask
from fulldress.patterns import regex
from fulldress.production import lines as line_formats
from fulldress.production.lines import LineFormat

_BLOCK = 1 << 20
_SAMPLE = 300
_LONGEST_LINE = 1 << 20
_LONGEST_REQUEST = 1e7  #: seconds; what took longer is no request of this log


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request of a log. ``host`` is set for outbound calls only: the third party that was called.

    ``duration`` is in seconds, None where the log has none. ``coarse`` says that the log's stamps are whole seconds.
    ``attempt`` counts from 1; 0 where the log does not tell."""

    start: datetime
    duration: float | None
    method: str
    path: str
    status: int
    bytes: int
    client: str
    agent: str
    host: str = ""
    attempt: int = 0
    coarse: bool = True


class Read(msgspec.Struct):
    """What became of one log file."""

    path: Path
    format: str = ""  #: in words, with the ``log_format`` string it was read with
    lines: int = 0
    requests: int = 0
    first_unread: int = 0  #: number of the first line that was not understood
    sample: str = ""  #: that line, masked
    problem: str = ""  #: why reading ended early, or why the format is unknown
    reason: Reason = Reason.FORMAT
    doubts: tuple[str, ...] = ()  #: what detection could not tell

    @property
    def unread(self) -> int:
        return self.lines - self.requests


class Tally(msgspec.Struct):
    """Collects what became of every file that :func:`read` went through."""

    files: list[Read] = []

    def facts(self) -> list[Unread]:
        """One :class:`Unread` for each file that was not understood in full; what is left out is never silent."""
        found = []
        for file in self.files:
            place = Evidence(source=str(file.path), line=file.first_unread, excerpt=file.sample)
            if file.problem:
                found.append(_unread(file.path, file.reason, file.problem, place))
            if file.requests and file.unread:
                detail = f"{file.unread} of {file.lines} lines do not fit {file.format}"
                found.append(_unread(file.path, Reason.GRAMMAR, detail, place))
            found += [_unread(file.path, Reason.NO_DATA, doubt, place) for doubt in file.doubts]
        return found


def _unread(path: Path, reason: Reason, detail: str, place: Evidence) -> Unread:
    return Unread(witness=Witness.RUNNING, evidence=place, what=f"log {path.name}", reason=reason, detail=detail)


def read(paths: Iterable[Path], format: str = "", tally: Tally | None = None) -> Iterator[Request]:
    """Requests of the given files (gzip or plain), in the order of their lines.

    ``format`` is ``combined``, ``common``, ``json`` or a format string; empty: detected for each file. What became of
    each file is added to ``tally``. Raises :class:`fulldress.errors.BadLogFormat` for a format string without a time.
    """
    tally = Tally() if tally is None else tally
    fixed = line_formats.named(format) if format else None
    for path in paths:
        state = Read(path)
        tally.files.append(state)
        try:
            yield from _read_file(path, fixed, state)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            state.problem, state.reason = f"damaged after {state.lines} lines: {error}", Reason.DAMAGED
        except OSError as error:
            state.problem, state.reason = str(error.strerror or error), Reason.MISSING


def detect(path: Path) -> LineFormat | None:
    """The format of a log, from its first lines; None when no known one fits half of them."""
    for block in _blocks(path):
        return line_formats.detect([line for line in block[:_SAMPLE] if line.strip()])
    return None


def _rows(block: bytes) -> list[str]:
    """Lines without what editors and other systems add: a byte order mark, carriage returns."""
    return block.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\r").split("\n")


def _open(path: Path) -> BufferedIOBase:
    file = path.open("rb")
    if file.read(2) == b"\x1f\x8b":
        file.seek(0)
        return gzip.open(file)
    file.seek(0)
    return file


def _blocks(path: Path) -> Iterator[list[str]]:
    """Lists of whole lines. A line that never ends is cut at 1 MiB, and so does not fit any format."""
    with _open(path) as file:
        rest = b""
        while block := file.read(_BLOCK):
            head, newline, tail = (rest + block).rpartition(b"\n")
            if newline:
                rest = tail
                yield _rows(head)
            else:
                rest = tail[:_LONGEST_LINE]
        if rest:
            yield _rows(rest)


def _read_file(path: Path, fixed: LineFormat | None, state: Read) -> Iterator[Request]:
    parse: Callable[[str], Request | None] | None = None
    for block in _blocks(path):
        if parse is None:
            sample = [line for line in block[:_SAMPLE] if line.strip()]
            found = fixed or line_formats.detect(sample)
            if found is None:
                state.lines += len(sample)
                state.problem = "no known log format fits; name one in production.toml, [traffic] format"
                state.sample, state.first_unread = excerpt(sample[0]) if sample else "", 1
                return
            state.format, state.doubts = found.words, found.doubts
            parse = reader(found)
        for line in block:
            request = parse(line)
            if request is not None:
                state.lines += 1
                state.requests += 1
                yield request
            elif line.strip() and not line.startswith("#"):
                state.lines += 1
                if not state.first_unread:
                    state.first_unread, state.sample = state.lines, excerpt(line)


_MONTHS = {
    month: number
    for number, month in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_CLF = regex(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.(\d+))? ([+-])(\d\d)(\d\d)$")
_EPOCH = regex(r"\d{9,11}(?:\.\d+)?$|\d{13}$")


def instant(text: str) -> tuple[datetime, bool] | None:
    """A log's time stamp as (UTC instant, whether it is in whole seconds): CLF, ISO 8601, or seconds since the epoch.

    A stamp without an offset is refused (None): guessing one shifts every figure by hours."""
    try:
        if match := _CLF.match(text):
            day, month, year, hour, minute, second, fraction, sign, off_hours, off_minutes = match.groups()
            offset = timedelta(hours=int(off_hours), minutes=int(off_minutes))
            stamp = datetime(
                int(year), _MONTHS[month], int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC
            ) - (offset if sign == "+" else -offset)
            return stamp + timedelta(seconds=float("0." + (fraction or "0"))), fraction is None
        if _EPOCH.match(text):
            value = float(text) / (1000 if len(text) == 13 and "." not in text else 1)
            return datetime.fromtimestamp(value, UTC), "." not in text and len(text) != 13
        stamp = datetime.fromisoformat(text)
        return (stamp.astimezone(UTC), "." not in text) if stamp.tzinfo else None
    except (KeyError, ValueError, OverflowError):
        return None


def reader(found: LineFormat) -> Callable[[str], Request | None]:
    """A function from a line to its request, or None. Stamps and paths repeat, so both are remembered."""
    if found.pattern is None:
        return _json_reader()
    pattern = re.compile(found.pattern)
    match, group = pattern.match, dict(pattern.groupindex)
    # One call fetches all groups; a field that the format lacks fetches group 0 and is not looked at.
    wanted = tuple(group.get(name, 0) for name in ("time", "duration", "status", "bytes", "client", "agent", "host"))
    wanted += (group.get("request") or group["method"],)
    path_group = 0 if "request" in group else group["path"]
    has_duration, has_status, has_size, has_client, has_agent, has_host = map(bool, wanted[1:7])
    unit, at_end = found.unit, found.stamped == "end"
    stamps: dict[str, tuple[datetime, bool] | None] = {}
    calls: dict[str, tuple[str, str, str] | None] = {}
    numbers: dict[str, int] = {}
    spans: dict[str, tuple[float, timedelta]] = {}

    def parse(line: str) -> Request | None:
        hit = match(line)
        if hit is None:
            return None
        text, took, code, size, client, agent, host, line_of_call = hit.group(*wanted)
        stamp = stamps.get(text, ...)
        if stamp is ...:
            if len(stamps) > 4096:
                stamps.clear()
            stamp = stamps[text] = instant(text)
        if path_group:
            line_of_call = f"{line_of_call} {hit[path_group]}"
        call = calls.get(line_of_call, ...)
        if call is ...:
            if len(calls) > 65536:
                calls.clear()
            call = calls[line_of_call] = _call(line_of_call)
        if stamp is None or call is None:
            return None
        start, coarse = stamp
        seconds = None
        if has_duration and took and took != "-":
            span = spans.get(took)
            if span is None:
                if len(spans) > 65536:
                    spans.clear()
                try:
                    value = float(took) * unit
                except ValueError:
                    return None
                if not 0 <= value < _LONGEST_REQUEST:
                    return None
                span = spans[took] = (value, timedelta(0, value))
            seconds = span[0]
            if at_end:
                start -= span[1]
        status = numbers.get(code)
        if status is None:
            if len(numbers) > 4096:
                numbers.clear()
            status = numbers[code] = int(code) if has_status and code and code.isdecimal() and len(code) == 3 else 0
        return Request(
            start, seconds, call[0], call[1], status,
            int(size) if has_size and size.isdecimal() and len(size) < 19 else 0,
            client if has_client else "", agent if has_agent else "", call[2] or (host if has_host else ""), 0, coarse,
        )  # fmt: skip

    return parse


_METHOD = regex(r"[A-Z][A-Z\-_]{0,31}$")
_USUAL = frozenset(("GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"))
_TELLING = regex("[=@]")  # what may hold a secret: it goes through the mask


def _call(line: str) -> tuple[str, str, str] | None:
    """(method, path, outbound host) of a request line. Absolute targets and CONNECT are a forward proxy's (RFC 9112)."""
    parts = line.split(" ")
    if len(parts) == 3 and parts[0] in _USUAL and parts[1][:1] == "/" and not _TELLING.search(parts[1]):
        return parts[0], parts[1], ""
    method, _, rest = line.partition(" ")
    if not _METHOD.match(method) or not rest:
        return None
    target = rest.rpartition(" ")[0] if rest.rpartition(" ")[2].startswith("HTTP/") else rest
    if method == "CONNECT":
        return method, "", target.partition(":")[0].lower()
    host = ""
    if target.startswith(("http://", "https://")):
        authority, _, path = target.partition("://")[2].partition("/")
        host, target = authority.rpartition("@")[2].partition(":")[0].lower(), "/" + path
    # A query may carry a token: it is masked before anybody else sees it.
    return method, mask(target) if "=" in target or "@" in target else target, host


def _json_reader() -> Callable[[str], Request | None]:
    decode = msgspec.json.Decoder(dict[str, object]).decode

    def parse(line: str) -> Request | None:
        try:
            record = decode(line)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return None
        return _from_record(line_formats.json_fields(record))

    return parse


def _from_record(fields: line_formats.JsonFields) -> Request | None:
    stamp = instant(fields.time)
    if stamp is None:
        return None
    call = _call(fields.request or f"{fields.method or 'GET'} {fields.path or '/'}")
    if call is None:
        return None
    start = stamp[0]
    if fields.duration is not None and not 0 <= fields.duration < _LONGEST_REQUEST:
        return None
    if fields.duration is not None and fields.stamped == "end":
        start -= timedelta(seconds=fields.duration)
    return Request(
        start, fields.duration, call[0], call[1], fields.status, fields.bytes, fields.client, fields.agent,
        call[2] or fields.host.lower(), fields.attempt, stamp[1],
    )  # fmt: skip
