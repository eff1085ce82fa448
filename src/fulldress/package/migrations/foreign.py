"""Migrations that are programs which nobody here translates: each language and folder of them is said.

One fact a language and folder: what they do to the schema is seen in the rehearsal only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set

from fulldress.facts import AnyFact, Reason, Unread, Witness
from fulldress.package.reader import Member

#: Kind of a member -> language, and what tells a migration from another module that lies in such a folder.
_LANGUAGES: dict[str, tuple[str, re.Pattern[str]]] = {
    "python": (
        "Python",
        re.compile(r"(?m)^(?:async )?def (?:upgrade|run_create|run_upgrade)\(|^class Migration\(|^revision\b.*="),
    ),
    "javascript": ("JavaScript", re.compile(r"\bup\b\s*[:=(]|[Mm]igrations?\(|\b(?:add|drop|create)Table\(")),
    "ruby": ("Ruby", re.compile(r"(?m)^\s*class \w+ < (?:ActiveRecord::)?Migration\b|Sequel\.migration")),
    "php": ("PHP", re.compile(r"extends (?:\\?\w+\\)*\w*Migration\b|function up\(")),
}
_PLACE = re.compile(r"(?i)^(?P<folder>(?:.*/)?(?:\w+[_\-])?(?:migrations?|migrate|alembic|deltas?))/(?:.*/)?[^/]+$")
_TESTS = re.compile(r"(?i)(?:^|/)(?:tests?|testing|spec|__tests__)/")
_OTHERS = re.compile(
    r"(?i)(?:^|/)(?:tests?|spec|node_modules|utils?|lib|helpers?|hooks|cli)/|\.(?:test|spec)\.\w+$|(?:^|/)index\.\w+$"
)


def read(members: Iterable[Member], translated: Set[str] = frozenset()) -> Iterator[AnyFact]:
    """One :class:`Unread` for the migrations of each language below each folder."""
    found: dict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in members:
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
            detail="their calls are not read: what they lose, lock and rewrite shows in the rehearsal, not here",
            needed=True,
            shows=True,
        )
