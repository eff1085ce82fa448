"""Readers at work in processes of their own: as many as there are cores, each with a limit of time and of memory.

What a package breaks in a reader (a pattern that never ends, a parser in C that crashes, a document that unfolds without
end) ends that process, and the gap is told. One process is forked even for a small package (a few milliseconds), for that
reason; see decision 0100. Facts come in the order of the readers, whoever was faster.
"""

from __future__ import annotations

import enum
import gc
import importlib
import io
import os
import pickle
import select
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from fulldress.facts import AnyFact, Evidence, Reason, Unread, Witness
from fulldress.package import telling
from fulldress.package.cores import cores
from fulldress.package.flow import OutOfTime
from fulldress.package.reader import Member
from fulldress.package.walk import Opened

_FRAME = struct.Struct("<BBI")  #: number of the reader, what follows, its length in bytes
_BEGIN, _FACTS, _END = range(3)
_BATCH = 256  #: facts sent at once
_GROWTH = 320 << 20  #: bytes of memory that a reader may take beyond what it found
_SMALL_MEMBERS, _SMALL_BYTES = 400, 4 << 20  #: a package up to here is read by one process
_OURS = ("fulldress", "msgspec", "datetime")


def facts_of(package: Opened, names: Sequence[str], progress: Callable[[str, int, int], None] | None) -> list[AnyFact]:
    """What these readers yield, in their order; never an exception for what the package does to them."""
    if _held(package) >= telling.PAYS:
        package.telling.prepare()
    if sys.platform != "linux" or threading.active_count() > 1:
        return _here(package, names, progress)  # a fork takes no other thread along, only the locks that it holds
    pool = _Pool(package, names, progress)
    try:
        pool.run()
    finally:
        pool.end()
    return pool.facts()


def _held(package: Opened) -> int:
    """Bytes of texts that lie in memory."""
    return sum(len(member.data) for member in package.members.values() if type(member) is Member)


def _here(package: Opened, names: Sequence[str], progress: Callable[[str, int, int], None] | None) -> list[AnyFact]:
    """One after the other in this process; a reader that passes through the members of the package is stopped there."""
    facts: list[AnyFact] = []
    for number, name in enumerate(names):
        if progress is not None:
            progress(_room(name), number, len(names))
        try:
            with package.until(_share(package.deadline)):
                for fact in from_reader(name, package):
                    facts.append(fact)
        except OutOfTime:
            facts.append(_late(package, name))
    return facts


def from_reader(name: str, package: Opened) -> Iterator[AnyFact]:
    """What one reader yields. A reader that is missing or that fails leaves a gap that the verdict needs."""
    try:
        yield from importlib.import_module(name).read(package)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        yield _gap(package, name, Reason.MISSING, "this part of fulldress is not installed")
    except MemoryError:
        yield _gap(package, name, Reason.BUDGET, f"its reader wanted more than {_GROWTH >> 20} MiB of memory")
    except Exception as error:  # noqa: BLE001 - whatever a hostile package breaks must not hide the rest of it
        yield _gap(package, name, Reason.CANNOT, f"its reader failed: {type(error).__name__}: {error}")


class _Child(msgspec.Struct):
    pid: int
    source: int  #: descriptor that its frames come from
    pending: bytearray
    reading: int = -1
    until: float = 0.0


class _Pool:
    """Forked processes that take the next reader from one pipe and write frames into one of their own."""

    def __init__(self, package: Opened, names: Sequence[str], progress: Callable[[str, int, int], None] | None) -> None:
        self._package, self._names, self._progress = package, names, progress
        self._found: list[list[AnyFact]] = [[] for _ in names]
        self._ended: set[int] = set()
        self._children: dict[int, _Child] = {}
        self._tasks, write = os.pipe()
        os.write(write, bytes(range(len(names))))
        os.close(write)
        self._begun = self._forks = 0

    def run(self) -> None:
        """Until every reader has ended or the time is up."""
        small = len(self._package.members) <= _SMALL_MEMBERS and _held(self._package) <= _SMALL_BYTES
        workers = 1 if small else min(cores(self._package.workers), len(self._names))
        gc.collect()
        gc.freeze()  # what is here now is shared with the children for as long as nobody touches it
        try:
            while len(self._ended) < len(self._names):
                most = workers + len(self._names)  # each reader may take one process along
                while len(self._children) < workers and self._begun < len(self._names) and self._forks < most:
                    self._fork()
                if not self._children:
                    return
                self._listen()
        finally:
            gc.unfreeze()

    def _fork(self) -> None:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(read)
                _work(self._package, self._names, self._tasks, write)
            finally:
                os._exit(0)
        os.close(write)
        self._children[read] = _Child(pid=pid, source=read, pending=bytearray(), until=_share(self._package.deadline))
        self._forks += 1

    def _listen(self) -> None:
        """Take what has come; end whoever is late."""
        now = time.monotonic()
        wait = max(0.0, min(child.until for child in self._children.values()) - now)
        ready, _, _ = select.select(list(self._children), [], [], wait)
        for source in ready:
            child = self._children[source]
            data = os.read(source, 1 << 20)
            if not data:
                self._gone(child)
                continue
            child.pending += data
            self._frames(child)
        now = time.monotonic()
        for child in [child for child in self._children.values() if child.until <= now]:
            os.kill(child.pid, signal.SIGKILL)
            if child.reading >= 0:
                self._told(child.reading, _late(self._package, self._names[child.reading]))
            child.reading = -1
            self._gone(child)

    def _frames(self, child: _Child) -> None:
        while len(child.pending) >= _FRAME.size:
            number, what, length = _FRAME.unpack_from(child.pending)
            if len(child.pending) < _FRAME.size + length:
                return
            body = bytes(child.pending[_FRAME.size : _FRAME.size + length])
            del child.pending[: _FRAME.size + length]
            if what == _BEGIN:
                child.reading, child.until = number, _share(self._package.deadline)
                self._begun += 1
                if self._progress is not None:
                    self._progress(_room(self._names[number]), len(self._ended), len(self._names))
            elif what == _FACTS:
                self._found[number] += _Facts(io.BytesIO(body)).load()
            else:
                self._ended.add(number)
                child.reading, child.until = -1, _share(self._package.deadline)

    def _told(self, number: int, gap: Unread) -> None:
        self._found[number].append(gap)
        self._ended.add(number)

    def _gone(self, child: _Child) -> None:
        """A child that has ended, with its work or in the middle of it."""
        del self._children[child.source]
        os.close(child.source)
        _, status = os.waitpid(child.pid, 0)
        if child.reading >= 0:
            how = signal.strsignal(os.WTERMSIG(status)) if os.WIFSIGNALED(status) else f"exit {status >> 8}"
            name = self._names[child.reading]
            self._told(
                child.reading, _gap(self._package, name, Reason.CANNOT, f"its reader ended unexpectedly ({how})")
            )

    def facts(self) -> list[AnyFact]:
        """All of them, in the order of the readers."""
        for number, name in enumerate(self._names):
            if number not in self._ended:
                self._told(number, _late(self._package, name))
        return [fact for found in self._found for fact in found]

    def end(self) -> None:
        """Leave no child behind, whatever happened."""
        for child in self._children.values():
            os.kill(child.pid, signal.SIGKILL)
            os.close(child.source)
            os.waitpid(child.pid, 0)
        self._children.clear()
        os.close(self._tasks)


def _work(package: Opened, names: Sequence[str], tasks: int, to: int) -> None:
    """The life of a child: one reader after the other."""
    if (handler := sys.modules.get("faulthandler")) is not None:
        handler.disable()  # a crash is told as a gap, not on the screen
    for ends in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(ends, signal.SIG_DFL)
    _bound_memory()
    package.apart()
    while task := os.read(tasks, 1):
        number = task[0]
        # The parent ends a child that is late; where the parent was killed itself, the alarm does.
        signal.setitimer(signal.ITIMER_REAL, max(1.0, _share(package.deadline) - time.monotonic()) + 2)
        _send(to, number, _BEGIN)
        batch: list[AnyFact] = []
        told = time.monotonic()
        try:
            for fact in from_reader(names[number], package):
                batch.append(fact)
                if len(batch) >= _BATCH or time.monotonic() - told > 1:
                    _send(to, number, _FACTS, pickle.dumps(batch))
                    batch, told = [], time.monotonic()
        except Exception as error:  # noqa: BLE001 - there is nobody above who could tell it
            batch.append(
                _gap(package, names[number], Reason.CANNOT, f"its reader failed: {type(error).__name__}: {error}")
            )
        _send(to, number, _FACTS, pickle.dumps(batch))
        _send(to, number, _END)


def _send(to: int, number: int, what: int, body: bytes = b"") -> None:
    rest = memoryview(_FRAME.pack(number, what, len(body)) + body)
    while rest:
        rest = rest[os.write(to, rest) :]


class _Facts(pickle.Unpickler):
    """Facts and what they consist of, and nothing else: the child has looked at hostile bytes."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] in _OURS and (_OURS[0] not in module or module.startswith("fulldress.facts")):
            return super().find_class(module, name)
        if (module, name) == ("builtins", "getattr"):
            return _member
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a fact")


def _member(kind: object, name: str) -> enum.Enum:
    """A member of one of our enumerations: Python 3.11.0 to 3.11.3 pickles it as a call of ``getattr``."""
    if isinstance(kind, enum.EnumMeta):
        return cast(enum.Enum, kind[name])
    raise pickle.UnpicklingError(f"{name} of {kind!r} is no part of a fact")


def _bound_memory() -> None:
    """Data beyond what is here already is limited (RLIMIT_DATA counts anonymous memory since Linux 4.7)."""
    import resource

    with Path("/proc/self/status").open() as status:
        held = next((int(line.split()[1]) << 10 for line in status if line.startswith("VmData:")), 0)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = held + _GROWTH
    resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _share(deadline: float) -> float:
    """Until when one reader may run: half of what is left, so that those after it have their turn, and a second at least."""
    now = time.monotonic()
    return now + max(1.0, (deadline - now) / 2)


def _room(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _late(package: Opened, name: str) -> Unread:
    return _gap(
        package, name, Reason.BUDGET, "its reader took too long and was stopped; what it found until then is told"
    )


def _gap(package: Opened, name: str, reason: Reason, detail: str) -> Unread:
    return Unread(
        witness=Witness.READ,
        evidence=Evidence(source=package.source),
        what=f"{_room(name)} of {package.name}",
        reason=reason,
        detail=detail,
        needed=True,
    )
