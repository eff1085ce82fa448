"""Installers of Windows: what they install by name, whether they wait for an answer, whether they may restart the host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.package.scripts.values import is_constant
from fulldress.package.scripts.windowswords import parameter
from fulldress.patterns import regex

_MSI_ACTION = regex(r"/(?:i|x|p|f\w*|package|uninstall|update|l\S*)$")
#: Installers that are bundles of others and restart by themselves when told to be quiet: the redistributables of Visual C++
#: and of .NET.
_BUNDLES = regex(
    r"(?i)^(?:vc_?redist[\w.-]*|ndp\d[\w-]*|dotnet-?[\w.-]*|(?:windowsdesktop|aspnetcore)-runtime[\w.-]*)$"
)


def installs(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
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


def waits(name: str, words: tuple[str, ...]) -> Iterator[str]:
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


def may_restart(name: str, words: tuple[str, ...]) -> str:
    """Why an installer may restart the host without a word; empty where it cannot.

    Sources: "Standard Installer Command-Line Options" and "REBOOT property" of the Windows Installer, ``wusa /?``, ``dism /?``."""
    lower = tuple(re.sub(r"^--?", "/", word.lower()) for word in words)
    joined = " ".join(lower)
    if (
        "/norestart" in lower
        or "/promptrestart" in lower
        or "/forcerestart" in lower
        or re.search(r"\breboot=\w", joined)
    ):
        return ""
    if name == "msiexec" and any(_MSI_ACTION.match(word) and not word.startswith("/l") for word in lower):
        quiet = next((word for word in lower if re.match(r"/(?:q$|qn\+?$|quiet$|passive$|qb!?-)", word)), "")
        return f"{quiet} without /norestart: it restarts the host by itself where files are in use" if quiet else ""
    if name == "wusa" and "/quiet" in lower:
        return "/quiet without /norestart: it restarts the host by itself where the update wants it"
    if name == "dism" and {"/quiet", "/q"} & set(lower) and "/online" in lower:
        changes = re.search(r"/(?:add|remove)-package|/(?:enable|disable)-feature|/(?:add|remove)-capability", joined)
        return "/quiet without /norestart: it restarts the host by itself where the feature wants it" if changes else ""
    if _BUNDLES.match(name) and {"/quiet", "/q", "/passive", "/silent"} & set(lower):
        return "quiet without /norestart: it restarts the host by itself where files are in use"
    return ""
