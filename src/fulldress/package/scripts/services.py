"""Services started, stopped, restarted, enabled; reboots, in all their forms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Reboot, Restart, Witness
from fulldress.package.scripts.events import AnyEvent, Call, Write
from fulldress.package.scripts.rule import Context, operands, option
from fulldress.package.scripts.values import holes, is_constant, show
from fulldress.patterns import regex

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
_UNITS = regex(r"\.(service|socket|target|mount|path|slice|scope|swap|device|automount)$")
_PID_FILE = regex(r"(?:cat|<)\s+\S*?([\w@.-]+?)\.pid\b")
#: A service's own machinery, which its manager runs: to start and stop there is what it is for, not what an upgrade does.
_OWN_INIT = regex(r"(?:^|/)etc/(?:rc\.d/)?init\.d/([^/]+)$")
_MANAGERS = frozenset({"systemctl", "deb-systemd-invoke", "service", "invoke-rc.d", "rc-service", "supervisorctl"})
_INTERPRETERS = regex(r"(?:da|ba|z|k|a)?sh|busybox|env|(?:python|perl|ruby|php|node)[\d.]*|java")
_UNIT_FILE = regex(r"/systemd/(?:system|user)/([^/]+\.(?:service|socket|timer|path|mount))$")


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    if isinstance(event, Write):
        if re.search(r"/run/reboot-required$", event.path):
            yield _reboot(event, context, "requested", f"writes {show(event.path)}")
        elif event.path == "/proc/sysrq-trigger" and (event.content or "").strip() in ("b", "o", "c"):
            yield _reboot(event, context, "performed", "writes to /proc/sysrq-trigger")
        elif re.search(r"/run/reboot-required\.pkgs$", event.path):
            yield _reboot(event, context, "requested", f"writes {show(event.path)}")
        elif event.path.startswith("/dev/watchdog"):
            yield _reboot(event, context, "performed", f"opens {show(event.path)}: the host is reset unless it is fed")
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
    if name == "systemctl" and plain[:1] and plain[0] in ("isolate", "start"):
        return "performed" if any(re.match(r"(?:reboot|poweroff|halt|kexec)\.target$", w) for w in plain[1:]) else ""
    if name == "exit":
        # 3010 and 1641: ERROR_SUCCESS_REBOOT_REQUIRED and _INITIATED of Windows Installer; 194: the same for patch agents
        return {"3010": "requested", "194": "requested", "1641": "performed"}.get(words[0] if words else "", "")
    if name == "transactional-update":
        return "performed" if "reboot" in plain else ""
    if name == "systemctl":
        return "performed" if plain[:1] and plain[0] in ("reboot", "poweroff", "halt", "kexec", "soft-reboot") else ""
    if name == "loginctl":
        return "performed" if plain[:1] and plain[0] in ("reboot", "poweroff", "halt", "suspend", "hibernate") else ""
    if name == "kill":
        signal = next((word.lstrip("-").removeprefix("SIG") for word in words if re.fullmatch(r"-\w+", word)), "")
        # to systemd: SIGINT is Ctrl+Alt+Del, SIGRTMIN+5 and +15 a reboot (systemd(1), "Signals")
        return "performed" if plain[-1:] == ["1"] and signal in ("INT", "2", "RTMIN+5", "RTMIN+15", "39", "49") else ""
    if name == "rtcwake":
        mode = option(words, "-m", "--mode") or "suspend"
        return "performed" if mode in ("off", "disk", "mem", "suspend", "standby", "freeze") else ""
    if name in ("busctl", "gdbus", "qdbus"):
        login = any("org.freedesktop.login1" in word or "ConsoleKit" in word for word in words)
        return (
            "performed"
            if login and re.search(r"\b(?:Reboot|PowerOff|Halt|SetRebootParameter)\b", " ".join(words))
            else ""
        )
    if name in ("ansible", "salt", "salt-call", "pdsh", "pssh"):
        return (
            "performed" if re.search(r"-m\s+(?:\S+\.)?reboot\b|\bsystem\.reboot\b|\breboot$", " ".join(words)) else ""
        )
    if name == "ipmitool":
        return "performed" if re.search(r"\bpower (?:cycle|reset|off|soft)\b", " ".join(words)) else ""
    if name in ("rpm-ostree", "bootc"):
        return "performed" if {"--reboot", "-r", "--apply"} & set(words) else ""
    if name in ("dnf", "dnf5", "yum", "pkcon"):
        return (
            "performed"
            if re.search(r"\b(?:system-upgrade|offline-upgrade|offline|offline-distrosync) reboot\b", " ".join(plain))
            else ""
        )
    if name == "efibootmgr":
        return "prepared" if {"-n", "--bootnext"} & set(words) else ""
    if name == "kexec":
        return "performed" if "-e" in words or "--exec" in words else ""
    if name in ("touch", "tee") and any(
        re.search(r"/run/reboot-required(?:\.pkgs)?$|^/forcefsck$|^/\.autorelabel$", word) for word in words
    ):
        return "requested"
    if name == "fixfiles":
        return "requested" if "onboot" in words else ""
    if name == "notify-reboot-required":
        return "requested"
    if name == "needs-restarting":
        return "asked about" if "-r" in words or "--reboothint" in words else ""
    if name == "dbus-send" and any("Reboot" in word or "PowerOff" in word for word in words):
        return "performed"
    if name in ("grub-reboot", "grub2-reboot", "grub-set-default", "grub2-set-default"):
        return "prepared"
    return ""


def restarts(call: Call) -> Iterator[tuple[str, str]]:
    """Units that the command acts upon, as it writes them, each with the action; not a service's upon itself."""
    member = call.member
    init = _OWN_INIT.search(member.path)
    if init is None and member.kind != "systemd-service":
        yield from _acted(call)
    elif call.name in _MANAGERS:  # a kill or start-stop-daemon is aimed at the service's own process
        own = init[1] if init else member.name.removesuffix(".service")
        yield from ((unit, action) for unit, action in _acted(call) if unit.removesuffix(".service") != own)


def _acted(call: Call) -> Iterator[tuple[str, str]]:
    name, words = call.name, call.arguments
    plain = operands(
        words,
        "HMntpPos",
        frozenset(
            {
                "host",
                "machine",
                "type",
                "state",
                "root",
                "signal",
                "job-mode",
                "when",
                "kill-who",
                "kill-whom",
                "kill-value",
                "property",
                "output",
                "lines",
            }
        ),
    )
    if name in ("systemctl", "deb-systemd-invoke"):
        if plain[:1] == ["daemon-reexec"]:
            yield "systemd", "daemon-reexec"
        elif plain and (plain[0] in _ACTIONS or not is_constant(plain[0])):
            signal = option(words, "-s", "--signal").removeprefix("SIG") if plain[0] == "kill" else ""
            for unit in plain[1:]:
                if signal in ("HUP", "USR1", "USR2", "WINCH"):
                    yield unit, f"signal {signal}"
                    continue
                yield from ((unit, show(action)) for action in _actions(plain[0], words))
    elif name == "deb-systemd-helper":
        if plain and plain[0] in _HELPER_ACTIONS:
            yield from ((unit, plain[0]) for unit in plain[1:])
    elif name in ("service", "invoke-rc.d", "rc-service"):
        if len(plain) > 1 and plain[1] not in ("status", "--full-restart") and not words[0].startswith("--query"):
            yield plain[0], show(plain[1])
    elif name == "systemd-update-helper" and len(plain) > 1:
        # rpm's macros: %systemd_post, %systemd_preun, %systemd_postun_with_restart, %systemd_postun_with_reload
        done = {"install": "preset", "remove": "disable", "mark-restart": "restart", "mark-reload": "reload"}
        if match := re.fullmatch(r"(install|remove|mark-restart|mark-reload)-(?:system|user)-units", plain[0]):
            yield from ((unit, done[match[1]]) for unit in plain[1:])
    elif name == "initctl" and len(plain) > 1 and plain[0] in ("start", "stop", "restart", "reload"):
        yield plain[1], plain[0]
    elif name == "launchctl" and len(plain) > 1:
        done = {"load": "start", "bootstrap": "start", "kickstart": "restart", "start": "start", "unload": "stop",
                "bootout": "stop", "stop": "stop", "kill": "stop", "enable": "enable", "disable": "disable"}  # fmt: skip
        if plain[0] in done:
            yield plain[-1].rsplit("/", 1)[-1].removesuffix(".plist"), done[plain[0]]
    elif name == "svcadm" and len(plain) > 1 and plain[0] in ("enable", "disable", "restart", "refresh"):
        yield plain[1], {"refresh": "reload"}.get(plain[0], plain[0])
    elif name == "kill" and (pid := next((m for w in words for h in holes(w) if (m := _PID_FILE.search(h))), None)):
        signal = next((w.lstrip("-") for w in words if re.fullmatch(r"-(SIG)?([A-Z]{3,5}\d?|\d{1,2})", w)), "TERM")
        signal = option(words, "-s", "--signal") or signal
        if signal != "0":
            yield pid[1], f"signal {signal.removeprefix('SIG')}"
    elif name == "start-stop-daemon":
        yield from _daemon(words)
    elif name == "pg_ctlcluster" and len(plain) > 2:
        yield f"postgresql@{plain[0]}-{plain[1]}", plain[2]
    elif name == "pg_ctl" and (action := next((w for w in plain if w in ("start", "stop", "restart", "reload")), "")):
        yield "postgresql", action
    elif name == "needrestart" and option(words, "-r") == "a":
        yield "(whatever runs old libraries)", "restart"
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
    elif name in ("docker", "podman") and words[:1] == ("compose",):
        action = next(iter(operands(words[1:], "fp", frozenset({"file", "project-name", "profile", "env-file"}))), "")
        if action in ("up", "down", "restart", "stop", "start"):
            yield "compose project", action
    elif name in ("docker", "podman") and len(plain) > 1:
        if plain[0] in ("start", "stop", "restart", "kill", "rm"):
            yield from ((f"container {unit}", plain[0]) for unit in plain[1:])
    elif (
        name in ("docker-compose", "podman-compose")
        and (plain := operands(words, "fp"))
        and plain[0] in ("up", "down", "restart", "stop", "start")
    ):
        yield "compose project", plain[0]
    elif name in ("kubectl", "oc") and (plain := operands(words, "nlc", frozenset({"namespace", "context"})))[:2] in (
        ["rollout", "restart"],
        ["delete", "pod"],
        ["scale", "deployment"],
    ):
        yield from ((unit if plain[0] == "rollout" else f"{plain[1]} {unit}", "restart") for unit in plain[2:3])
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


def _daemon(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """start-stop-daemon(8): the service by its program, or by its pid file where the program is an interpreter.

    ``--pidfile /dev/null`` starts it whatever runs already: a command that is to run as another user, and no service."""
    stops, starts = ({long, short} & set(words) for long, short in (("--stop", "-K"), ("--start", "-S")))
    pid = option(words, "-p", "--pidfile")
    program = option(words, "-x", "--exec", "-a", "--startas").rsplit("/", 1)[-1]
    named = "" if _INTERPRETERS.fullmatch(program) else program
    unit = option(words, "-n", "--name") or named or pid.rsplit("/", 1)[-1].removesuffix(".pid")
    if (stops or starts) and unit and pid != "/dev/null":
        yield unit.rsplit("/", 1)[-1], "stop" if stops else "start"


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
        "start": "enable",  # update-rc.d NAME start 20 2 3 4 5 .: links for the next boot, nothing is started
        "stop": "enable",
    }
    yield plain[0], table.get(plain[1], show(plain[1]))


def _after(words: tuple[str, ...], option: str) -> str:
    return next((words[i + 1] for i, word in enumerate(words[:-1]) if word == option), "")
