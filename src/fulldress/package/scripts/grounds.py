"""The product's own grounds: the files and folders that its package brings, and those that bear its name.

What a script changes elsewhere belongs to the host or to another product. Where the package tells no name, nothing is
said: a flat archive with one script has no grounds that we could know.
"""

from __future__ import annotations

import posixpath
import re

from fulldress.package.reader import Package
from fulldress.package.scripts.values import holes, is_constant, show
from fulldress.patterns import regex

_CONTROL = regex(r"(?m)^(?:Package|Source):[ \t]*([a-z0-9][a-z0-9+.-]+)")
_REPLACES = regex(r"(?m)^(?:Provides|Replaces):[ \t]*(.+(?:\n[ \t].+)*)")
_UNIT = regex(r"(?m)^(?:WorkingDirectory|RootDirectory|EnvironmentFile|PIDFile)=-?(/\S+)")
_STATE = regex(r"(?m)^(?:State|Runtime|Logs|Cache|Configuration)Directory=(\S+)")
#: Payload of a container that is laid out from the root of the host.
_PAYLOAD = regex(r"(?:^|/)data\.tar(?:\.\w+)?!/(?:\./)?(.+)$")
#: Endings of package names that say which part of the product it is.
_PART = regex(
    r"-(?:common|core|server|client|base|data|bin|utils|tools|config|doc|dev|all|plugins?|\d[\d.]*)$|\d[\d.]*$"
)
#: Folders that many packages put their files into; that one of ours lies there makes them nobody's.
_SHARED = regex(
    r"/(?:usr/)?(?:s?bin|lib\w*|share|include|local(?:/\w+)?|games)|/usr/lib/(?:tmpfiles\.d|sysusers\.d|systemd(?:/[\w.-]+)*)|"
    r"/lib/(?:systemd(?:/[\w.-]+)*|udev(?:/\w+)*|init)|/usr/share/(?:man(?:/\w+)*|doc|lintian(?:/\w+)*|applications|locale(?:/\w+)*)|"
    r"/etc(?:/(?:[\w-]+\.d(?:/\w+)*|default|init|pam\.d|systemd(?:/[\w.-]+)*|cron\.\w+|apt(?:/[\w.]+)*|network(?:/[\w.-]+)*|pm(?:/[\w.]+)*))?|"
    r"/var(?:/(?:lib|log|cache|spool|www|backups|run|tmp))?|/run|/opt|/srv|/home|/root|/boot|/"
)
_SHORTEST = 3


class Grounds:
    """``names`` in lower case; ``files`` and ``folders`` are absolute."""

    def __init__(self, package: Package) -> None:
        self.names: set[str] = set()
        self.files: set[str] = set()
        self.folders: set[str] = set()
        for path, member in package.members.items():
            if (match := _PAYLOAD.search(path)) is not None:
                self.files.add("/" + match[1].rstrip("/"))
            if member.name == "control" and member.kept:
                self.names.update(_stems(name) for name in _CONTROL.findall(member.text))
                for row in _REPLACES.findall(member.text):  # what it steps in for was its own before
                    self.names.update(_stems(re.split(r"[\s(]", name.strip())[0]) for name in row.split(","))
            if member.kind == "systemd-service" and member.kept:
                self.names.add(_stems(member.name.removesuffix(".service").rstrip("@")))
                self.folders.update(
                    posixpath.dirname(found) if "." in found else found for found in _UNIT.findall(member.text)
                )
                self.names.update(_stems(found.split("/")[0]) for found in _STATE.findall(member.text))
        self.names = {name for name in self.names if len(name) >= _SHORTEST}
        self.folders.update(posixpath.dirname(file) for file in self.files)
        self.folders = {folder for folder in self.folders if not _SHARED.fullmatch(folder)}

    def outside(self, path: str) -> bool:
        """Whether an absolute path is surely not the product's own."""
        if not self.names or not path.startswith("/") or (holes(path) and not is_constant(path.rsplit("/", 1)[0])):
            return False
        plain = posixpath.normpath(show(path))
        if plain in self.files or not self.folders.isdisjoint(_above(plain)):
            return False
        return not any(name in plain.lower() for name in self.names)


def _above(path: str) -> list[str]:
    """The path itself and the folders around it."""
    found = [path]
    while path not in ("/", ""):
        path = posixpath.dirname(path)
        found.append(path)
    return found


def _stems(name: str) -> str:
    """``cacti-spine-common`` → ``cacti-spine``."""
    name = name.lower()
    while (shorter := _PART.sub("", name)) != name and len(shorter) >= _SHORTEST:
        name = shorter
    return re.sub(r"^lib(?=\w{3})", "", name)
