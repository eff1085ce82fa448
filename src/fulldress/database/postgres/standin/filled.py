"""One table filled: candidates by ``generate_series``, those that break a CHECK left out, inserted by the server itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fulldress.database.postgres import compared
from fulldress.database.postgres.clone import quote
from fulldress.database.postgres.standin import plan as plans
from fulldress.database.postgres.standin import values
from fulldress.database.postgres.standin.bounds import Bounds
from fulldress.database.postgres.standin.form import Column, Type
from fulldress.database.postgres.standin.plan import Filling, Unit
from fulldress.database.postgres.wire import Connection
from fulldress.errors import QueryFailed
from fulldress.facts import Unread, excerpt
from fulldress.patterns import regex

_SAMPLE = 2000  #: candidates by which it is measured how many pass the checks
_FEWEST = 0.02  #: of candidates that pass; below, no more than 50 candidates a row are tried
_WORD = regex(r"\w+")
_VALUE = regex(r"\bVALUE\b")
_G = "fd.g"
_BIG = ("text", "character varying", "jsonb", "json", "bytea")


class Filler(msgspec.Struct, kw_only=True):
    """Fills tables over one session, parents before children."""

    line: Connection
    types: Mapping[str, Type]
    plans: dict[str, Filling]
    seed: int
    unread: list[Unread]
    keys: dict[tuple[str, tuple[str, ...]], tuple[str, int]]  #: temporary tables of keys, and their rows

    def fill(self, one: Filling) -> int:
        """Returns how many rows there are now."""
        name = one.table.name
        try:
            columns = self._columns(one)
            if one.rows == 0 or not columns:
                return 0
            if one.hopeless:
                self._lost(one, one.hopeless)
                return 0
            checks = self._checks(one)
            nulls, passing = self._best(one, checks)
            if passing == 0:
                self._lost(one, "no row that was tried satisfies its CHECK constraints: the table is empty")
                return 0
            tries = int(one.rows / max(passing, _FEWEST) * 1.1) + 100 if passing < 1 else one.rows
            plans.enlarge(one, tries)
            tries = min(tries, _turns(one.units))
            listed = ", ".join(quote(column.name) for column in columns)
            self.line.query(
                f"INSERT INTO {name} ({listed}) OVERRIDING SYSTEM VALUE SELECT {listed} FROM"
                f" ({self._candidates(one, columns, tries, nulls)}) one{_where(checks)} LIMIT {one.rows}"
            )
            for key in one.unassured:
                self._delete_doubles(name, key.parts, key.where)
            made = self._count(name)
        except QueryFailed as error:
            self._lost(one, f"no rows could be made: {excerpt(str(error), 200)}")
            return 0
        if made < one.wanted:
            self.unread.append(
                compared.gap(
                    f"rows of stand-in table {name}",
                    f"{made:,} of {one.wanted:,}: its keys or CHECK constraints leave no room for more that are known here",
                )
            )
        for words in one.unmet:
            self.unread.append(compared.gap(f"stand-in table {name}", words, needed=True))
        return made

    def mend(self, one: Filling) -> None:
        """References made before their table was filled: those that found no row are NULL, where NULL is allowed."""
        nullable = {column.name for column in one.table.columns if not column.not_null}
        for unit in one.units:
            if unit.reference is None or not unit.early or not set(unit.columns) <= nullable:
                continue
            there = " AND ".join(
                f"p.{quote(to)} = c.{quote(column)}" for column, to in zip(unit.columns, unit.reference.to, strict=True)
            )
            nothing = ", ".join(f"{quote(column)} = NULL" for column in unit.columns)
            first = quote(unit.columns[0])
            self.line.query(
                f"UPDATE {one.table.name} c SET {nothing} WHERE c.{first} IS NOT NULL"
                f" AND NOT EXISTS (SELECT 1 FROM {unit.reference.table} p WHERE {there})"
            )

    # -- candidates ---------------------------------------------------------------------------------------------------

    def _columns(self, one: Filling) -> list[Column]:
        """Columns that get a value; the rest keep their default."""
        found = []
        for column in one.table.columns:
            if column.generated:
                continue
            unit = one.unit(column.name)
            if unit.reference is None and self._value(one, column, _G) is None:
                words = "no way is known to make values of it: " + (
                    "its default is used" if column.not_null else "it is NULL"
                )
                self.unread.append(
                    compared.gap(f"column {column.name} ({column.full}) of stand-in table {one.table.name}", words)
                )
                continue
            found.append(column)
        return found

    def _candidates(self, one: Filling, columns: list[Column], tries: int, nulls: str) -> str:
        parts, joins = [], []
        for number, unit in enumerate(one.units):
            if unit.reference is None:
                continue
            if not unit.early:
                table, there = self._keys(unit)
                k = plans.drawn(unit, one.rows, self._salt(one, unit), _G, there)
                joins.append(f" LEFT JOIN {table} f{number} ON f{number}.n = {self._or_null(one, unit, k, nulls)}")
        for column in columns:
            unit = one.unit(column.name)
            if unit.reference is None:
                value = f"({self._value(one, column, _G)})::{plans.base_of(column, self.types)[1]}"
                parts.append(f"{self._or_null(one, unit, value, nulls)} AS {quote(column.name)}")
            elif unit.early:
                parts.append(f"{self._early(one, unit, column, nulls)} AS {quote(column.name)}")
            else:
                to = unit.reference.to[unit.columns.index(column.name)]
                parts.append(f"f{one.units.index(unit)}.{quote(to)} AS {quote(column.name)}")
        return f"SELECT {', '.join(parts)} FROM generate_series(0::bigint, {tries - 1}) fd(g){''.join(joins)}"

    def _value(self, one: Filling, column: Column, g: str) -> str | None:
        kind, full = plans.base_of(column, self.types)
        unit = one.unit(column.name)
        k = plans.drawn(unit, one.rows, self._salt(one, unit), g)
        width = column.width
        if one.table.toast and one.table.rows and self._biggest(one) == column.name:
            width = (width or 0) + one.table.toast // one.table.rows
        return values.expression(kind, full, k, one.bounds.get(column.name, Bounds()), width, self.types)

    def _biggest(self, one: Filling) -> str:
        """The column whose values lie apart from the table: the widest that can be."""
        able = [column for column in one.table.columns if plans.base_of(column, self.types)[0].name in _BIG]
        return max(able, key=lambda column: column.width or 0).name if able else ""

    def _early(self, one: Filling, unit: Unit, column: Column, nulls: str) -> str:
        """The key of a row that will be there, by the plan of its table; of an earlier row, in the table itself."""
        assert unit.reference is not None  # noqa: S101
        other = self.plans.get(unit.reference.table)
        to = unit.reference.to[unit.columns.index(column.name)]
        named = next((found for found in other.table.columns if found.name == to), None) if other else None
        if other is None or named is None or other.rows == 0 or other.unit(to).reference is not None:
            words = f"foreign key {unit.reference.name}: it leads into a circle that is not known how to close"
            if words not in one.unmet:
                one.unmet.append(words)
            return "NULL"
        salt = self._salt(one, unit)
        if other is one:
            g = f"({plans.hashed(_G, salt)} % greatest({_G}, 1))"
        else:
            g = _G if unit.mode == "unique" else f"({plans.hashed(_G, salt)} % {other.rows})"
        full = plans.base_of(named, self.types)[1]
        return self._or_null(one, unit, f"({self._value(other, named, g)})::{full}", nulls)

    def _or_null(self, one: Filling, unit: Unit, value: str, nulls: str) -> str:
        fraction = {"never": 0.0, "always": 1.0}.get(nulls, unit.null_fraction) if unit.null_fraction else 0.0
        if fraction <= 0:
            return value
        salt = self._salt(one, unit) ^ 0x5EED
        return f"CASE WHEN {plans.hashed(_G, salt)} % 1000000 < {int(fraction * 1_000_000)} THEN NULL ELSE {value} END"

    def _salt(self, one: Filling, unit: Unit) -> int:
        return plans.salt_of(self.seed, one.table.name, *unit.columns)

    def _keys(self, unit: Unit) -> tuple[str, int]:
        """A temporary table that numbers the rows of a table referred to from 0 on."""
        assert unit.reference is not None  # noqa: S101
        called = (unit.reference.table, tuple(sorted(unit.reference.to)))
        if called not in self.keys:
            table = f"pg_temp.fd_keys_{len(self.keys)}"
            listed = ", ".join(quote(name) for name in called[1])
            self.line.query(
                f"CREATE TEMP TABLE {table.removeprefix('pg_temp.')} AS SELECT row_number() OVER (ORDER BY {listed}) - 1 AS n,"
                f" {listed} FROM {called[0]} WHERE ({listed}) IS NOT NULL"
            )
            self.line.query(f"ANALYZE {table}")
            self.keys[called] = (table, self._count(table))
        return self.keys[called]

    # -- checks -------------------------------------------------------------------------------------------------------

    def _checks(self, one: Filling) -> list[str]:
        """Conditions that candidates are tried with; those that need what a candidate lacks are left to the INSERT."""
        every = [*one.table.checks, *([one.table.bound] if one.table.bound else [])]
        for column in one.table.columns:
            kind = self.types.get(column.type)
            while kind is not None and kind.kind == "d":
                every += [_VALUE.sub(quote(column.name).replace("\\", "\\\\"), check) for check in kind.checks]
                kind = self.types.get(kind.base)
        usable = []
        for check in every:
            try:
                self._share(one, [check], 1, "")
            except QueryFailed:
                continue
            usable.append(check)
        return usable

    def _best(self, one: Filling, checks: list[str]) -> tuple[str, float]:
        """With which NULLs most candidates pass the checks, and how many do. Where hardly one does, columns that the
        checks name get more different values than the statistics say."""
        if not checks:
            return "", 1.0
        best = ("", self._share(one, checks, _SAMPLE, ""))
        for wider in (False, True):
            if wider and best[1] < _FEWEST:
                _widen(one, [check for check in checks if self._share(one, [check], _SAMPLE, "") < _FEWEST])
            for nulls in ("never", "always", ""):
                if best[1] < _FEWEST:
                    best = max(best, (nulls, self._share(one, checks, _SAMPLE, nulls)), key=lambda pair: pair[1])
        return best

    def _share(self, one: Filling, checks: list[str], tries: int, nulls: str) -> float:
        columns = [
            c for c in one.table.columns if not c.generated and (one.unit(c.name).reference or self._value(one, c, _G))
        ]
        sql = f"SELECT count(*) AS n FROM ({self._candidates(one, columns, tries, nulls)}) one{_where(checks)}"
        return int(str(self.line.query(sql)[0]["n"])) / tries

    # -- after --------------------------------------------------------------------------------------------------------

    def _delete_doubles(self, name: str, parts: tuple[str, ...], where: str) -> None:
        listed = ", ".join(parts)
        only = f" WHERE {where}" if where else ""
        known = " AND ".join(f"({part}) IS NOT NULL" for part in parts)  # NULLs are no doubles of each other
        only = f"{only} AND {known}" if only else f" WHERE {known}"
        self.line.query(
            f"DELETE FROM {name} WHERE ctid IN (SELECT ctid FROM"
            f" (SELECT ctid, row_number() OVER (PARTITION BY {listed} ORDER BY ctid) AS nth FROM {name}{only}) one WHERE nth > 1)"
        )

    def _count(self, name: str) -> int:
        return int(str(self.line.query(f"SELECT count(*) AS n FROM {name}")[0]["n"]))

    def _lost(self, one: Filling, words: str) -> None:
        self.unread.append(compared.gap(f"rows of stand-in table {one.table.name}", words, needed=True))


def _where(checks: list[str]) -> str:
    return " WHERE " + " AND ".join(f"({check}) IS NOT FALSE" for check in checks) if checks else ""


def _widen(one: Filling, checks: list[str]) -> None:
    named = set(_WORD.findall(" ".join(checks)))
    for unit in one.units:
        if unit.reference is None and unit.mode in ("scattered", "ordered") and named & set(unit.columns):
            unit.mode, unit.distinct = "scattered", min(unit.room, max(one.rows, _SAMPLE))


def _turns(units: list[Unit]) -> int:
    """From how many rows on the keys would begin anew."""
    digits = [unit.stride * unit.distinct for unit in units if unit.mode == "digit"]
    return min(
        [unit.room for unit in units if unit.mode == "unique"] + ([max(digits)] if digits else []), default=1 << 62
    )
