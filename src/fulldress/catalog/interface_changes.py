"""Old against new API: what callers lose, and what they gain.

Operations are matched by method and path, whatever their parameters are called. Parts of a shape are compared by who
sends them: a request that has to say more, or may say less, is *narrowed*; so is an answer that says less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from fulldress.facts import Interface, InterfaceChange, Use, Witness


class Part(msgspec.Struct, frozen=True):
    """One line of :attr:`Interface.shape`: ``query:limit?=integer`` is an optional query parameter of type integer."""

    place: str  #: path, query, header, cookie, body, or a status such as ``200``
    name: str
    type: str
    required: bool


def part(line: str) -> Part:
    """The inverse of how :mod:`fulldress.package.interfaces` writes a shape."""
    head, _, type_ = line.partition("=")
    place, _, name = head.partition(":")
    return Part(place, name.removesuffix("?"), type_, not name.endswith("?"))


def key(operation: str) -> str:
    """An operation without the names of its parameters: ``GET /orders/{}``."""
    method, _, path = operation.partition(" ")
    return f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path.rstrip('/') or '/')}"


def compare(old: Iterable[Interface], new: Iterable[Interface]) -> Iterator[InterfaceChange]:
    """Changes by operation, in the order of the old description, then what was added."""
    before = {key(i.operation): i for i in old}
    after = {key(i.operation): i for i in new}
    for name, was in before.items():
        now = after.get(name)
        if now is None:
            yield _change(
                was, "removed", f"in {was.version or 'the old description'}, not in the new one" + _moved(name, after)
            )
            continue
        if now.deprecated and not was.deprecated:
            yield _change(now, "deprecated", "marked deprecated")
        narrowed, widened = _shapes(was.shape, now.shape)
        if narrowed:
            yield _change(now, "narrowed", "; ".join(narrowed))
        if widened:
            yield _change(now, "widened", "; ".join(widened))
    for name, now in after.items():
        if name not in before:
            yield _change(now, "added", "")


def _moved(name: str, after: dict[str, Interface]) -> str:
    """Where an operation probably went: the same path behind another version prefix."""
    method, _, path = name.partition(" ")
    bare = re.sub(r"^(?:/api)?/v\d+(?=/)", "", path)
    for other in after:
        other_method, _, other_path = other.partition(" ")
        if other_method == method and other_path != path and re.sub(r"^(?:/api)?/v\d+(?=/)", "", other_path) == bare:
            return f"; {after[other].operation} may be its successor"
    return ""


def _shapes(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[list[str], list[str]]:
    before = {(p.place, p.name): p for p in map(part, old)}
    after = {(p.place, p.name): p for p in map(part, new)}
    narrowed: list[str] = []
    widened: list[str] = []
    for place in before.keys() | after.keys():
        _part(before.get(place), after.get(place), narrowed, widened)
    return sorted(narrowed), sorted(widened)


def _part(was: Part | None, now: Part | None, narrowed: list[str], widened: list[str]) -> None:
    there = was or now
    if there is None:
        return
    answer = there.place.isdigit() or there.place in ("default", "gives") or there.place.endswith("XX")
    if answer and there.place[0] not in "2dg":
        return  # what an error says is seldom relied on, and changes often
    what = f"{there.place} {there.name}".strip()
    if now is None:
        narrowed.append(f"{what} is gone" if answer else f"{what} is not accepted any more")
    elif was is None:
        if answer:
            widened.append(f"{what} is new")
        else:
            (narrowed if now.required else widened).append(f"{what} is new" + (" and required" if now.required else ""))
    else:
        if was.type != now.type and "any" not in (was.type, now.type):
            narrowed.append(f"{what}: {was.type or '?'} became {now.type or '?'}")
        if was.required != now.required:
            stricter = was.required if answer else now.required
            words = f"{what} became {'required' if now.required else 'optional'}"
            (narrowed if stricter else widened).append(words)


def _change(fact: Interface, kind: str, detail: str) -> InterfaceChange:
    return InterfaceChange(
        witness=Witness.READ, evidence=fact.evidence, operation=fact.operation, kind=kind, detail=detail
    )


def unlisted(new: Iterable[Interface], uses: Iterable[Use]) -> list[Use]:
    """Operations that are called today and that the new description does not list, where there is no old one to ask.

    That proves nothing, since descriptions are seldom complete; but somebody has to ask. Only paths that begin as one of
    the description's own do count: a log holds much that no description speaks of."""
    listed = list(new)
    patterns = [re.compile(_pattern(i.operation)) for i in listed]
    heads = {_head(i.operation) for i in listed}
    return [u for u in uses if _head(u.operation) in heads and not any(p.fullmatch(key(u.operation)) for p in patterns)]


def _pattern(operation: str) -> str:
    method, _, path = key(operation).partition(" ")
    return f"{method} " + r"[^/]+".join(re.escape(piece) for piece in path.split("{}"))


def _head(operation: str) -> str:
    parts = operation.partition(" ")[2].strip("/").split("/")
    while len(parts) > 1 and re.fullmatch(r"api|rest|v\d+", parts[0]):
        parts = parts[1:]
    return parts[0]


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """A change and who calls the operation today. ``uses`` is empty where no call was seen."""

    change: InterfaceChange
    uses: tuple[Use, ...] = ()

    @property
    def per_day(self) -> float:
        return sum(use.per_day for use in self.uses)

    @property
    def breaks(self) -> bool:
        """Whether somebody who calls today loses something."""
        return bool(self.uses) and self.change.kind in ("removed", "narrowed")


def used(changes: Iterable[InterfaceChange], uses: Iterable[Use]) -> list[Affected]:
    """Changes with their callers: what breaks most calls first, then by weight of the change."""
    by: dict[str, list[Use]] = {}
    for use in uses:
        by.setdefault(key(use.operation), []).append(use)
    order = ("removed", "narrowed", "deprecated", "widened", "added")
    rows = [Affected(change=change, uses=tuple(by.get(key(change.operation), ()))) for change in changes]
    return sorted(
        rows, key=lambda row: (not row.breaks, order.index(row.change.kind), -row.per_day, row.change.operation)
    )
