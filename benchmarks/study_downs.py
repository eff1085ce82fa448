"""Do the down-migrations of a public project restore what was there before? One step at a time, with rows.

    benchmarks/study_downs.py FOLDER [--major 18] [--first N] [--last N] [--defaults] [--json FILE]

FOLDER holds the migrations, fetched by whoever runs this; none of them is kept in this repository. Prints a line for each
step that does not restore, then totals, and seconds per step.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec

from fulldress.database.postgres import Installation, Server, folder, installations, resolve, steps


def _has(one: Installation, extension: str) -> bool:
    return any((one.top or one.bin.parent).rglob(f"{extension}.control"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--major", type=int, default=18)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--last", type=int, default=10**6)
    parser.add_argument("--extension", default="pgcrypto", help="that the installation has to bring")
    parser.add_argument("--defaults", action="store_true", help="rows keep the defaults of their columns")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    reading = folder.read(given.folder)
    for path in reading.unread:
        print(f"not SQL: {path}")
    told, took = [], []
    able = [one for one in installations() if one.major == given.major and _has(one, given.extension)]
    with Server(able[0] if able else resolve(None, given.major)) as server:
        print(f"PostgreSQL {server.installation.version}, {len(reading.steps)} steps")
        base = server.create("study")
        for script in reading.steps[: given.first]:
            steps.run(base, script.up, "up")
        chosen = reading.steps[given.first : given.last]
        started = time.monotonic()
        for undo in steps.each(base, chosen, onward=True, defaults=given.defaults):
            now = time.monotonic()
            took.append(now - started)
            started = now
            told.append(undo)
            if undo.outcome != "restored":
                print(
                    f"{undo.outcome:15} {undo.name}: {undo.detail or '; '.join(undo.differences[:2])}"[:220], flush=True
                )
    print(dict(Counter(undo.outcome for undo in told)))
    bad = [undo for undo in told if undo.outcome not in ("restored", "unknown")]
    ordered = sorted(took)
    print(
        f"{len(told)} steps, {len(bad)} not restored; {sum(took) / len(took):.2f} s a step, median {ordered[len(took) // 2]:.2f} s, worst {ordered[-1]:.2f} s"
    )
    if given.json:
        given.json.write_bytes(msgspec.json.encode(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
