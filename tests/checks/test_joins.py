"""One thing is one finding, whoever tells of it; and what is no call, no row or no rename is none."""

from __future__ import annotations

from fulldress import checks
from fulldress.facts import (
    AnyFact,
    Difference,
    Endpoint,
    Evidence,
    Privilege,
    Restart,
    Runners,
    Schedule,
    Service,
    Webhook,
    Witness,
)
from fulldress.findings import Finding, Severity
from fulldress.runbook import remedies
from fulldress.runbook.steps import Migrate

STAGE = Evidence(source="run:stage", step="upgrade")


def found(rule: str, *facts: AnyFact) -> list[Finding]:
    return [finding for finding in checks.judge(facts) if finding.rule == rule]


def endpoint(
    host: str, witness: Witness = Witness.READ, path: str = "bin/import", line: int = 3, **more: str
) -> Endpoint:
    return Endpoint(witness=witness, evidence=Evidence(path=path, line=line), scheme="http", host=host, **more)


def job(path: str, line: int, installed_by: str = "", target: str = "/etc/cron.d/relayd-import") -> Schedule:
    return Schedule(
        witness=Witness.READ, evidence=Evidence(path=path, line=line), name="relayd-import", mechanism="cron.d",
        expression="0 3 * * *", command="/opt/relayd/bin/import", script="bin/import", target=target,
        installed_by=installed_by,
    )  # fmt: skip


def test_a_job_that_is_shipped_and_installed_is_one_job() -> None:
    shipped, installed = job("etc/cron.d/relayd-import", 3), job("scripts/up.sh", 12, "scripts/up.sh")
    nowhere = job("payload/relayd-import", 3, target="")
    retired = endpoint("old.example", Witness.RUNNING, "production.toml", policy="retired")
    for tellers in ((shipped, installed), (installed, shipped), (installed, nowhere)):
        facts: list[AnyFact] = [*tellers, retired, endpoint("old.example")]
        for rule in ("FD301", "FD309"):
            (finding,) = found(rule, *facts)
            places = {testimony.evidence.path for testimony in finding.testimony}
            assert {teller.evidence.path for teller in tellers} <= places, "both have their say"


def test_two_jobs_of_one_file_stay_two() -> None:
    other = Schedule(
        witness=Witness.READ, evidence=Evidence(path="etc/cron.d/relayd-import", line=4), name="relayd-import",
        mechanism="cron.d", expression="30 4 * * *", command="/opt/relayd/bin/import --full",
        target="/etc/cron.d/relayd-import",
    )  # fmt: skip
    assert len(found("FD309", job("etc/cron.d/relayd-import", 3), other)) == 2


def test_a_right_that_was_read_and_observed_is_one_finding() -> None:
    read = Privilege(
        witness=Witness.READ, evidence=Evidence(path="up.sh", line=8), how="setuid", command="chmod u+s /opt/x/agent"
    )
    seen = Privilege(witness=Witness.OBSERVED, evidence=STAGE, how="setuid", command="/opt/x/agent")
    (finding,) = found("FD406", read, seen)
    assert {testimony.witness for testimony in finding.testimony} == {Witness.READ, Witness.OBSERVED}


def test_a_database_for_which_the_clone_stood_in_is_known() -> None:
    listed = endpoint("hooks.example", Witness.RUNNING, "production.toml", policy="stub")
    led = endpoint("db.internal", Witness.OBSERVED, "", outcome="led to the clone")
    assert found("FD303", listed, led) == []
    assert [f.subject for f in found("FD303", listed, led, endpoint("else.example"))] == ["else.example"]


def test_the_target_of_a_webhook_is_not_called_by_the_package() -> None:
    listed = endpoint("hooks.example", Witness.RUNNING, "production.toml", policy="stub")
    hook = Webhook(
        witness=Witness.READ, evidence=Evidence(path="up.sh", line=9), target="http://me.example/cb",
        registry="http://hooks.example/hooks",
    )  # fmt: skip
    assert found("FD303", listed, hook, endpoint("me.example", path="up.sh", line=9)) == []
    assert found("FD303", listed, hook, endpoint("me.example", path="up.sh", line=20)), "but here it is"


def difference(name: str, kind: str, **more: object) -> Difference:
    return Difference(witness=Witness.OBSERVED, evidence=STAGE, object=name, kind=kind, **more)  # type: ignore[arg-type]


def test_left_overs_of_the_schema_are_one_finding_and_no_blocker() -> None:
    facts = [
        difference("orders", "column lost", rows=240_000, columns=("legacy_ref",)),
        difference("column orders.legacy_ref", "schema"),
        difference("index public.orders_customer_placed", "schema"),
        difference("table public.outbox", "schema"),
        difference("outbox_id_seq", "sequence"),
        difference("customers", "none", rows=6000),
    ]
    rows, rest = found("FD209", *facts)
    assert (rows.subject, rows.severity) == ("orders", Severity.BLOCKER)
    assert (rest.subject, rest.severity) == ("schema", Severity.MAJOR)
    assert len(rest.testimony) == 3
    assert len(rows.testimony) == 2, "the column is told of with its table"


def test_two_runners_that_collide_offer_a_lock_to_every_drafted_migration() -> None:
    def runners(outcome: str, detail: str) -> Runners:
        return Runners(witness=Witness.OBSERVED, evidence=STAGE, migration="sql/", outcome=outcome, detail=detail)

    (failed,) = found("FD207", runners("one failed", "no migration lock; column exists already"))
    assert failed.severity is Severity.MAJOR
    (doubled,) = found("FD207", runners("both ran", "no migration lock; against one alone: orders: rows added 3"))
    assert doubled.severity is Severity.BLOCKER
    assert found("FD207", runners("serialised", "waited"), runners("unknown", "")) == []

    drafted = [
        Migrate(name="migrate-0001", database="main", ups=("a",), settles=("FD210 x",), why="the vendor's"),
        Migrate(name="migrate-0002", database="main", ups=("b",), lock_timeout=1.0),
    ]
    steps = remedies.add(drafted, [failed], databases=("main",), schedules=(), root=None)
    assert [step.name for step in steps] == ["migrate-0001", "migrate-0002"], "it is no step of its own"
    assert all(isinstance(s, Migrate) and (s.advisory_lock, s.lock_timeout) == (4200, 5.0) for s in steps)
    assert steps[0].settles == ("FD210 x", "FD207 sql/")
    assert (steps[0].why, steps[0].phase) == ("the vendor's", drafted[0].phase)
    assert remedies.add([], [failed], databases=(), schedules=(), root=None) == []


def renamed(*units: Service) -> Finding:
    gone = Restart(
        witness=Witness.READ, evidence=Evidence(path="post.sh", line=5), unit="relayd-bridge", action="restart"
    )
    (finding,) = found("FD402", gone, *units)
    return finding


def unit(name: str, says: str = "", witness: Witness = Witness.RUNNING) -> Service:
    return Service(witness=witness, evidence=Evidence(path="x", excerpt=says), unit=name)


def test_the_heir_of_a_unit() -> None:
    alone = renamed(unit("relayd-relay"), unit("nginx"))
    assert alone.offers is not None
    assert "probably relayd-relay" in alone.remedy

    speaking = renamed(
        unit("relayd-bride"), unit("outbox", "Description=Outbox; # was relayd-bridge", Witness.READ), unit("nginx")
    )
    assert "probably outbox" in speaking.remedy, "one that mentions the old name comes before one that looks alike"

    several = renamed(unit("relayd-fridge"), unit("relayd-bridges"), unit("nginx"))
    assert "relayd-bridges" in several.remedy
    assert "relayd-fridge" in several.remedy
    assert several.offers is None

    assert renamed(unit("nginx")).offers is None
