"""A PostgreSQL server of the rehearsal's own: private, without a network address, gone when fulldress is gone.

Never runs as root: where fulldress is root, the server runs as ``postgres`` if there is such a user, else as ``nobody``.
A guard process keeps a pipe from fulldress open; when the pipe closes, by whatever death, the guard ends the server and
deletes its data. :func:`fulldress.database.records.sweep` is the second net.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fulldress.database import contain, places, records
from fulldress.database.postgres.resolve import Installation
from fulldress.database.postgres.wire import Connection
from fulldress.errors import ConnectionLost, DatabaseError, ServerFailed

if TYPE_CHECKING:
    from fulldress.database.postgres.clone import Clone

#: Our own superuser, and the name under which observers show up. Production's ``postgres`` stays free.
OBSERVER = "fulldress"
PORT = 5432
_MEBI = 1 << 20
#: Programs that lie where only root can get to are kept here; root alone writes here, every user may read.
_REACHABLE = Path("/var/cache/fulldress/programs")
#: Ours; passed on the command line, so that an ALTER SYSTEM of the vendor's cannot blind the trace.
_SETTINGS: dict[str, str] = {
    "listen_addresses": "",
    "fsync": "off",
    "max_connections": "300",
    "logging_collector": "on",
    "log_rotation_age": "0",
    "log_rotation_size": "0",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "deadlock_timeout": "10ms",
    "log_min_error_statement": "debug1",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    "track_activity_query_size": "4096",
    "cluster_name": "fulldress rehearsal",
    "dynamic_shared_memory_type": "mmap",  # below its own folder; it may write nowhere else
}
_GUARD = '"$@" & server=$!; read -r _; kill -QUIT "$server" 2>/dev/null; wait "$server"; rm -rf -- "$0" "$FULLDRESS_SOCKETS" 2>/dev/null'


class Server:
    """A running server, as a context manager. ``need`` is how many bytes of data are expected.

    Data lies on a memory file system where it fits, else below ``scratch``, else in the temporary folder. ``lay_out`` puts
    a data directory in place itself, e.g. a copy of production's."""

    def __init__(
        self,
        installation: Installation,
        scratch: Path | None = None,
        settings: Mapping[str, str] | None = None,
        *,
        need: int = 128 * _MEBI,
        lay_out: Callable[[Server], None] | None = None,
    ) -> None:
        self.installation = installation
        self.settings = dict(settings or {})
        self.need = need
        self.clones: dict[str, Clone] = {}
        self.account = places.account()
        self._scratch = scratch
        self._lay_out = lay_out
        self._guard: subprocess.Popen[bytes] | None = None
        self._record: Path | None = None
        self._libraries: Path | None = None
        self.base = Path()
        self.programs = Path()
        self.socket_folder = Path()

    # -- lifetime -------------------------------------------------------------------------------------------------

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Server:
        records.sweep()
        self.base = places.base_folder(self._scratch, self.need, self.account)
        try:
            self._record = records.write(self.base, self.base / "s", 0)
            self.socket_folder = self._make_socket_folder()
            self.programs = _reachable_programs(self.installation, self.base, self.account)
            self._lay_out_data()
            self._spawn()
            self._wait_until_ready()
            with self.session("postgres") as line:
                if not line.rows("SELECT 1 FROM pg_roles WHERE rolname = 'postgres'"):
                    line.query("CREATE ROLE postgres SUPERUSER LOGIN CREATEDB CREATEROLE REPLICATION BYPASSRLS")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server and delete its data. May be called twice."""
        for clone in list(self.clones.values()):
            clone.close_taps()
            clone.stop_watch()
        self.clones.clear()
        guard, self._guard = self._guard, None
        if guard is not None:
            assert guard.stdin is not None  # noqa: S101
            guard.stdin.close()
            try:
                guard.wait(20)
            except subprocess.TimeoutExpired:
                records.stop_processes(self.base)
                guard.kill()
                guard.wait()
        if self.base != Path():
            records.remove(self.base, self.socket_folder)
        if self._record is not None:
            self._record.unlink(missing_ok=True)
            self._record = None

    # -- use ------------------------------------------------------------------------------------------------------

    @property
    def log(self) -> Path:
        """The structured log: JSON lines from 15 on, CSV before."""
        return self.base / "log" / ("server.json" if self.installation.major >= 15 else "server.csv")

    @property
    def socket(self) -> Path:
        """The unix socket that clients connect to."""
        return self.socket_folder / f".s.PGSQL.{PORT}"

    def session(
        self, database: str, user: str = OBSERVER, application: str = "fulldress-observer", options: str = ""
    ) -> Connection:
        return Connection(
            self.socket_folder, PORT, user=user, database=database, application=application, options=options
        )

    def dsn(self, database: str, user: str) -> str:
        from urllib.parse import quote

        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={quote(str(self.socket_folder))}&port={PORT}"

    def clone_from(self, *, url: str = "", dump: Path | str = "", name: str, role: str = "") -> Clone:
        """A copy of a production database, read from the server at ``url`` or from a ``pg_dump`` file."""
        from fulldress.database.postgres import source

        return source.clone(self, name, url=url, dump=Path(dump) if dump else None, role=role)

    def create(self, name: str, role: str = "postgres") -> Clone:
        """An empty database, e.g. for tracing a script that brings its own schema."""
        from fulldress.database.postgres.clone import Clone, quote

        with self.session("postgres") as line:
            line.query(f"CREATE DATABASE {quote(name)} TEMPLATE template0 OWNER {quote(role)}")
        return Clone(self, name, role)

    def start_watch(self) -> None:
        """Let every clone's poller look for locks and waits until :meth:`stop_watch`."""
        for clone in self.clones.values():
            clone.start_watch()

    def stop_watch(self) -> None:
        for clone in self.clones.values():
            clone.stop_watch()

    def has_library(self, name: str) -> bool:
        """Whether one of the server's loadable modules is installed; one that is not would refuse every connection."""
        if self._libraries is None:
            with self.session("postgres") as line:
                folder = line.rows("SELECT setting FROM pg_config() WHERE name = 'PKGLIBDIR'")[0][0]
            self._libraries = Path(str(folder))
        return (self._libraries / f"{name}.so").is_file()

    def lacking(self) -> list[str]:
        """What this machine's kernel cannot keep the server from (see :mod:`fulldress.database.contain`)."""
        return contain.lacking(self.base)

    def free(self) -> int:
        """Bytes free where the data lies."""
        return shutil.disk_usage(self.base).free

    # -- start ----------------------------------------------------------------------------------------------------

    def _make_socket_folder(self) -> Path:
        folder = self.base / "s"
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) < 100:  # sun_path ends at 107
            folder.mkdir()
        else:
            folder = Path(tempfile.mkdtemp(prefix="fd-", dir="/tmp"))
        places.give(folder, self.account)
        return folder

    def _lay_out_data(self) -> None:
        """The data directory, copied from the cached template of this version or made by initdb and then cached."""
        if self._lay_out is not None:
            self._lay_out(self)
            return
        data = self.base / "data"
        one = self.installation
        template = records.cache_folder() / "postgres" / f"{one.version}-{one.origin}-utf8-2"
        if not (template / "PG_VERSION").is_file():
            self._initdb(data)
            places.keep_template(data, template)
            return
        places.copy(template, data)
        places.give_all(data, self.account)

    def _initdb(self, data: Path) -> None:
        said = ""
        for locale in ("C.UTF-8", "C"):
            shutil.rmtree(data, ignore_errors=True)
            done = self._run(
                "initdb",
                "-D",
                str(data),
                "-U",
                OBSERVER,
                "-A",
                "trust",
                "-E",
                "UTF8",
                f"--locale={locale}",
                "--no-sync",
            )
            if done.returncode == 0:
                return
            said = places.last_words(done.stderr)
        raise ServerFailed(self.installation.version, f"initdb failed: {said}")

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(self.programs / program), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=self.base,
            env=places.environment(),
            **places.run_as(self.account),
        )
        return done

    def _spawn(self) -> None:
        log = self.base / "log"
        log.mkdir()
        places.give(log, self.account)
        settings = {
            **_SETTINGS,
            "unix_socket_directories": str(self.socket_folder),
            "log_directory": str(log),
            "log_filename": "server.log",
            "log_destination": "jsonlog" if self.installation.major >= 15 else "csvlog",
        }
        if self.installation.major >= 18 and places.shares_blocks(self.base):
            settings["file_copy_method"] = "clone"  # a copy of a database then takes hardly longer than its checkpoint
        if self.settings:
            with (self.base / "data" / "postgresql.conf").open("a") as conf:
                for key, value in self.settings.items():
                    conf.write(f"{key} = '{value.replace(chr(39), chr(39) * 2)}'\n")
        postgres = (self.programs / "postgres").resolve()
        arguments = [str(postgres), "-D", str(self.base / "data"), "-p", str(PORT)]
        for key, value in settings.items():
            arguments += ["-c", f"{key}={value}"]
        with (self.base / "start.log").open("wb") as out:
            account = (self.account.pw_uid, self.account.pw_gid) if self.account else None
            contained = contain.command(self.base, [self.socket_folder], postgres.parent.parent, account, arguments)
            self._guard = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, str(self.base), *contained],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                cwd=self.base,
                env=places.environment() | {"FULLDRESS_SOCKETS": str(self.socket_folder)},
                start_new_session=True,  # Ctrl-C is for fulldress, which then ends the server in order
            )
        self._record = records.write(self.base, self.socket_folder, self._guard.pid)

    def _says_ready(self) -> bool:
        """By its own file, as pg_ctl asks (src/include/utils/pidfile.h): a session that is refused costs a process."""
        lines = _read(self.base / "data" / "postmaster.pid").splitlines()
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _wait_until_ready(self, patience: float = 60.0) -> None:
        deadline = time.monotonic() + patience
        children = Path(f"/proc/{self._guard.pid}/task/{self._guard.pid}/children") if self._guard else Path()
        seen = False
        while True:
            try:
                if not self._says_ready():
                    raise ConnectionLost("it is not ready yet", self.socket_folder)
                self.session("postgres").close()
                return
            except DatabaseError as error:
                alive = any(records.start_of(int(pid)) for pid in _read(children).split())
                seen = seen or alive
                if (seen and not alive) or time.monotonic() > deadline:
                    words = places.last_words(_read(self.base / "start.log"))
                    raise ServerFailed(self.installation.version, words or str(error)) from error
                if not isinstance(error, ConnectionLost) and "57P03" not in str(error):
                    raise
            time.sleep(0.005)


def _reachable_programs(installation: Installation, base: Path, account: pwd.struct_passwd | None) -> Path:
    """The folder of programs. Where the server's user cannot get to it (below ``/root``), a copy that is kept, since
    making one takes longer than the whole start; beside the data where it cannot be kept."""
    if places.passable(installation.bin, account):
        return installation.bin
    top = installation.top or installation.bin.parent
    inside = installation.bin.relative_to(top)
    stamp = f"{top}{installation.bin.joinpath('postgres').stat().st_mtime_ns}"
    kept = _REACHABLE / f"{installation.version}-{zlib.crc32(stamp.encode()):08x}"
    if (kept / inside / "postgres").is_file():
        return kept / inside
    half = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}")
    try:
        _REACHABLE.mkdir(parents=True, exist_ok=True)
        shutil.copytree(top, half, symlinks=True)
        half.chmod(0o755)
        half.rename(kept)
        if places.passable(kept, account):
            return kept / inside
    except OSError:
        shutil.rmtree(half, ignore_errors=True)  # a full disk, or a faster process
        if (kept / inside / "postgres").is_file():
            return kept / inside
    copied = base / "programs"
    shutil.copytree(top, copied, symlinks=True)
    copied.chmod(0o755)
    return copied / inside


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
