"""Which telling words stand in which member: one pass over its bytes for the readers of all rooms together.

A reader that looks for a handful of things in every source file asks here before it looks with its own expressions. In a
large package a Hyperscan database of all words answers, compiled once and asked once for each member (measured: 0.9 to
2.2 GB/s for 50 words; one search a word is twenty times slower). In a small one, where loading it would cost more than it
saves (10 ms), and where Hyperscan is not to be had, each word is searched by itself. The answers are the same: a test
compares them.
"""

from __future__ import annotations

from typing import Any

from fulldress.package.reader import Member, Package

PYTHON_JOBS = (
    b"beat_schedule", b"BEAT_SCHEDULE", b"add_periodic_task", b"add_job", b"scheduled_job", b"periodic_task", b"DAG(", b"@dag(",
    b"periodiq", b"CRONJOBS", b"schedule", b"cron",
)  # fmt: skip
#: The end of a library's name in a call of ``require`` or ``import``.
JAVASCRIPT_JOBS = (
    b'cron"', b"cron'", b'croner"', b"croner'", b'schedule"', b"schedule'", b'scheduler"', b"scheduler'", b'agenda"', b"agenda'",
    b'bull"', b"bull'", b'bullmq"', b"bullmq'",
)  # fmt: skip
JAVASCRIPT_HOURS = (b"ron", b"chedul", b"repeat", b"agenda")
ADDED_JOBS = (b"addJob",)
SECTIONS = (
    b"conf.get(", b"cfg.get(", b"parser.get(", b".getint(", b".getboolean(", b".getfloat(", b".getlist(", b".getjson(",
    b".getmandatory_", b".gettimedelta(", b".getimport(", b".getenum(", b".getsection(",
)  # fmt: skip
LOOKED_UP = (
    b"environ", b"environ[", b"getenv", b"decouple", b"environ.Env", b"process.env", b"process.env[", b"config.get", b"@Value",
    b"getProperty", b"os.", b"viper", b"ENV", b"ENV.fetch", b"env",
)  # fmt: skip
#: All that the database knows. A word that is missing here is found as well, only more slowly.
WORDS = tuple(dict.fromkeys((*PYTHON_JOBS, *JAVASCRIPT_JOBS, *JAVASCRIPT_HOURS, *ADDED_JOBS, *SECTIONS, *LOOKED_UP)))
_BIT = {word: 1 << number for number, word in enumerate(WORDS)}
PAYS = 1 << 20  #: bytes of texts from which on loading and compiling are worth their time


class Telling:
    """What is known of the members of one package. Without :meth:`prepare` it knows nothing, and words are searched."""

    def __init__(self) -> None:
        self._database: Any = None
        self._found: dict[str, int] = {}
        self._bits = 0

    def prepare(self) -> None:
        """Compile the database; before processes are forked, so that they share it."""
        try:
            import hyperscan

            database = hyperscan.Database()
            once = hyperscan.HS_FLAG_SINGLEMATCH
            database.compile(expressions=list(WORDS), ids=list(range(len(WORDS))), flags=once, literal=True)
        except Exception:  # noqa: BLE001 - no such library for this machine, or a processor that it does not know
            return
        self._database = database

    def of(self, member: Member) -> int | None:
        """A bit for each of :data:`WORDS` that stands in the member; None where only a search can tell."""
        if self._database is None:
            return None
        known = self._found.get(member.path)
        if known is None:
            known = self._found[member.path] = self.scan(member.data)
        return known

    def scan(self, data: bytes) -> int:
        """The same for any bytes, by one pass over them."""
        self._bits = 0
        if data:
            self._database.scan(data, match_event_handler=self._hit)
        return self._bits

    def _hit(self, number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        self._bits |= 1 << number


def holds(package: Package, member: Member, words: tuple[bytes, ...]) -> bool:
    """Whether any of the words stands in the member's bytes, written just so."""
    telling = getattr(package, "telling", None)
    if isinstance(telling, Telling) and package.members.get(member.path) is member:
        bits = telling.of(member)
        if bits is not None and all(word in _BIT for word in words):
            return any(bits & _BIT[word] for word in words)
    data = member.data
    return any(word in data for word in words)
