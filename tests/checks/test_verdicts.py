"""Gaps, claims and settling: what a verdict rests on beside the rules themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from fulldress import checks
from fulldress.facts import (
    AnyFact,
    Difference,
    Downtime,
    Endpoint,
    Evidence,
    JobRun,
    Reboot,
    Restart,
    Setting,
    SettingChange,
    Timing,
    UpgradePath,
    Witness,
)
from fulldress.findings import Outcome, judge
from fulldress.runbook.steps import Schedule, Snapshot

CASES = Path(__file__).parent / "cases"
NO_PLACE = Evidence()
START = datetime(2026, 11, 20, 1, tzinfo=UTC)


def facts_of(name: str) -> list[AnyFact]:
    return msgspec.convert(json.loads((CASES / f"{name}.json").read_text())["facts"], list[AnyFact])


def timing(act: str, step: str = "", outcome: str = "ok") -> Timing:
    return Timing(
        witness=Witness.OBSERVED, evidence=Evidence(source="run:1"), act=act, run=1, started=START,
        duration=timedelta(seconds=5), step=step, outcome=outcome,
    )  # fmt: skip


DISABLE = Schedule(
    name="disable-relayd-import", target="/etc/cron.d/relayd-import", settles=("FD301 etc/cron.d/relayd-import",)
)


def settled(steps: list[Schedule | Snapshot], observed: list[AnyFact], case: str = "FD301/retired-host") -> str:
    findings = checks.judge(facts_of(case))
    rule = case.split("/")[0]
    return next(f.settled_by for f in checks.settle(findings, steps, observed) if f.rule == rule)


def test_settled_by_a_rehearsed_step() -> None:
    assert settled([DISABLE], [timing("upgrade", DISABLE.name)]) == DISABLE.name


def test_not_settled_without_a_rehearsal() -> None:
    assert settled([DISABLE], []) == ""


def test_not_settled_when_the_step_failed_in_one_run() -> None:
    observed: list[AnyFact] = [timing("upgrade", DISABLE.name), timing("upgrade", DISABLE.name, "failed")]
    assert settled([DISABLE], observed) == ""


def test_not_settled_by_a_step_that_does_not_name_it() -> None:
    other = msgspec.structs.replace(DISABLE, settles=("FD301 etc/cron.d/another",))
    assert settled([other], [timing("upgrade", DISABLE.name)]) == ""


def test_not_settled_when_the_job_ran_all_the_same() -> None:
    ran = JobRun(
        witness=Witness.OBSERVED,
        evidence=NO_PLACE,
        schedule="relayd-import",
        due=START,
        exit_code=1,
        duration=timedelta(1),
    )
    assert settled([DISABLE], [timing("upgrade", DISABLE.name), ran]) == ""


KEEP = Snapshot(name="keep-before-upgrade", databases=("main",), settles=("FD204 *",))


def test_an_empty_rollback_script_is_settled_by_a_proven_way_back() -> None:
    same = Difference(witness=Witness.OBSERVED, evidence=NO_PLACE, object="orders", kind="none")
    ran: list[AnyFact] = [timing("upgrade", KEEP.name), timing("rollback"), same]
    assert settled([KEEP], ran, "FD204/empty-down") == KEEP.name


def test_but_not_when_rows_differ_or_nobody_looked() -> None:
    lost = Difference(witness=Witness.OBSERVED, evidence=NO_PLACE, object="orders", kind="rows lost", rows=3)
    assert settled([KEEP], [timing("upgrade", KEEP.name), timing("rollback"), lost], "FD204/empty-down") == ""
    assert settled([KEEP], [timing("upgrade", KEEP.name)], "FD204/empty-down") == ""


def running_setting() -> Setting:
    return Setting(witness=Witness.RUNNING, evidence=NO_PLACE, component="x", key="a", value="1")


def test_endpoints_that_production_is_silent_on_make_the_verdict_unknown() -> None:
    called = Endpoint(witness=Witness.READ, evidence=NO_PLACE, scheme="sftp", host="a.example")
    facts: list[AnyFact] = [called, running_setting()]
    gaps = checks.gaps(facts)
    assert [g.what for g in gaps] == ["whether a.example may be called"]
    assert judge(checks.judge(facts), gaps).outcome is Outcome.UNKNOWN


def test_units_changes_and_paths_without_data_are_gaps() -> None:
    restart = Restart(witness=Witness.READ, evidence=NO_PLACE, unit="x", action="restart")
    path = UpgradePath(witness=Witness.RUNNING, evidence=NO_PLACE, component="x", start="1", target="2", possible=None)
    assert all(g.needed for g in checks.gaps([restart, path]))
    assert len(checks.gaps([restart, path])) == 2
    change = SettingChange(
        witness=Witness.DECLARED, evidence=NO_PLACE, component="x", key="a", version="2", kind="removed"
    )
    assert len(checks.gaps([change, path])) == 2


def test_without_production_nothing_is_missing_from_it() -> None:
    called = Endpoint(witness=Witness.READ, evidence=NO_PLACE, scheme="sftp", host="a.example")
    assert checks.gaps([called]) == []


def test_claims_put_the_gravest_first_and_mark_disagreement() -> None:
    facts: list[AnyFact] = [
        *facts_of("FD301/retired-host"),
        Reboot(witness=Witness.DECLARED, evidence=NO_PLACE, claim="recommended"),
        Reboot(witness=Witness.READ, evidence=Evidence(path="scripts/post.sh", line=41), claim="performed"),
        Downtime(witness=Witness.DECLARED, evidence=NO_PLACE, duration=timedelta(minutes=5)),
        Downtime(witness=Witness.OBSERVED, evidence=NO_PLACE, duration=timedelta(minutes=4)),
    ]
    table = checks.claims(facts, checks.judge(facts))
    by_name = {claim.name: claim for claim in table}
    assert table[0].name in ("keeps running afterwards", "calls out to")
    assert by_name["reboot"].disagrees
    assert by_name["reboot"].declared.says == "recommended"
    assert by_name["reboot"].read.says == "yes"
    assert by_name["reboot"].read.testimony[0].evidence.line == 41
    assert not by_name["downtime"].disagrees
    ranks = [claim.severity.rank if claim.severity else 9 for claim in table]
    assert ranks == sorted(ranks)


def test_operations_are_the_same_whatever_their_parameters_are_called() -> None:
    from fulldress.checks.index import same_operation

    assert same_operation("GET /orders/{id}", "GET /orders/{order}")
    assert same_operation("GET /orders/:id", "get /orders/17?x=1")
    assert same_operation("* /v1/ping", "POST /v1/ping/")
    assert not same_operation("GET /orders/{id}", "GET /orders")
    assert not same_operation("GET /orders/{id}", "PUT /orders/{id}")
    assert not same_operation("GET /orders/export", "GET /orders/{id}"), "a template does not prove a call of this one"
