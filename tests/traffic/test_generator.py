from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fulldress.errors import TargetRefused
from fulldress.traffic import fidelity, generator
from fulldress.traffic.samples import Failure, Samples
from traffic.plans import plan


def by_path(samples: Samples) -> dict[str, tuple[int, Failure]]:
    return {
        samples.operations[samples.operation[row]].partition(" ")[2]: (samples.status[row], Failure(samples.error[row]))
        for row in range(len(samples))
    }


def test_every_way_to_answer(server) -> None:
    paths = ["/a", "/fail", "/rubbish", "/close", "/until-eof", "/hang-up", "/chunked", "/early"]
    samples = generator.run(plan(paths, 40, 0.4), server.address)
    assert by_path(samples) == {
        "/a": (200, Failure.OK),
        "/fail": (503, Failure.OK),
        "/rubbish": (0, Failure.PROTOCOL),
        "/close": (200, Failure.OK),
        "/until-eof": (200, Failure.OK),
        "/hang-up": (0, Failure.CLOSED),
        "/chunked": (200, Failure.OK),
        "/early": (200, Failure.OK),
    }
    assert len(samples) == 16


def test_head_has_no_body(server) -> None:
    samples = generator.run(plan(["/a"], 100, 0.3, method="HEAD"), server.address)
    assert set(samples.status) == {200}
    assert samples.most_connections < 10


def test_a_stall_is_seen_by_all_that_were_due_meanwhile(server) -> None:
    """The server is frozen for 0.3 s of 1.5 s: a fifth of the arrivals fall into it. A closed loop would send few."""
    begun = threading.Event()

    def freeze() -> None:
        begun.wait(10)
        time.sleep(0.4)  # the stall itself is the experiment
        server.freeze()
        time.sleep(0.3)
        server.thaw()

    thread = threading.Thread(target=freeze)
    thread.start()
    samples = generator.run(plan(["/a"], 400, 1.5), server.address, stop=lambda: bool(begun.set()), seconds=1.5)
    thread.join()
    histogram = samples.histogram(range(len(samples)))
    assert len(samples) == 600
    assert not list(samples.outcomes())
    assert histogram.quantile(0.99) >= 0.2
    assert histogram.quantile(0.85) >= 0.02
    assert histogram.quantile(0.5) < 0.1
    late = sum(latency > 0.05 for latency in samples.latency)
    assert 80 <= late <= 250
    assert samples.most_connections > 50


def test_nothing_listens(server) -> None:
    server.end()
    samples = generator.run(plan(["/a"], 100, 0.3), server.address)
    assert samples.count(Failure.REFUSED) == 30
    assert all(samples.failed(row) for row in range(30))
    assert any("refused" in words.lower() for words in samples.words)


def test_what_has_no_answer_at_the_end_is_counted(server) -> None:
    samples = generator.run(plan(["/slow/9", "/a"], 20, 0.5), server.address, drain=0.2)
    assert samples.count(Failure.UNANSWERED) == 5
    assert len(samples) == 10
    worst = max(latency for row, latency in enumerate(samples.latency) if samples.error[row])
    assert 0.5 < worst < 3


def test_beyond_the_bound_requests_wait_and_their_latency_counts_on(server) -> None:
    samples = generator.run(plan(["/slow/0.1"], 100, 0.3), server.address, connections=5)
    assert len(samples) == 30
    assert samples.most_connections == 5
    assert max(samples.latency) > 0.3
    assert fidelity._rank(sorted(samples.lag), 0.5) < 0.05


def test_drops_are_counted(server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "WAITING", 3)
    workload = plan(["/slow/0.5"], 100, 0.2)
    samples = generator.run(workload, server.address, connections=2)
    assert samples.count(Failure.DROPPED) >= 10
    assert fidelity.valid(fidelity.compare(workload, samples)) is False


def test_an_idle_connection_that_closes_is_no_failure(server) -> None:
    samples = generator.run(plan(["/once"], 50, 0.4), server.address)
    assert set(samples.status) == {200}
    assert samples.retried > 0


def test_unix_socket_and_stop(unix_server: Path) -> None:
    deadline = time.monotonic() + 0.3
    samples = generator.run(
        plan(["/a"], 100, 0.1), "http://shop.example", connect=unix_server, stop=lambda: time.monotonic() > deadline
    )
    assert len(samples) > 15  # the plan of 10 requests began again
    assert set(samples.status) == {200}


def test_only_this_machine_is_a_target() -> None:
    for target in ("http://192.0.2.1/", "http://nowhere.invalid", "http://"):
        with pytest.raises(TargetRefused):
            generator.run(plan(["/a"], 10, 0.1), target)


def test_phases_series_and_fidelity(server) -> None:
    workload = plan(["/a", "/slow/0.02"], 200, 1.0)
    samples = generator.run(workload, server.address)
    start = datetime.fromtimestamp(samples.start, UTC) - timedelta(milliseconds=1)  # datetimes round
    half = start + timedelta(seconds=0.5)
    facts = samples.latencies({"baseline": (start, half), "upgrade": (half, half + timedelta(seconds=9))}, run="r1")
    assert [(fact.operation, fact.phase) for fact in facts] == [
        ("GET /a", "baseline"), ("GET /slow/0.02", "baseline"), ("GET /a", "upgrade"), ("GET /slow/0.02", "upgrade"),
    ]  # fmt: skip
    assert sum(fact.count for fact in facts) == 200
    assert facts[1].p50 >= timedelta(milliseconds=20) > facts[0].p50
    assert facts[0].evidence.source == "run:r1"
    points = samples.points(0.5)
    assert {point.series for point in points} == {"latency p50", "latency p99", "in flight"}
    measured = {fact.measure: fact for fact in fidelity.compare(workload, samples)}
    assert measured["rate"].ok
    assert measured["operation mix"].ok
    assert measured["requests dropped"].ok
    assert measured["in flight p99"].production == 1


def test_records_come_back(server) -> None:
    import msgspec

    from fulldress.traffic.samples import Record

    samples = generator.run(plan(["/a", "/fail"], 50, 0.2), server.address)
    again = Samples.from_record(msgspec.json.decode(msgspec.json.encode(samples.to_record()), type=Record))
    assert (again.due, again.latency, again.status) == (samples.due, samples.latency, samples.status)
    both = samples.merged(again)
    assert len(both) == 2 * len(samples)
    assert both.operations == samples.operations


def test_in_flight_counts_what_is_open() -> None:
    samples = Samples(["a"])
    for due, took in ((10.0, 1.0), (10.5, 1.0), (10.7, 0.1)):
        samples.add(due, took, 0, 200, 0, 0.0)
    assert samples.in_flight(10.0, 12.0, 0.25) == [1, 1, 2, 3, 1, 1, 0, 0]
