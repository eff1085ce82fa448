"""What the vendor declares: manifests of any shape, metadata of package formats, and prose on downtime and reboots."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fulldress.errors import BadSyntax
from fulldress.facts import AnyFact, Reason, Release, Unread, Witness
from fulldress.package import changelog
from fulldress.package.manifests import (
    classpath,
    generic,
    imagefacts,
    lifecycle,
    metadata,
    modes,
    msi,
    prose,
    rpm,
    wheel,
)
from fulldress.package.manifests.document import Tree, load
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import helm
from fulldress.patterns import regex

_LARGEST = 2 << 20  #: bytes; a larger document is data, not a manifest
_FORMATS = {"json": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml"}
_NAMED = regex(
    r"(?i)^(?:[\w.\-]*manifest[\w.\-]*|release(?:[-_.]?info)?|package(?:[-_.]?info)?|product(?:[-_.]?info)?|upgrade(?:[-_.][\w\-]+)?|update|bundle|"
    r"version(?:[-_.]?info)?|metadata|meta|info|chart|component|install|deploy(?:ment)?|requirements|dependencies|delivery|build[-_]?info)\.(?:json|ya?ml|toml)$"
)
_NEVER = regex(
    r"(?i)(?:^|/)(?:package-lock|npm-shrinkwrap|composer\.lock|tsconfig\S*|\.eslintrc|bower|jsconfig|docker-compose\S*|compose|pnpm-\S+|"
    r"openapi|swagger|webmanifest|manifest\.webapp|asset-manifest|chrome-manifest|babel\S*|renovate|pubspec|\.pre-commit-config)(?:\.[\w.]+)?$"
)
_PIP = regex(r"(?i)^(?:[\w.\-]*requirements|constraints)(?:[-_.][\w\-]+)*\.(?:txt|in)$")
#: Folders of bundled or test material; what they declare is not said of the package.
_BUNDLED = regex(
    r"(?i)(?:^|/)(?:node_modules|bower_components|site-packages|dist-packages|third[-_]party|vendored|_vendor|vendor|testdata|tests?|fixtures|"
    r"examples?|samples?|locales?|i18n|translations|__pycache__)/"
)


def read(package: Package) -> Iterator[AnyFact]:
    """Releases, requirements, reboots, restarts, downtimes and endpoints that the package declares."""
    outermost = _outermost(package)
    bundled = 0
    for path in sorted(package.members):
        member = package.members[path]
        if member.kind in ("folder", "link", "device", "empty") or _NEVER.search(member.inner):
            continue
        reader = _reader(member)
        if reader is None:
            continue
        if _BUNDLED.search(member.inner) or (
            member.name == "package.json" and (member.path not in outermost or member.inner.count("/") > 1)
        ):
            bundled += reader not in ("prose", "unnamed")
        elif not member.kept:
            yield _gap(member, Reason.BUDGET, f"{member.size:,} bytes are too many for a manifest")
        else:
            yield from (_of_chart(member, fact) for fact in _read(member, reader))
    for member in package.members.values():
        if wheel.is_record(member):
            yield from wheel.record(member, package.members)
    yield from imagefacts.read(package)
    yield from lifecycle.read(package)
    yield from modes.read(package)
    yield from classpath.read(package)
    if bundled:
        some = next(iter(package.members.values()))
        yield Unread(
            witness=Witness.READ, evidence=some.evidence(), what=f"{bundled:,} manifest{'s' * (bundled > 1)} of bundled components",
            reason=Reason.NOT_MEASURED, detail="what they declare is said of the components, not of the package",
        )  # fmt: skip


def _of_chart(member: Member, fact: AnyFact) -> AnyFact:
    """A chart inside a package has a version of its own; the one of its product is ``appVersion``."""
    if member.name == "Chart.yaml" and member.prefix and isinstance(fact, Release):
        return msgspec.structs.replace(fact, product=f"{fact.product} chart")
    return fact


def _outermost(package: Package) -> set[str]:
    """For every container, its shallowest package.json."""
    found: dict[str, str] = {}
    for path, member in package.members.items():
        if member.name == "package.json":
            best = found.get(member.prefix)
            if best is None or path.count("/") < best.count("/"):
                found[member.prefix] = path
    return set(found.values())


def _reader(member: Member) -> str | None:
    name, inner = member.name, member.inner.removeprefix("./")
    if msi.is_product(member):
        return "msi"
    if member.container == "rpm":
        if rpm.is_header(member) or rpm.is_listing(member):
            return "rpm" if rpm.is_header(member) else "rpm files"
        if member.inner.startswith(".scriptlets/"):
            return None
    suffix = name.rsplit(".", 1)[-1].lower()
    if inner in ("control", "DEBIAN/control") and (
        "deb" in member.path or "control.tar" in member.path or inner != "control"
    ):
        return "debian"
    if re.search(r"\.(?:dist|egg)-info/(?:METADATA|PKG-INFO)$", inner) or (
        name == "PKG-INFO" and inner.count("/") <= 1
    ):
        return "python"
    if _PIP.match(name) and member.kind in ("text", "conf", "ini", "properties", "env"):
        return "pip"
    if name == "package.json":
        return "npm"
    if re.search(r"(?:^|/)META-INF/MANIFEST\.MF$", inner):
        return "jar"
    if suffix in _FORMATS:
        return "named" if _NAMED.match(name) else "unnamed"
    return "prose" if prose.is_document(member) else None


def _read(member: Member, reader: str) -> Iterator[AnyFact]:
    if reader == "prose":
        newest = changelog.newest(member.name, member.text)
        yield from prose.read(member, newest.text, newest.line)
    elif reader == "debian":
        yield from metadata.debian(member)
    elif reader == "rpm":
        yield from rpm.header(member)
    elif reader == "rpm files":
        yield from rpm.listing(member)
    elif reader == "msi":
        yield from msi.product(member)
    elif reader == "python":
        yield from metadata.python(member)
    elif reader == "pip":
        yield from metadata.pip(member)
    elif reader == "jar":
        yield from metadata.jar(member)
    else:
        yield from _document(member, reader)


def _document(member: Member, reader: str) -> Iterator[AnyFact]:
    named = reader != "unnamed"
    if helm.is_template(member):
        return  # no YAML yet; the reader of clusters renders it
    if member.size > _LARGEST or (not named and (member.inner.count("/") > 3 or member.size > 256 << 10)):
        if named:
            yield _gap(member, Reason.BUDGET, f"{member.size:,} bytes are too many for a manifest")
        return
    tree = _load(member)
    if isinstance(tree, Unread):
        if named:
            yield tree
    elif reader == "npm":
        yield from metadata.npm(member, tree)
    elif generic.looks_like(tree) or (named and member.inner.count("/") <= 1):
        yield from generic.read(member, tree)


def _load(member: Member) -> Tree | Unread:
    try:
        return load(member.name, member.text, _FORMATS[member.name.rsplit(".", 1)[-1].lower()])
    except BadSyntax as error:
        return _gap(member, Reason.GRAMMAR, str(error))


def _gap(member: Member, reason: Reason, detail: str) -> Unread:
    return Unread(
        witness=Witness.READ,
        evidence=member.evidence(),
        what=f"manifest {member.path}",
        reason=reason,
        detail=detail,
        needed=False,
    )


def products(package: Package) -> dict[str, str]:
    """The product that each container's own manifest names, by the path prefix of what it speaks for."""
    found: dict[str, tuple[tuple[int, int], str]] = {}
    outermost = _outermost(package)
    for path, member in package.members.items():
        reader = _reader(member) if member.kept and member.kind not in ("folder", "link", "device", "empty") else None
        if reader in (None, "prose") or _BUNDLED.search(member.inner) or _NEVER.search(member.inner):
            continue
        if member.name == "package.json" and (path not in outermost or member.inner.count("/") > 1):
            continue
        prefix = re.sub(r"(?:^|(?<=/))control\.tar[\w.]*!/$", "", member.prefix)
        rank = (member.inner.count("/"), reader == "unnamed")
        if prefix not in found or rank < found[prefix][0]:
            release = next((fact for fact in _read(member, str(reader)) if isinstance(fact, Release)), None)
            if release is not None:
                found[prefix] = (rank, release.product)
    return {prefix: product for prefix, (_, product) in found.items()}


__all__ = ["products", "read"]
