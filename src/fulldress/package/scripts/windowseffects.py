"""Files, folders and registry keys of Windows that a command makes, changes or deletes, and how far a deletion reaches.

Only whole paths: what lies in the script's own folder or in scratch space is the package's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.package.scripts.values import HERE, holes, is_constant, show, without
from fulldress.package.scripts.windowswords import parameter, slashed
from fulldress.patterns import regex

#: Variables that Windows sets for every process.
_ALWAYS = frozenset(
    """
    systemroot windir systemdrive programfiles programfiles(x86) programdata allusersprofile appdata localappdata userprofile
    temp tmp computername username userdomain public homedrive homepath comspec commonprogramfiles cd date time
    processor_architecture number_of_processors os path psscriptroot pshome pwd home
    """.split()  # noqa: SIM905 - a table of words is read as words
)
_SCRATCH = regex(r"(?i)\ue000(?:env:|%)?(?:temp|tmp)%?\ue001")
_ABSOLUTE = regex(r"(?i)^(?:[a-z]:[\\/]|\\\\[\w.]|hk(?:lm|cu|cr|u|ey_\w+):?\\|cert:\\|registry::)")
_ROOTS = regex(
    r"(?i)^(?:[a-z]:)?[\\/]?(?:\*|(?:windows|winnt|program files(?: \(x86\))?|programdata|users|inetpub|system volume information)"
    r"(?:[\\/](?:system32|syswow64|\*))?)?[\\/]?\*?$"
)
_SYSTEM = regex(r"(?i)[\\/]system32[\\/]drivers[\\/]etc[\\/]hosts|[\\/](?:system32|syswow64)[\\/]")


def is_absolute(path: str) -> bool:
    if not path or path.startswith(HERE) or _SCRATCH.match(path):
        return False
    return bool(_ABSOLUTE.match(path) or (holes(path) and path.startswith("\ue000") and "\\" in path))


def effects(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    lower = tuple(word.lower() for word in words)
    found: list[tuple[str, str, str]] = []
    if name == "remove-item":
        recursive = any(re.match(r"-r(ec|$)", word) for word in lower)
        for path in parameter(words, "path", "literalpath", place=0).split(","):
            found.append((path, "delete", _reach(path, recursive)))
    elif name in ("rd", "rmdir", "del", "erase", "deltree"):
        recursive = "/s" in lower
        found += [(path, "delete", _reach(path, recursive)) for path in slashed(words)]
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
        found.append((f"{key}\\{value}", "change", _key(f"{key}\\{value}")))
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
        found += [(path, "create", "folder") for path in slashed(words)]
    elif name in ("copy-item", "move-item", "rename-item"):
        source, target = (
            parameter(words, "path", "literalpath", place=0),
            parameter(words, "destination", "newname", place=1),
        )
        found.append((target or parameter(words, "destination", place=0), "create", f"from {show(source)}"))
        if name == "move-item":
            found.append((source, "delete", f"moved to {show(target)}"))
    elif name in ("copy", "xcopy", "robocopy", "move"):
        plain = slashed(words)
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
            slashed(words)[0] if slashed(words) else "",
        )
        if name == "takeown" or "/grant" in " ".join(lower) or name != "icacls":
            found.append(
                (
                    target,
                    "owner" if name == "takeown" else "mode",
                    " ".join(show(word) for word in words if word != target and word.lower() != "/f"),
                )
            )
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
        if is_absolute(path) and not (action == "delete" and not path):
            if _SYSTEM.search(path) and action != "delete" and not detail:
                detail = "a folder of Windows itself"
            yield path, action, detail


#: Places of the registry that decide what runs -> what it is that they decide.
_KEYS = (
    (regex(r"(?i)\\currentversion\\(?:policies\\explorer\\)?run(?:once|services)?(?:ex)?\b"), "what starts at every logon"),
    (regex(r"(?i)\\winlogon\\(?:userinit|shell|notify)"), "what starts at every logon"),
    (regex(r"(?i)\\image file execution options\\"), "what starts instead of a program"),
    (regex(r"(?i)\\appinit_dlls$|\\appcertdlls\\"), "a library that is loaded into every program"),
    (regex(r"(?i)\\control\\lsa(?:\\|$)"), "how logons are checked"),
    (regex(r"(?i)\\session manager\\environment(?:\\|$)"), "the environment of everybody"),
    (regex(r"(?i)\\policies\\"), "a policy of the host"),
    (regex(r"(?i)\\services(?:\\|$)"), "services and drivers"),
)  # fmt: skip


def _key(path: str) -> str:
    for pattern, decides in _KEYS:
        if pattern.search(path):
            return f"registry: {decides}"
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
