"""Windows: services, reboots, files and registry keys, accounts, installers, prompts, SQL clients.

The commands are those of cmd.exe and the cmdlets of PowerShell, as :mod:`.batch`, :mod:`.powershell` and the others say
them. Those that mean something else on Unix (``find``, ``at``) are left to nobody: they are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.facts import (  # fmt: skip
    AnyFact,
    Command,
    Credential,
    Endpoint,
    FileEffect,
    Hazard,
    Looseness,
    Privilege,
    Reboot,
    Requirement,
    Restart,
    Secret,
    Witness,
)
from fulldress.package.scripts import windowshost, windowstasks
from fulldress.package.scripts.endpoints import TALK
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Write
from fulldress.package.scripts.rule import Context
from fulldress.package.scripts.values import is_constant
from fulldress.package.scripts.windowsaccess import EVERYBODY, accounts, hosts, rights, secrets
from fulldress.package.scripts.windowseffects import effects, is_absolute
from fulldress.package.scripts.windowsinstallers import installs, may_restart, waits
from fulldress.package.scripts.windowsservices import reboots, services
from fulldress.package.scripts.windowswords import name_of, slashed
from fulldress.patterns import regex

_UNC = regex(r"(?i)(?:^|(?<=[\s\"'=,;(]))\\\\([a-z0-9][\w.\-]+)(?:@\w+)?\\[\w$.\-]+")


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    place = {"witness": Witness.READ, "evidence": context.evidence(event)}
    if isinstance(event, Write):
        if is_absolute(event.path):
            action, detail = ("change", "appends to it") if event.append else ("create", "")
            yield FileEffect(**place, path=context.words(event.path, 300), action=action, detail=detail)  # type: ignore[arg-type]
        yield from _shares(event.path, place)
        return
    if isinstance(event, Assign) or not isinstance(event, Call):
        return
    name, words = name_of(event), event.arguments
    if name == "schtasks":
        yield from windowstasks.facts(event, context)
    for unit, action in services(name, words):
        yield Restart(**place, unit=context.words(unit, 80), action=action, command=context.command(event))  # type: ignore[arg-type]
    if claim := reboots(name, words):
        yield Reboot(**place, claim=claim, command=context.command(event))  # type: ignore[arg-type]
    for path, action, detail in effects(name, words):
        yield FileEffect(**place, path=context.words(path, 300), action=action, detail=context.words(detail, 300))  # type: ignore[arg-type]
    for how in rights(name, words):
        if how == "everybody may write":
            target = next((word for word in slashed(words) if not EVERYBODY.match(word)), "")
            folder = context.words(target, 120)
            yield Hazard(**place, kind="open to everybody", what=folder, detail=context.command(event))  # type: ignore[arg-type]
            continue
        command = event.text.strip() if name == "isuseranadmin" else context.command(event)
        yield Privilege(**place, how=how, command=context.words(command, 160))  # type: ignore[arg-type]
    for kind, account in accounts(name, words):
        yield Credential(**place, kind=kind, name=context.words(account, 80))  # type: ignore[arg-type]
    for component, constraint in installs(name, words):
        loose = Looseness.EXACT if constraint else Looseness.ANY
        yield Requirement(**place, component=component, constraint=constraint, looseness=loose)  # type: ignore[arg-type]
    for note in waits(name, words):
        shown = tuple(context.words(word) for word in event.words[:8])
        yield Command(**place, argv=shown, note=note)  # type: ignore[arg-type]
    if what := windowshost.changed(name, words):
        yield Hazard(**place, kind="not its own", what=what, detail=context.command(event))  # type: ignore[arg-type]
    if how := may_restart(name, words):
        yield Hazard(**place, kind="restart not ruled out", what=context.command(event, 120), detail=how)  # type: ignore[arg-type]
    for label, value in secrets(name, words):
        if is_constant(value) and len(value) >= 4:
            context.secrets.add(value)
            yield Secret(witness=Witness.READ, evidence=context.evidence(event), kind="password", name=label)
    for found in hosts(name, words):
        yield Endpoint(**place, scheme=found[0], host=found[1], port=found[2])  # type: ignore[arg-type]
    if name not in TALK:
        for word in words:
            yield from _shares(word, place)


def _shares(text: str, place: dict[str, object]) -> Iterator[AnyFact]:
    """``\\\\host\\share`` of a path."""
    for match in _UNC.finditer(text):
        if match[1].lower() not in ("localhost", ".", "127.0.0.1"):
            yield Endpoint(**place, scheme="smb", host=match[1].lower(), port=445)  # type: ignore[arg-type]
