"""What a call of JavaScript does, in the words of the command that does the same."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from tree_sitter import Node

from fulldress.package.scripts.follower import Value, file_name, text_of, words_of
from fulldress.package.scripts.values import clean, hole, is_constant

if TYPE_CHECKING:
    from fulldress.package.scripts.javascript import Script

_SHELL = frozenset({"exec", "execSync"})
_PROGRAMS = frozenset({"spawn", "spawnSync", "execFile", "execFileSync", "execa", "execaSync", "fork"})
_REQUESTS = frozenset(
    {
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "request",
        "fetch",
        "axios",
        "got",
        "download",
        "needle",
        "superagent",
    }
)
_DELETES = frozenset(
    {"rmSync", "rm", "rmdirSync", "rmdir", "removeSync", "remove", "rimraf", "rimrafSync", "emptyDirSync", "deleteSync"}
)
_WRITES = frozenset({"writeFileSync", "writeFile", "appendFileSync", "appendFile", "outputFileSync"})
_COPIES = {
    "copyFileSync": "cp",
    "copyFile": "cp",
    "cpSync": "cp",
    "copySync": "cp",
    "renameSync": "mv",
    "rename": "mv",
    "symlinkSync": "ln",
    "symlink": "ln",
}


_RUNS_TEXT = frozenset({"eval", "Function", "vm.runInThisContext", "vm.runInNewContext", "vm.runInContext"})


def _computed(script: Script, target: Node, inner: Node | None, owner: Value) -> str:
    """The name of a function that is put together; where only a run would know it, that is said of modules that run programs."""
    value = script.value(target.child_by_field_name("index"))
    text = value if isinstance(value, str) else ""
    if is_constant(text) and text:
        return text
    module = owner.get("@module") if isinstance(owner, dict) else script.modules.get(script.raw(inner)) if inner else ""
    if module in ("child_process", "fs", "vm", "process"):
        line = script.line(target)
        script.gap(line, line, f"its line {line} calls a function of {module} that only a run would know", needed=True)
    return ""


def _decoded(name: str, given: list[Value]) -> str | None:
    """``Buffer.from(text, "base64")``, ``atob(text)``: what it holds, where that is a text."""
    text = given[0] if given else None
    coding = text_of(given[1]).lower() if len(given) > 1 else ""
    if not isinstance(text, str) or not is_constant(text):
        return None
    try:
        if name == "atob" or (name == "Buffer.from" and coding in ("base64", "base64url")):
            return clean(base64.b64decode(text.replace("-", "+").replace("_", "/") + "==").decode())
        if name == "Buffer.from" and coding == "hex":
            return clean(bytes.fromhex(text).decode())
    except ValueError:
        return None
    return text if name == "Buffer.from" and len(given) == 1 else None


def follow(script: Script, node: Node) -> Value:
    """Follows a call; what it gives."""
    target = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    name = (
        re.sub(r"\s+", "", script.raw(target))
        if target is not None and target.type in ("identifier", "member_expression")
        else ""
    )
    holds = target is not None and target.type in ("member_expression", "subscript_expression")
    inner = target.child_by_field_name("object") if target is not None and holds else None
    owner = script.value(inner) if inner is not None else None
    method = target.child_by_field_name("property") if target is not None and inner is not None else None
    last = script.raw(method).strip() if method is not None else name
    if target is not None and target.type == "subscript_expression":  # ``x["exec" + "Sync"](…)``
        last = _computed(script, target, inner, owner)
        name = f"{script.raw(inner)}.{last}" if inner is not None and last else ""
    if isinstance(owner, dict) and isinstance(owner.get("@module"), str):  # ``require("child_process").execSync(…)``
        name = f"{owner['@module']}.{last}"
    if target is not None and target.type in ("new_expression", "call_expression", "parenthesized_expression"):
        script.value(target)  # ``new Function("…")()``
    arguments = node.child_by_field_name("arguments")
    parts = [c for c in arguments.named_children if c.type != "comment"] if arguments is not None else []
    given = [script.value(part) for part in parts]
    first = text_of(given[0]) if given and given[0] is not None else ""
    line, row = script.line(node), script.raw(node)
    head, dot, rest = name.partition(".")
    module = script.modules.get(head, head)
    full = module + dot + rest
    last = full.rsplit(".", 1)[-1] if name else last
    if name == "require" and first:
        return script.required(first)
    if (known := _decoded(name, given)) is not None:
        return known
    if name in script.functions:
        return script.function(name, given)
    if (
        isinstance(owner, list)
        and last in ("forEach", "map")
        and parts
        and parts[0].type in ("arrow_function", "function_expression")
    ):
        for item in owner[:32]:
            script.body(parts[0], "", [item])
        return None
    if full in ("path.join", "path.resolve", "path.posix.join", "path.win32.join"):
        return "/".join(text_of(item).rstrip("/") for item in given)
    if last == "join" and isinstance(owner, list):
        return first.join(text_of(item) for item in owner)
    if isinstance(owner, str) and last in ("trim", "toString", "concat"):
        return owner + "".join(text_of(item) for item in given) if last == "concat" else owner
    if last == "stringify" and given:
        return json.dumps({k: text_of(v) for k, v in given[0].items()}) if isinstance(given[0], dict) else first
    process = module.startswith("child_process") or module in ("shelljs", "execa", "cp", "shell", "zx")
    if last in _SHELL and (process or "." not in name):
        apart = last == "exec" and script.bare == node.id and len(given) < 2 and process
        unheard = last == "execSync" and bool(script.quiet) and script.bare == node.id
        script.command_line(first, line, apart=apart, unheard=unheard)
        return hole(f"$({first})"[:80])
    if last in _PROGRAMS and (process or "." not in name or "process" in name):
        words = list(words_of(given[1])) if len(given) > 1 and isinstance(given[1], list) else []
        options = given[-1] if isinstance(given[-1] if given else None, dict) else {}
        bare, back = (
            script.bare == node.id,
            any(part.type in ("arrow_function", "function_expression") for part in parts),
        )
        unheard, apart = (
            bare and (last == "spawnSync" or (last == "execFileSync" and bool(script.quiet))),
            bare and last in ("spawn", "execFile") and not back,
        )
        if isinstance(options, dict) and options.get("shell") == "true":
            script.command_line(" ".join((first, *words)), line, unheard=unheard, apart=apart)
        else:
            called = ("node" if last == "fork" else first, *((first,) if last == "fork" else ()), *words)
            script.run(line, row, called, unheard=unheard, apart=apart)
        return hole(f"$({first})"[:80])
    if last in _REQUESTS:
        return _request(script, line, row, last, full, given)
    if last in ("connect", "createConnection") and re.match(r"net\b|tls\b", module):
        _connection(script, line, row, given)
    elif (
        last in _DELETES
        and first
        and (module.startswith("fs") or last not in ("remove", "rm") or module in ("fs-extra", "shelljs", "shell"))
    ):
        whole = (
            last in ("rimraf", "rimrafSync", "removeSync", "remove", "emptyDirSync", "deleteSync") or "recursive" in row
        )
        script.emit(line, row, ("rm", *(("-rf",) if whole else ()), first))
    elif last in ("unlinkSync", "unlink") and first:
        script.emit(line, row, ("rm", first))
    elif last in _WRITES and first:
        content = given[1] if len(given) > 1 and isinstance(given[1], str) else None
        script.write(line, row, first, content, append=last.startswith("append"))
    elif last == "createWriteStream" and first:
        script.write(line, row, first, None)
    elif last in _COPIES and len(given) > 1:
        command = _COPIES[last]
        script.emit(line, row, (command, *(("-s",) if command == "ln" else ()), first, text_of(given[1])))
    elif last in ("mkdirSync", "mkdir", "mkdirp") and first:
        script.emit(line, row, ("mkdir", "-p", first))
    elif last in ("chmodSync", "chmod") and len(given) > 1:
        mode = text_of(given[1]).removeprefix("0o")
        if mode.isdecimal():
            script.emit(line, row, ("chmod", mode, first))
    elif name in _RUNS_TEXT and "$(curl" in first:
        script.emit(line, row, ("exec", first))
    elif name in _RUNS_TEXT and given:
        text = text_of(given[-1])
        if is_constant(text):
            script.nested("javascript", text, line)
        else:
            script.gap(line, line, f"its line {line} runs JavaScript that only a run would know", needed=True)
    elif name == "process.exit":
        script.emit(line, row, ("exit", first or "0"))
    elif last in ("question", "prompt") and (owner is not None or module in ("prompts", "inquirer", "prompt")):
        script.emit(line, row, ("read", "-p", first or "an answer"))
    elif last in ("Client", "Pool", "createClient", "createPool", "createTransport") and given:
        _client(script, line, row, last, full, given[0])
    return hole(f"{name or last}()"[:60])


def _request(script: Script, line: int, row: str, last: str, full: str, given: list[Value]) -> Value:
    source = given[0] if given else None
    options: dict[str, Value] = {}
    for item in given:
        options.update(item if isinstance(item, dict) else {})
    url = source if isinstance(source, str) else ""
    if not url and isinstance(source, dict):
        url = text_of(source.get("url", source.get("uri", "")))
        host = text_of(source.get("hostname", source.get("host", "")))
        if not url and host and re.match(r"https?\b", full):
            port = text_of(source.get("port", ""))
            url = f"{full.split('.')[0]}://{host}{f':{port}' if port.isdecimal() else ''}{text_of(source.get('path', '/'))}"
    if "://" not in url and not url.startswith("\ue000"):
        return hole(f"{last}()")
    if url.startswith("\ue000") and not re.match(r"(?:https?|axios|got|fetch|needle|superagent|request)\b", full):
        return hole(f"{last}()")
    method = (
        text_of(options["method"]).upper()
        if "method" in options
        else last.upper()
        if last in ("post", "put", "patch", "delete", "head")
        else "GET"
    )
    words = ["curl", "-X", method, url]
    headers = options.get("headers")
    for key, value in headers.items() if isinstance(headers, dict) else ():
        words += ["-H", f"{key}: {text_of(value)}"]
    body = options.get("body", options.get("data", options.get("json")))
    if body is None and last in ("post", "put", "patch") and len(given) > 1:
        body = given[1]
    if body is not None:
        words += [
            "-d",
            json.dumps({k: text_of(v) for k, v in body.items()}) if isinstance(body, dict) else text_of(body),
        ]
    if options.get("rejectUnauthorized") == "false" or "rejectUnauthorized:false" in re.sub(r"\s", "", row):
        words.append("--insecure")
    script.emit(line, row, tuple(words))
    if last == "download" and len(given) > 1 and isinstance(given[1], str):
        script.trail.fetched[file_name(given[1])] = url
    return hole(f"$(curl {url})") if is_constant(url) else hole("$(curl …)")


def _connection(script: Script, line: int, row: str, given: list[Value]) -> None:
    source = given[0] if given else None
    port = text_of(source.get("port", "")) if isinstance(source, dict) else text_of(source)
    host = (
        text_of(source.get("host", ""))
        if isinstance(source, dict)
        else text_of(given[1])
        if len(given) > 1 and isinstance(given[1], str)
        else ""
    )
    if host and port:
        script.emit(line, row, ("nc", host, port))


def _client(script: Script, line: int, row: str, last: str, full: str, options: Value) -> None:
    if isinstance(options, str) and "://" in options:
        script.emit(line, row, ("curl", options))
    if not isinstance(options, dict):
        return
    address, host = text_of(options.get("connectionString", options.get("url", ""))), text_of(options.get("host", ""))
    password, port, user = (options.get(key) for key in ("password", "port", "user"))
    if isinstance(password, str):
        script.emit(line, row, ("connect", f"--password={password}"))
    if address and "://" in address:
        script.emit(line, row, ("curl", address))
    elif host:
        client = (
            "mysql"
            if "mysql" in full
            else "redis-cli"
            if "redis" in full
            else "swaks"
            if last == "createTransport"
            else "psql"
        )
        flags = {
            "mysql": ("-h", "-P", "-u"),
            "redis-cli": ("-h", "-p", ""),
            "swaks": ("--server", "--port", ""),
            "psql": ("-h", "-p", "-U"),
        }[client]
        words = [client, flags[0], host]
        words += [flags[1], port] if isinstance(port, str) and port.isdecimal() else []
        words += [flags[2], user] if isinstance(user, str) and flags[2] else []
        script.emit(line, row, tuple(words))
