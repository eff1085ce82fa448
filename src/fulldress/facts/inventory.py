"""What runs in production, and whether we can get from there to here."""

from __future__ import annotations

from fulldress.facts.witness import Fact


class Installed(Fact, tag=True, frozen=True, kw_only=True):
    component: str
    version: str
    scheme: str
    host: str = ""


class Running(Fact, tag=True, frozen=True, kw_only=True):
    component: str
    version: str
    scheme: str
    host: str = ""


class UpgradePath(Fact, tag=True, frozen=True, kw_only=True):
    """The way from what runs to what the package brings. ``possible`` is None where data is missing."""

    component: str
    start: str
    target: str
    possible: bool | None
    steps: tuple[str, ...] = ()  #: ``app 3.12.5``, in order, over all components
    required: tuple[str, ...] = ()  #: those of the steps that are required stops
    blocked_by: tuple[str, ...] = ()  #: the rules that block it, with their source
    nearest: str = ""  #: nearest target that can be reached
    one_way: tuple[str, ...] = ()  #: steps after which there is no way back
    unknown: tuple[str, ...] = ()  #: what no matrix tells


class Compatibility(Fact, tag=True, frozen=True, kw_only=True):
    """What a matrix says of two versions that would run together."""

    left: str
    right: str
    level: str  #: supported, tested, broken, unknown
    source: str = ""
