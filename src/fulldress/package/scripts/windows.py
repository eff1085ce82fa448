"""Windows: services, reboots, files and registry keys, accounts, installers, prompts, SQL clients.

The commands are those of cmd.exe and the cmdlets of PowerShell, as :mod:`.batch`, :mod:`.powershell` and the others say
them. Those that mean something else on Unix (``find``, ``at``) are left to nobody: they are not judged.
"""

from __future__ import annotations

import re
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
from fulldress.package.scripts import windowstasks
from fulldress.package.scripts.endpoints import TALK
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Write
from fulldress.package.scripts.rule import Context
from fulldress.package.scripts.values import is_constant
from fulldress.package.scripts.windowsaccess import EVERYBODY, accounts, hosts, rights, secrets
from fulldress.package.scripts.windowseffects import effects, is_absolute
from fulldress.package.scripts.windowsservices import reboots, services
from fulldress.package.scripts.windowswords import name_of, parameter, slashed
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
    for component, constraint in _installs(name, words):
        loose = Looseness.EXACT if constraint else Looseness.ANY
        yield Requirement(**place, component=component, constraint=constraint, looseness=loose)  # type: ignore[arg-type]
    for note in _waits(name, words):
        shown = tuple(context.words(word) for word in event.words[:8])
        yield Command(**place, argv=shown, note=note)  # type: ignore[arg-type]
    for label, value in secrets(name, words):
        if is_constant(value) and len(value) >= 4:
            context.secrets.add(value)
            yield Secret(witness=Witness.READ, evidence=context.evidence(event), kind="password", name=label)
    for found in hosts(name, words):
        yield Endpoint(**place, scheme=found[0], host=found[1], port=found[2])  # type: ignore[arg-type]
    if name not in TALK:
        for word in words:
            yield from _shares(word, place)


def _installs(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    lower = tuple(word.lower() for word in words)
    if name in ("install-module", "install-package", "install-script"):
        for component in parameter(words, "name", place=0).split(","):
            version = parameter(words, "requiredversion")
            if component and is_constant(component):
                yield component, f"={version}" if version else ""
    elif name in (
        "add-windowsfeature",
        "install-windowsfeature",
        "enable-windowsoptionalfeature",
        "add-windowscapability",
    ):
        for component in parameter(words, "name", "featurename", place=0).split(","):
            if component and is_constant(component):
                yield component, ""
    elif name == "dism" and "/enable-feature" in lower:
        yield from ((word.partition(":")[2], "") for word in words if word.lower().startswith("/featurename:"))
    elif name == "winget" and lower[:1] == ("install",):
        component = parameter(words[1:], "-id", "id", place=0) or next(
            (words[i + 1] for i, w in enumerate(lower[:-1]) if w == "--id"), ""
        )
        version = next((words[i + 1] for i, w in enumerate(lower[:-1]) if w in ("--version", "-v")), "")
        if component and is_constant(component):
            yield component, f"={version}" if version else ""


def _waits(name: str, words: tuple[str, ...]) -> Iterator[str]:
    lower = tuple(word.lower().replace("-", "/", 1) for word in words)
    if name == "read-host":
        yield "waits for an answer"
    elif name == "get-credential" and "/credential" not in lower:
        yield "asks for a name and a password"
    elif name in ("pause", "out-gridview"):
        yield "waits for an answer"
    elif name == "msiexec" and any(re.match(r"/(i|x|p|package|uninstall|update)", word) for word in lower):
        if not any(re.match(r"/(q|quiet|passive)", word) for word in lower):
            yield "shows a dialog and waits"
    elif (
        name in ("del", "erase")
        and any(word.endswith(("*", "*.*")) for word in words)
        and "/q" not in lower
        and "/f" not in lower
    ):
        yield "asks for a yes" if any(word in ("*", "*.*") or word.endswith(("\\*", "\\*.*")) for word in words) else ""
    elif (name in ("rd", "rmdir") and "/s" in lower and "/q" not in lower) or (
        name == "choco"
        and lower[:1] in (("install",), ("upgrade",), ("uninstall",))
        and not any(re.match(r"/(y|/yes|/confirm)", word) for word in lower)
    ):
        yield "asks for a yes"
    elif name == "runas":
        yield "waits for a password"


def _shares(text: str, place: dict[str, object]) -> Iterator[AnyFact]:
    """``\\\\host\\share`` of a path."""
    for match in _UNC.finditer(text):
        if match[1].lower() not in ("localhost", ".", "127.0.0.1"):
            yield Endpoint(**place, scheme="smb", host=match[1].lower(), port=445)  # type: ignore[arg-type]
