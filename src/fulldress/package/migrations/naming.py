"""Which SQL files are migrations, in which order, and which two belong together.

One function a naming style. A file that no style knows is still a migration where it changes a schema, in an upgrade
package; it then has no other direction, rather than a guessed one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from fulldress.patterns import regex


class Named(NamedTuple):
    """What a path says. ``key`` is shared by the two directions; ``direction`` is up, down, or empty: both in one file.

    ``strict`` is False for a direction that was guessed from a word in the name: it then counts as a pair only when
    the other direction is there, too."""

    path: str
    style: str
    key: str
    direction: str
    strict: bool = True


_SUFFIX = r"\.(?:sql|pgsql|psql|ddl)(?:\.(?:postgres|postgresql|pgsql|sqlite|sqlite3|mysql|mariadb))?$"
_UP_DOWN = regex(rf"^(?P<key>.+?)\.(?P<direction>up|down)(?P<dialect>\.\w+)?{_SUFFIX}", re.I)
_FOLDER = regex(rf"^(?P<direction>up|down)(?P<dialect>\.\w+)?{_SUFFIX}", re.I)
_FLYWAY = regex(rf"^(?P<letter>[VU])(?P<key>\d[\d._]*?)__.*{_SUFFIX}")
_REPEATABLE = regex(rf"^R__.*{_SUFFIX}")
#: A whole schema for new installations, which Flyway passes over where migrations have run.
_FLYWAY_BASELINE = regex(rf"^B\d[\d._]*__.*{_SUFFIX}")
#: What Flyway runs by itself around every ``migrate`` ("Callbacks" of its manual); those of ``clean``, ``undo`` … it does not.
_CALLBACK = regex(
    rf"^(?:(?:before|after)(?:Each)?(?:Migrate|Versioned|Repeatables|Validate|Connect)(?:Statement)?|afterMigrateApplied)(?:__.*)?{_SUFFIX}"
)
_WORDS = regex(
    rf"^(?P<a>.*?)(?P<sep>[-_.]?)(?P<word>up|upgrade|down|downgrade|rollback|undo|revert)(?P<b>{_SUFFIX})", re.I
)
_PREFIX = regex(
    rf"^(?P<word>up|upgrade|down|downgrade|rollback|undo|revert|deploy)(?P<sep>[-_.])(?P<a>.+){_SUFFIX}", re.I
)
_DOWN_WORDS = {"down", "downgrade", "rollback", "undo", "revert", "downs", "rollbacks", "downgrades"}
_UP_WORDS = {"up", "upgrade", "ups", "upgrades", "deploy", "forward"}
_DBCONFIG = regex(r"dbconfig-common/data/(?P<product>[^/]+)/upgrade(?:-dbadmin)?/(?P<dialect>[^/]+)/(?P<key>[^/]+)$")
_BASELINE = regex(
    r"(?:^|/)(?:full_?schemas?|install|initdb\.d|docker-entrypoint-initdb\.d|fixtures?|seeds?|tests?|testdata|examples?|doc)/"
    r"|dbconfig-common/data/[^/]+/install/|(?:^|[/_.-])(?:schema|structure|full|dump|install|init|initial_schema|seed|fixtures?)"
    rf"{_SUFFIX}",
    re.I,
)
_NUMBERED = regex(r"^\d")
_PLACE = regex(
    r"(?:^|/)(?:db/)?(?:migrat\w*|deltas?|upgrades?|updates?|(?:\w+[-_])?patches|archives|versions|changes\w*|changelogs?)/"
    r"|(?:^|/)patch-[^/]+$",
    re.I,
)
#: ``-- +goose Up``, ``-- migrate:up``, ``-- +migrate Up``, ``-- rambler up``: both directions in one file.
SECTION = regex(
    r"(?im)^[ \t]*--[ \t]*(?:\+goose[ \t]+(?P<goose>up|down)|migrate:(?P<dbmate>up|down)|\+migrate[ \t]+(?P<sqlm>up|down)"
    r"|rambler[ \t]+(?P<rambler>up|down))\b(?P<rest>.*)$"
)


def named(path: str) -> Named:
    """What a path alone says of a migration."""
    folder, _, name = path.rpartition("/")
    for pattern in (_UP_DOWN,):
        match = pattern.match(name)
        if match:
            key = f"{folder}/{match['key']}{(match['dialect'] or '').lower()}"
            return Named(path, "suffix", key, match["direction"].lower())
    match = _FOLDER.match(name)
    if match:
        if folder:
            return Named(path, "folder", f"{folder}{(match['dialect'] or '').lower()}", match["direction"].lower())
        return Named(path, "folder", "", match["direction"].lower())
    match = _FLYWAY.match(name)
    if match:
        return Named(path, "flyway", f"{folder}/{match['key'].strip('._')}", "up" if match["letter"] == "V" else "down")
    if runs_each_time(name):
        return Named(path, "flyway", path, "up")
    match = _DBCONFIG.search(path)
    if match:
        return Named(path, "dbconfig-common", path, "up")
    return _by_words(path, folder, name)


def runs_each_time(name: str) -> bool:
    """Flyway's repeatable scripts and callbacks: they have no place in the order, and their way back is their older text."""
    return bool(_REPEATABLE.match(name) or _CALLBACK.match(name))


def _by_words(path: str, folder: str, name: str) -> Named:
    """``0007_bridge_rollback.sql`` beside ``0007_bridge.sql``; ``rollback/0007.sql`` beside ``0007.sql``."""
    match = _WORDS.match(name) or _PREFIX.match(name)
    if match and (match["sep"] or not match["a"]):
        word, stem = match["word"].lower(), match["a"].strip("-_.").lower()
        direction = "down" if word in _DOWN_WORDS else "up"
        return Named(path, "words", f"{folder}/{stem}", direction, strict=False)
    stem = re.sub(_SUFFIX, "", name, flags=re.I).lower()
    parts = folder.split("/")
    for index in range(len(parts) - 1, -1, -1):
        word = parts[index].lower()
        if word in _DOWN_WORDS or word in _UP_WORDS:
            rest = "/".join(parts[:index] + parts[index + 1 :])
            return Named(path, "words", f"{rest}/{stem}", "down" if word in _DOWN_WORDS else "up", strict=False)
    style = "numbered" if _NUMBERED.match(name) else "plain"
    return Named(path, style, f"{folder}/{stem}", "up", strict=False)


def is_baseline(path: str) -> bool:
    """A whole schema, a seed or a test: what a new installation loads, not what an upgrade runs."""
    one = named(path)
    return bool(_FLYWAY_BASELINE.match(path.rpartition("/")[2])) or (bool(_BASELINE.search(path)) and not one.strict)


def in_migrations(path: str) -> bool:
    """Whether the folder or the name says so; files elsewhere count only when they change a schema."""
    one = named(path)
    return one.strict or one.style == "numbered" or bool(_PLACE.search(path))


def is_ordered(path: str) -> bool:
    """Whether a number in the file's or its folder's name says when it runs."""
    return re.search(r"\d", re.sub(_SUFFIX, "", "/".join(path.split("/")[-2:]), flags=re.I)) is not None


def pairs(paths: Iterable[str]) -> dict[str, Named]:
    """Every path with its direction settled. A lone ``x_rollback.sql`` stays a down; a lone ``x_up.sql`` an up."""
    groups: dict[tuple[str, str], list[Named]] = defaultdict(list)
    for path in paths:
        one = named(path)
        family = "strict" if one.strict else "words"
        groups[family, one.key].append(one)
    return {one.path: one for members in groups.values() for one in members}


def counterparts(every: dict[str, Named]) -> dict[str, str]:
    """``path -> path`` of the other direction, where there is exactly one of each under one key."""
    groups: dict[str, list[Named]] = defaultdict(list)
    for one in every.values():
        groups[one.key].append(one)
    found: dict[str, str] = {}
    for members in groups.values():
        ups = [one for one in members if one.direction == "up"]
        downs = [one for one in members if one.direction == "down"]
        if len(ups) == 1 and len(downs) == 1:
            found[ups[0].path] = downs[0].path
            found[downs[0].path] = ups[0].path
    return found


def order(path: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts numbers in names as numbers: ``delta/9/…`` before ``delta/54/…``, ``V1_2`` before ``V1_10``."""
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|\D+", path.lower())
    )
