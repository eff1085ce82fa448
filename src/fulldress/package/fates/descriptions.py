"""Descriptions of settings: documents that give every key a default and a description, as schemas and Spring's metadata do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.errors import BadSyntax
from fulldress.facts import MASK, AnyFact, Reason, Setting, SettingChange, Unread, Witness, is_secret_name, mask
from fulldress.package.manifests.document import Leaf, Tree, load, walk, word
from fulldress.package.reader import Member
from fulldress.patterns import regex

_NAME = regex(
    r"(?i)(?:^|/)(?:(?:additional-)?spring-configuration-metadata\.json|config(?:uration)?(?:[-_.](?:schema|spec|template|options|reference))?\.(?:ya?ml|json)|"
    r"[\w.\-]*(?:settings|config|options|values)[\w.\-]*\.schema\.json|values\.schema\.json|(?:settings|options|parameters)\.(?:ya?ml|json))$"
)
_BETWEEN = ("properties", "options", "items", "settings", "parameters", "fields", "keys", "config", "sections")
_SAYS = ("description", "type", "help", "doc", "versionadded", "example", "title")
_LARGEST = 8 << 20


def is_description(member: Member) -> bool:
    """Whether a file describes settings: by its name, and because defaults and descriptions stand in it."""
    if not _NAME.search(member.inner) or not member.kept or member.size > _LARGEST:
        return False
    if re.search(r"(?i)(?:^|/)(?:node_modules|tests?|fixtures|docs?|examples?)/", member.inner):
        return False
    text = member.text
    return (
        len(re.findall(r"(?m)^\s*[\"']?default(?:Value)?[\"']?\s*:", text)) >= 3
        and len(re.findall(r"(?m)[\"']?(?:description|type)[\"']?\s*:", text)) >= 3
    )


def described(member: Member, component: str) -> Iterator[AnyFact]:
    """A Setting for every described key, and the fates that the description gives."""
    try:
        tree = load(member.name, member.text, "json" if member.name.endswith("json") else "yaml")
    except BadSyntax as error:
        yield Unread(
            witness=Witness.READ,
            evidence=member.evidence(),
            what=f"settings {member.path}",
            reason=Reason.GRAMMAR,
            detail=str(error),
        )
        return
    for path, node in walk(tree):
        if not isinstance(node, dict):
            continue
        by = {word(key): value for key, value in node.items()}
        default = by.get("default", by.get("defaultvalue"))
        name = by.get("name")
        spring = isinstance(name, Leaf) and path[:1] == ("properties",)
        if not spring and (default is None or not any(says in by for says in _SAYS)):
            continue
        key = name.value if spring and isinstance(name, Leaf) else _key(path)
        if key:
            yield _setting(member, component, key, default)
            yield from _deprecation(member, component, key, by)


def _key(path: tuple[str, ...]) -> str:
    """The dotted key without the words that only structure the document."""
    parts = [
        part
        for at, part in enumerate(path)
        if not (word(part) in _BETWEEN and at < len(path) - 1) and not part.isdigit()
    ]
    return ".".join(parts)


def _setting(member: Member, component: str, key: str, default: Tree | None) -> Setting:
    if isinstance(default, Leaf):
        value, line = default.value, default.line
    else:
        leaves = [leaf for _, leaf in walk(default) if isinstance(leaf, Leaf)] if default is not None else []
        value, line = ", ".join(leaf.value for leaf in leaves), leaves[0].line if leaves else 0
    value = "" if value in ("null", "~", "None") else value
    secret = bool(value) and is_secret_name(key)
    value = MASK if secret else mask(value)
    return Setting(
        witness=Witness.READ, evidence=member.evidence(line, 0, f"{key} = {value}"), component=component, key=key, value=value,
        file=member.inner,
    )  # fmt: skip


def _deprecation(member: Member, component: str, key: str, by: dict[str, Tree]) -> Iterator[SettingChange]:
    """Spring's ``deprecation`` object, or ``deprecated``, ``version_deprecated``, ``deprecation_reason`` beside the default."""
    inner = by.get("deprecation")
    cells = {word(k): v.value for k, v in inner.items() if isinstance(v, Leaf)} if isinstance(inner, dict) else {}
    leaves = {name: leaf.value for name, leaf in by.items() if isinstance(leaf, Leaf)}
    flag = leaves.get("deprecated", "").lower()
    since = cells.get("since", "") or leaves.get("versiondeprecated", "")
    if since in ("null", "~"):
        since = ""
    if not cells and not since and flag not in ("true", "yes"):
        return
    lines = [leaf.line for leaf in by.values() if isinstance(leaf, Leaf) and leaf.line]
    removed = cells.get("level", "").lower() == "error"
    yield SettingChange(
        witness=Witness.DECLARED, evidence=member.evidence(min(lines, default=0), 0, f"{key} is deprecated"), component=component, key=key,
        version=since, kind="removed" if removed else "deprecated", to=cells.get("replacement", ""), since=since,
        note=mask((cells.get("reason", "") or leaves.get("deprecationreason", ""))[:200]),
    )  # fmt: skip
