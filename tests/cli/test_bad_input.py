"""Bad input to any command: one clear line with what, where and what to do, the documented exit code, nothing half-written."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

import skiff
from fulldress.cli import COMMANDS, run
from fulldress.runbook.text import dump


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good and bad packages, productions and runbooks."""
    folder = tmp_path_factory.mktemp("shelf")
    good = skiff.package(folder / "skiff.tar.gz")
    skiff.package(folder / "other.tar.gz", up="SELECT 1;\n")
    (folder / "empty.zip").touch()
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 20)
    (folder / "cut.tar.gz").write_bytes(good.read_bytes()[:40])
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a.sh", "#!/bin/sh\necho upgrade\n" * 50)
    (folder / "locked.zip").write_bytes(_encrypted((folder / "a.zip").read_bytes()))
    (folder / "bare").mkdir()
    skiff.production(folder / "production")
    text = (folder / "production/production.toml").read_text()
    for name, old, new in (
        ("misspelt", "[partitions]", "[partition]"),
        ("size", '"10 GiB"', '"10 elephants"'),
        ("zone", "Europe/Lisbon", "Europe/Lisbonn"),
        ("syntax", "zone =", "zone"),
        ("type", "ready_within = 20.0", 'ready_within = "soon"'),
        ("unfounded", 'root = "root"', 'root = "roof"'),
    ):
        shutil.copytree(folder / "production", folder / name)
        (folder / name / "production.toml").write_text(text.replace(old, new))
        assert old in text
    shutil.copytree(folder / "production", folder / "matrix")
    (folder / "matrix/matrices/skiff.toml").write_text("[[release]]\nversion = \n")
    book = dump(skiff.runbook(good))
    (folder / "runbook.toml").write_text(book)
    (folder / "syntax.toml").write_text("# mine\n[runbook\n")
    (folder / "kind.toml").write_text(book.replace('kind = "script"', 'kind = "skript"'))
    (folder / "key.toml").write_text(book.replace("timeout =", "timout =", 1) + "\nfoo = 1\n")
    (folder / "binary.toml").write_bytes(b"\xff\xfe\x00")
    return folder


def _encrypted(data: bytes) -> bytes:
    """A ZIP whose headers say that its member is encrypted."""
    raw = bytearray(data)
    raw[6] |= 1
    raw[raw.index(b"PK\1\2") + 8] |= 1
    return bytes(raw)


@pytest.fixture(autouse=True)
def here(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shelf)
    monkeypatch.setenv("FULLDRESS_CASES", str(tmp_path / "cases"))


PACKAGES = [
    ("gone.zip", "gone.zip: no such file or folder. Give the path"),
    ("empty.zip", "empty.zip: it is empty (0 bytes). Nothing of it was judged; ask for the file again"),
    ("noise.bin", "noise.bin: its format is unknown. Nothing of it was judged"),
    ("cut.tar.gz", "cut.tar.gz: no member of this gz archive could be read (the gzip stream ends in the middle"),
    ("bare", "bare: it holds no file"),
]
PRODUCTIONS = [
    ("gone", 'gone: no such folder. Create it with "fulldress init"'),
    ("bare", 'bare: no production.toml in it. Write one with "fulldress init bare"'),
    ("misspelt", 'production.toml:19: unknown key "partition" in the file\'s top level; did you mean "partitions"?'),
    ("size", 'production.toml:20: "partitions./": "10 elephants" is not a size. Write it as "2 GiB"'),
    ("zone", 'production.toml:2: "zone": "Europe/Lisbonn" is no time zone. Give a name'),
    ("syntax", "production.toml:2: not TOML: expected '='"),
    ("type", "production.toml:12:"),
    ("unfounded", "no such folder"),
]
RUNBOOKS = [
    ("syntax.toml", 8, "syntax.toml:2: Expected ']'"),
    ("kind.toml", 8, "kind.toml:21: Invalid value 'skript'"),
    ("key.toml", 8, "key.toml:"),
    ("binary.toml", 2, "binary.toml: not a text file"),
]
OF_PACKAGES = (("inspect",), ("check", "-p", "production"), ("case", "open"))
OF_PRODUCTIONS = (("check", "skiff.tar.gz"), ("plan", "skiff.tar.gz", "-o", "new.toml"), ("plan", "runbook.toml"),
                  ("rehearse", "runbook.toml"), ("run", "runbook.toml", "--yes"), ("rollback", "runbook.toml", "--yes"),
                  ("inventory",), ("stage", "--", "true"), ("clean", "--list"))  # fmt: skip
OF_RUNBOOKS = ("plan", "rehearse", "run", "rollback")

LINES = [
    *(((command, *rest, name), 4 if name == "gone.zip" else 3, said) for command, *rest in OF_PACKAGES for name, said in PACKAGES),
    *(((command, "-p", name, *rest), 5, said) for command, *rest in OF_PRODUCTIONS for name, said in PRODUCTIONS),
    *(((command, name, "-p", "production"), code, said) for command in OF_RUNBOOKS for name, code, said in RUNBOOKS),
    (("check", "skiff.tar.gz", "-p", "matrix"), 5, "skiff.toml:2: "),
    (("plan", "skiff.tar.gz", "-p", "production", "-o", "runbook.toml"), 2, "runbook.toml: there already. Give --force"),
    (("plan", "runbook.toml", "-p", "production", "--approve"), 2, "--approve needs --as NAME"),
    (("rehearse", "runbook.toml", "-p", "production", "--package", "other.tar.gz"), 8, "the runbook is bound to"),
    (("rehearse", "runbook.toml", "-p", "production", "--package", "gone.tar.gz"), 4, "gone.tar.gz: no such file"),
    (("run", "runbook.toml", "-p", "production", "--yes"), 9, "Open one: fulldress case open"),
    (("rollback", "runbook.toml", "-p", "production", "--yes"), 9, "Open one: fulldress case open"),
    (("api", "skiff.tar.gz", "noise.bin"), 3, "noise.bin: its format is unknown"),
    (("case", "show", "nope"), 9, "no case for package nope. Open one"),
    (("case", "verify", "nope"), 9, "no case for package nope"),
    (("report", "nope"), 9, "no case for package nope"),
    (("clean", "-p", "production"), 2, "Name one with --case"),
    (("init", "production"), 5, "production.toml is there already; nothing was written"),
    (("explain", "FD999"), 2, "FD999: no such rule; did you mean"),
    (("stage", "--root", "gone", "--", "true"), 7, "gone: no such folder. It should hold a copy"),
    (("stage", "--root", "production/root", "-p", "production", "--", "true"), 2, "either --production or --root"),
    (("database", "servers", "--pg-bin", "gone"), 6, "gone: no such folder. Name a folder that holds PostgreSQL's"),
    (("database", "trace", "production/bookings.sql", "--url", "postgresql://u:geheim@127.0.0.1:1/x"), 6, "u:********@"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "code", "words"), LINES, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_one_clear_line(argv: tuple[str, ...], code: int, words: str, capsys: pytest.CaptureFixture[str], shelf: Path) -> None:  # fmt: skip
    before = sorted(path for path in shelf.rglob("*") if path.is_file())
    assert run(list(argv)) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("fulldress: ") and told.err.count("\n") == 1, told.err
    assert words in told.err
    assert "geheim" not in told.err
    assert sorted(path for path in shelf.rglob("*") if path.is_file()) == before, "something was written"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("inspct",), "Did you mean 'inspect'?"),
        (("inspect",), "Missing argument 'PACKAGE'"),
        (("inspect", "skiff.tar.gz", "--jsn"), "--json"),
        (("check", "skiff.tar.gz"), "-p"),
        (("rehearse", "gone.toml", "-p", "production"), "'gone.toml' does not exist"),
        (("rehearse", "runbook.toml", "-p", "production", "-n", "0"), "0 is not in the range"),
        (("case", "waive", "FD101", "x", "--who", "a", "--why", "b", "--until", "tomorrow"), "tomorrow"),
        (("database", "trace", "gone.sql"), "'gone.sql' does not exist"),
        (("watch",), "Missing"),
        (("report",), "Missing argument"),
        (("keys", "gone"), "gone"),
        (("paths",), "Missing argument"),
    ],
)
def test_usage_is_two_and_names_the_option(
    argv: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(list(argv)) == 2
    told = capsys.readouterr()
    assert told.out == "" and words in told.err
    assert told.err.startswith("Usage: fulldress ") and "Traceback" not in told.err


def test_a_locked_or_cut_member_never_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be read is a blocker or unknown, and is named; it is no error, since the rest was read."""
    assert run(["inspect", "locked.zip"]) in (1, 3)
    assert "a.sh" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"Usage: fulldress {name} ") and told.err == ""


def test_an_unwritable_store_is_an_error_of_the_system(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "skiff.tar.gz", "-p", "production", "--case-store", "/proc/nowhere"]) == 9
    assert capsys.readouterr().err == "fulldress: /proc/nowhere: No such file or directory\n"


def test_a_full_disk_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    assert run(["plan", "skiff.tar.gz", "-p", "production", "-o", "/dev/full", "--force"]) == 9
    assert "no space left on the device" in capsys.readouterr().err


def test_a_damaged_case_is_said_and_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):  # the second finds the first
        assert run(["case", "open", "skiff.tar.gz"]) == 0
    (record,) = (tmp_path / "cases").glob("*/case.db")
    for path in record.parent.iterdir():
        path.unlink()
    record.write_bytes(b"\x00\x01" * 4096)
    capsys.readouterr()
    name = record.parent.name
    for argv in (["case", "verify", name], ["case", "show", name], ["report", name],
                 ["run", "runbook.toml", "-p", "production", "--yes"]):  # fmt: skip
        assert run(argv) == 9
        told = capsys.readouterr()
        assert told.out == "" and told.err.startswith("fulldress: ") and told.err.count("\n") == 1, told.err
    assert record.read_bytes() == b"\x00\x01" * 4096
    # whose case it was can no longer be told: this package gets one of its own, and never a third
    assert run(["case", "open", "skiff.tar.gz"]) == 0
    for other in (tmp_path / "cases").glob("*/case.db"):
        other.write_bytes(b"\x00\x01" * 4096)
    capsys.readouterr()
    assert run(["case", "open", "skiff.tar.gz"]) == 9
    assert "this is not a case that can be read" in capsys.readouterr().err


def test_two_packages_of_one_release_have_a_case_each(tmp_path: Path) -> None:
    assert run(["case", "open", "skiff.tar.gz"]) == run(["case", "open", "other.tar.gz"]) == 0
    assert len(list((tmp_path / "cases").glob("*/case.db"))) == 2


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("watch", "empty.zip", "empty.zip"), "one of the logs has no request"),
        (("watch", "noise.bin", "noise.bin"), "one of the logs has no request"),
        (("paths", "skiff", "2.2.4", "2.3.0", "-p", "production"), ""),
    ],
)
def test_what_nothing_tells_is_unknown(argv: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(list(argv)) == 3
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("keys", "grep", "(", "-p", "production"), 2, "is no regular expression"),
        (("paths", "skiff", "2.2.4", "x!", "-p", "production"), 2, 'version "x!" is none'),
        (("paths", "skiff", "2.2.4", "2.3.0", "-p", "misspelt"), 5, 'unknown key "partition"'),
        (("api", "skiff.tar.gz", "other.tar.gz"), 2, "no API description in it"),
        (("database", "trace", "noise.bin"), 1, "noise.bin"),
    ],
)
def test_more_of_what_cannot_be_done(argv: tuple[str, ...], code: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    assert run(list(argv)) == code
    told = capsys.readouterr()
    assert words in told.err + told.out and "Traceback" not in told.err
