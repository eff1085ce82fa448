"""The file of ``fulldress database capture``: JSON that a person can read through before it leaves production.

It holds the schema as text, how many rows and bytes each table has, and per column the part of NULLs, the number of
distinct values, the mean width and how far the order on disk follows the values. It holds no value of a row: neither the
most common values nor the histograms of ``pg_stats``.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from fulldress.errors import BadStandIn

FORMAT = "fulldress stand-in 1"


class Type(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A type that a column has, or that one is made of. ``kind`` as in ``pg_type.typtype``: b, d, e, c, r, m."""

    name: str
    kind: str
    base: str = ""  #: oid of what a domain is made of
    modifier: int = -1  #: a domain's own, e.g. of varchar(20)
    element: str = ""  #: oid of an array's element
    labels: tuple[str, ...] = ()  #: of an enum; part of the schema
    checks: tuple[str, ...] = ()  #: of a domain, over VALUE


class Column(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A column and what ``pg_stats`` says of it, values left out. Without statistics the numbers are None."""

    name: str
    type: str  #: oid, a key of ``types``
    full: str  #: with its modifier, e.g. ``character varying(20)``
    not_null: bool = False
    generated: bool = False
    null_fraction: float | None = None
    distinct: float | None = None  #: as n_distinct: positive a number, negative a part of the rows
    width: int | None = None  #: bytes
    correlation: float | None = None


class Key(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What has to be unique. ``parts`` are expressions; ``columns`` is empty where one is more than a column's name."""

    name: str
    parts: tuple[str, ...]
    columns: tuple[str, ...] = ()
    where: str = ""


class Reference(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A foreign key."""

    name: str
    columns: tuple[str, ...]
    table: str
    to: tuple[str, ...]


class Table(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A table or one of its partitions. ``name`` is qualified and quoted, ready for SQL."""

    name: str
    kind: str  #: r, p, m as in ``pg_class.relkind``
    rows: int | None = None  #: as the statistics have it; None: unknown
    bytes: int = 0  #: its main part
    toast: int = 0  #: bytes of values kept apart
    columns: tuple[Column, ...] = ()
    checks: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()
    references: tuple[Reference, ...] = ()
    parent: str = ""  #: of a partition
    bound: str = ""  #: a partition's condition
    strategy: str = ""  #: of a partitioned table: h, l, r
    populated: bool = True  #: of a materialised view


class StandIn(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    format: str
    captured: str  #: when, UTC
    major: int
    version: str
    database: str
    encoding: str
    collation: str
    sorting: str
    extensions: dict[str, str]
    settings: list[tuple[str, str]]
    types: dict[str, Type]
    tables: list[Table]
    pre_data: str  #: pg_dump --section=pre-data
    post_data: str


def write(captured: StandIn, path: Path) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(captured), indent=1) + b"\n")


def read(path: Path) -> StandIn:
    """Raises :class:`BadStandIn`."""
    try:
        captured = msgspec.json.decode(path.read_bytes(), type=StandIn)
    except (OSError, msgspec.DecodeError) as error:
        raise BadStandIn(path, str(error)) from error
    if captured.format != FORMAT:
        raise BadStandIn(path, f'its format is "{captured.format}", known here is "{FORMAT}"')
    return captured
