"""Whether a timer that the package ships is switched on: by links, presets, or the package's own scripts."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import msgspec

from fulldress.package.reader import Member, Package
from fulldress.package.schedules.units import Assignment, values
from fulldress.patterns import regex

FRESH_DEB = "fresh install ($2 is empty)"
FRESH_RPM = "fresh install ($1 is 1)"
_ENABLES = regex(
    r"(?:systemctl\b[^|;&\n]*?\s(?:enable|preset|reenable)|deb-systemd-helper\s[^|;&\n]*?\b(?:enable|unmask)|"
    r"systemd-update-helper\s+install-(?:system|user)-units|systemd_post|service_add_post)\b([^|;&\n]*)"
)
_UNMASKS = regex(r"deb-systemd-helper\s[^|;&\n]*\bunmask\b")
_EMPTY = regex(
    r"""-z\s+["']?\$\{?2[:\-}"'\s]|["']?\$\{?2(?:-|:-)?\}?["']?\s*==?\s*(?:""|'')|["']x?\$\{?2\}?["']\s*==?\s*["']?x["']?\s"""
)
_FIRST = regex(r"""["']?\$\{?1\}?["']?\s*(?:-eq|==?)\s*["']?1["']?(?![\d])""")


class Enabled(msgspec.Struct, frozen=True):
    """A script's line that enables units. ``condition`` is empty where it is reached on an upgrade, too."""

    units: str
    condition: str


_found: WeakKeyDictionary[Package, list[Enabled]] = WeakKeyDictionary()


def of(package: Package, name: str, unit: list[Assignment], suffix: str = ".timer") -> tuple[str, tuple[str, ...]]:
    """The condition under which the timer (or path) ``name`` is enabled, and remarks."""
    stem = name.removesuffix(suffix)
    instance = f"{stem}*{suffix}" if stem.endswith("@") else name
    for path, member in package.members.items():
        wants = member.kind == "link" and re.search(r"\.(?:target|timer|path|service)\.(?:wants|requires)/[^/]+$", path)
        if wants and fnmatch.fnmatchcase(path.rsplit("/", 1)[-1], instance):
            return "", ()
    if verdict := _preset(package, name):
        return "", (() if verdict == "enable" else ("a preset of the package disables it",))
    # a unit named through a variable may be any; then nothing is claimed
    hits = [line for line in _lines(package) if _names(line.units, stem, suffix)]
    if hits:
        conditions = {line.condition for line in hits}
        return ("" if "" in conditions else sorted(conditions)[0]), ()
    if stem.endswith("@"):
        return "", ("a template: it runs for every instance that somebody enables",)
    if not values(unit, "Install", "WantedBy", "RequiredBy", "Also"):
        return "", ("no [Install] section and no link: it runs once something else starts it",)
    return "", ("nothing that was read in the package enables it: it runs once somebody does",)


def _names(units: str, stem: str, suffix: str) -> bool:
    return re.search(rf"(?<![\w@.-]){re.escape(stem)}[\w-]*{re.escape(suffix)}\b", units) is not None or "$" in units


def _preset(package: Package, name: str) -> str:
    for member in package.members.values():
        if not (member.name.endswith(".preset") and member.kept and "systemd/" in member.path):
            continue
        for row in member.text.splitlines():
            words = row.split()
            if len(words) >= 2 and words[0] in ("enable", "disable") and fnmatch.fnmatchcase(name, words[1]):
                return words[0]
    return ""


def _lines(package: Package) -> list[Enabled]:
    found = _found.get(package)
    if found is None:
        scripts = (m for m in package.members.values() if m.kept and m.kind in ("shell", "text", "python", "perl"))
        found = [line for member in scripts if _may_enable(member) for line in _of_script(member)]
        _found[package] = found
    return found


def _may_enable(member: Member) -> bool:
    data = member.data
    return (b".timer" in data or b".path" in data) and (
        b"enable" in data or b"preset" in data or b"install-system-units" in data or b"_post" in data
    )


def _of_script(member: Member) -> Iterator[Enabled]:
    """Lines that enable something, with the nearest ``if`` around them that asks for a fresh install."""
    around: list[str] = []
    for raw in re.sub(r"\\\n", "  ", member.text).splitlines():
        line = raw.strip()[:4000]  # no line that a person writes is longer
        if line.startswith("#"):
            continue
        if re.match(r"(?:fi|esac|done)\b", line) and around:
            around.pop()
        elif re.match(r"(?:else|elif)\b", line) and around:
            around[-1] = line if line.startswith("elif") else ""
        for match in _ENABLES.finditer(line):
            if _UNMASKS.match(match[0]):
                continue
            asked = [*around, line[: match.start()]]
            fresh_deb = any(_EMPTY.search(test + " ") for test in asked)
            fresh_rpm = any(_FIRST.search(test + " ") for test in asked)
            yield Enabled(match[1], FRESH_DEB if fresh_deb else FRESH_RPM if fresh_rpm else "")
        opens = re.match(r"(?:if|case|for|while|until)\b", line)
        if opens and not re.search(r";\s*(?:fi|esac|done)\b|\besac\s*$", line):
            around.append(line)
