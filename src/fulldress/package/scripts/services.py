"""Services started, stopped, restarted, enabled; reboots, in all their forms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Reboot, Restart, Witness
from fulldress.package.scripts.events import AnyEvent, Call, Write
from fulldress.package.scripts.rule import Context, operands
from fulldress.package.scripts.values import is_constant, show

_ACTIONS = frozenset(
    [
        "start",
        "stop",
        "restart",
        "reload",
        "try-restart",
        "condrestart",
        "reload-or-restart",
        "try-reload-or-restart",
        "force-reload",
        "enable",
        "disable",
        "mask",
        "unmask",
        "reenable",
        "kill",
        "isolate",
        "preset",
        "revert",
        "link",
        "set-default",
        "force-restart",
        "graceful",
        "zap",
    ]
)
_HELPER_ACTIONS = frozenset(["enable", "disable", "mask", "unmask", "reenable", "purge", "remove"])
_UNITS = re.compile(r"\.(service|socket|target|mount|path|slice|scope|swap|device|automount)$")
_UNIT_FILE = re.compile(r"/systemd/(?:system|user)/([^/]+\.(?:service|socket|timer|path|mount))$")


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    if isinstance(event, Write):
        if re.search(r"/run/reboot-required$", event.path):
            yield _reboot(event, context, "requested", f"writes {show(event.path)}")
        elif event.path == "/proc/sysrq-trigger" and (event.content or "").strip() in ("b", "o"):
            yield _reboot(event, context, "performed", "writes to /proc/sysrq-trigger")
        elif event.path in ("/forcefsck", "/.autorelabel"):
            yield _reboot(event, context, "requested", f"writes {event.path}, which takes effect at the next boot")
        return
    if not isinstance(event, Call):
        return
    claim = _reboots(event)
    if claim:
        yield _reboot(event, context, claim, context.command(event))
        return
    for unit, action in restarts(event):
        yield Restart(
            witness=Witness.READ,
            evidence=context.evidence(event),
            unit=show(unit).removesuffix(".service"),
            action=action,
            command=context.command(event),
        )


def _reboot(event: Call | Write, context: Context, claim: str, command: str) -> Reboot:
    return Reboot(witness=Witness.READ, evidence=context.evidence(event), claim=claim, command=command)


def _reboots(call: Call) -> str:
    name, words = call.name, call.arguments
    plain = [word for word in words if not word.startswith("-")]
    if name in ("reboot", "poweroff", "halt"):
        harmless = any(word in ("--help", "-w", "--wtmp-only", "--version") for word in words)
        return "" if harmless else "performed"
    if name == "shutdown":
        return "" if "-c" in words or "--help" in words or not words else "performed"
    if name in ("init", "telinit"):
        return "performed" if plain[:1] in (["0"], ["6"]) else ""
    if name == "systemctl":
        return "performed" if plain[:1] and plain[0] in ("reboot", "poweroff", "halt", "kexec", "soft-reboot") else ""
    if name == "kexec":
        return "performed" if "-e" in words or "--exec" in words else ""
    if name in ("touch", "tee") and any(re.search(r"/run/reboot-required$", word) for word in words):
        return "requested"
    if name == "notify-reboot-required":
        return "requested"
    if name == "needs-restarting":
        return "asked about" if "-r" in words or "--reboothint" in words else ""
    if name == "dbus-send" and any("Reboot" in word or "PowerOff" in word for word in words):
        return "performed"
    if name in ("grub-reboot", "grub-set-default"):
        return "prepared"
    return ""


def restarts(call: Call) -> Iterator[tuple[str, str]]:
    """Units that the command acts upon, as it writes them, each with the action."""
    name, words = call.name, call.arguments
    plain = operands(
        words, "HMntpPo", frozenset({"host", "machine", "type", "state", "root", "signal", "job-mode", "when"})
    )
    if name in ("systemctl", "deb-systemd-invoke"):
        if plain and (plain[0] in _ACTIONS or not is_constant(plain[0])):
            for unit in plain[1:]:
                yield from ((unit, show(action)) for action in _actions(plain[0], words))
    elif name == "deb-systemd-helper":
        if plain and plain[0] in _HELPER_ACTIONS:
            yield from ((unit, plain[0]) for unit in plain[1:])
    elif name in ("service", "invoke-rc.d", "rc-service"):
        if len(plain) > 1 and plain[1] not in ("status", "--full-restart") and not words[0].startswith("--query"):
            yield plain[0], show(plain[1])
    elif name in ("update-rc.d", "chkconfig", "rc-update"):
        yield from _at_boot(name, plain)
    elif name in ("supervisorctl", "pm2", "monit", "circusctl") and len(plain) > 1:
        if plain[0] in ("start", "stop", "restart", "reload", "signal", "unmonitor", "monitor", "delete"):
            yield from ((unit, plain[0]) for unit in plain[1:] if not re.fullmatch(r"[A-Z]{3,4}", unit))
    elif re.search(r"(^|/)(etc/init\.d|etc/rc\.d(/init\.d)?)/[^/]+$", call.words[0]) and words:
        if words[0] not in ("status", "$1"):
            yield name, show(words[0])
    elif name in ("apachectl", "apache2ctl", "httpd", "nginx"):
        action = words[0] if words and name.endswith("ctl") else _after(words, "-s") or _after(words, "-k")
        if action in ("restart", "graceful", "stop", "start", "reload", "quit"):
            yield {"apachectl": "apache2", "apache2ctl": "apache2"}.get(name, name), action
    elif name in ("sv", "s6-svc", "svc") and len(plain) > 1:
        yield plain[1], plain[0]
    elif name in ("pkill", "killall", "skill", "killall5") and plain:
        signal = next(
            (word.lstrip("-") for word in words if re.fullmatch(r"-(SIG)?([A-Z]{3,5}\d?|\d{1,2})", word)), "TERM"
        )
        if signal != "0":
            yield plain[-1], f"signal {signal.removeprefix('SIG')}"
    elif name in ("docker", "podman") and len(plain) > 1:
        if plain[0] in ("start", "stop", "restart", "kill", "rm"):
            yield from ((f"container {unit}", plain[0]) for unit in plain[1:])
        elif plain[0] == "compose" and plain[1] in ("up", "down", "restart", "stop", "start"):
            yield "compose project", plain[1]
    elif name == "docker-compose" and plain and plain[0] in ("up", "down", "restart", "stop", "start"):
        yield "compose project", plain[0]
    elif name == "kubectl" and plain[:2] in (["rollout", "restart"], ["delete", "pod"], ["scale", "deployment"]):
        yield from ((f"{plain[1]} {unit}", "restart") for unit in plain[2:3])
    elif name == "mv" and len(plain) == 2:
        old, new = _UNIT_FILE.search(plain[0]), _UNIT_FILE.search(plain[1])
        if old and new and old[1] != new[1]:
            yield old[1], f"renamed to {new[1].removesuffix('.service')}"
    elif name == "ln" and len(plain) == 2:
        target, link = plain[0].rsplit("/", 1)[-1], _UNIT_FILE.search(plain[1])
        if link and target == "null":
            yield link[1], "mask"
        elif link and _UNITS.search(target) and target != link[1]:
            yield link[1], f"made another name of {target.removesuffix('.service')}"


def _actions(action: str, words: tuple[str, ...]) -> list[str]:
    now = {"enable": "start", "disable": "stop", "mask": "stop"}
    return [action, now[action]] if "--now" in words and action in now else [action]


def _at_boot(name: str, plain: list[str]) -> Iterator[tuple[str, str]]:
    if len(plain) < 2:
        return
    if name == "rc-update":
        yield plain[1], {"add": "enable", "del": "disable", "delete": "disable"}.get(plain[0], plain[0])
        return
    table = {
        "defaults": "enable",
        "defaults-disabled": "disable",
        "remove": "disable",
        "on": "enable",
        "off": "disable",
    }
    yield plain[0], table.get(plain[1], show(plain[1]))


def _after(words: tuple[str, ...], option: str) -> str:
    return next((words[i + 1] for i, word in enumerate(words[:-1]) if word == option), "")
