"""The join of the server's log with what the runner and the poller saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fulldress.database.postgres import log

if TYPE_CHECKING:
    from fulldress.database.postgres.trace import Statement, Trace

#: How a wait can end without what was waited for, by SQLSTATE (manual, "PostgreSQL Error Codes").
_ENDINGS = {"40P01": "deadlock", "55P03": "timed out", "57014": "cancelled"}
_SLACK = 0.003  #: seconds; the log rounds to milliseconds


def join(trace: Trace, lines: list[log.Line], database: str) -> None:
    """Put each line where it belongs; lines of our own observers and of other databases are passed over."""
    from fulldress.database.postgres.server import OBSERVER

    runners = {statement.pid for statement in trace.statements if statement.sent}
    others = trace.logged
    for line in lines:
        if line.database != database or line.user == OBSERVER:
            continue
        if line.code in _ENDINGS:
            _gave_up(trace, line)
        waited = log.wait(line)
        if waited is not None:
            _exact(trace, line, waited)
            continue
        (tables, planned), bytes_ = log.read_whole(line), log.temporary(line)
        if tables or bytes_ is not None:
            _spent(others.get(line.pid) or _running(trace, line, planned), tables, bytes_)
            continue
        if line.pid not in runners and "ms  plan:" not in line.message[:60]:
            _foreign(trace, line, others)
        found = log.work(line)
        if found is None:
            continue
        statement = others.get(line.pid) or _running(trace, line)
        if statement is not None:
            kind, name = found
            names: list[str] = getattr(statement, kind)
            if name not in names:
                names.append(name)


def _spent(statement: Statement | None, tables: list[str], bytes_: int | None) -> None:
    if statement is None:  # of traffic, or of nobody that is traced
        return
    statement.read_whole += [name for name in tables if name not in statement.read_whole]
    if bytes_ is not None:
        statement.temporary = (statement.temporary or 0) + bytes_


def _gave_up(trace: Trace, line: log.Line) -> None:
    """A session of which the server ended the wait: the wait says so; a deadlock too quick for the poller is added."""
    from fulldress.database.postgres.trace import Waiting, victim

    outcome = _ENDINGS[line.code]
    for wait in reversed(trace.waits):
        if wait.pid == line.pid and wait.since - 0.02 <= line.at <= (wait.ended or line.at) + 0.05:
            wait.outcome, wait.ended = outcome, min(wait.ended or line.at, line.at)
            return
    circle = log.deadlock(line)
    if circle is None or line.pid not in circle.waits:
        return
    mine, other = _running(trace, line), circle.behind[line.pid]
    blocker = _at(trace, other, line.at)
    if mine is None and blocker is None:
        return  # two of the traffic's own
    from fulldress.database.postgres.trace import Statement

    mode, object_ = circle.waits[line.pid]
    if blocker is None and mine is not None:
        blocker = Statement(mine.migration, victim("", circle.queries.get(other, "")), other, line.at, step=mine.step)
    assert blocker is not None  # one of the two was there  # noqa: S101
    name = f"{mine.migration}: {mine.label}" if mine is not None else victim(line.application, line.statement)
    kind, _, number = object_.partition(" ")
    shown = trace.names.get(int(number)) if kind == "relation" and number.isdigit() else "a row"
    wait = Waiting(line.pid, name, shown or object_, mode, blocker, line.at, line.at, ended=line.at)
    wait.outcome = outcome
    trace.waits.append(wait)


def _at(trace: Trace, pid: int, at: float) -> Statement | None:
    """What a session of the upgrade ran at an instant, or had run last in its transaction."""
    mine = [one for one in trace.statements if one.pid == pid and one.started <= at + _SLACK]
    return mine[-1] if mine else None


def _running(trace: Trace, line: log.Line, text: str = "") -> Statement | None:
    """The runner's statement that a line belongs to: same session, same text, at that time.

    ``text``: the statement where the line itself does not tell it. Where none has that text (it ran inside a function),
    the one that surely ran then comes before those that only the log's rounding brings near."""
    close = [
        statement
        for statement in trace.statements
        if statement.pid == line.pid
        and statement.started - _SLACK <= line.at
        and (statement.ended is None or line.at <= statement.ended + _SLACK)
    ]
    wanted = (line.statement or text).strip()
    same = [statement for statement in close if wanted and statement.sent.strip() == wanted]
    sure = [one for one in close if one.started <= line.at and (one.ended is None or line.at <= one.ended)]
    return (same or sure or close)[-1] if close else None


def _foreign(trace: Trace, line: log.Line, others: dict[int, Statement]) -> None:
    """Statements of programs other than our runner: what changes the schema, and what psql ran for long."""
    from fulldress.database.postgres.trace import _MIGRATING, Statement

    migration = trace.step_at(line.at) or line.application
    text = log.statement(line)
    if text:
        statement = Statement(migration, text, line.pid, line.at, step=trace.step_at(line.at), ended=line.at)
        others[line.pid] = statement
        trace.statements.append(statement)
        return
    took = log.duration(line)
    if took is not None:
        seconds, whole = took
        before = others.pop(line.pid, None)
        if not whole and before is not None:
            before.ended = before.started + seconds
        elif whole and _MIGRATING.match(line.application):
            trace.statements.append(
                Statement(migration, whole, line.pid, line.at - seconds, step=trace.step_at(line.at), ended=line.at)
            )
        return
    if line.severity in ("ERROR", "FATAL") and (line.pid in others or _MIGRATING.match(line.application)):
        before = others.pop(line.pid, None)
        if before is None:
            before = Statement(migration, line.statement, line.pid, line.at, step=trace.step_at(line.at), ended=line.at)
            trace.statements.append(before)
        before.error = line.message


def _exact(trace: Trace, line: log.Line, waited: log.Waited) -> None:
    """The log's time of a wait is exact where the poller's is not; and it names the table of a row lock."""
    for wait in reversed(trace.waits):
        if wait.pid == waited.pid and wait.since - 0.02 <= line.at - waited.seconds <= wait.since + 0.02:
            if waited.over:
                wait.exact = waited.seconds
                wait.ended = line.at
            if wait.object == "a row" and 'in relation "' in line.context:
                wait.object = "a row of " + line.context.partition('in relation "')[2].partition('"')[0]
            return
