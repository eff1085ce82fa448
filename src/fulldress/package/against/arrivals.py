"""Which migrations the new package has and the old one had not: those are this upgrade's.

It is told by their names alone. A migration of the old package that was edited since has run already, and does not run
again; that it is another one now stands among the changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from fulldress.facts import AnyFact, Migration

if TYPE_CHECKING:
    from fulldress.package import Reading


def arrived(old: Reading, new: Reading) -> list[AnyFact]:
    """The facts of the new package; its migrations say whether they belong to this release (``current``).

    Where the old package has none, the product may have begun to use them, or to pack them: nothing is said."""
    known = {_key(fact) for fact in old.facts if isinstance(fact, Migration)}
    if not known:
        return list(new.facts)
    return [
        msgspec.structs.replace(fact, current=fact.repeatable or _key(fact) not in known)
        if isinstance(fact, Migration)
        else fact
        for fact in new.facts
    ]


def _key(fact: Migration) -> tuple[str, str, str]:
    """The same names at the end of the path are the same migration, a dialect's own file is another one."""
    return fact.name, "/".join(fact.path.rsplit("/", 2)[-2:]), fact.dialect
