"""The order of migrations: what is in doubt about it, and which belong to this release rather than to its history."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from fulldress.package.migrations.script import Script
from fulldress.patterns import regex

_RELEASE = regex(r"(?:^|[/_-])v?(\d{1,4}(?:\.\d{1,5}){1,3})(?=[/_.+\-~]|$)")
#: Tools that refuse, or run only one of, two migrations with the same number.
_SUFFIXED = regex(r"\.(?:up|down)\.\w+$", re.I)
_UNIQUE = {"flyway", "goose", "golang-migrate", "dbmate", "alembic", "sqlx", "sql-migrate"}


def disorder(scripts: Sequence[Script]) -> None:
    """Writes into every script why its place is in doubt: numbers used twice, missing parents, several heads."""
    groups: dict[tuple[str, ...], list[Script]] = defaultdict(list)
    for script in scripts:
        if script.direction == "up":
            groups[_place(script)].append(script)
    for group in groups.values():
        if any(script.parents or script.tool == "alembic" for script in group):
            _chain(group)
        else:
            _twice(group)


def _place(script: Script) -> tuple[str, ...]:
    path = script.member.path
    folder = path.rpartition("/")[0]
    if path.rpartition("/")[2].lower().startswith(("up.", "down.", "migration.")):
        folder = folder.rpartition("/")[0]
    suffix = re.search(r"\.sql\.(\w+)$", path)
    return folder, script.tool, suffix[1] if suffix else ""


def _twice(group: list[Script]) -> None:
    by_version: dict[str, list[Script]] = defaultdict(list)
    for script in group:
        if script.version:
            by_version[script.version.lstrip("0") or "0"].append(script)
    numbered = sum(map(len, by_version.values()))
    if len(by_version) < 2 or numbered < 0.8 * len(group):
        return
    doubled = {v: s for v, s in by_version.items() if len(s) > 1}
    if not any(script.tool in _UNIQUE or _SUFFIXED.search(script.member.name) for script in group):
        return  # whoever runs these may well take two with one number, by name
    for number, scripts in doubled.items():
        names = ", ".join(script.name for script in scripts)
        refuses = scripts[0].tool or "golang-migrate, and sqlx, too,"
        for script in scripts:
            script.disorder = f"number {number} is used {len(scripts)} times ({names}): {refuses} refuses that"


def _chain(group: list[Script]) -> None:
    """Alembic's and Django's: each names those before it."""
    known = {script.version for script in group}
    named = {parent for script in group for parent in script.parents}
    heads = [script for script in group if script.version not in named]
    counted = Counter(script.version for script in group)
    twice = {version for version, count in counted.items() if count > 1}
    for script in group:
        missing = [parent for parent in script.parents if parent not in known]
        if missing and script.tool == "alembic":
            script.disorder = f"it comes after {', '.join(missing)}, which is not in the package"
        elif script.version in twice:
            script.disorder = f"revision {script.version} is there twice"
        elif len(heads) > 1 and script in heads:
            names = ", ".join(sorted(head.version for head in heads))
            script.disorder = f"{len(heads)} heads ({names}): the tool refuses to go to the head"


def ordered(scripts: list[Script]) -> list[Script]:
    """Parents before children; where there are no parents, as the scripts stand."""
    by_version = {(_place(s), s.version): s for s in scripts if s.parents and s.direction == "up" and s.version}
    by_version |= {
        (_place(s), s.version): s
        for s in scripts
        if s.direction == "up" and s.version and s.tool in ("alembic", "django")
    }
    depth: dict[int, int] = {}
    for script in by_version.values():
        trail = [script]
        while trail:
            last = trail[-1]
            if id(last) in depth:
                trail.pop()
                continue
            before = [p for p in (by_version.get((_place(last), v)) for v in last.parents) if p is not None]
            waiting = [p for p in before if id(p) not in depth and p not in trail]
            if waiting:
                trail.append(waiting[0])
                continue
            depth[id(last)] = 1 + max((depth.get(id(p), 0) for p in before), default=0)
            trail.pop()
    at = {(_place(s), s.version): depth[id(s)] for s in by_version.values()}
    return sorted(
        scripts,
        key=lambda s: (_place(s)[:2] if (_place(s), s.version) in at else ("",), at.get((_place(s), s.version), 0)),
    )


def current(scripts: Sequence[Script], release: str) -> dict[str, bool]:
    """``path -> whether it belongs to this release``, for folders and names that are the product's own versions."""
    mine = _numbers(release)
    if len(mine) < 2:
        return {}
    groups: dict[str, dict[str, tuple[int, ...]]] = defaultdict(dict)
    inners = [script.member.path.rsplit("!/", 1)[-1] for script in scripts]
    # an archive's one folder bears the release's number, too, and says nothing of what lies in it
    heads = {inner.partition("/")[0] for inner in inners}
    skip = len(next(iter(heads))) + 1 if len(heads) == 1 and _RELEASE.search("-" + next(iter(heads)) + "/") else 0
    for script in scripts:
        path = script.member.path
        inner = path.rsplit("!/", 1)[-1][skip:]
        match = next(reversed(list(_RELEASE.finditer(inner.rpartition("/")[0] + "/" + inner.rpartition("/")[2]))), None)
        root = inner[: match.start()] if match else inner.rpartition("/")[0]
        groups[root][path] = _numbers(match[1]) if match else ()
    found: dict[str, bool] = {}
    for versions in groups.values():
        told = [v for v in versions.values() if v]
        # versions of the product: none later than the release, and at least one of its own line
        if len(told) == len(versions) and all(v[:2] <= mine[:2] for v in told) and any(v[0] == mine[0] for v in told):
            # 1.6 beside 1.6.1 is the first of its line, not the line: of 1.6.5 it is no part
            fine = {v[:2] for v in told if len(v) > 2}
            exact = {path: (*v, 0) if len(v) == 2 and v in fine else v for path, v in versions.items()}
            found |= {path: v[: len(mine)] == mine[: len(v)] and len(v) >= 2 for path, v in exact.items()}
    return found


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"(?:\d+:)?v?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()
