"""The matrix of keys: what became of every key at every version, from packages, their differences and records.

One row per component, version, key and fate. :func:`line` writes it with tabs, so that ``grep``, ``cut`` and ``sort`` work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cmp_to_key

import msgspec

from fulldress.catalog import setting_changes, versions
from fulldress.catalog.conditions import Known
from fulldress.catalog.joining import released
from fulldress.catalog.records import Change, Record
from fulldress.catalog.records import Release as ReleaseRecord
from fulldress.errors import UsageError
from fulldress.facts import Evidence, Fact, Release, Setting, SettingChange

#: A key that a version lists, and of which nothing else is known there.
LISTED = "listed"
_NOTHING = Known(
    within=lambda component, range_: None, installed=lambda component: None, setting=lambda component, key: None
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    component: str
    version: str
    key: str
    fate: str
    default: str = ""
    words: str = ""
    place: str = ""


def line(row: Row) -> str:
    """``component version key fate default words place``, separated by tabs; an empty cell is ``-``."""
    default = f"default={row.default}" if row.default else ""
    cells = (row.component, row.version, row.key, row.fate, default, row.words, row.place)
    return "\t".join(" ".join(cell.split()) or "-" for cell in cells)


def matrix(
    packages: Iterable[Iterable[Fact]], records: Iterable[Record] = (), production: Iterable[Fact] = ()
) -> list[Row]:
    """Rows of every package, ordered by component, key and version.

    ``packages`` are the facts of one package each. Defaults of neighbouring versions of a component are compared."""
    entries = [(release, facts) for facts in map(list, packages) if (release := released(facts)) is not None]
    known = list(records)
    schemes = {r.component: r.scheme for r in known if isinstance(r, ReleaseRecord) and r.scheme}
    sets = _set_in_production(production)
    rows: dict[tuple[str, str, str, str], Row] = {}
    for release, previous, facts in _with_previous(entries, schemes):
        changes = [f for f in facts if isinstance(f, SettingChange)]
        if previous is not None:
            changes += setting_changes.news(setting_changes.difference(previous, facts, release.version), changes)
        defaults = {(f.component, f.key): f for f in facts if isinstance(f, Setting)}
        for change in changes:
            _add(rows, change, release.version, defaults.get((change.component, change.key)), sets)
        spoken = {(change.component, change.key) for change in changes}
        for (component, key), setting in defaults.items():
            if (component, key) not in spoken:
                row = Row(component=component, version=release.version, key=key, fate=LISTED, default=setting.value, words=_sets(sets, component, key), place=setting.evidence.where())  # fmt: skip
                rows.setdefault((component, release.version, key, LISTED), row)
    for component in sorted({r.component for r in known if isinstance(r, Change)}):
        for change in setting_changes.recorded(known, component, schemes.get(component, ""), "", "", _NOTHING):
            _add(rows, change, change.version, None, sets)
    return _ordered(rows.values(), schemes)


def _with_previous(
    entries: list[tuple[Release, list[Fact]]], schemes: dict[str, str]
) -> list[tuple[Release, list[Fact] | None, list[Fact]]]:
    """Every package with the one before it, by version within its product. Equal versions have the same neighbour."""
    by: dict[str, list[tuple[Release, list[Fact]]]] = defaultdict(list)
    for release, facts in entries:
        by[release.product.lower()].append((release, facts))
    found: list[tuple[Release, list[Fact] | None, list[Fact]]] = []
    for group in by.values():
        scheme = schemes.get(group[0][0].product, "")

        def compare(a: tuple[Release, list[Fact]], b: tuple[Release, list[Fact]], scheme: str = scheme) -> int:
            return order(scheme, a[0].version, b[0].version)

        group.sort(key=cmp_to_key(compare))
        for at, (release, facts) in enumerate(group):
            before = next(
                (
                    f
                    for r, f in reversed(group[:at])
                    if order(schemes.get(r.product, ""), r.version, release.version) < 0
                ),
                None,
            )
            found.append((release, before, facts))
    return found


def order(scheme: str, left: str, right: str) -> int:
    """Order of two versions; those that are not understood come first, by their spelling."""
    try:
        parsed = versions.parse(scheme or "dotted", left), versions.parse(scheme or "dotted", right)
        return versions.compare(*parsed)
    except UsageError:
        readable = [_readable(scheme, text) for text in (left, right)]
        return readable[0] - readable[1] or (left > right) - (left < right)


def _readable(scheme: str, text: str) -> int:
    try:
        versions.parse(scheme or "dotted", text)
    except UsageError:
        return 0
    return 1


def _set_in_production(production: Iterable[Fact]) -> dict[tuple[str, str], Evidence]:
    return {(f.component.lower(), f.key.lower()): f.evidence for f in production if isinstance(f, Setting)}


def _sets(sets: dict[tuple[str, str], Evidence], component: str, key: str) -> str:
    place = sets.get((component.lower(), key.lower()))
    return f"production sets it at {place.where()}" if place else ""


def _add(
    rows: dict[tuple[str, str, str, str], Row],
    change: SettingChange,
    version: str,
    default: Setting | None,
    sets: dict[tuple[str, str], Evidence],
) -> None:
    """One row for a fate. What two witnesses say of one fate stands in one row; what is said in both is said once."""
    at = change.version or version
    key = (change.component, at, change.key, change.kind)
    value = default.value if default is not None else change.new
    words = [_words(change), _sets(sets, change.component, change.key)]
    before = rows.get(key)
    if before is not None:
        words = [*before.words.split("; "), *words]
        value = before.default or value
    said = "; ".join(dict.fromkeys(word for word in words if word))
    place = before.place if before is not None else change.evidence.where()
    rows[key] = Row(
        component=change.component, version=at, key=change.key, fate=change.kind, default=value, words=said, place=place
    )


def _words(change: SettingChange) -> str:
    parts = [
        f"{change.old or 'unset'} -> {change.new or 'unset'}" if change.kind == "default-changed" else "",
        f"now {change.to}" if change.to else "",
        (f"must be {change.must_be}" + (f": else {change.otherwise}" if change.otherwise else ""))
        if change.must_be
        else "",
        f"deprecated since {change.since}" if change.since and change.kind != "deprecated" else "",
    ]
    said = "; ".join(part for part in parts if part)
    return said or (
        change.note if change.kind in ("meaning-changed", "value-invalid", "required", "removed", "deprecated") else ""
    )


def _ordered(rows: Iterable[Row], schemes: dict[str, str]) -> list[Row]:
    def compare(left: Row, right: Row) -> int:
        a, b = (left.component, left.key), (right.component, right.key)
        return (
            (a > b) - (a < b)
            or order(schemes.get(left.component, ""), left.version, right.version)
            or (left.fate > right.fate) - (left.fate < right.fate)
        )

    return sorted(rows, key=cmp_to_key(compare))
