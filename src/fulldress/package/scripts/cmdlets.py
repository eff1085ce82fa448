"""What a command of PowerShell does, in the words of the command that does the same.

``Invoke-RestMethod -Method Post -Uri U -Body B`` becomes ``curl -X POST U -d B``, so the rules for shell scripts hold;
cmdlets that have no such twin keep their own name and are judged by :mod:`.windows`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tree_sitter import Node

from fulldress.package.scripts.follower import Value, file_name, text_of, words_of
from fulldress.package.scripts.values import HERE, hole, is_constant
from fulldress.package.scripts.windowswords import SWITCHES

if TYPE_CHECKING:
    from fulldress.package.scripts.powershellvalues import Values

#: Names that PowerShell gives to its cmdlets from the start (Get-Alias).
ALIASES = {
    "iwr": "invoke-webrequest", "irm": "invoke-restmethod", "iex": "invoke-expression", "icm": "invoke-command",
    "sasv": "start-service", "spsv": "stop-service", "rm": "remove-item", "del": "remove-item", "ri": "remove-item",
    "rd": "remove-item", "rmdir": "remove-item", "erase": "remove-item", "copy": "copy-item", "cp": "copy-item",
    "cpi": "copy-item", "mv": "move-item", "move": "move-item", "mi": "move-item", "md": "new-item", "mkdir": "new-item",
    "ni": "new-item", "sp": "set-itemproperty", "rp": "remove-itemproperty", "gci": "get-childitem", "ls": "get-childitem",
    "dir": "get-childitem", "saps": "start-process", "start": "start-process", "cat": "get-content", "gc": "get-content",
    "type": "get-content", "echo": "write-output", "write": "write-output", "gsv": "get-service", "spps": "stop-process",
    "kill": "stop-process", "ac": "add-content", "nsn": "new-pssession", "etsn": "enter-pssession", "ipmo": "import-module",
    "gwmi": "get-wmiobject", "ren": "rename-item", "rni": "rename-item", "where": "where-object", "foreach": "foreach-object",
    "select": "select-object", "%": "foreach-object", "?": "where-object", "sleep": "start-sleep",
}  # fmt: skip
_HTTP = {"invoke-webrequest": "GET", "invoke-restmethod": "GET", "start-bitstransfer": "GET"}
#: Cmdlets that take what flows through the pipe as the thing they act upon.
_TAKE = frozenset(
    """
    remove-item stop-service start-service restart-service set-service stop-process uninstall-package out-file set-content
    add-content invoke-expression remove-itemproperty unregister-scheduledtask disable-scheduledtask remove-service
    remove-localuser restart-computer set-itemproperty
    """.split()  # noqa: SIM905 - a table of words is read as words
)
_CONTENT = frozenset({"out-file", "set-content", "add-content"})
_SAME = frozenset({"where-object", "sort-object", "select-object", "tee-object", "write-output", "out-string"})
#: Steps of which a later one surely wants to know whether they worked.
_MATTERS = re.compile(
    r"(?i)^(stop-service|start-service|restart-service|start-process|install-\w+|copy-item|move-item|invoke-sqlcmd|expand-archive|"
    r"backup-\w+|restore-\w+|invoke-webrequest|set-service|invoke-command)$"
)


def follow(script: Values, node: Node, fed: Value, before: str) -> Value:
    """Follows one command; what it gives to the next of the pipeline."""
    named = node.child_by_field_name("command_name")
    elements = node.child_by_field_name("command_elements")
    operator = next((script.raw(c) for c in node.named_children if c.type == "command_invokation_operator"), "")
    name = text_of(script.value(named)) if named is not None else ""
    line, row = script.line(node), script.raw(node)
    named_values, given, words, redirections = _elements(script, elements)
    for redirection in redirections:
        script.redirect(node, redirection, None)
    lower = name.lower()
    if operator == "." and (name.startswith((".", HERE)) or lower.endswith(".ps1")):
        script.source(name, line)
        return None
    if lower in script.functions:
        return _function(script, lower, given, named_values)
    if lower == "sc" and not (given and str(given[0]).lower() in ("stop", "start", "config", "create", "delete", "failure", "query", "sdset", "description")):  # fmt: skip
        lower = "set-content"
    cmdlet = ALIASES.get(lower, lower)
    if lower in ("curl", "wget") and any(word.lower() in ("-uri", "-outfile", "-usebasicparsing") for word in words):
        cmdlet = "invoke-webrequest"
    if cmdlet in ("foreach-object", "where-object") and isinstance(fed, str | list):
        _each(script, elements, fed if cmdlet == "foreach-object" else None)
        return fed
    takes = cmdlet in _TAKE - _CONTENT and not given and not {"name", "path", "literalpath"} & named_values.keys()
    if fed is not None and takes:
        given, words = [fed], (*words_of(fed), *words)
    quiet = text_of(named_values.get("erroraction", named_values.get("ea", ""))).lower()
    if quiet in ("silentlycontinue", "ignore", "0", "continue") and quiet != "continue" and _MATTERS.match(cmdlet):
        script.swallowed(line, row, row.split("\n", 1)[0], f"-ErrorAction {quiet}")
    return _done(script, node, cmdlet, name, given, named_values, words, fed)


def _elements(script: Values, node: Node | None) -> tuple[dict[str, Value], list[Value], tuple[str, ...], list[Node]]:
    """Named arguments (names without dash, lower case), the others, all of them as words, and redirections."""
    named: dict[str, Value] = {}
    given: list[Value] = []
    words: list[str] = []
    redirections: list[Node] = []
    pending = ""
    for child in node.named_children if node is not None else ():
        if child.type == "command_argument_sep":
            continue
        if child.type == "redirection":
            redirections.append(child)
        elif child.type == "command_parameter":
            pending = script.raw(child).rstrip(":")
            words.append(pending)
            named[pending.lstrip("-").lower()] = "True"
            if pending.lower() in SWITCHES:
                pending = ""
        else:
            if script.raw(child).startswith("@") and not script.raw(child).startswith(("@(", "@{", "@'", '@"')):
                table = script.value(child)
                if isinstance(table, dict):
                    for key, item in table.items():
                        named[key] = item
                        words += [f"-{key}", *words_of(item)]
                    continue
                if isinstance(table, list):
                    given += table
                    words += list(words_of(table))
                    continue
            value = script.value(child)
            if pending:
                named[pending.lstrip("-").lower()] = value
                pending = ""
            else:
                given.append(value)
            words += list(words_of(value)) if value is not None else [hole("a value")]
    return named, given, tuple(words), redirections


def _function(script: Values, name: str, given: list[Value], named: dict[str, Value]) -> Value:
    from fulldress.package.scripts.powershell import _Script

    return script.function(name, given, named) if isinstance(script, _Script) else None


def _each(script: Values, elements: Node | None, items: Value) -> None:
    for child in elements.named_children if elements is not None else ():
        if child.type == "command_argument_sep":
            continue
        for item in (items if isinstance(items, list) else [items])[:32]:
            script.names["_"] = item if item is not None else hole("_")
            script.value(child)


def _first(given: list[Value], named: dict[str, Value], *names: str, place: int = 0) -> str:
    for name in names:
        if name in named:
            return text_of(named[name])
    return text_of(given[place]) if len(given) > place else ""


def _done(
    script: Values, node: Node, cmdlet: str, name: str, given: list[Value], named: dict[str, Value], words: tuple[str, ...], fed: Value
) -> Value:  # fmt: skip
    line, row = script.line(node), script.raw(node)
    if cmdlet in _HTTP:
        return _request(script, line, row, cmdlet, given, named)
    if cmdlet == "new-object":
        kind = _first(given, named, "typename").lower().removeprefix("system.")
        arguments = named.get("argumentlist", given[1] if len(given) > 1 else None)
        items = arguments if isinstance(arguments, list) else [arguments] if arguments is not None else given[1:]
        if kind.endswith("tcpclient") and len(items) > 1:
            script.emit(line, row, ("nc", text_of(items[0]), text_of(items[1])))
        elif kind.endswith(("smtpclient", "mail.smtpclient")) and items:
            script.emit(line, row, ("swaks", "--server", text_of(items[0])))
        return {"@type": kind, "@1": items[0] if items else None}
    if cmdlet == "join-path":
        parts = [_first(given, named, "path"), _first(given, named, "childpath", place=0 if "path" in named else 1)]
        parts += [text_of(item) for item in given[2:]]
        return "\\".join(
            part.rstrip("\\/") if number == 0 else part.strip("\\/") for number, part in enumerate(parts) if part
        )
    if cmdlet == "split-path":
        return HERE if "MyInvocation" in row or "PSCommandPath" in row else hole(row[:60])
    if cmdlet == "invoke-expression":
        text = _first(given, named, "command") or text_of(fed)
        script.emit(line, row, ("invoke-expression", text))
        if is_constant(text) or not text.strip().startswith("\ue000"):
            script._nested("powershell", text, line)
        return None
    if cmdlet == "start-process":
        arguments = named.get("argumentlist", named.get("args", given[1] if len(given) > 1 else None))
        program = _first(given, named, "filepath")
        split: list[str] = []
        for item in arguments if isinstance(arguments, list) else [arguments] if arguments is not None else []:
            split += _split(text_of(item))
        if text_of(named.get("verb")).lower() == "runas":
            script.emit(line, row, ("start-process", "-verb", "runas", program, *split))
        script.run(line, row, (program, *split))
        return {"@type": "diagnostics.process"}
    if cmdlet in ("invoke-command", "new-pssession", "enter-pssession", "invoke-wmimethod", "new-cimsession", "get-wmiobject", "test-netconnection", "test-connection"):  # fmt: skip
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
        return None
    if cmdlet == "send-mailmessage":
        server = text_of(named.get("smtpserver", ""))
        if server:
            script.emit(
                line, row, ("swaks", "--server", server, *(("-p", text_of(named["port"])) if "port" in named else ()))
            )
        return None
    if cmdlet == "invoke-sqlcmd":
        query = text_of(named.get("query", given[0] if given else ""), "SQL")
        host, user = text_of(named.get("serverinstance", "")), text_of(named.get("username", ""))
        password = text_of(named.get("password", ""))
        options = [
            *(("-S", host) if host else ()),
            *(("-U", user) if user else ()),
            *(("-P", password) if password else ()),
        ]
        script.emit(line, row, ("sqlcmd", *options, "-Q", query))
        return None
    if cmdlet in _CONTENT:
        path = _first(given, named, "filepath", "path", "literalpath")
        value = named.get("value", fed if fed is not None else given[1] if len(given) > 1 else None)
        content = (
            "\n".join(text_of(item) for item in value)
            if isinstance(value, list)
            else text_of(value)
            if value is not None
            else None
        )
        script.write(line, row, path, content, append=cmdlet == "add-content" or "append" in named)
        return None
    if cmdlet == "get-content":
        path = _first(given, named, "path", "literalpath")
        found = script.sibling(path) if path else None
        return (
            found.text
            if found is not None and found.kept and found.size < 100_000
            else hole(f"$(Get-Content {path})"[:80])
        )
    if cmdlet in ("get-service", "get-childitem", "get-item", "get-scheduledtask", "get-process", "get-localuser"):
        target = (
            given[0]
            if given
            else next((named[key] for key in ("name", "path", "literalpath", "taskname") if key in named), None)
        )
        if isinstance(target, str) and cmdlet == "get-childitem":
            return target.rstrip("\\/") + "\\*"
        return target
    if cmdlet in _SAME:
        return fed if fed is not None else given[0] if given else None
    if cmdlet == "import-module" and (path := _first(given, named, "name")).lower().endswith((".psm1", ".ps1")):
        script.source(path, line)
        return None
    if cmdlet == "convertto-json":
        return _json(fed if fed is not None else given[0] if given else None)
    if cmdlet == "convertto-securestring":
        text = _first(given, named, "string") or text_of(fed)
        if "asplaintext" in named:
            script.emit(line, row, ("convertto-securestring", text))
        return hole("a secure string")
    if cmdlet.startswith("new-scheduledtask"):
        shown = {key: text_of(value) for key, value in named.items()}
        return {"@type": cmdlet, **shown}
    if cmdlet in ("register-scheduledtask", "set-scheduledtask", "register-scheduledjob"):
        return _task(script, line, row, cmdlet, given, named)
    if re.search(r"[-]", cmdlet) and re.fullmatch(r"[a-z]+-[\w]+", cmdlet) and "." not in cmdlet:
        script.emit(line, row, (name if cmdlet == name.lower() else cmdlet, *words))
        return hole(f"$({name})"[:60])
    script.run(line, row, ("shutdown.exe" if cmdlet == "shutdown" else name, *words))
    return hole(f"$({name})"[:60])


def _request(script: Values, line: int, row: str, cmdlet: str, given: list[Value], named: dict[str, Value]) -> Value:
    url = _first(given, named, "uri", "source")
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


def _task(script: Values, line: int, row: str, cmdlet: str, given: list[Value], named: dict[str, Value]) -> Value:
    """A scheduled task in the words of ``schtasks /create``."""
    name = _first(given, named, "taskname", "name")
    action, trigger = named.get("action"), named.get("trigger")
    action = action[0] if isinstance(action, list) and action else action
    trigger = trigger[0] if isinstance(trigger, list) and trigger else trigger
    command = ""
    if isinstance(action, dict):
        command = f"{text_of(action.get('execute', ''))} {text_of(action.get('argument', ''))}".strip()
    rhythm: tuple[str, ...] = ()
    if isinstance(trigger, dict):
        kind = next((key for key in ("daily", "weekly", "once", "atlogon", "atstartup") if key in trigger), "")
        at = _clock(text_of(trigger.get("at", "")))
        words = {"atlogon": "onlogon", "atstartup": "onstart"}.get(kind, kind)
        rhythm = (*(("/sc", words) if words else ()), *(("/st", at) if at else ()))
    user = text_of(named.get("user", ""))
    principal = named.get("principal")
    if isinstance(principal, dict):
        user = user or text_of(principal.get("userid", principal.get("groupid", "")))
    if cmdlet == "set-scheduledtask" and not (rhythm or command):
        return None
    script.emit(line, row, ("schtasks", "/create", "/tn", name, *rhythm, *(("/tr", command) if command else ()), *(("/ru", user) if user else ())))  # fmt: skip
    return None


def _clock(text: str) -> str:
    """``3am``, ``3:30 PM``, ``03:00`` as ``HH:MM``."""
    match = re.fullmatch(r"(?i)\s*(\d{1,2})(?::(\d\d))?(?::\d\d)?\s*(am|pm)?\s*", text)
    if not match or (not match[2] and not match[3]):
        return text
    hour = int(match[1]) % 12 + (12 if match[3].lower() == "pm" else 0) if match[3] else int(match[1])
    return f"{hour:02d}:{match[2] or '00'}"


def _json(value: Value) -> Value:
    if isinstance(value, dict):
        return json.dumps({key: text_of(item) for key, item in value.items()})
    return value


def _split(text: str) -> list[str]:
    """An argument list of one text, as Windows cuts it: quotes hold together, a backslash is no escape."""
    return [
        found[1] if found[1] is not None else found[2]
        for found in re.finditer(r'"([^"]*)"|((?:[^\s"]|"[^"]*")+)', text)
    ]
