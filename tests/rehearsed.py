"""A rehearsal as it really looks, to lay out reports on: a table rewritten under traffic, and a way back that fails.

Only the material of tests. Everything is drawn from a seed."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from fulldress.facts import AnyFact, Gate, Point, Span, Timeline
from fulldress.findings import Waiver
from fulldress.report import view as model

START = datetime(2026, 11, 29, 1, 0, tzinfo=UTC)
DIGEST = "4f1c" + "0" * 56 + "9ab2"
CASES = Path(__file__).parent / "checks" / "cases"
USED = (
    "FD005/built-long-before", "FD111/announced-not-trusted", "FD201/drops-column", "FD204/empty-down", "FD205/no-lock-timeout",
    "FD207/both-ran", "FD208/waits-for-ddl", "FD209/rows-lost", "FD301/retired-host", "FD305/fills-var-log",
    "FD307/fails-at-its-hour", "FD401/recommended-but-done", "FD402/renamed-unit", "FD405/sudo", "FD406/setuid",
    "FD410/measured-more", "FD501/latest", "FD502/no-upper-bound", "FD601/removed-and-set", "FD602/default-moves",
    "FD603/must-be-true", "FD701/removed-called", "FD801/never-came-up", "FD802/file-left", "FD901/flag-left",
    "FD902/webhook-left", "FD903/role-without-end", "FD001/encrypted-member",
)  # fmt: skip


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    source: str = DIGEST
    name: str = "Full-upgrade-package-relayd.zip"
    size: int = 18_240_113
    facts: list[Any] = []


def facts() -> list[AnyFact]:
    raw: list[dict[str, Any]] = []
    for name in USED:
        for fact in json.loads((CASES / f"{name}.json").read_text())["facts"]:
            if fact not in raw:
                raw.append(fact)
    for run in (1, 2, 3):
        raw += _timings(run)
    raw += [
        {
            "fact": "Fidelity",
            "witness": "observed",
            "evidence": {},
            "measure": m,
            "production": p,
            "rehearsal": r,
            "unit": u,
            "ok": True,
        }
        for m, p, r, u in (
            ("in flight p99", 40.0, 41.0, ""),
            ("rate", 215.0, 212.0, "req/s"),
            ("send lag p99", None, 0.8, "ms"),
        )
    ]
    return msgspec.convert(raw, list[AnyFact])


#: act, step, seconds from the start of the run, seconds long, outcome, words
_ACTS = (
    ("baseline", "", 0, 60, "ok", "212 req/s, 41 in flight at p99 (production: 40)"),
    ("upgrade", "", 60, 232, "ok", "orders locked 97 s: 1,204 requests waited, worst 96.8 s"),
    ("upgrade", "disable-relayd-import", 60, 1, "ok", ""),
    ("upgrade", "pre.sh", 61, 8, "ok", ""),
    ("upgrade", "0004_total", 70, 97, "ok", "AccessExclusiveLock on orders, table rewritten (1.9 GB WAL)"),
    ("upgrade", "0005_statuses", 168, 14, "ok", ""),
    ("upgrade", "0006_drop_ref", 182, 2, "ok", ""),
    ("upgrade", "0007_bridge", 184, 3, "ok", ""),
    ("upgrade", "upgrade.sh", 188, 62, "ok", ""),
    ("upgrade", "post.sh", 251, 41, "failed", "Unit relayd-bridge.service not found."),
    ("verify", "", 292, 12, "failed", "/health ok; relayd-bridge never came up (unit renamed to relayd-relay)"),
    ("rollback", "", 304, 91, "ok", "1 of 9 tables differs: orders.legacy_ref lost in 212,400 rows"),
)


def _timings(run: int) -> list[dict[str, Any]]:
    stretch = {1: 1.0, 2: 1.07, 3: 1.02}[run]
    return [
        {
            "fact": "Timing", "witness": "observed", "evidence": {"source": f"run:{run}"}, "act": act, "step": step, "run": run,
            "started": (START + timedelta(seconds=at)).isoformat(), "duration": f"PT{seconds * stretch:.3f}S", "outcome": outcome, "words": words,
        }
        for act, step, at, seconds, outcome, words in _ACTS
    ]  # fmt: skip


def timeline(run: int = 1) -> Timeline:
    dice = random.Random(4)

    def at(seconds: float) -> datetime:
        return START + timedelta(seconds=seconds)

    spans = [
        Span(lane="step" if step else "act", row=step or act, start=at(a), end=at(a + s), label=words, outcome=outcome)
        for act, step, a, s, outcome, words in _ACTS
    ]
    rewrite = "AccessExclusiveLock: ALTER TABLE orders ALTER COLUMN total TYPE bigint"
    spans += [
        Span(lane="lock", row="orders", start=at(70), end=at(167), label=rewrite),
        Span(
            lane="lock",
            row="orders",
            start=at(182),
            end=at(184),
            label="AccessExclusiveLock: ALTER TABLE orders DROP COLUMN ref",
        ),
        Span(
            lane="lock",
            row="customers",
            start=at(170),
            end=at(179),
            label="ShareLock: CREATE INDEX ON customers (state)",
        ),
        Span(
            lane="wait", row="GET /orders", start=at(70.2), end=at(166.9), label="812 waited for orders, worst 96.8 s"
        ),
        Span(
            lane="wait",
            row="GET /orders/{id}",
            start=at(70.6),
            end=at(166.9),
            label="367 waited for orders, worst 96.3 s",
        ),
        Span(lane="wait", row="pay an order", start=at(73), end=at(166), label="25 waited for orders, worst 93.0 s"),
        Span(
            lane="wait", row="POST /customers", start=at(171), end=at(178), label="9 waited for customers, worst 7.4 s"
        ),
        Span(
            lane="job", row="relayd-import", start=at(7200), end=at(7228), label="connection refused", outcome="failed"
        ),
    ]
    points = []
    for row, base, locked in (
        ("GET /orders", 0.009, True),
        ("GET /orders/{id}", 0.004, True),
        ("GET /health", 0.001, False),
    ):
        for second in range(0, 396, 3):
            slow = 1.0
            if locked and 70 <= second <= 167:
                slow = max((167 - second) / base * 0.98, 3)
            elif 188 <= second <= 250:
                slow = 6
            elif second > 300:
                slow = 1.6
            p50 = base * slow * dice.uniform(0.9, 1.1)
            p99 = p50 * (1.02 if slow > 50 else dice.uniform(3, 4.5))
            points += [
                Point(series="latency p50", row=row, at=at(second), value=p50),
                Point(series="latency p99", row=row, at=at(second), value=p99),
            ]
    for second in range(0, 396, 3):
        stuck = 212 * 0.35 * (second - 70) if 70 <= second <= 167 else 0
        points.append(Point(series="in flight", row="", at=at(second), value=dice.uniform(18, 41) + min(stuck, 1204)))
        points.append(
            Point(series="log bytes", row="/var/log", at=at(second), value=2e5 * second + (3e6 * max(second - 251, 0)))
        )
    gates = (
        Gate(name="disk space", at=at(58), outcome="pass"),
        Gate(name="migrations verified", at=at(188), outcome="pass"),
        Gate(name="post.sh ended well", at=at(292), outcome="fail", detail="Unit relayd-bridge.service not found."),
        Gate(name="relayd-core is well", at=at(303), outcome="pass", detail="200 from /health"),
        Gate(name="partner answers", at=at(304), outcome="unknown", detail="stub only"),
    )
    return Timeline(
        run=run, start=START, end=at(396), zone="Europe/Berlin", spans=tuple(spans), points=tuple(points), gates=gates
    )


def window() -> model.WindowView:
    parts = [
        ("forward", 248, "max of 3"),
        ("verify", 13, ""),
        ("rollback", 97, ""),
        ("decision", 300, ""),
        ("buffer", 600, ""),
    ]
    total = timedelta(seconds=sum(seconds for _, seconds, _ in parts))
    return model.WindowView(
        parts=tuple(model.WindowPart(name=n, duration=timedelta(seconds=s), basis=b) for n, s, b in parts),
        total=total, claimed=timedelta(minutes=5), negotiated=timedelta(minutes=60), starts=START, ends=START + total,
        latest_abort=START + timedelta(minutes=13),
    )  # fmt: skip


def rehearsal() -> model.View:
    waiver = Waiver(
        rule="FD405",
        subject="sudo",
        who="M. Ek",
        why="sudo without password on these hosts",
        until=date(2026, 12, 31),
        package=DIGEST,
    )
    return model.build(
        "rehearsal", Reading(), facts(), timelines=[timeline(1), timeline(2)], window=window(), case="relayd-4.2.0",
        production="relayd at the order desk", zone="Europe/Berlin", waivers=[waiver], made=datetime(2026, 11, 20, 15, 4, tzinfo=UTC),
    )  # fmt: skip
