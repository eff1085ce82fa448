"""What the scripts of a package would do, read and never run.

A language's reader yields events (:mod:`.events`); rules turn events into facts. A new rule is a module with a
function ``facts(event, context)`` and one line in :data:`RULES`.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterator
from typing import cast

from msgspec.structs import replace

from fulldress.facts import AnyFact, Endpoint, Evidence, Reason, Unread, Witness, encode
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import clock, cron
from fulldress.package.scripts import (
    asks,
    endpoints,
    files,
    hazards,
    installed,
    leftovers,
    locales,
    machinery,
    order,
    privilege,
    safeguards,
    secrets,
    services,
    sourced,
    sqlprograms,
    standing,
    unheeded,
    windows,
)
from fulldress.package.scripts.events import AnyEvent, Assign, Gap
from fulldress.package.scripts.maintainer import FRESH
from fulldress.package.scripts.rule import Context, Rule
from fulldress.package.scripts.shell import Exhausted, Shell
from fulldress.package.scripts.values import clean
from fulldress.patterns import regex

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
_LIFECYCLE = frozenset(
    [
        "preinstall",
        "install",
        "postinstall",
        "prepublish",
        "preprepare",
        "prepare",
        "postprepare",
        "preuninstall",
        "uninstall",
        "postuninstall",
        "preupgrade",
        "upgrade",
        "postupgrade",
        "prestart",
        "start",
        "stop",
        "restart",
        "migrate",
        "premigrate",
        "postmigrate",
    ]
)
#: Those that start the product itself: its own code is no script of the installation.
_PRODUCT_ITSELF = frozenset(["start", "stop", "restart"])
#: Python files that act at installation or on the command line; modules of an application are not scripts.
_PYTHON_SCRIPT = regex(
    r"(?i)(^|/)(setup|install\w*|upgrade\w*|update\w*|migrate\w*|deploy\w*|pre_?\w*inst\w*|post_?\w*inst\w*|bootstrap|uninstall\w*)\.py$"
    r"|(^|/)(s?bin|scripts?|hooks?|libexec|tools|cron[\w.]*|DEBIAN)/[^/]+$"
)
#: Modules that Python imports by itself, wherever its programs come from.
_AT_START = regex(r"(?:^|/)(?:site|user)customize\.py$")
#: The same for languages whose files are told apart by their kind already.
_INSTALLER = regex(
    r"(?i)(^|/)(setup|(un)?install\w*|(up|down)grade\w*|update\w*|migrate\w*|deploy\w*|(pre|post)_?\w*inst\w*|bootstrap)\.\w+$"
    r"|(^|/)(s?bin|scripts?|hooks?|libexec|tools|cron[\w.]*|DEBIAN)/[^/]+$"
)
#: The payload of a Debian package below /usr and its like, and of a wheel: programs that somebody runs one day. What of
#: them the installation, a schedule or a service starts is followed from there; the rest is not what the upgrade does.
_PROGRAM = regex(r"(?:^|/)data\.tar(?:\.\w+)?!/(?:\./)?(?:usr|s?bin|lib\w*|etc|var/lib)/")
_HOOK = regex(
    r"/etc/(?:[^/]+/)*(?:[\w.\-]+\.d|cron\.\w+)/[^/]+$|/(?:system-sleep|system-shutdown|system-generators|networkd-dispatcher)/"
)


_INIT = regex(r"^(|.*/)etc/init\.d/([^/]+)$")


def read(package: Package) -> Iterator[AnyFact]:
    """Facts of every script; :class:`Unread` for what is beyond a grammar, a budget, or the languages known here."""
    at, zone = clock(package)
    context = Context(package, at, zone)
    found = _Facts(context)
    modules: set[str] = set()
    programs: set[str] = set()
    for path in sorted(package.members):
        member = package.members[path]
        reader = _reader(member)
        if reader is None:
            if member.kind in ("python", "javascript", "perl") and member.size:
                modules.add(path)
            continue
        if _is_program(package, member):
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


Reader = Callable[[Package, Member, Callable[[AnyEvent], None]], None]


def _language(name: str) -> Reader:
    """The reader of a language, imported with its grammar once there is a script in it."""
    return cast(Reader, importlib.import_module(f"{__name__}.{name}").read)


def _reader(member: Member) -> Reader | None:
    if member.kind == "shell":
        return _shell
    if member.kind in ("crontab", "cron") or re.search(r"(^|/)cron\.d/[^/]+$|(^|/)var/spool/cron/", member.path):
        return _crontab if member.kind in ("crontab", "cron", "text", "conf", "env", "shell") else None
    if (stands := standing.reader(member)) is not None:
        return stands
    if sqlprograms.starts(member):
        return sqlprograms.read
    if member.kind == "yaml" and member.kept and b"containers:" in member.data:
        return _language("containers")
    if member.kind == "json" and member.name == "package.json" and "node_modules/" not in member.path:
        return _npm
    if member.kind == "python" and _AT_START.search(member.inner):
        return _at_start
    if member.kind == "python" and member.name == "setup.py":
        return _setup
    if member.kind == "python" and (_PYTHON_SCRIPT.search(member.inner) or _is_executable(member) or _is_alone(member)):
        return _language("python")
    if member.name.endswith(".pth") and member.kind == "text" and re.search(r"(?m)^import[ \t]", member.text):
        return _pth
    if member.kind == "powershell":
        return None if member.name.lower().endswith(".psd1") else _language("powershell")
    if member.kind == "batch":
        return _language("batch")
    if member.kind == "perl" and (_is_executable(member) or _is_alone(member) or _INSTALLER.search(member.inner)):
        return _language("perl")
    if member.kind in ("ruby", "php", "tcl") and (_is_executable(member) or _INSTALLER.search(member.inner)):
        return _language("plain")
    if member.kind == "text" and re.search(r"(?i)\.(?:vbs|wsf)$", member.name):
        return _language("plain")
    return None


def _is_program(package: Package, member: Member) -> bool:
    """Whether a script is a program of an installed application, rather than a part of its installation."""
    if member.kind not in ("shell", "python", "perl", "powershell", "batch", "javascript"):
        return False
    if member.container == "wheel" or machinery.is_part(package, member):
        return True
    if match := _INIT.search(member.path):  # systemd takes the unit of that name, and never this script
        places = (f"{match[1]}{folder}lib/systemd/system/{match[2]}.service" for folder in ("", "usr/"))
        return any(place in package.members for place in places)
    return bool(_PROGRAM.search(member.path)) and not _HOOK.search(member.path)


def _is_executable(member: Member) -> bool:
    return bool(member.mode is not None and member.mode & 0o111) and member.data.startswith(b"#!")


def _is_alone(member: Member) -> bool:
    """Whether it is the whole package: a vendor's single file is there to be run."""
    return not member.container and member.inner == member.path and member.data.startswith(b"#!")


def _pth(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Lines of a ``.pth`` file that begin with ``import``: every start of Python runs them (the ``site`` module)."""
    rows = [row if re.match(r"import[ \t]", row) else "" for row in member.text.splitlines()]
    data = "\n".join(rows).encode("utf-8", "replace")
    fields = {name: getattr(member, name) for name in Member.__struct_fields__}
    _at_start(package, Member(**{**fields, "data": data, "kept": True}), emit)


def _at_start(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """What every start of Python on the host runs, whatever the program (the ``site`` module)."""
    _python(package, member, emit, "at every start of Python")


def _setup(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """The ``setup.py`` of an sdist, its ``cmdclass`` included: pip runs it to build a wheel."""
    beside = f"{member.path.removesuffix('setup.py')}PKG-INFO"
    _python(package, member, emit, "when pip builds it" if beside in package.members else "")


def _python(package: Package, member: Member, emit: Callable[[AnyEvent], None], when: str) -> None:
    _language("python")(package, member, lambda event: emit(replace(event, when=event.when or when)))


def _shell(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    Shell(package, member, emit).run(member.text)


def _crontab(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """The commands of a crontab are scripts of one line."""
    with_user = True if re.search(r"(^|/)cron\.d/", member.path) else None
    for job in cron.parse(member.text, with_user=with_user):
        if isinstance(job, cron.Job):
            shell = Shell(package, member, emit)
            shell.variables = {name: [value] for name, value in job.environment.items()}
            shell.text(clean(job.command), job.line)


def _npm(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """The scripts that npm runs when a package is installed or started."""
    try:
        described = json.loads(member.text)
    except ValueError:
        return  # the manifests' reader reports it
    scripts = described.get("scripts") if isinstance(described, dict) else None
    for name, text in (scripts or {}).items() if isinstance(scripts, dict) else ():
        if name in _LIFECYCLE and isinstance(text, str):
            files = re.findall(r"(?:^|[;&|]\s*)node\s+(?:--?[\w=-]+\s+)*([\w./-]+)", text)
            for file in files if name not in _PRODUCT_ITSELF else ():
                started = next(
                    (
                        m
                        for end in ("", ".js", "/index.js")
                        if (m := sourced.member_of(package, member, f"./{file}{end}"))
                    ),
                    None,
                )
                if started is not None and started.kind == "javascript" and started.kept:
                    _language("javascript")(package, started, emit)
            match = re.search(rf'"{re.escape(name)}"\s*:', member.text)
            line = member.text.count("\n", 0, match.start()) + 1 if match else 1
            Shell(package, member, emit).text(clean(text), line)


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
        needed=any(item.needed and not _PROGRAM.search(item.member.path) for item in events),
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
