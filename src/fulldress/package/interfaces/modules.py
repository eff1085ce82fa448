"""Public names of Python packages, module by module: what plug-ins and scripts of one's own may import.

Names are those defined at the margin of a module (``def``, ``class``, ``NAME =``), and what ``__all__`` lists. Modules and
names that begin with an underscore, tests and vendored copies are nobody's interface (PEP 8, "Public and internal
interfaces"). Looked for by lines: the modules need not be of the Python that runs here.
"""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.facts import AnyFact, Interface, Witness
from fulldress.package.reader import Package
from fulldress.patterns import regex

_NAME = regex(
    rb"(?m)^(?:(?:async[ \t]+)?def[ \t]+([A-Za-z]\w*)|class[ \t]+([A-Za-z]\w*)|([A-Z][A-Z0-9_]{2,})[ \t]*(?::[^=\n]+)?=(?!=))"
)
_ALL = regex(rb"(?m)^__all__[ \t]*(?::[^=\n]+)?\+?=[ \t]*[\[(]([^\])]*)[\])]")
_QUOTED = regex(rb"[\"']([A-Za-z]\w*)[\"']")
_INNER = regex(
    r"(?:^|/)(?:_[^/]*|tests?|testing|migrations|alembic|versions|examples?|docs?|scripts?|bin|vendor|_?vendored|site-packages)/|(?:^|/)(?:_[^/]*|conftest|setup|test_[^/]*|[^/]*_test)\.py$"
)


def read(package: Package) -> Iterator[AnyFact]:
    """One Interface a module of the top-level packages of a wheel; its shape is ``gives:NAME``."""
    tops = _tops(package)
    for member in package.of("python"):
        prefix, inner = member.prefix, member.inner
        if inner.split("/", 1)[0] not in tops.get(prefix, ()) or not member.kept or not inner.endswith(".py"):
            continue
        public = inner.removesuffix("/__init__.py").removesuffix(".py")
        if _INNER.search(inner.replace("/__init__.py", ".py")):
            continue
        names = {(a or b or c).decode() for a, b, c in _NAME.findall(member.data)}
        for listed in _ALL.findall(member.data):
            names |= {name.decode() for name in _QUOTED.findall(listed)}
        if names:
            yield Interface(
                witness=Witness.READ,
                evidence=member.evidence(),
                kind="python",
                operation=f"import {public.replace('/', '.')}",
                shape=tuple(f"gives:{name}" for name in sorted(names)),
            )


def _tops(package: Package) -> dict[str, set[str]]:
    """By container that is a wheel: the packages that it installs at the top level."""
    found: dict[str, set[str]] = {}
    for path, member in package.members.items():
        if path.endswith(".dist-info/METADATA"):
            found.setdefault(member.prefix, set())
    for member in package.of("python"):
        if member.prefix in found and member.inner.count("/") == 1 and member.name == "__init__.py":
            found[member.prefix].add(member.inner.split("/", 1)[0])
    return found
