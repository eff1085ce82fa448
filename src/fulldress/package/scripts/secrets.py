"""Secrets that stand in a script. Their values are learnt only to be masked; a fact holds kind and name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Secret, Witness, is_secret_name
from fulldress.package.scripts import windowsaccess
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Write
from fulldress.package.scripts.rule import Context, option
from fulldress.package.scripts.values import is_constant
from fulldress.package.scripts.windowswords import name_of
from fulldress.patterns import regex

_SHAPES = (
    ("private key", regex(r"-----BEGIN (?:\w+ )?PRIVATE KEY-----")),
    ("AWS access key", regex(r"\bAKIA[0-9A-Z]{16}\b")),
    (
        "access token",
        regex(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|sk_live_\w{10,})"),
    ),
    ("JSON web token", regex(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*")),
)
#: ``Server=db;User Id=app;Password=…``, as ADO.NET, ODBC and OLE DB take it.
_CONNECTION = regex(r"(?i)(?:^|[;'\"])\s*(?:password|pwd)\s*=\s*['{]?([^;'\"{}\ue000]{4,})")
_SERVER = regex(r"(?i)(?:^|[;'\"])\s*(?:server|data source|host|addr|address|user id|uid|driver)\s*=")
#: Values that are no secret though the name says so: switches, places, and words for "none".
_HARMLESS = regex(
    r"(?i)(true|false|yes|no|on|off|none|null|unset|ask|prompt|auto|\d{1,3}|[~./].*|[a-z]+://[^@]*|.*\s.*|-.*|)"
)


def learn(event: AnyEvent, context: Context) -> None:
    """Takes note of the secrets in ``event``, before any fact is worded."""
    context.secrets.update(value for _, _, value in _found(event) if len(value) >= 4 and is_constant(value))
    if isinstance(event, Call):  # those that :mod:`.windows` tells
        spoken = windowsaccess.secrets(name_of(event), event.arguments)
        context.secrets.update(value for _, value in spoken if len(value) >= 4 and is_constant(value))


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    for kind, name, value in _found(event):
        if value:
            if len(value) < 4 or not is_constant(value):
                continue
            context.secrets.add(value)
        yield Secret(witness=Witness.READ, evidence=context.evidence(event), kind=kind, name=context.words(name, 60))


def _found(event: AnyEvent) -> Iterator[tuple[str, str, str]]:
    if isinstance(event, Assign):
        yield from _assigned(event.name, event.value)
        yield from _shaped(event.value, event.name)
    elif isinstance(event, Write):
        yield from _shaped(event.content or "", event.path.rsplit("/", 1)[-1])
        for row in (event.content or "").split("\n"):
            match = re.match(r"""\s*(?:export\s+)?["']?([\w.\-]+)["']?\s*[:=]\s*["']?([^\s"',]+)""", row)
            if match and not row.lstrip().startswith("#"):
                yield from _assigned(match[1], match[2])
    elif isinstance(event, Call):
        yield from _of_call(event)


def _assigned(name: str, value: str) -> Iterator[tuple[str, str, str]]:
    ends = re.search(
        r"(?i)(file|path|dir|url|name|prompt|len|length|min|max|ttl|expiry|cmd|type|hash|policy|_id|var)$", name
    )
    if (
        re.fullmatch(r"_*[A-Z]+(?:_[A-Z]+)+_*", value)
        and value.strip("_").split("_")[0] == name.strip("_").split("_")[0]
    ):
        return  # SCRIPT_TOKEN = "SCRIPT_FILENAME": a mark in a template, named like what holds it
    if is_secret_name(name) and not ends and name not in ("PWD", "OLDPWD", "pwd") and not _HARMLESS.fullmatch(value):
        yield "password" if re.search(r"(?i)pass|pwd", name) else "secret", name, value


def _shaped(text: str, name: str) -> Iterator[tuple[str, str, str]]:
    for kind, pattern in _SHAPES:
        match = pattern.search(text)
        if match:
            yield kind, name, "" if kind == "private key" else match[0]
    if (match := _CONNECTION.search(text)) and _SERVER.search(text) and not _HARMLESS.fullmatch(match[1]):
        yield "password", f"connection string {name}".strip(), match[1]


def _of_call(call: Call) -> Iterator[tuple[str, str, str]]:
    name, words = re.sub(r"(?i)\.exe$", "", call.name.rsplit("\\", 1)[-1]), call.arguments
    for variable, value in call.environment:
        yield from _assigned(variable, value)
    if name in ("mysql", "mysqldump", "mariadb", "mysqladmin", "mariadb-dump"):
        value = next((word[2:] for word in words if re.match(r"-p.", word)), "") or option(words, "--password")
        yield from _plain("password", f"{name} -p", value)
    elif name == "sshpass":
        yield from _plain("password", "sshpass -p", option(words, "-p"))
    elif name in ("curl", "wget", "http"):
        user = option(words, "-u", "--user") if name == "curl" else option(words, "--password", "--http-password")
        yield from _plain("password", f"{name} login", user.partition(":")[2] if name == "curl" else user)
        for index, word in enumerate(words[:-1]):
            if word in ("-H", "--header"):
                match = re.match(
                    r"(?i)(authorization|[\w-]*(?:token|api-?key|secret))\s*:\s*(?:bearer |basic |token )?(.*)",
                    words[index + 1],
                )
                if match:
                    yield from _plain("token", f"header {match[1]}", match[2].strip())
    elif name in ("redis-cli", "sqlcmd", "ldapsearch"):
        yield from _plain(
            "password", name, option(words, {"redis-cli": "-a", "sqlcmd": "-P", "ldapsearch": "-w"}[name])
        )
    elif name in ("chpasswd", "passwd") and call.stdin:
        for row in call.stdin.split("\n"):
            account, colon, value = row.partition(":")
            if colon and value and not value.startswith("\ue000"):
                yield from _plain("password", f"account {account}", value)
    elif name in ("psql", "mysql", "mariadb", "sqlite3", "sudo", "su"):
        pass
    for text in (*words, call.stdin or ""):
        match = re.search(r"(?i)\b(?:identified by|password)\s+'([^'\ue000]{4,})'", text)
        if match:
            yield "password", "in an SQL statement", match[1]
        match = re.search(r"(?i)[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:([^\s/@'\"\ue000]{3,})@", text)
        if match:
            yield "password", "in an address", match[1]
        if not (name == "echo" and "PRIVATE KEY" in text and len(text) < 80):
            yield from _shaped(text, name)
    for word in words:
        match = re.match(r"--([\w-]+)=(.+)", word, re.S)
        if match and name not in ("mysql", "mysqldump", "mysqladmin", "curl", "wget"):
            yield from _assigned(match[1], match[2])


def _plain(kind: str, name: str, value: str) -> Iterator[tuple[str, str, str]]:
    if value and is_constant(value) and not value.startswith(("@", "file:", "env:")) and value not in ("-", "*"):
        yield kind, name, value
