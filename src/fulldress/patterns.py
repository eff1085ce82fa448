"""Regular expressions that are compiled where they are first used, not where their module is imported.

``fulldress inspect`` names some six hundred of them and needs a few dozen for most packages; compiling all of them took 0.25 s
of each start (measured November 2026, Python 3.11).
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

_GIVEN = (
    "search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split", "scanner", "pattern", "flags", "groups",
    "groupindex",
)  # fmt: skip


class Lazy:
    """Stands in for a compiled expression and becomes one, attribute by attribute, with the first that is asked for."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source, self._flags = source, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._source, self._flags)
        self.__dict__.update((given, getattr(compiled, given)) for given in _GIVEN)
        return getattr(compiled, name)

    def __repr__(self) -> str:
        return f"regex({self._source!r}, {self._flags!r})"

    def __reduce__(self) -> tuple[type[Lazy], tuple[str | bytes, int]]:
        return Lazy, (self._source, self._flags)


def regex(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What ``re.compile`` gives, for use at the top of a module. Its methods only: ``re.search(regex(…), …)`` does not know it.

    A faulty expression raises :class:`re.error` at its first use; a test compiles all that there are.
    """
    return cast("re.Pattern[AnyStr]", Lazy(source, int(flags)))
