"""Clones of files: a data directory, or a base backup (plain or tar). They are copied; production's are never started.

The copy is cut off from production before anything runs on it: tablespaces and a WAL folder elsewhere are copied too and
their links bent, signals that would make it follow a primary go, as do replication slots, and subscriptions get no
workers. Its configuration is ours, with those of production's settings that change what a migration does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import msgspec

from fulldress.database import places
from fulldress.database.postgres import compared, restored
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.resolve import Installation, installations
from fulldress.database.postgres.server import OBSERVER, Server
from fulldress.database.unpacked import unpack
from fulldress.errors import BadDataFolder, ServerFailed
from fulldress.facts import Unread
from fulldress.patterns import regex

#: Settings of production's that change what a statement does or how long it may take. The rest is of its machine.
KEPT = (
    "search_path", "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout",
    "default_transaction_isolation", "default_transaction_read_only", "default_tablespace", "datestyle",
    "intervalstyle", "timezone", "standard_conforming_strings", "default_text_search_config", "bytea_output",
    "xmloption", "check_function_bodies", "row_security", "array_nulls", "quote_all_identifiers", "lo_compat_privileges",
    "default_toast_compression", "default_table_access_method", "password_encryption", "work_mem",
    "maintenance_work_mem", "max_parallel_maintenance_workers", "random_page_cost", "effective_cache_size", "jit",
    "max_prepared_transactions", "max_locks_per_transaction", "enable_partitionwise_join",
)  # fmt: skip
_SETTING = regex(r"^\s*(\w+)\s*=?\s*('(?:[^']|'')*'|[^#\s]+)", re.MULTILINE)
#: Nothing may follow a primary, archive, or fetch rows from anywhere.
_ALONE = {
    "archive_mode": "off",
    "max_logical_replication_workers": "0",
    "shared_preload_libraries": "",
    "primary_conninfo": "",
    "ssl": "off",
    "hot_standby": "off",
}
_GONE = (
    "postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal", "recovery.conf", "postgresql.auto.conf",
    "pg_hba.conf", "pg_ident.conf", "postgresql.conf", "backup_manifest", "tablespace_map",
)  # fmt: skip
_CLEAN = (1, 2)  #: states in pg_control: shut down, shut down in recovery (src/include/catalog/pg_control.h)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A folder with a cluster's files. ``tars``: it is a base backup in tar form."""

    folder: Path
    major: int
    bytes: int
    tars: tuple[Path, ...] = ()
    backup: bool = False  #: made by a base backup: it is consistent after recovery
    clean: bool = True  #: the server had been shut down in order

    def lay_out(self, server: Server) -> None:
        """Put a copy into ``server``'s place, cut off from production, with a superuser of our own."""
        data = server.base / "data"
        (_unpack if self.tars else _copy)(self, data, server.base / "tablespaces")
        settings = _cut_off(data)
        (data / "postgresql.conf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
        (data / "pg_hba.conf").write_text("local all all trust\n")
        (data / "pg_ident.conf").write_text("")
        places.give_all(data, server.account)
        if (server.base / "tablespaces").is_dir():
            places.give_all(server.base / "tablespaces", server.account)
        data.chmod(0o700)
        _recover(server, self.folder)


def look(folder: Path) -> Found:
    """Raises :class:`BadDataFolder` where the folder holds no cluster, a server runs on it, or it cannot be read."""
    try:
        return _look(folder)
    except OSError as error:
        raise BadDataFolder(
            folder, error.strerror or str(error), "Start fulldress as the user who owns it, or as root."
        ) from error


def _look(folder: Path) -> Found:
    tars = tuple(sorted([*folder.glob("*.tar"), *folder.glob("*.tar.gz")]))
    base = next((one for one in tars if one.name.split(".")[0] == "base"), None)
    if base is not None and not (folder / "PG_VERSION").is_file():
        return _look_into_tar(folder, base, tars)
    packed = sorted([*folder.glob("base.tar.*")])
    if packed:
        raise BadDataFolder(folder, f"{packed[0].name} is compressed in a way not read here", "Unpack it first.")
    if not (folder / "PG_VERSION").is_file():
        raise BadDataFolder(folder, "no PG_VERSION is in it", "Give a data directory or the folder of a base backup.")
    major = int((folder / "PG_VERSION").read_text().split(".")[0])
    process = _running(folder)
    if process:
        raise BadDataFolder(
            folder,
            f"a server runs on it (process {process})",
            "Give --url, a base backup (pg_basebackup), or stop the server.",
        )
    _refuse_incremental(folder, (folder / "backup_manifest").is_file(), (one.name for one in folder.glob("global/*")))
    state = int.from_bytes((folder / "global" / "pg_control").read_bytes()[16:20], "little")
    backup = (folder / "backup_label").is_file()
    for space in (folder / "pg_tblspc").glob("*"):
        if not space.resolve().is_dir():
            raise BadDataFolder(
                folder, f"pg_tblspc/{space.name} leads to {space.resolve()}, which is not there", "Bring it."
            )
    size = _bytes(folder) + sum(_bytes(one.resolve()) for one in (folder / "pg_tblspc").glob("*"))
    return Found(folder=folder, major=major, bytes=size, backup=backup, clean=backup or state in _CLEAN)


def _look_into_tar(folder: Path, base: Path, tars: tuple[Path, ...]) -> Found:
    try:
        with tarfile.open(base) as archive:
            names = archive.getnames()
            version = archive.extractfile(next(name for name in names if name.removeprefix("./") == "PG_VERSION"))
            assert version is not None  # noqa: S101
            major = int(version.read().split(b".")[0])
    except (tarfile.TarError, EOFError, StopIteration, KeyError, ValueError) as error:
        raise BadDataFolder(
            folder, f"{base.name} is no base backup ({error or 'no PG_VERSION in it'})", "Take it anew."
        ) from error
    _refuse_incremental(folder, True, (name.rpartition("/")[2] for name in names))
    size = sum(one.stat().st_size * (4 if one.name.endswith(".gz") else 1) for one in tars)
    return Found(folder=folder, major=major, bytes=size, tars=tars, backup=True)


def _refuse_incremental(folder: Path, backup: bool, names: object) -> None:
    if backup and any(str(name).startswith("INCREMENTAL.") for name in names):  # type: ignore[attr-defined]
        raise BadDataFolder(folder, "it is an incremental backup", "Combine it first (pg_combinebackup).")


def _bytes(folder: Path) -> int:
    return sum(os.lstat(f"{top}/{name}").st_size for top, _, files in os.walk(folder, onerror=_raise) for name in files)


def _raise(error: OSError) -> None:
    raise error


def _running(folder: Path) -> int:
    """The process that ``postmaster.pid`` names, if it is a server still; 0: none."""
    try:
        process = int((folder / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(process, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return 0
    except PermissionError:
        pass  # it lives, and is somebody else's
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return process
    return process if b"postgres" in command or b"postmaster" in command else 0


def fitting(found: Found, pg_bin: Path | None) -> Installation:
    """Programs of the files' own major; no other reads them. Raises :class:`BadDataFolder`."""
    for one in installations(pg_bin):
        if one.major == found.major:
            return one
    raise BadDataFolder(
        found.folder,
        f"it is of PostgreSQL {found.major}, and no server of that major is here",
        f"Get it with: fulldress database add {found.major}; or name its folder with --pg-bin.",
    )


# -- the copy -------------------------------------------------------------------------------------------------------


def _copy(found: Found, data: Path, tablespaces: Path) -> None:
    """With what its links lead to: tablespaces, and WAL on a disk of its own."""
    before = _signature(found.folder)
    places.copy(found.folder, data)
    if _running(found.folder) or _signature(found.folder) != before:
        raise BadDataFolder(
            found.folder, "it changed while it was copied: a server runs on it", "Give --url or a base backup."
        )
    for link in [one for one in [*data.iterdir(), *(data / "pg_tblspc").iterdir()] if one.is_symlink()]:
        target = (found.folder / link.relative_to(data)).resolve()
        if not target.exists():
            raise BadDataFolder(
                found.folder, f"{link.relative_to(data)} leads to {target}, which is not there", "Bring it."
            )
        link.unlink()
        if link.parent.name == "pg_tblspc":
            tablespaces.mkdir(exist_ok=True)
            places.copy(target, tablespaces / link.name)
            link.symlink_to(tablespaces / link.name)
        else:
            places.copy(target, link)


def _signature(folder: Path) -> list[tuple[str, int, int]]:
    watched = [folder / "global" / "pg_control", *sorted((folder / "pg_wal").glob("*"))]
    return [(one.name, one.stat().st_mtime_ns, one.stat().st_size) for one in watched if one.is_file()]


def _unpack(found: Found, data: Path, tablespaces: Path) -> None:
    for tar in found.tars:
        name = tar.name.split(".")[0]
        target = {"base": data, "pg_wal": data / "pg_wal"}.get(name, tablespaces / name)
        target.mkdir(parents=True, exist_ok=True)
        try:
            with tarfile.open(tar) as archive:
                unpack(archive, target, links=False)
        except (tarfile.TarError, EOFError, OSError) as error:
            raise BadDataFolder(found.folder, f"{tar.name} cannot be unpacked ({error})", "Take it anew.") from error
    for space in tablespaces.glob("*"):
        link = data / "pg_tblspc" / space.name
        link.unlink(missing_ok=True)
        link.symlink_to(space)


def _cut_off(data: Path) -> dict[str, str]:
    """Take away what leads back to production; returns the settings that stay."""
    kept: dict[str, str] = {}
    for name in ("postgresql.conf", "postgresql.auto.conf"):
        path = data / name
        if path.is_file():
            for key, value in _SETTING.findall(path.read_text(errors="replace")):
                if key.lower() in KEPT:
                    kept[key.lower()] = value
    for name in _GONE:
        (data / name).unlink(missing_ok=True)
    for slot in (data / "pg_replslot").glob("*"):
        shutil.rmtree(slot, ignore_errors=True)
    for folder in (
        "pg_notify",
        "pg_replslot",
        "pg_stat_tmp",
        "pg_dynshmem",
        "pg_serial",
        "pg_snapshots",
        "pg_subtrans",
    ):
        (data / folder).mkdir(exist_ok=True)  # a base backup leaves these empty, and some copies leave them out
    return {**{key: f"'{value}'" for key, value in _ALONE.items()}, **kept}


def _recover(server: Server, origin: Path) -> None:
    """Recovery, in single-user mode: there, no password is asked, and a role of ours can be made whoever the owner is."""
    said = ""
    for database in ("template1", "postgres"):
        done = subprocess.run(
            [str(server.programs / "postgres"), "--single", "-D", str(server.base / "data"), "-c", "fsync=off", database],
            input=f"CREATE ROLE {OBSERVER} SUPERUSER LOGIN\nALTER ROLE {OBSERVER} SUPERUSER LOGIN VALID UNTIL 'infinity'\n"
            "CREATE DATABASE postgres\n",
            capture_output=True, text=True, errors="replace", check=False, cwd=server.base, env=places.environment(),
            **places.run_as(server.account),
        )  # fmt: skip
        if done.returncode == 0:
            return
        said = places.last_words(done.stderr)
    raise BadDataFolder(
        origin, f"PostgreSQL {server.installation.version} does not start on a copy of it: {said}",
        "A base backup needs its WAL (pg_basebackup -X stream), and this machine production's locale and processor.",
    )  # fmt: skip


# -- the clone ------------------------------------------------------------------------------------------------------


def clone(server: Server, found: Found, database: str = "", role: str = "") -> Clone:
    """The clone of one database of the copied files; ``database`` may be left out where there is but one."""
    with server.session("postgres") as line:
        names = [str(row[0]) for row in line.rows(
            "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname"
        )]  # fmt: skip
    own = [name for name in names if name != "postgres"] or names
    if database not in names and (database or len(own) != 1):
        raise BadDataFolder(
            found.folder,
            f'no database "{database}" is in it' if database else f"it holds {len(own)} databases",
            f"Choose with --database: {', '.join(own)}.",
        )
    name = database or own[0]
    gaps: list[Unread] = []
    try:
        with server.session(name) as line:
            wanted = {
                str(one): str(version) for one, version in line.rows("SELECT extname, extversion FROM pg_extension")
            }
            gaps += compared.extensions(line, wanted, name)
            said = line.query(compared.collation_query(line.major))[0]
            gaps += compared.collation(line, name, str(said["locale"]), str(said["recorded"]), copied=True)
            gaps += _not_told(line.major, str(said["locale"]), name)
    except ServerFailed as error:
        raise BadDataFolder(found.folder, str(error), "") from error
    with server.session("postgres") as line:
        restored.make_role(line, role or "postgres", "LOGIN")
    made = Clone(server, name, role or "postgres")
    made.unread += gaps
    if not found.clean:
        made.unread.append(
            compared.gap(
                f"whether the files of database {name} are of one moment",
                "the server had not been shut down, and no base backup was made: recovered as after a crash, which is right "
                "only for a snapshot taken at once",
            )
        )
    return made


def _not_told(major: int, locale: str, name: str) -> list[Unread]:
    if major >= 15 or locale in compared.BYTEWISE:
        return []
    return [
        compared.gap(
            f"order of indexes on text in database {name}",
            f"PostgreSQL {major} does not keep by which version of the rules they were built; another C library here may "
            "read them wrongly",
        )
    ]
