"""How fast a clone is copied, against ``cp`` of the same files on the same file system, in turns, in one run; and how long
a server takes to start from the cached template.

Goals: at least 0.9 of cp's speed; start within 0.5 s.

    python benchmarks/bench_clone.py [MEGABYTES [ROUNDS [MAJOR…]]]
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fulldress.database import places
from fulldress.database.postgres import Installation, Server, installations
from fulldress.database.postgres.clone import copy_database


def filled(server: Server, megabytes: int) -> Path:
    """A database ``big``; returns the folder of its files."""
    clone = server.create("big")
    rows = megabytes * 2_000  # a row and its part of the index are about 480 bytes
    clone.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text);"
        f" INSERT INTO t SELECT g, repeat(md5(g::text), 14) FROM generate_series(1, {rows}) g",
        name="fill.sql",
        step="",
    )
    with server.session("postgres") as line:
        oid = line.rows("SELECT oid FROM pg_database WHERE datname = 'big'")[0][0]
        line.query("CHECKPOINT")
    return server.base / "data" / "base" / str(oid)


def seconds_of_cp(folder: Path, scratch: Path) -> float:
    target = scratch / "copied-by-cp"
    begun = time.perf_counter()
    subprocess.run(["cp", "-a", "--reflink=auto", folder, target], check=True)
    taken = time.perf_counter() - begun
    shutil.rmtree(target)
    return taken


def seconds_of_copy(server: Server) -> float:
    with server.session("postgres") as line:
        begun = time.perf_counter()
        copy_database(server, line, "big", "copied")
        taken = time.perf_counter() - begun
        line.query("DROP DATABASE copied")
    return taken


def measure(one: Installation, megabytes: int, rounds: int, place: str) -> None:
    scratch = Path(tempfile.mkdtemp(dir=place))
    scratch.chmod(0o755)
    memory = places.memory_available
    if place != "/dev/shm":  # noqa: S108
        places.memory_available = lambda: 0  # so that the server does not lie in memory
    try:
        with Server(one, scratch) as server:
            folder = filled(server, megabytes)
            size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
            cps, copies = [], []
            for _ in range(rounds):
                cps.append(seconds_of_cp(folder, server.base))
                copies.append(seconds_of_copy(server))
            cp, copy = statistics.median(cps), statistics.median(copies)
            print(
                f"{one.version:<6} {place:<9} {size:5.0f} MB   cp {cp:6.3f} s ({size / cp:5.0f} MB/s)"
                f"   clone {copy:6.3f} s ({size / copy:5.0f} MB/s)   {cp / copy:5.2f} of cp"
            )
    finally:
        places.memory_available = memory
        shutil.rmtree(scratch)


def processor() -> float:
    """Seconds of processor time of this process and its ended children, the server among them."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime + time.process_time()


def starts(one: Installation, rounds: int) -> None:
    with Server(one):
        pass  # the template is there now
    taken, worked = [], []
    for _ in range(rounds):
        begun, before = time.perf_counter(), processor()
        with Server(one):
            taken.append(time.perf_counter() - begun)
        worked.append(processor() - before)
    print(
        f"{one.version:<6} start from the cache: median {statistics.median(taken):.3f} s, best {min(taken):.3f} s;"
        f" processor time of start and stop {statistics.median(worked):.3f} s"
    )


def main(megabytes: int = 300, rounds: int = 5, *majors: int) -> None:
    for one in installations():
        if majors and one.major not in majors:
            continue
        starts(one, rounds)
        for place in ("/dev/shm", tempfile.gettempdir()):  # noqa: S108
            measure(one, megabytes, rounds, place)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
