"""Which member of the package a command starts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from fulldress.package.reader import Package
from fulldress.patterns import regex

#: Folders that programs of the host look into by name: what lies there is meant by its whole path alone.
_BY_PLACE = regex(
    r"(?:^|/)(?:etc|(?:usr/)?lib/systemd|usr/share/(?:doc|lintian|man|bash-completion|zsh|fish|metainfo|dbus-1|initramfs-tools))/"
)


def files(command: str) -> Iterator[str]:
    """Paths in ``command`` that could be the file it starts, most likely first: absolute or relative ones."""
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:  # unbalanced quotes
        words = command.split()
    later: list[str] = []
    folder = ""
    for index, word in enumerate(words):
        if index and words[index - 1] == "cd":
            folder = word  # a folder is no program, though a file may be called like it
        elif " " in word:  # the argument of sh -c
            yield from files(word)
        elif re.match(r"[.\w$/{}@%+-]*/[\w.@%+-]+$", word):
            name = word.removeprefix("./")
            if index and words[index - 1] in ("[", "test", "-x", "-f", "-e", "-r", "-d", ">", ">>", "<", "2>", "&>"):
                later.append(word)
            elif folder and not word.startswith("/"):
                yield f"{folder.rstrip('/')}/{name}"
            else:
                yield word
        elif folder and re.fullmatch(r"[\w-]+\.\w{1,4}", word):
            later.append(f"{folder.rstrip('/')}/{word}")
        elif re.fullmatch(r"[\w.-]+\.(sh|py|pl|rb|php|jar|js)", word):
            later.append(word)
    yield from later


_indexes: WeakKeyDictionary[Package, dict[str, list[str]]] = WeakKeyDictionary()


def _by_name(package: Package) -> dict[str, list[str]]:
    """Paths of a package's files by their last part. Made once a package: every command of every script asks."""
    index = _indexes.get(package)
    if index is None:
        index = {}
        for path, member in package.members.items():
            if member.kind not in ("folder", "device"):
                index.setdefault(member.name, []).append(path)
        _indexes[package] = index
    return index


def script(package: Package, command: str, beside: str = "") -> str:
    """The path of the member that ``command`` starts, or empty.

    A file of the command matches a member whose path ends with it. Packages are laid out in many ways, so shorter and
    shorter ends are tried, down to the name with its folder; a bare name has to be unambiguous. Members of the
    container of ``beside`` (a member's path) win over those of others. A file that a program of the host finds by its
    place (``etc/init.d/app``) is no other program of that name (``/usr/bin/app``).
    """
    prefix = beside.rsplit("!/", 1)[0] if "!/" in beside else ""
    named = _by_name(package)
    for word in files(command):
        parts = [part for part in word.split("/") if part and part != "." and not part.startswith("$")]
        for start in range(len(parts)):
            end = "/".join(parts[start:])
            hits = [path for path in named.get(parts[-1], ()) if path == end or path.endswith(f"/{end}")]
            if start and start == len(parts) - 1 and word.startswith("/") and not _BY_PLACE.search(word):
                hits = [path for path in hits if not _BY_PLACE.search(path)]
            near = [path for path in hits if prefix and path.startswith(prefix)]
            hits = near or hits
            if len(hits) > 1 and beside:
                hits = [path for path in hits if path != beside]
            if len(hits) == 1 or (hits and len(parts) - start >= 2):
                return min(hits, key=lambda path: (len(path), path))
    return ""
