"""The commands of this room, as a user meets them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fulldress.cli import run
from fulldress.production.inventory import collect


def test_init_writes_what_load_reads_and_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "production"
    assert run(["init", str(folder)]) == 0
    assert str(folder / "production.toml") in capsys.readouterr().out
    assert run(["inventory", "-p", str(folder)]) == 3  # nothing is in it yet: that is unknown, not fine
    assert "nothing in inventory/" in capsys.readouterr().err
    (folder / "production.toml").write_text("# mine\n")
    assert run(["init", str(folder)]) == 5
    assert "is there already" in capsys.readouterr().err
    assert (folder / "production.toml").read_text() == "# mine\n"


def test_the_commented_parts_of_the_template_are_valid(tmp_path: Path) -> None:
    from fulldress import production
    from fulldress.production import template

    template.write(tmp_path)
    (tmp_path / "root").mkdir()
    lines = template.TEXT.splitlines()
    opened = [line.removeprefix("# ") if "=" in line or line.startswith("# [") else line for line in lines]
    (tmp_path / "production.toml").write_text("\n".join(opened))
    assert production.load(tmp_path).description.databases["main"].traffic[0].per_second == 20


def test_inventory_shows_where_installed_and_running_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "production.toml").write_text("[components.shop]\n[components.ghost]\n")
    (tmp_path / "inventory/h.csv").write_text("component,version,running,host\nshop,4.0,3.9,w1\nzlib,1,,w1\n")
    assert run(["inventory", "-p", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].split() == ["shop", "w1", "4.0", "3.9", "differs"]
    assert "no inventory lists: ghost" in err
    assert "1 more packages" in err
    (tmp_path / "inventory/notes.txt").write_text("?")
    assert run(["inventory", "-p", str(tmp_path), "--json"]) == 3
    assert {fact["fact"] for fact in json.loads(capsys.readouterr().out)} == {"Installed", "Running", "Unread"}


def test_collect_marks_programs_that_were_replaced(tmp_path: Path) -> None:
    status = "Package: shop\nStatus: install ok installed\nVersion: 4.0\n\nPackage: lib\nVersion: 2\n"
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(status)
    (info / "shop.list").write_text("/.\n/usr/bin/shop\n")
    (info / "lib:amd64.list").write_text("/lib/lib.so.2\n")
    for pid, exe, maps in (
        (7, "/usr/bin/shop (deleted)", "0-1 r-xp 0 0:0 1   /usr/lib/lib.so.2\n"),
        (8, "/srv/own", ""),
    ):
        (tmp_path / f"proc/{pid}").mkdir(parents=True)
        (tmp_path / f"proc/{pid}/exe").symlink_to(exe)
        (tmp_path / f"proc/{pid}/maps").write_text(maps)
    found = collect.collect(tmp_path)
    shop, lib = found.items
    assert (shop.running, shop.replaced, shop.programs) == (True, True, ("/usr/bin/shop",))
    assert (lib.running, lib.replaced) == (False, False)
    assert [stray.program for stray in found.strays] == ["/srv/own"]


def test_collect_on_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["inventory", "collect", "--json"])
    assert code == (0 if Path("/var/lib/dpkg/status").is_file() else 3)
    assert json.loads(capsys.readouterr().out)["kind"] == "fulldress inventory 1"


def write_log(path: Path, took: float, count: int = 3000) -> Path:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    path.write_text("".join(
        f"10.0.0.1 - - [{start + timedelta(seconds=n // 10):%d/%b/%Y:%H:%M:%S} +0000] "
        f'"GET /orders/{n} HTTP/1.1" 200 5 "-" "ua" {took * (1 + n * 7 % 10 / 10):.3f}\n' for n in range(count)
    ))  # fmt: skip
    return path


def test_watch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = write_log(tmp_path / "before.log", 0.020), write_log(tmp_path / "after.log", 0.060)
    assert run(["watch", str(before), str(after)]) == 1
    out = capsys.readouterr().out
    assert "GET /orders/{id}" in out
    assert "worse" in out
    assert max(map(len, out.splitlines())) <= 80
    assert run(["watch", str(before), str(before)]) == 0
    assert run(["watch", str(after), str(before), "--json"]) == 0
    capsys.readouterr()
    (tmp_path / "empty.log").write_text("")
    assert run(["watch", str(before), str(tmp_path / "empty.log")]) == 3
    assert run(["watch", str(before), str(tmp_path / "none.log")]) == 2
    assert run(["watch", str(before), str(after), "--format", "fancy"]) == 5
