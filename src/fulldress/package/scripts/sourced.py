"""Which member of the package a script means by a path."""

from __future__ import annotations

import posixpath

from fulldress.package.reader import Member, Package
from fulldress.package.schedules import behind
from fulldress.package.scripts.values import HERE, holes, show, without


def member_of(package: Package, script: Member, path: str) -> Member | None:
    """The member that ``path``, as ``script`` writes it, is: beside the script first, then by the end of its path."""
    text = path
    if text.startswith(HERE):
        text = "." + text[len(HERE) :]
    if holes(text):  # "$ROOT/lib/a.sh": what follows the unknown part
        text = without(text).lstrip("/") if without(text).strip("/") else ""
    if not text or text in (".", "/"):
        return None
    if not text.startswith("/"):
        folder = posixpath.dirname(script.inner)
        beside = script.prefix + posixpath.normpath(posixpath.join(folder, text))
        found = package.members.get(beside)
        if found is not None and found.kind != "folder":
            return found
    if "/" not in text.strip("/") and not text.startswith("/"):
        return None if not text.endswith(".sh") else _named(package, script, text)
    return _named(package, script, show(text).removeprefix("./"))


def _named(package: Package, script: Member, text: str) -> Member | None:
    found = behind.script(package, text, beside=script.path)
    return package.members.get(found) if found and found != script.path else None
