"""Rights that a command of Windows takes or gives, accounts that it makes, passwords in its words, hosts that it reaches."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.package.scripts.addresses import address, looks_remote
from fulldress.package.scripts.windowswords import parameter
from fulldress.patterns import regex

_ADMINISTRATORS = regex(r"(?i)^(administrators|administratoren|domain admins|remote desktop users|s-1-5-32-544)$")
EVERYBODY = regex(
    r"(?i)^(\*?s-1-1-0|everyone|jeder|users|authenticated users|builtin\\users|\*?s-1-5-32-545|\*?s-1-5-11)(:|$)"
)


def rights(name: str, words: tuple[str, ...]) -> Iterator[str]:
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
            "everybody may write" for word in words if EVERYBODY.match(word) and re.search(r"(?i):\(?.*[fmw]", word)
        )


def accounts(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
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


def secrets(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
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


def hosts(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, str, int | None]]:
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
