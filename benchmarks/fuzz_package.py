"""Fuzzes the package room: mutated containers and mutated texts, each read in a process of its own with a clock and a limit.

    python benchmarks/fuzz_package.py --minutes 60 --seed 1 [--only shell] [--keep FOLDER]

Inputs are the builders of ``tests/package`` and every input of its case folders. An input that makes fulldress say
something it has not said yet (families of facts, reasons of gaps, kinds) joins the corpus, so that the search goes where
something new is. A problem is: an exception that is not the room's own, a reader that failed, more CPU than ``--cpu``
seconds, more memory than 512 MiB, anything written outside. Each is made small and kept in FOLDER, once for every
place; its name tells how to read it again. Ends with 1 where a problem was found.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "package"))
import archivemaking as make  # noqa: E402
import hostile  # noqa: E402
from guarded import Guarded, Outcome  # noqa: E402

_LARGEST = 1 << 18  #: bytes; larger inputs only test how fast bytes pass by
_WORDS = (
    b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x80", b"\n", b"\r\n", b"\t", b"'", b'"', b"`", b"\\", b"$(", b"${", b")", b"}", b"{{", b"<<EOF\n",
    b"(", b"[", b"{", b"<", b">", b"*", b"/", b"%", b"../", b"-", b"0", b"-1", b"99999999999999999999", b"1e999", b"NaN", b"&a ", b"*a ", b"!!python/",
    b"\xe2\x80\xae", b"\xc3\x28", b"\xef\xbb\xbf", b"\xff\xfe", b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"ustar", b"#!/bin/sh\n", b"--", b"/*",
)  # fmt: skip


def corpus() -> list[tuple[str, bytes]]:
    """Name and bytes of every seed; a text is put into a ZIP under its name when it is read."""
    found = [(name, data) for name, data in hostile.containers().items()]
    for path in sorted((ROOT / "tests" / "package" / "cases").rglob("*")):
        if path.is_file() and path.name != "expected.json" and path.stat().st_size <= _LARGEST:
            parts = path.relative_to(ROOT / "tests" / "package" / "cases").parts
            found.append(("/".join(parts[2:]) or path.name, path.read_bytes()))
    return found


def mutated(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """One to eight changes: bits, bytes, pieces moved, doubled, repeated very often, cut out, taken from another."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5, 8))):
        at = chance.randrange(len(out) + 1)
        length = min(int(chance.paretovariate(0.7)), 4096)
        how = chance.randrange(9)
        if how == 0 and at < len(out):
            out[at] ^= 1 << chance.randrange(8)
        elif how == 1 and at < len(out):
            out[at] = chance.randrange(256)
        elif how == 2:
            del out[at : at + length]
        elif how == 3:
            out[at:at] = out[at : at + length]
        elif how == 4:
            out[at:at] = chance.choice(_WORDS)
        elif how == 5:
            start = chance.randrange(len(other) + 1)
            out[at:at] = other[start : start + length]
        elif how == 6:  # deep or long
            piece = bytes(out[at : at + chance.randrange(1, 24)]) or chance.choice(_WORDS)
            out[at:at] = piece * chance.choice((20, 300, 4000))
        elif how == 7 and at + 8 <= len(out):  # a number at its edge
            width = chance.choice((1, 2, 4, 8))
            value = chance.choice((0, 1, -1, 1 << (8 * width - 1), (1 << 8 * width) - 2)) % (1 << 8 * width)
            out[at : at + width] = value.to_bytes(width, chance.choice(("little", "big")))  # type: ignore[arg-type]
        else:
            del out[at:]
        if len(out) > _LARGEST:
            del out[_LARGEST:]
    return bytes(out)


def packed(name: str, data: bytes) -> bytes:
    """The package that is read: the input itself where it is a container, else a ZIP that holds it."""
    return data if name in _CONTAINERS else make.zipped({name: data}, 0)


_CONTAINERS = frozenset(hostile.containers())


def signature(outcome: Outcome) -> tuple[object, ...]:
    """What an input made us say, without its words."""
    gaps = {(reason, re.sub(r"[\d,]+|'[^']*'", "#", detail)[:40]) for _, reason, detail in outcome.gaps}
    return (outcome.kind, *outcome.facts, *sorted(gaps), re.sub(r"[\d,]+|/\S+", "#", outcome.refusal)[:60])


def place(problem: str) -> str:
    """A problem without its figures, so that one fault is kept once."""
    return re.sub(r"[\d.,]+", "#", problem)[:120] if " at " not in problem else problem.rsplit(" at ", 1)[1]


def smallest(data: bytes, fails: Callable[[bytes], bool], seconds: float) -> bytes:
    """``data`` with everything taken away that the failure does not need (Zeller's ddmin, cut short)."""
    until = time.monotonic() + seconds
    size = max(1, len(data) // 2)
    while size and time.monotonic() < until:
        at, shrunk = 0, False
        while at < len(data) and time.monotonic() < until:
            less = data[:at] + data[at + size :]
            if fails(less):
                data, shrunk = less, True
            else:
                at += size
        if not shrunk or size > len(data):
            size //= 2
    return data


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, default=2.0)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--cpu", type=float, default=2.0)
    asked.add_argument("--only", default="", help="inputs whose name or first line holds this")
    asked.add_argument("--keep", type=Path, default=ROOT / ".cache" / "fuzz")
    given = asked.parse_args()
    chance = random.Random(given.seed)
    seeds = [(name, data) for name, data in corpus() if given.only in name or given.only.encode() in data[:80]]
    until, runs, problems = time.monotonic() + given.minutes * 60, 0, {}
    seen: set[tuple[object, ...]] = set()
    grown = 0
    given.keep.mkdir(parents=True, exist_ok=True)
    with Guarded(wall=20, cpu=given.cpu, second=False) as guarded, tempfile.TemporaryDirectory() as folder:

        def read(name: str, data: bytes) -> Outcome:
            path = Path(folder) / (Path(name).name if name in _CONTAINERS else "input.zip")
            path.write_bytes(packed(name, data))
            return guarded.read(path)

        guarded.read(ROOT / "tests")  # the first one pays for the imports
        order = list(seeds)  # every seed once as it is
        while time.monotonic() < until:
            if order:
                name, data = order.pop()
            else:
                name, data = chance.choice(seeds)
                data = mutated(data, chance.choice(seeds)[1], chance)
            outcome = read(name, data)
            runs += 1
            for problem in outcome.problems:
                at = place(problem)
                if at in problems:
                    continue
                problems[at] = problem
                less = smallest(
                    data, lambda part, name=name, at=at: at in map(place, read(name, part).problems), min(60, given.minutes * 6)
                )  # fmt: skip
                kept = given.keep / f"{hashlib.sha256(at.encode()).hexdigest()[:8]}-{Path(name).name}"
                kept.write_bytes(less)
                print(f"{problem}\n    {name}, {len(less):,} bytes, kept as {kept.name}", flush=True)
            if outcome.problems or (found := signature(outcome)) in seen:
                continue
            seen.add(found)
            if len(data) < _LARGEST // 2:
                seeds.append((name, data))
                grown += 1
    print(
        f"{runs:,} inputs in {given.minutes:g} min (seed {given.seed}), {grown:,} said something new, {len(problems)} problems"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
