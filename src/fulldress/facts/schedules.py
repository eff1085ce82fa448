"""What keeps running after the upgrade, and whom it calls."""

from __future__ import annotations

from datetime import datetime, timedelta

from fulldress.facts.witness import Fact

#: How a remark begins on a job whose mechanism keeps a zone of its own that nothing names.
ASSUMED_ZONE = "no zone is given: counted in UTC"


class Schedule(Fact, tag=True, frozen=True, kw_only=True):
    """A job that runs by itself.

    ``script`` is the entry (package) or file (host) that the command starts, so that the endpoints found in it can be
    joined. ``installed_by`` names the script that writes the schedule, empty where the package ships the file itself."""

    name: str
    mechanism: str  #: cron.d, crontab, cron.daily, systemd timer …
    expression: str
    command: str
    user: str = ""
    zone: str = "UTC"
    next_runs: tuple[datetime, ...] = ()
    script: str = ""
    target: str = ""  #: where it will stand on the host, e.g. ``/etc/cron.d/app-import``
    installed_by: str = ""
    enabled: bool = True
    #: what a reader of the expression would not expect: a run that a clock change skips or doubles, a zone that is assumed
    remarks: tuple[str, ...] = ()
    hindered: str = ""  #: why the scheduler will not run it as it stands, e.g. a name that run-parts passes over
    condition: str = ""  #: when it is enabled, e.g. ``fresh install``; empty: always


class Endpoint(Fact, tag=True, frozen=True, kw_only=True):
    """A host that is called. ``policy`` is production's word on it: live, stub, retired, or empty (not listed)."""

    scheme: str
    host: str
    port: int | None = None
    user: str = ""
    policy: str = ""
    outcome: str = ""  #: observed: refused, answered, led to the clone, unknown
    count: int = 1


class Secret(Fact, tag=True, frozen=True, kw_only=True):
    """A secret in the open. Only its kind and name are ever kept."""

    kind: str
    name: str = ""


class Growth(Fact, tag=True, frozen=True, kw_only=True):
    """Bytes a job writes, measured on the stage, and when the partition would be full."""

    schedule: str
    partition: str
    written: int  #: bytes in ``over``
    over: timedelta
    runs_per_hour: float
    bytes_per_hour: float
    free: int | None = None
    full_at: datetime | None = None


class Partition(Fact, tag=True, frozen=True, kw_only=True):
    mount: str
    free: int


class JobRun(Fact, tag=True, frozen=True, kw_only=True):
    """A schedule run at its hour on the stage."""

    schedule: str
    due: datetime
    exit_code: int | None
    duration: timedelta
    words: str = ""  #: last line it printed, masked
