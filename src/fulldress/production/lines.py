"""What a line of a log looks like: format strings of nginx and Apache as regular expressions, and their detection."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from fulldress.errors import BadLogFormat
from fulldress.patterns import regex


class LineFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How to read a line. ``pattern`` is None for JSON lines; ``unit`` is seconds per unit of its duration."""

    words: str
    pattern: str | None
    unit: float = 1.0
    stamped: str = "end"  #: whether its time is the beginning or the end of the request
    doubts: tuple[str, ...] = ()


_WORD, _QUOTED, _BRACKETED = r"\S+", r'[^"\\]*(?:\\.[^"\\]*)*', r"[^\]]*"

#: nginx variable -> our field (empty: skipped)
_NGINX = {
    "remote_addr": "client", "realip_remote_addr": "client", "time_local": "time", "time_iso8601": "time",
    "msec": "time", "request": "request", "request_method": "method", "request_uri": "path", "uri": "path",
    "status": "status", "body_bytes_sent": "bytes", "bytes_sent": "bytes", "http_user_agent": "agent",
    "request_time": "duration",
}  # fmt: skip

#: Apache directive -> (our field, seconds per unit of a duration)
_APACHE = {
    "h": ("client", 0.0), "a": ("client", 0.0), "t": ("time", 0.0), "r": ("request", 0.0), "m": ("method", 0.0),
    "U": ("path", 0.0), "s": ("status", 0.0), "b": ("bytes", 0.0), "B": ("bytes", 0.0), "O": ("bytes", 0.0),
    "D": ("duration", 1e-6), "T": ("duration", 1.0), "{User-Agent}i": ("agent", 0.0), "{User-agent}i": ("agent", 0.0),
    "{ms}T": ("duration", 1e-3), "{us}T": ("duration", 1e-6), "{s}T": ("duration", 1.0),
    "{sec}t": ("time", 0.0), "{msec}t": ("time", 0.0),
}  # fmt: skip

_NGINX_TOKEN = regex(r"\$(?:\{(\w+)\}|(\w+))")
_APACHE_TOKEN = regex(r"%[<>!,\d]*(\{[^}]*\}\^?[a-zA-Z]{1,3}|[a-zA-Z%])")

COMMON = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
COMBINED = COMMON + ' "$http_referer" "$http_user_agent"'
_NAMED = {"common": COMMON, "combined": COMBINED, "nginx": COMBINED + " $request_time"}


def named(text: str) -> LineFormat:
    """A format by its name (``combined``, ``common``, ``nginx``, ``json``), or a format string.

    Raises :class:`BadLogFormat` when the string names no time or no request."""
    if text.strip().lower() in ("json", "jsonl", "json lines"):
        return JSON
    text = _NAMED.get(text.strip().lower(), text.strip())
    if "$" in text:
        return _nginx(text)
    if "%" in text:
        return _apache(text)
    raise BadLogFormat(text, "it is neither a known name (combined, common, nginx, json) nor a format string")


def _nginx(text: str) -> LineFormat:
    fields = ((m.start(), m.end(), _NGINX.get(m[1] or m[2], "")) for m in _NGINX_TOKEN.finditer(text))
    fine = "msec" in text
    pieces = [(a, b, "" if fine and text[a:b].strip("${}") == "time_local" else field) for a, b, field in fields]
    return LineFormat(words=text, pattern=_compose(text, pieces))


def _apache(text: str) -> LineFormat:
    text = text.replace('\\"', '"')
    pieces, unit = [], 1.0
    for match in _APACHE_TOKEN.finditer(text):
        field, scale = _APACHE.get(match[1], ("", 0.0))
        unit = scale or unit
        pieces.append((match.start(), match.end(), field))
    # %t brings its own brackets.
    return LineFormat(words=text, pattern=_compose(text, pieces, own_brackets="%t"), unit=unit, stamped="start")


def _compose(text: str, pieces: Sequence[tuple[int, int, str]], own_brackets: str = "") -> str:
    """The regular expression of a format string; a field's shape follows from the character that ends it."""
    out, at, used = [], 0, set()
    for begin, end, field in pieces:
        out.append(re.escape(text[at:begin]).replace(r"\ ", " "))
        before, after = text[begin - 1 : begin], text[end : end + 1]
        shape = _QUOTED if before == '"' and after == '"' else _BRACKETED if before == "[" else _WORD
        if not after and shape is _WORD:
            shape = r"\S+"
        elif shape is _WORD and after not in ("", " ", '"'):
            shape = rf"[^\s{re.escape(after)}]*"
        opening, closing = (r"\[", r"\]") if text[begin:end] == own_brackets else ("", "")
        if opening:
            shape = _BRACKETED
        name = f"?P<{field}>" if field and field not in used else "?:"
        used.add(field)
        out.append(f"{opening}({name}{shape}){closing}")
        at = end
    out.append(re.escape(text[at:]).replace(r"\ ", " "))
    if "time" not in used:
        raise BadLogFormat(text, "it has no time of the request")
    if "request" not in used and not {"method", "path"} <= used:
        raise BadLogFormat(text, "it has no request line")
    return "".join(out) + r"\s*$"


_BASE = regex(
    r'(?P<vhost>\S+ )?\S+ \S+ (?:\S+|"[^"]*") \[[^\]]+\] "(?:[^"\\]|\\.)*" (?:\d{3}|-) (?:\d+|-)'
    r'(?P<agents> "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*")?(?P<tail>(?: .*)?)$'
)
_TAIL = regex(r'(?:([\w.\-]+)[=:])?("(?:[^"\\]|\\.)*"|\S+)')
_SECONDS, _MOMENT, _WHOLE = regex(r"\d{1,7}\.\d+$"), regex(r"1\d{9}\.\d{3}$"), regex(r"\d+$")
_TIME_NAMES = frozenset(("rt", "request_time", "reqtime", "time", "duration", "took", "elapsed"))


def detect(sample: Sequence[str]) -> LineFormat | None:
    """The format that at least half of the sample lines are in, with what is appended to each; None when none fits."""
    if not sample:
        return None
    if sum(line.lstrip().startswith("{") for line in sample) * 2 >= len(sample):
        return JSON
    hits = [hit for hit in map(_BASE.match, sample) if hit]
    if len(hits) * 2 < len(sample):
        return None
    with_agents = sum(hit["agents"] is not None for hit in hits) * 2 >= len(hits)
    hits = [hit for hit in hits if (hit["agents"] is not None) == with_agents]
    base = COMBINED if with_agents else COMMON
    vhost = sum(hit["vhost"] is not None for hit in hits) * 2 >= len(hits)
    return _with_tail(("$server_name " if vhost else "") + base, [hit["tail"].strip() for hit in hits])


def _with_tail(base: str, tails: Sequence[str]) -> LineFormat:
    """``base`` and a name for each thing that the lines append; what has no name is skipped over."""
    split = [_TAIL.findall(tail) for tail in tails]
    width = min((len(tokens) for tokens in split), default=0)
    text, unit, stamped, doubts, timed, fine = base, 1.0, "end", [], False, False
    for column in range(width):
        labels = {tokens[column][0] for tokens in split}
        values = [tokens[column][1] for tokens in split]
        label = labels.pop() if len(labels) == 1 else ""
        variable = "$skipped"
        bare = [value.strip('"') for value in values]
        told = [value for value in bare if value != "-"]
        if told and not fine and all(map(_MOMENT.match, told)):
            variable, fine = "$msec", True
        elif told and not timed and all(map(_SECONDS.match, told)) and (not label or label in _TIME_NAMES):
            variable, timed = "$request_time", True
        elif told and not timed and not label and all(map(_WHOLE.match, told)):
            unit, doubt = _unit_of([int(value) for value in told])
            if doubt:
                doubts.append(doubt)
            else:
                variable, timed, stamped = "$request_time", True, "start"
        quote = '"' if all(value.startswith('"') for value in values) else ""
        separator = next((tail[tail.find(label) + len(label)] for tail in tails if label and label in tail), "")
        text += f" {label}{separator}{quote}{variable}{quote}"
    pattern = _nginx(text).pattern or ""
    if any(len(tokens) != width for tokens in split):
        pattern = pattern.removesuffix(r"\s*$") + r"(?: .*)?$"
    words = text.replace(COMBINED, "combined").replace(COMMON, "common")
    words = words if stamped == "end" else f"{words} (Apache's {'%D' if unit < 1 else '%T'})"
    return LineFormat(words=words, pattern=pattern, unit=unit, stamped=stamped, doubts=tuple(doubts))


def _unit_of(values: Sequence[int]) -> tuple[float, str]:
    """Whether whole numbers are Apache's ``%D`` (microseconds) or ``%T`` (seconds); a doubt where both could be."""
    if max(values) >= 5000:
        return 1e-6, ""
    if sum(value == 0 for value in values) * 2 >= len(values) and max(values) <= 300:
        return 1.0, ""
    return 1.0, 'whole numbers at the end may be %D, %T or something else; name the format in [traffic] format = "…"'


class JsonFields(msgspec.Struct, kw_only=True):
    """What a JSON record says, whatever it calls it."""

    time: str = ""
    request: str = ""
    method: str = ""
    path: str = ""
    status: int = 0
    bytes: int = 0
    client: str = ""
    agent: str = ""
    host: str = ""
    attempt: int = 0
    duration: float | None = None
    stamped: str = "end"


JSON = LineFormat(words="JSON lines", pattern=None)

#: our field -> names that loggers use for it, the finest first
_NAMES: dict[str, tuple[str, ...]] = {
    "time": ("msec", "time_iso8601", "time_local", "timestamp", "@timestamp", "time", "ts", "start_time", "date"),
    "request": ("request", "request_line"),
    "method": ("method", "request_method", "http_method", "verb"),
    "path": ("request_uri", "uri", "path", "url", "target"),
    "status": ("status", "status_code", "code", "response_code"),
    "bytes": ("body_bytes_sent", "bytes_sent", "bytes", "size", "response_size"),
    "client": ("remote_addr", "client", "client_ip", "remote_ip", "src", "ip"),
    "agent": ("http_user_agent", "user_agent", "agent"),
    "attempt": ("attempt", "try", "attempt_number"),
}
#: name of a duration -> seconds per unit
_DURATIONS = {
    "request_time": 1.0, "duration_s": 1.0, "seconds": 1.0, "elapsed_s": 1.0, "duration_ms": 1e-3, "elapsed_ms": 1e-3,
    "latency_ms": 1e-3, "took_ms": 1e-3, "response_time_ms": 1e-3, "duration_us": 1e-6, "duration_ns": 1e-9,
    "duration": 1.0, "elapsed": 1.0,
}  # fmt: skip
_PEERS = ("peer", "target_host", "upstream_host", "remote_host", "dst_host", "server_address")
_OUT = frozenset(("out", "outbound", "egress", "client"))


def json_fields(record: dict[str, object]) -> JsonFields:
    """Fields of a JSON record by the names that loggers use; nested objects are looked into one level deep.

    A ``host`` counts as a third party only where the record speaks of an outbound call: it has an attempt or a
    direction, or a name such as ``peer``. Otherwise it is the site's own virtual host."""
    flat = dict(record)
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= {inner: item for inner, item in value.items() if inner not in flat}
            flat |= {f"{key}.{inner}": item for inner, item in value.items()}
    out = JsonFields()
    for field, names in _NAMES.items():
        value = next((flat[name] for name in names if flat.get(name) not in (None, "", "-")), None)
        if value is None or isinstance(value, (dict, list)):
            continue
        if field in ("status", "bytes", "attempt"):
            setattr(out, field, int(str(value)) if str(value).isdecimal() and len(str(value)) < 19 else 0)
        else:
            setattr(out, field, str(value))
    retries = str(flat.get("retry", flat.get("retries", "")))
    if "attempt" not in flat and retries.isdecimal() and len(retries) < 10:
        out.attempt = int(retries) + 1
    for name, unit in _DURATIONS.items():
        try:
            out.duration = float(str(flat[name])) * unit
        except (KeyError, ValueError):
            continue
        break
    out.stamped = "start" if "start_time" in flat and flat["start_time"] == out.time else "end"
    outbound = bool(out.attempt) or str(flat.get("direction", "")).lower() in _OUT
    names = (*_PEERS, "host") if outbound else _PEERS
    out.host = next((str(flat[name]) for name in names if isinstance(flat.get(name), str)), "").partition(":")[0]
    return out
