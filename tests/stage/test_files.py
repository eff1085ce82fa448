"""What scripts do to files, also odd things, is seen, attributed, and thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulldress.engine.venue import Venue
from fulldress.stage import Stage, StagePlan
from stage_shell import shell

pytestmark = pytest.mark.stage


def by_path(stage: Stage, step: str | None = None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for effect in stage.effects(step):
        found.setdefault(effect.path, []).append(effect.action)
    return found


def test_it_is_a_venue(stage: Stage) -> None:
    assert isinstance(stage, Venue)


def test_changes_are_seen_and_production_is_left_alone(stage: Stage, tree: Path) -> None:
    code, _ = shell(stage, "sed -i s/old/new/ /etc/app/app.conf; rm -r /opt/app; echo x > /etc/app/extra")
    assert code == 0
    assert by_path(stage) == {
        "/etc/app/app.conf": ["change"],
        "/etc/app/extra": ["create"],
        "/opt/app": ["delete"],
    }
    assert (tree / "etc/app/app.conf").read_text().startswith("mode = old")
    change = next(e for e in stage.effects() if e.action == "change")
    assert "-mode = old" in change.detail and "+mode = new" in change.detail
    assert change.before_sha256 != change.after_sha256


def test_secrets_in_differences_are_masked(stage: Stage) -> None:
    shell(
        stage, "echo 'api_token = abcdef0123456789abcdef' >> /etc/app/app.conf; echo 'root:$6$salt$hash' > /etc/shadow"
    )
    text = str(stage.effects())
    assert "hunter2" not in text and "abcdef0123456789" not in text and "$6$salt" not in text


def test_steps_own_what_they_touched(stage: Stage) -> None:
    shell(stage, "echo 1 > /etc/one", step="first")
    shell(stage, "echo 2 > /etc/two; echo 3 >> /etc/one", step="second")
    assert set(by_path(stage, "first")) == {"/etc/one"}
    assert set(by_path(stage, "second")) == {"/etc/one", "/etc/two"}
    assert next(e for e in stage.effects("first")).evidence.step == "second"


@pytest.mark.parametrize(
    ("script", "path", "actions"),
    [
        ("touch \"/etc/a\nb\"", "/etc/a\nb", ["create"]),
        ("printf x > /etc/$(printf '\\377\\376')", "/etc/\udcff\udcfe", ["create"]),
        ("rm /etc/app/app.conf; mkdir /etc/app/app.conf", "/etc/app/app.conf", ["change"]),
        ("rm -r /opt/app/bin; echo f > /opt/app/bin", "/opt/app/bin", ["change"]),
        ("ln -sf /etc/passwd /etc/app/app.conf", "/etc/app/app.conf", ["change"]),
        ("ln -s ../../../../../../etc/shadow /opt/app/way-out", "/opt/app/way-out", ["create"]),
        ("ln /etc/app/app.conf /etc/app/second", "/etc/app/second", ["create"]),
        ("chmod 0600 /etc/app/app.conf", "/etc/app/app.conf", ["mode"]),
        ("chmod u+s /opt/app/bin/app", "/opt/app/bin/app", ["mode"]),
        ("rm -rf /opt/app/bin; mkdir /opt/app/bin", "/opt/app/bin/app", ["delete"]),
        ("mkfifo /opt/app/pipe", "/opt/app/pipe", ["create"]),
        ("exec 3<> /etc/app/app.conf; exec 3>&-", "/etc/app/app.conf", []),
        ("cp /etc/app/app.conf /tmp/c; echo z >> /etc/app/app.conf; cat /tmp/c > /etc/app/app.conf", "/etc/app/app.conf", []),
        ("echo x > /etc/new; rm /etc/new", "/etc/new", []),
    ],
)  # fmt: skip
def test_odd_things(stage: Stage, script: str, path: str, actions: list[str]) -> None:
    code, output = shell(stage, script)
    assert code == 0, output
    assert by_path(stage).get(path, []) == actions


def test_owner_and_setuid_are_facts(stage: Stage) -> None:
    if stage.mode != "mapped":
        pytest.skip("owners are only seen on a root-launched stage")
    shell(stage, "chown 123:45 /etc/app/app.conf; cp /bin/true /opt/app/su; chmod 4755 /opt/app/su")
    assert by_path(stage)["/etc/app/app.conf"] == ["owner"]
    assert next(e.detail for e in stage.effects() if e.action == "owner") == "0:0 → 123:45"
    assert [f.command for f in stage.facts() if type(f).__name__ == "Privilege"] == ["/opt/app/su"]


def test_undo_is_checked_byte_for_byte(stage: Stage) -> None:
    shell(stage, "echo early > /etc/early", step="before")
    before = stage.snapshot()
    shell(
        stage,
        "echo more >> /etc/early; chmod 600 /etc/app/app.conf; rm /opt/app/bin/app; echo n > /etc/n",
        step="upgrade",
    )
    assert {(e.path, e.action) for e in stage.undo_check(before)} == {
        ("/etc/early", "change"),
        ("/etc/app/app.conf", "mode"),
        ("/opt/app/bin/app", "delete"),
        ("/etc/n", "create"),
    }
    assert all(effect.left for effect in stage.undo_check(before))
    shell(
        stage,
        "echo early > /etc/early; chmod 644 /etc/app/app.conf; rm /etc/n;"
        "printf '#!/bin/sh\\necho app 1\\n' > /opt/app/bin/app; chmod 755 /opt/app/bin/app",
        step="rollback",
    )
    assert stage.undo_check(before) == []
    shell(stage, "rm /etc/early", step="later")
    assert [(e.path, e.action) for e in stage.undo_check(before)] == [("/etc/early", "delete")]


def test_read_write_stat_remove(stage: Stage) -> None:
    assert stage.read("/etc/app/app.conf").startswith(b"mode = old")
    held = stage.stat("/etc/app/app.conf")
    assert held is not None and held.type == "file" and held.mode == 0o644
    stage.write("/etc/app/app.conf", b"replaced\n")
    now = stage.stat("/etc/app/app.conf")
    assert now is not None and now.mode == 0o644 and stage.read("/etc/app/app.conf") == b"replaced\n"
    stage.write("/etc/app/app.conf", b"mode = old\npassword = hunter2hunter2\n", held)
    assert stage.effects() == []
    stage.remove("/etc/app/app.conf")
    assert stage.stat("/etc/app/app.conf") is None
    with pytest.raises(FileNotFoundError):
        stage.read("/etc/app/app.conf")
    assert stage.stat("/etc/app/none/deeper") is None


def test_a_link_that_leads_out_leads_nowhere(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret of this machine")
    shell(stage, f"ln -s {tmp_path}/outside /etc/leak; ln -s /etc/hostname /opt/h")
    with pytest.raises(FileNotFoundError):
        stage.read("/etc/leak")
    with pytest.raises(FileExistsError):
        stage.write("/etc/leak/x", b"y")
    stage.write("/etc/leak", b"y")
    assert (tmp_path / "outside").read_text() == "secret of this machine"


def test_machine_secrets_are_not_on_the_stage(stage: Stage) -> None:
    _, output = shell(stage, "cat /etc/shadow; ls -A /root /home /etc/ssh /etc/cron.d /var/spool/cron/crontabs")
    assert output.count("\n") < 12 and "root" in output
    _, output = shell(stage, "cat /proc/1/environ /proc/1/mem /proc/kcore | wc -c; ls /proc | grep -c '^[0-9]'")
    assert output.split()[-1].isdigit() and int(output.split()[-1]) < 12


def test_kernel_settings_cannot_be_written(stage: Stage) -> None:
    before = Path("/proc/sys/kernel/panic").read_text()
    _, output = shell(
        stage,
        "echo 77 > /proc/sys/kernel/panic; echo b > /proc/sysrq-trigger; echo 1 > /sys/kernel/x; mount -t tmpfs x /opt; mknod /opt/sda b 8 0",
    )
    assert Path("/proc/sys/kernel/panic").read_text() == before
    assert "/opt/sda" not in by_path(stage) and output.count("cannot create") == 3


def test_the_package_lies_below_its_root(tree: Path, tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "scripts").mkdir(parents=True)
    (package / "scripts/run.sh").write_text("#!/bin/sh\ncd $(dirname $0); ls; touch here; echo x > /etc/x\n")
    (package / "scripts/run.sh").chmod(0o755)
    with Stage(StagePlan(root=tree, package=package, scratch=tmp_path / "scratch")) as stage:
        code, output = shell(stage, f"{stage.package_root}/scripts/run.sh")
        assert code == 0 and "run.sh" in output
        assert set(by_path(stage)) == {"/etc/x"}
    assert not (package / "scripts/here").exists()


def test_a_missing_tree_is_one_clear_error(tmp_path: Path) -> None:
    from fulldress.errors import StageError

    with pytest.raises(StageError, match="no such folder"):
        Stage(StagePlan(root=tmp_path / "none")).__enter__()
