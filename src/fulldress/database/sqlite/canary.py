"""A reader and a writer of our own beside the migration: what they wait is what production's would.

Run as a program (it imports nothing of fulldress): ``canary.py DATABASE``, until its input ends. Then it prints one JSON
object: ``reader`` and ``writer``, each with the number of ``tries`` and a list of ``stalls`` (from, to, in seconds since
the epoch). A stall is told by SQLite's own SQLITE_BUSY, not by a clock. The writer takes the lock and changes nothing.
"""

import json
import sqlite3
import sys
import threading
import time

_PERIOD = 0.005
_AGAIN = 0.001
_WORDS = {
    "reader": ("SELECT count(*) FROM sqlite_master", ""),
    "writer": ("BEGIN IMMEDIATE", "ROLLBACK"),
}


def _watch(path: str, kind: str, stop: threading.Event, told: dict[str, object]) -> None:
    line = sqlite3.connect(path, isolation_level=None, timeout=0)
    words, after = _WORDS[kind]
    stalls: list[tuple[float, float]] = []
    tries, begun = 0, 0.0
    while not stop.wait(_AGAIN if begun else _PERIOD):
        before = time.time()
        try:
            line.execute(words).fetchall()
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                begun = begun or before
                continue
            break  # the database itself is gone or broken: the migration's matter
        if begun:
            stalls.append((begun, time.time()))
            begun = 0.0
        tries += 1
        if after:
            line.execute(after)
    if begun:
        stalls.append((begun, time.time()))
    line.close()
    told[kind] = {"tries": tries, "stalls": stalls}


def _main() -> None:
    stop, told = threading.Event(), dict[str, object]()
    threads = [threading.Thread(target=_watch, args=(sys.argv[1], kind, stop, told)) for kind in _WORDS]
    for thread in threads:
        thread.start()
    print("ready", flush=True)  # noqa: T201 - the protocol
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    _main()
