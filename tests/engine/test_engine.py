"""The engine on this host, in a temporary folder: forward, gates, the way back, hotfixes, guards, the point of no return."""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fulldress.engine import Engine, Event, Journal, RunOutcome
from fulldress.engine.venues.local import Local
from fulldress.errors import InDoubt, JournalBusy, JournalOther, RunEnded, StillAlive
from fulldress.findings import Outcome
from fulldress.production.description import Channel
from fulldress.runbook.steps import (
    AnyStep,
    Command,
    File,
    FlagStep,
    Header,
    Notice,
    Person,
    Probe,
    ProbeStep,
    Runbook,
    Schedule,
    Script,
    Setting,
    Snapshot,
)

USER = pwd.getpwuid(os.geteuid()).pw_name
Run = Callable[..., RunOutcome]


def book(*steps: AnyStep) -> Runbook:
    return Runbook(runbook=Header(product="p", version="2", package="0" * 64), step=steps)


def sh(name: str, script: str, undo: str = "", **more: object) -> Command:
    back = ("/bin/sh", "-c", undo) if undo else ()
    return Command(name=name, argv=("/bin/sh", "-c", script), undo=back, user=USER, **more)  # type: ignore[arg-type]


def engine(folder: Path, journal: Journal, *steps: AnyStep, **more: object) -> Engine:
    entries = more.pop("entries", lambda sha256: b"")
    venue = more.pop("venue", None) or Local("here", folder=folder, channels={"status": Channel(file="status.txt")})
    return Engine(book(*steps), venue, journal, entries=entries, **more)  # type: ignore[arg-type]


def test_forward_then_back_is_byte_for_byte(tmp_path: Path) -> None:
    conf, flags = tmp_path / "app.properties", tmp_path / "flags.json"
    conf.write_text("# ours\na.b = 1\na.c=2\n")
    conf.chmod(0o640)
    flags.write_bytes(b'{"old":true}')  # not how we would write it
    before = {p: (p.read_bytes(), p.stat().st_mode, p.stat().st_mtime_ns) for p in (conf, flags)}
    new = tmp_path / "etc" / "new.conf"
    steps = (
        Setting(name="set", file=str(conf), key="a.b", value="7"),
        FlagStep(name="flag", store=str(flags), flag="hybrid", value=True),
        File(name="file", path=str(new), text="hello\n", mode=0o600, owner=USER),
        Notice(name="told", channel="status", text="it began"),
    )
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, *steps)
        assert run.run().outcome is Outcome.PASS
        assert conf.read_text() == "# ours\na.b = 7\na.c=2\n"
        assert conf.stat().st_mode & 0o777 == 0o640
        assert (new.read_text(), new.stat().st_mode & 0o777) == ("hello\n", 0o600)
        assert "it began" in (tmp_path / "status.txt").read_text()
        back = run.rollback()
        assert (back.outcome, back.open) == (Outcome.PASS, ())
    assert {p: (p.read_bytes(), p.stat().st_mode, p.stat().st_mtime_ns) for p in (conf, flags)} == before
    assert not new.exists()


def test_a_failed_gate_takes_everything_back_last_first(tmp_path: Path) -> None:
    log = tmp_path / "log"
    heard: list[Event] = []
    steps = (
        sh("one", f"echo +1 >> {log}", f"echo -1 >> {log}"),
        sh("two", f"echo +2 >> {log}", f"echo -2 >> {log}", verify=(Probe(file=str(tmp_path / "never")),)),
        sh("three", f"echo +3 >> {log}"),
    )
    with Journal(tmp_path / "j.db") as journal:
        outcome = engine(tmp_path, journal, *steps, on_event=heard.append).run()
        assert journal.state == "rolled back"
    assert (outcome.outcome, outcome.stopped_at, outcome.rollback) == (Outcome.FAIL, "two", Outcome.PASS)
    assert log.read_text().split() == ["+1", "+2", "-2", "-1"]
    assert [(e.kind, e.step) for e in heard][-4:] == [
        ("undo-started", "two"),
        ("undo-ended", "two"),
        ("undo-started", "one"),
        ("undo-ended", "one"),
    ]


def test_unknown_stops_and_never_promotes(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    ask = ProbeStep(name="ask", verify=(Probe(command=("/no/such/program",), user=USER),))
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, ask, sh("later", f": > {mark}"))
        outcome = run.run()
        assert (outcome.outcome, outcome.rolled_back, mark.exists()) == (Outcome.UNKNOWN, False, False)
        assert run.run().outcome is Outcome.UNKNOWN  # and so it stays when it is tried again
    assert not mark.exists()


def test_a_gate_that_is_switched_off_is_told_and_does_not_stop(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, ProbeStep(name="ask", gate=False, verify=(Probe(file="/no/such"),)))
        assert run.run().outcome is Outcome.PASS
        assert [e.data["outcome"] for e in journal.chain.entries("gate")] == ["fail", "pass"]


def test_a_hotfix_of_the_operator_is_not_overwritten(tmp_path: Path) -> None:
    conf, whole = tmp_path / "a.conf", tmp_path / "whole"
    conf.write_text("a.b=1\n")
    steps = (
        Setting(name="set", file=str(conf), key="a.b", value="2", format="properties"),
        File(name="w", path=str(whole), text="x", owner=USER),
    )
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, *steps)
        run.run()
        conf.write_text(conf.read_text() + "hotfix=1\n")
        whole.write_text("somebody else's")
        back = run.rollback()
        assert back.outcome is Outcome.FAIL
        assert "changed by someone since" in back.why
    assert conf.read_text() == "a.b=1\nhotfix=1\n"  # our key alone was taken back
    assert whole.read_text() == "somebody else's"


CRON = "SHELL=/bin/sh\n0 3 * * * root /opt/import\n"


def test_a_job_is_put_aside_as_soon_as_its_script_has_brought_it(tmp_path: Path) -> None:
    cron = tmp_path / "import"
    guard = Schedule(name="no-import", target=str(cron), expression="0 3 * * *", after="vendor", phase="before")
    steps = (
        guard,
        sh("vendor", f"printf '{CRON}' > {cron}", f"rm -f {cron}"),
        sh("later", f"test ! -e {cron}", "true"),
    )
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, *steps)
        assert run.run().outcome is Outcome.PASS
        assert not cron.exists()
        assert run.rollback().outcome is Outcome.PASS
        assert not cron.exists()


def test_a_job_that_was_there_comes_back_and_its_neighbours_never_leave(tmp_path: Path) -> None:
    cron = tmp_path / "root"
    text = "# m h\n30 1 * * * root /usr/bin/backup\n" + CRON
    cron.write_text(text)
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, Schedule(name="s", target=str(cron), expression="0 3 * * *"))
        assert run.run().outcome is Outcome.PASS
        assert "\n30 1 * * * root /usr/bin/backup\n" in cron.read_text()
        assert "\n0 3 * * *" not in cron.read_text()
        assert run.rollback().outcome is Outcome.PASS
    assert cron.read_text() == text


def test_past_the_point_of_no_return_nothing_is_touched(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    steps = (sh("a", f": > {mark}", f"rm {mark}"), sh("final", "true", reversible=False), sh("bad", "exit 3"))
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, *steps)
        outcome = run.run()
        assert (outcome.outcome, outcome.rolled_back) == (Outcome.FAIL, False)
        assert "point of no return (final)" in outcome.why
        assert run.rollback().outcome is Outcome.FAIL
    assert mark.exists()


def test_a_snapshot_makes_good_what_has_no_way_back(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "kept").write_text("as it was")
    (tree / "kept").chmod(0o751)
    (tree / "link").symlink_to("kept")
    steps = (
        Snapshot(name="keep", paths=(str(tree), str(tmp_path / "absent"))),
        sh(
            "vendor",
            f"rm -r {tree}/kept {tree}/link {tree}/sub; mkdir -p {tree}/n/m; : > {tree}/n/m/x; : > {tmp_path}/absent",
        ),
    )
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, *steps)
        assert run.run().outcome is Outcome.PASS
        back = run.rollback()
        assert (back.outcome, back.open) == (Outcome.PASS, ()), back.why
    assert sorted(p.name for p in tree.rglob("*")) == ["kept", "link", "sub"]
    assert ((tree / "kept").read_text(), (tree / "kept").stat().st_mode & 0o777) == ("as it was", 0o751)
    assert (tree / "link").readlink() == Path("kept")
    assert not (tmp_path / "absent").exists()


def test_without_a_way_back_the_rollback_is_unknown(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, sh("vendor", "true"))
        run.run()
        back = run.rollback()
    assert (back.outcome, back.open) == (Outcome.UNKNOWN, ("vendor",))


def test_the_journal_is_bound_to_its_runbook_and_has_one_writer(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        engine(tmp_path, journal, sh("a", "true")).run()
        with pytest.raises(JournalBusy), Journal(tmp_path / "j.db"):
            pass
        with pytest.raises(JournalOther):
            engine(tmp_path, journal, sh("a", "true", why="other words")).run()
        assert engine(tmp_path, journal, sh("a", "true")).run().outcome is Outcome.PASS
        run = engine(tmp_path, journal, sh("a", "true"))
        run.rollback()
        with pytest.raises(RunEnded):
            run.run()


def _cut_off(journal: Journal, run: Engine, step: str, token: str) -> None:
    """As a killed runner leaves it: an intent and no end. The pid is this process's, which is no longer that runner."""
    journal.begin(run.frozen, "here")
    journal.intent(step, token)


def test_in_doubt_without_probe_asks_a_person(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, sh("a", f": > {mark}"))
        _cut_off(journal, run, "a", "nobody")
        with pytest.raises(InDoubt, match="--settle a=done"):
            run.run()
        assert not mark.exists()
        run.settle("a", done=True)
        assert run.run().outcome is Outcome.PASS
    assert not mark.exists()


def test_an_orphan_of_a_killed_run_keeps_the_step_shut(tmp_path: Path) -> None:
    go = tmp_path / "go"
    orphan = subprocess.Popen(
        [sys.executable, "-c", f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(.01)"],
        env={"FULLDRESS_STEP": "its-token", "PATH": "/usr/bin:/bin"},
    )
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, sh("a", "true", verify=(Probe(command=("/bin/true",), user=USER),)))
        _cut_off(journal, run, "a", "its-token")
        _until(lambda: bool(run.venue.alive("its-token")))  # type: ignore[attr-defined]
        with pytest.raises(StillAlive, match=str(orphan.pid)):
            run.run()
        go.touch()
        orphan.wait(10)
        assert run.run().outcome is Outcome.PASS


def test_scripts_run_among_their_siblings_and_only_with_the_bytes_that_were_named(tmp_path: Path) -> None:
    root = tmp_path / "package"
    (root / "scripts").mkdir(parents=True)
    script = b'#!/bin/sh\n. "$(dirname "$0")/lib.sh"\nsay > "$OUT"\n'
    (root / "scripts" / "up.sh").write_bytes(script)
    (root / "scripts" / "lib.sh").write_text("say() { echo from the library; pwd; }\n")
    out = tmp_path / "out"
    step = Script(
        name="up",
        sha256=hashlib.sha256(script).hexdigest(),
        package_path="scripts/up.sh",
        user=USER,
        environment={"OUT": str(out)},
    )
    venue = Local("here", folder=tmp_path, package_root=str(root))
    with Journal(tmp_path / "j.db") as journal:
        assert engine(tmp_path, journal, step, entries=lambda _: script, venue=venue).run().outcome is Outcome.PASS
        assert out.read_text().splitlines() == ["from the library", str(root)]
    out.unlink()
    (root / "scripts" / "up.sh").write_bytes(script + b"# changed\n")
    with Journal(tmp_path / "k.db") as journal:
        outcome = engine(tmp_path, journal, step, entries=lambda _: script, venue=venue).run()
        assert outcome.outcome is Outcome.FAIL
        assert "other bytes" in outcome.why
    assert not out.exists()


def test_a_person_who_is_not_there_is_unknown(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        outcome = engine(tmp_path, journal, Person(name="reboot", instruction="Reboot it.")).run()
    assert (outcome.outcome, outcome.stopped_at) == (Outcome.UNKNOWN, "reboot")


def test_a_step_that_outlives_its_time_is_ended_with_its_children(tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    with Journal(tmp_path / "j.db") as journal:
        slow = sh("slow", f"sleep 300 & echo $! > {pidfile}; wait", timeout=0.3)
        assert engine(tmp_path, journal, slow).run().outcome is Outcome.FAIL
    pid = int(pidfile.read_text())
    _until(lambda: not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text())


def test_until_and_going_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    steps = [sh(name, f"echo {name} >> {log}") for name in ("a", "b", "c")]
    with Journal(tmp_path / "j.db") as journal:
        run = engine(tmp_path, journal, *steps)
        assert run.run(until="b").outcome is Outcome.PASS
        assert log.read_text().split() == ["a", "b"]
        assert run.run().outcome is Outcome.PASS
    assert log.read_text().split() == ["a", "b", "c"]


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)
