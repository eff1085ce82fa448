"""The words of a command of Windows: its name, parameters of cmdlets (``-Name x``), switches of cmd.exe (``/s``)."""

from __future__ import annotations

import re

from fulldress.package.scripts.events import Call

#: Parameters that take no value.
SWITCHES = frozenset(
    """
    -force -recurse -passthru -verbose -confirm -whatif -nowait -wait -nonewline -append -asplaintext -usebasicparsing
    -nonewwindow -skipcertificatecheck -noclobber -asjob -usessl -runasadministrator -hidden -system -directory -file
    -allowclobber -skippublishercheck -acceptlicense -allowprerelease -online -all -norestart -includeallsubfeature
    -includemanagementtools -restart -noprofile -noninteractive -nologo -assecurestring -raw -leaf -parent -usedefaultcredentials
    -runnow -neverexpires -passwordneverexpires -nopassword -accountneverexpires -daily -weekly -once -atlogon -atstartup -usenewenvironment
    -expandproperty: -name: -disable -asarray -compress -persistent -resolve
    """.split()  # noqa: SIM905 - a table of words is read as words
)


def name_of(call: Call) -> str:
    return re.sub(r"(?i)\.exe$", "", re.split(r"[/\\]", call.words[0])[-1]).lower()


def parameter(words: tuple[str, ...], *names: str, place: int = -1) -> str:
    """The value of a parameter (``-Name x``), or the positional argument at ``place``."""
    index, plain = 0, []
    while index < len(words):
        word = words[index]
        if word.startswith("-") and len(word) > 1 and not word[1].isdecimal():
            lower = word.lower()
            if lower.lstrip("-") in names:
                return words[index + 1] if index + 1 < len(words) else ""
            index += 1 if lower in SWITCHES else 2
            continue
        plain.append(word)
        index += 1
    return plain[place] if 0 <= place < len(plain) else ""


def slashed(words: tuple[str, ...]) -> list[str]:
    """Words of a command of cmd.exe that are no switches."""
    return [word for word in words if not re.match(r"[/-][a-zA-Z?]", word)]


def elsewhere(words: tuple[str, ...]) -> str:
    """The other host on which a command acts: ``sc \\\\APP02 stop X``, ``shutdown /r /m \\\\APP02``; empty for this one."""
    name = re.sub(r"(?i)\.exe$", "", re.split(r"[/\\]", words[0])[-1]).lower()
    if name in ("sc", "psexec", "psexec64", "psservice"):
        return words[1].lstrip("\\") if len(words) > 1 and words[1].startswith("\\\\") else ""
    if name in ("shutdown", "taskkill", "schtasks"):
        flag = ("/m", "-m") if name == "shutdown" else ("/s",)
        at = next((index for index, word in enumerate(words[:-1]) if word.lower() in flag), -1)
        host = words[at + 1].lstrip("\\") if at > 0 else ""
        return host if not host.startswith("/") else ""
    if name in ("restart-computer", "stop-computer", "restart-service", "stop-service", "start-service", "get-service"):
        host = parameter(words[1:], "computername", "cn")
        return "" if host.lower() in ("localhost", ".") else host
    return ""
