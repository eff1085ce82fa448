"""Base images and compose files: case folders, and any text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefolders import check, folders
from fulldress.package import baseimages, kubernetes
from fulldress.package.baseimages.references import taken_apart
from openfolder import open_folder

CASES = Path(__file__).parent / "cases" / "baseimages"
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: relay}
spec:
  replicas: 2
  selector: {matchLabels: {app: relay}}
  template:
    metadata: {labels: {app: relay}}
    spec:
      containers:
        - {name: a, image: "relay:1", livenessProbe: {periodSeconds: 5}}
"""


@pytest.mark.parametrize("case", folders(CASES), ids=lambda case: case.name)
def test_cases(case: Path) -> None:
    check(case, baseimages.read(open_folder(case)))


@given(at=st.integers(0, len(MANIFEST)), junk=st.text(max_size=12), cut=st.integers(0, 40))
def test_a_mutated_manifest_never_ends_the_reading(
    tmp_path_factory: pytest.TempPathFactory, at: int, junk: str, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("m")
    text = MANIFEST[:at] + junk + MANIFEST[at + cut :]
    (folder / "deploy.yaml").write_text(text, encoding="utf-8", errors="replace")
    list(kubernetes.read(open_folder(folder)))


@pytest.mark.parametrize(
    ("text", "name", "tag"),
    [
        ("postgres", "postgres", "latest"),
        ("postgres:15.4-bookworm", "postgres", "15.4-bookworm"),
        ("registry.example:5000/team/relay", "registry.example:5000/team/relay", "latest"),
        ("registry.example:5000/team/relay:2.1", "registry.example:5000/team/relay", "2.1"),
        (f"relay@sha256:{'a' * 64}", "relay", ""),
    ],
)
def test_a_reference(text: str, name: str, tag: str) -> None:
    image = taken_apart(text)
    assert image is not None
    assert (image.name, image.tag) == (name, tag)


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_none(text: str) -> None:
    taken_apart(text)
