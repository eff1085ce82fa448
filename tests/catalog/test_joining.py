"""Package × production × records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from fulldress.catalog.joining import join
from fulldress.catalog.records import Change, Compat, Edge, Record, Release, Stop
from fulldress.facts import (
    AnyFact,
    Compatibility,
    Evidence,
    Installed,
    Interface,
    InterfaceChange,
    Looseness,
    Requirement,
    Running,
    Setting,
    SettingChange,
    Unread,
    UpgradePath,
    Use,
    Witness,
)
from fulldress.facts import Release as Claimed

E = Evidence(path="manifest.json", line=3)
RELEASE = Claimed(
    witness=Witness.DECLARED, evidence=E, product="hub", version="3.0", aspect="manifest", upgrades_from=">=1"
)
RUNS = Running(
    witness=Witness.RUNNING, evidence=Evidence(path="hosts.csv"), component="hub", version="1.0", scheme="dotted"
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def shipped(key: str, value: str) -> Setting:
    return Setting(
        witness=Witness.READ,
        evidence=Evidence(path="etc/hub.conf"),
        component="hub",
        key=key,
        value=value,
        file="etc/hub.conf",
    )


def interface(operation: str, *shape: str) -> Interface:
    return Interface(
        witness=Witness.READ, evidence=Evidence(path="api.yaml"), kind="openapi", operation=operation, shape=shape
    )


def use(operation: str) -> Use:
    return Use(
        witness=Witness.RUNNING,
        evidence=Evidence(path="logs"),
        operation=operation,
        calls=9,
        per_day=9,
        clients=("x",),
        first=NOW,
        last=NOW,
    )


def one(family: type[AnyFact], facts: Iterable[AnyFact]) -> list[AnyFact]:
    return [fact for fact in facts if isinstance(fact, family)]


def test_path_from_what_runs_not_from_what_is_installed() -> None:
    installed = Installed(witness=Witness.RUNNING, evidence=E, component="hub", version="2.0", scheme="dotted")
    records: list[Record] = [
        Release(component="hub", versions=("1.0", "2.0", "3.0")),
        Stop(component="hub", version="2.0"),
    ]
    (path,) = one(UpgradePath, join([RELEASE], [installed, RUNS], records))
    assert isinstance(path, UpgradePath)
    assert (path.start, path.possible, path.steps, path.required) == ("1.0", True, ("hub 2.0", "hub 3.0"), ("hub 2.0",))
    (path,) = one(UpgradePath, join([RELEASE], [installed], records))
    assert isinstance(path, UpgradePath)
    assert (path.start, path.steps) == ("2.0", ("hub 3.0",))


def test_missing_data_is_unknown() -> None:
    (path,) = one(UpgradePath, join([RELEASE], [], []))
    assert isinstance(path, UpgradePath)
    assert path.possible is None
    silent = Claimed(witness=Witness.DECLARED, evidence=E, product="hub", version="3.0", aspect="manifest")
    (path,) = one(UpgradePath, join([silent], [RUNS], []))
    assert isinstance(path, UpgradePath)
    assert path.possible is None
    assert "no data on the way of hub" in path.unknown[0]


def test_the_manifest_speaks_as_an_edge() -> None:
    strict = Claimed(
        witness=Witness.DECLARED, evidence=E, product="hub", version="3.0", aspect="manifest", upgrades_from=">=2"
    )
    (path,) = one(UpgradePath, join([strict], [RUNS], [Release(component="hub", versions=("1.0", "2.5"))]))
    assert isinstance(path, UpgradePath)
    assert path.steps == ("hub 2.5", "hub 3.0")
    (path,) = one(UpgradePath, join([strict], [RUNS], []))
    assert isinstance(path, UpgradePath)
    assert path.possible is False
    assert path.blocked_by == ("hub 3.0 upgrades only from >=2 (manifest.json:3, the package's manifest)",)


def test_one_way_and_compatibility() -> None:
    db = Installed(witness=Witness.RUNNING, evidence=E, component="db", version="15.5-0+deb12u1", scheme="deb")
    records: list[Record] = [
        Compat(left="hub >=2", right="db 14"),
        Edge(component="hub", from_=">=2", to="<2", allow=False, reason="no return"),
    ]
    facts = join([RELEASE], [RUNS, db], records)
    (pair,) = one(Compatibility, facts)
    assert isinstance(pair, Compatibility)
    assert (pair.left, pair.right, pair.level) == ("hub 3.0", "db 15.5", "broken")
    (path,) = one(UpgradePath, facts)
    assert isinstance(path, UpgradePath)
    assert path.possible is False


def test_loose_requirements_without_a_matrix_are_unknown() -> None:
    loose = Requirement(
        witness=Witness.DECLARED, evidence=E, component="relay", constraint="latest", looseness=Looseness.FLOATING
    )
    relay = Running(witness=Witness.RUNNING, evidence=E, component="relay", version="2", scheme="dotted")
    (pair,) = one(Compatibility, join([RELEASE, loose], [RUNS, relay], []))
    assert isinstance(pair, Compatibility)
    assert pair.level == "unknown"


def test_fates_from_defaults_records_and_the_vendor_once_each() -> None:
    old = [shipped("size", "16"), shipped("bridge", "on"), shipped("same", "1"), shipped("said", "1")]
    said = SettingChange(
        witness=Witness.DECLARED,
        evidence=E,
        component="hub",
        key="said",
        version="3.0",
        kind="default-changed",
        old="1",
        new="2",
    )
    new = [RELEASE, shipped("size", "4"), shipped("same", "1"), shipped("fresh", "x"), shipped("said", "2"), said]
    records: list[Record] = [
        Change(component="hub", at="2.0", key="flag", fate="required", must_be="true"),
        Change(component="hub", at="0.9", key="ancient", fate="removed"),
        Change(component="hub", at="4.0", key="future", fate="removed"),
    ]
    found = {
        (c.key, c.kind, c.old, c.new)
        for c in one(SettingChange, join(new, [RUNS], records, old))
        if isinstance(c, SettingChange)
    }
    assert found == {
        ("size", "default-changed", "16", "4"),
        ("bridge", "removed", "on", ""),
        ("fresh", "added", "", "x"),
        ("flag", "required", "", ""),
    }


def test_unknown_old_defaults_are_said() -> None:
    (gap,) = one(Unread, join([RELEASE, shipped("size", "4")], [RUNS], []))
    assert isinstance(gap, Unread)
    assert "--against" in gap.detail


def test_interfaces() -> None:
    new = [RELEASE, interface("GET /a/{x}", "200", "200:n?=integer", "query:q=string"), interface("GET /new")]
    old = [interface("GET /a/{id}", "200", "200:n?=integer", "200:m?=string"), interface("GET /gone")]
    found = {
        (c.operation, c.kind)
        for c in one(InterfaceChange, join(new, [RUNS], [], old))
        if isinstance(c, InterfaceChange)
    }
    assert found == {("GET /a/{x}", "narrowed"), ("GET /gone", "removed"), ("GET /new", "added")}
    (gap,) = one(Unread, join(new, [RUNS, use("POST /a/{id}"), use("GET /a/{id}"), use("GET /static/x")], []))
    assert isinstance(gap, Unread)
    assert gap.what == "what becomes of POST /a/{id}"
