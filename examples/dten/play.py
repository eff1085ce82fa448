"""The whole story, scene by scene: from a package on a ticket on Friday to a decision on Monday, and the days after.

Everything that is shown is measured while it runs. The only things made up are the vendor, its package and the small
production, which ``build.py`` builds from source. Nothing leaves this machine.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import build
import certificates
import servers

from fulldress.stage import Stage

HERE = Path(__file__).parent
BUILD = build.BUILD
RUN = {"baseline": "3", "settle": "2"}
WIDTH = 80


class Play:
    """Runs the commands that a release team would type, and shows them with what they answer."""

    def __init__(self) -> None:
        self.number = 0
        self.began = time.monotonic()
        self.environment = {
            **os.environ,
            "FULLDRESS_CASES": str(BUILD / "cases"),
            "FULLDRESS_STORE": str(BUILD / "store"),
            "COLUMNS": str(WIDTH),
        }

    def scene(self, number: str, title: str, *words: str) -> None:
        print(f"\n{'=' * WIDTH}\n Scene {number}: {title}\n{'=' * WIDTH}")
        for line in words:
            print(f" {line}")
        sys.stdout.flush()

    def fulldress(self, *arguments: str | Path, expect: Sequence[int] = (0,), lines: int = 60) -> str:
        """Show a command and the first ``lines`` of its answer; the whole of it is kept in the log folder."""
        words = [str(argument) for argument in arguments]
        shown = " ".join(f'"{w}"' if " " in w else w for w in words).replace(f"{BUILD}/", "")
        print(f"\n$ fulldress {shown}", flush=True)
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "fulldress", *words],
            cwd=BUILD,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        self.number += 1
        log = BUILD / "log" / f"{self.number:02d}-{words[0]}.txt"
        log.parent.mkdir(exist_ok=True)
        log.write_text(done.stdout + done.stderr)
        answer = done.stdout.rstrip().splitlines()
        print("\n".join(answer[:lines]))
        if len(answer) > lines:
            print(f" … {len(answer) - lines} more lines in {log.relative_to(HERE.parent.parent)}")
        print(f"[exit code {done.returncode}, {time.monotonic() - began:.1f} s]", flush=True)
        if done.returncode not in expect:
            print(done.stderr, file=sys.stderr)
            raise SystemExit(f"the demo expected exit code {' or '.join(map(str, expect))} here")
        return done.stdout


def main() -> None:
    if obstacles := Stage.possible():
        for obstacle in obstacles:
            print(f"{obstacle.what}: {obstacle.detail}", file=sys.stderr)
        raise SystemExit("the demo rehearses on the stage, which this machine cannot have: fulldress doctor says why")
    with servers.database() as orders, servers.registry() as hooks:
        build.build(orders.dsn(), orders.server.installation.major)
        play = Play()
        friday(play)
        weekend(play)
        monday(play)
        days_after(play, orders, hooks)
        print(f"\nThe report: {report(BUILD / 'cases')}")
        print(f"All answers in full: {BUILD / 'log'}   ({time.monotonic() - play.began:.0f} s)")


def report(cases: Path) -> Path:
    return next(cases.glob("*/report.html"))


def friday(play: Play) -> None:
    play.scene("1", "a package arrives on a ticket, unannounced")
    play.fulldress("case", "open", build.PACKAGE, "--ticket", "OPS-2291", "--brought-by", "attached to the ticket")
    play.scene("2, 3, 4", "what is in it, who signed it, what it will do")
    play.fulldress("inspect", build.PACKAGE, "--against", build.PREVIOUS, "--trust", "production/trust",
                   "--advisories", "production/advisories", expect=(1,), lines=75)  # fmt: skip
    play.scene("5", "can we get there from here? A second site still runs 3.9.2")
    play.fulldress("paths", "dten", "3.9.2", "4.2.0", "-p", "production", expect=(0, 3))
    play.scene("6, 7", "API changes by who calls them; keys that decide")
    play.fulldress("api", build.PREVIOUS, build.PACKAGE, "-p", "production", expect=(0, 1))
    play.fulldress("check", build.PACKAGE, "-p", "production", "--against", build.PREVIOUS, expect=(1,), lines=90)
    play.fulldress("keys", "grep", "hybrid|legacy|pool", build.PACKAGE, "-p", "production")


def weekend(play: Play) -> None:
    play.scene("8 to 12", "the vendor's own order, in full dress",
               "The scripts run unmodified on a stage, the database is a clone, the traffic is production's.")  # fmt: skip
    play.fulldress("plan", build.PACKAGE, "-p", "production", "--as-the-vendor-says", "-o", "as-the-vendor-says.toml")
    play.fulldress("rehearse", "as-the-vendor-says.toml", "-p", "production", "--baseline", RUN["baseline"],
                   "--settle", RUN["settle"], "--job-limit", "2", expect=(1,), lines=90)  # fmt: skip
    shutil.copy(report(BUILD / "cases"), BUILD / "report-no-go.html")


def monday(play: Play) -> None:
    play.scene("3, again", "the fingerprint was read out on the phone; the new root goes into trust/")
    root = certificates.authority("G2")[0]
    (BUILD / "production/trust/dten-root-ca-g2.pem").write_bytes(certificates.pem(root))
    play.fulldress("case", "waive", "FD701", "GET /orders/export", "--who", "M. Okafor", "--why",
                   "both clients were moved to /orders on Friday", "--until", "2027-01-31")  # fmt: skip
    play.scene("12, 13", "the offered remedies; the embedded job is disabled first")
    play.fulldress("plan", build.PACKAGE, "-p", "production", "--apply-offers", "-o", "runbook.toml")
    play.fulldress("run", "runbook.toml", "-p", "production", "--yes", expect=(8,))
    print(" (nothing runs that was not rehearsed)")
    play.fulldress("rehearse", "runbook.toml", "-p", "production", "--baseline", RUN["baseline"], "--settle",
                   RUN["settle"], "--job-limit", "2", expect=(0,), lines=70)  # fmt: skip
    play.scene("11", "the window, from what was measured; notices and calendar from the same instants")
    play.fulldress("plan", "runbook.toml", "-p", "production", "--sheet", "negotiation.md", "--notices", "notices",
                   "--ics", "window.ics")  # fmt: skip
    print((BUILD / "notices/scheduled.txt").read_text())
    play.scene("13", "D-day, practised on the stage: frozen, approved, with journal and gates")
    play.fulldress("plan", "runbook.toml", "-p", "production", "--freeze", "--approvals", "1")
    play.fulldress("plan", "runbook.toml", "-p", "production", "--approve", "--as", "M. Okafor")
    play.fulldress("run", "runbook.toml", "-p", "production", "--on-stage", "--yes")


def days_after(play: Play, orders: servers.Clone, hooks: str) -> None:
    play.scene("14", "days later: which shift is real?")
    before, after = BUILD / "before.log", BUILD / "after.log"
    logs(before, after)
    play.fulldress("watch", before, after, expect=(1,))
    play.scene("15", "what no rollback brings back, removed and verified gone",
               "Production now holds what the upgrade registered: a flag, a webhook, a database role.")  # fmt: skip
    flags = BUILD / "production/flags.json"
    flags.write_text('{"hybrid_ui": true, "relay_v2": true}\n')
    body = json.dumps({"target": "http://relay.dten.example/events", "events": ["order.paid"]}).encode()
    with urllib.request.urlopen(urllib.request.Request(hooks, data=body, method="POST")) as answer:
        hook = json.load(answer)["id"]
    orders.query("CREATE ROLE dten_relay LOGIN")
    adopt(BUILD / "left.json", flags, hooks, hook)
    play.fulldress("clean", "-p", "production", "--adopt", "left.json", "--list", expect=(0, 1))
    play.fulldress("clean", "-p", "production", "--yes")
    play.fulldress("case", "show")


def adopt(path: Path, flags: Path, hooks: str, hook: str) -> None:
    """What production says is there, as facts for the ledger."""
    from fulldress import facts

    def evidence(place: str) -> facts.Evidence:
        return facts.Evidence(source="production", path=place)

    path.write_bytes(
        facts.encode(
            [
                facts.Flag(witness=facts.Witness.RUNNING, evidence=evidence(str(flags)), name="relay_v2", value="true",
                           store=str(flags)),
                facts.Webhook(witness=facts.Witness.RUNNING, evidence=evidence(f"{hooks}/{hook}"), registry=hooks,
                              target="http://relay.dten.example/events"),
                facts.Credential(witness=facts.Witness.RUNNING, evidence=facts.Evidence(source="production", table="main"),
                                 kind="database role", name="dten_relay"),
            ]
        )
    )  # fmt: skip


def logs(before: Path, after: Path) -> None:
    """Two quarters of an hour of production: after the upgrade, the newest orders of a customer take twice as long."""
    for path, seed, slower in ((before, 11, 1.0), (after, 12, 2.0)):
        draw = random.Random(seed)
        with path.open("w") as log:
            for second in range(900):
                for _ in range(8):
                    kind = draw.random()
                    took = draw.lognormvariate(-5.2, 0.4)
                    where = f"/orders/{draw.randrange(1, 204_000)}"
                    if kind > 0.6:
                        where, took = f"/customers/{draw.randrange(1, 6000)}/orders", took * 2 * slower
                    minute, rest = divmod(second, 60)
                    log.write(
                        f"10.2.0.{draw.randrange(2, 250)} - - [{24 + (slower > 1)}/Nov/2026:10:{minute:02d}:{rest:02d} "
                        f'+0000] "GET {where} HTTP/1.1" 200 512 "-" "dten-web/5.1" {took:.3f}\n'
                    )


if __name__ == "__main__":
    main()
