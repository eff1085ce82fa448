"""MariaDB's programs out of the distribution's packages, unpacked beside the cache and installed nowhere.

``apt-get download`` fetches what ``apt-get`` itself says would be installed, from the user's own sources; apt compares
every package with the signed index before it hands it out (apt-secure(8)). ``dpkg-deb -x`` unpacks without running any of
its scripts, so this needs no root and changes nothing on the system.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from fulldress.database.mysql.resolve import Installation, folder, installations, missing
from fulldress.errors import MajorNotFetched

_WANTED = ("mariadb-server-core", "mariadb-client-core", "mariadb-client")  # the last holds mariadb-dump
_PATIENCE = 600  #: seconds for one call of apt
#: What a server and its programs are made of; documentation, other programs and translations stay behind.
_KEPT = ("sbin/mariadbd", "bin/mariadb", "bin/mariadb-dump", "share/mysql", "lib")


def add() -> Installation:
    """Fetch the MariaDB that the system's package sources offer. Raises :class:`MariadbNotFetched`."""
    for program in ("apt-get", "dpkg-deb"):
        if missing(program):
            raise MariadbNotFetched(f"{program} is not here: this is no Debian or Ubuntu")
    folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder()) as scratch:
        place = Path(scratch)
        said = _ask(["apt-get", "-s", "install", "--no-install-recommends", *_WANTED], place)
        names = re.findall(r"^Inst (\S+)(?: \[\S+\])? \((\S+)", said, re.MULTILINE)
        if not {name for name, _ in names} & set(_WANTED):
            raise MariadbNotFetched("it is installed here already, and used as it is")
        needed = [f"{name}={version}" for name, version in names if "perl" not in name]  # of scripts that stay behind
        _ask(["apt-get", "download", "-q", *needed], place)
        for package in sorted(place.glob("*.deb")):
            _ask(["dpkg-deb", "-x", str(package), str(place / "whole")], place)
        version = dict(names).get("mariadb-server-core", "")
        kept = folder() / re.sub(r"[^\w.+-]", "_", re.sub(r"^\d+:", "", version))
        _keep(place / "whole", place / "kept")
        shutil.rmtree(kept, ignore_errors=True)
        (place / "kept").rename(kept)
    found = next((one for one in installations() if one.server.is_relative_to(kept)), None)
    if found is None:
        shutil.rmtree(kept, ignore_errors=True)
        raise MariadbNotFetched("what was fetched does not start on this machine")
    return found


class MariadbNotFetched(MajorNotFetched):
    """MariaDB could not be fetched: {0}. Install your distribution's mariadb-server, or name the folder of its programs
    with --mysql-bin."""


def _keep(whole: Path, kept: Path) -> None:
    for name in _KEPT:
        source = whole / "usr" / name
        if source.exists():
            (kept / "usr" / name).parent.mkdir(parents=True, exist_ok=True)
            source.rename(kept / "usr" / name)
    kept.chmod(0o755)


def _ask(words: list[str], place: Path) -> str:
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
            cwd=place,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MariadbNotFetched(f"{words[0]}: {error}") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("E: ")] or done.stderr.splitlines()
        raise MariadbNotFetched(f"{words[0]}: {lines[0][:200] if lines else done.returncode}")
    return done.stdout
