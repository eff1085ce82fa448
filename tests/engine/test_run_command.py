"""``case open``, ``plan``, ``run``, ``rollback`` and ``clean`` as a user types them, on a package of one script."""

from __future__ import annotations

import json
import os
import pwd
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fulldress import facts
from fulldress.case import Case, Store
from fulldress.cli import run
from fulldress.facts import Downtime, Evidence, Timing, Witness
from fulldress.runbook import freeze
from fulldress.runbook.text import load

USER = pwd.getpwuid(os.geteuid()).pw_name


class World:
    def __init__(self, folder: Path) -> None:
        self.folder, self.world = folder, folder / "world"
        self.world.mkdir()
        self.package = folder / "app-2.0.zip"
        with zipfile.ZipFile(self.package, "w") as archive:
            archive.writestr("scripts/upgrade.sh", f"#!/bin/sh\necho 2 > {self.world}/version\n")
            archive.writestr("scripts/rollback.sh", f"#!/bin/sh\nrm {self.world}/version\n")
        self.production = folder / "production"
        self.production.mkdir()
        (self.production / "production.toml").write_text(
            'name = "here"\nzone = "Europe/Berlin"\n[channels.status]\nfile = "status.txt"\n'
            "[window]\nstarts = 2026-11-28T01:00:00Z\nminutes = 60.0\n"
        )
        for name in ("inventory", "settings", "logs", "trust", "advisories", "matrices"):
            (self.production / name).mkdir()
        self.runbook = folder / "runbook.toml"

    def call(self, *argv: str) -> int:
        return run([*argv, "--case-store", str(self.folder / "cases")])

    def on(self, command: str, *argv: str) -> int:
        return self.call(command, str(self.runbook), "-p", str(self.production), *argv)

    @property
    def case(self) -> Case:
        (case,) = Store(self.folder / "cases").cases()
        return case

    def plan(self) -> str:
        assert self.call("case", "open", str(self.package), "--ticket", "T") == 0
        assert self.call("plan", str(self.package), "-p", str(self.production), "-o", str(self.runbook)) == 0
        text = self.runbook.read_text().replace('kind = "script"', f'kind = "script"\nuser = "{USER}"')
        self.runbook.write_text(text)
        return freeze(load(text))

    def rehearsed(self, frozen: str, verdict: str = "GO") -> None:
        """As the rehearsal room notes it."""
        seen = {"witness": Witness.OBSERVED, "evidence": Evidence(source="run:1")}
        timings = [
            Timing(act=act, run=1, started=datetime.now(UTC), duration=timedelta(seconds=n), **seen)  # type: ignore[arg-type]
            for act, n in (("upgrade", 250), ("verify", 12), ("rollback", 91))
        ]
        vendor = Downtime(duration=timedelta(minutes=5), witness=Witness.DECLARED, evidence=Evidence())
        (self.case.folder / "facts.json").write_bytes(facts.encode([*timings, vendor]))
        self.case.append(
            "rehearsed", {"frozen": frozen, "package": self.case.package, "verdict": verdict, "facts": "facts.json"}
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_whole_way(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    frozen = world.plan()
    assert world.on("run", "--yes") == 8
    assert "may not run: its case holds no rehearsal" in capsys.readouterr().err
    world.rehearsed(frozen, "NO-GO")
    assert world.on("run", "--yes") == 8
    world.rehearsed(frozen)
    assert world.on("run") == 8
    assert "Say --yes" in capsys.readouterr().err
    assert not (world.world / "version").exists()
    assert world.on("run", "--yes") == 0
    assert (world.world / "version").read_text() == "2\n"
    assert "the upgrade is completed" in (world.production / "status.txt").read_text()
    capsys.readouterr()
    assert world.on("rollback", "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "pass"
    assert not (world.world / "version").exists()
    assert world.on("run", "--yes") == 0  # a new run, with a new journal
    assert sorted(p.name for p in world.case.folder.glob("run-*.db")) == ["run-01.db", "run-02.db"]
    kinds = [event.kind for event in world.case.events()]
    assert kinds == ["opened", "drafted", "rehearsed", "rehearsed", *["run-started", "run-ended", "rolled-back", "run-started", "run-ended"]]  # fmt: skip


def test_other_bytes_no_run(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.rehearsed(world.plan())
    with zipfile.ZipFile(world.package, "a") as archive:
        archive.writestr("more", "x")
    assert world.on("run", "--yes") == 8
    assert "may not run" in capsys.readouterr().err
    world.runbook.write_text(world.runbook.read_text().replace("has started", "has begun"))
    assert world.on("run", "--yes") == 8
    assert "is none of" in capsys.readouterr().err
    assert not (world.world / "version").exists()


def test_approvals_bind_to_the_digest(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.rehearsed(world.plan())
    assert world.on("plan", "--freeze", "--approvals", "2") == 0
    assert world.on("plan", "--approve", "--as", "ann") == 0
    assert world.on("plan", "--approve", "--as", "ann") == 0
    assert world.on("run", "--yes") == 8
    assert "has 1 of 2 approvals" in capsys.readouterr().err
    assert world.on("plan", "--approve", "--as", "bob") == 0
    assert world.on("run", "--yes") == 0
    assert world.on("plan", "--approve") == 2


def test_window_sheet_notices_and_calendar(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    frozen = world.plan()
    assert world.on("plan") == 3
    assert "not known: upgrade and rollback" in capsys.readouterr().out
    world.rehearsed(frozen)
    out = world.folder / "out"
    out.mkdir()
    assert world.on("plan", "--sheet", f"{out}/sheet.md", "--notices", f"{out}/n", "--ics", f"{out}/w.ics") == 0
    said = capsys.readouterr().out
    assert "= 21 min" in said
    assert "the vendor says 5." in said
    assert "DTSTART:20261128T010000Z" in (out / "w.ics").read_text()
    assert "Needed: **21 minutes**" in (out / "sheet.md").read_text()
    assert (out / "n" / "rolled-back.txt").exists()


def test_clean_with_an_empty_ledger_and_usage(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.call("clean", "-p", str(world.production)) == 2
    world.plan()
    assert world.call("clean", "-p", str(world.production), "--list") == 0
    assert world.on("plan", "--apply", "FD1", "--apply-offers") == 2
    assert world.call("plan", str(world.package), "-p", str(world.production), "-o", str(world.runbook)) == 2
    assert "there already" in capsys.readouterr().err
    assert world.on("rollback", "--yes") == 8


def test_case_commands(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.plan()
    name = world.case.folder.name
    assert world.call("case", "verify", name, "--json") == 0
    head = json.loads(capsys.readouterr().out.splitlines()[-1])["head"]
    assert world.call("case", "waive", "FD1", "x", "--who", "ann", "--why", "w", "--until", "2026-12-01") == 0
    assert world.call("case", "verify", name, "--head", head[:16]) == 0
    assert world.call("case", "verify", name, "--head", "0123") == 9
    assert world.call("case", "show", name) == 0
    assert "waived" in capsys.readouterr().out
