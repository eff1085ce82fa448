"""Members that are neither programs nor facts of their own: one by one where they run, counted by kind for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from fulldress.facts import Change, Entry, Fact, Witness
from fulldress.package.against.alike import Alike

#: Kinds that run by themselves or are run by the installer: a change of their bytes is told one by one.
RUNS = frozenset(
    {"shell", "powershell", "batch", "perl", "cron", "crontab", "systemd-service", "systemd-timer", "systemd-unit"}
)
#: Kinds of which a package holds thousands: told one by one only where the file may be started as it is.
_RUNS_IF_STARTED = frozenset({"python", "javascript", "ruby", "php"})
_CONTAINERS = frozenset(
    {"zip", "jar", "wheel", "war", "tar", "gz", "xz", "bz2", "zst", "deb", "rpm", "npm", "ar", "cpio", "7z", "folder"}
)


def compare(old: Iterable[Fact], new: Iterable[Fact], alike: Alike) -> Iterator[Change]:
    """Added, removed, changed; moved where the same bytes stand under another name."""
    before, after = _members(old, alike.old), _members(new, alike.new)
    gone = {key: before[key] for key in sorted(before.keys() - after.keys())}
    come = {key: after[key] for key in sorted(after.keys() - before.keys())}
    pairs: list[tuple[str, Entry | None, Entry | None]] = []
    places = {entry.sha256: key for key, entry in gone.items() if entry.sha256 and entry.size}
    for entry in come.values():
        source = places.pop(entry.sha256, "") if entry.size else ""
        pairs.append(("moved", gone.pop(source), entry) if source else ("added", None, entry))
    pairs += [("removed", entry, None) for entry in gone.values()]
    pairs += [
        ("changed", before[key], after[key])
        for key in sorted(before.keys() & after.keys())
        if _differ(before[key], after[key])
    ]
    yield from _told(pairs)


def _told(pairs: list[tuple[str, Entry | None, Entry | None]]) -> Iterator[Change]:
    counted: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Entry] = {}
    for what, was, now in pairs:
        entry = now or was
        if entry is None or entry.kind in _CONTAINERS:
            continue
        if entry.kind in RUNS or (entry.kind in _RUNS_IF_STARTED and (entry.mode or 0) & 0o111):
            place = was.path if was and what == "moved" else _says(was)
            yield Change(
                witness=Witness.READ,
                rank=26,
                family="Entry",
                what=what,
                subject=entry.path,
                before=place,
                after=_says(now),
                evidence=entry.evidence,
            )
        else:
            counted[what, entry.kind] += 1
            first.setdefault((what, entry.kind), entry)
    for (what, kind), count in counted.items():
        yield Change(
            witness=Witness.READ,
            rank=60,
            family="Entry",
            what=what,
            subject=f"{count} {kind} {'entry' if count == 1 else 'entries'}",
            evidence=first[what, kind].evidence,
        )


def _members(facts: Iterable[Fact], key: Callable[[str], str]) -> dict[str, Entry]:
    return {key(f.path): f for f in facts if isinstance(f, Entry) and f.kind != "folder"}


def _differ(was: Entry, now: Entry) -> bool:
    return was.sha256 != now.sha256 or was.link != now.link or was.mode != now.mode


def _says(entry: Entry | None) -> str:
    if entry is None:
        return ""
    return f"{entry.kind}, {entry.size:,} bytes" + (f", mode {entry.mode & 0o7777:04o}" if entry.mode else "")
