"""One fresh world: copies of the databases, a stage over the files, the old release's services started.

A world is used for one pass and thrown away, so that no pass sees what another left behind. Roles live beside the
databases of a server, not in them; those that a pass creates are dropped with its world.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import msgspec

from fulldress.database.postgres.clone import Clone, quote
from fulldress.engine.venue import Database
from fulldress.facts import AnyFact, Evidence, Health, Unread, Witness
from fulldress.production.description import Description, Service
from fulldress.production.load import Production
from fulldress.rehearsal.leftovers import ROLES
from fulldress.stage import Stage, StagePlan


class Bases(msgspec.Struct, frozen=True, kw_only=True):
    """The untouched clones that every world is copied from, by their name in ``production.toml``.

    Each stands on a server of its own, so that every world's copy can bear the name that production's programs ask for.
    """

    clones: Mapping[str, Clone]
    names: Mapping[str, str]  #: name of the database on production's server
    roles: Mapping[str, frozenset[str]]  #: roles of each server before anything ran
    missing: tuple[Unread, ...] = ()


class World:
    """A context manager; one at a time, since its databases bear production's own names."""

    def __init__(self, production: Production, package: Path, bases: Bases, scratch: Path) -> None:
        self.production = production
        self.package = package
        self.bases = bases
        self.scratch = scratch
        self.clones: dict[str, Clone] = {}
        self.facts: list[AnyFact] = []
        self._stack = ExitStack()

    @property
    def description(self) -> Description:
        return self.production.description

    def __enter__(self) -> World:
        try:
            for name, base in self.bases.clones.items():
                self.clones[name] = base.copy(self.bases.names[name])
                self._stack.callback(self._throw_away, name)
            self.stage = self._stack.enter_context(Stage(self._plan()))
            self.facts += self.stage.lacks
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _plan(self) -> StagePlan:
        addresses: dict[str, Path] = {}
        for name, database in self.description.databases.items():
            if name in self.clones:
                tap = self.clones[name].open_tap()
                for address in database.addresses:
                    addresses[address] = tap.address
        databases: dict[str, Database] = dict(self.clones)
        return StagePlan(
            root=self.production.root,
            package=self.package,
            services=self.description.services,
            endpoints=self.description.endpoints,
            databases=databases,
            database_addresses=addresses,
            partitions=tuple(self.description.partitions),
            zone=self.description.zone,
            epoch=None,
            scratch=self.scratch,
            folder_of_production=self.production.folder,
        )

    def _throw_away(self, name: str) -> None:
        self.clones.pop(name).drop()
        drop_new_roles(self.bases.clones[name], self.bases.roles[name])

    # -- services -------------------------------------------------------------------------------------------------

    def await_services(self, phase: str) -> list[Health]:
        """Ask all of production's services, again and again, until each is well or its own time to be ready is over."""
        begin = time.monotonic()
        waiting = dict(self.description.services)
        found: dict[str, Health] = {}
        while waiting:
            for unit, service in list(waiting.items()):
                found[unit] = self._health(unit, service, phase)
                late = time.monotonic() - begin >= service.ready_within
                if found[unit].outcome != "fail" or late:
                    del waiting[unit]
            if waiting:
                time.sleep(0.05)
        return [found[unit] for unit in self.description.services]

    def _health(self, unit: str, service: Service, phase: str) -> Health:
        """Pass, fail or unknown, now. Without a health address the unit's own state has to do."""
        state = self.stage.service(unit, "status", step="")
        outcome, detail = "unknown", "no such unit on the stage"
        if state.known:
            outcome = {True: "pass", False: "fail", None: "unknown"}[state.active]
            detail = state.detail or ("active" if state.active else "not active")
        if state.known and service.health and state.active is not False:
            answer = self.stage.http("GET", service.health)
            outcome = "pass" if answer.status == 200 else "fail"
            detail = f"{service.health} answered {answer.status}" if answer.status else answer.body
        return Health(
            witness=Witness.OBSERVED,
            evidence=Evidence(source="stage", path=f"services.{unit}", at=self.stage.now(), excerpt=detail),
            subject=unit,
            outcome=outcome,
            detail=detail,
            phase=phase,
        )


def drop_new_roles(base: Clone, known: frozenset[str]) -> None:
    """Drop the roles of a server that were not there before; their databases are gone already."""
    with base.server.session("postgres") as line:
        for row in line.query(ROLES):
            if str(row["rolname"]) not in known:
                line.query(f"DROP ROLE {quote(str(row['rolname']))}")
