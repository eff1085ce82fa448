"""Methods of .NET that PowerShell calls: what a method gives, and the event of what it does.

``[IO.File]::WriteAllText(p, t)`` is a file that is written, ``$client.DownloadFile(u, p)`` is ``curl -o p u``.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from tree_sitter import Node

from fulldress.package.scripts.follower import Value, file_name, text_of
from fulldress.package.scripts.timespans import iso
from fulldress.package.scripts.values import clean, hole, is_constant
from fulldress.patterns import regex

if TYPE_CHECKING:
    from fulldress.package.scripts.powershellvalues import Values

_LATER = regex(r"add(seconds|minutes|hours|days)")


def invoked(script: Values, node: Node) -> Value:
    """A method: what it gives, and the event of what it does."""
    parts = node.named_children
    arguments = next((c for c in parts if c.type == "argument_list"), None)
    member = next((c for c in parts[1:] if c.type == "member_name"), None)
    return _called(script, node, parts[0], script.raw(member).lower() if member is not None else "", arguments)


def of_argument(script: Values, node: Node, arguments: Node) -> Value:
    """``(New-Object X).Method(…)`` where an argument stands: the grammar puts the list beside the method's name."""
    inner = access(node)
    if inner is None:
        return script.value(node)
    return _called(script, node, inner.named_children[0], script.raw(inner.named_children[-1]).lower(), arguments)


def access(node: Node) -> Node | None:
    """The ``X.Name`` that an argument is and no more."""
    while node.type != "member_access" and node.named_child_count == 1:
        node = node.named_children[0]
    return node if node.type == "member_access" else None


def _called(script: Values, node: Node, owner_node: Node, method: str, arguments: Node | None) -> Value:
    given: list[Value] = []
    if arguments is not None:
        for child in arguments.named_children:
            value = script.value(child)
            given += value if isinstance(value, list) else [value]
    if owner_node.type == "type_literal":
        owner: Value = None
        kind = script.raw(owner_node).strip("[] ").lower().removeprefix("system.")
    else:
        owner = script.value(owner_node)
        kind = text_of(owner.get("@type")) if isinstance(owner, dict) and "@type" in owner else ""
    line, row = script.line(node), script.raw(node)
    first = text_of(given[0]) if given else ""
    if kind == "convert" and method == "frombase64string":
        return _decoded(first)
    if kind == "convert" and method == "tobase64string":
        wide = "utf-16-le" if is_constant(first) else ""
        return base64.b64encode(first.encode(wide)).decode() if wide else hole("an encoded text")
    if kind.startswith("text.encoding") or (owner_node.type == "member_access" and method == "getstring"):
        return first
    if kind == "string" and method == "format":
        return formatted(first, given[1:])
    if kind == "timespan" and method in ("fromdays", "fromhours", "fromminutes", "fromseconds"):
        return (
            iso(**{method.removeprefix("from"): int(first)})
            if first.isdecimal() and len(first) < 8
            else hole("a time span")
        )
    if (later := _LATER.fullmatch(method)) and re.fullmatch(
        r"(?is)\(\s*get-date\s*\)|\[(?:system\.)?datetime\]::now", script.raw(owner_node)
    ):
        return hole(f"(Get-Date) + {first} {later[1]}") if first.isdecimal() else hole(script.raw(node)[:60])
    if kind == "io.path" and method == "combine":
        return "\\".join(text_of(item).rstrip("\\") for item in given)
    if method in ("downloadstring", "downloaddata", "getstringasync", "openread"):
        script.emit(line, row, ("curl", first))
        return hole(f"$(curl {first})") if is_constant(first) else hole("$(curl …)")
    if method in ("downloadfile", "downloadfileasync", "downloadfiletaskasync"):
        target = text_of(given[1]) if len(given) > 1 else ""
        script.emit(line, row, ("curl", "-o", target, first))
        script.trail.fetched[file_name(target)] = first
        return None
    if method in ("uploadstring", "uploaddata", "uploadfile", "uploadvalues", "postasync"):
        data = [text_of(item) for item in given[1:]]
        script.emit(line, row, ("curl", "-X", "POST", first, "-d", data[-1] if data else ""))
        return hole("$(curl …)")
    if kind.endswith("webrequest") and method == "create":
        script.emit(line, row, ("curl", first))
        return {"@type": "webrequest"}
    if kind.endswith(("net.sockets.tcpclient", "tcpclient")) and method in ("connect", "new") and len(given) > 1:
        script.emit(line, row, ("nc", first, text_of(given[1])))
    elif kind == "io.file" or kind == "io.directory":
        _file_method(script, line, row, method, given)
    elif kind.endswith("process") and method == "start" and given:
        words = (first, *(word for item in given[1:] for word in text_of(item).split()))
        script.run(line, row, words)
    elif (kind == "environment" and method == "exit") or method == "setshouldexit":
        script.emit(line, row, ("exit", first or "0"))
    elif kind == "io.path" and method == "gettemppath":
        return hole("env:TEMP")
    elif (
        kind == "environment"
        and method == "setenvironmentvariable"
        and len(given) > 2
        and text_of(given[2]).lower() != "process"
    ):
        script.emit(line, row, ("setx", *(text_of(item) for item in given)))
    elif method in ("stopservice", "startservice") and (service := service_of(owner)):
        script.emit(line, row, (f"{method.removesuffix('service')}-service", service))
    elif method == "reboot" or method == "win32shutdown":
        script.emit(line, row, ("restart-computer",))
    elif method == "create" and "win32_process" in script.raw(owner_node).lower():
        script.command_line(first, line)
    elif method == "invokescript" or (method == "create" and kind == "scriptblock"):
        script.nested("powershell", first, line)
    elif kind.endswith("serviceprocess.servicecontroller") and method in ("stop", "start"):
        script.emit(line, row, (f"{method}-service", text_of(owner.get("@1")) if isinstance(owner, dict) else ""))
    if isinstance(owner, str):
        return _method(owner, method, [text_of(item) for item in given], script.raw(node))
    if method == "new" and owner_node.type == "type_literal":
        return {"@type": kind, "@1": first}
    return hole(script.raw(node).lstrip("$")[:60])


def _file_method(script: Values, line: int, row: str, method: str, given: list[Value]) -> None:
    path = text_of(given[0]) if given else ""
    if method.startswith(("writeall", "appendall")):
        content = text_of(given[1]) if len(given) > 1 else None
        script.write(line, row, path, content, append=method.startswith("append"))
    elif method == "delete":
        recursive = ("-Recurse",) if len(given) > 1 else ()
        script.emit(line, row, ("remove-item", path, *recursive))
    elif method in ("copy", "move") and len(given) > 1:
        script.emit(line, row, (f"{method}-item", path, text_of(given[1])))


def service_of(owner: Value) -> str:
    """The name that a query of WMI asks for: ``-Filter "Name='X'"``."""
    text = text_of(owner.get("filter") or owner.get("query", "")) if isinstance(owner, dict) else ""
    match = re.search(r"(?i)\bname\s*=\s*['\"]+([\w.$ -]+?)['\"]", text)
    return match[1] if match else ""


def formatted(form: str, given: list[Value]) -> str:
    """``'{0}:{1}' -f $a, $b``."""

    def filled(match: re.Match[str]) -> str:
        number = int(match[1])
        return text_of(given[number]) if number < len(given) else hole("a value")

    return re.sub(r"\{(\d{1,2})(?:[,:][^{}]*)?\}", filled, form)


def _method(text: str, method: str, given: list[str], raw: str) -> Value:
    """Methods of strings."""
    if method in ("trim", "tostring", "trimend", "trimstart"):
        return text.strip(given[0] if given else None) if is_constant(text) else text
    if method == "tolower":
        return text.lower()
    if method == "toupper":
        return text.upper() if is_constant(text) else text
    if method == "replace" and len(given) > 1 and given[0]:
        return text.replace(given[0], given[1])
    if method == "split" and given and is_constant(text):
        return list(text.split(given[0])) if given[0] else [text]
    return hole(raw.lstrip("$")[:60])


def _decoded(text: str) -> Value:
    """Text of base64, as the encoding that it most likely is in."""
    if not is_constant(text):
        return hole("a decoded text")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return hole("a decoded text")
    wide = len(raw) > 1 and raw[1::2].count(0) > len(raw) // 4
    return clean(raw.decode("utf-16-le" if wide else "utf-8", "replace"))
