"""FD020–FD029: whether the programs of the package will start on the hosts, and how old undated ones are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, rule, says, several
from fulldress.facts import Binary, Entry, Installed, Running, Witness
from fulldress.findings import Severity
from fulldress.patterns import regex

#: A file this much older than the youngest one beside it was not made for this release.
OLD = timedelta(days=180)
_EPOCH_ENDS = datetime.fromisoformat("1981-01-01T00:00:00+00:00")  #: ZIP begins in 1980; a stamp there is none
_C_LIBRARY = frozenset({"libc6", "glibc", "libc-bin", "libc6-amd64"})
_JAVA = regex(r"(?i)(?:^|-)(?:openjdk|java|jdk|jre|temurin|zulu|corretto|semeru|graalvm)(?:-|$|\d)")
_PROGRAMS = frozenset({"elf", "pe", "macho"})


@rule("FD020", Severity.BLOCKER, "A program needs a newer C library than the hosts have")
def c_library(index: Index) -> Iterator[Hit]:
    hosts = {
        installed.host: (installed, version)
        for installed in index.of(Installed, Witness.RUNNING)
        if installed.component in _C_LIBRARY and (version := _numbers(installed.version))
    }
    if any(binary.path.rsplit("/", 1)[-1].startswith("libc.so") for binary in index.of(Binary, Witness.READ)):
        return  # it brings its own
    yield from _too_new(index, hosts, "GLIBC", "glibc", "Ask the vendor for a build against glibc {has}")


@rule("FD021", Severity.BLOCKER, "A program needs a newer Java than the hosts have")
def java(index: Index) -> Iterator[Hit]:
    hosts: dict[str, tuple[Installed | Running, tuple[int, ...]]] = {}
    present: list[Installed | Running] = [*index.of(Installed, Witness.RUNNING), *index.of(Running, Witness.RUNNING)]
    for found in present:
        release = _java_release(found)
        if release and release > hosts.get(found.host, (found, ()))[1]:
            hosts[found.host] = found, release
    yield from _too_new(index, hosts, "Java", "Java", "Ask the vendor for a build that runs on Java {has}")


def _too_new(
    index: Index,
    hosts: dict[str, tuple[Installed, tuple[int, ...]]] | dict[str, tuple[Installed | Running, tuple[int, ...]]],
    what: str,
    name: str,
    remedy: str,
) -> Iterator[Hit]:
    """One hit for each release that is asked for and that some host lacks; a blocker where every host does."""
    asking: dict[tuple[int, ...], list[Binary]] = defaultdict(list)
    for binary in index.of(Binary, Witness.READ):
        for demand in binary.requires:
            library, _, version = demand.rpartition(" ")
            if library == what:
                asking[_numbers(version)].append(binary)
    for needed, binaries in sorted(asking.items(), reverse=True):
        short = {host: known for host, known in hosts.items() if known[1] < needed}
        if not short:
            continue
        newest = ".".join(map(str, max(version for _, version in short.values())))
        wanted = ".".join(map(str, needed))
        names = several([host or "this host" for host in sorted(short)], 3)
        programs = several([binary.path.rsplit("/", 1)[-1] for binary in binaries], 2)
        yield Hit(
            title=f"{programs} will not start on {names}: {name} {wanted} is needed, {newest} is there",
            subject=f"{name} {wanted}",
            remedy=f"{remedy.format(has=newest)}, or bring the hosts to {name} {wanted} first.",
            testimony=(
                *(says(binary, f"needs {name} {wanted}") for binary in binaries[:5]),
                *(
                    says(found, f"{found.component} {found.version} on {found.host or 'this host'}")
                    for found, _ in short.values()
                ),
            ),
            severity=None if len(short) == len(hosts) else Severity.MAJOR,
        )
        return  # a lower demand of another program adds nothing


@rule("FD022", Severity.MINOR, "A program of the product is much older than the files beside it")
def old_file(index: Index) -> Iterator[Hit]:
    """For programs that say neither date nor version. Equal times are no times: a reproducible build gives all its files
    one (SOURCE_DATE_EPOCH), so only a program that stands out against its own container counts."""
    beside: dict[str, list[Entry]] = defaultdict(list)
    for entry in index.of(Entry, Witness.READ):
        if entry.modified and entry.modified > _EPOCH_ENDS and entry.kind not in ("folder", "link"):
            beside[_container(entry.path)].append(entry)
    said = {b.path: b for b in index.of(Binary, Witness.READ)}
    for entries in beside.values():
        programs = [e for e in entries if e.kind in _PROGRAMS]
        youngest = max(programs, key=lambda e: e.modified or _EPOCH_ENDS, default=None)
        if youngest is None or youngest.modified is None:
            continue
        for entry in programs:
            binary = said.get(entry.path)
            age = youngest.modified - entry.modified if entry.modified else timedelta()
            if age < OLD or binary is None or binary.built or binary.version:
                continue
            yield Hit(
                title=f"{entry.path} is {age.days} days older than {youngest.path}, and nothing inside says its version",
                subject=entry.path,
                remedy="Ask the vendor whether it is meant to be the old one, and compare its sha256 with the file that runs now.",
                testimony=(
                    says(entry, f"file time {entry.modified:%Y-%m-%d}"),
                    says(youngest, f"file time {youngest.modified:%Y-%m-%d}"),
                ),
            )


def _container(path: str) -> str:
    return path.rsplit("!/", 1)[0] if "!/" in path else ""


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, an epoch aside: ``2:2.36-9`` is (2, 36)."""
    match = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def _java_release(found: Installed | Running) -> tuple[int, ...]:
    """The feature release of a Java: ``1.8.0_392`` is 8, ``17.0.9+9`` is 17; empty for anything else."""
    if not _JAVA.search(found.component):
        return ()
    numbers = _numbers(found.version)
    if numbers[:1] == (1,) and len(numbers) > 1:
        return numbers[1:2]
    return numbers[:1] if numbers and 7 <= numbers[0] <= 99 else ()
