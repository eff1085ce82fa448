"""Migrations that are programs, translated call by call into the statements they stand for; nothing is executed.

A translator is a module with ``read(member) -> Iterator[Script]``; its line in :data:`_TRANSLATORS` says which members are
offered to it. A member of which it yields nothing is none of its own.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator

from fulldress.package.migrations import naming
from fulldress.package.migrations.script import Script
from fulldress.package.reader import Package
from fulldress.patterns import regex

#: Kind of the member, what tells in its text, and the module that reads it.
_TRANSLATORS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("python", regex(r"(?m)^(?:down_)?revision\b.*=|^def upgrade\("), "alembic"),
    ("python", regex(r"(?m)^class Migration\((?:\w+\.)?Migration\)"), "django"),
    ("python", regex(r"(?m)^def run_(?:create|upgrade)\("), "pydelta"),
    ("ruby", regex(r"(?m)^\s*class \w+\s*<\s*(?:ActiveRecord::)?Migration\b"), "rails"),
    ("javascript", regex(r"\b(?:exports|export)\b|queryRunner"), "javascript"),
    ("php", regex(r"extends\s+\\?(?:\w+\\)*\w*Migration\b|addSql\("), "php"),
    ("xml", regex(r"<databaseChangeLog\b"), "liquibase"),
    ("yaml", regex(r"(?m)^\s*-?\s*databaseChangeLog\s*:"), "liquibase"),
    ("json", regex(r'"databaseChangeLog"\s*:'), "liquibase"),
)
_PLACE = regex(r"(?i)(?:^|/)[^/]*(?:migrat|alembic|changelog|delta|upgrade)[^/]*/|(?:^|/)versions/")
_NEVER = regex(
    r"(?i)(?:^|/)(?:tests?|spec|__tests__|node_modules|fixtures|init|seeds?|hooks|utils?|lib|helpers)/|\.(?:test|spec)\.\w+$|\.d\.ts$"
)


def read(package: Package) -> Iterator[Script]:
    """Scripts of all programs, by path with numbers in order."""
    kinds = {kind for kind, _, _ in _TRANSLATORS}
    memory: dict[str, object] = {}  #: what translators remember from one file to the next: a model's fields
    memory["paths"] = frozenset(package.members)
    members = sorted((m for m in package.of(*kinds) if m.kept), key=lambda m: naming.order(m.path))
    for member in members:
        declared = member.kind in ("xml", "yaml", "json")
        if _NEVER.search(member.inner) or not (declared or _PLACE.search(member.inner)):
            continue
        head = member.data[:4000] if declared else member.data
        if declared and b"databaseChangeLog" not in head:
            continue
        text = member.text
        for kind, telling, module in _TRANSLATORS:
            if kind == member.kind and telling.search(text):
                found = list(importlib.import_module(f"{__name__}.{module}").read(member, memory))
                yield from found
                if found:
                    break
