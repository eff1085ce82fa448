"""SQL expressions that make the ``k``-th value of a type: different for different ``k``, as far as the type has room."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from fulldress.database.postgres.standin.bounds import Bounds
from fulldress.database.postgres.standin.form import Type

_MOST = 1 << 62
#: How many different values a type has.
_ROOM = {"boolean": 2, "smallint": 32767, "integer": 2147483647, '"char"': 26}
_INTEGERS = ("smallint", "integer", "bigint", "oid")
_TEXTS = ("text", "character varying", "character", "name", "citext")
_BEGIN = "2015-01-01"
#: Types that a formula of their own makes; ``{k}`` is a bigint from 0 on, ``{n}`` a length.
_FORMS: dict[str, str] = {
    "boolean": "({k} % 2 = 1)",
    "real": "({k} / 4.0)",
    "double precision": "({k} / 4.0)",
    "money": "({k} / 100.0)::numeric",
    "date": f"DATE '{_BEGIN}' + ({{k}} % 20000)::int",
    "time without time zone": "TIME '00:00' + ({k} % 86400) * INTERVAL '1 second'",
    "time with time zone": "TIMETZ '00:00+00' + ({k} % 86400) * INTERVAL '1 second'",
    "timestamp without time zone": f"TIMESTAMP '{_BEGIN}' + {{k}} * INTERVAL '37 seconds'",
    "timestamp with time zone": f"TIMESTAMPTZ '{_BEGIN} 00:00+00' + {{k}} * INTERVAL '37 seconds'",
    "interval": "{k} * INTERVAL '1 second'",
    "uuid": "md5({k}::text)::uuid",
    "bytea": "decode(md5({k}::text), 'hex') || convert_to({pad}, 'UTF8')",
    "json": "json_build_object('k', {k}, 'pad', {pad})",
    "jsonb": "jsonb_build_object('k', {k}, 'pad', {pad})",
    "inet": "INET '10.0.0.0' + ({k} % 16777216)",
    "cidr": "(INET '10.0.0.0' + ({k} % 16777216))::cidr",
    "macaddr": "lpad(to_hex({k} % 281474976710656), 12, '0')::macaddr",
    "macaddr8": "lpad(to_hex({k}), 16, '0')::macaddr8",
    "tsvector": "to_tsvector('simple', 'word' || {k})",
    "tsquery": "to_tsquery('simple', 'word' || {k})",
    "point": "point({k}, {k} / 7.0)",
    "box": "box(point({k}, 0), point({k} + 1, 1))",
    "circle": "circle(point({k}, 0), 1)",
    "line": "line(point(0, {k}), point(1, {k} + 1))",
    "lseg": "lseg(point({k}, 0), point({k}, 1))",
    "path": "path(polygon(box(point({k}, 0), point({k} + 1, 1))))",
    "polygon": "polygon(box(point({k}, 0), point({k} + 1, 1)))",
    "xml": "('<k>' || {k} || '</k>')::xml",
    "hstore": "hstore('k', {k}::text)",
    "ltree": "('k.' || {k})::ltree",
    "int4range": "int4range(({k} % 2000000000)::int, ({k} % 2000000000 + 1)::int)",
    "int8range": "int8range({k}, {k} + 1)",
    "numrange": "numrange({k}, {k} + 1)",
    "daterange": f"daterange(DATE '{_BEGIN}' + ({{k}} % 20000)::int, DATE '{_BEGIN}' + ({{k}} % 20000 + 1)::int)",
    "tsrange": f"tsrange(TIMESTAMP '{_BEGIN}' + {{k}} * INTERVAL '1 h', TIMESTAMP '{_BEGIN}' + ({{k}} + 1) * INTERVAL '1 h')",
    "tstzrange": f"tstzrange(TIMESTAMPTZ '{_BEGIN}' + {{k}} * INTERVAL '1 h', TIMESTAMPTZ '{_BEGIN}' + ({{k}} + 1) * INTERVAL '1 h')",
    "pg_lsn": "('0/' || to_hex({k} % 4294967296))::pg_lsn",
}
_STEP = {"date": "1 day", "timestamp without time zone": "1 minute", "timestamp with time zone": "1 minute"}


def modifier(full: str) -> tuple[int, int] | None:
    """Length, or precision and scale, of e.g. ``numeric(10,2)``."""
    found = re.search(r"\((\d+)(?:,(-?\d+))?\)", full)
    return (int(found[1]), int(found[2] or 0)) if found else None


def numbers(name: str, full: str, bounds: Bounds) -> tuple[Decimal, Decimal | None, Decimal] | None:
    """Lowest, highest and step of a numeric type within its bounds; None: it is no number, or a bound is none."""
    if name not in (*_INTEGERS, "numeric", "real", "double precision"):
        return None
    size = modifier(full) if name == "numeric" else None
    step = Decimal(1) if name in _INTEGERS else Decimal(10) ** -(size[1] if size else 2)
    try:
        low = (
            Decimal(bounds.low[0].strip("'")) if bounds.low else Decimal(0 if not size and name not in _INTEGERS else 1)
        )
        high = Decimal(bounds.high[0].strip("'")) if bounds.high else None
    except InvalidOperation:
        return None
    if bounds.low and not bounds.low[1]:
        low += step
    if bounds.high and high is not None and not bounds.high[1]:
        high -= step
    if high is not None and not bounds.low and high < low:
        low = high - 1_000_000 * step
    most = {"smallint": Decimal(32767), "integer": Decimal(2147483647), "oid": Decimal(4294967295)}.get(name)
    if size:
        most = (Decimal(10) ** size[0] - 1) * step
    if most is not None:
        high = most if high is None else min(high, most)
    return low, high, step


def room(kind: Type, full: str, bounds: Bounds) -> int:
    """How many different values there can be, at least."""
    if bounds.values is not None:
        return max(1, len(bounds.values))
    if kind.kind == "e":
        return max(1, len(kind.labels))
    found = numbers(kind.name, full, bounds)
    if found and found[1] is not None:
        return max(1, int((found[1] - found[0]) / found[2]) + 1)
    if kind.name in ("character varying", "character", '"char"'):
        size = modifier(full)
        longest = min(size[0] if size else 1 << 20, bounds.longest or 1 << 20)
        return int(36 ** min(longest, 11))
    return _ROOM.get(
        kind.name, 20000 if kind.name in ("date", "daterange") else 86400 if kind.name.startswith("time ") else _MOST
    )


def expression(
    kind: Type, full: str, k: str, bounds: Bounds, width: int | None, types: Mapping[str, Type]
) -> str | None:
    """The ``k``-th value, without a cast to ``full``; None: no way is known to make one."""
    if bounds.values:
        listed = ", ".join(bounds.values)
        return f"(ARRAY[{listed}])[1 + ({k} % {len(bounds.values)})::int]"
    if kind.kind == "e":
        return f"(enum_range(NULL::{kind.name}))[1 + ({k} % {max(1, len(kind.labels))})::int]"
    found = numbers(kind.name, full, bounds)
    if found:
        low, high, step = found
        turn = f"({k} % {int((high - low) / step) + 1})" if high is not None else k
        return f"({low} + {turn})" if step == 1 else f"({low} + {turn} * {step:f})"
    if kind.name in _STEP and (bounds.low or bounds.high):
        return _moment(kind.name, k, bounds)
    name = kind.name.rpartition(".")[2]  # types of extensions stand in a schema
    if name in _TEXTS or name == '"char"':
        return _text(name, full, k, bounds, width)
    if kind.name.startswith(("bit", "bit varying")):
        size = modifier(full)
        return f"({k})::bit(64)::bit({size[0]})" if size and size[0] <= 64 else f"({k})::bit(64)"
    if kind.element and kind.element in types:
        inner = types[kind.element]
        one = expression(inner, inner.name, k, Bounds(), None, types)
        return None if one is None else f"ARRAY[({one})::{inner.name}]"
    pattern = _FORMS.get(name)
    if pattern is not None:
        return pattern.format(k=f"({k})", pad=_padding(k, max(0, (width or 0) - 40)))
    return f"({k})::text" if kind.kind == "b" else None  # a last attempt: many types of extensions read a number


def _padding(k: str, size: int) -> str:
    """Text that does not compress, for such would lie on disk smaller than production's."""
    if size <= 0:
        return "''"
    if size <= 32:
        return f"left(md5(({k})::text || 'p'), {size})"
    return f"left((SELECT string_agg(md5(({k})::text || piece), '') FROM generate_series(1, {size // 32 + 1}) piece), {size})"


def _text(name: str, full: str, k: str, bounds: Bounds, width: int | None) -> str:
    """A number in base 36, or in words of hexadecimal digits, filled up to the width of production's."""
    size = modifier(full)
    most = min(
        [one for one in (size[0] if size else None, bounds.longest, 63 if name == "name" else None) if one is not None],
        default=None,
    )
    wanted = max(bounds.shortest, (width or 12) - 1)
    if most is not None:
        wanted = min(wanted, most)
    if name == '"char"':
        return f"chr(97 + ({k} % 26)::int)"
    if most is not None and most < 12:
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"
        signs = [f"substr('{digits}', 1 + (({k}) / {36**place} % 36)::int, 1)" for place in range(min(most, 11))]
        return " || ".join(signs[: max(1, most)])
    if wanted < 10:
        return f"lpad(to_hex({k}), greatest(length(to_hex({k})), {wanted}), '0')"
    return f"(lpad(to_hex({k}), 10, '0') || {_padding(k, wanted - 10)})"


def _moment(name: str, k: str, bounds: Bounds) -> str:
    low, high, step = bounds.low, bounds.high, _STEP[name]
    if low and high:
        first, last = f"{low[0]}::{name}", f"{high[0]}::{name}"
        if name == "date":
            shift, span = (0 if low[1] else 1), (1 if high[1] else 0)
            return f"({first} + {shift} + ({k} % greatest(1, {last} - {first} + {span} - {shift}))::int)"
        return f"({first} + ({last} - {first}) * ((1 + {k} % 999983) / 1000003.0))"
    if low:
        return (
            f"({low[0]}::{name} + (1 + {k} % 5000000) * INTERVAL '{step}')"
            if name != "date"
            else f"({low[0]}::date + (1 + {k} % 20000)::int)"
        )
    assert high is not None  # noqa: S101
    return (
        f"({high[0]}::{name} - (1 + {k} % 5000000) * INTERVAL '{step}')"
        if name != "date"
        else f"({high[0]}::date - (1 + {k} % 20000)::int)"
    )
