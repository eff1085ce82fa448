"""A settings file that the new release ships, and so reads, in another place than the old one did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from fulldress.facts import Change, Evidence, Fact, Setting, Witness

#: Keys that both files have to share: names such as ``port`` stand in every second file.
_SHARED = 2


def moved(old: Iterable[Fact], new: Iterable[Fact]) -> Iterator[Change]:
    """Files of one name below ``etc/`` whose folder changed and that share most of their keys."""
    before, after = _files(old), _files(new)
    gone = {path: keys for path, keys in before.items() if path not in after}
    come = {path: keys for path, keys in after.items() if path not in before}
    for path, (keys, evidence) in sorted(come.items()):
        name = path.rsplit("/", 1)[-1]
        for place, (others, _) in sorted(gone.items()):
            shared = keys.keys() & others.keys()
            if place.rsplit("/", 1)[-1] == name and len(shared) >= _SHARED and 2 * len(shared) >= len(others):
                yield Change(
                    witness=Witness.READ,
                    rank=5,
                    family="Setting",
                    what="moved",
                    subject=name,
                    before=place,
                    after=path,
                    evidence=evidence,
                )
                break


def _files(facts: Iterable[Fact]) -> dict[str, tuple[dict[str, str], Evidence]]:
    """Keys by the place where their file will stand on the host; only for files that are installed below ``/etc``."""
    found: dict[str, tuple[dict[str, str], Evidence]] = defaultdict(lambda: ({}, Evidence()))
    for fact in facts:
        if isinstance(fact, Setting) and fact.witness is Witness.READ:
            inner = fact.evidence.path.rsplit("!/", 1)[-1]
            at = f"/{inner}".find("/etc/")
            if at >= 0:
                place = f"/{inner}"[at:]
                keys, evidence = found[place]
                keys[fact.key] = fact.value
                found[place] = keys, evidence if evidence.path else fact.evidence
    return dict(found)
