"""Reads a package in a process of its own, as a hostile one has to be read in a test: with a clock, a limit and a witness.

One worker serves many packages, because starting takes longer than reading. It is started anew when it dies or when a
package takes too long; both are problems that the outcome names. Used by ``test_hostile.py`` and by
``benchmarks/fuzz_package.py``.
"""

from __future__ import annotations

import json
import os
import resource
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

import msgspec

MEMORY = 512 << 20  #: bytes that reading any package may take
_ADDRESSES = 6 << 30  #: a stop for what would take the machine with it


class Outcome(msgspec.Struct, kw_only=True):
    """What came of one package. ``problems`` is empty where all is as it must be."""

    problems: list[str] = []
    gaps: list[tuple[str, str, str]] = []  #: what, reason, detail of every Unread
    findings: list[tuple[str, str]] = []  #: rule and subject
    facts: list[str] = []  #: families, sorted, each once
    kind: str = ""
    refusal: str = ""  #: the room's own error, where the package could not be read at all
    seconds: float = 0.0  #: of CPU
    rss: int = 0  #: bytes at most

    @property
    def words(self) -> str:
        """All that is said of what was not read, as one text."""
        return "\n".join(f"{what}: {reason}: {detail}" for what, reason, detail in self.gaps) + self.refusal


class Guarded:
    """A worker, as a context manager."""

    def __init__(self, wall: float = 30.0, cpu: float = 10.0, second: bool = True) -> None:
        """``second``: with the second reader, a process of its own for every package."""
        self._wall, self._cpu, self._second = wall, cpu, second
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Guarded:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def read(self, path: Path) -> Outcome:
        """Read, judge, lay out; what came of it."""
        worker = self._started()
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(f"{path}\n".encode())
        worker.stdin.flush()
        ready, _, _ = select.select([worker.stdout], [], [], self._wall)
        line = worker.stdout.readline() if ready else b""
        if not line:
            self._stop()
            how = f"it died ({worker.returncode})" if ready else f"no end after {self._wall:g} s"
            return Outcome(problems=[how])
        outcome = msgspec.json.decode(line, type=Outcome)
        if outcome.seconds > self._cpu:
            outcome.problems.append(f"{outcome.seconds:.1f} s of CPU")
        if outcome.rss > MEMORY:
            outcome.problems.append(f"{outcome.rss >> 20} MiB of memory")
            self._stop()
        return outcome

    def _started(self) -> subprocess.Popen[bytes]:
        if self._worker is None or self._worker.poll() is not None:
            self._worker = subprocess.Popen(
                [sys.executable, __file__, *([] if self._second else ["--alone"])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._worker

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker.wait()
            for pipe in (self._worker.stdin, self._worker.stdout):
                if pipe is not None:
                    pipe.close()
            self._worker = None


def _spent() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _peak() -> int:
    """The most memory since the last reset, in bytes (proc(5): VmHWM)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


def _one(path: Path) -> Outcome:
    from fulldress.checks import judge
    from fulldress.errors import FulldressError
    from fulldress.facts import Unread
    from fulldress.package import lay_out, read

    outcome = Outcome()
    Path("/proc/self/clear_refs").write_text("5")
    begin = _spent()
    try:
        reading = read(path)
    except FulldressError as refusal:
        outcome.refusal = str(refusal)
    except BaseException as fault:  # noqa: BLE001 - the very thing that is looked for
        outcome.problems.append(f"read: {_place(fault)}")
    else:
        outcome.kind = reading.kind
        outcome.facts = sorted({type(fact).__name__ for fact in reading.facts})
        unread = [fact for fact in reading.facts if isinstance(fact, Unread)]
        outcome.gaps = [(gap.what[:300], gap.reason.value, gap.detail[:300]) for gap in unread[:2000]]
        outcome.problems += [gap.detail for gap in unread if "its reader failed" in gap.detail]
        try:
            outcome.findings = [(found.rule, found.subject[:300]) for found in judge(reading.facts)][:2000]
        except BaseException as fault:  # noqa: BLE001
            outcome.problems.append(f"judge: {_place(fault)}")
    outcome.seconds = _spent() - begin
    outcome.rss = _peak()
    with tempfile.TemporaryDirectory(prefix="guarded-") as folder:
        ground = Path(folder) / "ground"
        ground.mkdir()
        (Path(folder) / "witness").write_text("untouched")
        try:
            lay_out(path, ground)
        except FulldressError:
            pass
        except BaseException as fault:  # noqa: BLE001
            outcome.problems.append(f"lay_out: {_place(fault)}")
        if sorted(os.listdir(folder)) != ["ground", "witness"] or (Path(folder) / "witness").read_text() != "untouched":  # noqa: PTH208
            outcome.problems.append("lay_out wrote outside its folder")
    return outcome


def _place(fault: BaseException) -> str:
    """An exception and where it was raised, in one line."""
    import traceback

    frames = traceback.extract_tb(fault.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(fault).__name__}: {str(fault)[:200]} at {where}"


class _Nobody:
    """In the place of the second reader."""

    def __init__(self, path: Path) -> None:
        pass

    def __enter__(self) -> _Nobody:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def inner(self, package: object) -> None:
        pass

    def facts(self, package: object) -> tuple[()]:
        return ()


def _serve() -> None:
    if "--alone" in sys.argv:
        import fulldress.package as room

        room.SecondReader = _Nobody  # type: ignore[attr-defined,misc,assignment]
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not stand between the answers
    for line in sys.stdin:
        outcome = _one(Path(line.rstrip("\n")))
        out.write(json.dumps(msgspec.to_builtins(outcome)).encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    _serve()
