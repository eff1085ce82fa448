"""Programs and libraries: the ones whose bytes are still the old release's, older ones, other versions, lost symbols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fulldress.facts import Binary, Change, Entry, Fact, Release, Witness
from fulldress.package.against.alike import Alike

_SHOWN = 5


def compare(old: Iterable[Fact], new: Iterable[Fact], alike: Alike) -> Iterator[Change]:
    """Every program and library that both packages hold, by path, else by a file name that each holds once."""
    old, new = tuple(old), tuple(new)
    before, after = _digests(old), _digests(new)
    of_another_release = _release(old) != _release(new)
    for was, now in _pairs(old, new, alike):
        if was.path in before and before[was.path] == after.get(now.path):
            if of_another_release:
                yield _change(now, 21, "same", was.path, now.path)
        else:
            yield from _other(was, now)


def _digests(facts: tuple[Fact, ...]) -> dict[str, str]:
    return {f.path: f.sha256 for f in facts if isinstance(f, Entry) and f.sha256}


def _release(facts: tuple[Fact, ...]) -> frozenset[str]:
    return frozenset(f.version for f in facts if isinstance(f, Release) and f.aspect != "binary")


def _pairs(old: tuple[Fact, ...], new: tuple[Fact, ...], alike: Alike) -> Iterator[tuple[Binary, Binary]]:
    before = {alike.old(f.path): f for f in old if isinstance(f, Binary)}
    after = {alike.new(f.path): f for f in new if isinstance(f, Binary)}
    names_before, names_after = _once(before), _once(after)
    for key, now in after.items():
        was = before.get(key)
        if was is None:
            name = key.rsplit("/", 1)[-1]
            was = names_before.get(name) if name in names_after else None
        if was is not None:
            yield was, now


def _once(binaries: dict[str, Binary]) -> dict[str, Binary]:
    """By file name, where the name stands for one file only."""
    found: dict[str, list[Binary]] = {}
    for key, binary in binaries.items():
        found.setdefault(key.rsplit("/", 1)[-1], []).append(binary)
    return {name: group[0] for name, group in found.items() if len(group) == 1}


def _other(was: Binary, now: Binary) -> Iterator[Change]:
    older = bool(now.built and was.built and now.built < was.built)
    if older or now.version != was.version:
        yield _change(
            now, 4 if older else 24, "changed", _says(was), _says(now) + " (older than the one it replaces)" * older
        )
    if was.requires != now.requires and set(now.requires) - set(was.requires):
        yield _change(now, 16, "changed", ", ".join(was.requires) or "nothing", f"needs {', '.join(now.requires)}")
    lost = tuple(sorted(set(was.exports) - set(now.exports)))
    if lost and was.soname == now.soname:
        names = ", ".join(lost[:_SHOWN]) + (f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else "")
        yield _change(now, 6, "changed", f"{len(was.exports)} symbols", f"without {names}", lost=lost)
    elif was.soname and was.soname != now.soname:
        yield _change(now, 7, "changed", was.soname, now.soname or "no soname")
    parts = sorted(set(now.bundled) - set(was.bundled))
    if parts and was.bundled:
        gone = len(set(was.bundled) - set(now.bundled))
        yield _change(now, 27, "changed", f"{gone} parts inside gone or of another version", f"{len(parts)} new")


def _change(now: Binary, rank: int, what: str, before: str, after: str, lost: tuple[str, ...] = ()) -> Change:
    return Change(
        witness=Witness.READ,
        rank=rank,
        family="Binary",
        what=what,
        subject=now.soname if lost else now.path,
        before=before,
        after=after,
        lost=lost,
        evidence=now.evidence,
    )


def _says(fact: Binary) -> str:
    built = f"built {fact.built:%Y-%m-%d}" if fact.built else ""
    return " ".join(part for part in (fact.version, built) if part) or "says nothing"
