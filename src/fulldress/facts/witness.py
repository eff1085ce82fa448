"""Who testifies, and where it can be looked up."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Witness(StrEnum):
    """The four witnesses: everything known about an upgrade is said by one of them."""

    DECLARED = "declared"  #: the vendor says so
    READ = "read"  #: we found it in the bytes
    OBSERVED = "observed"  #: it happened on the rehearsal stage
    RUNNING = "running"  #: production says so


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The place where a fact can be checked.

    ``source`` is the sha256 of the outermost package, the path of a file of production, or ``run:ID`` of a rehearsal.
    ``path`` names the place inside it, nested containers as ``a.zip!/b.tar!/c``. ``line`` and ``column`` count from 1,
    0 means "the whole of it". ``excerpt`` is short and has its secrets masked (see :func:`fulldress.facts.mask`).
    """

    source: str = ""
    path: str = ""
    line: int = 0
    column: int = 0
    host: str = ""
    table: str = ""
    step: str = ""
    at: datetime | None = None
    excerpt: str = ""
    when: str = ""  #: where it does not happen on every upgrade: ``only on a fresh install``

    def where(self) -> str:
        """The place as a person reads it: ``path:line``, host, table or step."""
        place = self.path or self.source
        if self.line:
            place = f"{place}:{self.line}"
        if self.host:
            place = f"{self.host}:{place}" if place else self.host
        parts = [place, self.table and f"table {self.table}", self.step and f"step {self.step}", self.when]
        return ", ".join(part for part in parts if part) or "(no place)"


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="fact"):
    """One thing that one witness says. Families are subclasses; the class name is the tag ``fact`` in JSON."""

    witness: Witness
    evidence: Evidence
