"""Manifests of any shape in JSON, YAML or TOML, read by the vocabulary of their keys, at any depth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from fulldress.facts import AnyFact, Downtime, Endpoint, Evidence, Reboot, Release, Requirement, Restart, Witness
from fulldress.package.manifests import requirements
from fulldress.package.manifests.document import Leaf, Tree, walk, word
from fulldress.package.manifests.durations import day, duration, unit_in
from fulldress.package.manifests.looseness import score
from fulldress.package.reader import Member
from fulldress.patterns import regex

_VERSION = ("version", "productversion", "packageversion", "releaseversion", "release", "targetversion", "appversion", "softwareversion", "toversion", "newversion", "target", "to")  # fmt: skip
_PRODUCT = ("product", "productname", "name", "application", "app", "component", "package", "packagename", "title", "id", "software", "system", "bundle")  # fmt: skip
_RELEASED = ("released", "releasedate", "releasedat", "releasedon", "date", "published", "publishedat", "builddate", "built", "builtat", "created", "createdat", "timestamp")  # fmt: skip
_VENDOR = ("vendor", "publisher", "manufacturer", "company", "supplier", "organization", "organisation", "provider", "maintainer", "author")  # fmt: skip
_FROM = ("upgradesfrom", "upgradefrom", "upgradablefrom", "upgradeablefrom", "supportedfrom", "fromversions", "fromversion", "supportedupgradefrom", "sourceversions", "compatiblefrom", "from", "previousversions", "previousversion", "validfrom")  # fmt: skip
_AT_LEAST = ("minversion", "minimumversion", "minimumcurrentversion", "minupgradefrom", "minfromversion", "minimumfromversion", "minsourceversion", "requiredversion", "requiresversion", "minimuminstalledversion")  # fmt: skip
_REBOOT = ("reboot", "requiresreboot", "rebootrequired", "needsreboot", "rebootneeded", "rebootpolicy", "rebootbehavior", "hostreboot", "systemreboot", "rebootrecommended")  # fmt: skip
_RESTART = ("restart", "requiresrestart", "restartrequired", "needsrestart", "restarts", "restartservices", "servicesrestarted", "servicestorestart", "services", "units", "daemons")  # fmt: skip
_DOWNTIME = (
    "downtime",
    "estimateddowntime",
    "expecteddowntime",
    "plannedoutage",
    "outage",
    "maintenancewindow",
    "serviceinterruption",
)
_ENDPOINTS = ("endpoints", "endpoint", "callbacks", "callback", "outbound", "egress", "webhooks", "webhook", "connectsto", "externalhosts", "hosts", "remotehosts", "allowlist", "calls", "externalservices", "integrations")  # fmt: skip
_NOT_NEEDED = ("false", "no", "none", "never", "0", "not needed", "not required", "not_required", "unnecessary", "n/a")
_REQUIRED = ("true", "yes", "required", "mandatory", "always", "1", "must", "needed", "immediate", "forced", "force")
_RECOMMENDED = ("recommended", "optional", "suggested", "advised", "should", "maybe", "if needed", "conditional")
_ADDRESS = regex(
    r"(?i)^(?:[a-z][a-z0-9+.\-]*://)?(?:[\w.\-]+@)?(?P<host>(?:[\w\-]+\.)+[a-z][\w\-]*|localhost|\d+(?:\.\d+){3})(?::(?P<port>\d+))?(?:/|$)"
)


def looks_like(tree: Tree) -> bool:
    """Whether a document is a manifest by its content: a product with a version, and a word on what the upgrade needs."""
    if not isinstance(tree, dict):
        return False
    words = {word(key) for at, node in walk(tree) if len(at) <= 2 and isinstance(node, dict) for key in node}
    if words & {
        "openapi",
        "swagger",
        "jsonrpc",
        "apiversion",
        "lockfileversion",
        "bomformat",
        "spdxversion",
    } and not words & set(_FROM[:4]):
        return False
    if {"$schema", "$id", "type", "$ref"} & set(tree) and {"properties", "definitions", "$defs", "items"} & set(tree):
        return False  # a JSON Schema: it describes documents, and its version is its own
    says = set(_RELEASED[:3]) | set(_VENDOR[:5]) | set(_FROM[:4]) | set(_AT_LEAST) | set(_REBOOT) | set(_DOWNTIME)
    return bool(words & set(_VERSION)) and bool(words & set(_PRODUCT)) and bool(words & (says | requirements.HOLDERS))


def read(member: Member, tree: Tree) -> Iterator[AnyFact]:
    release = _release(member, tree)
    if release is not None:
        yield release
    seen: set[tuple[str, str]] = set()
    inside: list[tuple[str, ...]] = []
    for path, node in walk(tree):
        if not path or any(path[: len(held)] == held for held in inside):
            continue
        name = word(path[-1])
        if name in requirements.HOLDERS and not (isinstance(node, Leaf) and _truth(node.value)):
            inside.append(path)
            for wanted in requirements.find(node):
                if (wanted.component.lower(), wanted.constraint) not in seen:
                    seen.add((wanted.component.lower(), wanted.constraint))
                    yield requirement(member, wanted)
        else:
            yield from _claim(member, name, path[-1], node)


def requirement(member: Member, wanted: requirements.Wanted, scheme: str = "", *, host: bool = False) -> Requirement:
    looseness, admits = score(wanted.constraint, scheme)
    return Requirement(
        witness=Witness.DECLARED, evidence=_at(member, wanted.line, wanted.column, f"{wanted.component} {wanted.constraint}"),
        component=wanted.component, constraint=wanted.constraint, looseness=looseness, scheme=scheme, admits=admits,
        optional=wanted.optional, host=host,
    )  # fmt: skip


def _at(member: Member, line: int, column: int, text: str) -> Evidence:
    return member.evidence(line, column, text)


def _truth(value: str) -> bool:
    return value.lower() in ("true", "false", "yes", "no", "")


def _release(member: Member, tree: Tree) -> Release | None:
    """The outermost mapping that has both a product and a version; its own words first, then those around it."""
    best: tuple[tuple[int, int], Leaf, str, dict[str, Tree]] | None = None
    for path, node in walk(tree):
        if (
            not isinstance(node, dict)
            or len(path) > 3
            or path[:1] == ("tool",)
            or any(word(p) in requirements.HOLDERS for p in path)
        ):
            continue
        leaves = {word(key): value for key, value in node.items() if isinstance(value, Leaf) and value.value}
        version = next(
            ((rank, leaves[w]) for rank, w in enumerate(_VERSION) if w in leaves and re.search(r"\d", leaves[w].value)),
            None,
        )
        named = next((leaves[w].value for w in _PRODUCT if w in leaves), "")
        if (
            not named
            and path
            and not path[-1].isdigit()
            and word(path[-1]) not in (*_PRODUCT, "metadata", "info", "release", "meta", "spec")
        ):
            named = path[-1]
        if not named:
            named = _named_around(tree, path)
        if version and named and (best is None or (len(path), version[0]) < best[0]):
            best = ((len(path), version[0]), version[1], named, node)
    if best is None:
        return None
    _, version_leaf, product, home = best
    around = [home, tree, *_about(tree)] if isinstance(tree, dict) else [home]
    released = _word_of(around, _RELEASED)
    return Release(
        witness=Witness.DECLARED, evidence=_at(member, version_leaf.line, version_leaf.column, f"{product} {version_leaf.value}"),
        product=product, version=version_leaf.value.strip(), aspect="manifest", released=day(released) if released else None,
        vendor=_word_of(around, _VENDOR, deep=True), upgrades_from=_upgrades_from(around),
    )  # fmt: skip


_ABOUT = ("metadata", "info", "meta", "about", "product", "package", "application", "general")


def _named_around(tree: Tree, path: tuple[str, ...]) -> str:
    """``{"product": {"release": {"version": …}}, "name": …}``: the name may stand further out, or in a mapping beside."""
    node: Tree = tree
    found = ""
    for part in (*path, ""):
        if isinstance(node, dict):
            for place in (*_about(node), node):
                leaves = {word(key): value for key, value in place.items() if isinstance(value, Leaf)}
                found = next((leaves[w].value for w in _PRODUCT if w in leaves), found)
            node = node.get(part, Leaf("", 0, 0))
    return found


def _about(node: dict[str, Tree]) -> list[dict[str, Tree]]:
    """Mappings that say what the document is about."""
    return [value for key, value in node.items() if word(key) in _ABOUT and isinstance(value, dict)]


def _word_of(around: list[dict[str, Tree]], words: tuple[str, ...], deep: bool = False) -> str:
    """The first of these words that has a value, in the nearest mapping; with ``deep`` also the name inside an object."""
    for node in around:
        by = {word(key): value for key, value in node.items()}
        for name in words:
            value = by.get(name)
            if isinstance(value, Leaf) and value.value:
                return value.value
            if deep and isinstance(value, dict):
                inner = {word(key): leaf for key, leaf in value.items()}
                if isinstance(leaf := inner.get("name"), Leaf):
                    return leaf.value
    return ""


def _upgrades_from(around: list[dict[str, Tree]]) -> str:
    upgrade = [
        node
        for tree in around
        for key, node in tree.items()
        if word(key) in ("upgrade", "update", "migration") and isinstance(node, dict)
    ]
    for node in [*around, *upgrade]:
        for key, value in node.items():
            name = word(key)
            if name in _AT_LEAST and isinstance(value, Leaf) and re.match(r"v?\d", value.value):
                return f">={value.value}"
            if name in _FROM and (node in upgrade or name not in ("from", "previousversion", "previousversions")):
                if isinstance(value, Leaf) and value.value:
                    return value.value
                if isinstance(value, list):
                    return " || ".join(leaf.value for leaf in value if isinstance(leaf, Leaf))
                if isinstance(value, dict):
                    bounds = {word(k): v.value for k, v in value.items() if isinstance(v, Leaf)}
                    low = next((bounds[k] for k in ("min", "minversion", "minimum", "from") if k in bounds), "")
                    high = next((bounds[k] for k in ("max", "maxversion", "maximum", "to") if k in bounds), "")
                    return ", ".join(part for part in (low and f">={low}", high and f"<={high}") if part)
    return ""


def _claim(member: Member, name: str, key: str, node: Tree) -> Iterator[AnyFact]:
    bare = re.sub(r"(?:in)?(?:seconds?|minutes?|hours?|mins?|secs?)$", "", name)
    if name in _REBOOT:
        yield from _reboot(member, name, node)
    elif name in _RESTART:
        yield from _restarts(member, name, node)
    elif bare in _DOWNTIME and isinstance(node, Leaf | dict):
        yield from _downtime(member, key, node)
    elif name in _ENDPOINTS:
        for leaf in _leaves(node):
            if match := _ADDRESS.match(leaf.value):
                scheme = leaf.value.split("://")[0].lower() if "://" in leaf.value else ""
                user = (urlsplit(leaf.value).username or "") if scheme else ""
                yield Endpoint(
                    witness=Witness.DECLARED, evidence=_at(member, leaf.line, leaf.column, leaf.value), scheme=scheme,
                    host=match["host"].lower(), port=int(match["port"]) if match["port"] else None, user=user,
                )  # fmt: skip


def _leaves(node: Tree) -> Iterator[Leaf]:
    return (leaf for _, leaf in walk(node) if isinstance(leaf, Leaf))


def _reboot(member: Member, name: str, node: Tree) -> Iterator[Reboot]:
    for leaf in _leaves(node):
        text = leaf.value.strip().lower()
        if text in _NOT_NEEDED:
            claim = "not needed"
        elif text in _RECOMMENDED or (text in _REQUIRED and "recommended" in name):
            claim = "recommended"
        elif text in _REQUIRED:
            claim = "required"
        else:
            claim = leaf.value.strip()
        if claim:
            yield Reboot(
                witness=Witness.DECLARED,
                evidence=_at(member, leaf.line, leaf.column, f"{name}: {leaf.value}"),
                claim=claim,
            )
        if isinstance(node, dict):
            return  # an object: its first leaf is the claim, the rest explains it


def _restarts(member: Member, name: str, node: Tree) -> Iterator[Restart]:
    """Names of services; a bare truth value says nothing about which."""
    names: list[Leaf] = []
    if isinstance(node, list):
        for item in node:
            if isinstance(item, Leaf):
                names.append(item)
            elif isinstance(item, dict):
                names += [
                    v for k, v in item.items() if isinstance(v, Leaf) and word(k) in ("name", "unit", "service", "id")
                ][:1]
    elif (
        isinstance(node, Leaf)
        and not _truth(node.value)
        and node.value.lower() not in (*_REQUIRED, *_RECOMMENDED, *_NOT_NEEDED)
    ):
        names = [node]
    elif isinstance(node, dict) and name != "restart":
        names = [Leaf(key, next((leaf.line for leaf in _leaves(value)), 0), 0) for key, value in node.items()]
    for leaf in names:
        if re.fullmatch(r"[A-Za-z][\w.@\-]*", leaf.value):
            yield Restart(
                witness=Witness.DECLARED, evidence=_at(member, leaf.line, leaf.column, leaf.value),
                unit=leaf.value.removesuffix(".service"), action="restart",
            )  # fmt: skip


def _downtime(member: Member, key: str, node: Tree) -> Iterator[Downtime]:
    pairs = [(key, node)] if isinstance(node, Leaf) else [(f"{key}_{k}", v) for k, v in node.items() if isinstance(v, Leaf)] if isinstance(node, dict) else []  # fmt: skip
    found = []
    for name, leaf in pairs:
        unit = unit_in(name)
        length = duration(leaf.value, unit)
        basis = f"{name}: {leaf.value}"
        if length is None and re.fullmatch(r"\d+(?:\.\d+)?", leaf.value.strip()):
            length, basis = duration(leaf.value, "minute"), f"{basis} (no unit; read as minutes)"
        if length is not None:
            found.append(
                Downtime(
                    witness=Witness.DECLARED,
                    evidence=_at(member, leaf.line, leaf.column, basis),
                    duration=length,
                    basis=basis,
                )
            )
    yield from sorted(found, key=lambda d: -d.duration)[:1]
