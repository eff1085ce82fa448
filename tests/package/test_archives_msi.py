"""MSI packages. ``made/agent.msi`` is our own: built with msitools' wixl, two actions put in with msibuild."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulldress.errors import PackageUnreadable
from fulldress.facts import AnyFact, Endpoint, FileEffect, Reboot, Release, Restart, Secret
from fulldress.package import read
from fulldress.package.reader import Options
from fulldress.package.walk import Budget, Opened

MADE = Path(__file__).parent / "made" / "agent.msi"


@pytest.fixture(scope="module")
def facts() -> list[AnyFact]:
    return read(MADE).facts


def test_files_have_the_names_that_they_get() -> None:
    with Opened(MADE, Budget(), Options()) as package:
        members = dict(package.members)
        assert package.unread == []
    assert members["ProgramFiles/Acme Agent/app.conf"].data.startswith(b"port=8080\n")
    assert members["ProgramFiles/Acme Agent/agent.exe"].size == 5002
    assert {".product", ".installer.cmd", ".actions/RunPost.vbs", ".tables/ServiceControl.idt"} <= set(members)


def test_what_it_is(facts: list[AnyFact]) -> None:
    (release,) = [fact for fact in facts if isinstance(fact, Release)]
    assert (release.product, release.version, release.vendor) == ("Acme Agent", "4.2.0", "Acme Inc")
    assert release.upgrades_from == ">= 1.0.0, < 4.2.0"


def test_it_reboots_by_its_sequence_its_property_and_its_script(facts: list[AnyFact]) -> None:
    reboots = [(fact.claim, fact.evidence.excerpt) for fact in facts if isinstance(fact, Reboot)]
    assert reboots == [("required", "ScheduleReboot"), ("required", "REBOOT=Force"), ("performed", "shutdown /r /t 60")]


def test_services_in_the_order_of_the_sequence(facts: list[AnyFact]) -> None:
    own = [f for f in facts if isinstance(f, Restart) and f.evidence.path == ".installer.cmd"]
    assert [(f.unit, f.action) for f in own] == [
        ("AcmeAgent", "stop"), ("Spooler", "stop"), ("AcmeAgent", "create"), ("AcmeAgent", "start")
    ]  # fmt: skip


def test_what_it_writes_deletes_and_calls(facts: list[AnyFact]) -> None:
    effects = [(f.action, f.path) for f in facts if isinstance(f, FileEffect)]
    assert effects == [("change", "HKLM\\Software\\Acme\\Agent\\Server"), ("delete", "%ProgramData%\\Acme\\data")]
    hosts = {f.host for f in facts if isinstance(f, Endpoint)}
    assert hosts == {"updates.vendor.example", "cfg.vendor.example", "old-db.vendor.example"}


def test_a_password_of_a_property_is_a_secret_and_masked(facts: list[AnyFact]) -> None:
    assert [f.name for f in facts if isinstance(f, Secret)] == ["DBPASSWORD"]
    assert "hunter2secret" not in repr(facts)


@given(st.integers(0, MADE.stat().st_size - 1), st.binary(min_size=1, max_size=24))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_never_raises_another_error(tmp_path: Path, at: int, noise: bytes) -> None:
    data = bytearray(MADE.read_bytes())
    data[at : at + len(noise)] = noise
    (tmp_path / "p.msi").write_bytes(data)
    try:
        with Opened(tmp_path / "p.msi", Budget(), Options()):
            pass
    except PackageUnreadable:
        pass


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_cut_off_is_said(tmp_path: Path, kept: float) -> None:
    data = MADE.read_bytes()
    (tmp_path / "p.msi").write_bytes(data[: int(len(data) * kept)])
    try:
        with Opened(tmp_path / "p.msi", Budget(), Options()) as package:
            assert any(gap.needed for gap in package.unread)
    except PackageUnreadable:
        pass
