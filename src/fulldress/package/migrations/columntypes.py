"""Types of columns, and whether a change of type rewrites the table or can lose values.

PostgreSQL's rules: a change is free where the old type is binary coercible to the new one and no length has to be
enforced (``varchar(50)`` to ``varchar(80)`` or ``text``, ``numeric(8,2)`` to ``numeric(10,2)``).
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Type(NamedTuple):
    """``numeric(10,2)`` as ``("numeric", (10, 2))``; names are those of PostgreSQL's catalogue."""

    name: str
    size: tuple[int, ...] = ()
    array: bool = False

    def shown(self) -> str:
        sized = f"({','.join(map(str, self.size))})" if self.size else ""
        return f"{_SHOWN.get(self.name, self.name)}{sized}{'[]' * self.array}"


class Change(NamedTuple):
    rewrites: str = ""  #: yes, maybe (the old type is not known), or empty: no
    narrows: bool = False


_SHOWN = {"int2": "smallint", "int4": "integer", "int8": "bigint", "bpchar": "char", "float4": "real",
          "float8": "double precision", "bool": "boolean"}  # fmt: skip
_TEXTS = {"varchar", "text", "bpchar", "citext", "name"}
_WIDTHS = (
    ("int2", "int4", "int8", "numeric"),
    ("date", "timestamp", "timestamptz"),
    ("float4", "float8"),
)
_SERIAL = {"serial": "int4", "serial4": "int4", "bigserial": "int8", "serial8": "int8", "smallserial": "int2"}
#: How translators write a type that they cannot tell; nothing follows from it.
UNKNOWN = ("unknown_kind", "kind_")
#: Extensions that PostgreSQL 13 and later let an ordinary role create (manual, "F. Additional Supplied Modules").
TRUSTED_EXTENSIONS = frozenset(
    [
        "btree_gin",
        "btree_gist",
        "citext",
        "cube",
        "dict_int",
        "fuzzystrmatch",
        "hstore",
        "intarray",
        "isn",
        "lo",
        "ltree",
        "pgcrypto",
        "pg_trgm",
        "plpgsql",
        "seg",
        "tablefunc",
        "tcn",
        "tsm_system_rows",
        "tsm_system_time",
        "unaccent",
        "uuid-ossp",
    ]
)


def of(node: Any) -> Type:
    """A ``TypeName`` of libpg_query."""
    names = [part.string.sval for part in node.names]
    size = tuple(mod.a_const.ival.ival for mod in node.typmods if mod.a_const.HasField("ival"))
    return Type(names[-1] if names else "", size, bool(node.array_bounds))


def change(old: Type | None, new: Type, *, converts: bool = False) -> Change:
    """``converts``: an expression of its own (USING) makes the new values."""
    if converts:
        return Change("yes", old is not None and _narrower(old, new))
    if old is not None and old.name.startswith(UNKNOWN):
        old = None
    if new.name.startswith(UNKNOWN):
        return Change()  # a translator could not tell it: nothing is said of it
    if old is None:
        # most changes to text without a length come from a shorter text: nothing is written
        return Change("" if new.name in ("text", "varchar") and not new.size else "maybe")
    old = old._replace(name=_SERIAL.get(old.name, old.name))
    if old == new:
        return Change()
    narrows = _narrower(old, new)
    if old.array or new.array:
        return Change("yes", narrows)
    if {old.name, new.name} <= {"varchar", "text", "citext"}:
        fits = not new.size or (bool(old.size) and old.name == "varchar" and new.size >= old.size)
        return Change("" if fits else "yes", narrows)
    if old.name == new.name and not narrows:
        if old.name == "numeric":
            scale = (old.size[1:] or (0,)) == (new.size[1:] or (0,))
            return Change("" if not new.size or (bool(old.size) and scale) else "yes")
        if old.name in ("timestamp", "timestamptz", "time", "timetz", "interval", "varbit"):
            return Change()
    if (old.name, new.name) in {
        ("cidr", "inet"),
        ("int4", "oid"),
        ("timestamp", "timestamptz"),
        ("timestamptz", "timestamp"),
    }:
        # PostgreSQL 12 and later: free where the session's time zone is UTC
        return Change("maybe" if old.name.startswith("time") else "")
    return Change("yes", narrows)


def _narrower(old: Type, new: Type) -> bool:
    old = old._replace(name=_SERIAL.get(old.name, old.name))
    if old.name in _TEXTS and new.name in _TEXTS:
        return bool(new.size) and (not old.size or new.size[0] < old.size[0])
    if old.name == new.name == "numeric" and new.size:
        return (
            not old.size
            or new.size[0] - sum(new.size[1:]) < old.size[0] - sum(old.size[1:])
            or new.size[1:] < old.size[1:]
        )
    return any(
        old.name in family and new.name in family and family.index(new.name) < family.index(old.name)
        for family in _WIDTHS
    )
