"""Readers in processes of their own: what one of them does ends nobody else, and is told."""

from __future__ import annotations

import io
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import archivemaking as make

from fulldress.facts import AnyFact, Reason, Unread
from fulldress.package import apart
from fulldress.package.apart import facts_of
from fulldress.package.reader import Options, Package
from fulldress.package.walk import Budget, Opened

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="readers work in forked processes on Linux alone")


def unread(what: str, detail: str = "") -> Unread:
    return apart._gap(type("P", (), {"source": "", "name": what})(), "x", apart.Reason.CANNOT, detail)  # type: ignore[arg-type]


def well(package: Package) -> Iterator[AnyFact]:
    yield from (unread(member.path) for member in package.members.values())


def crash(package: Package) -> Iterator[AnyFact]:
    yield unread("before")
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(package: Package) -> Iterator[AnyFact]:
    yield unread("before")
    os._exit(7)


def swallow(package: Package) -> Iterator[AnyFact]:
    held = [bytearray(64 << 20) for _ in range(64)]
    yield unread(str(len(held)))


def endless(package: Package) -> Iterator[AnyFact]:
    yield unread("before")
    sum(1 for _ in iter(int, 1))
    yield unread("never")


def passing(package: Package) -> Iterator[AnyFact]:
    yield unread("before")
    while True:
        for _ in package.members.values():
            pass


def wrong(package: Package) -> Iterator[AnyFact]:
    yield unread("before")
    raise RuntimeError("no")


def children() -> set[int]:
    """Processes that this one has begun and not yet taken leave of; those of other tests are among them."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(fields[1]) == os.getpid():
            found.add(int(stat.parent.name))
    return found


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    named: list[str] = []
    for function in (well, crash, leave, swallow, endless, passing, wrong):
        module = ModuleType(f"reader_{function.__name__}")
        module.read = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        named.append(module.__name__)
    yield named


def told(tmp_path: Path, names: list[str], seconds: float = 900) -> list[tuple[str, str]]:
    (tmp_path / "x.zip").write_bytes(make.zipped({"a.sh": b"#!/bin/sh\n", "b.txt": b"text\n"}))
    before = children()
    with Opened(tmp_path / "x.zip", Budget(seconds=seconds, workers=2), Options()) as package:
        found = facts_of(package, names, None)
    assert children() <= before, "somebody is left behind"
    return [(fact.what, fact.detail) for fact in found if isinstance(fact, Unread)]


def test_facts_come_in_the_order_of_the_readers(tmp_path: Path, names: list[str]) -> None:
    assert [what for what, _ in told(tmp_path, ["reader_well", "reader_wrong", "reader_well"])] == [
        "x of a.sh", "x of b.txt", "x of before", "reader_wrong of x.zip", "x of a.sh", "x of b.txt",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("reader", "how"),
    [
        ("reader_crash", "its reader ended unexpectedly (Segmentation fault)"),
        ("reader_leave", "its reader ended unexpectedly (exit 7)"),
        ("reader_swallow", "its reader wanted more than 320 MiB of memory"),
        ("reader_wrong", "its reader failed: RuntimeError: no"),
    ],
)
def test_a_reader_that_breaks_is_told_and_the_others_read_on(
    tmp_path: Path, names: list[str], reader: str, how: str
) -> None:
    found = told(tmp_path, [reader, "reader_well"])
    assert (f"{reader} of x.zip", how) in found
    assert ("x of b.txt", "") in found


@pytest.mark.parametrize("thread", [False, True])
def test_a_reader_that_never_ends_is_stopped_in_time(tmp_path: Path, names: list[str], thread: bool) -> None:
    begin = time.monotonic()
    if thread:  # no fork beside another thread; then a reader is stopped where it passes through the members
        done = threading.Event()
        threading.Thread(target=done.wait).start()
        try:
            found = told(tmp_path, ["reader_passing", "reader_well"], 2)
        finally:
            done.set()
        stopped = "reader_passing of x.zip"
    else:
        found = told(tmp_path, ["reader_endless", "reader_well"], 2)
        stopped = "reader_endless of x.zip"
    assert time.monotonic() - begin < 20
    assert any(what == stopped and "too long" in detail for what, detail in found)
    assert ("x of b.txt", "") in found


def test_ctrl_c_leaves_nobody_behind(tmp_path: Path, names: list[str]) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "x.zip").write_bytes(make.zipped({"a.sh": b"#!/bin/sh\n"}))
    before = children()
    with Opened(tmp_path / "x.zip", Budget(workers=2), Options()) as package, pytest.raises(KeyboardInterrupt):
        facts_of(package, ["reader_endless", "reader_well"], interrupt)
    assert children() <= before, "somebody is left behind"


def test_only_facts_are_taken_from_a_child() -> None:
    class Early:
        """A member as Python 3.11.0 to 3.11.3 pickles it."""

        def __reduce__(self) -> tuple[object, tuple[object, str]]:
            return getattr, (Reason, "DAMAGED")

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[object, str]]:
            return getattr, (Unread, "__init__")

    class Worse:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, ("true",)

    assert apart._Facts(io.BytesIO(pickle.dumps(Early()))).load() is Reason.DAMAGED
    for bad in (Hostile(), Worse()):
        with pytest.raises(pickle.UnpicklingError):
            apart._Facts(io.BytesIO(pickle.dumps(bad))).load()
