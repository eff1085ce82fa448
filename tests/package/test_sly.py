"""Packages that try to hide what they do: it is found, or said to be unknown."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from casefolders import matches
from fulldress.facts import AnyFact
from fulldress.package import Budget, migrations, read, schedules, scripts
from fulldress.package.identify import identify
from openfolder import FolderPackage, member
from slypackages import PACKAGES, Expected, File, tgz


def _fits(expected: Expected, facts: list[AnyFact]) -> bool:
    family, fields = expected
    effects = fields.get("effects")
    rest = {key: value for key, value in fields.items() if key != "effects"}
    for fact in facts:
        told = json.loads(msgspec.json.encode(fact))
        if told["fact"] != family or not matches(rest, told):
            continue
        if effects is None or all(any(matches(one, got) for got in told.get("effects", [])) for one in effects):
            return True
    return False


def _facts(files: list[File]) -> list[AnyFact]:
    members = {}
    for path, content, mode in files:
        data = content if isinstance(content, bytes) else content.encode()
        members[path] = member(path, data, identify(path, data[:8192], mode), mode)
    package = FolderPackage(members)
    return [*scripts.read(package), *schedules.read(package), *migrations.read(package)]


#: Of which the walker or another reader finds the truth.
WALKED = ("payload-after-exit", "two-manifests", "utf16-sh", "shebang-odd")


@pytest.mark.parametrize(
    "name",
    [n for n, (_, expected) in PACKAGES.items() if expected and n not in ("payload-after-exit", "two-manifests")],
)
def test_it_is_not_hidden(name: str) -> None:
    files, expected = PACKAGES[name]
    facts = _facts(files)
    missed = [one for one in expected if not _fits(one, facts)]
    assert not missed, [json.loads(msgspec.json.encode(fact)) for fact in facts]


@pytest.mark.parametrize("name", WALKED)
def test_the_walk_does_not_lose_it(name: str, tmp_path: Path) -> None:
    files, expected = PACKAGES[name]
    path = tmp_path / f"{name}.tar.gz"
    path.write_bytes(tgz(files))
    facts = read(path, budget=Budget(workers=1)).facts
    assert [one for one in expected if not _fits(one, facts)] == []
