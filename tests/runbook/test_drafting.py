"""The draft: the vendor's order from manifest, README and names; offered remedies where they belong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fulldress.errors import RunbookError, RunbookInvalid
from fulldress.facts import AnyFact, Entry, Evidence, Migration, Reboot, Release, Schedule, Service, Witness
from fulldress.findings import Finding, Severity
from fulldress.production import description as d
from fulldress.runbook import draft, procedure
from fulldress.runbook.steps import Migrate, Person, Runbook, Script, Setting
from fulldress.runbook.steps import Schedule as ScheduleStep
from fulldress.runbook.steps import Snapshot as SnapshotStep

FILES = {
    "manifest.json": (
        "json",
        b'{"install": ["scripts/b-first.sh", "scripts/a-then.sh"], "rollback": "scripts/back.sh"}',
    ),
    "README.md": ("markdown", b"Run `scripts/b-first.sh`, apply `sql/` in order, then `scripts/a-then.sh`."),
    "scripts/a-then.sh": ("shell", b"echo then"),
    "scripts/b-first.sh": ("shell", b"echo first"),
    "scripts/back.sh": ("shell", b"echo back"),
    "scripts/lib.sh": ("shell", b"f() { :; }"),
    "opt/bin/install": ("shell", b"a program that is installed, not run"),
    "sql/0010_z.up.sql": ("sql", b"SELECT 10"),
    "sql/0009_y.up.sql": ("sql", b"SELECT 9"),
    "sql/0009_y.down.sql": ("sql", b"SELECT -9"),
}
PRODUCTION = d.Description(
    databases={"main": d.Database(url="postgresql:///x")},
    services={"app": d.Service(health="http://127.0.0.1:1/h"), "quiet": d.Service(), "busy": d.Service()},
    channels={"status": d.Channel(file="s")},
)


def _fact(path: str = "") -> dict[str, object]:
    return {"witness": Witness.READ, "evidence": Evidence(source="cd" * 32, path=path)}


def entry(path: str, kind: str, data: bytes) -> Entry:
    digest = hashlib.sha256(data).hexdigest()
    return Entry(path=path, kind=kind, size=len(data), sha256=digest, **_fact(path))  # type: ignore[arg-type]


def facts(files: dict[str, tuple[str, bytes]] = FILES) -> list[AnyFact]:
    ups = [p for p in files if p.endswith(".up.sql")]
    return [
        *(entry(path, kind, data) for path, (kind, data) in files.items()),
        Release(product="app", version="2.0", aspect="manifest", **_fact()),  # type: ignore[arg-type]
        *(
            Migration(
                name=p, path=p, counterpart=down if (down := p.replace(".up.", ".down.")) in files else "", **_fact(p)
            )  # type: ignore[arg-type]
            for p in ups
        ),
    ]


def order(files: dict[str, tuple[str, bytes]] = FILES) -> procedure.Procedure:
    data = {hashlib.sha256(raw).hexdigest(): raw for _, raw in files.values()}
    return procedure.read([f for f in facts(files) if isinstance(f, Entry)], data.__getitem__)


def names(book: Runbook) -> list[str]:
    return [step.name for step in book.step]


def finding(offers: dict[str, object], rule: str = "FD301", subject: str = "etc/cron.d/x") -> Finding:
    return Finding(
        rule=rule, severity=Severity.BLOCKER, title="it would run", subject=subject, remedy="", offers=offers
    )


def test_the_vendors_order() -> None:
    running: list[AnyFact] = [
        Service(unit="busy", state="active", witness=Witness.RUNNING, evidence=Evidence()),
        Service(unit="quiet", state="inactive", witness=Witness.RUNNING, evidence=Evidence()),
    ]
    book = draft(facts(), running, [], PRODUCTION, procedure=order(), package_name="app.zip")
    assert names(book) == [
        "notice-starting", "healthy-before", "b-first", "migrate-0009_y", "migrate-0010_z", "a-then", "healthy-after",
        "notice-completed",
    ]  # fmt: skip
    migrations = [step for step in book.step if isinstance(step, Migrate)]
    assert [bool(step.downs) for step in migrations] == [True, False]
    assert [s.undo_path for s in book.step if isinstance(s, Script)] == ["", "scripts/back.sh"]
    assert [p.http or p.service for p in book.step[-2].verify] == ["http://127.0.0.1:1/h", "busy"]
    assert (book.runbook.product, book.runbook.version, book.runbook.package) == ("app", "2.0", "cd" * 32)


def test_names_decide_without_a_manifest() -> None:
    files = {
        f"scripts/{name}": ("shell", name.encode())
        for name in ("post-install.sh", "pre_upgrade.sh", "upgrade.sh", "rollback.sh", "common.sh", "test.sh")
    }
    found = order(files)
    assert (found.pre, found.main, found.post) == (
        ("scripts/pre_upgrade.sh",), ("scripts/upgrade.sh",), ("scripts/post-install.sh",),
    )  # fmt: skip
    assert found.rollback == "scripts/rollback.sh"


def test_a_script_that_applies_the_sql_itself_is_not_helped() -> None:
    files = FILES | {"scripts/a-then.sh": ("shell", b'# first\nfor f in sql/*.up.sql; do psql -f "$f"; done\n')}
    book = draft(facts(files), [], [], PRODUCTION, procedure=order(files))
    assert not [step for step in book.step if isinstance(step, Migrate)]
    commented = FILES | {"scripts/a-then.sh": ("shell", b"# psql is not called\n")}
    assert [
        s
        for s in draft(facts(commented), [], [], PRODUCTION, procedure=order(commented)).step
        if isinstance(s, Migrate)
    ]


def test_remedies_go_where_they_belong() -> None:
    offers = [
        finding(
            {"kind": "snapshot", "name": "keep", "phase": "before", "paths": ["/a"], "databases": ["*"]}, "FD204", "s"
        ),
        finding({"kind": "snapshot", "name": "keep", "phase": "before", "paths": ["/b"]}, "FD901", "t"),
        finding({"kind": "schedule", "name": "off", "phase": "before", "target": "/etc/cron.d/x"}),
        finding({"kind": "service", "name": "up", "unit": "relay", "action": "start"}, "FD402", "relay"),
    ]
    job = Schedule(name="x", mechanism="cron.d", expression="* * * * *", command="c", target="/etc/cron.d/x",
                   installed_by="scripts/b-first.sh", **_fact())  # type: ignore[arg-type] # fmt: skip
    book = draft([*facts(), job], [], offers, PRODUCTION, procedure=order())
    assert names(book)[0] == "off"  # the job first of all
    first = book.step[0]
    assert isinstance(first, ScheduleStep)
    assert (first.after, first.settles, first.why) == ("b-first", ("FD301 etc/cron.d/x",), "it would run")
    kept = next(s for s in book.step if isinstance(s, SnapshotStep))
    assert (kept.paths, kept.databases, kept.settles) == (("/a", "/b"), ("main",), ("FD204 s", "FD901 t"))
    assert names(book).index("keep") < names(book).index("b-first")
    assert names(book).index("a-then") < names(book).index("up") < names(book).index("healthy-after")


def test_only_what_is_asked_for_is_taken_up() -> None:
    offers = [
        finding({"kind": "schedule", "name": f"off-{n}", "phase": "before", "target": f"/c/{n}"}, rule, n)
        for rule, n in (("FD301", "a"), ("FD301", "b"), ("FD309", "c"))
    ]
    for apply, expected in (
        (None, {"off-a", "off-b", "off-c"}),
        ([], set()),
        (["FD301"], {"off-a", "off-b"}),
        (["FD301 b"], {"off-b"}),
    ):
        book = draft(facts(), [], offers, PRODUCTION, procedure=order(), apply=apply)
        assert {n for n in names(book) if n.startswith("off")} == expected


def test_a_settings_file_is_found_on_the_host_or_asked_of_a_person(tmp_path: Path) -> None:
    (tmp_path / "etc" / "app").mkdir(parents=True)
    (tmp_path / "etc" / "app" / "app.conf").write_text("k = v\n")
    offer = finding(
        {"kind": "setting", "name": "set-k", "phase": "before", "file": "settings/app.conf", "key": "k", "value": "w"}
    )
    found = next(s for s in draft(facts(), [], [offer], PRODUCTION, root=tmp_path).step if s.name == "set-k")
    assert isinstance(found, Setting) and found.file == "/etc/app/app.conf"
    asked = next(s for s in draft(facts(), [], [offer], PRODUCTION).step if s.name == "set-k")
    assert isinstance(asked, Person) and "Set k to w in the host's app.conf" in asked.instruction


def test_a_reboot_is_a_persons_and_no_script_at_all_is_a_persons_too() -> None:
    reboot = Reboot(claim="recommended", **_fact("manifest.json"))  # type: ignore[arg-type]
    bare = [f for f in facts() if isinstance(f, Release)]
    book = draft([*bare, reboot], [], [], PRODUCTION)
    assert [s.name for s in book.step if isinstance(s, Person)] == ["install", "reboot"]


def test_errors() -> None:
    with pytest.raises(RunbookError, match="name no package"):
        draft([], [], [], PRODUCTION)
    with pytest.raises(RunbookInvalid, match="offered step 'bad'"):
        draft(facts(), [], [finding({"kind": "schedule", "name": "bad", "targett": "x"})], PRODUCTION)
