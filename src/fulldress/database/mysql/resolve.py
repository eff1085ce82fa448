"""Which MariaDB or MySQL programs a rehearsal uses: the user's folder, the system's, or fetched ones."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import msgspec

from fulldress.database import records
from fulldress.errors import BadMysql, NoMysql

_SERVERS = ("mariadbd", "mysqld")
_CLIENTS = ("mariadb", "mysql")
_DUMPERS = ("mariadb-dump", "mysqldump")
_FOLDERS = ("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/local/mysql/bin", "/opt/mysql/bin")
HIDE_SYSTEM = "FULLDRESS_NO_SYSTEM_MYSQL"


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """Programs of one version. ``top`` is the folder that holds ``share`` and the programs."""

    server: Path
    client: Path
    dump: Path
    version: str
    mariadb: bool
    origin: str  #: given, system, added
    top: Path
    warning: str = ""

    @property
    def name(self) -> str:
        return "MariaDB" if self.mariadb else "MySQL"

    @property
    def dialect(self) -> str:
        return "mariadb" if self.mariadb else "mysql"

    @property
    def series(self) -> tuple[int, int]:
        numbers = [int(part) for part in re.findall(r"\d+", self.version)[:2]]
        return (numbers[0], numbers[1])

    def environment(self) -> dict[str, str]:
        """What fetched programs need to find their libraries, which are not installed."""
        libraries = [str(path) for path in sorted((self.top / "lib").glob("*-linux-gnu"))]
        return {"LD_LIBRARY_PATH": ":".join(libraries)} if self.origin != "system" and libraries else {}


def folder() -> Path:
    """Where fetched servers lie, one folder each, named by their version."""
    return records.cache_folder() / "mysql-servers"


def installations(given: Path | None = None) -> list[Installation]:
    """Those that start here, in order of preference. ``given``: that folder only; raises :class:`BadMysql`."""
    if given is not None:
        near = [given, given / "bin", given / "sbin", given.parent / "bin", given.parent / "sbin"]
        one = _look(near, "given")
        if one is None:
            raise BadMysql(given, f"lacks one of {', '.join(_SERVERS)}, or {', '.join(_DUMPERS)}, or does not start")
        return [one]
    found = []
    if os.environ.get(HIDE_SYSTEM) != "1":
        places = [Path(one) for one in (*_FOLDERS, *os.get_exec_path())]
        if (one := _look(places, "system")) is not None:
            found.append(one)
    for added in sorted(folder().glob("*/usr"), reverse=True) if folder().is_dir() else []:
        if (one := _look([added / "sbin", added / "bin"], "added")) is not None:
            found.append(one)
    return found


def resolve(given: Path | None = None, version: str = "") -> Installation:
    """The programs to use for production's ``version``, e.g. ``10.11.6-MariaDB``. Raises :class:`NoMysql`."""
    found = installations(given)
    if not found:
        raise NoMysql()
    if not version:
        return found[0]
    mariadb = "mariadb" in version.lower()
    numbers = [int(part) for part in re.findall(r"\d+", version)[:2]]
    fitting = [one for one in found if one.mariadb == mariadb]
    best = next((one for one in fitting if list(one.series) == numbers), (fitting or found)[0])
    if best.mariadb != mariadb or list(best.series) != numbers:
        words = (
            f"production runs {version}, rehearsed on {best.name} {best.version}: syntax, locks and timings may differ"
        )
        return msgspec.structs.replace(best, warning=words)
    return best


def _look(places: list[Path], origin: str) -> Installation | None:
    def first(names: tuple[str, ...]) -> Path | None:
        return next((at / name for name in names for at in places if os.access(at / name, os.X_OK)), None)

    server, client, dump = first(_SERVERS), first(_CLIENTS), first(_DUMPERS)
    if server is None or client is None or dump is None:
        return None
    top = server.parent.parent
    one = Installation(server=server, client=client, dump=dump, version="", mariadb=True, origin=origin, top=top)
    try:
        said = subprocess.run(
            [str(server), "--no-defaults", "--version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env={"PATH": "/usr/bin:/bin", **one.environment()},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"Ver (\d+\.\d+\.\d+)(\S*)", said.stdout)
    if said.returncode or match is None:
        return None
    return msgspec.structs.replace(one, version=match[1], mariadb="mariadb" in said.stdout.lower())


def missing(program: str) -> bool:
    return shutil.which(program) is None
