"""Settings that plainly are schedules: ``app.sync.cron=0 0 3 * * *`` in properties and YAML.

Only where the key says cron (or schedule) and the value parses as one; a key that a class of the package refers to is told
by that class already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from fulldress.facts import AnyFact
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import fields, placeholders
from fulldress.package.schedules.jobs import Clock, Found, facts
from fulldress.patterns import regex

_KEY = regex(r"(?i)(?:^|[._-]|[a-z](?=C))cron(?:[._-]?(?:expression|expr|schedule|string|pattern))?$|(?:^|[._-])schedule(?:[._-]?(?:cron|expression))?$|cronExpression$")  # fmt: skip
_ROW = regex(
    r"""^(\s*)(?:-\s+)?["']?([A-Za-z_][\w.\-\[\]]*)["']?\s*([=:])\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^#\n"'{][^\n]*?))\s*(?:\s#.*)?,?\s*$"""
)
#: What a file of settings of the product is called; manifests of clusters and of build services are read elsewhere or never.
_FOREIGN = regex(
    r"(?:^|/)(?:\.github|\.gitlab[^/]*|\.circleci|\.travis[^/]*|\.drone[^/]*|renovate\.json5?|dependabot\.ya?ml|azure-pipelines[^/]*|bitbucket-pipelines[^/]*|node_modules)(?:/|$)"
)

_HOLE = regex(rb"\$\{([\w.\-\[\]]{1,200})")
_named: WeakKeyDictionary[Package, set[str]] = WeakKeyDictionary()


def read(package: Package, member: Member, clock: Clock) -> Iterator[AnyFact]:
    """The schedules among a file's settings."""
    data = member.data
    if (b"ron" not in data and b"chedule" not in data) or _FOREIGN.search(member.path):
        return
    if b"CronJob" in data or b"CronWorkflow" in data or b"AWS::" in data or b"ofelia." in data or b"{{" in data:
        return
    if (
        member.name.startswith("values")
        and f"{member.path.rpartition('/')[0]}/Chart.yaml".lstrip("/") in package.members
    ):
        return  # its templates tell
    indents: list[tuple[int, str]] = []
    is_yaml = member.name.lower().endswith((".yaml", ".yml"))
    for number, row in enumerate(member.text.splitlines(), 1):
        if is_yaml and (parent := re.match(r"(\s*)(?:-\s+)?[\"']?([\w.-]+)[\"']?\s*:\s*(?:#.*)?$", row)):
            indents = [(width, key) for width, key in indents if width < len(parent[1])]
            indents.append((len(parent[1]), parent[2]))
        match = _ROW.match(row) if len(row) < 1000 else None
        if not match or not _KEY.search(match[2]):
            continue
        value = next(value for value in (match[4], match[5], match[6]) if value is not None).strip()
        above = [key for width, key in indents if width < len(match[1])] if is_yaml else []
        key = ".".join([*above, match[2]])
        dialect = dialect_of(value)
        if dialect and not _referred(package, member, key):
            yield from facts(
                package,
                member,
                Found(
                    line=number, name=key, mechanism="cron setting", expression=value, dialect=dialect, text=row.strip(),
                    script="", remarks=("who reads this setting is not known",),
                ),
                clock,
            )  # fmt: skip


def dialect_of(value: str) -> str:
    """The dialect that a text parses in, empty where it is no schedule: five, six or seven fields that hold a ``*`` or ``?``."""
    words = value.split()
    if len(words) not in (5, 6, 7) or not re.search(r"[*?]", value) or not re.fullmatch(r"[\w*?/,#\s-]+", value):
        return ""
    for dialect in {5: ("unix",), 6: ("spring", "quartz"), 7: ("quartz",)}[len(words)]:
        try:
            fields.parse(value, dialect)
        except fields.FieldsError:
            continue
        return dialect
    return ""


def _referred(package: Package, member: Member, key: str) -> bool:
    """Whether a class or source of the package has this key in a placeholder."""
    named = _named.get(package)
    if named is None:
        named = set()
        for other in package.members.values():
            if other.kept and other.name.endswith((".class", ".java", ".kt", ".xml")) and b"${" in other.data:
                named |= {placeholders.relaxed(found.decode("latin-1")) for found in _HOLE.findall(other.data)}
        _named[package] = named
    return placeholders.relaxed(key) in named
