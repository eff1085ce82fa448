"""Services of Windows stopped, started, made and set; restarts of the host, in all their forms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.package.scripts.windowswords import parameter
from fulldress.patterns import regex

_SERVICE = {"restart-service": "restart", "stop-service": "stop", "start-service": "start", "suspend-service": "stop",
            "resume-service": "start", "new-service": "create", "remove-service": "delete"}  # fmt: skip
_SC = {"stop": "stop", "start": "start", "create": "create", "delete": "delete", "pause": "stop", "continue": "start"}
_NSSM = {"install": "create", "remove": "delete", "start": "start", "stop": "stop", "restart": "restart"}
_POOL = {"restart-webapppool": "restart", "stop-webapppool": "stop", "start-webapppool": "start",
         "stop-website": "stop", "start-website": "start", "stop-iissite": "stop", "start-iissite": "start"}  # fmt: skip
_PENDING = regex(r"(?i)pendingfilerenameoperations|\\rebootrequired|\\rebootpending")


def services(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
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
    elif name in ("set-itemproperty", "new-itemproperty", "reg"):
        yield from _by_registry(name, words)
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
        and not process.isdecimal()
    ):
        yield process, "kill"
    elif name == "wmic" and "service" in lower and "call" in lower:
        target = re.search(r"(?i)name\s*=\s*['\"]?([\w.$ -]+)", " ".join(words))
        action = lower[lower.index("call") + 1] if lower[-1] != "call" else ""
        if target and action in ("stopservice", "startservice", "delete"):
            yield target[1].strip(), action.removesuffix("service")


#: Values of ``Start`` below a service's key ("HKLM\\SYSTEM\\CurrentControlSet\\Services Registry Tree").
_STARTS = {"2": "enable", "3": "set to manual", "4": "disable"}


def _by_registry(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """``Start`` of a service, set where the service manager keeps it."""
    if name == "reg":
        values = {word.lower(): words[i + 1] for i, word in enumerate(words[:-1]) if word.startswith("/")}
        key, entry, value = (
            words[1] if len(words) > 1 and words[0].lower() == "add" else "",
            values.get("/v", ""),
            values.get("/d", ""),
        )
    else:
        key, entry = parameter(words, "path", "literalpath", place=0), parameter(words, "name", place=1)
        value = parameter(words, "value", place=2)
    service = re.search(r"(?i)\\services\\([^\\]+)\\?$", key)
    if service and entry.lower() == "start" and value in _STARTS:
        yield service[1], _STARTS[value]


def reboots(name: str, words: tuple[str, ...]) -> str:
    lower = tuple(word.lower().replace("-", "/", 1) for word in words)
    joined = " ".join(lower)
    if name in ("restart-computer", "stop-computer"):
        return "" if "/whatif" in lower else "performed"
    if name == "shutdown.exe" or (
        name == "shutdown" and any(re.fullmatch(r"/(r|s|g|sg|p|i|t|f|m)", word) for word in lower)
    ):
        return "performed" if any(word in ("/r", "/s", "/g", "/sg", "/p") for word in lower) else ""
    if name in ("invoke-cimmethod", "invoke-wmimethod") and re.search(r"\b(?:reboot|win32shutdown\w*)\b", joined):
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
    if name in (
        "get-itemproperty",
        "test-path",
        "get-item",
        "get-childitem",
        "get-pendingreboot",
        "test-pendingreboot",
    ) and (_PENDING.search(joined) or "pendingreboot" in name):
        return "asked about"
    if name == "bcdedit" and any(word in joined for word in ("safeboot", "bootsequence", "/default")):
        return "prepared"
    if name == "wmic" and "call" in lower and any("reboot" in word or "win32shutdown" in word for word in lower):
        return "performed"
    return ""
