"""The view model: what terminal, HTML and JSON all show. Reports show; they don't compute.

``build`` gathers it from a reading, facts and findings. Everything in it is data, so that one published JSON Schema
describes it (see :mod:`fulldress.report.schema`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import msgspec

from fulldress import __version__, checks
from fulldress.checks import Claim, JobRemark
from fulldress.checks.index import Index
from fulldress.facts import (
    AnyFact,
    Change,
    Entry,
    Fidelity,
    InterfaceChange,
    SettingChange,
    Signature,
    Timeline,
    Timing,
    Unread,
    Use,
    Witness,
)
from fulldress.findings import Finding, Severity, Verdict, Waiver, judge

#: Acts in the order in which they are told, whatever ran beside what.
ACTS = ("baseline", "upgrade", "verify", "two runners", "night after", "rollback")
#: Words of steps whose undo does nothing.
NOTHING = ("changes nothing", "nothing to take back", "was not there")
#: Version of the JSON. The first number changes when a field goes or means something else.
FORMAT = "1.0"


class Reading(Protocol):
    """What :func:`fulldress.package.read` gives."""

    @property
    def source(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...


class PackageSummary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    sha256: str
    size: int  #: bytes
    entries: int = 0
    nested: int = 0  #: containers inside
    product: str = ""
    version: str = ""
    aspect: str = ""  #: which place says so
    vendor: str = ""
    released: date | None = None
    upgrades_from: str = ""


class ActRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An act (``step`` empty) or one of its steps. ``durations`` and ``outcomes`` by run; None: did not run in it."""

    act: str
    step: str = ""
    durations: tuple[timedelta | None, ...]
    outcomes: tuple[str, ...]
    words: str = ""

    @property
    def idle(self) -> bool:
        """A step of the way back that did nothing, and was not meant to."""
        nothing = self.act == "rollback" and bool(self.step) and self.words.endswith(NOTHING)
        return nothing and set(self.outcomes) <= {"ok", ""}


class ApiRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    operation: str
    kind: str
    detail: str = ""
    calls: int = 0
    per_day: float = 0.0
    clients: tuple[str, ...] = ()
    asked: bool = True  #: False: no access log was read, so nobody knows


class WindowPart(msgspec.Struct, frozen=True, kw_only=True):
    name: str  #: forward, verify, rollback, decision, buffer
    duration: timedelta
    basis: str = ""


class WindowView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The window as sized from rehearsals. ``claimed`` is the vendor's, ``negotiated`` the team's."""

    parts: tuple[WindowPart, ...]
    total: timedelta
    claimed: timedelta | None = None
    negotiated: timedelta | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    latest_abort: datetime | None = None
    latest_abort_after: timedelta | None = None
    missing: tuple[str, ...] = ()  #: acts that no rehearsal measured: the window is then not known
    warnings: tuple[str, ...] = ()


class View(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything a report shows."""

    format: str = FORMAT
    fulldress: str = __version__
    kind: str  #: inspect, check, rehearsal
    made: datetime
    zone: str = "UTC"
    package: PackageSummary
    production: str = ""
    case: str = ""
    verdict: Verdict
    findings: tuple[Finding, ...]
    claims: tuple[Claim, ...]
    jobs: tuple[JobRemark, ...] = ()  #: what the hours of the package's jobs do not tell
    signatures: tuple[Signature, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    api: tuple[ApiRow, ...] = ()
    acts: tuple[ActRow, ...] = ()
    runs: int = 0
    fidelity: tuple[Fidelity, ...] = ()
    window: WindowView | None = None
    timelines: tuple[Timeline, ...] = ()
    unread: tuple[Unread, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    against: str = ""
    changes: tuple[Change, ...] = ()
    facts: tuple[AnyFact, ...] = ()

    def of(self, severity: Severity) -> list[Finding]:
        """Findings of one severity that still count."""
        return [f for f in self.findings if f.severity is severity and f.counts]

    @property
    def answered(self) -> list[Finding]:
        """Findings that were settled by a rehearsed step, or waived."""
        return [f for f in self.findings if not f.counts]


def build(
    kind: str,
    reading: Reading,
    facts: Iterable[AnyFact],
    findings: Sequence[Finding] | None = None,
    *,
    claims: Sequence[Claim] | None = None,
    verdict: Verdict | None = None,
    fail_on: Severity = Severity.BLOCKER,
    waivers: Sequence[Waiver] = (),
    timelines: Sequence[Timeline] = (),
    window: Any = None,
    case: str = "",
    production: str = "",
    zone: str = "UTC",
    made: datetime | None = None,
    against: str = "",
) -> View:
    """Gather a view. ``findings``, ``claims`` and ``verdict`` are worked out from ``facts`` where they are not given.

    ``window`` is a :class:`WindowView` or anything shaped like the runbook room's window (see :func:`window_view`).
    Waivers are applied to ``findings`` for this package and today."""
    all_facts = tuple(facts)
    made = made or datetime.now(UTC)
    judged = list(checks.judge(all_facts) if findings is None else findings)
    judged = [_waived(finding, waivers, reading.source, made.date()) for finding in judged]
    gaps = checks.gaps(all_facts)
    unread = tuple([fact for fact in all_facts if isinstance(fact, Unread)] + gaps)
    acts, runs = _acts(all_facts)
    return View(
        kind=kind,
        made=made,
        zone=zone,
        package=_summary(reading, all_facts),
        production=production,
        case=case,
        verdict=verdict or judge(judged, unread, fail_on),
        findings=tuple(judged),
        claims=tuple(checks.claims(all_facts, judged) if claims is None else claims),
        jobs=checks.job_remarks(all_facts),
        signatures=tuple(f for f in all_facts if isinstance(f, Signature)),
        settings=tuple(f for f in all_facts if isinstance(f, SettingChange)),
        api=_api(all_facts),
        acts=acts,
        runs=runs,
        fidelity=tuple(f for f in all_facts if isinstance(f, Fidelity)),
        window=window if isinstance(window, WindowView) or window is None else window_view(window),
        timelines=tuple(timelines),
        unread=unread,
        waivers=tuple(waivers),
        against=against,
        changes=tuple(f for f in all_facts if isinstance(f, Change)),
        facts=all_facts,
    )


def _waived(finding: Finding, waivers: Sequence[Waiver], package: str, today: date) -> Finding:
    hit = next((w for w in waivers if w.covers(finding, package, today)), None)
    return msgspec.structs.replace(finding, waived=hit) if hit else finding


def _summary(reading: Reading, facts: tuple[AnyFact, ...]) -> PackageSummary:
    entries = [f for f in facts if isinstance(f, Entry) and f.witness is not Witness.RUNNING]
    release = Index(facts).release
    containers = {e.path.rsplit("!/", 1)[0] for e in entries if "!/" in e.path}
    return PackageSummary(
        name=reading.name,
        sha256=reading.source,
        size=reading.size,
        entries=len(entries),
        nested=len(containers),
        product=release.product if release else "",
        version=release.version if release else "",
        aspect=release.aspect if release else "",
        vendor=release.vendor if release else "",
        released=release.released if release else None,
        upgrades_from=release.upgrades_from if release else "",
    )


def _acts(facts: tuple[AnyFact, ...]) -> tuple[tuple[ActRow, ...], int]:
    timings = [f for f in facts if isinstance(f, Timing)]
    runs = sorted({t.run for t in timings})
    rows: dict[tuple[str, str], dict[int, Timing]] = {}
    for timing in timings:
        rows.setdefault((timing.act, timing.step), {})[timing.run] = timing
    names = [*(act for act in ACTS), *(t.act for t in timings if t.act not in ACTS)]
    order = {act: place for place, act in enumerate(dict.fromkeys(names))}
    keys = sorted(rows, key=lambda key: (order[key[0]], key[1] != ""))
    table = []
    for act, step in keys:
        by_run = rows[act, step]
        said = [t for t in by_run.values() if t.words]
        # the words of the worst run: a failure before the longest
        telling = max(said, key=lambda t: (t.outcome != "ok", t.duration), default=None)
        table.append(
            ActRow(
                act=act,
                step=step,
                durations=tuple(by_run[r].duration if r in by_run else None for r in runs),
                outcomes=tuple(by_run[r].outcome if r in by_run else "" for r in runs),
                words=telling.words if telling else "",
            )
        )
    return tuple(table), len(runs)


def _api(facts: tuple[AnyFact, ...]) -> tuple[ApiRow, ...]:
    index = Index(facts)
    asked = bool(index.of(Use))
    rows = []
    for change in index.of(InterfaceChange):
        uses = index.uses(change.operation)
        rows.append(
            ApiRow(
                operation=change.operation,
                kind=change.kind,
                detail=change.detail,
                calls=sum(u.calls for u in uses),
                per_day=sum(u.per_day for u in uses),
                clients=tuple(sorted({c for u in uses for c in u.clients})),
                asked=asked,
            )
        )
    gravity = {"removed": 0, "narrowed": 1, "deprecated": 2, "widened": 3, "added": 4}
    return tuple(sorted(rows, key=lambda r: (-r.calls, gravity.get(r.kind, 5), r.operation)))


#: Name of a part in the view -> names that it may have in a window of another room.
_PARTS = {
    "forward": ("forward", "upgrade"),
    "verify": ("verify", "verification"),
    "rollback": ("rollback", "back"),
    "decision": ("decision",),
    "buffer": ("buffer",),
}


def window_view(window: Any) -> WindowView:
    """A window of the runbook room (or a mapping read from a case), as this room shows it."""

    def get(*names: str) -> Any:
        for name in names:
            value = window.get(name) if isinstance(window, dict) else getattr(window, name, None)
            if value is not None:
                return value
        return None

    def span(value: Any) -> timedelta | None:
        if value is None or isinstance(value, timedelta):
            return value
        return timedelta(seconds=float(value)) if isinstance(value, int | float) else msgspec.convert(value, timedelta)

    def instant(value: Any) -> datetime | None:
        return value if value is None or isinstance(value, datetime) else msgspec.convert(value, datetime)

    parts = tuple(
        WindowPart(name=name, duration=duration, basis=str(get(f"{name}_basis") or ""))
        for name, names in _PARTS.items()
        if (duration := span(get(*names))) is not None
    )
    missing = tuple(get("missing") or ())
    back = "rollback" not in missing  # how long the way back takes decides when it is too late for it
    return WindowView(
        parts=parts,
        total=span(get("total", "size")) or sum((p.duration for p in parts), timedelta()),
        claimed=span(get("claimed", "vendor")),
        negotiated=span(get("negotiated")),
        starts=instant(get("starts", "start")),
        ends=instant(get("ends", "end")),
        latest_abort=instant(get("latest_abort", "latest_abort_at")) if back else None,
        latest_abort_after=span(get("latest_abort_after", "abort_after")) if back else None,
        missing=missing,
        warnings=tuple(get("warnings") or ()),
    )


def waive(
    view: View, waivers: Sequence[Waiver], *, fail_on: Severity = Severity.BLOCKER, at: datetime | None = None
) -> View:
    """``view`` under the waivers that hold at ``at`` (now), with its verdict judged anew."""
    today = (at or datetime.now(UTC)).date()
    bare = [msgspec.structs.replace(finding, waived=None) for finding in view.findings]
    findings = tuple(_waived(finding, waivers, view.package.sha256, today) for finding in bare)
    return msgspec.structs.replace(
        view, findings=findings, waivers=tuple(waivers), verdict=judge(findings, view.unread, fail_on)
    )
