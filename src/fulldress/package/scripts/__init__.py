"""What the scripts of a package would do, read and never run.

A language's reader yields events (:mod:`.events`); rules turn events into facts. A new rule is a module with a
function ``facts(event, context)`` and one line in :data:`RULES`.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fulldress.facts import AnyFact, Endpoint, Evidence, Reason, Unread, Witness, encode
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import clock
from fulldress.package.scripts import (
    asks,
    endpoints,
    files,
    hazards,
    installed,
    leftovers,
    locales,
    order,
    privilege,
    safeguards,
    secrets,
    services,
    unheeded,
    windows,
)
from fulldress.package.scripts.choice import PROGRAM, is_program, reader_of
from fulldress.package.scripts.events import AnyEvent, Assign, Gap
from fulldress.package.scripts.maintainer import FRESH
from fulldress.package.scripts.rule import Context, Rule
from fulldress.package.scripts.shell import Exhausted

#: In this order; secrets first, for what they learn has to be masked in all others.
RULES: tuple[Rule, ...] = (
    secrets.facts,
    endpoints.facts,
    services.facts,
    privilege.facts,
    installed.facts,
    leftovers.facts,
    files.facts,
    asks.facts,
    hazards.facts,
    windows.facts,
    safeguards.facts,
    locales.facts,
)


def read(package: Package) -> Iterator[AnyFact]:
    """Facts of every script; :class:`Unread` for what is beyond a grammar, a budget, or the languages known here."""
    at, zone = clock(package)
    context = Context(package, at, zone)
    found = _Facts(context)
    modules: set[str] = set()
    programs: set[str] = set()
    for path in sorted(package.members):
        member = package.members[path]
        reader = reader_of(member)
        if reader is None:
            if member.kind in ("python", "javascript", "perl") and member.size:
                modules.add(path)
            continue
        if is_program(package, member):
            programs.add(path)
            continue
        if not member.kept:
            found.add(_unread(member, Reason.BUDGET, f"{member.size} bytes are too many for a script"))
            continue
        try:
            reader(package, member, found.event)
        except Exhausted:
            found.add(
                _unread(member, Reason.BUDGET, "it has too many ways through it; what was found before is listed")
            )
        except RecursionError:
            found.add(_unread(member, Reason.BUDGET, "its statements are nested too deeply"))
    yield from found.all()
    started = {event.member.path for event in found.events}  # what an installation script starts was read
    modules -= started
    programs -= started
    if programs:
        yield Unread(
            witness=Witness.READ,
            evidence=_whole(package),
            what=f"{len(programs)} program{'s' if len(programs) > 1 else ''} that nothing in the package starts",
            reason=Reason.NOT_MEASURED,
            detail="scripts of the application, for somebody to run one day: what they then do was not looked for",
        )
    if modules:
        yield Unread(
            witness=Witness.READ,
            evidence=_whole(package),
            what=f"{len(modules)} Python, JavaScript or Perl file{'s' if len(modules) > 1 else ''} of the application",
            reason=Reason.NOT_MEASURED,
            detail="they are not scripts of the installation, so their calls were not looked for",
        )


class _Facts:
    """Gathers facts; each one once, and resolved ones before those that only say that something is unknown."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.events: dict[AnyEvent, None] = {}
        self.extra: list[AnyFact] = []

    def event(self, event: AnyEvent) -> None:
        if event in self.events:
            return
        self.events[event] = None
        secrets.learn(event, self.context)

    def add(self, fact: AnyFact) -> None:
        self.extra.append(fact)

    def all(self) -> Iterator[AnyFact]:
        seen: set[bytes] = set()
        assigned: list[Endpoint] = []
        hosts: set[str] = set()
        known: set[tuple[str, int]] = set()
        unknown: list[Unread] = []
        gaps: dict[str, list[Gap]] = {}
        told: set[tuple[Rule, tuple[str, int, type]]] = set()  # what an upgrade does
        for event in sorted(self.events, key=lambda event: event.when == FRESH):
            if isinstance(event, Gap):
                gaps.setdefault(event.problem or f"{event.member.path}:{event.line}", []).append(event)
                continue
            for rule in RULES:
                for fact in rule(event, self.context):
                    bare = encode([fact])
                    if event.when and not fact.evidence.when:
                        if bare in seen or (event.when == FRESH and (rule, _place(fact)) in told):
                            continue  # every upgrade does it
                        fact = replace(fact, evidence=replace(fact.evidence, when=event.when))
                    else:
                        told.add((rule, _place(fact)))
                    code = encode([fact])
                    if code in seen:
                        continue
                    seen.add(code)
                    if isinstance(fact, Endpoint) and isinstance(event, Assign):
                        assigned.append(fact)
                    elif isinstance(fact, Unread) and rule is endpoints.facts:
                        unknown.append(fact)
                    else:
                        if isinstance(fact, Endpoint):
                            hosts.add(fact.host)
                            known.add((fact.evidence.path, fact.evidence.line))
                        yield fact
        for fact in assigned:
            if fact.host not in hosts:
                yield fact
        for fact in unknown:
            if (fact.evidence.path, fact.evidence.line) not in known:
                yield fact
        yield from self._ordered(seen)
        yield from map(_gap, gaps.values())
        yield from self.extra

    def _ordered(self, seen: set[bytes]) -> Iterator[AnyFact]:
        """What the order of the events of one script tells; of a script that others call, from its own folder on."""
        scripts: dict[tuple[str, str], list[AnyEvent]] = {}
        for event in self.events:
            scripts.setdefault((event.member.path, event.when), []).append(event)
        for (_, when), events in scripts.items():
            for fact in (*order.facts(events, self.context), *unheeded.facts(events, self.context)):
                if encode([fact]) not in seen and when != FRESH:
                    seen.add(encode([fact]))
                    yield replace(fact, evidence=replace(fact.evidence, when=when)) if when else fact


def _place(fact: AnyFact) -> tuple[str, int, type]:
    return fact.evidence.path, fact.evidence.line, type(fact)


def _gap(events: list[Gap]) -> Unread:
    """Lines beyond the grammar; whole scripts with the same trouble are one fact."""
    event = events[0]
    if event.missing:
        names = ", ".join(dict.fromkeys(item.member.name for item in events))
        return Unread(
            witness=Witness.READ, evidence=event.member.evidence(event.line, 0, event.text), what=event.missing,
            reason=Reason.MISSING, shows=True, detail=f"{names} calls functions of it, and another package brings it",
        )  # fmt: skip
    lines = f"line {event.line}" if event.line == event.last else f"lines {event.line}–{event.last}"
    what = f"{lines} of {event.member.name}"
    scripts = list(dict.fromkeys(item.member.path for item in events))
    if len(scripts) > 1:
        names = ", ".join(path.rsplit("/", 1)[-1] for path in scripts[:5])
        what = f"{len(scripts)} scripts ({names}{' …' if len(scripts) > 5 else ''})"
    elif len(events) > 1:
        rows = ", ".join(str(item.line) for item in events[:5])
        what = f"lines {rows}{' …' if len(events) > 5 else ''} of {event.member.name}"
    return Unread(
        witness=Witness.READ,
        evidence=event.member.evidence(event.line),
        what=what,
        reason=Reason.GRAMMAR,
        needed=any(item.needed and not PROGRAM.search(item.member.path) for item in events),
        detail=event.problem or f"{lines}: read one by one, without following variables through them",
    )


def _unread(member: Member, reason: Reason, detail: str) -> Unread:
    return Unread(
        witness=Witness.READ,
        evidence=member.evidence(),
        what=f"script {member.name}",
        reason=reason,
        detail=detail,
        needed=True,
    )


def _whole(package: Package) -> Evidence:
    return Evidence(source=package.source)


__all__ = ["RULES", "read"]
