"""What happened on a copy while it was upgraded, whichever engine: statements, the locks they held, who waited.

Times are seconds since the epoch, UTC. :mod:`fulldress.database.testimony` turns them into facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fulldress.engine.venue import StatementRun
from fulldress.facts import excerpt


@dataclass
class Statement:
    """A statement that ran, or runs while ``ended`` is None."""

    migration: str
    text: str
    pid: int
    started: float
    path: str = ""
    line: int = 0
    step: str = ""
    ended: float | None = None
    sent: str = ""  #: the whole text, as the log repeats it
    rewritten: list[str] = field(default_factory=list)
    scanned: list[str] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    rows: int | None = None
    wal: int | None = None
    error: str = ""
    read_whole: list[str] = field(default_factory=list)
    temporary: int | None = None
    repeated: int = 1
    how: str = ""  #: the quickest way that the server accepts, by attempt (MariaDB, MySQL)

    @property
    def label(self) -> str:
        text = excerpt(self.text, 120)
        return f"{text} (×{self.repeated:,})" if self.repeated > 1 else text


@dataclass
class Held:
    """A lock that a statement took, until ``released``."""

    statement: Statement
    mode: str
    object: str
    taken: float
    seen: float
    caught: str
    released: float | None = None


@dataclass
class Waiting:
    """Somebody who waits, or waited until ``ended``."""

    pid: int
    victim: str
    object: str
    mode: str
    blocker: Statement
    since: float
    seen: float
    exact: float | None = None  #: seconds, from the log
    ended: float | None = None
    chain: tuple[str, ...] = ()
    outcome: str = ""

    @property
    def seconds(self) -> float:
        return self.exact if self.exact is not None else max((self.ended or self.seen) - self.since, 0.0)


@dataclass(frozen=True)
class Ran:
    """A script that ran: what a Migration fact is made of."""

    name: str
    step: str
    run: StatementRun
    statements: int
    transaction: bool | None
    failed_at: str = ""
