"""Whatever a clone can be made from, opened: the fitting server found and started, the clone made, both gone afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from fulldress.database.postgres import datadir, dumps, source
from fulldress.database.postgres.clone import Clone
from fulldress.database.postgres.resolve import Installation, resolve
from fulldress.database.postgres.server import Server
from fulldress.database.postgres.standin import form, generate
from fulldress.facts import mask

ROWS = 5_000_000  #: rows of stand-in data in all tables together, where nobody asks for more


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """At most one of ``url``, ``dump``, ``data`` and ``stand_in``; none: an empty database."""

    url: str = ""
    dump: Path | None = None  #: a file of pg_dump, or its folder
    data: Path | None = None  #: a data directory, or a folder with a base backup
    stand_in: Path | None = None  #: a file of ``fulldress database capture``
    database: str = ""  #: which one of ``data``
    scale: float = 1.0  #: of stand-in data: part of production's rows
    rows: int = ROWS  #: of stand-in data: at most so many in all
    seed: int = 1

    def words(self) -> str:
        """For people, without a password."""
        if self.url:
            return mask(self.url)
        if self.stand_in:
            return f"made-up rows by {self.stand_in} (seed {self.seed})"
        if self.dump or self.data:
            return str(self.dump or self.data)
        return "an empty database (give --url, --dump, --data or --stand-in for real sizes)"


@contextmanager
def opened(
    origin: Origin,
    *,
    pg_bin: Path | None = None,
    major: int | None = None,
    scratch: Path | None = None,
    name: str = "rehearsal",
    role: str = "",
    talk: Callable[[Installation], None] = lambda _: None,
) -> Iterator[Clone]:
    """A clone on a server of its own. ``major`` is production's, where the origin itself cannot tell it.

    ``talk`` hears which programs are used before the work begins."""
    if origin.data:
        found = datadir.look(origin.data)
        installation = datadir.fitting(found, pg_bin)
        talk(installation)
        with Server(installation, scratch, need=found.bytes * 2, lay_out=found.lay_out) as server:
            yield datadir.clone(server, found, origin.database, role)
        return
    need = 0
    if origin.url:
        installation = resolve(pg_bin, major)
        described = source.describe(installation, origin.url)
        need, major = described.size * 3, described.major
    elif origin.dump:
        head = dumps.head(origin.dump)
        need, major = head.bytes_restored * 2, head.major or major
    elif origin.stand_in:
        captured = form.read(origin.stand_in)
        need, major = generate.bytes_needed(captured, origin.scale, origin.rows), captured.major
    installation = resolve(pg_bin, major)
    talk(installation)
    with Server(installation, scratch, need=need) as server:
        if origin.url or origin.dump:
            yield server.clone_from(url=origin.url, dump=origin.dump or "", name=name, role=role)
        elif origin.stand_in:
            yield generate.clone(
                server, name, captured, scale=origin.scale, rows=origin.rows, seed=origin.seed, role=role
            )
        else:
            yield server.create(name)
