"""What becomes of configuration keys between what runs and the target: from defaults, from records, from the vendor's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fulldress.catalog import versions
from fulldress.catalog.conditions import Known
from fulldress.catalog.records import Change, Record
from fulldress.errors import UsageError
from fulldress.facts import Evidence, Fact, Setting, SettingChange, Witness
from fulldress.patterns import regex

_VERSION = regex(r"\d+(?:[._]\d+)+")


def defaults(facts: Iterable[Fact]) -> dict[tuple[str, str, str], Setting]:
    """Shipped settings by (component, file, key). A version in the file's path does not make it another file."""
    found: dict[tuple[str, str, str], Setting] = {}
    for fact in facts:
        if isinstance(fact, Setting):
            path = (fact.file or fact.evidence.path).rsplit("!/", 1)[-1]
            name = _VERSION.sub("*", path.strip("/")).rsplit("/", 1)[-1].lower()
            found[fact.component.lower(), name, fact.key] = fact
    return found


def difference(old: Iterable[Fact], new: Iterable[Fact], version: str) -> Iterator[SettingChange]:
    """Defaults that came, went or changed. Only files that both sides ship are compared: a file that is not shipped any
    more says nothing about its keys, unless all of the component's files went."""
    before, after = defaults(old), defaults(new)
    files = {(c, f) for c, f, _ in before} & {(c, f) for c, f, _ in after}
    for (component, file, key), was in before.items():
        now = after.get((component, file, key))
        if (component, file) not in files:
            continue
        if now is None:
            yield _read(was, "removed", version, note=f"listed in the old {file}, not in the new one", old=was.value)
        elif now.value != was.value:
            yield _read(now, "default-changed", version, old=was.value, new=now.value)
    for (component, file, key), now in after.items():
        if (component, file) in files and (component, file, key) not in before:
            yield _read(now, "added", version, new=now.value)


def _read(fact: Setting, kind: str, version: str, old: str = "", new: str = "", note: str = "") -> SettingChange:
    return SettingChange(
        witness=Witness.READ, evidence=fact.evidence, component=fact.component, key=fact.key, version=version, kind=kind,
        old=old, new=new, note=note,
    )  # fmt: skip


def recorded(
    records: Iterable[Record], component: str, scheme: str, start: str, target: str, known: Known
) -> Iterator[SettingChange]:
    """Records of changes after ``start``, up to and with ``target``. An empty ``start`` is older than everything."""
    for record in records:
        if (
            not isinstance(record, Change)
            or record.surface != "config"
            or record.component.lower() != component.lower()
        ):
            continue
        if record.condition.holds(known) is not False and between(scheme, start, record.at, target):
            yield _of_record(record)


def _of_record(record: Change) -> SettingChange:
    source = record.source
    evidence = Evidence(source=source.file, path=source.file, line=source.line, excerpt=source.name)
    return SettingChange(
        witness=Witness.DECLARED, evidence=evidence, component=record.component, key=record.key, version=record.at,
        kind=record.fate, old=record.old, new=record.new, to=record.to, must_be=record.must_be, otherwise=record.otherwise,
        since=record.since, note=record.note or record.reason,
    )  # fmt: skip


def between(scheme: str, start: str, at: str, target: str) -> bool:
    """Whether ``start < at <= target``. Versions that are not understood count as between: better said than dropped."""
    try:
        this = versions.parse(scheme, at)
        if start and versions.compare(this, versions.parse(this.scheme, start)) <= 0:
            return False
        return not target or versions.compare(this, versions.parse(this.scheme, target)) <= 0
    except UsageError:
        return True


def news(found: Iterable[SettingChange], said: Iterable[Fact]) -> Iterator[SettingChange]:
    """Changes that nobody has said yet. The same fate with other values is news: the witnesses disagree."""
    seen: dict[tuple[str, str, str], list[SettingChange]] = {}
    for fact in said:
        if isinstance(fact, SettingChange):
            seen.setdefault((fact.component.lower(), fact.key.lower(), fact.kind), []).append(fact)
    for change in found:
        key = (change.component.lower(), change.key.lower(), change.kind)
        if all(_differ(change, other) for other in seen.get(key, [])):
            seen.setdefault(key, []).append(change)
            yield change


def _differ(left: SettingChange, right: SettingChange) -> bool:
    pairs = ((left.old, right.old), (left.new, right.new), (left.must_be, right.must_be), (left.to, right.to))
    return any(a and b and a.strip("\"'") != b.strip("\"'") for a, b in pairs)
