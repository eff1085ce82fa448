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
from fulldress.package.scripts.addresses import address, looks_remote
from fulldress.package.scripts.cmdlets import SWITCHES
from fulldress.package.scripts.endpoints import TALK
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Write
from fulldress.package.scripts.rule import Context
from fulldress.package.scripts.values import HERE, holes, is_constant, show, without

_SERVICE = {"restart-service": "restart", "stop-service": "stop", "start-service": "start", "suspend-service": "stop",
            "resume-service": "start", "new-service": "create", "remove-service": "delete"}  # fmt: skip
_SC = {"stop": "stop", "start": "start", "create": "create", "delete": "delete", "pause": "stop", "continue": "start"}
_NSSM = {"install": "create", "remove": "delete", "start": "start", "stop": "stop", "restart": "restart"}
_POOL = {"restart-webapppool": "restart", "stop-webapppool": "stop", "start-webapppool": "start",
         "stop-website": "stop", "start-website": "start", "stop-iissite": "stop", "start-iissite": "start"}  # fmt: skip
#: Variables that Windows sets for every process.
_ALWAYS = frozenset(
    """
    systemroot windir systemdrive programfiles programfiles(x86) programdata allusersprofile appdata localappdata userprofile
    temp tmp computername username userdomain public homedrive homepath comspec commonprogramfiles cd date time
    processor_architecture number_of_processors os path psscriptroot pshome pwd home
    """.split()  # noqa: SIM905 - a table of words is read as words
)
_SCRATCH = re.compile(r"(?i)\ue000(?:env:|%)?(?:temp|tmp)%?\ue001")
_ABSOLUTE = re.compile(r"(?i)^(?:[a-z]:[\\/]|\\\\[\w.]|hk(?:lm|cu|cr|u|ey_\w+):?\\|cert:\\|registry::)")
_ROOTS = re.compile(
    r"(?i)^(?:[a-z]:)?[\\/]?(?:\*|(?:windows|winnt|program files(?: \(x86\))?|programdata|users|inetpub|system volume information)"
    r"(?:[\\/](?:system32|syswow64|\*))?)?[\\/]?\*?$"
)
_SYSTEM = re.compile(r"(?i)[\\/]system32[\\/]drivers[\\/]etc[\\/]hosts|[\\/](?:system32|syswow64)[\\/]")
_RUN_KEY = re.compile(r"(?i)\\currentversion\\(?:run|runonce)\b")
_PENDING = re.compile(r"(?i)pendingfilerenameoperations|\\rebootrequired|\\rebootpending")
_UNC = re.compile(r"(?i)(?:^|(?<=[\s\"'=,;(]))\\\\([a-z0-9][\w.\-]+)(?:@\w+)?\\[\w$.\-]+")
_ADMINISTRATORS = re.compile(r"(?i)^(administrators|administratoren|domain admins|remote desktop users|s-1-5-32-544)$")
_WHOLE = re.compile(
    r"(?i)^(\*?s-1-1-0|everyone|jeder|users|authenticated users|builtin\\users|\*?s-1-5-32-545|\*?s-1-5-11)(:|$)"
)


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    place = {"witness": Witness.READ, "evidence": context.evidence(event)}
    if isinstance(event, Write):
        if _absolute(event.path):
            action, detail = ("change", "appends to it") if event.append else ("create", "")
            yield FileEffect(**place, path=context.words(event.path, 300), action=action, detail=detail)  # type: ignore[arg-type]
        yield from _shares(event.path, place)
        return
    if isinstance(event, Assign) or not isinstance(event, Call):
        return
    name, words = _name(event), event.arguments
    for unit, action in _services(name, words):
        yield Restart(**place, unit=context.words(unit, 80), action=action, command=context.command(event))  # type: ignore[arg-type]
    if claim := _reboots(name, words):
        yield Reboot(**place, claim=claim, command=context.command(event))  # type: ignore[arg-type]
    for path, action, detail in _effects(name, words):
        yield FileEffect(**place, path=context.words(path, 300), action=action, detail=context.words(detail, 300))  # type: ignore[arg-type]
    for how in _rights(name, words):
        if how == "everybody may write":
            target = next((word for word in _slashed(words) if not _WHOLE.match(word)), "")
            folder = context.words(target, 120)
            yield Hazard(**place, kind="open to everybody", what=folder, detail=context.command(event))  # type: ignore[arg-type]
            continue
        command = event.text.strip() if name == "isuseranadmin" else context.command(event)
        yield Privilege(**place, how=how, command=context.words(command, 160))  # type: ignore[arg-type]
    for kind, account in _accounts(name, words):
        yield Credential(**place, kind=kind, name=context.words(account, 80))  # type: ignore[arg-type]
    for component, constraint in _installs(name, words):
        loose = Looseness.EXACT if constraint else Looseness.ANY
        yield Requirement(**place, component=component, constraint=constraint, looseness=loose)  # type: ignore[arg-type]
    for note in _waits(name, words):
        shown = tuple(context.words(word) for word in event.words[:8])
        yield Command(**place, argv=shown, note=note)  # type: ignore[arg-type]
    for label, value in _secrets(name, words):
        if is_constant(value) and len(value) >= 4:
            context.secrets.add(value)
            yield Secret(witness=Witness.READ, evidence=context.evidence(event), kind="password", name=label)
    for found in _hosts(name, words):
        yield Endpoint(**place, scheme=found[0], host=found[1], port=found[2])  # type: ignore[arg-type]
    if name not in TALK:
        for word in words:
            yield from _shares(word, place)


def _name(call: Call) -> str:
    return re.sub(r"(?i)\.exe$", "", re.split(r"[/\\]", call.words[0])[-1]).lower()


def parameter(words: tuple[str, ...], *names: str, place: int = -1) -> str:
    """The value of a parameter (``-Name x``), or the positional argument at ``place``."""
    index, plain = 0, []
    while index < len(words):
        word = words[index]
        if word.startswith("-") and len(word) > 1 and not word[1].isdigit():
            lower = word.lower()
            if lower.lstrip("-") in names:
                return words[index + 1] if index + 1 < len(words) else ""
            index += 1 if lower in SWITCHES else 2
            continue
        plain.append(word)
        index += 1
    return plain[place] if 0 <= place < len(plain) else ""


def _slashed(words: tuple[str, ...]) -> list[str]:
    """Words of a command of cmd.exe that are no switches."""
    return [word for word in words if not re.match(r"[/-][a-zA-Z?]", word)]


def _services(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    lower = tuple(word.lower() for word in words)
    if name in _SERVICE:
        for unit in re.split(r"\s*,\s*", parameter(words, "name", "displayname", "inputobject", place=0)):
            if unit:
                yield unit, _SERVICE[name]
    elif name == "set-service":
        unit = parameter(words, "name", place=0)
        status, start = parameter(words, "status").lower(), parameter(words, "startuptype", "starttype").lower()
        if unit and status in ("stopped", "running", "paused"):
            yield unit, {"stopped": "stop", "running": "start", "paused": "stop"}[status]
        if unit and start:
            yield (
                unit,
                "disable" if start == "disabled" else "enable" if start.startswith("auto") else f"set to {start}",
            )
    elif name in ("net", "net1") and lower[:1] in (("start",), ("stop",)) and len(words) > 1:
        yield next((word for word in words[1:] if not word.startswith("/")), words[1]), lower[0]
    elif name == "sc" and words:
        rest = words[1:] if words[0].startswith("\\\\") else words
        if len(rest) > 1 and rest[0].lower() in _SC:
            yield rest[1], _SC[rest[0].lower()]
        elif len(rest) > 1 and rest[0].lower() == "config":
            mode_word = re.search(r"(?i)start=?\s*(\w+)", " ".join(rest[2:]).replace("=", "= "))
            mode = mode_word[1].lower() if mode_word else ""
            if mode:
                yield (
                    rest[1],
                    {"disabled": "disable", "auto": "enable", "delayed": "enable", "demand": "set to manual"}.get(
                        mode, f"set to {mode}"
                    ),
                )
    elif name == "nssm" and len(words) > 1 and lower[0] in _NSSM:
        yield words[1], _NSSM[lower[0]]
    elif name == "iisreset":
        yield "IIS", "stop" if "/stop" in lower else "start" if "/start" in lower else "restart"
    elif name in _POOL:
        yield f"{'pool' if 'pool' in name else 'site'} {parameter(words, 'name', place=0)}", _POOL[name]
    elif name == "appcmd" and lower[:1] in (("stop",), ("start",), ("recycle",)) and len(words) > 1:
        yield " ".join(words[1:3]), {"recycle": "restart"}.get(lower[0], lower[0])
    elif name == "taskkill":
        image = next((words[i + 1] for i, word in enumerate(lower[:-1]) if word == "/im"), "")
        if image:
            yield image, "kill"
    elif (
        name == "stop-process"
        and (process := parameter(words, "name", "processname", place=0))
        and not process.isdigit()
    ):
        yield process, "kill"
    elif name == "wmic" and "service" in lower and "call" in lower:
        target = re.search(r"(?i)name\s*=\s*['\"]?([\w.$ -]+)", " ".join(words))
        action = lower[lower.index("call") + 1] if lower[-1] != "call" else ""
        if target and action in ("stopservice", "startservice", "delete"):
            yield target[1].strip(), action.removesuffix("service")


def _reboots(name: str, words: tuple[str, ...]) -> str:
    lower = tuple(word.lower().replace("-", "/", 1) for word in words)
    joined = " ".join(lower)
    if name in ("restart-computer", "stop-computer"):
        return "" if "/whatif" in lower else "performed"
    if name == "shutdown.exe" or (
        name == "shutdown" and any(re.fullmatch(r"/(r|s|g|sg|p|i|t|f|m)", word) for word in lower)
    ):
        return "performed" if any(word in ("/r", "/s", "/g", "/sg", "/p") for word in lower) else ""
    if name == "exit" and words[:1] == ("3010",):
        return "requested"
    if name == "exit" and words[:1] == ("1641",):
        return "performed"
    if name == "msiexec" and ("/forcerestart" in lower or re.search(r"reboot=(force|f)\b", joined)):
        return "performed"
    if (
        name in ("install-windowsfeature", "add-windowsfeature", "rename-computer", "add-computer")
        and "/restart" in lower
    ):
        return "performed"
    if name in ("set-itemproperty", "new-itemproperty", "reg", "new-item") and _PENDING.search(joined):
        return "asked about" if name == "reg" and lower[:1] == ("query",) else "requested"
    if name in ("get-itemproperty", "test-path", "get-item", "get-pendingreboot", "test-pendingreboot") and (
        _PENDING.search(joined) or "pendingreboot" in name
    ):
        return "asked about"
    if name == "bcdedit" and any(word in joined for word in ("safeboot", "bootsequence", "/default")):
        return "prepared"
    if name == "wmic" and "call" in lower and any("reboot" in word or "win32shutdown" in word for word in lower):
        return "performed"
    return ""


def _absolute(path: str) -> bool:
    if not path or path.startswith(HERE) or _SCRATCH.match(path):
        return False
    return bool(_ABSOLUTE.match(path) or (holes(path) and path.startswith("\ue000") and "\\" in path))


def _effects(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    lower = tuple(word.lower() for word in words)
    found: list[tuple[str, str, str]] = []
    if name == "remove-item":
        recursive = any(re.match(r"-r(ec|$)", word) for word in lower)
        for path in parameter(words, "path", "literalpath", place=0).split(","):
            found.append((path, "delete", _reach(path, recursive)))
    elif name in ("rd", "rmdir", "del", "erase", "deltree"):
        recursive = "/s" in lower
        found += [(path, "delete", _reach(path, recursive)) for path in _slashed(words)]
    elif name == "remove-itemproperty":
        key, value = parameter(words, "path", place=0), parameter(words, "name", place=1)
        found.append((f"{key}\\{value}", "delete", "registry value"))
    elif name == "reg" and lower[:1] and len(words) > 1:
        value = next((words[i + 1] for i, word in enumerate(lower[:-1]) if word == "/v"), "")
        path = words[1] + (f"\\{value}" if value else "")
        if lower[0] == "add":
            found.append((path, "change", _key(path)))
        elif lower[0] == "delete":
            found.append((path, "delete", "registry key and all below it" if not value else "registry value"))
        elif lower[0] == "import":
            found.append((words[1], "change", "imports a file into the registry"))
    elif name in ("set-itemproperty", "new-itemproperty"):
        key, value = parameter(words, "path", "literalpath", place=0), parameter(words, "name", place=1)
        found.append((f"{key}\\{value}", "change", _key(key)))
    elif name == "new-item":
        path, child = parameter(words, "path", place=0), parameter(words, "name")
        found.append(
            (
                path + (f"\\{child}" if child else ""),
                "create",
                "folder" if "directory" in lower else _key(path) if path.lower().startswith("hk") else "",
            )
        )
    elif name in ("md", "mkdir"):
        found += [(path, "create", "folder") for path in _slashed(words)]
    elif name in ("copy-item", "move-item", "rename-item"):
        source, target = (
            parameter(words, "path", "literalpath", place=0),
            parameter(words, "destination", "newname", place=1),
        )
        found.append((target or parameter(words, "destination", place=0), "create", f"from {show(source)}"))
        if name == "move-item":
            found.append((source, "delete", f"moved to {show(target)}"))
    elif name in ("copy", "xcopy", "robocopy", "move"):
        plain = _slashed(words)
        if len(plain) > 1:
            mirrored = name == "robocopy" and ("/mir" in lower or "/purge" in lower)
            detail = "what the source does not have" if mirrored else f"from {show(plain[0])}"
            found.append((plain[1], "delete" if mirrored else "create", detail))
            if name == "move":
                found.append((plain[0], "delete", f"moved to {show(plain[1])}"))
    elif name == "expand-archive":
        found.append((parameter(words, "destinationpath", place=1), "change", "an archive is unpacked into it"))
    elif name in ("takeown", "icacls", "cacls", "xcacls") and words:
        target = next(
            (words[i + 1] for i, word in enumerate(lower[:-1]) if word == "/f"),
            _slashed(words)[0] if _slashed(words) else "",
        )
        if name == "takeown" or "/grant" in " ".join(lower) or name != "icacls":
            found.append((target, "owner" if name == "takeown" else "mode", " ".join(show(word) for word in words[1:])))
    elif name in ("setx",) and len(words) > 1:
        scope = "HKLM" if "/m" in lower or "machine" in lower else "HKCU"
        found.append(
            (
                f"{scope}\\Environment\\{words[0]}",
                "change",
                "environment of everybody" if scope == "HKLM" else "environment of the user",
            )
        )
    elif name == "format" and words and re.fullmatch(r"(?i)[a-z]:", words[0]):
        found.append((words[0] + "\\", "change", "a new, empty file system"))
    for path, action, detail in found:
        if _absolute(path) and not (action == "delete" and not path):
            if _SYSTEM.search(path) and action != "delete" and not detail:
                detail = "a folder of Windows itself"
            yield path, action, detail


def _key(path: str) -> str:
    if _RUN_KEY.search(path):
        return "registry: what starts at every logon"
    if re.search(r"(?i)\\services(\\|$)", path):
        return "registry: services and drivers"
    return "registry value" if re.match(r"(?i)(hk|registry)", path) else ""


def _reach(path: str, recursive: bool) -> str:
    words = "it and all below it" if recursive else ""
    if not recursive:
        return words
    unsure = [
        name
        for name in holes(path)
        if name.strip("%").lower().removeprefix("env:") not in _ALWAYS and not name.startswith(("@", "$(", "%%"))
    ]
    if unsure:
        bare = without(path)
        rooted = re.match(r"[\\/]|[a-zA-Z]:", bare) or bare.strip("\\/*") == ""
        if rooted and bare and (_ROOTS.match(bare) or bare.strip("\\/*.") == ""):
            names = " and ".join(dict.fromkeys(show(f"\ue000{name}\ue001") for name in unsure))
            reached = bare if bare.strip("\\/*.") else "\\ (the root of the drive)"
            return f"{words}; {names} may be empty: would reach {reached}"
    elif is_constant(path) and _ROOTS.match(path):
        return f"{words}; a folder shared with others"
    return words


def _rights(name: str, words: tuple[str, ...]) -> Iterator[str]:
    lower = tuple(word.lower() for word in words)
    joined = " ".join(lower)
    if (
        name == "#requires"
        or (name in ("net", "net1") and lower[:1] in (("session",), ("file",)) and len(words) == 1)
        or name == "openfiles"
        or name in ("isuseranadmin",)
        or (name == "start-process" and "runas" in lower)
    ):
        yield "administrator"
    elif name == "runas":
        yield "runas"
    elif name in ("psexec", "psexec64"):
        yield "psexec"
    elif (
        name in ("net", "net1")
        and lower[:1] == ("localgroup",)
        and "/add" in lower
        and len(words) > 2
        and _ADMINISTRATORS.match(words[1])
    ) or (name == "add-localgroupmember" and _ADMINISTRATORS.match(parameter(words, "group", place=0))):
        yield "administrators' group"
    elif (name == "icacls" and "/grant" in joined) or name == "cacls":
        yield from (
            "everybody may write" for word in words if _WHOLE.match(word) and re.search(r"(?i):\(?.*[fmw]", word)
        )


def _accounts(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    lower = tuple(word.lower() for word in words)
    if name == "new-localuser":
        yield "account", parameter(words, "name", place=0)
    elif name in ("net", "net1") and lower[:1] == ("user",) and "/add" in lower and len(words) > 1:
        yield "account", words[1]
    elif name in ("new-aduser", "new-adserviceaccount"):
        yield "account", parameter(words, "name", place=0)
    elif name == "new-selfsignedcertificate":
        yield "private key", parameter(words, "dnsname", "subject", place=0) or "(self-signed)"
    elif name == "cmdkey" and any(word.startswith("/add") for word in lower):
        yield (
            "stored credential",
            next((word.partition(":")[2] for word in words if word.lower().startswith("/add")), ""),
        )


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


def _secrets(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    lower = tuple(word.lower() for word in words)
    if name == "convertto-securestring" and words:
        yield "ConvertTo-SecureString -AsPlainText", words[0]
    elif (
        name in ("net", "net1")
        and lower[:1] == ("user",)
        and len(words) > 2
        and not words[2].startswith("/")
        and words[2] != "*"
    ):
        yield f"account {words[1]}", words[2]
    elif name in ("net", "net1") and lower[:1] == ("use",):
        plain = [
            word for word in words[1:] if not word.startswith(("/", "\\\\")) and not re.fullmatch(r"[A-Za-z]:|\*", word)
        ]
        if plain:
            yield "net use", plain[0]
    for index, word in enumerate(lower[:-1]):
        if (name, word) in (
            ("schtasks", "/rp"),
            ("plink", "-pw"),
            ("pscp", "-pw"),
            ("psftp", "-pw"),
            ("psexec", "-p"),
            ("osql", "-P"),
            ("bcp", "-P"),
            ("sc", "password="),
        ):
            yield f"{name} {word}", words[index + 1]
    for word in words:
        if match := re.match(r"(?i)/pass(?:word)?:(.+)", word):
            yield f"{name} /pass", match[1]


def _hosts(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str, int | None]]:
    found = None
    if name == "winrm" and words[:1] == ("-r",):
        found = address("winrm", words[1], words[2])
    elif name in ("sqlcmd", "osql", "bcp"):
        server = next(
            (words[i + 1] for i, word in enumerate(words[:-1]) if word == "-S"),
            next((w[2:] for w in words if w.startswith("-S") and len(w) > 2), ""),
        )
        host, _, port = server.removeprefix("tcp:").split("\\")[0].partition(",")
        if host and host.lower() not in (".", "localhost", "(local)", "(localdb)"):
            found = address("mssql", host, port or "1433")
    elif name in ("plink", "pscp", "psftp"):
        for word in words:
            login = re.match(r"(?:[\w.-]+@)?([\w.-]+)(?::.*)?$", word)
            if login and (looks_remote(login[1]) or "@" in word) and not re.match(r"(?i)[a-z]:", word):
                found = address("ssh" if name == "plink" else "sftp", login[1])
                break
    if found is not None and found.known:
        yield found.scheme, found.host, found.port


def _shares(text: str, place: dict[str, object]) -> Iterator[AnyFact]:
    """``\\\\host\\share`` of a path."""
    for match in _UNC.finditer(text):
        if match[1].lower() not in ("localhost", ".", "127.0.0.1"):
            yield Endpoint(**place, scheme="smb", host=match[1].lower(), port=445)  # type: ignore[arg-type]
