"""JARs that a JAR's manifest names on its ``Class-Path`` and that do not lie beside it (JAR File Specification)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from fulldress.facts import Reason, Unread, Witness
from fulldress.package.reader import Package
from fulldress.patterns import regex

_MANIFEST = regex(r"(?:^|/)META-INF/MANIFEST\.MF$")
_FIELD = regex(r"(?m)^Class-Path:[ \t]*(.*)$")


def read(package: Package) -> Iterator[Unread]:
    """One fact a JAR. They are relative to the JAR's own folder; what lies beside the package itself is not known."""
    for member in package.members.values():
        if not member.kept or not _MANIFEST.search(member.inner) or b"Class-Path" not in member.data:
            continue
        match = _FIELD.search(re.sub(r"\r?\n ", "", member.text))
        names = [name for name in match[1].split() if name.endswith(".jar") and "://" not in name] if match else []
        jar = member.prefix.removesuffix("!/")
        folder = posixpath.dirname(jar)
        absent = [
            name for name in names if not jar or posixpath.normpath(posixpath.join(folder, name)) not in package.members
        ]
        if absent:
            some = ", ".join(absent[:5]) + (" …" if len(absent) > 5 else "")
            yield Unread(
                witness=Witness.READ, evidence=member.evidence(), what=f"{len(absent)} JARs beside {jar.rsplit('/', 1)[-1] or package.name}"
                if len(absent) > 1 else f"{absent[0]} beside {jar.rsplit('/', 1)[-1] or package.name}", reason=Reason.MISSING,
                detail=f"its Class-Path names {some}, and the package does not hold {'them' if len(absent) > 1 else 'it'}",
            )  # fmt: skip
