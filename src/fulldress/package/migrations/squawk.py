"""Squawk's advice on PostgreSQL scripts, where it says something that our own rules do not.

One process for all files; it needs no network and changes nothing. Most of its rules are of style or say what
:mod:`fulldress.package.migrations.postgres` says with fewer false alarms (it takes a wider VARCHAR for a rewrite), and
time-outs are judged elsewhere: only those of :data:`_KEPT` are taken. Without its binary nothing of ours is missing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from fulldress.facts.database import Effect

_KEPT = {
    "ban-uncommitted-transaction": ("fails", "its transaction is begun and never committed: nothing of it stays"),
    "transaction-nesting": ("fails", "begins a transaction inside one: the inner COMMIT ends both"),
    "ban-alter-domain-with-add-constraint": ("scan", "every table with a column of the domain is read under a lock"),
}
_SECONDS = 20


class Unavailable(Exception):
    """Squawk is there and did not answer; the message says why."""


def advise(texts: Mapping[int, str]) -> dict[int, list[Effect]]:
    """``key -> effects`` for the scripts of which squawk has something to add. Raises :class:`Unavailable`."""
    binary = _binary()
    if binary is None or not texts:
        return {}
    with tempfile.TemporaryDirectory(prefix="fulldress-") as folder:
        for key, text in texts.items():
            (Path(folder) / f"{key}.sql").write_text(text, encoding="utf-8", errors="replace")
        command = [binary, "--reporter", "json", *(f"{key}.sql" for key in texts)]
        try:
            ran = subprocess.run(command, cwd=folder, capture_output=True, timeout=_SECONDS, check=False, env={})
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(type(error).__name__) from None
    try:
        advice: list[dict[str, Any]] = msgspec.json.decode(ran.stdout or b"[]", type=list[dict[str, Any]])
    except msgspec.DecodeError:
        raise Unavailable(f"exit code {ran.returncode}") from None
    found: dict[int, list[Effect]] = {}
    for item in advice:
        kept = _KEPT.get(str(item.get("rule_name")))
        stem = Path(str(item.get("file"))).stem
        if kept is None or not stem.isdigit() or not isinstance(item.get("line"), int):
            continue
        lines = texts[int(stem)].splitlines()
        line = item["line"]
        shown = lines[line].strip()[:120] if line < len(lines) else ""
        found.setdefault(int(stem), []).append(Effect(kind=kept[0], statement=shown, line=line + 1, says=kept[1]))
    return found


def _binary() -> str | None:
    beside = Path(sys.executable).with_name("squawk")
    return str(beside) if beside.is_file() else shutil.which("squawk")
