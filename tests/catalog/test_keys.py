"""The key matrix, the store, and the three commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fulldress import cli
from fulldress.catalog import keys
from fulldress.catalog.store import Store
from fulldress.errors import CaseError
from fulldress.facts import Evidence, Release, Setting, Witness


def package(version: str, **settings: str) -> list[Release | Setting]:
    place = Evidence(path="hub.conf", line=1)
    return [
        Release(witness=Witness.DECLARED, evidence=place, product="hub", version=version, aspect="manifest"),
        *(
            Setting(witness=Witness.READ, evidence=place, component="hub", key=k, value=v, file="hub.conf")
            for k, v in settings.items()
        ),
    ]


def test_neighbouring_versions_are_compared_in_their_order() -> None:
    rows = keys.matrix([package("1.10", a="2", c="3"), package("1.9", a="1", b="1"), package("1.11", a="2", c="3")])
    assert [keys.line(r) for r in rows if r.fate != keys.LISTED] == [
        "hub\t1.10\ta\tdefault-changed\tdefault=2\t1 -> 2\thub.conf:1",
        "hub\t1.10\tb\tremoved\tdefault=-\t-\thub.conf:1".replace("default=-", "-").replace(
            "\t-\thub", "\tlisted in the old hub.conf, not in the new one\thub"
        ),
        "hub\t1.10\tc\tadded\tdefault=3\t-\thub.conf:1",
    ]


def test_store_keeps_what_matters_and_refuses_what_is_not_its_own(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.remember("a" * 64, "hub.zip", package("1.0", a="1"))
    store.remember("a" * 64, "hub.zip", package("1.0", a="1"))
    (kept,) = store.all()
    assert len(kept.facts) == 2
    (tmp_path / "packages" / "x.json").write_text("{")
    with pytest.raises(CaseError, match=r"x\.json"):
        store.all()


@pytest.fixture
def world(tmp_path: Path) -> Path:
    for version, conf in (("1.0", "hub.size = 16\nhub.old = 1\n"), ("2.0", "hub.size = 4\n")):
        folder = tmp_path / version
        (folder / "etc").mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"product": "hub", "version": version, "vendor": "x"}))
        (folder / "etc" / "hub.conf").write_text(conf)
    matrices = tmp_path / "matrices"
    matrices.mkdir()
    (matrices / "hub.toml").write_text(
        '[[release]]\ncomponent = "hub"\nversions = ["1.0", "2.0", "3.0"]\n[[stop]]\ncomponent = "hub"\nversion = "2.0"\n'
    )
    return tmp_path


def test_keys_grep(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.run(["keys", "grep", "HUB.old", str(world / "1.0"), str(world / "2.0"), "--store", str(world / "store")])
    out = capsys.readouterr().out.splitlines()
    assert code == 0
    assert [line.split("\t")[:4] for line in out] == [
        ["hub", "1.0", "hub.old", "listed"],
        ["hub", "2.0", "hub.old", "removed"],
    ]
    assert cli.run(["keys", "matrix", "--store", str(world / "store"), "--json"]) == 0
    assert {row["key"] for row in json.loads(capsys.readouterr().out)} == {"hub.old", "hub.size"}
    assert cli.run(["keys", "matrix", "--store", str(world / "empty")]) == 3
    assert cli.run(["keys", "grep", "(", "--store", str(world / "store")]) == 2


def test_paths(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    matrices = ["--matrices", str(world / "matrices")]
    assert cli.run(["paths", "hub", "1.0", "→", "3.0", *matrices]) == 0
    out = capsys.readouterr().out
    assert "1.0 ──► 2.0 (required stop) ──► 3.0" in out
    assert max(map(len, out.splitlines())) <= 80
    assert cli.run(["paths", "hub", "3.0", "1.0", *matrices]) == 1
    assert cli.run(["paths", "hub", "1.0", "9.0", *matrices]) == 3
    assert cli.run(["paths", "other", "1.0", "9.0", *matrices]) == 3
    assert cli.run(["paths", "hub", "one", "3.0", *matrices]) == 2
    assert cli.run(["paths", "hub", "3.0"]) == 2
    capsys.readouterr()
    assert cli.run(["paths", "hub", "1.0", "3.0", *matrices, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["possible"] is True


def test_api(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.yaml"
    old.write_text(
        json.dumps({"openapi": "3.0.0", "info": {"version": "1"}, "paths": {"/a": {"get": {}}, "/b": {"get": {}}}})
    )
    new.write_text("openapi: 3.1.0\ninfo: {version: '2'}\npaths:\n  /b:\n    get: {}\n")
    assert cli.run(["api", str(old), str(new)]) == 3
    assert "removed    GET /a" in capsys.readouterr().out
    assert cli.run(["api", str(new), str(new)]) == 0
    new.write_text("nothing: here\n")
    assert cli.run(["api", str(old), str(new)]) == 2
