"""Maintainer scripts of 48 Debian packages: what is read from them stays what it was when a person looked it over.

``maintainer-scripts.json`` holds names and counts, by package: units started, stopped, restarted or reloaded by an upgrade
(unit and action; enabling and unmasking are left out), reboots, accounts and groups, questions of high priority, files
deleted by an upgrade, and places that wait for a person.

The table was written by the reader itself, for Debian 12, and then compared with what grep finds in the scripts. Restarts,
reboots and accounts were looked over for all 48. The deletions are counts: lines with ``rm`` that no fact names were all
looked at outside ``postrm``, the facts themselves only in part. So it keeps what is right from being lost; it is no
independent proof that nothing else is wrong.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fulldress.facts import AnyFact, Command, Credential, FileEffect, Hazard, Reboot, Restart, Schedule, Unread
from fulldress.package import scripts
from openfolder import FolderPackage, member

pytestmark = pytest.mark.real

CACHE = Path(__file__).parents[2] / ".cache/real/maintainer-scripts"
EXPECTED: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "maintainer-scripts.json").read_text())
SCRIPTS = frozenset({"preinst", "postinst", "prerm", "postrm", "config"})
#: Actions that change what happens at the next boot, and nothing now.
LATER = frozenset({"enable", "disable", "mask", "unmask", "purge", "reenable", "preset"})


@cache
def control(name: str) -> dict[str, bytes]:
    """The maintainer scripts of a package, by their names."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("this machine has no apt-get")
    CACHE.mkdir(parents=True, exist_ok=True)
    if not list(CACHE.glob(f"{name}_*.deb")):
        done = subprocess.run(("apt-get", "download", name), cwd=CACHE, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"apt-get download {name}: {done.stderr.strip()[-200:]}")
    deb = sorted(CACHE.glob(f"{name}_*.deb"))[-1]
    tape = subprocess.run(("dpkg-deb", "--ctrl-tarfile", str(deb)), capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tape)) as archive:
        files = {item.name.rsplit("/", 1)[-1]: archive.extractfile(item) for item in archive if item.isfile()}
        return {file: stream.read() for file, stream in files.items() if stream is not None and file in SCRIPTS}


@cache
def read(name: str) -> tuple[AnyFact, ...]:
    members = {}
    for file, data in control(name).items():
        path = f"{name}.deb!/control.tar.xz!/./{file}"
        members[path] = member(path, data, "perl" if b"perl" in data[:40] else "shell", mode=0o755)
    return tuple(scripts.read(FolderPackage(members)))


@pytest.mark.parametrize("name", EXPECTED)
def test_what_was_looked_over_is_found_and_nothing_else(name: str) -> None:
    facts, wanted = read(name), EXPECTED[name]
    upgrade = [fact for fact in facts if not fact.evidence.when]
    restarts = {f"{f.unit} {f.action}" for f in upgrade if isinstance(f, Restart) and f.action not in LATER}
    assert restarts == set(wanted.get("restarts", []))
    assert {f.claim for f in facts if isinstance(f, Reboot)} == set(wanted.get("reboots", []))
    accounts = {f.name for f in facts if isinstance(f, Credential) and f.kind in ("system account", "group")}
    assert accounts == set(wanted.get("accounts", []))
    questions = {f.what for f in facts if isinstance(f, Hazard) and f.kind == "asks through debconf"}
    assert questions == set(wanted.get("questions", []))
    assert sum(isinstance(f, FileEffect) and f.action == "delete" for f in upgrade) == wanted.get("deletions", 0)
    assert sum(isinstance(f, Command) for f in facts) == wanted.get("prompts", 0)
    assert not [f for f in facts if isinstance(f, Schedule)], "no maintainer script of these writes a schedule"


@pytest.mark.parametrize("name", EXPECTED)
def test_every_line_is_within_the_grammar(name: str) -> None:
    assert not [f for f in read(name) if isinstance(f, Unread) and f.needed]
