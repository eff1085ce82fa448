"""Registered before it is created; removed; its absence seen by a question that would have shown it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import pwd
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from fulldress.cleanup import Ledger, Thing, clean
from fulldress.engine import Engine, Journal
from fulldress.engine.venues.local import Local
from fulldress.engine.venues.postgres import Postgres
from fulldress.errors import ChainBroken, FulldressError, UsageError
from fulldress.facts import Credential as CredentialFact
from fulldress.facts import Evidence, Flag, Witness
from fulldress.facts import Webhook as WebhookFact
from fulldress.findings import Outcome
from fulldress.runbook.steps import (
    AnyStep,
    Credential,
    FlagStep,
    Header,
    Migrate,
    Probe,
    ProbeStep,
    Runbook,
    Snapshot,
    Webhook,
)

USER = pwd.getpwuid(os.geteuid()).pw_name
TARGET = "http://relay.example/events"


def venue(folder: Path, database: Postgres | None = None) -> Local:
    return Local("here", folder=folder, databases={"main": database} if database else {})


def engine(where: Local, journal: Journal, ledger: Ledger | None, *steps: AnyStep, **entries: bytes) -> Engine:
    book = Runbook(runbook=Header(product="p", version="2", package="0" * 64), step=steps)
    return Engine(book, where, journal, entries=lambda sha256: entries[sha256], register=ledger)


def states(ledger: Ledger) -> dict[str, str]:
    return {thing.name: thing.state for thing in ledger.things()}


def test_flag(tmp_path: Path) -> None:
    store = tmp_path / "flags.json"
    store.write_text('{"other": true}')
    where = venue(tmp_path)
    with Ledger(tmp_path / "ledger.db") as ledger, Journal(tmp_path / "j.db") as journal:
        step = FlagStep(name="f", store=str(store), flag="hybrid", owner="desk", expires="2026-12-31")
        assert engine(where, journal, ledger, step).run().outcome is Outcome.PASS
        assert json.loads(store.read_text()) == {"other": True, "hybrid": True}
        assert states(ledger) == {"hybrid": "created"}
        (removal,) = clean(ledger, where)
        assert (removal.outcome, states(ledger)) == (Outcome.PASS, {"hybrid": "gone"})
        assert json.loads(store.read_text()) == {"other": True}
        assert list(clean(ledger, where)) == []


def test_a_flag_whose_file_is_away_is_not_gone(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.intend(kind="flag", name="f", where=str(tmp_path / "no"), owner="", expires="", step="", details={})
        (removal,) = clean(ledger, venue(tmp_path))
        assert (removal.outcome, states(ledger)) == (Outcome.UNKNOWN, {"f": "left"})


def test_webhook_from_step_to_clean(tmp_path: Path, registry: Any) -> None:
    where = venue(tmp_path)
    with Ledger(tmp_path / "ledger.db") as ledger, Journal(tmp_path / "j.db") as journal:
        run = engine(where, journal, ledger, Webhook(name="w", registry=registry.url, target=TARGET))
        assert run.run().outcome is Outcome.PASS
        assert TARGET in registry.hooks.values()
        (removal,) = clean(ledger, where)
        assert (removal.outcome, states(ledger)) == (Outcome.PASS, {TARGET: "gone"})
        assert registry.hooks == {"1": "http://somebody.example/else"}


@pytest.mark.parametrize(
    ("how", "outcome", "words"),
    [("stubborn", Outcome.FAIL, "still listed"), ("blind", Outcome.UNKNOWN, "nothing would prove")],
)
def test_a_webhook_whose_absence_was_not_seen_is_not_gone(
    tmp_path: Path, registry: Any, how: str, outcome: Outcome, words: str
) -> None:
    registry.hooks["9"] = TARGET
    setattr(registry, how, True)
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.intend(kind="webhook", name=TARGET, where=registry.url, owner="", expires="", step="", details={})
        (removal,) = clean(ledger, venue(tmp_path))
        assert removal.outcome is outcome
        assert words in removal.words
        assert states(ledger) == {TARGET: "left"}


def test_a_webhook_cut_off_after_it_was_registered_is_not_registered_twice(tmp_path: Path, registry: Any) -> None:
    with Journal(tmp_path / "j.db") as journal:
        run = engine(venue(tmp_path), journal, None, Webhook(name="w", registry=registry.url, target=TARGET))
        journal.begin(run.frozen, "here")
        journal.intent("w", "nobody")
        registry.hooks["5"] = TARGET  # the act went through, the runner died before it could say so
        assert run.run().outcome is Outcome.PASS
        assert registry.posts == 0
        assert run.rollback().outcome is Outcome.PASS
    assert TARGET not in registry.hooks.values()


def test_role_with_grants_and_a_live_session(tmp_path: Path, database: Postgres) -> None:
    database.execute("CREATE TABLE t (a int)", name="t", step="t")
    where, role = venue(tmp_path, database), f"temp_{os.getpid()}"
    with Ledger(tmp_path / "ledger.db") as ledger, Journal(tmp_path / "j.db") as journal:
        step = Credential(name="r", database="main", role=role, grants=("SELECT ON t",), expires="2026-12-31")
        outcome = engine(where, journal, ledger, step).run()
        assert outcome.outcome is Outcome.PASS, outcome.why
        place = journal.folder / "password-of-r"
        assert place.stat().st_mode & 0o777 == 0o600
        (thing,) = ledger.things()
        assert thing.expires == datetime(2026, 12, 31, tzinfo=UTC)

        async def hold_a_session_while_it_is_removed() -> list[Any]:
            address = database.url.replace("postgres@", f"{role}:{place.read_text().strip()}@")
            line = await asyncpg.connect(address)
            assert await line.fetchval("SELECT count(*) FROM t") == 0
            found = await asyncio.to_thread(lambda: list(clean(ledger, where)))
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
                await line.fetchval("SELECT 1")
            return found

        (removal,) = asyncio.run(hold_a_session_while_it_is_removed())
        assert removal.outcome is Outcome.PASS, removal.words
        assert states(ledger) == {role: "gone"}
    assert where.query("main", f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'") == []


def test_what_nobody_can_revoke_says_when_it_ends(tmp_path: Path) -> None:
    later, past = datetime.now(UTC) + timedelta(days=1), datetime.now(UTC) - timedelta(days=1)
    with Ledger(tmp_path / "ledger.db") as ledger:
        for name, ends in (("later", later.isoformat()), ("past", past.isoformat()), ("never", "")):
            ledger.intend(kind="token", name=name, where="issuer", owner="", expires=ends, step="", details={})
        found = {r.thing.name: r for r in clean(ledger, venue(tmp_path))}
        assert {name: r.outcome for name, r in found.items()} == {
            "later": Outcome.UNKNOWN,
            "past": Outcome.PASS,
            "never": Outcome.FAIL,
        }
        assert found["later"].words == f"cannot be revoked, expires at {later:%Y-%m-%d %H:%M}Z"
        assert states(ledger) == {"later": "irrevocable", "past": "irrevocable", "never": "left"}


def test_entered_before_it_exists(tmp_path: Path) -> None:
    """The registry refuses; the entry is there all the same, so that a crash could not have hidden the thing."""
    with Ledger(tmp_path / "ledger.db") as ledger, Journal(tmp_path / "j.db") as journal:
        step = Webhook(name="w", registry="http://127.0.0.1:9/webhooks", target=TARGET)
        engine(venue(tmp_path), journal, ledger, step).run()
        assert next(entry.kind for entry in ledger.chain.entries()) == "intended"


def test_adopt_what_a_rehearsal_saw(tmp_path: Path) -> None:
    seen = {"witness": Witness.OBSERVED, "evidence": Evidence(source="run:1")}
    facts = [
        Flag(name="f", store="/var/flags.json", **seen),  # type: ignore[arg-type]
        WebhookFact(target=TARGET, registry="http://r.example/w", **seen),  # type: ignore[arg-type]
        CredentialFact(kind="role", name="relay", **seen),  # type: ignore[arg-type]
    ]
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert len(ledger.adopt(facts)) == len(ledger.adopt(facts)) == 3
        assert {(t.kind, t.where) for t in ledger.things()} == {
            ("flag", "/var/flags.json"),
            ("webhook", "http://r.example/w"),
            ("role", ""),
        }


def test_tampering_shows_and_bad_dates_are_told(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        with pytest.raises(UsageError, match="is no date"):
            ledger.intend(kind="flag", name="f", where="w", owner="", expires="soon", step="", details={})
        ledger.intend(kind="flag", name="f", where="w", owner="", expires="", step="", details={})
        ledger.chain._connection.executescript("DROP TRIGGER entries_keep; UPDATE entries SET data = '{}'")
        with pytest.raises(ChainBroken, match="entry 1"):
            ledger.chain.verify()


def test_overdue() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    thing = Thing(kind="flag", name="f", where="w", entered=now, expires=now - timedelta(days=1))
    assert thing.overdue(now)
    assert not thing.overdue(now - timedelta(days=2))


def test_snapshot_of_a_database_brings_back_what_no_down_script_does(tmp_path: Path, database: Postgres) -> None:
    database.execute("CREATE TABLE t AS SELECT g, 'ref ' || g AS ref FROM generate_series(1, 50) g", name="t", step="t")
    up, bad = b"ALTER TABLE t DROP COLUMN ref;\n", b"CREATE TABLE n (a int);\nSELECT broken;\n"
    entries = {hashlib.sha256(text).hexdigest(): text for text in (up, bad)}
    (first, second) = entries
    steps: tuple[AnyStep, ...] = (
        Snapshot(name="keep it", databases=("main",)),
        Migrate(name="m", database="main", ups=(first,)),
        Migrate(name="bad", database="main", ups=(second,)),
    )
    with Journal(tmp_path / "j.db") as journal:
        outcome = engine(venue(tmp_path, database), journal, None, *steps, **entries).run()
    assert (outcome.outcome, outcome.rollback, outcome.stopped_at) == (Outcome.FAIL, Outcome.PASS, "bad"), outcome.why
    assert 'column "broken" does not exist' in outcome.why
    assert database.query("SELECT count(ref) AS n FROM t") == [{"n": 50}]
    assert database.query("SELECT to_regclass('n') AS n") == [{"n": None}]


def test_probes_of_a_database(tmp_path: Path, database: Postgres) -> None:
    def ask(probe: Probe) -> Outcome:
        with Journal(tmp_path / f"{abs(hash(probe.query))}.db") as journal:
            run = engine(venue(tmp_path, database), journal, None, ProbeStep(name="q", verify=(probe,)))
            run.roll_back = False
            return run.run().outcome

    assert ask(Probe(database="main", query="SELECT 1 + 1", equals="2")) is Outcome.PASS
    assert ask(Probe(database="main", query="SELECT 1 + 2", equals="2")) is Outcome.FAIL
    assert ask(Probe(database="main", query="SELECT nonsense", equals="2")) is Outcome.UNKNOWN


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    away = Postgres("postgresql://somebody:secret@127.0.0.1:9/x", folder=tmp_path)
    with pytest.raises(FulldressError) as raised:
        away.query("SELECT 1")
    assert "cannot be reached" in str(raised.value)
    assert "secret" not in str(raised.value)
