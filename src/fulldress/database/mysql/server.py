"""A MariaDB or MySQL server of the rehearsal's own: private, without a network address, gone when fulldress is gone.

Never as root (see :mod:`fulldress.database.places`). A guard process ends it when fulldress dies, by whatever death.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fulldress.database import places, records
from fulldress.database.mysql.resolve import Installation
from fulldress.database.mysql.wire import Connection, MysqlLost
from fulldress.errors import MysqlFailed

if TYPE_CHECKING:
    from fulldress.database.mysql.clone import Clone

#: Our own account, under which observers show up, and the one that migrations run as. Neither has a password: only the
#: socket's folder lets anybody in.
OBSERVER, RUNNER = "fulldress", "rehearsal"
_GUARD = '"$@" & server=$!; read -r _; kill -KILL "$server" 2>/dev/null; wait "$server"; rm -rf -- "$0" "$FULLDRESS_SOCKETS" 2>/dev/null'
_MEBI = 1 << 20


class Server:
    """A running server, as a context manager. ``need`` is how many bytes of data are expected."""

    def __init__(self, installation: Installation, scratch: Path | None = None, *, need: int = 256 * _MEBI) -> None:
        self.installation = installation
        self.account = places.account()
        self.clones: dict[str, Clone] = {}
        self._scratch = scratch
        self._need = need
        self._guard: subprocess.Popen[bytes] | None = None
        self._record: Path | None = None
        self.base = Path()
        self.socket_folder = Path()

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def socket(self) -> Path:
        return self.socket_folder / "mysql.sock"

    def session(self, database: str = "", user: str = OBSERVER) -> Connection:
        return Connection(self.socket, user, database)

    def start(self) -> Server:
        records.sweep()
        self.base = places.base_folder(self._scratch, self._need, self.account)
        try:
            self._record = records.write(self.base, self.base / "s", 0)
            self.socket_folder = self._make_socket_folder()
            self._reach()
            self._lay_out_data()
            self._spawn()
            self._wait_until_ready()
            with self.session(user="root") as line:
                for name in (OBSERVER, RUNNER):
                    line.run(f"CREATE USER IF NOT EXISTS '{name}'@'localhost'")
                    line.run(f"GRANT ALL PRIVILEGES ON *.* TO '{name}'@'localhost' WITH GRANT OPTION")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server and delete its data. May be called twice."""
        for clone in list(self.clones.values()):
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

    def create(self, name: str) -> Clone:
        """An empty database, e.g. for tracing a script that brings its own schema."""
        from fulldress.database.mysql.clone import Clone, quote

        with self.session() as line:
            line.run(f"CREATE DATABASE {quote(name)}")
        return Clone(self, name)

    # -- start ----------------------------------------------------------------------------------------------------

    def _make_socket_folder(self) -> Path:
        folder = self.base / "s"
        if len(os.fsencode(folder / "mysql.sock")) < 100:  # sun_path ends at 107
            folder.mkdir()
        else:
            folder = Path(tempfile.mkdtemp(prefix="fd-", dir="/tmp"))
        places.give(folder, self.account)
        return folder

    def _reach(self) -> None:
        """Where the server's user cannot get to the programs (below ``/root``), they are copied beside the data."""
        one = self.installation
        self.programs = one.top
        if not places.passable(one.server.parent, self.account):
            self.programs = self.base / "programs"
            shutil.copytree(one.top, self.programs, symlinks=True)
            places.give_all(self.programs, self.account)  # so that the guard, who runs as the same user, can delete it
            self.programs.chmod(0o755)

    def _server(self) -> list[str]:
        one = self.installation
        server = self.programs / one.server.relative_to(one.top)
        found = [str(server), "--no-defaults", f"--basedir={self.programs}", f"--datadir={self.base / 'data'}"]
        messages = self.programs / "share" / "mysql"
        return [*found, f"--lc-messages-dir={messages}"] if messages.is_dir() else found

    def _environment(self) -> dict[str, str]:
        libraries = [str(path) for path in (self.programs / "lib").glob("*-linux-gnu")]
        added = {"LD_LIBRARY_PATH": ":".join(libraries)} if self.installation.origin != "system" and libraries else {}
        return places.environment() | added

    def _lay_out_data(self) -> None:
        """The data directory, copied from the cached template of this version or made and then cached."""
        data = self.base / "data"
        one = self.installation
        template = records.cache_folder() / "mysql" / f"{one.dialect}-{one.version}-{one.origin}-1"
        if (template / "mysql").is_dir():
            places.copy(template, data)
            places.give_all(data, self.account)
            return
        data.mkdir()
        places.give(data, self.account)
        if one.mariadb:
            self._bootstrap()
        else:
            self._run([*self._server(), "--initialize-insecure"], None)
        places.keep_template(data, template)

    def _bootstrap(self) -> None:
        """The system tables, by the server's own scripts, in the order of ``mariadb-install-db``."""
        scripts = self.programs / "share" / "mysql"
        parts = ["create database mysql;\nuse mysql;\nset @auth_root_socket=NULL;\n"]
        for name in (
            "mysql_system_tables.sql",
            "mysql_performance_tables.sql",
            "mysql_system_tables_data.sql",
            "maria_add_gis_sp_bootstrap.sql",
            "mysql_sys_schema.sql",
        ):
            if (scripts / name).is_file():
                parts.append((scripts / name).read_text(encoding="utf-8", errors="replace"))
        words = [*self._server(), "--bootstrap", "--enforce-storage-engine=", "--innodb-log-file-size=32M"]
        self._run([*words, "--max-allowed-packet=8M", "--net-buffer-length=16K"], "".join(parts))

    def _run(self, words: list[str], text: str | None) -> None:
        done = subprocess.run(
            words,
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=self.base,
            env=self._environment(),
            **places.run_as(self.account),
        )
        if done.returncode:
            raise MysqlFailed(self.installation.version, places.last_words(done.stderr))

    def _spawn(self) -> None:
        files = self.base / "files"
        files.mkdir()
        places.give(files, self.account)
        words = [
            *self._server(),
            f"--socket={self.socket}",
            f"--pid-file={self.base / 'mysqld.pid'}",
            "--skip-networking",
            f"--secure-file-priv={files}",  # no LOAD DATA and no INTO OUTFILE beyond it
            f"--tmpdir={files}",
            "--local-infile=0",
            "--skip-log-bin",
            "--innodb-log-file-size=32M",
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-buffer-pool-size=256M",
            "--max-allowed-packet=1G",
            "--max-connections=300",
            "--character-set-server=utf8mb4",
            "--performance-schema=ON",
            "--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON",
            "--performance-schema-consumer-events-statements-current=ON",
            "--performance-schema-consumer-events-statements-history-long=ON",
            "--performance-schema-events-statements-history-long-size=50000",
            "--performance-schema-max-sql-text-length=4096",
        ]
        if not self.installation.mariadb:
            words += ["--mysqlx=OFF"]
        with (self.base / "server.log").open("wb") as out:
            self._guard = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, str(self.base), *words],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                cwd=self.base,
                env=self._environment() | {"FULLDRESS_SOCKETS": str(self.socket_folder)},
                start_new_session=True,  # Ctrl-C is for fulldress, which then ends the server in order
                **places.run_as(self.account),
            )
        self._record = records.write(self.base, self.socket_folder, self._guard.pid)

    def _wait_until_ready(self, patience: float = 60.0) -> None:
        deadline = time.monotonic() + patience
        assert self._guard is not None  # noqa: S101
        children = Path(f"/proc/{self._guard.pid}/task/{self._guard.pid}/children")
        seen = False
        while True:
            try:
                self.session(user="root").close()
                return
            except MysqlLost as error:
                alive = any(records.start_of(int(pid)) for pid in _read(children).split())
                seen = seen or alive
                if (seen and not alive) or time.monotonic() > deadline:
                    words = places.last_words(_read(self.base / "server.log"))
                    raise MysqlFailed(self.installation.version, words or str(error)) from error
            time.sleep(0.005)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
