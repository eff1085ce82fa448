"""Tables of keys and their fates: Markdown tables in documents, and lists in JSON, YAML or TOML."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.errors import BadSyntax
from fulldress.facts import AnyFact, Reason, SettingChange, Unread, Witness, mask
from fulldress.package.changelog import Section
from fulldress.package.manifests.document import Leaf, Tree, load, walk, word
from fulldress.package.reader import Member
from fulldress.patterns import regex

_TABLE_FILE = regex(
    r"(?i)(?:deprecat|removed|renam|breaking|config[-_]?changes|settings?[-_]?changes|obsolete|migration[-_]?(?:map|table))[\w.\-]*\.(?:json|ya?ml|toml)$"
)
_KEY = ("key", "setting", "option", "parameter", "property", "config", "configkey", "name", "old", "oldname", "oldkey", "variable", "from", "configurationkey")  # fmt: skip
_TO = ("renamedto", "replacement", "replacedby", "newname", "newkey", "to", "use", "useinstead", "alternative", "successor", "replacementname")  # fmt: skip
_FATE = ("status", "change", "fate", "action", "kind", "state", "what", "type")
_AT = (
    "removedin",
    "version",
    "in",
    "since",
    "removalversion",
    "removedsince",
    "at",
    "changedin",
    "removalmilestone",
    "removed",
)
_SINCE = ("deprecatedin", "deprecatedsince", "since", "deprecatedversion", "announcedin", "announcementmilestone")
_OLD = ("olddefault", "oldvalue", "before", "previous", "previousdefault", "was")
_NEW = ("newdefault", "newvalue", "after", "default", "now")
_NOTE = ("note", "notes", "reason", "description", "comment", "suggestion", "details", "message")
_WORDS = (
    ("renamed", r"renam|\bmoved|replac"),
    ("default-changed", r"default"),
    ("removed", r"remov|drop|delet|gone|no longer"),
    ("required", r"required|mandatory|must"),
    ("deprecated", r"deprecat|obsolet"),
    ("value-invalid", r"invalid|not accepted"),
    ("added", r"added|new\b|introduc"),
    ("meaning-changed", r"meaning|semantic|behaviou?r"),
)  # fmt: skip
_ROW = regex(r"^\s*\|?(.+?)\|?\s*$")


def is_table(member: Member) -> bool:
    """Whether a file is a list of fates by its name."""
    return bool(_TABLE_FILE.search(member.name)) and member.size <= 4 << 20


def structured(member: Member, component: str) -> Iterator[AnyFact]:
    """Every object that names a key and a fate."""
    suffix = member.name.rsplit(".", 1)[-1].lower()
    try:
        tree = load(member.name, member.text, {"yml": "yaml"}.get(suffix, suffix))
    except BadSyntax as error:
        yield Unread(
            witness=Witness.DECLARED,
            evidence=member.evidence(),
            what=f"table {member.path}",
            reason=Reason.GRAMMAR,
            detail=str(error),
        )
        return
    for path, node in walk(tree):
        if isinstance(node, dict):
            cells = {word(key): value for key, value in node.items() if isinstance(value, Leaf)}
            own = path[-1] if path and not path[-1].isdigit() else ""
            if change := _row(
                {name: leaf.value for name, leaf in cells.items()}, member, component, _line(cells, node), "", own
            ):
                yield change


def _line(cells: dict[str, Leaf], node: Tree) -> int:
    return min((leaf.line for leaf in cells.values() if leaf.line), default=0)


def markdown(member: Member, section: Section, component: str) -> Iterator[SettingChange]:
    """Tables whose first line names a column of keys and at least one of fates."""
    rows = section.text.splitlines()
    for at in range(len(rows) - 2):
        if "|" not in rows[at] or not re.fullmatch(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)+\|?\s*", rows[at + 1]):
            continue
        columns = [word(cell) for cell in _cells(rows[at])]
        if not set(columns) & set(_KEY) or not set(columns) & {*_TO, *_FATE, *_AT, *_SINCE, *_OLD, *_NEW}:
            continue
        for number in range(at + 2, len(rows)):
            if "|" not in rows[number]:
                break
            cells = dict(zip(columns, _cells(rows[number]), strict=False))
            if change := _row(cells, member, component, section.line + number, section.version, ""):
                yield change


def _cells(row: str) -> list[str]:
    match = _ROW.match(row)
    return [cell.strip().strip("`*\"' ") for cell in re.split(r"(?<!\\)\|", match[1] if match else row)]


def _row(
    cells: dict[str, str], member: Member, component: str, line: int, version: str, own: str
) -> SettingChange | None:
    def of(names: tuple[str, ...]) -> str:
        return next(
            (cells[n] for n in names if cells.get(n, "").strip() not in ("", "-", "–", "—", "n/a", "none", "null")), ""
        )

    key = of(_KEY) or own
    section = cells.get("section", "")
    if section and key and "." not in key:
        key = f"{section}.{key}"
    fate = " ".join(cells[n] for n in _FATE if n in cells)
    to, since = of(_TO), of(_SINCE)
    said = next((kind for kind, pattern in _WORDS if re.search(pattern, fate, re.I)), "")
    kind = said or (
        "renamed" if to and re.fullmatch(r"[\w.\-]+", to) else "default-changed" if of(_OLD) and of(_NEW) else ""
    )
    if not kind and any(
        cells.get(n, "").lower() not in ("", "false", "no", "null")
        for n in ("removed", "removedin", "removalversion", "wasremoved")
    ):
        kind = "removed"
    kind = kind or ("deprecated" if since or "deprecated" in cells else "")
    if not key or not kind or not re.fullmatch(r"[A-Za-z_][\w.\-/\[\]]*", key):
        return None
    at = of(_AT)
    return SettingChange(
        witness=Witness.DECLARED, evidence=member.evidence(line, 0, " | ".join(cells.values())), component=component, key=key,
        version=at if re.match(r"v?\d", at) else version, kind=kind, old=mask(of(_OLD)), new=mask(of(_NEW)),
        to=to if re.fullmatch(r"[\w.\-/]+", to) else "", since=since if re.match(r"v?\d", since) else "", note=mask(of(_NOTE)[:200]),
    )  # fmt: skip
