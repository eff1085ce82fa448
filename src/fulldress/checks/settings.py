"""FD6xx: what becomes of configuration keys, set against what production sets."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.checks.constraint import plain
from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, rule, says, several
from fulldress.facts import MASK, Lookup, Setting, SettingChange, Witness, is_secret_name
from fulldress.findings import Finding, Severity


def _changes(index: Index, *kinds: str) -> list[SettingChange]:
    """Changes that lie ahead. What release notes tell of versions that production has passed is behind it."""
    return [c for c in index.of(SettingChange) if c.kind in kinds and not _passed(c, index)]


def _passed(change: SettingChange, index: Index) -> bool:
    """Whether production runs the version of the change, or a later one; False where either is no plain version."""
    at = plain(change.version)
    runs = [plain(fact.version) for fact in index.versions.get(change.component.lower(), [])]
    return at is not None and bool(runs) and all(version is not None and at <= version for version in runs)


def _file(index: Index, component: str) -> str:
    """The settings file of production that speaks for a component; empty when there is none."""
    return next(
        (s.file for s in index.of(Setting, Witness.RUNNING) if s.component.lower() == component.lower() and s.file), ""
    )


def _step(name: str, file: str, key: str, value: str = "", remove: bool = False) -> dict[str, object] | None:
    """A runbook step that edits one key. None where the file is unknown or the value is a secret that was masked."""
    if not file or MASK in value:
        return None
    step: dict[str, object] = {
        "kind": "setting",
        "name": f"{name}-{key.replace('.', '-')}",
        "file": file,
        "key": key,
        "phase": "before",
    }
    return {**step, "remove": True} if remove else {**step, "value": value}


def _set_now(finding: Finding, index: Index) -> bool | None:
    """A setting step that was carried out and verified is proof enough."""
    return any(t.witness is Witness.OBSERVED for t in finding.testimony)


def _where(setting: Setting) -> str:
    return setting.evidence.where()


@rule("FD601", Severity.MAJOR, "Production sets a key that the new version no longer reads", _set_now)
def removed(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "removed"):
        setting = index.setting(change.component, change.key)
        if setting is None:
            continue
        since = f", deprecated since {change.since}" if change.since else ""
        yield Hit(
            title=f"{change.key} is gone in {change.version}{since}; production sets it at {_where(setting)}",
            subject=change.key,
            remedy=f"Find out what took its place ({change.note or 'the vendor names nothing'}), then remove the line at {_where(setting)}.",
            testimony=(says(change, f"removed in {change.version}"), says(setting, f"{setting.key} = {setting.value}")),
            offers=_step("remove", setting.file, setting.key, remove=True),
        )


@rule("FD620", Severity.MINOR, "A credential stays in the settings, and nobody reads it any more")
def credential_left(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "removed"):
        setting = index.setting(change.component, change.key)
        if setting is None or not is_secret_name(change.key):
            continue
        yield Hit(
            title=f"{change.key} stays valid at {_where(setting)} although {change.version} no longer reads it",
            subject=change.key,
            remedy=f"Once no way back is wanted: revoke it where it was issued, then remove the line at {_where(setting)}. Until then a rollback would use it again.",
            testimony=(says(change, f"removed in {change.version}"), says(setting, f"{setting.key} is set")),
        )


@rule("FD602", Severity.MAJOR, "The default of a key that production does not set changes", _set_now)
def default_changes(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "default-changed"):
        if index.setting(change.component, change.key) is not None or not index.of(Setting, Witness.RUNNING):
            continue
        yield Hit(
            title=f"{change.key} goes from {change.old or 'unset'} to {change.new or 'unset'} by itself: production does not set it",
            subject=change.key,
            remedy=f"To keep what you have today, set it: {change.key} = {change.old}",
            testimony=(says(change, f"{change.old} → {change.new} in {change.version}"),),
            offers=_step("keep", _file(index, change.component), change.key, change.old) if change.old else None,
        )


def _equal(left: str, right: str) -> bool:
    truths = {
        "true": "true",
        "yes": "true",
        "on": "true",
        "1": "true",
        "false": "false",
        "no": "false",
        "off": "false",
        "0": "false",
    }
    a, b = left.strip().strip("\"'").lower(), right.strip().strip("\"'").lower()
    return a == b or (a in truths and truths.get(a) == truths.get(b))


@rule("FD603", Severity.BLOCKER, "A key has to have a value that production does not give it", _set_now)
def required(index: Index) -> Iterator[Hit]:
    for change in index.of(SettingChange):
        if change.kind != "required" and not change.must_be:
            continue
        setting = index.setting(change.component, change.key)
        if setting is not None and (not change.must_be or _equal(setting.value, change.must_be)):
            continue
        if setting is None and not index.has_production:
            continue
        must = f"must be {change.must_be}" if change.must_be else "must be set"
        has = f"is {setting.value} at {_where(setting)}" if setting else "is not set"
        value = change.must_be or change.new
        yield Hit(
            title=f"{change.key} {must} and {has}" + (f": {change.otherwise}" if change.otherwise else ""),
            subject=change.key,
            remedy=f"Set it before the upgrade: {change.key} = {value or 'VALUE (ask the vendor)'}",
            testimony=(
                says(change, f"{must}" + (f", else {change.otherwise}" if change.otherwise else "")),
                *([says(setting, f"{setting.key} = {setting.value}")] if setting else []),
            ),
            offers=_step("set", setting.file if setting else _file(index, change.component), change.key, value)
            if value
            else None,
        )


@rule("FD604", Severity.BLOCKER, "Production sets a key under its old name", _set_now)
def renamed(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "renamed"):
        setting = index.setting(change.component, change.key)
        if setting is None or not change.to or index.setting(change.component, change.to) is not None:
            continue
        yield Hit(
            title=f"{change.key} is called {change.to} from {change.version} on: production's {setting.value} would be ignored",
            subject=change.key,
            remedy=f"Set the new name to the same value beside the old one: {change.to} = {setting.value}",
            testimony=(says(change, f"renamed to {change.to}"), says(setting, f"{setting.key} = {setting.value}")),
            offers=_step("rename", setting.file, change.to, setting.value),
        )


@rule("FD605", Severity.BLOCKER, "A value that production sets is no longer allowed", _set_now)
def value_invalid(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "value-invalid"):
        setting = index.setting(change.component, change.key)
        if setting is not None and (not change.old or _equal(setting.value, change.old)):
            yield Hit(
                title=f"{change.key} = {setting.value} is refused by {change.version}",
                subject=change.key,
                remedy=f"Set a value that it takes: {change.key} = {change.new or 'VALUE (see the vendor)'}",
                testimony=(
                    says(change, change.note or f"{change.old} is not valid"),
                    says(setting, f"{setting.key} = {setting.value}"),
                ),
                offers=_step("set", setting.file, setting.key, change.new) if change.new else None,
            )


@rule("FD606", Severity.NOTE, "Production sets keys that the package's defaults do not list")
def unknown_keys(index: Index) -> Iterator[Hit]:
    shipped: dict[str, set[str]] = {}
    for setting in index.of(Setting, Witness.READ):
        shipped.setdefault(setting.component.lower(), set()).add(setting.key.lower())
    spoken = {(c.component.lower(), c.key.lower()) for c in index.of(SettingChange)}
    spoken |= {(c.component.lower(), c.key.lower()) for c in index.of(Lookup)}  # no default lists it, code reads it
    for component, keys in shipped.items():
        own = [
            s
            for (name, key), s in index.settings.items()
            if name == component and key not in keys and (name, key) not in spoken
        ]
        # A file that shares no key with the defaults is another file, not a wrong one.
        shared = [s for (name, key), s in index.settings.items() if name == component and key in keys]
        if own and shared:
            yield Hit(
                title=f"the package's defaults do not list {several([s.key for s in own])}, which production sets",
                subject=component,
                remedy="Check the spelling, and ask the vendor whether these keys are still read.",
                testimony=tuple(says(s, f"{s.key} = {s.value}") for s in own),
            )


@rule("FD607", Severity.MINOR, "Production sets a deprecated key")
def deprecated(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "deprecated"):
        setting = index.setting(change.component, change.key)
        if setting is not None:
            yield Hit(
                title=f"{change.key} is deprecated since {change.since or change.version}: a later version drops it",
                subject=change.key,
                remedy=f"Move to {change.to or 'what the vendor names instead'} before the upgrade after this one.",
                testimony=(
                    says(change, change.note or "deprecated"),
                    says(setting, f"{setting.key} = {setting.value}"),
                ),
            )


@rule("FD608", Severity.MAJOR, "A key that production sets means something else now", _set_now)
def meaning_changed(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "meaning-changed"):
        setting = index.setting(change.component, change.key)
        if setting is not None:
            yield Hit(
                title=f"{change.key} = {setting.value} means something else from {change.version} on: {change.note or 'see the changelog'}",
                subject=change.key,
                remedy=f"Read the note and decide the value anew: {change.key} = {change.new or 'VALUE'}",
                testimony=(
                    says(change, change.note or "meaning changed"),
                    says(setting, f"{setting.key} = {setting.value}"),
                ),
            )
