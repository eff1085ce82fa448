"""Whether two states of the source read the same facts out of the same packages: a change for speed alone must not change any.

    python benchmarks/same_facts.py OLD [NEW] [PACKAGE ...]

``OLD`` and ``NEW`` are commits (without ``NEW``: the files as they stand here). Each is unpacked into a folder of its own and
reads every package, by default all those below ``.cache/real``, with the same instant to judge by. Printed is, by package, the
number of facts and what differs; the exit code is 1 where something does. Nothing is fetched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
REAL = ROOT / ".cache/real"
_READ = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from fulldress.facts import encode
from fulldress.package import read
sys.stdout.buffer.write(encode(read(Path(sys.argv[1]), at=datetime(2026, 9, 1, tzinfo=UTC)).facts))
"""


def unpacked(commit: str, folder: Path) -> Path:
    """The sources of a commit, in a folder of their own."""
    folder.mkdir()
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit, "src"], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return folder / "src"


def facts(source: Path, package: Path) -> list[str]:
    """One line a fact, sorted."""
    environment = {**os.environ, "PYTHONPATH": str(source)}
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(package)], capture_output=True, env=environment, check=False
    )
    if done.returncode:
        return ["not read: " + done.stderr.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1]]
    return sorted(json.dumps(fact, sort_keys=True, ensure_ascii=False) for fact in json.loads(done.stdout))


def main() -> int:
    words = sys.argv[1:]
    commits = [word for word in words if not Path(word).is_file()]
    packages = [Path(word) for word in words if Path(word).is_file()] or sorted(
        p for p in REAL.glob("*") if p.is_file()
    )
    if not commits or len(commits) > 2:
        print(__doc__)
        return 2
    worst = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        old = unpacked(commits[0], folder / "old")
        if len(commits) == 2:
            new = unpacked(commits[1], folder / "new")
        else:
            new = folder / "new"
            shutil.copytree(ROOT / "src", new)  # as it stands now: others may be at work in it
        for package in packages:
            before, after = facts(old, package), facts(new, package)
            gone, fresh = sorted(set(before) - set(after)), sorted(set(after) - set(before))
            print(f"{package.name[:48]:48} {len(before):6} facts, {len(gone)} gone, {len(fresh)} new")
            for sign, lines in (("-", gone), ("+", fresh)):
                for line in lines[:5]:
                    print(f"  {sign} {line[:400]}")
            worst |= before != after
    return int(worst)


if __name__ == "__main__":
    sys.exit(main())
