"""Case folders of ``package.kubernetes``, and of what containers run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make

from casefolders import check, folders
from fulldress.facts import Privilege, Reason, Release, Unread
from fulldress.package import kubernetes, read, scripts
from fulldress.package.reader import Options
from fulldress.package.walk import Budget, Opened
from openfolder import FolderPackage, member, open_folder

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize("case", folders(CASES / "kubernetes"), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    check(case, kubernetes.read(open_folder(case)))


@pytest.mark.parametrize("case", folders(CASES / "containers"), ids=lambda case: case.name)
def test_commands_of_containers(case: Path) -> None:
    check(case, scripts.read(open_folder(case)))


def _of(text: str) -> list[object]:
    return list(kubernetes.read(FolderPackage({"all.yaml": member("all.yaml", text.encode(), "yaml")})))


_POD_ON_THE_HOST = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostNetwork: true\n"


@pytest.mark.parametrize("kind", ["ConfigMap", "CustomResourceDefinition"])
def test_what_makes_a_manifest_large_and_holds_only_data_is_passed_over(kind: str) -> None:
    data = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: b}}\ndata:\n" + '  key: "' + "A" * (1 << 20) + '"'
    rights = [fact for fact in _of(data + _POD_ON_THE_HOST) if isinstance(fact, Privilege)]
    assert [(right.how, right.evidence.line) for right in rights] == [("hostNetwork of a pod", 11)]


def test_a_manifest_that_is_too_large_is_said() -> None:
    rows = "    - name: x\n      image: relay.example/x:1\n" * 30_000
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n" + rows
    found = _of(pod + _POD_ON_THE_HOST)
    assert [(f.reason, f.needed) for f in found if isinstance(f, Unread)] == [(Reason.BUDGET, True)]


_WORDS = [
    "apiVersion: v1\n",
    "kind: Job\n",
    "metadata: {name: a}\n",
    "metadata: []\n",
    "spec:\n",
    "  containers: [{image: {}, command: [sh, -c]}]\n",
    "  template: {spec: {containers: [null, 3, {command: x, args: {a: b}}]}}\n",
    "{{ if .Values.x }}",
    "{{ end }}",
    "---\n",
    "*a",
    "&a ",
    "\t",
    ": ",
]


@given(st.lists(st.sampled_from(_WORDS), max_size=14).map("".join), st.text(max_size=60))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_manifest_raises(tmp_path: Path, manifest: str, chart: str) -> None:
    folder = tmp_path / "p" / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.yaml").write_text("apiVersion: v1\nkind: Pod\n" + manifest, errors="replace")
    (tmp_path / "p" / "Chart.yaml").write_text("name: a\nversion: 1\n" + chart, errors="replace")
    with Opened(tmp_path / "p", Budget(), Options()) as package:
        list(kubernetes.read(package))
        list(scripts.read(package))


def test_a_chart_in_a_package_has_a_version_of_its_own(tmp_path: Path) -> None:
    chart = make.gzipped(make.tarred({"shop/Chart.yaml": b'name: shop\nversion: 7.3.0\nappVersion: "4.2.1"\n'}))
    manifest = b'{"product": "shop", "version": "4.2.1", "upgrades_from": ">=4.1"}'
    (tmp_path / "shop-4.2.1.zip").write_bytes(make.zipped({"manifest.json": manifest, "shop-7.3.0.tgz": chart}))
    said = {
        (fact.product, fact.version) for fact in read(tmp_path / "shop-4.2.1.zip").facts if isinstance(fact, Release)
    }
    assert said == {("shop", "4.2.1"), ("shop chart", "7.3.0")}
    (tmp_path / "shop-7.3.0.tgz").write_bytes(chart)
    said = {
        (fact.product, fact.version) for fact in read(tmp_path / "shop-7.3.0.tgz").facts if isinstance(fact, Release)
    }
    assert said == {("shop", "7.3.0"), ("shop application", "4.2.1")}
