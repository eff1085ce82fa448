"""What a database instrument found: on the screen, as JSON, JUnit or SARIF, and as an exit code for a build server."""

from __future__ import annotations

import functools
import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from fulldress.cli import concurrency, options

if TYPE_CHECKING:
    from fulldress.facts import AnyFact, Difference, Lock, Survival, Undo, Unread, Wait, Work
    from fulldress.findings import Finding

_OUT = click.Path(dir_okay=False, path_type=Path)
_QUIET = ("BEGIN", "COMMIT", "SET ", "START TRANSACTION", "END")
_MOST = 40  #: statements on the screen; --json has all


class Results:
    """How to tell what was found. ``fail_on``: a name of :class:`fulldress.findings.Severity`."""

    def __init__(self, fail_on: str, junit: Path | None, sarif: Path | None) -> None:
        self.fail_on = fail_on
        self.junit = junit
        self.sarif = sarif

    def tell(self, facts: Sequence[AnyFact], as_json: bool, failed: str, scripts: Mapping[str, str]) -> int:
        """Print or write everything; returns the exit code. ``failed``: why a script did not run to its end."""
        from fulldress import checks
        from fulldress.facts import RESTORED, Difference, Unread, encode
        from fulldress.findings import Outcome, Severity
        from fulldress.report import view

        found = checks.judge(facts)
        limit = Severity(self.fail_on)
        told = view.build("trace", _Scripts(scripts), facts, found, claims=(), fail_on=limit)
        self._write(told, limit)
        if as_json:
            click.echo(encode(list(facts)))
        else:
            _show(facts, found, failed)
        broken = any(isinstance(fact, Difference) and fact.kind not in RESTORED for fact in facts)
        if failed or broken or told.verdict.outcome is Outcome.FAIL:
            return 1
        return 3 if any(isinstance(fact, Unread) and fact.needed for fact in facts) else 0

    def _write(self, told: Any, limit: Any) -> None:
        from fulldress.report import files, junit, sarif

        if self.junit is not None:
            files.write(self.junit, junit.text(told, limit))
        if self.sarif is not None:
            files.write(self.sarif, msgspec.json.format(msgspec.json.encode(sarif.log(told)), indent=1).decode() + "\n")


class _Scripts:
    """The scripts as what a report is about."""

    def __init__(self, scripts: Mapping[str, str]) -> None:
        whole = "\0".join(f"{name}\0{text}" for name, text in sorted(scripts.items())).encode()
        self.source = hashlib.sha256(whole).hexdigest()
        self.name = next(iter(scripts), "command")
        self.size = len(whole)


def results(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of :class:`Results`; the command takes them as ``results``."""

    @functools.wraps(function)
    def wrapped(*args: Any, fail_on: str, junit: Path | None, sarif: Path | None, **rest: Any) -> Any:
        return function(*args, results=Results(fail_on, junit, sarif), **rest)

    for option in (
        click.option("--sarif", type=_OUT, help="Write the findings as SARIF 2.1.0."),
        click.option("--junit", type=_OUT, help="Write the findings as JUnit XML."),
        options.fail_on,
    ):
        wrapped = option(wrapped)
    return wrapped


# -- the screen -------------------------------------------------------------------------------------------------------


def _show(facts: Sequence[AnyFact], found: Sequence[Finding], failed: str) -> None:
    """Statements with what they did; who waited; whether the way back restores; what follows; what was not measured."""
    from fulldress.cli import foreseen
    from fulldress.facts import Difference, Lock, Survival, Undo, Unread, Wait, Work

    held: dict[tuple[str, str], list[Lock]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact, Lock):
            held[fact.migration, fact.statement].append(fact)
    works = [fact for fact in facts if isinstance(fact, Work) and not fact.statement.upper().startswith(_QUIET)]
    shown = works if len(works) <= _MOST else sorted(sorted(works, key=_weight)[-_MOST:], key=lambda one: one.started)
    for work in shown:
        _work(work, held.get((work.migration, work.statement), []))
    if len(works) > len(shown):
        click.echo(f"and {len(works) - len(shown)} more statements that did less (--json)")
    for fact in facts:
        if isinstance(fact, Wait):
            _wait(fact)
    concurrency.show(facts)
    foreseen.show(facts)
    _undone([fact for fact in facts if isinstance(fact, Undo)])
    _differences([fact for fact in facts if isinstance(fact, Difference)])
    _survivals([fact for fact in facts if isinstance(fact, Survival)])
    for finding in found:
        click.echo(f"{finding.rule}  {finding.severity.value}: {finding.title}")
        click.echo(f"{'':7}→ {finding.remedy}")
    _gaps([fact for fact in facts if isinstance(fact, Unread)])
    if failed:
        click.echo(f"FAILED {failed}")


def _weight(work: Work) -> tuple[bool, float]:
    return bool(work.rewritten or work.scanned or work.built or work.error), work.duration.total_seconds()


def _work(work: Work, locks: Sequence[Lock]) -> None:
    from fulldress.database.strength import STRONG

    did = [
        *(f"rewrites {name}" for name in work.rewritten),
        *(f"scans {name}" for name in work.scanned),
        *(f"builds {name}" for name in work.built),
        *(f"reads all of {name}" for name in work.read_whole),
    ]
    if work.rows:
        did.append(f"{work.rows:,} rows")
    if work.way:
        did.append(work.way)
    for name, amount in (("WAL", work.wal_bytes), ("of temporary files", work.temp_bytes)):
        if amount and amount > 1_000_000:
            did.append(f"{amount / 1e6:.1f} MB {name}")
    statement = " ".join(work.statement.split())
    statement = statement if len(statement) <= 66 else statement[:65] + "…"
    click.echo(f"{seconds(work.duration.total_seconds()):>10}  {statement}")
    if did:
        click.echo(f"{'':12}{'; '.join(did)}")
    strong = [lock for lock in locks if lock.mode in STRONG or lock.object.startswith("advisory") or not lock.mode]
    for lock in sorted(strong, key=lambda one: -one.held)[:3]:
        click.echo(f"{'':12}{lock.mode} on {lock.object}, held {seconds(lock.held.total_seconds())} ({lock.caught})")
    if len(strong) > 3:
        click.echo(f"{'':12}and {len(strong) - 3} more locks (--json)")
    for advice in work.advice:
        click.echo(f"{'':12}{advice}")
    if work.error:
        click.echo(f"{'':12}failed: {work.error}")


def _wait(wait: Wait) -> None:
    worst = seconds(wait.worst.total_seconds())
    behind = f", behind {', '.join(wait.chain)}" if wait.chain else ""
    ended = f" ({wait.outcome})" if wait.outcome else ""
    click.echo(
        f"waited: {wait.victim} × {wait.count}, worst {worst}{ended}, for {wait.blocker} on {wait.object}{behind}"
    )


def _differences(every: Sequence[Difference]) -> None:
    tables = [one for one in every if one.equality]
    if not every:
        return
    same = [one for one in tables if one.kind == "none"]
    rows = sum(one.rows or 0 for one in same)
    objects = {one.object for one in tables}
    ways = " and ".join(sorted({one.equality for one in same})) or "byte"
    click.echo(f"way back: {len(same)} of {len(objects)} tables as before, {rows:,} rows compared ({ways} equality)")
    for one in every:
        if one.kind != "none":
            count = f" in {one.rows:,} rows" if one.rows is not None else ""
            columns = f" ({', '.join(one.columns)})" if one.columns else ""
            click.echo(f"  {one.kind}{columns}: {one.object}{count}" + (f": {one.detail}" if one.detail else ""))


def _undone(every: Sequence[Undo]) -> None:
    """The verdict of the release, then of every step that does not come back."""
    for one in every:
        if one.granularity == "step" and one.outcome == "restored":
            continue
        made = ", rows made from the schema" if one.made else ""
        rows = f" ({one.rows:,} rows{made})" if one.rows is not None else ""
        click.echo(f"{one.granularity} {one.name}: {one.outcome}{rows}" + (f": {one.detail}" if one.detail else ""))
        if one.granularity == "step":
            for words in one.differences[:3]:
                click.echo(f"  {words}")
            if len(one.differences) > 3:
                click.echo(f"  and {len(one.differences) - 3} more (--json)")
    steps = [one for one in every if one.granularity == "step"]
    if steps:
        click.echo(f"steps: {sum(one.outcome == 'restored' for one in steps)} of {len(steps)} restore what was before")


def _survivals(every: Sequence[Survival]) -> None:
    """Ways back side by side."""
    if not every:
        return
    written = max(one.written for one in every)
    click.echo(f"of {written:,} rows written after the upgrade ({every[0].sample}):")
    for one in every:
        took = f", {seconds(one.duration.total_seconds())}" if one.duration is not None else ""
        old = {True: "old rows whole", False: "OLD ROWS LOST", None: "old rows not compared"}[one.whole]
        if one.outcome != "ok":
            click.echo(f"  {one.way:<13} {one.outcome}")
        elif not one.written:
            click.echo(f"  {one.way:<13} {old}{took}: {one.detail}")
        else:
            changed = f", {one.changed:,} changed" if one.changed else ""
            where = f" ({', '.join(one.tables[:4])}{' …' if len(one.tables) > 4 else ''})" if one.tables else ""
            click.echo(f"  {one.way:<13} {one.survive:,} survive, {one.lost:,} lost{changed}{where}; {old}{took}")


def _gaps(unread: Sequence[Unread]) -> None:
    for gap in unread:
        needed = "needed, " if gap.needed else ""
        click.echo(f"not measured: {needed}{gap.what}: {gap.detail or gap.reason.value}")


def seconds(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.1f} s"
