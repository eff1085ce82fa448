"""Packages that nobody here wrote, downloaded once into ``.cache/real`` by their ordinary clients."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real

CACHE = Path(__file__).parents[2] / ".cache/real"
PIP = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", ".")
WINDOWS = ("--platform", "win_amd64", "--only-binary=:all:")

#: name -> what downloads it, pattern of the file, and what is true of it: least counts by family, facts in part, kinds
REAL: dict[str, tuple[tuple[str, ...], str, dict[str, int], list[dict[str, Any]], set[str]]] = {
    "mediawiki": (
        ("apt-get", "download", "mediawiki"),
        "mediawiki_*.deb",
        {"Entry": 20_000, "Migration": 250},
        [
            {"fact": "Release", "product": "mediawiki", "aspect": "file name"},
            {"fact": "Restart", "unit": "mediawiki-jobrunner", "action": "restart"},
        ],
        {"php", "sql", "shell"},
    ),
    "e2fsprogs": (
        ("apt-get", "download", "e2fsprogs"),
        "e2fsprogs_*.deb",
        {"Schedule": 2, "Binary": 10},
        [
            {"fact": "Schedule", "mechanism": "cron.d", "expression": "30 3 * * 0"},
            {"fact": "Schedule", "mechanism": "cron.d", "expression": "10 3 * * *"},
            {"fact": "Schedule", "mechanism": "systemd timer", "expression": "Sun *-*-* 03:10:00"},
            {"fact": "Restart", "unit": "e2scrub_reap", "action": "enable"},
        ],
        {"elf", "cron", "systemd-timer", "shell"},
    ),
    "unattended-upgrades": (
        ("apt-get", "download", "unattended-upgrades"),
        "unattended-upgrades_*.deb",
        {"Entry": 60, "Reboot": 1},
        [{"fact": "Reboot", "claim": "requested"}],
        {"python", "shell"},
    ),
    "cacti": (
        ("apt-get", "download", "cacti"),
        "cacti_*.deb",
        {"Entry": 1500, "Schedule": 1, "Migration": 1},
        [
            {"fact": "Schedule", "expression": "*/5 * * * *", "mechanism": "cron.d"},
            {"fact": "Migration", "dialect": "mysql"},
        ],
        {"cron", "sql", "php"},
    ),
    "matrix-synapse": (
        (*PIP, "matrix-synapse"),
        "matrix_synapse-*.whl",
        {"Entry": 1000, "Migration": 300, "Binary": 1},
        [{"fact": "Entry", "kind": "elf", "container": "wheel"}],
        {"sql", "python", "elf"},
    ),
    "apache-airflow-core": (
        (*PIP, "apache-airflow-core"),
        "apache_airflow_core-*.whl",
        {"Entry": 900, "Migration": 240},
        [
            {"fact": "Release", "product": "apache-airflow-core"},
            {"fact": "Unread", "reason": "beyond its grammar", "needed": True},  # helpers that its migrations call
            {"fact": "Migration", "tool": "alembic"},
        ],
        {"python", "json"},
    ),
    "setuptools": (
        (*PIP, "setuptools"),
        "setuptools-*.whl",
        {"Binary": 6},
        [{"fact": "Binary", "format": "pe", "built_from": "pe time stamp"}],
        {"pe", "python"},
    ),
    "debugpy": (
        (*PIP, *WINDOWS, "debugpy"),
        "debugpy-*win_amd64.whl",
        {"Binary": 6},
        [{"fact": "Binary", "format": "pe"}],
        {"pe", "batch"},
    ),
    "ghost": (
        ("npm", "pack", "ghost@5"),
        "ghost-*.tgz",
        {"Entry": 1800, "Migration": 700, "Schedule": 5},
        [
            {"fact": "Entry", "container": "npm"},
            {"fact": "Unread", "reason": "beyond its grammar", "needed": True},  # helpers of its first migrations
            {"fact": "Migration", "tool": "knex", "current": True},
        ],
        {"javascript", "json"},
    ),
    "postfix": (  # hard links, scripts that call each other
        ("apt-get", "download", "postfix"),
        "postfix_*.deb",
        {"Entry": 300, "Binary": 20},
        [
            {"fact": "Signature", "scheme": "checksums", "integrity": "intact"},
            {"fact": "Credential", "kind": "system account", "name": "postfix"},
            {"fact": "Privilege", "how": "setgid"},
        ],
        {"elf", "shell"},
    ),
    "mdadm": (
        ("apt-get", "download", "mdadm"),
        "mdadm_*.deb",
        {"Schedule": 6},
        [
            {"fact": "Schedule", "mechanism": "cron.daily"},
            {"fact": "Schedule", "name": "mdcheck_start", "expression": "Sun *-*-1..7 1:00:00"},
        ],
        {"elf", "shell", "systemd-timer"},
    ),
    "certbot": (
        ("apt-get", "download", "certbot"),
        "certbot_*.deb",
        {"Schedule": 2},
        [{"fact": "Schedule", "mechanism": "cron.d", "expression": "0 */12 * * *"}],
        {"systemd-timer", "shell"},
    ),
}
#: What would be false to say of them: it stood in documents, in programs that nobody starts, in branches of a removal.
FALSE: dict[str, list[dict[str, Any]]] = {
    "mediawiki": [
        {"fact": "Downtime"},
        {"fact": "Reboot"},
        {"fact": "Endpoint"},
        {"fact": "SettingChange", "key": "undeletetalk"},
    ],
    "e2fsprogs": [{"fact": "Reboot"}, {"fact": "Endpoint"}, {"fact": "Privilege"}],
    "unattended-upgrades": [{"fact": "Reboot", "claim": "performed"}, {"fact": "Command"}],
    "cacti": [{"fact": "Endpoint"}, {"fact": "Privilege", "how": "setgid"}],
    "matrix-synapse": [{"fact": "Command"}, {"fact": "FileEffect"}],
    "apache-airflow-core": [{"fact": "Unread", "reason": "unknown format", "needed": True}],
    "ghost": [{"fact": "Unread", "reason": "unknown format", "needed": True}],
    "postfix": [{"fact": "Command"}, {"fact": "Signature", "integrity": "broken"}],
    "mdadm": [{"fact": "Command"}, {"fact": "Privilege"}],
    "certbot": [{"fact": "FileEffect", "path": "/etc/letsencrypt"}],
}


@cache
def downloaded(name: str) -> Path:
    client, pattern = REAL[name][:2]
    CACHE.mkdir(parents=True, exist_ok=True)
    if not list(CACHE.glob(pattern)):
        if shutil.which(client[0]) is None:
            pytest.skip(f"this machine has no {client[0]}")
        done = subprocess.run(client, cwd=CACHE, capture_output=True, text=True, check=False)
        if done.returncode or not list(CACHE.glob(pattern)):
            pytest.skip(f"{' '.join(client)}: {done.stderr.strip()[-200:]}")
    return sorted(CACHE.glob(pattern))[-1]


@cache
def inspected(name: str) -> tuple[int, str, dict[str, Any]]:
    argv = [sys.executable, "-m", "fulldress", "inspect", str(downloaded(name)), "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr, json.loads(done.stdout or "{}")


@pytest.mark.parametrize("name", REAL)
def test_a_real_package_is_read_to_its_end(name: str) -> None:
    code, talk, view = inspected(name)
    _, _, counts, facts, kinds = REAL[name]
    assert code in (0, 1, 3), talk
    assert "Traceback" not in talk
    found = view["facts"]
    for family, least in counts.items():
        assert sum(fact["fact"] == family for fact in found) >= least, family
    for wanted in facts:
        assert any(wanted.items() <= fact.items() for fact in found), wanted
    for unwanted in FALSE.get(name, []):
        assert not [fact for fact in found if unwanted.items() <= fact.items()], unwanted
    assert kinds <= {fact["kind"] for fact in found if fact["fact"] == "Entry"}


@pytest.mark.parametrize("name", REAL)
def test_nothing_of_a_real_package_is_damaged_refused_or_unreadable_by_us(name: str) -> None:
    _, _, view = inspected(name)
    wrong = [
        fact
        for fact in view["facts"]
        if fact["fact"] == "Unread"
        and fact["reason"] in ("damaged", "encrypted", "refused for safety", "this machine cannot")
    ]
    assert wrong == []
    assert all(
        fact.get("sha256")
        for fact in view["facts"]
        if fact["fact"] == "Entry" and fact["kind"] not in ("folder", "link")
    )
