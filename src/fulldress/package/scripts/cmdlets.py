"""What a command of PowerShell does, in the words of the command that does the same.

``Invoke-RestMethod -Method Post -Uri U -Body B`` becomes ``curl -X POST U -d B``, so the rules for shell scripts hold;
cmdlets that have no such twin keep their own name and are judged by :mod:`.windows`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tree_sitter import Node

from fulldress.package.scripts import powershellheed, powershellhosts, powershellmethods, powershelltasks
from fulldress.package.scripts.cmdletarguments import argument, arguments_of
from fulldress.package.scripts.follower import Value, text_of
from fulldress.package.scripts.timespans import iso
from fulldress.package.scripts.values import HERE, hole, is_constant, show
from fulldress.patterns import regex

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
_CMDLET = regex(r"[a-z]+-\w+")


def follow(script: Values, node: Node, fed: Value, before: str) -> Value:
    """Follows one command; what it gives to the next of the pipeline."""
    named = node.child_by_field_name("command_name")
    elements = node.child_by_field_name("command_elements")
    operator = next((script.raw(c) for c in node.named_children if c.type == "command_invokation_operator"), "")
    inner = (
        named.named_children[0]
        if named is not None and named.type == "command_name_expr" and named.named_children
        else None
    )
    if inner is not None and inner.type == "script_block_expression":  # & { … }
        script.follow(inner)
        return None
    if inner is not None and inner.type in (
        "parenthesized_expression",
        "sub_expression",
        "member_access",
        "element_access",
    ):
        named = inner
    name = text_of(script.value(named)) if named is not None else ""
    line, row = script.line(node), script.raw(node)
    joined = bool(_CMDLET.fullmatch(ALIASES.get(name.lower(), name.lower())))
    kept = script.trail.when
    if ALIASES.get(name.lower(), name.lower()) == "invoke-command" and (
        host := powershellhosts.remote(script, elements)
    ):
        script.trail.when = f"on host {show(host)}"
    try:
        named_values, given, words, redirections = arguments_of(script, elements, joined=joined)
    finally:
        script.trail.when = kept
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
        given, words = [fed], (text_of(fed), *words)
    powershellheed.silenced(script, line, row, cmdlet, named_values)
    return _done(script, node, cmdlet, name, given, named_values, words, fed)


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


def _done(
    script: Values, node: Node, cmdlet: str, name: str, given: list[Value], named: dict[str, Value], words: tuple[str, ...], fed: Value
) -> Value:  # fmt: skip
    line, row = script.line(node), script.raw(node)
    if cmdlet in powershellhosts.REQUESTS:
        return powershellhosts.request(script, line, row, cmdlet, given, named)
    if cmdlet == "new-object":
        kind = argument(given, named, "typename").lower().removeprefix("system.")
        arguments = named.get("argumentlist", given[1] if len(given) > 1 else None)
        items = arguments if isinstance(arguments, list) else [arguments] if arguments is not None else given[1:]
        if kind.endswith("tcpclient") and len(items) > 1:
            script.emit(line, row, ("nc", text_of(items[0]), text_of(items[1])))
        elif kind.endswith(("smtpclient", "mail.smtpclient")) and items:
            script.emit(line, row, ("swaks", "--server", text_of(items[0])))
        return {"@type": kind, "@1": items[0] if items else None}
    if cmdlet == "join-path":
        parts = [argument(given, named, "path"), argument(given, named, "childpath", place=0 if "path" in named else 1)]
        parts += [text_of(item) for item in given[2:]]
        return "\\".join(
            part.rstrip("\\/") if number == 0 else part.strip("\\/") for number, part in enumerate(parts) if part
        )
    if cmdlet == "split-path":
        return HERE if "MyInvocation" in row or "PSCommandPath" in row else hole(row[:60])
    if cmdlet == "invoke-expression":
        text = argument(given, named, "command") or text_of(fed)
        script.emit(line, row, ("invoke-expression", text))
        if is_constant(text) or not text.strip().startswith("\ue000"):
            script.nested("powershell", text, line)
        return None
    if cmdlet == "start-process":
        arguments = named.get("argumentlist", named.get("args", given[1] if len(given) > 1 else None))
        program = argument(given, named, "filepath")
        split: list[str] = []
        for item in arguments if isinstance(arguments, list) else [arguments] if arguments is not None else []:
            split += _split(text_of(item))
        if text_of(named.get("verb")).lower() == "runas":
            script.emit(line, row, ("start-process", "-verb", "runas", program, *split))
        script.run(line, row, (program, *split), **powershellheed.of_process(script, node, named))
        return {"@type": "diagnostics.process"}
    if cmdlet in ("get-wmiobject", "get-ciminstance") and "computername" not in named:
        return {"@type": "an object of WMI", "filter": named.get("filter", named.get("query", ""))}
    if cmdlet == "invoke-cimmethod" and isinstance(fed, dict) and "filter" in fed:
        named = {**fed, **named}
    if cmdlet == "invoke-cimmethod" and (service := powershellmethods.service_of(named)):
        action = text_of(named.get("methodname", "")).lower()
        if action in ("stopservice", "startservice"):
            script.emit(line, row, (f"{action.removesuffix('service')}-service", service))
            return None
    if cmdlet in powershellhosts.REACHES:
        powershellhosts.reached(
            script, line, row, cmdlet, given, named, **powershellheed.of_cmdlet(script, cmdlet, named)
        )
        return named.get("computername", named.get("hostname")) if cmdlet == "new-pssession" else None
    if cmdlet in _CONTENT:
        path = argument(given, named, "filepath", "path", "literalpath")
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
        path = argument(given, named, "path", "literalpath")
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
        if isinstance(target, str) and re.search(r"(?i)\\Reboot(?:Required|Pending)", target):
            script.emit(line, row, (cmdlet, target))
        if isinstance(target, str) and cmdlet == "get-childitem":
            return target.rstrip("\\/") + "\\*"
        return target
    if cmdlet in _SAME:
        return fed if fed is not None else given[0] if given else None
    if cmdlet == "import-module" and (path := argument(given, named, "name")).lower().endswith((".psm1", ".ps1")):
        script.source(path, line)
        return None
    if cmdlet == "convertto-json":
        return _json(fed if fed is not None else given[0] if given else None)
    if cmdlet == "convertto-securestring":
        text = argument(given, named, "string") or text_of(fed)
        if "asplaintext" in named:
            script.emit(line, row, ("convertto-securestring", text))
        return hole("a secure string")
    if cmdlet == "new-timespan":
        units = (text_of(named.get(unit, "0")) for unit in ("days", "hours", "minutes", "seconds"))
        return iso(*(int(unit) if unit.isdecimal() and len(unit) < 8 else 0 for unit in units))
    if powershelltasks.PARTS.fullmatch(cmdlet):
        return powershelltasks.part(cmdlet, given, named)
    if cmdlet in powershelltasks.REGISTERS:
        return powershelltasks.registered(script, line, row, cmdlet, given, named, fed)
    if cmdlet in powershelltasks.CHANGES:
        powershelltasks.changed(script, line, row, cmdlet, given, named)
        return None
    if _CMDLET.fullmatch(cmdlet):
        heed = powershellheed.of_cmdlet(script, cmdlet, named)
        script.emit(line, row, (name if cmdlet == name.lower() else cmdlet, *words), **heed)
        return hole(f"$({name})"[:60])
    heed = powershellheed.of_program(script, node, name)
    script.run(line, row, ("shutdown.exe" if cmdlet == "shutdown" else name, *words), **heed)
    return hole(f"$({name})"[:60])


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
