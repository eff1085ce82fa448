"""What npm, pip and dpkg start by themselves when a package is installed.

npm runs ``preinstall``, ``install`` and ``postinstall`` of a tarball and of the packages bundled in it, and ``node-gyp rebuild``
where a ``binding.gyp`` lies beside and no script of these says otherwise (npm's manual, "scripts"; ``prepare`` is for a
source tree). dpkg calls a package's ``postinst triggered`` when one that it is interested in changes something, and a package may
activate triggers of others (deb-triggers(5)). pip runs the build backend of an sdist (PEP 517), which without a ``pyproject.toml`` is its ``setup.py``.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

from fulldress.facts import AnyFact, Hook, Witness, mask
from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

_MOMENTS = ("preinstall", "install", "postinstall")
_BUNDLED = regex(r"^(?:[^/]+/)?(?:node_modules/(?:@[^/]+/)?[^/]+/)+package\.json$")
_TREE = regex(r"(?:^|!/)[^/!]+(?<!\.egg-info)/PKG-INFO$")


_TRIGGERS = regex(r"(?:^|/)(?:control\.tar[\w.]*!/(?:\./)?|DEBIAN/)triggers$")
_DIRECTIVE = regex(r"(interest|activate)(?:-(await|noawait))?$")


def read(package: Package) -> Iterator[AnyFact]:
    """Hooks of npm tarballs and of sdists."""
    for member in list(package.members.values()):
        if member.name == "package.json" and member.kept and member.kind == "json" and _is_npm(package, member):
            yield from _npm(package, member)
        elif _TRIGGERS.search(member.path) and member.kept:
            yield from _triggers(member)
        elif _TREE.search(member.path) and member.kind in ("text", "conf"):
            yield from _sdist(package, member)


def _is_npm(package: Package, member: Member) -> bool:
    """Whether npm installs it: the package of a tarball, and what is bundled there."""
    if member.inner == "package/package.json" or member.inner == "package.json":
        return True
    root = package.members.get(f"{member.prefix}package/package.json")
    return root is not None and root.kept and b"undle" in root.data and _BUNDLED.match(member.inner) is not None


def _npm(package: Package, member: Member) -> Iterator[AnyFact]:
    try:
        said = json.loads(member.text)
    except (ValueError, RecursionError):
        return  # the manifests' reader reports it
    scripts = said.get("scripts") if isinstance(said, dict) else None
    scripts = scripts if isinstance(scripts, dict) else {}
    name = said.get("name") if isinstance(said, dict) else ""
    inner = f" of {name}" if "node_modules/" in member.inner and isinstance(name, str) else ""
    for moment in _MOMENTS:
        text = scripts.get(moment)
        if isinstance(text, str) and text.strip():
            yield _hook(member, "npm", moment, f"{moment}{inner}", text, f'"{moment}"')
    gyp = f"{member.path.removesuffix('package.json')}binding.gyp"
    own = scripts.get("install") or scripts.get("preinstall")
    if gyp in package.members and not own and isinstance(said, dict) and said.get("gypfile") is not False:
        implied = ("npm's own, for a binding.gyp",)
        yield _hook(package.members[gyp], "npm", "install", f"install{inner}", "node-gyp rebuild", "", implied)


def _triggers(member: Member) -> Iterator[Hook]:
    for number, row in enumerate(member.text.splitlines(), 1):
        words = row.partition("#")[0].split()
        match = _DIRECTIVE.match(words[0]) if len(words) == 2 else None
        if match is None:
            continue
        remarks = ("nobody waits for it",) if match[2] == "noawait" else ()
        interest = match[1] == "interest"
        yield Hook(
            witness=Witness.READ, evidence=member.evidence(number, 0, row), manager="dpkg",
            moment="trigger" if interest else "activates", name=words[1],
            command=f"postinst triggered {words[1]}" if interest else "", remarks=remarks,
        )  # fmt: skip


def _sdist(package: Package, member: Member) -> Iterator[AnyFact]:
    folder = member.path.removesuffix("PKG-INFO")
    project = package.members.get(f"{folder}pyproject.toml")
    setup = package.members.get(f"{folder}setup.py")
    backend, wanted = _backend(project) if project is not None and project.kept else ("", [])
    if project is not None and (backend or setup is None):
        remarks = (f"it wants {', '.join(wanted[:4])}{' …' if len(wanted) > 4 else ''}",) if wanted else ()
        yield _hook(
            project, "pip", "build", "build backend", backend or "setuptools.build_meta", "build-backend", remarks
        )
    if setup is not None and (not backend or backend.startswith("setuptools")):
        yield _hook(setup, "pip", "build", "setup.py", "python setup.py", "")


def _backend(member: Member) -> tuple[str, list[str]]:
    """The backend, and what pip fetches to run it."""
    try:
        table: Any = tomllib.loads(member.text).get("build-system", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return "", []
    if not isinstance(table, dict):
        return "", []
    backend, wanted = table.get("build-backend", ""), table.get("requires", [])
    return (
        backend if isinstance(backend, str) else "",
        [word for word in wanted if isinstance(word, str)] if isinstance(wanted, list) else [],
    )


def _hook(
    member: Member, manager: str, moment: str, name: str, command: str, sought: str, remarks: tuple[str, ...] = ()
) -> Hook:
    place = member.text.find(sought) if sought else -1
    line = member.text.count("\n", 0, place) + 1 if place >= 0 else 0
    text = mask(" ".join(command.split()))
    return Hook(
        witness=Witness.READ, evidence=member.evidence(line, 0, text), manager=manager, moment=moment, name=name,
        command=text, remarks=remarks,
    )  # fmt: skip
