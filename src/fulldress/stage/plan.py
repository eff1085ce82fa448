"""What a stage is to be."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from fulldress.engine.venue import Database
from fulldress.production import description


def _scratch() -> Path:
    return Path(tempfile.gettempdir())


@dataclass(frozen=True, kw_only=True)
class StagePlan:
    """``root`` is a copy of production's files (``etc/``, ``opt/`` … below it). Without one, this machine's own files lie
    under the stage, private folders included: that is for commands of one's own, not for a vendor's.

    ``database_addresses``: ``host:port`` -> socket file of the server that has the clone."""

    root: Path | None = None
    package: Path | None = None
    services: Mapping[str, description.Service] = field(default_factory=dict)
    endpoints: tuple[description.Endpoint, ...] = ()
    databases: Mapping[str, Database] = field(default_factory=dict)
    database_addresses: Mapping[str, Path] = field(default_factory=dict)
    partitions: tuple[str, ...] = ()  #: mount points of production, longest match wins; ``/`` is always one
    zone: str = "UTC"
    epoch: datetime | None = None  #: the stage's time at its start; None: now
    scratch: Path = field(default_factory=_scratch)
    folder_of_production: Path = field(default_factory=Path)
    name: str = "stage"
    redirect: bool = True  #: False: listen at known ports instead, as on kernels without nftables
