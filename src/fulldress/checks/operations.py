"""FD4xx: what the upgrade does to the host: reboots, units, rights, prompts, downtime."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from fulldress.checks.index import Index, unit_name
from fulldress.checks.rule import Hit, count, rule, says, several
from fulldress.facts import (
    Command,
    Downtime,
    Endpoint,
    Fact,
    FileEffect,
    Privilege,
    Reboot,
    Restart,
    Schedule,
    Secret,
    Service,
    Timing,
    Witness,
)
from fulldress.findings import Finding, Severity
from fulldress.patterns import regex

_PIPED = regex(r"\b(?:curl|wget|fetch)\b[^|;&]*\|\s*(?:sudo\s+)?(?:env\s+)?(?:ba|z|da|k)?sh\b")
#: How readers and the stage put it: "waits for an answer", "asks for a yes", "opens an editor", "asked for input" …
_ASKS = regex(r"(?i)\b(?:prompt|asks?|asked|waits?|waited|dialog|editor)\b")
_NEEDS_UNIT = ("start", "restart", "stop", "reload", "try-restart", "reload-or-restart", "enable")
#: Units of the operating system itself; nobody lists them in production.toml.
_SYSTEM = regex(
    r"(?:systemd-[\w-]+|crond?|sshd?|dbus(?:-broker)?|r?syslog(?:-ng)?|udev|networking|network|NetworkManager|polkit|logrotate)(?:\.\w+)?"
)
#: Ways of a script to give somebody rights, in the readers' words.
_GRANTS = frozenset(
    {
        "sudoers",
        "polkit",
        "authorized keys",
        "accounts",
        "administrators' group",
        "preloaded library",
        "login rules",
        "ssh access",
    }
)
#: Files whose presence gives somebody rights.
_RIGHTS = regex(r"^/etc/(?:sudoers(?:\.d/|$)|polkit-1/)|/\.ssh/authorized_keys$|^/etc/(?:passwd|shadow|group)$")


@rule("FD401", Severity.MAJOR, "The host is rebooted although the vendor does not say that it must be")
def reboot(index: Index) -> Iterator[Hit]:
    done = [r for r in index.of(Reboot, Witness.READ, Witness.OBSERVED) if r.claim != "cancelled"]
    if not done:
        return
    declared = index.of(Reboot, Witness.DECLARED)
    claims = {r.claim for r in declared}
    if "required" in claims:
        return
    denied = "not needed" in claims
    said = "says that none is needed" if denied else f"says {several(sorted(claims))}" if claims else "says nothing"
    first = next((r for r in done if r.claim != "requested"), done[0])
    asked = first.claim == "requested"  # a note for the host's owner; nothing reboots by itself
    if asked and "recommended" in claims:
        return
    does = "a reboot is asked for" if asked else "the host is rebooted"
    yield Hit(
        title=f"{does} by {first.evidence.where()}; the vendor {said}",
        subject="reboot",
        remedy="Plan the reboot into the window and tell whoever shares the host; or take the line out with the vendor's consent.",
        testimony=(*(says(r, r.claim) for r in declared), *(says(r, r.command or "performed") for r in done)),
        severity=Severity.MINOR if asked else Severity.BLOCKER if denied else None,
    )


def _heirs(unit: str, index: Index) -> list[str]:
    """Units, of production or shipped, that the missing one was probably renamed to; several where it is not clear.

    One whose own file speaks of the old name comes before one that is only called alike."""
    # a unit that the package controls under its own name is not the heir of another name
    taken = {unit_name(r.unit) for r in index.of(Restart, Witness.READ, Witness.DECLARED)}
    # nor is one that a timer starts
    taken |= {unit_name(s.name) for s in index.of(Schedule) if "timer" in s.mechanism}
    there = [s for s in index.of(Service, Witness.RUNNING, Witness.READ) if unit_name(s.unit) not in taken]
    name = re.compile(rf"(?<![\w-]){re.escape(unit)}(?![\w-])")
    speaking = {unit_name(s.unit) for s in there if name.search(f"{s.start} {s.health} {s.evidence.excerpt}")}
    if speaking:
        return sorted(speaking)
    alike = {other: difflib.SequenceMatcher(None, unit, other).ratio() for other in {unit_name(s.unit) for s in there}}
    near = {other: ratio for other, ratio in alike.items() if ratio >= 0.5}
    best = max(near.values(), default=0.0)
    return sorted(other for other, ratio in near.items() if ratio >= best - 0.1)


def _elsewhere(restart: Restart) -> bool:
    """Whether it happens on another host or in a container, whose units nobody here lists."""
    return restart.evidence.when.startswith(("on host ", "in "))


def _unit_recurs(finding: Finding, index: Index) -> bool | None:
    seen = [r for r in index.of(Restart, Witness.OBSERVED) if unit_name(r.unit) == finding.subject]
    return any("no such" in r.outcome or "fail" in r.outcome for r in seen) if seen else None


@rule("FD402", Severity.BLOCKER, "A script controls a unit that does not exist", _unit_recurs)
def no_such_unit(index: Index) -> Iterator[Hit]:
    if not index.units:
        return  # gaps() says that nothing can be judged
    by_unit: dict[str, list[Restart]] = defaultdict(list)
    timers = {name for s in index.of(Schedule) for name in (s.target.rsplit("/", 1)[-1], f"{s.name}.timer")}
    for restart in index.of(Restart, Witness.READ, Witness.OBSERVED):
        unit = unit_name(restart.unit)
        observed_missing = restart.witness is Witness.OBSERVED and "no such" in restart.outcome
        unheard = not (unit in index.units or unit in index.shipped_units or unit in timers or _SYSTEM.fullmatch(unit))
        templated = "$" in unit or "%" in unit or unit.endswith("@")
        if _elsewhere(restart):
            continue
        if restart.action in _NEEDS_UNIT and not templated and (observed_missing or unheard):
            by_unit[unit].append(restart)
    for unit, restarts in by_unit.items():
        # a unit that the stage answered for is there, whatever the lists say
        if any(r.witness is Witness.OBSERVED and r.outcome == "ok" for r in restarts):
            continue
        heirs = _heirs(unit, index)
        near = heirs[0] if len(heirs) == 1 else ""
        first = restarts[0]
        offers: dict[str, object] | None = None
        if near:
            link = f"/etc/systemd/system/{unit}.service"
            offers = {
                "kind": "command",
                "name": f"alias-{unit}",
                "why": f"the script controls {unit}; there is {near}",
                "phase": "before",
                "argv": ["ln", "-s", f"{near}.service", link],
                "undo": ["rm", "-f", link],
            }
        yield Hit(
            title=f"{first.evidence.where()} {first.action}s {unit}, a unit that exists neither here nor in the package",
            subject=unit,
            remedy=f"Ask the vendor for the unit's new name{f' (probably {several(heirs, 6)})' if heirs else ''}."
            + (f"\nUntil then an alias:\n  ln -s {near}.service /etc/systemd/system/{unit}.service" if near else ""),
            testimony=(
                *(says(r, r.outcome or r.command or f"{r.action} {r.unit}") for r in restarts),
                *(
                    says(s, f"{heir} exists")
                    for heir in heirs
                    if (s := index.units.get(heir) or index.shipped_units.get(heir))
                ),
            ),
            offers=offers,
        )


@rule("FD403", Severity.MAJOR, "A script restarts a unit that is not the package's own")
def foreign_unit(index: Index) -> Iterator[Hit]:
    declared = {unit_name(r.unit) for r in index.of(Restart, Witness.DECLARED)}
    product = index.product.lower()
    by_unit: dict[str, list[Restart]] = defaultdict(list)
    for restart in index.of(Restart, Witness.READ):
        unit = unit_name(restart.unit)
        own = unit in index.shipped_units or unit in declared or (len(product) > 2 and unit.lower().startswith(product))
        if not own and unit in index.units and restart.action in _NEEDS_UNIT and not _elsewhere(restart):
            by_unit[unit].append(restart)
    for unit, restarts in by_unit.items():
        only_reload = all(r.action in ("reload", "enable") for r in restarts)
        actions = several(sorted({r.action for r in restarts}))
        yield Hit(
            title=f"{unit} is not the package's own, and a script {actions}s it: whoever else uses it feels that",
            subject=unit,
            remedy=f"Name {unit} in the notice, ask its owner, and watch it in the rehearsal (services.{unit}.health in production.toml).",
            testimony=(
                *(says(r, r.command or f"{r.action} {unit}") for r in restarts),
                says(index.units[unit], "runs here"),
            ),
            severity=Severity.MINOR if only_reload else None,
        )


@rule("FD404", Severity.MINOR, "Services are restarted that the vendor does not name")
def undeclared_restarts(index: Index) -> Iterator[Hit]:
    declared = {unit_name(r.unit): r for r in index.of(Restart, Witness.DECLARED)}
    if not declared:
        return
    extra: dict[str, Restart] = {}
    for restart in index.of(Restart, Witness.READ, Witness.OBSERVED):
        unit = unit_name(restart.unit)
        if unit not in declared and restart.action in _NEEDS_UNIT:
            extra.setdefault(unit, restart)
    if extra:
        yield Hit(
            title=f"the vendor names {several(sorted(declared))}; the scripts also touch {several(sorted(extra))}",
            subject="services",
            remedy="Plan for all of them: owners, health checks, and the notice.",
            testimony=(
                *(says(r, f"{r.unit}") for r in declared.values()),
                *(says(r, r.command or f"{r.action} {r.unit}") for r in extra.values()),
            ),
        )


@rule("FD405", Severity.MINOR, "Scripts assume sudo")
def assumes_sudo(index: Index) -> Iterator[Hit]:
    found = [p for p in index.of(Privilege, Witness.READ) if p.how in ("sudo", "su", "doas", "pkexec")]
    if found:
        ways = several(sorted({p.how for p in found}))
        # dpkg runs them as root, who needs no rule, only the program
        by_root = all(re.search(r"(?:^|/)control\.tar[\w.]*!/", p.evidence.path) for p in found)
        title = f"{count(len(found), 'command')} assume{'s' if len(found) == 1 else ''} {ways}"
        yield Hit(
            title=f"{title}, which may not be installed"
            if by_root
            else f"{title}: without a rule for it the script stops there",
            subject="sudo",
            remedy=f"Look whether it is there: command -v {found[0].how}"
            if by_root
            else "Run as root, or prove beforehand that it needs no password: sudo -n true && echo ready",
            testimony=tuple(says(p, p.command or p.how) for p in found),
        )


@rule("FD406", Severity.MAJOR, "A program gets the right to run as its owner")
def setuid(index: Index) -> Iterator[Hit]:
    found = [
        p for p in index.of(Privilege, Witness.READ, Witness.OBSERVED) if p.how in ("setuid", "setgid", "capability")
    ]
    # the script that gives the right and the stage that saw it given speak of one file
    by_file: dict[str, list[Privilege]] = defaultdict(list)
    for privilege in found:
        words = privilege.command.split()
        by_file[words[-1] if words else privilege.evidence.where()].append(privilege)
    for target, group in by_file.items():
        whose = "its group's" if all(p.how == "setgid" for p in group) else "its owner's"
        mend = f"setcap -r {target}" if all(p.how == "capability" for p in group) else f"chmod u-s,g-s {target}"
        closed = _closed(index, target)
        who = "whoever may enter its folder" if closed else _who(group)
        yield Hit(
            title=f"{who} may then run {target} with {whose} rights ({several(sorted({p.how for p in group}))})",
            subject=target,
            remedy=f"Ask why, or take it away again: {mend}",
            testimony=tuple(says(p, p.command or p.how) for p in group),
            severity=Severity.MINOR if closed else None,
        )


def _closed(index: Index, target: str) -> str:
    """The folder around ``target`` that the same package closes to others, or empty: ``chmod 0700 FOLDER``."""
    for effect in index.of(FileEffect, Witness.READ):
        mode = re.match(r"0?0?[0-7]{2}([0-7])(?:;|$)", effect.detail) if effect.action == "mode" else None
        if mode and not int(mode[1]) & 1 and target.startswith(effect.path.rstrip("/") + "/"):
            return effect.path
    return ""


def _who(group: list[Privilege]) -> str:
    """Who may run it: of an octal mode the last digit tells, and of ``4750`` it is nobody but owner and group."""
    modes = [match for p in group for match in re.findall(r"(?<!\S)0?[2467](\d{3})(?!\S)", p.command)]
    if modes and not any(int(mode[2]) & 1 for mode in modes):
        return "the file's group" if any(int(mode[1]) & 1 for mode in modes) else "only its owner"
    return "anyone on the host"


@rule("FD407", Severity.BLOCKER, "The upgrade grants rights that are absent today")
def grants_rights(index: Index) -> Iterator[Hit]:
    by_path: dict[str, list[Fact]] = defaultdict(list)
    for privilege in index.of(Privilege, Witness.READ, Witness.OBSERVED):
        if privilege.how in _GRANTS:
            by_path[privilege.evidence.path or privilege.how].append(privilege)
    for effect in index.of(FileEffect, Witness.READ, Witness.OBSERVED):
        if _RIGHTS.search(effect.path) and effect.action in ("create", "change"):
            told = effect.evidence.path if effect.evidence.path in by_path else effect.path
            by_path[told].append(effect)
    for path, facts in by_path.items():
        given = list(dict.fromkeys(f.command for f in facts if isinstance(f, Privilege) and f.command))
        file = next((f.path for f in facts if isinstance(f, FileEffect)), path if path.startswith("/") else "")
        mend = f"; otherwise remove it after the upgrade: rm {file} && sudo -l" if file else ""
        yield Hit(
            title=f"{path} gives new rights" + (f": {several(given, 2)}" if given else ""),
            subject=path,
            remedy=f"Have it approved by whoever owns access{mend or ', or take the right away again after the upgrade.'}",
            testimony=tuple(
                says(
                    f,
                    f.command
                    if isinstance(f, Privilege)
                    else f"{f.action} {f.path}"
                    if isinstance(f, FileEffect)
                    else "",
                )
                for f in facts
            ),
        )


@rule("FD408", Severity.MAJOR, "Code is fetched from the network and run unseen")
def piped_to_shell(index: Index) -> Iterator[Hit]:
    found: dict[str, list[tuple[Fact, str]]] = defaultdict(list)
    for fact in index.facts:
        if fact.witness is not Witness.READ or not isinstance(fact, Endpoint | Privilege | Restart):
            continue
        text = fact.evidence.excerpt or getattr(fact, "command", "")
        if _PIPED.search(text) or (isinstance(fact, Privilege) and fact.how == "downloaded code"):
            place = fact.evidence.path
            if all(fact.evidence.line != other.evidence.line for other, _ in found[place]):
                found[place].append((fact, text))
    for path, group in found.items():
        yield Hit(
            title=f"{path} runs whatever a web server sends it on the day: it cannot be inspected or rehearsed",
            subject=path,
            remedy="Fetch the script now, keep it beside the package with its sha256, and have the vendor call that copy.",
            testimony=tuple(says(fact, text) for fact, text in group),
        )


@rule("FD409", Severity.MAJOR, "A script stops and waits for an answer")
def prompts(index: Index) -> Iterator[Hit]:
    by_path: dict[str, list[Command]] = defaultdict(list)
    for command in index.of(Command, Witness.READ, Witness.OBSERVED):
        if _ASKS.search(command.note):
            by_path[command.evidence.path or command.evidence.step].append(command)
    for path, group in by_path.items():
        yield Hit(
            title=f"{path} stops and waits for an answer: a lost session leaves the upgrade half-way",
            subject=path,
            remedy="Give the answers beforehand (arguments, environment or standard input of the script step), and rehearse it so.",
            testimony=tuple(says(c, c.note or " ".join(c.argv)) for c in group),
            severity=Severity.BLOCKER
            if any(c.witness is Witness.OBSERVED for c in group)
            else Severity.MINOR
            if all("goes on after a time" in c.note for c in group)
            else None,
        )


@rule("FD410", Severity.MAJOR, "Downtime is far longer than the vendor says")
def downtime_exceeded(index: Index) -> Iterator[Hit]:
    declared = index.of(Downtime, Witness.DECLARED)
    observed = index.of(Downtime, Witness.OBSERVED)
    if not declared or not observed:
        return
    said = max(declared, key=lambda d: d.duration)
    worst = max(observed, key=lambda d: d.duration)
    if worst.duration > said.duration * 1.2:
        yield Hit(
            title=f"downtime is {_minutes(worst.duration)}, not {_minutes(said.duration)} as the vendor says",
            subject="downtime",
            remedy="Negotiate the window from the measured figure: fulldress plan prints the negotiation sheet.",
            testimony=(
                says(said, said.basis or _minutes(said.duration)),
                says(worst, worst.basis or _minutes(worst.duration)),
            ),
        )


@rule("FD411", Severity.MINOR, "Nothing supports the vendor's downtime")
def downtime_unsupported(index: Index) -> Iterator[Hit]:
    declared = index.of(Downtime, Witness.DECLARED)
    if declared and not index.of(Downtime, Witness.OBSERVED) and not index.of(Timing, Witness.OBSERVED):
        yield Hit(
            title=f"{_minutes(declared[0].duration)} of downtime is a claim: nothing in the package supports it",
            subject="downtime claim",
            remedy="Measure it: fulldress rehearse runbook.toml -p production/ -n 3",
            testimony=tuple(says(d, d.basis or _minutes(d.duration)) for d in declared),
        )


@rule("FD412", Severity.MINOR, "A script deletes files that its rollback cannot bring back")
def deletes(index: Index) -> Iterator[Hit]:
    by_place: dict[str, list[FileEffect]] = defaultdict(list)
    made: dict[str, dict[str, int]] = defaultdict(dict)  # what the script itself made before, it may take away
    effects = index.of(FileEffect, Witness.READ)
    for effect in effects:
        if effect.action == "create":
            line = effect.evidence.line or 0
            made[effect.evidence.path][effect.path] = min(line, made[effect.evidence.path].get(effect.path, line))
    for effect in effects:
        temporary = effect.path.startswith(("/tmp/", "/var/tmp/", "/run/", "$TMP", "${TMP"))  # noqa: S108 - names in scripts
        own = made[effect.evidence.path].get(effect.path)
        scratch = own is not None and own < (effect.evidence.line or 0)
        if effect.action == "delete" and not (temporary or scratch or effect.detail.startswith(_LOSES_NOTHING)):
            by_place[effect.evidence.path].append(effect)
    for place, found in by_place.items():
        absolute = list(
            dict.fromkeys(
                e.path
                for e in found
                if e.path.startswith("/") and e.path.count("/") > 1 and not set("$*?[") & set(e.path)
            )
        )
        moved = list(dict.fromkeys(e.path for e in found if e.detail.startswith("moved to ")))
        gone = [path for path in dict.fromkeys(e.path for e in found) if path not in moved]
        acts = [
            (verb, sorted(paths, key=_replaceable))
            for verb, paths in (("deletes", gone), ("moves away", moved))
            if paths
        ]
        acts.sort(key=lambda act: _replaceable(act[1][0]))  # a title may be cut: data first
        yield Hit(
            title=f"{place} {' and '.join(f'{verb} {several(paths)}' for verb, paths in acts)}",
            subject=place,
            remedy="Keep a copy first (the offered snapshot), or make sure that nothing of value stands there.",
            testimony=tuple(says(e, e.detail or f"delete {e.path}") for e in found),
            offers={"kind": "snapshot", "name": "keep-before-upgrade", "phase": "before", "paths": absolute}
            if absolute
            else None,
        )


def _replaceable(path: str) -> bool:
    """Whether it is no data of the product or its users: those stand below these folders, and come back with no package."""
    return not re.match(r"/(?:var/(?:lib|www|mail|spool|backups)|srv|home|root|data)(?:/|$)", path) or "*" in path


#: How a reader words deletions after which nothing is missing: an empty folder, a conffile of which edits are kept.
_LOSES_NOTHING = ("if it is empty", "an old conffile", "a link")


@rule("FD413", Severity.MAJOR, "A secret stands in the open")
def secret(index: Index) -> Iterator[Hit]:
    by_place: dict[str, list[Secret]] = defaultdict(list)
    for found in index.of(Secret, Witness.READ, Witness.DECLARED):
        by_place[found.evidence.path].append(found)
    for path, secrets in by_place.items():
        yield Hit(
            title=f"{path} holds a secret in the open: {several([s.name or s.kind for s in secrets])}",
            subject=path,
            remedy="Treat it as known to everybody who ever had the package: ask the vendor to revoke it, and set one of your own.",
            testimony=tuple(says(s, f"{s.kind} {s.name}".strip()) for s in secrets),
        )


def _minutes(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    if seconds < 90:
        return f"{seconds:.1f} s" if 0 < seconds < 10 and seconds % 1 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds % 60 == 0 else f"{int(seconds // 60)} min {int(seconds % 60)} s"
