"""One way to ask, of a copy or of production itself: rows as objects. Production is asked in sessions that cannot write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from fulldress.database.postgres import source
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.resolve import Installation

#: A SELECT in, its rows out, by column. Raises :class:`fulldress.errors.DatabaseError`.
Reader = Callable[[str], list[dict[str, Any]]]


def _wrapped(sql: str) -> str:
    return f"SELECT coalesce(json_agg(row_to_json(fulldress_q)), '[]')::text FROM ({sql}) AS fulldress_q"


def of_clone(clone: Clone) -> Reader:
    def read(sql: str) -> list[dict[str, Any]]:
        with clone.session() as line:
            found: list[dict[str, Any]] = msgspec.json.decode(str(line.rows(_wrapped(sql))[0][0]))
            return found

    return read


def of_url(installation: Installation, url: str) -> Reader:
    def read(sql: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = msgspec.json.decode(source.ask(installation, url, _wrapped(sql)))
        return found

    return read
