"""Two schemas side by side: what is another than before, and what only looks so.

Not a failure, and told as a note: another name of an index, constraint, sequence, trigger, policy, rule or statistics
object that is otherwise the same; other white space; another order of columns; and the instant that ``'now'`` was folded
into when a view or a default was made again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from fulldress.database.postgres.catalogues import CATALOGUES
from fulldress.database.postgres.schema import Described, Sequence
from fulldress.facts import excerpt
from fulldress.patterns import regex

_SPACE = regex(r"\s+")
_BRACKETS = regex(r"\s*([(),;])\s*")
_INSTANT = regex(
    r"'(\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[+-]\d\d(?::?\d\d)?)?)?)'::(?:date|time|timestamp)[\w ]*"
)
_RENAMES = frozenset(one.kind for one in CATALOGUES if one.rename)
_WHOLE = ("table", "view")


class Told(NamedTuple):
    """A difference. ``kind``: schema, sequence, note."""

    kind: str
    object: str
    detail: str


def compare(
    old: Mapping[str, Described],
    new: Mapping[str, Described],
    sequences: tuple[Mapping[str, Sequence], Mapping[str, Sequence]] = ({}, {}),
) -> list[Told]:
    """Objects and sequences that are gone, new or another. Parts of a table that is gone are not repeated."""
    names, found = _renamed(old, new)
    moved, told = _sequences(*sequences)
    names |= moved
    found += told
    translated = {one.title: one for one in (_translated(one, names) for one in old.values())} if names else dict(old)
    titles = {_translated(one, names).title: one.title for one in old.values()} if names else {}
    gone = {one.name for title, one in translated.items() if one.kind in _WHOLE and title not in new}
    fresh = {one.name for title, one in new.items() if one.kind in _WHOLE and title not in translated}
    for title in sorted(translated.keys() | new.keys()):
        was, is_ = translated.get(title), new.get(title)
        one = was or is_
        if one is None or (was is not None and is_ is not None and was.text == is_.text):
            continue
        if one.kind not in _WHOLE and one.relation and one.relation in gone | fresh:
            continue
        shown = titles.get(title, title)
        if is_ is None and was is not None:
            found.append(Told("schema", shown, _short(f"gone: {was.text}")))
        elif was is None and is_ is not None:
            found.append(Told("schema", shown, _short(f"was not there: {is_.text}")))
        elif was is not None and is_ is not None:
            found.append(_another(shown, was, is_))
    return found


def orders(old: Mapping[str, list[str]], new: Mapping[str, list[str]]) -> list[Told]:
    """Tables whose columns stand in another order. Columns that only one side has are told elsewhere."""
    found = []
    for table in sorted(old.keys() & new.keys()):
        was = [column for column in old[table] if column in new[table]]
        is_ = [column for column in new[table] if column in old[table]]
        if was != is_:
            at = next(i for i, (a, b) in enumerate(zip(was, is_, strict=True)) if a != b)
            words = f"another order of columns: {was[at]} was number {at + 1}, now {is_[at]} is"
            found.append(Told("note", f"table {table}", words))
    return found


def _another(title: str, was: Described, is_: Described) -> Told:
    if _flat(was.text) == _flat(is_.text):
        return Told("note", title, "other white space")
    if _fold(was.text) == _fold(is_.text, today=True):
        return Told("note", title, "the instant that 'now' stood for when it was made")
    return Told("schema", title, _short(f"was: {was.text}; is: {is_.text}"))


def _flat(text: str) -> str:
    return _BRACKETS.sub(r"\1", _SPACE.sub(" ", text)).strip()


def _fold(text: str, today: bool = False) -> str:
    """Instants written as constants, left out; with ``today`` only those that are about now."""
    about = datetime.now(UTC)

    def one(match: re.Match[str]) -> str:
        try:
            instant = datetime.fromisoformat(match[1])
        except ValueError:
            return match[0]
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return "'now'" if not today or abs(about - instant) < timedelta(days=2) else match[0]

    return _flat(_INSTANT.sub(one, text))


def _short(text: str) -> str:
    return excerpt(_SPACE.sub(" ", text).strip(), 300)


def _renamed(old: Mapping[str, Described], new: Mapping[str, Described]) -> tuple[dict[str, str], list[Told]]:
    """Names of objects that are the same but for them, and a note for each."""
    lost: dict[tuple[str, str, str], list[Described]] = defaultdict(list)
    come: dict[tuple[str, str, str], list[Described]] = defaultdict(list)
    for here, there, into in ((old, new, lost), (new, old, come)):
        for title, one in here.items():
            if one.kind in _RENAMES and title not in there:
                into[one.kind, one.relation, _nameless(one)].append(one)
    names: dict[str, str] = {}
    found: list[Told] = []
    for key, befores in lost.items():
        for was, is_ in zip(befores, come.get(key, []), strict=False):
            names[_full(was)] = _full(is_)
            found.append(Told("note", was.title, f"has another name: {is_.own}"))
    return names, found


def _full(one: Described) -> str:
    return one.name


def _nameless(one: Described) -> str:
    return _flat(re.sub(rf"(?<![\w\"]){re.escape(one.own)}(?![\w\"])", "", one.text, count=1) if one.own else one.text)


def _translated(one: Described, names: Mapping[str, str]) -> Described:
    """The object as it reads with the new names of other objects."""
    from msgspec.structs import replace

    if one.kind in _RENAMES:
        if one.name not in names:
            return one
        own = names[one.name].rpartition(" ")[2].rpartition(".")[2]
        text = re.sub(rf"(?<![\w\"]){re.escape(one.own)}(?![\w\"])", lambda _: own, one.text, count=1)
        return replace(one, name=names[one.name], text=text, own=own)
    name, text = one.name, one.text
    for was, is_ in names.items():
        if one.kind in ("comment", "owner and privileges"):
            # pg_identify_object says "a_pkey on public.a" where we say "public.a a_pkey"
            for before, after in ((was, is_), (_spoken(was), _spoken(is_))):
                if name.endswith(f" {before}"):
                    name = name[: -len(before)] + after
        elif was in text:
            text = text.replace(f"'{was}'", f"'{is_}'")
    return replace(one, name=name, text=text)


def _spoken(name: str) -> str:
    relation, _, own = name.rpartition(" ")
    return f"{own} on {relation}" if relation else name


def _sequences(old: Mapping[str, Sequence], new: Mapping[str, Sequence]) -> tuple[dict[str, str], list[Told]]:
    """Sequences by name, else by the column that they belong to."""
    by_column = {one.column: name for name, one in new.items() if one.column and name not in old}
    names = {
        name: by_column[one.column]
        for name, one in old.items()
        if name not in new and one.column in by_column and one.text == new[by_column[one.column]].text
    }
    found = [Told("note", f"sequence {was}", f"has another name: {is_}") for was, is_ in names.items()]
    for name in sorted(old):
        is_ = new.get(names.get(name, name))
        found += [Told("sequence", name, "gone")] if is_ is None else _value(name, old[name], is_)
    for name in sorted(new.keys() - old.keys() - set(names.values())):
        found.append(Told("sequence", name, "was not there"))
    return names, found


def _value(name: str, was: Sequence, is_: Sequence) -> list[Told]:
    found = []
    if was.text != is_.text:
        found.append(Told("sequence", name, f"was: {was.text}; is: {is_.text}"))
    if was.column != is_.column:
        found.append(Told("sequence", name, f"belonged to {was.column or 'no column'}, now to {is_.column or 'none'}"))
    if was.last == is_.last:
        return found
    ahead = is_.last is not None and (was.last is None or (is_.last - was.last) * (1 if was.step > 0 else -1) > 0)
    if ahead:
        last = "it had not begun" if was.last is None else f"last value was {was.last}"
        return [*found, Told("note", name, f"{last}, is {is_.last}: numbers are left out")]
    now = "begins anew" if is_.last is None else f"is {is_.last}"
    return [*found, Told("sequence", name, f"last value was {was.last}, {now}: numbers will be given out twice")]
