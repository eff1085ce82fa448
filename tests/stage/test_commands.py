"""Recorded commands: what they print, how they end, what they do to the stage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fulldress.facts import Privilege, Reboot, Restart, Schedule, Unread, Witness
from fulldress.facts.witness import Evidence
from fulldress.production.description import Service
from fulldress.stage import Stage, StagePlan
from stage_shell import shell, sleepers

pytestmark = pytest.mark.stage


def of(stage: Stage, family: type) -> list[object]:
    return [fact for fact in stage.facts() if isinstance(fact, family)]


def test_systemctl_on_an_unknown_unit(stage: Stage) -> None:
    code, output = shell(stage, "systemctl restart dten-bridge")
    assert (code, output) == (5, "Failed to restart dten-bridge.service: Unit dten-bridge.service not found.\n")
    assert [(r.unit, r.action, r.outcome) for r in of(stage, Restart)] == [("dten-bridge", "restart", "no such unit")]  # type: ignore[attr-defined]
    command = stage.commands()[0]
    assert (command.argv, command.exit_code, command.evidence.step) == (
        ("systemctl", "restart", "dten-bridge"),
        5,
        "step",
    )


def test_a_unit_starts_stops_and_is_enabled(stage: Stage) -> None:
    code, output = shell(
        stage,
        "systemctl start core; systemctl is-active core; grep -lsa '^/*[a-z/]*sleep' /proc/[0-9]*/cmdline | grep -q . && echo runs;"
        "systemctl disable core 2>&1; systemctl is-enabled core; systemctl enable core 2>&1; systemctl is-enabled core;"
        "systemctl stop core; systemctl is-active core; grep -lsa '^/*[a-z/]*sleep' /proc/[0-9]*/cmdline | grep -q . || echo stopped",
    )
    assert code == 0
    assert output.splitlines() == [
        "active",
        "runs",
        "Removed /etc/systemd/system/multi-user.target.wants/core.service.",
        "disabled",
        "Created symlink /etc/systemd/system/multi-user.target.wants/core.service → /etc/systemd/system/core.service.",
        "enabled",
        "inactive",
        "stopped",
    ]
    assert stage.effects() == []


def test_a_unit_that_the_upgrade_renames(stage: Stage) -> None:
    _, output = shell(
        stage,
        "mv /etc/systemd/system/core.service /etc/systemd/system/relay.service; systemctl daemon-reload;"
        "systemctl start core; echo $?; systemctl start relay; echo $?; systemctl status core | head -1; service relay restart; echo $?",
    )
    assert [line for line in output.splitlines() if line.isdigit()] == ["5", "0", "0"]
    assert stage.service("relay", "status", step="x").active is True
    assert stage.service("core", "status", step="x").known is False


def test_a_unit_whose_program_is_missing_fails(stage: Stage) -> None:
    stage.write("/etc/systemd/system/broken.service", b"[Service]\nExecStart=/opt/none/here\n")
    code, output = shell(stage, "systemctl start broken")
    assert code == 1 and output.startswith("Job for broken.service failed")
    stage.write("/etc/systemd/system/unset.service", b"[Service]\nEnvironmentFile=/etc/none\nExecStart=/bin/true\n")
    assert shell(stage, "systemctl start unset")[0] == 1
    code, output = shell(stage, "systemctl mask core; systemctl mask other; systemctl start other")
    assert code == 1 and "core.service already exists" in output and "other.service is masked" in output


def test_sudo_and_su_go_on(stage: Stage) -> None:
    code, output = shell(
        stage,
        "sudo -n -E id -u; sudo X=1 sh -c 'echo $X'; su - root -c 'echo su'; sudo false; echo $?; echo in | sudo cat",
    )
    assert (code, output.split()) == (0, ["0", "1", "su", "1", "in"])
    assert [p.how for p in of(stage, Privilege)] == ["sudo", "sudo", "su", "sudo", "sudo"]  # type: ignore[attr-defined]


def test_other_users_are_taken_on(stage: Stage) -> None:
    if stage.mode == "alone":
        pytest.skip("only a root-launched stage has other users")
    _, output = shell(
        stage,
        "sudo -u nobody id -un; su nobody -s /bin/sh -c 'id -un; sudo id -u'; su nobody -s /bin/sh -c 'exit 7'; echo $?",
    )
    assert output.split() == ["nobody", "nobody", "0", "7"]
    assert shell(stage, "id -un", user="nobody") == (0, "nobody\n")
    assert shell(stage, "id", user="stranger")[0] == 127


def test_output_of_other_users_is_never_lost(stage: Stage) -> None:
    if stage.mode == "alone":
        pytest.skip("only a root-launched stage has other users")
    code, output = shell(stage, "i=0; while [ $i -lt 40 ]; do i=$((i+1)); sudo -u nobody echo $i; done")
    assert (code, output.split()) == (0, [str(number) for number in range(1, 41)])
    assert len(stage.commands()) == 40


def test_commands_are_told_before_their_step_ends(stage: Stage) -> None:
    for number in range(20):
        shell(stage, "sudo true", step=f"step {number}")
        assert len(stage.commands()) == number + 1


def test_a_command_that_is_killed_is_told(stage: Stage) -> None:
    assert shell(stage, "sudo sleep 300", seconds=0.5)[0] == 124
    assert [(c.argv, c.exit_code) for c in stage.commands()] == [(("sudo", "sleep", "300"), 137)]


def test_crontab_edits_and_tells_what_is_lost(stage: Stage) -> None:
    code, output = shell(stage, "crontab -l; echo '0 3 * * * import' | crontab -; crontab -l; crontab -u stranger -l")
    assert code == 1 and "backup" in output and "import" in output
    note = stage.commands()[1].note
    assert note == "root: 1 jobs before, 1 after; lost: 5 1 * * * /usr/local/bin/backup"
    effect = next(e for e in stage.effects() if e.path.endswith("crontabs/root"))
    assert "-5 1 * * * /usr/local/bin/backup" in effect.detail
    assert stage.snapshot().schedules["/var/spool/cron/crontabs/root:1"] == "0 3 * * * import"
    shell(stage, "crontab -r")
    assert shell(stage, "crontab -l") == (1, "no crontab for root\n")


@pytest.mark.parametrize("command", ["reboot", "/sbin/shutdown -r now", "systemctl reboot", "init 6"])
def test_a_reboot_ends_the_step_and_starts_what_is_enabled(stage: Stage, command: str) -> None:
    shell(stage, "systemctl start core")
    code, output = shell(stage, f"nohup sleep 500 & {command}; echo after; sleep 60; echo never")
    assert code != 0 and "after" in output and "never" not in output
    assert [(r.claim, r.command) for r in of(stage, Reboot)] == [("performed", "reboot")]  # type: ignore[attr-defined]
    assert stage.service("core", "status", step="x").active is True
    assert sleepers(stage, "500") == 0


def test_a_reboot_for_later_comes_after_the_step(stage: Stage) -> None:
    code, output = shell(stage, "shutdown -r +5; echo after")
    assert (code, output) == (0, "after\n")
    assert [r.claim for r in of(stage, Reboot)] == ["later reboot +5", "performed"]  # type: ignore[attr-defined]
    assert stage.service("core", "status", step="x").active is True


def test_packages_and_clusters_are_refused_and_said_so(stage: Stage) -> None:
    code, output = shell(
        stage, "apt-get install -y nginx; kubectl apply -f x; dpkg --compare-versions 1 lt 2 && echo less"
    )
    assert code == 0 and "refused on the rehearsal stage" in output and "less" in output
    assert len([f for f in of(stage, Unread) if f.what.startswith(("apt-get", "kubectl"))]) == 2  # type: ignore[attr-defined]


def test_secrets_on_command_lines_are_masked(stage: Stage) -> None:
    shell(
        stage,
        "sudo sh -c 'true --password hunter2hunter2'; mail -s x --password=hunter2hunter2 a@b.example < /dev/null",
    )
    assert "hunter2" not in str(stage.facts())


def test_a_prompt_ends_at_once_and_is_reported(stage: Stage) -> None:
    code, output = shell(stage, "printf 'Go on? '; read answer; echo \"[$answer]\"")
    assert (code, output) == (0, "Go on? []\n")
    assert [c.note for c in stage.commands()] == ["asked for input"]
    assert shell(stage, "cat", stdin=b"given") == (0, "given")
    assert len(stage.commands()) == 1


def test_a_time_out_kills_the_whole_tree(stage: Stage) -> None:
    result = stage.run(
        ["/bin/sh", "-c", "setsid sh -c 'sleep 300 & sleep 301' & sleep 302"], step="x", timeout=timedelta(seconds=0.3)
    )
    assert result.timed_out and result.exit_code == 124
    assert sleepers(stage) == 0


def test_what_outlives_its_step_is_reported_and_lives_on(stage: Stage) -> None:
    assert shell(stage, "nohup sleep 400 >/dev/null 2>&1 &")[0] == 0
    assert [(c.argv, c.note) for c in stage.commands()] == [(("sleep", "400"), "still running when the step ended")]
    assert sleepers(stage) == 1


def test_a_fork_bomb_is_bounded(stage: Stage) -> None:
    if stage.mode == "same":
        pytest.skip("the kernel exempts its own root from the limit")
    code, _ = shell(stage, "b() { b | b & }; b; sleep 1; wait", seconds=1.5)
    assert shell(stage, "echo alive") == (0, "alive\n"), code


def test_killing_everything_leaves_the_stage(stage: Stage) -> None:
    assert shell(stage, "kill -9 -1")[0] == 137
    assert shell(stage, "echo alive") == (0, "alive\n")


def test_output_is_kept_to_its_end_and_the_rest_is_said(stage: Stage) -> None:
    _, output = shell(stage, "yes | head -c 200000; echo end")
    assert len(output) == 65536 and output.endswith("end\n")
    assert any("bytes of output" in f.what for f in of(stage, Unread))  # type: ignore[attr-defined]


def test_programs_inherit_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    _, output = shell(stage, "env; ls /proc/self/fd | wc -l; grep -E 'NoNewPrivs|CapEff' /proc/self/status")
    assert "AWS" not in output and "NoNewPrivs:\t1" in output and "CapEff:\t00000000800404ff" in output
    assert output.split("\n")[-4] == "4"  # 0, 1, 2 and the folder itself


def test_the_clock(stage: Stage) -> None:
    at = datetime(2031, 2, 3, 3, 0, tzinfo=UTC)
    stage.set_clock(at)
    assert abs(stage.now() - at) < timedelta(seconds=5)
    assert shell(stage, "date -u +%F_%H")[1] == "2031-02-03_03\n"


def test_a_job_runs_at_its_hour_and_its_bytes_are_measured(tree: Path, tmp_path: Path) -> None:
    job = tree / "opt/app/import"
    job.write_text(
        '#!/bin/sh\necho "$SHELL $PATH $HOME $(date -u +%H:%M)"\nwhile :; do head -c 100000 /dev/zero >> /var/log/app.log; sleep 0.02; done\n'
    )
    job.chmod(0o755)
    schedule = Schedule(
        witness=Witness.READ,
        evidence=Evidence(),
        name="import",
        mechanism="cron.d",
        expression="0 3 * * *",
        command="/opt/app/import",
    )
    with Stage(StagePlan(root=tree, scratch=tmp_path / "s", partitions=("/var/log", "/var"))) as stage:
        run, written = stage.run_schedule(
            schedule, datetime(2030, 5, 6, 3, 0, tzinfo=UTC), real_time=timedelta(seconds=0.5)
        )
        assert run.exit_code is None and "cut off" in run.words and "/bin/sh /usr/bin:/bin /root 03:00" in run.words
        assert set(written) == {"/var/log"} and written["/var/log"] > 300_000
        assert abs(stage.now() - datetime.now(UTC)) < timedelta(seconds=2)
        assert [e.evidence.step for e in stage.effects()] == ["night: import"]


def test_described_services_start_and_their_health_is_watched(tree: Path, tmp_path: Path) -> None:
    server = "import http.server as h, sys; h.ThreadingHTTPServer(('127.0.0.1', 8099), h.SimpleHTTPRequestHandler).serve_forever()"
    services = {
        "web": Service(start=("/usr/bin/python3", "-c", server), health="http://127.0.0.1:8099/", ready_within=10)
    }
    with Stage(StagePlan(root=tree, scratch=tmp_path / "s", services=services)) as stage:
        assert stage.http("GET", "http://127.0.0.1:8099/").status == 200
        stage.service("web", "restart", step="restart")
        kinds = [type(f).__name__ for f in stage.facts()]
        assert kinds.count("Health") == 2 and kinds.count("Downtime") == 1
        downtime = next(f for f in stage.facts() if type(f).__name__ == "Downtime")
        assert timedelta(0) < downtime.duration < timedelta(seconds=10)  # type: ignore[union-attr]
        helper = stage.popen_inside(
            ["/usr/bin/python3", "-c", "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8099/').status)"],
            stdout=-1,
        )
        assert helper.communicate(timeout=20)[0] == b"200\n"
