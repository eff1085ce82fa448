"""What changed against an older package, as a person reads it: a line for each kind of consequence, the worst first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import msgspec

from fulldress.checks.rule import several
from fulldress.facts import Change


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the comparison. ``changes`` are all that it speaks of."""

    name: str
    words: str
    changes: tuple[Change, ...]


def _value(change: Change) -> str:
    return f"{change.subject} {change.before or 'unset'} → {change.after or 'unset'}"


def _job(change: Change) -> str:
    """The job with its hours; what it runs begins at the first path."""
    words = (change.after or change.before).split()
    hours = list(itertools.takewhile(lambda word: not word.startswith("/") or word.startswith("*/"), words))
    return f"{change.subject} {' '.join(hours[:6])}".strip()


def _named(change: Change) -> str:
    return change.subject


def _file(change: Change) -> str:
    return change.subject.rsplit("/", 1)[-1]


def _signer(change: Change) -> str:
    before, after = change.before.split(", "), change.after.split(", ")
    alike = set(before) & set(after)
    return " → ".join(", ".join(part for part in parts if part not in alike) for parts in (before, after))


def _migration(change: Change) -> str:
    return change.subject.removesuffix(" (up)")


def _edited(change: Change) -> str:
    """A migration that was released before and is another one now. Where it has run, it does not run again."""
    return f"{_migration(change)} was edited"


def _operation(change: Change) -> str:
    parts = change.after.split(", ")
    return f"{change.subject} {', '.join(parts[:2])}".strip() + (
        f" and {len(parts) - 2} more" if len(parts) > 2 else ""
    )


class _Kind(msgspec.Struct, frozen=True):
    """How changes of one family are told: name of the line, words for a new or gone one, and for a changed one."""

    name: str
    one: Callable[[Change], str] = _named
    changed: Callable[[Change], str] = _value
    most: int = 4


_KINDS: dict[str, _Kind] = {
    "Release": _Kind("release"),
    "Signature": _Kind("signature", changed=_signer, most=2),
    "Reboot": _Kind("reboot", one=lambda c: c.after or c.before),
    "Schedule": _Kind("jobs", one=_job),
    "Interface": _Kind("API", changed=_operation, most=3),
    "Setting": _Kind("settings"),
    "Lookup": _Kind("keys in code", most=3),
    "Endpoint": _Kind("calls out to", changed=_named),
    "Privilege": _Kind("privilege"),
    "Service": _Kind("services", changed=_named),
    "Secret": _Kind("secrets"),
    "Credential": _Kind("credentials"),
    "Webhook": _Kind("webhooks"),
    "Flag": _Kind("flags"),
    "Requirement": _Kind("dependencies", one=lambda c: f"{c.subject} {c.after or c.before}"),
    "Restart": _Kind("restarts"),
    "Downtime": _Kind("downtime", one=lambda c: c.after or c.before, changed=lambda c: f"{c.before} → {c.after}"),
    "Migration": _Kind("migrations", one=_migration, changed=_edited),
    "Binary": _Kind("programs", one=_file, changed=lambda c: f"{_file(c)} {c.before} → {c.after}", most=3),
    "Entry": _Kind("files", one=_file, changed=_file, most=3),
    "FileEffect": _Kind("file effects", most=3),
    "Unread": _Kind("not read"),
}
_WORDS = {"added": "new", "removed": "gone", "changed": "", "moved": "moved", "same": "bytes unchanged"}
_ORDER = ("removed", "changed", "same", "added", "moved")


def lines(changes: Iterable[Change]) -> list[Line]:
    """One line a family, those first whose weightiest change weighs most. Numbers are always whole numbers."""
    families: dict[str, list[Change]] = {}
    for change in changes:
        # the way back is told beside its way up
        way_back = change.family == "Migration" and change.subject.endswith(" (down)")
        # and the host itself is nobody that is called
        if not way_back and not (change.family == "Endpoint" and change.subject in ("localhost", "127.0.0.1", "::1")):
            families.setdefault(change.family, []).append(change)
    found = [_line(family, group) for family, group in families.items()]
    return sorted(found, key=lambda line: min(change.rank for change in line.changes))


def _line(family: str, group: list[Change]) -> Line:
    kind = _KINDS.get(family, _Kind(family.lower()))
    parts = []
    for what in _ORDER:
        these = [change for change in group if change.what == what]
        if these:
            tell = kind.changed if what == "changed" else kind.one
            words = several([tell(change) for change in these], kind.most)
            parts.append(f"{_WORDS[what]}: {words}" if _WORDS[what] else words)
    return Line(name=kind.name, words="; ".join(parts), changes=tuple(group))
