"""Cmdlets of PowerShell that reach another host: requests, sessions, mail, SQL Server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tree_sitter import Node

from fulldress.package.scripts.cmdletarguments import argument
from fulldress.package.scripts.follower import Value, file_name, text_of, words_of
from fulldress.package.scripts.values import hole, is_constant

if TYPE_CHECKING:
    from fulldress.package.scripts.powershellvalues import Values

#: Cmdlets that fetch or send over HTTP.
REQUESTS = frozenset({"invoke-webrequest", "invoke-restmethod", "start-bitstransfer"})
_REMOTE = frozenset(
    """
    invoke-command new-pssession enter-pssession invoke-wmimethod new-cimsession get-wmiobject test-netconnection
    test-connection
    """.split()  # noqa: SIM905 - a table of words is read as words
)
#: Cmdlets that reach a host by other means.
REACHES = _REMOTE | {"send-mailmessage", "invoke-sqlcmd"}


def remote(script: Values, elements: Node | None) -> str:
    """Where the script block of ``Invoke-Command`` runs: its hosts, the session's name; empty for here."""
    asked = False
    for child in elements.named_children if elements is not None else ():
        if child.type == "command_parameter":
            name = script.raw(child).lower().lstrip("-")
            asked = name in ("computername", "cn", "hostname", "session", "vmname", "containerid")
        elif asked and child.type != "command_argument_sep":
            value = script.value(child)
            host = text_of(value, script.raw(child).lstrip("$"))
            return "" if host.lower() in ("localhost", ".") else host
    return ""


def request(script: Values, line: int, row: str, cmdlet: str, given: list[Value], named: dict[str, Value]) -> Value:
    url = argument(given, named, "uri", "source")
    method = text_of(named.get("method", named.get("custommethod", "GET"))).upper()
    words = ["curl", "-X", method]
    headers = named.get("headers")
    for key, value in headers.items() if isinstance(headers, dict) else ():
        words += ["-H", f"{key}: {text_of(value)}"]
    body = named.get("body")
    if body is not None:
        words += [
            "-d",
            json.dumps({k: text_of(v) for k, v in body.items()}) if isinstance(body, dict) else text_of(body),
        ]
    target = text_of(named.get("outfile", named.get("destination", given[1] if cmdlet == "start-bitstransfer" and len(given) > 1 else "")))  # fmt: skip
    if target:
        words += ["-o", target]
        script.trail.fetched[file_name(target)] = url
    if "skipcertificatecheck" in named:
        words.append("--insecure")
    script.emit(line, row, (*words, url))
    return hole(f"$(curl {url})") if is_constant(url) else hole("$(curl …)")


def reached(
    script: Values,
    line: int,
    row: str,
    cmdlet: str,
    given: list[Value],
    named: dict[str, Value],
    *,
    unheard: bool = False,
) -> None:
    """Whom a cmdlet of :data:`REACHES` reaches."""
    if cmdlet == "invoke-wmimethod" and (method := text_of(named.get("name", ""))):
        script.emit(line, row, (cmdlet, method))
    if cmdlet in _REMOTE:
        ssl = "usessl" in named
        for host in words_of(named.get("computername", named.get("hostname", named.get("cn", [])))):
            user = text_of(named.get("username", ""))
            scheme = "ssh" if "hostname" in named else "nc" if cmdlet == "test-netconnection" else "winrm"
            port = text_of(named.get("port", "")) or ("5986" if ssl else "5985")
            if host.lower() in ("localhost", ".", "$env:computername"):
                continue
            if scheme == "ssh":
                script.emit(line, row, ("ssh", *(("-l", user) if user else ()), host))
            elif scheme == "nc":
                script.emit(line, row, ("nc", host, *((text_of(named["port"]),) if "port" in named else ())))
            else:
                script.emit(line, row, ("winrm", "-r", host, port))
    elif cmdlet == "send-mailmessage":
        server = text_of(named.get("smtpserver", ""))
        if server:
            script.emit(
                line, row, ("swaks", "--server", server, *(("-p", text_of(named["port"])) if "port" in named else ()))
            )
    elif cmdlet == "invoke-sqlcmd":
        query = text_of(named.get("query", given[0] if given else ""), "SQL")
        host, user = text_of(named.get("serverinstance", "")), text_of(named.get("username", ""))
        password = text_of(named.get("password", ""))
        options = [
            *(("-S", host) if host else ()),
            *(("-U", user) if user else ()),
            *(("-P", password) if password else ()),
        ]
        file = text_of(named.get("inputfile", ""))
        words = ("-i", file) if file else ("-Q", query)
        script.emit(line, row, ("sqlcmd", *options, *words), unheard=unheard)
