"""The vocabulary. One module per family of facts; a fact says who testifies and where it can be looked up.

Imports nothing else of fulldress. Add a family only together with the check that uses it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fulldress.facts.changes import Change
from fulldress.facts.clusters import Admission, Base, ClusterService, DisruptionBudget, Workload
from fulldress.facts.concurrency import Interruption, Obstruction, Overreach
from fulldress.facts.contents import Binary, Entry, Reason, Release, Unread
from fulldress.facts.database import RESTORED, Difference, Lock, Migration, Runners, Survival, Undo, Wait, Work
from fulldress.facts.demands import (
    Command,
    Downtime,
    FileEffect,
    Hook,
    Looseness,
    Privilege,
    Reboot,
    Requirement,
    Restart,
    Service,
)
from fulldress.facts.disagreement import Disagreement
from fulldress.facts.foresight import Collation, Forecast, HalfDone, Keeper, Limit, Preflight, Room, Size
from fulldress.facts.hazards import Hazard
from fulldress.facts.interfaces import Interface, InterfaceChange, Use
from fulldress.facts.inventory import Compatibility, Installed, Running, UpgradePath
from fulldress.facts.leftovers import Credential, Flag, Webhook
from fulldress.facts.masking import MASK, excerpt, is_secret_name, mask
from fulldress.facts.performance import Fidelity, Health, Latency, Shift, Timing
from fulldress.facts.schedules import Endpoint, Growth, JobRun, Partition, Schedule, Secret
from fulldress.facts.settings import Lookup, Setting, SettingChange
from fulldress.facts.signature import Advisory, Certificate, HeldKey, Integrity, Key, Signature, Trust
from fulldress.facts.timeline import Gate, Point, Span, Timeline
from fulldress.facts.witness import Evidence, Fact, Witness

AnyFact = (
    Admission
    | Advisory
    | Base
    | Binary
    | Change
    | ClusterService
    | Collation
    | Command
    | Compatibility
    | Credential
    | Difference
    | Disagreement
    | DisruptionBudget
    | Downtime
    | Endpoint
    | Entry
    | Fidelity
    | FileEffect
    | Flag
    | Forecast
    | Growth
    | HalfDone
    | Hazard
    | Health
    | HeldKey
    | Hook
    | Installed
    | Interface
    | InterfaceChange
    | Interruption
    | JobRun
    | Keeper
    | Latency
    | Limit
    | Lock
    | Lookup
    | Migration
    | Obstruction
    | Overreach
    | Partition
    | Preflight
    | Privilege
    | Reboot
    | Release
    | Requirement
    | Restart
    | Room
    | Runners
    | Running
    | Schedule
    | Secret
    | Service
    | Setting
    | SettingChange
    | Shift
    | Signature
    | Survival
    | Timing
    | Undo
    | Unread
    | UpgradePath
    | Use
    | Wait
    | Webhook
    | Work
    | Workload
)

_decoder = msgspec.json.Decoder(list[AnyFact])


def encode(facts: Iterable[Fact]) -> bytes:
    """Facts as a JSON array; every element carries its family in ``fact``."""
    return msgspec.json.encode(list(facts))


def decode(data: bytes) -> list[AnyFact]:
    """The inverse of :func:`encode`. Raises :class:`msgspec.ValidationError` for anything else."""
    return _decoder.decode(data)


__all__ = [
    "MASK",
    "RESTORED",
    "Admission",
    "Advisory",
    "AnyFact",
    "Base",
    "Binary",
    "Certificate",
    "Change",
    "ClusterService",
    "Collation",
    "Command",
    "Compatibility",
    "Credential",
    "Difference",
    "Disagreement",
    "DisruptionBudget",
    "Downtime",
    "Endpoint",
    "Entry",
    "Evidence",
    "Fact",
    "Fidelity",
    "FileEffect",
    "Flag",
    "Forecast",
    "Gate",
    "Growth",
    "HalfDone",
    "Hazard",
    "Health",
    "HeldKey",
    "Hook",
    "Installed",
    "Integrity",
    "Interface",
    "InterfaceChange",
    "Interruption",
    "JobRun",
    "Keeper",
    "Key",
    "Latency",
    "Limit",
    "Lock",
    "Lookup",
    "Looseness",
    "Migration",
    "Obstruction",
    "Overreach",
    "Partition",
    "Point",
    "Preflight",
    "Privilege",
    "Reason",
    "Reboot",
    "Release",
    "Requirement",
    "Restart",
    "Room",
    "Runners",
    "Running",
    "Schedule",
    "Secret",
    "Service",
    "Setting",
    "SettingChange",
    "Shift",
    "Signature",
    "Size",
    "Span",
    "Survival",
    "Timeline",
    "Timing",
    "Trust",
    "Undo",
    "Unread",
    "UpgradePath",
    "Use",
    "Wait",
    "Webhook",
    "Witness",
    "Work",
    "Workload",
    "decode",
    "encode",
    "excerpt",
    "is_secret_name",
    "mask",
]
