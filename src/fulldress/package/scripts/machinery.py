"""The machinery that builds programs from sources: made by autoconf, automake, libtool or autosetup, the same in every tree.

It is no script of an installation. What an installer of the package starts of it is followed from there.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

_NAMES = regex(
    r"(?:^|/)(?:configure|config\.(?:guess|sub|rpath|status)|install-sh|missing|depcomp|compile|ltmain\.sh|libtool|mkinstalldirs"
    r"|test-driver|ar-lib|ylwrap|mdate-sh|py-compile|move-if-change|gtkdocize|autogen\.sh|bootstrap|(?:autosetup|build-aux)/[^/]+)$"
)
#: What these tools make their scripts from.
_SOURCES = frozenset({"configure.ac", "configure.in", "Makefile.am", "Makefile.in", "auto.def", "aclocal.m4"})
_UP = 3  #: folders above a script in which its sources are looked for

_folders: WeakKeyDictionary[Package, frozenset[str]] = WeakKeyDictionary()


def is_part(package: Package, member: Member) -> bool:
    """Whether a script is a part of this machinery: by its name, where its sources lie beside it or above."""
    if not _NAMES.search(member.inner):
        return False
    known = _folders.get(package)
    if known is None:
        known = frozenset(path.rpartition("/")[0] for path in package.members if path.rpartition("/")[2] in _SOURCES)
        _folders[package] = known
    folder = member.path.rpartition("/")[0]
    for _ in range(_UP):
        if folder in known:
            return True
        if not folder or folder.endswith("!"):
            break
        folder = folder.rpartition("/")[0]
    return False
