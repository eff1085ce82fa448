import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulldress.errors import BadLogFormat
from fulldress.facts import Reason
from fulldress.production import lines, logs

HEAD = '192.0.2.7 - - [24/Nov/2026:10:00:05 +0100] "GET /a?x=1 HTTP/1.1" 200 17 "-" "probe/1"'
NOON = datetime(2026, 11, 24, 9, 0, 5, tzinfo=UTC)


def one(tmp_path: Path, text: str, format: str = "") -> tuple[logs.Request, logs.Read]:
    path = tmp_path / "a.log"
    path.write_text(text)
    tally = logs.Tally()
    (request,) = logs.read([path], format, tally)
    return request, tally.files[0]


@pytest.mark.parametrize(
    ("tail", "start", "duration", "words"),
    [
        ("", NOON, None, "combined"),
        (" 0.250", NOON - timedelta(seconds=0.25), 0.25, "$request_time"),
        (" 1795510805.500 0.250", NOON + timedelta(seconds=0.25), 0.25, "$msec $request_time"),
        (' "0.250" 0.240', NOON - timedelta(seconds=0.25), 0.25, '"$request_time" $skipped'),
        (" rt=0.250 uct=0.001 urt=0.249", NOON - timedelta(seconds=0.25), 0.25, "rt=$request_time"),
        (" 250000", NOON, 0.25, "%D"),
        (" 7", NOON, None, "$skipped"),
    ],
)
def test_what_is_appended(tmp_path: Path, tail: str, start: datetime, duration: float | None, words: str) -> None:
    request, file = one(tmp_path, HEAD + tail + "\n")
    assert (request.start, request.duration) == (start, pytest.approx(duration) if duration else None)
    assert (request.method, request.path, request.status, request.bytes) == ("GET", "/a?x=1", 200, 17)
    assert (request.client, request.agent, request.host) == ("192.0.2.7", "probe/1", "")
    assert words in file.format
    assert bool(file.doubts) == (tail == " 7")


def test_seconds_of_apache(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"{HEAD} {n}\n" for n in (0, 0, 0, 2, 0)))
    assert [request.duration for request in logs.read([path])] == [0, 0, 0, 2, 0]


@pytest.mark.parametrize(
    ("format", "line"),
    [
        ("$time_iso8601|$request_method|$request_uri|$status|$request_time|$skipped",
         "2026-11-24T10:00:05+01:00|GET|/a|200|0.250|x"),
        ('$remote_addr [$time_local] "$request" $status $body_bytes_sent "$http_user_agent" ${request_time}s $msec',
         '192.0.2.7 [24/Nov/2026:10:00:05 +0100] "GET /a HTTP/1.1" 200 17 "x \\x22y\\x22" 0.250s 1795510805.000'),
    ],
)  # fmt: skip
def test_log_format_of_nginx(tmp_path: Path, format: str, line: str) -> None:
    request, _ = one(tmp_path, line + "\n", format)
    assert (request.start, request.duration) == (NOON - timedelta(seconds=0.25), 0.25)
    assert (request.method, request.path, request.status) == ("GET", "/a", 200)


def test_log_format_of_apache_stamps_the_beginning(tmp_path: Path) -> None:
    line = (
        '192.0.2.7 - bob [24/Nov/2026:10:00:05 +0100] "GET /a HTTP/1.1" 200 - "http://x.example/" "ua \\"q\\"" 250000'
    )
    format = '%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\" %D'
    request, _ = one(tmp_path, line + "\n", format)
    assert (request.start, request.duration, request.bytes, request.agent) == (NOON, 0.25, 0, 'ua \\"q\\"')


@pytest.mark.parametrize("format", ["fancy", "$status", "$time_local", "%h %l"])
def test_a_format_without_time_or_request_is_refused(format: str) -> None:
    with pytest.raises(BadLogFormat):
        lines.named(format)


@pytest.mark.parametrize(
    ("record", "host", "attempt", "duration"),
    [
        ('{"ts": "2026-11-24T10:00:05.5+01:00", "method": "GET", "uri": "/a", "status": 200, "request_time": 0.5}', "", 0, 0.5),
        ('{"time": 1795510805.5, "request": "GET /a HTTP/1.1", "status": "200", "host": "shop.example", "duration_ms": 500}',
         "", 0, 0.5),
        ('{"time": "2026-11-24T09:00:05.5Z", "host": "pay.example:443", "path": "/a", "attempt": 2, "status": 503,'
         ' "duration": 0.5}', "pay.example", 2, 0.5),
        ('{"time": "2026-11-24T09:00:05.5Z", "url": "https://pay.example/a", "status": 503, "retry": 0, "duration": 0.5}',
         "pay.example", 1, 0.5),
    ],
)  # fmt: skip
def test_json_lines(tmp_path: Path, record: str, host: str, attempt: int, duration: float) -> None:
    request, file = one(tmp_path, record + "\n")
    assert file.format == "JSON lines"
    assert (request.path, request.host, request.attempt, request.duration) == ("/a", host, attempt, duration)
    assert request.start == NOON


def test_forward_proxy(tmp_path: Path) -> None:
    path = tmp_path / "proxy.log"
    path.write_text(
        HEAD.replace("/a?x=1", "http://user@pay.example:8080/v1?k=2") + "\n"
        + HEAD.replace("GET /a?x=1", "CONNECT hooks.example:443") + "\n"
    )  # fmt: skip
    assert [(r.host, r.method, r.path) for r in logs.read([path])] == [
        ("pay.example", "GET", "/v1?k=2"),
        ("hooks.example", "CONNECT", ""),
    ]


def test_a_token_in_a_query_is_masked(tmp_path: Path) -> None:
    request, _ = one(tmp_path, HEAD.replace("x=1", "access_token=abcdef0123456789") + "\n")
    assert "abcdef" not in request.path


def test_gzip_and_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.log.1.gz"
    path.write_bytes(gzip.compress((HEAD + "\n").encode() * 50_000))
    assert sum(1 for _ in logs.read([path])) == 50_000
    path.write_bytes(path.read_bytes()[:-9000])
    tally = logs.Tally()
    some = sum(1 for _ in logs.read([path], tally=tally))
    (gap,) = tally.facts()
    assert 0 < some < 50_000
    assert gap.reason is Reason.DAMAGED


def test_what_is_not_understood_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(HEAD + "\n" + "rubbish\n" + HEAD.replace(" +0100", "") + "\n\n" + HEAD + "\n")
    tally = logs.Tally()
    assert sum(1 for _ in logs.read([path, tmp_path / "none.log"], tally=tally)) == 2
    gap, missing = tally.facts()
    assert "2 of 4 lines" in gap.detail
    assert (gap.evidence.line, gap.evidence.excerpt) == (2, "rubbish")
    assert missing.reason is Reason.MISSING


@given(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)),  # noqa: DTZ001 - a zone is added
    st.integers(-14 * 60, 14 * 60),
)
def test_clf_stamps_are_instants(moment: datetime, minutes: int) -> None:
    from datetime import timezone

    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert logs.instant(moment.strftime("%d/%b/%Y:%H:%M:%S %z")) == (moment.astimezone(UTC), True)


@given(st.lists(st.text(max_size=200), max_size=8))
def test_any_line_is_read_or_counted(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("any") / "x.log"
    path.write_text("\n".join([HEAD, *texts, HEAD]), encoding="utf-8", errors="replace", newline="")
    tally = logs.Tally()
    found = sum(1 for _ in logs.read([path], "combined", tally))
    assert found == tally.files[0].requests >= 1
    assert tally.files[0].unread == tally.files[0].lines - found >= 0


@pytest.mark.parametrize("tail", ["99999999999.5", "-1.0", "nan", "inf", "1e400", "9" * 5000])
def test_absurd_durations_are_not_read(tmp_path: Path, tail: str) -> None:
    path = tmp_path / "x.log"
    path.write_text(f"{HEAD} 0.1\n{HEAD} {tail}\n")
    tally = logs.Tally()
    assert [request.duration for request in logs.read([path], "nginx", tally)] == [0.1]
    assert tally.files[0].unread == 1


@pytest.mark.parametrize(
    "record",
    ['{"time": 1e300}', '{"time": "x"}', "{}", "[]", '{"time": 1795510805, "duration": "-3"}', '{"time": {}}', "{"],
)
def test_absurd_records_are_counted(tmp_path: Path, record: str) -> None:
    path = tmp_path / "x.log"
    path.write_text(record + "\n")
    tally = logs.Tally()
    assert list(logs.read([path], "json", tally)) == []
    assert tally.files[0].unread == 1


def test_byte_order_mark_and_carriage_returns(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"\xef\xbb\xbf" + (HEAD + "\r\n").encode() * 3)
    assert [request.path for request in logs.read([path])] == [next(logs.read([path])).path] * 3
