"""``${key:default}`` of Java frameworks, resolved from the application's own properties and YAML in the package."""

from __future__ import annotations

import re
from weakref import WeakKeyDictionary

from fulldress.package.reader import Member, Package
from fulldress.package.schedules import yamlnodes
from fulldress.patterns import regex

_FILE = regex(r"^(?:application|bootstrap|microprofile-config|quartz)(?:-default)?\.(properties|ya?ml)$")
_HOLE = regex(r"\$\{([^{}:]+)(?::([^{}]*))?\}|(?<!\S)\{([\w.-]+)(?::([^{}]*))?\}(?!\S)")
_known: WeakKeyDictionary[Package, dict[str, dict[str, str]]] = WeakKeyDictionary()


def resolve(package: Package, member: Member, text: str) -> tuple[str, str]:
    """``text`` with its placeholders filled, and the key that could not be; empty where all could."""
    missing: list[str] = []

    def fill(match: re.Match[str]) -> str:
        key = str(match[1] or match[3]).strip()
        value = properties(package, member).get(relaxed(key)) or match[2] or match[4]
        if not value:
            missing.append(key)
        return value or ""

    for _ in range(5):  # a value may hold another placeholder
        if not _HOLE.search(text):
            break
        text = _HOLE.sub(fill, text)[:400]
    return text.strip(), missing[0] if missing else ""


def properties(package: Package, member: Member) -> dict[str, str]:
    """Settings of the container that ``member`` lies in; of the one around it where it has none."""
    by_prefix = _known.get(package)
    if by_prefix is None:
        by_prefix = {}
        for other in package.members.values():
            if (match := _FILE.match(other.name)) and other.kept and not re.search(r"(?:^|/)src/test/", other.path):
                read = _properties(other.text) if match[1] == "properties" else _yaml(other.text)
                by_prefix[other.prefix] = {**by_prefix.get(other.prefix, {}), **read}
        _known[package] = by_prefix
    prefix = member.prefix
    while True:
        if prefix in by_prefix:
            return by_prefix[prefix]
        if not prefix:
            return {}
        prefix = prefix[:-2].rpartition("!/")[0]
        prefix = f"{prefix}!/" if prefix else ""


def relaxed(key: str) -> str:
    """Spring's relaxed names: ``jobs.syncCron`` and ``jobs.sync-cron`` are one."""
    return re.sub(r"[-_]", "", key).lower()


def _properties(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in re.sub(r"\\\r?\n\s*", "", text).splitlines():
        if match := re.match(r"\s*([^#!\s=:][^\s=:]*)\s*[=:\s]\s*(.*?)\s*$", row):
            found[relaxed(match[1])] = match[2]
    return found


def _yaml(text: str) -> dict[str, str]:
    import yaml

    found: dict[str, str] = {}
    try:
        for root in yamlnodes.documents(text):
            if yamlnodes.get(root, "spring", "config", "activate") is not None:
                continue  # of one profile only
            for path, node in yamlnodes.walk(root):
                if type(node).__name__ == "ScalarNode":
                    found[relaxed(".".join(path))] = str(node.value)
    except (yaml.YAMLError, yamlnodes.TooDeep, RecursionError):
        return found
    return found
