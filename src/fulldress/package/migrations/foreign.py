"""Migrations that are programs which nobody here translates: each language and folder of them is said.

One fact a language and folder: what they do to the schema is seen in the rehearsal only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set

from fulldress.facts import AnyFact, Reason, Unread, Witness
from fulldress.package.reader import Member
from fulldress.patterns import regex

#: Kind of a member -> language, and what tells a migration from another module that lies in such a folder.
_LANGUAGES: dict[str, tuple[str, re.Pattern[str]]] = {
    "python": (
        "Python",
        regex(r"(?m)^(?:async )?def (?:upgrade|run_create|run_upgrade)\(|^class Migration\(|^revision\b.*="),
    ),
    "javascript": ("JavaScript", regex(r"\bup\b\s*[:=(]|[Mm]igrations?\(|\b(?:add|drop|create)Table\(")),
    "ruby": ("Ruby", regex(r"(?m)^\s*class \w+ < (?:ActiveRecord::)?Migration\b|Sequel\.migration")),
    "php": ("PHP", regex(r"extends (?:\\?\w+\\)*\w*Migration\b|function up\(")),
}
#: Suffix -> language or tool, and what makes a file of it a migration wherever it lies.
_ANYWHERE: dict[str, tuple[str, re.Pattern[str]]] = {
    "cs": ("C# (EF Core)", regex(r"class \w+\s*:\s*Migration\b[\s\S]{0,2000}?MigrationBuilder")),
    "exs": ("Elixir (Ecto)", regex(r"use Ecto\.Migration\b")),
    "java": ("Java (Flyway)", regex(r"extends BaseJavaMigration\b|implements JavaMigration\b")),
    "kt": ("Kotlin (Flyway)", regex(r"class \w+\s*(?:\([^)]*\))?\s*:\s*(?:Base)?JavaMigration\b")),
    "go": (
        "Go",
        regex(r"\bgoose\.Add(?:Named)?Migration\w*\(|\bmigrations\.(?:MustR|R)egister\w*\(|gormigrate\.Migration\{"),
    ),
    "scala": ("Scala (Flyway)", regex(r"extends BaseJavaMigration\b")),
    "pm": ("Perl (DBIx::Class)", regex(r"DBIx::Class::(?:DeploymentHandler|Schema::Versioned)\b")),
}
#: A script that upgrades the database by hand: it lies in a folder or bears a name of upgrades, and holds DDL.
_BY_HAND = regex(
    r"(?i)(?:^|/)(?:upgrades?|db[_-]?updates?|updates)/(?:.*/)?[^/]+\.(?:php|pl|pm)$|(?:^|/)(?:db[_-]?)?upgrade[\w.-]*\.(?:php|pl)$"
)
_DDL = regex(r"(?i)\b(?:alter|create|drop)\s+table\b|\b(?:add|drop|modify)_column\(")
_CLASS = regex(r"(?:^|/)db/migration/(?:.*/)?[VRUB][\d_.]*__\w+\.class$")
_PLACE = regex(r"(?i)^(?P<folder>(?:.*/)?(?:\w+[_\-])?(?:migrations?|migrate|alembic|deltas?))/(?:.*/)?[^/]+$")
_TESTS = regex(r"(?i)(?:^|/)(?:tests?|testing|spec|__tests__)/")
_OTHERS = regex(
    r"(?i)(?:^|/)(?:tests?|spec|node_modules|utils?|lib|helpers?|hooks|cli|init|seeds?|seeders|fixtures)/|\.(?:test|spec)\.\w+$|(?:^|/)index\.\w+$|\.d\.[cm]?ts$"
)


def read(members: Iterable[Member], translated: Set[str] = frozenset()) -> Iterator[AnyFact]:
    """One :class:`Unread` for the migrations of each language below each folder."""
    found: dict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in members:
        if language := _elsewhere(member):
            folder = member.inner.rpartition("/")[0]
            found[language, member.prefix + folder if folder else "the package's root"].append(member)
            continue
        language, telling = _LANGUAGES.get(member.kind, ("", None))
        place = _PLACE.match(member.inner)
        if telling is None or place is None or _OTHERS.search(member.inner[place.end("folder") :]):
            continue
        if member.path in translated or _TESTS.search(member.inner):
            continue
        if member.kept and not telling.search(member.text):
            continue
        found[language, member.prefix + place["folder"]].append(member)
    for (language, folder), every in sorted(found.items()):
        yield Unread(
            witness=Witness.READ,
            evidence=every[0].evidence(),
            what=f"{len(every)} migration{'s' if len(every) > 1 else ''} in {language} below {folder}",
            reason=Reason.FORMAT,
            detail=f"{_examples(every)}: their calls are not read: what they lose, lock and rewrite shows in the rehearsal, not here",
            needed=True,
            shows=True,
        )


def _examples(every: list[Member]) -> str:
    names = ", ".join(member.name for member in every[:3])
    return f"{names} and {len(every) - 3} more" if len(every) > 3 else names


def _elsewhere(member: Member) -> str:
    """Language of a migration that is known by its words, not by its folder; empty for every other file."""
    if _TESTS.search(member.inner):
        return ""
    if _CLASS.search(member.inner):  # its bytes are not held, its name says enough
        return "Java classes (Flyway)"
    if not member.kept:
        return ""
    name, telling = _ANYWHERE.get(member.name.rsplit(".", 1)[-1].lower(), ("", None))
    if telling is not None and member.kind in ("text", "perl") and telling.search(member.text):
        return name
    if member.kind in ("php", "perl") and _BY_HAND.search(member.inner) and _DDL.search(member.text):
        return f"{'PHP' if member.kind == 'php' else 'Perl'} scripts of upgrades"
    return ""
