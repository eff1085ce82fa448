"""Ask a probe of a venue: pass, fail or unknown, and in words why."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

import msgspec

from fulldress.engine.events import worst
from fulldress.engine.venue import Venue
from fulldress.errors import FulldressError
from fulldress.facts import excerpt
from fulldress.findings import Outcome
from fulldress.runbook.steps import Probe

#: Exit codes of a shell or ``env`` for "not found" and "not executable": the question was never asked.
_NOT_ASKED = (126, 127)


class Answered(msgspec.Struct, frozen=True):
    outcome: Outcome
    words: str


def ask(probe: Probe, venue: Venue, step: str, *, pause: Callable[[float], None] = time.sleep) -> Answered:
    """Ask once, or until it passes or ``probe.within`` seconds are over.

    A question that could not be put (no such program, no permission, a database that does not answer) is *unknown*;
    only an answer that is not the expected one is a *fail*."""
    deadline, wait = time.monotonic() + probe.within, 0.1
    while True:
        answer = _once(probe, venue, step)
        left = deadline - time.monotonic()
        if answer.outcome is Outcome.PASS or left <= 0:
            return answer
        pause(min(wait, left))
        wait = min(wait * 1.5, 2.0)


def ask_all(probes: Iterable[Probe], venue: Venue, step: str) -> Answered:
    """All of them, in order. Of no probe at all: unknown."""
    answers = [ask(probe, venue, step) for probe in probes]
    outcome = worst([answer.outcome for answer in answers])
    telling = [a.words for a in answers if a.outcome is outcome] if outcome is not Outcome.PASS else []
    return Answered(outcome, "; ".join(telling or [a.words for a in answers]) or "nothing was asked")


def _once(probe: Probe, venue: Venue, step: str) -> Answered:
    for field, put in _QUESTIONS.items():
        if getattr(probe, field):
            try:
                return put(probe, venue, step)
            except (FulldressError, OSError) as error:
                return Answered(Outcome.UNKNOWN, f"could not ask: {excerpt(str(error))}")
    return Answered(Outcome.UNKNOWN, "the probe asks nothing")


def _command(probe: Probe, venue: Venue, step: str) -> Answered:
    limit = timedelta(seconds=max(probe.within, 30.0))
    result = venue.run(probe.command, step=step, user=probe.user or "root", timeout=limit)
    name = " ".join(probe.command)
    if result.timed_out:
        return Answered(Outcome.UNKNOWN, f"{excerpt(name)}: no end within {limit.total_seconds():.0f} s")
    if result.exit_code in _NOT_ASKED and result.exit_code != probe.exit_code:
        return Answered(Outcome.UNKNOWN, f"{excerpt(name)}: could not be run: {excerpt(result.output)}")
    if result.exit_code != probe.exit_code:
        return Answered(Outcome.FAIL, f"{excerpt(name)}: exit {result.exit_code}, expected {probe.exit_code}")
    return _contains(probe, result.output, f"{excerpt(name)}: exit {result.exit_code}")


def _http(probe: Probe, venue: Venue, step: str) -> Answered:
    answer = venue.http("GET", probe.http)
    if answer.status == 0:
        return Answered(Outcome.FAIL, f"{excerpt(probe.http)}: no answer: {excerpt(answer.body)}")
    if answer.status != probe.status:
        return Answered(Outcome.FAIL, f"{excerpt(probe.http)}: {answer.status}, expected {probe.status}")
    return _contains(probe, answer.body, f"{excerpt(probe.http)}: {answer.status}")


def _file(probe: Probe, venue: Venue, step: str) -> Answered:
    there = venue.stat(probe.file)
    if probe.absent:
        return Answered(Outcome.FAIL if there else Outcome.PASS, f"{probe.file}: {'there' if there else 'absent'}")
    if there is None:
        return Answered(Outcome.FAIL, f"{probe.file}: absent")
    if not probe.sha256 and not probe.contains:
        return Answered(Outcome.PASS, f"{probe.file}: there")
    data = venue.read(probe.file)
    if probe.sha256 and hashlib.sha256(data).hexdigest() != probe.sha256:
        return Answered(Outcome.FAIL, f"{probe.file}: other bytes")
    return _contains(probe, data.decode(errors="replace"), f"{probe.file}: as expected")


def _service(probe: Probe, venue: Venue, step: str) -> Answered:
    state = venue.service(probe.service, "status", step=step)
    if not state.known:
        if probe.absent:
            return Answered(Outcome.PASS, f"{probe.service}: no such unit")
        missing = Outcome.UNKNOWN if state.active is None and state.detail else Outcome.FAIL
        return Answered(missing, f"{probe.service}: {state.detail or 'no such unit'}")
    if state.active is None:
        return Answered(Outcome.UNKNOWN, f"{probe.service}: {state.detail or 'state unknown'}")
    good = state.active != probe.absent
    return Answered(Outcome.PASS if good else Outcome.FAIL, f"{probe.service}: {'' if state.active else 'not '}active")


def _query(probe: Probe, venue: Venue, step: str) -> Answered:
    rows = venue.query(probe.database, probe.query)
    values = list(rows[0].values()) if rows else []
    if not values:
        return Answered(Outcome.FAIL if probe.equals else Outcome.PASS, f"{excerpt(probe.query)}: no row")
    value = "" if values[0] is None else str(values[0])
    good = value == probe.equals
    return Answered(
        Outcome.PASS if good else Outcome.FAIL,
        f"{excerpt(probe.query)}: {excerpt(value)}" + ("" if good else f", expected {excerpt(probe.equals)}"),
    )


def _contains(probe: Probe, text: str, words: str) -> Answered:
    if probe.contains and probe.contains not in text:
        return Answered(Outcome.FAIL, f"{words}, but without {excerpt(probe.contains)!r}")
    return Answered(Outcome.PASS, words)


_QUESTIONS: dict[str, Callable[[Probe, Venue, str], Answered]] = {
    "command": _command,
    "http": _http,
    "file": _file,
    "service": _service,
    "query": _query,
}
