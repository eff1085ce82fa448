"""The record of one upgrade: a folder with one SQLite file, append-only and hash-chained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from fulldress.case import waivers
from fulldress.engine.chain import Chain, Entry
from fulldress.errors import CaseError, ForeignFile, FulldressError, NoCase
from fulldress.findings import Waiver

FILE = "case.db"
EVENTS = (
    "opened", "inspected", "checked", "waived", "drafted", "frozen", "rehearsed", "approved", "run-started", "run-ended",
    "rolled-back", "cleaned", "note",
)  # fmt: skip


class _CaseChain(Chain):
    what = "a case"
    patience = 20.0  # an event is one short write


class Case:
    """One case. Every call opens the file, writes or reads, and closes it: a case has many authors, one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def path(self) -> Path:
        return self.folder / FILE

    @property
    def package(self) -> str:
        """sha256 of the package that everything in this case is bound to."""
        return str(self._opened().get("package", ""))

    @property
    def name(self) -> str:
        """File name of the package as it arrived."""
        return str(self._opened().get("name", ""))

    def append(self, kind: str, payload: Mapping[str, Any] | None = None) -> Entry:
        """Add one event. ``payload`` is anything that JSON can hold; structs and dates are turned into it."""
        if kind not in EVENTS:
            raise CaseError(f'"{kind}" is no event of a case (there are {", ".join(EVENTS)})')
        plain = msgspec.to_builtins(dict(payload or {}))
        with self._chain(read_only=False) as chain:
            return chain.append(kind, data=plain)

    def events(self, *kinds: str) -> list[Entry]:
        """Events in order, of these kinds, or all."""
        with self._chain(read_only=True) as chain:
            return list(chain.entries(*kinds))

    def verify(self, head: str = "") -> int:
        """Number of events, all as they were written. Raises :class:`~fulldress.errors.ChainBroken`."""
        with self._chain(read_only=True) as chain:
            return chain.verify(head)

    @property
    def head(self) -> str:
        """Hash of the last event, to be noted in the ticket."""
        with self._chain(read_only=True) as chain:
            return chain.head

    def waive(self, rule: str, subject: str, *, who: str, why: str, until: date) -> Waiver:
        """Accept a finding for these bytes of the package, until a date."""
        waiver = Waiver(rule=rule, subject=subject, who=who, why=why, until=until, package=self.package)
        self.append("waived", msgspec.to_builtins(waiver))
        return waiver

    def waivers(self) -> list[Waiver]:
        return [waivers.from_event(event.data) for event in self.events("waived")]

    def rehearsals(self, frozen: str) -> list[Entry]:
        """Rehearsals of exactly this runbook with exactly this package, oldest first."""
        return [
            event
            for event in self.events("rehearsed")
            if event.data.get("frozen") == frozen and event.data.get("package") == self.package
        ]

    def approvals(self, frozen: str) -> list[str]:
        """Who approved exactly this runbook; everybody counts once."""
        found = [str(e.data["who"]) for e in self.events("approved") if e.data.get("frozen") == frozen]
        return list(dict.fromkeys(found))

    def _opened(self) -> dict[str, Any]:
        return next((event.data for event in self.events("opened")), {})

    def _chain(self, *, read_only: bool) -> _CaseChain:
        return _CaseChain(self.path, read_only=read_only)


class Store:
    """The folder that holds all cases, one folder each."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def cases(self) -> list[Case]:
        """All cases, by the name of their folder."""
        if not self.folder.is_dir():
            return []
        return [Case(path.parent) for path in sorted(self.folder.glob(f"*/{FILE}"))]

    def find(self, package: str) -> Case | None:
        """The case of this package (sha256, or the name of a case's folder)."""
        for case in self.cases():
            if case.folder.name == package:
                return case
            with suppress(FulldressError):  # a damaged case of another package must not hide this one
                if case.package == package:
                    return case
        return None

    def get(self, package: str, name: str = "") -> Case:
        """As :meth:`find`. Raises :class:`~fulldress.errors.NoCase`."""
        case = self.find(package)
        if case is None:
            raise NoCase(self.folder, name or package[:12])
        return case

    def open_case(
        self,
        package: str,
        name: str,
        *,
        label: str = "",
        ticket: str = "",
        brought_by: str = "",
        size: int | None = None,
        **more: Any,
    ) -> Case:
        """The case of this package, opened now unless it was before. ``label``: ``product-version`` where it is known."""
        case = self.find(package)
        if case is not None:
            return case
        folder = self.folder / self._name(package, name, label)
        try:
            folder.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            if (meanwhile := self.find(package)) is not None:
                return meanwhile
            raise ForeignFile(path=folder, what="a case that can be read", problem="its record is damaged") from None
        case = Case(folder)
        case.append(
            "opened",
            {"package": package, "name": name, "ticket": ticket, "brought_by": brought_by, "size": size, **more},
        )
        return case

    def _name(self, package: str, name: str, label: str) -> str:
        """``app-4.2.0``, or the file's stem and the first characters of its digest; never that of another case."""
        plain = re.sub(r"[^\w.+-]+", "-", label).strip("-.")[:80]
        stem = re.sub(r"(?i)(?:\.(?:zip|tar|tgz|gz|xz|bz2|zst|deb|rpm|whl|jar|war))+$", "", name)
        other = f"{re.sub(r'[^A-Za-z0-9_.+-]+', '-', stem).strip('-.')[:60] or 'package'}-{package[:8]}"
        if plain and not (self.folder / plain).exists():
            return plain
        return f"{plain}-{package[:8]}" if plain else other
