"""What a call of Python does, in the words of the command that does the same.

A call is asked in turn whether it only makes a value (:mod:`.pythonpure`), starts or changes something (here), reaches another
host (:mod:`.pythonhosts`) or touches files (:mod:`.pythonfiles`).
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from fulldress.package.scripts import pythoncrontab, pythonfiles, pythonhosts, pythonnames, pythonpure
from fulldress.package.scripts.follower import Value, file_name, text_of, words_of
from fulldress.package.scripts.pythonvalues import dotted
from fulldress.package.scripts.values import hole, is_constant
from fulldress.patterns import regex

if TYPE_CHECKING:
    from fulldress.package.scripts.python import Script

_RUN = frozenset({"run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput", "create_subprocess_exec", "create_subprocess_shell"})  # fmt: skip
_RUNNERS = frozenset({"subprocess", "sp", "commands", "asyncio", "sh", "subprocess32", "invoke", "fabric", "Popen"})
_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "request", "options", "stream", "ws_connect"})
_HTTP = frozenset(
    {
        "requests",
        "httpx",
        "session",
        "client",
        "urllib3",
        "http",
        "aiohttp",
        "sess",
        "clientsession",
        "poolmanager",
        "grequests",
    }
)
_URL_CALLS = frozenset(
    {"urlopen", "urlretrieve", "urlcleanup", "Request", "create_engine", "create_async_engine", "from_url", "initialize",
     "ServerProxy", "Elasticsearch", "OpenSearch", "clone_from", "wget.download", "create_pool", "websocket.create_connection"}
)  # fmt: skip
_SERVICES = {"RestartService": "restart-service", "StopService": "stop-service", "StartService": "start-service", "RemoveService": "remove-service", "InstallService": "new-service"}  # fmt: skip
_UNITS = {
    "RestartUnit": "restart",
    "StartUnit": "start",
    "StopUnit": "stop",
    "ReloadUnit": "reload",
    "EnableUnitFiles": "enable",
    "TryRestartUnit": "try-restart",
}
_SQL = regex(
    r"(?i)\s*(?:create\s+(?:role|user|login)|alter\s+(?:role|user)|grant\b|(?:update|insert\s+into)\s+\W?\w*(?:flag|toggle|feature))"
)


def follow(script: Script, node: ast.Call) -> Value:
    """Follows a call; what it gives."""
    put_together = pythonnames.computed(script, node.func)
    raw = put_together or dotted(node.func)
    name = put_together.removeprefix("builtins.") or script.resolved(raw)
    owner_value = script.value(node.func.value) if isinstance(node.func, ast.Attribute) else None
    given: list[Value] = []
    for item in node.args:
        value = script.value(item.value if isinstance(item, ast.Starred) else item)
        given += value if isinstance(item, ast.Starred) and isinstance(value, list) else [value]
    named: dict[str, Value] = {}
    for keyword in node.keywords:
        value = script.value(keyword.value)
        if keyword.arg is not None:
            named[keyword.arg] = value
        elif isinstance(value, dict):
            named.update(value)
    own = raw if raw in script.functions else f"{raw.split('.')[-1]}" if raw.startswith(("self.", "cls.")) else ""
    method = (
        next((key for key in script.functions if key.endswith(f".{own}")), "")
        if raw.startswith(("self.", "cls."))
        else own
    )
    if method:
        return script.call(method, script.functions[method], given, named)
    if f"{raw}.__init__" in script.functions:
        script.call(f"{raw}.__init__", script.functions[f"{raw}.__init__"], given, named)
        return {"@type": raw}
    known = pythoncrontab.follow(script, node, name, owner_value, given, named)
    if known is not pythoncrontab.OPEN:
        return known  # type: ignore[return-value]
    known = pythonpure.value_of(script, node, name, owner_value, given, named)
    if known is not pythonpure.OPEN:
        return known  # type: ignore[return-value]
    return _acts(script, node, name, owner_value, given, named)


def _acts(
    script: Script, node: ast.Call, name: str, owner: Value, given: list[Value], named: dict[str, Value]
) -> Value:
    """Calls that do something: their events."""
    last = name.rsplit(".", 1)[-1]
    line, row = script.line(node), script.row(node)
    first = text_of(given[0]) if given and given[0] is not None else ""
    kind = text_of(owner.get("@type")) if isinstance(owner, dict) and "@type" in owner else ""
    holder = (kind or name.rsplit(".", 2)[-2] if "." in name else "").rsplit(".", 1)[-1].lower()
    module = name.split(".")[0]
    if (last in _RUN and (module in _RUNNERS or name == "Popen")) or name in ("os.system", "os.popen", "os.popen2", "os.popen3", "pexpect.run", "pexpect.spawn", "distutils.spawn.spawn"):  # fmt: skip
        shell = (
            name.startswith("os.")
            or last.startswith("get")
            or last.endswith("_shell")
            or pythonhosts.switched(node, "shell")
        )
        _command(script, node, given or [named.get("args")], shell, **_heed(script, node, last))
        return hole(f"$({' '.join(words_of(given[0])) if given else last})"[:80])
    if name.startswith(("os.exec", "os.spawn", "os.posix_spawn", "os.startfile")):
        rest = given[1:] if name.startswith("os.spawn") else given
        words = (
            list(words_of(rest[1]))
            if len(rest) > 1 and isinstance(rest[1], list)
            else [text_of(item) for item in rest[1:]]
        )
        script.run(line, row, (text_of(rest[0]) if rest else "", *words[1:]))
        return None
    request = last in _VERBS and (holder in _HTTP or module in _HTTP or first.startswith(("http://", "https://")))
    if request or (
        (last == "urlopen" and module.startswith("urllib")) and not isinstance(given[0] if given else "", dict)
    ):
        return pythonhosts.request(script, node, last if request else "get", given, named, owner)
    if last in _URL_CALLS or name in _URL_CALLS:
        url = first or text_of(named.get("url", named.get("hosts", named.get("uri", ""))))
        if "://" in url:
            script.emit(line, row, ("curl", url))
            if last == "urlretrieve" and len(given) > 1:
                script.trail.fetched[file_name(text_of(given[1]))] = url
        return {"@type": last} if last == "Request" else hole(f"$(curl {url})")
    if (last in ("client", "resource") and module == "boto3") or (last == "Session" and "endpoint_url" in named):
        if url := text_of(named.get("endpoint_url", "")):
            script.emit(line, row, ("curl", url))
        return {"@type": "boto3"}
    if last in pythonhosts.HOSTS:
        return pythonhosts.connect(script, line, row, last, given, named)
    if last == "connect" and given and isinstance(given[0], list):
        script.emit(line, row, ("nc", *(text_of(item) for item in given[0])))
        return None
    if last == "connect" and (module.lower() in pythonhosts.DATABASES or holder in pythonhosts.DATABASES):
        pythonhosts.database(
            script,
            line,
            row,
            pythonhosts.DATABASES.get(module.lower(), pythonhosts.DATABASES.get(holder, "psql")),
            first,
            named,
        )
        return {"@type": "connection"}
    if last == "connect" and (
        holder in ("ssh", "sshclient", "transport", "paramiko", "ssh_client") or "hostname" in named
    ):
        host = first or text_of(named.get("hostname", ""))
        port, user = (
            text_of(named.get("port", given[1] if len(given) > 1 else "")),
            text_of(named.get("username", given[2] if len(given) > 2 else "")),
        )
        if isinstance(named.get("password"), str):
            script.emit(line, row, ("login", f"--password={text_of(named['password'])}"))
        if host:
            script.emit(line, row, ("sftp", *(("-P", port) if port else ()), f"{user}@{host}" if user else host))
        return None
    if last == "set_missing_host_key_policy" and "AutoAdd" in ast.unparse(node):
        script.emit(line, row, ("verify-off", ast.unparse(node)[:80]))
    elif last in ("_create_unverified_context", "disable_warnings") and module in ("ssl", "urllib3", "requests"):
        if last != "disable_warnings":
            script.emit(line, row, ("verify-off", f"ssl.{last}()"))
    elif last in ("exec_command", "sudo") and (kind or holder in ("ssh", "client")):
        return None  # on the other host
    elif name in ("exec", "eval") and first and is_constant(first):
        script.nested("python", first, line)
    elif name in ("exec", "eval") and "$(curl" in first:
        script.emit(line, row, ("exec", first))
    elif name in ("exec", "eval") and re.search(
        r"decode|decompress|unhexlify|marshal|fromhex|chr\(|urlopen|requests", ast.unparse(node)
    ):
        script.gap(line, line, f"its line {line} runs Python that only a run would know", needed=True)
    elif name in ("sys.exit", "exit", "quit", "os._exit"):
        script.emit(line, row, ("exit", first or "0"))
    elif last in _SERVICES and module == "win32serviceutil":
        script.emit(
            line, row, (_SERVICES[last], text_of(given[1]) if last == "InstallService" and len(given) > 1 else first)
        )
    elif last in _UNITS and first.endswith((".service", ".timer", ".socket")):
        script.emit(line, row, ("systemctl", _UNITS[last], first))
    elif last in ("ExitWindowsEx", "InitiateSystemShutdown", "InitiateSystemShutdownEx") or (
        last == "Reboot" and not given
    ):
        script.emit(line, row, ("restart-computer",))
    elif last in ("SetValueEx", "DeleteKey", "DeleteValue") and module in ("winreg", "_winreg", "win32api"):
        hive = re.search(r"HKEY_\w+", script.row(node)) or re.search(
            r"HKEY_\w+", " ".join(script.rows[max(0, node.lineno - 6) : node.lineno])
        )
        value = text_of(given[1]) if len(given) > 1 else ""
        script.emit(
            line, row, ("reg", "add" if last == "SetValueEx" else "delete", f"{hive[0] if hive else 'HKEY'}\\{value}")
        )
    elif name in ("ctypes.windll.shell32.IsUserAnAdmin", "os.geteuid") and last == "IsUserAnAdmin":
        script.emit(line, row, ("isuseranadmin", last))
    elif last == "ShellExecuteW" and any(text_of(item) == "runas" for item in given):
        script.emit(line, row, ("start-process", "-verb", "runas", text_of(given[2]) if len(given) > 2 else ""))
    elif name in ("os.setuid", "os.seteuid") and first == "0":
        script.emit(line, row, ("su", "root"))
    elif last in ("execute", "executescript", "exec_driver_sql") and _SQL.match(first):
        script.emit(line, row, ("psql", "-c", first))
    elif name in ("pip.main", "pip._internal.main", "pip._internal.cli.main.main") and given:
        script.run(line, row, ("pip", *words_of(given[0])))
    elif last in ("input", "raw_input", "getpass", "prompt", "confirm") and (name in ("input", "raw_input", "getpass.getpass", "getpass") or module in ("click", "typer", "inquirer")):  # fmt: skip
        script.emit(line, row, ("read", "-p", first or "an answer"))
    else:
        return pythonfiles.follow(script, node, name, owner, given, named)
    return hole(f"{last}()")


def _heed(script: Script, node: ast.Call, last: str) -> dict[str, bool]:
    """Whether the exit code of what is started goes unheard, or nobody waits for it."""
    bare = script.bare is node
    if last in ("Popen", "popen", "create_subprocess_exec", "create_subprocess_shell", "spawn"):
        waits = re.search(r"\.(?:wait|communicate|poll|read|readlines|expect|close)\s*\(", "\n".join(script.rows))
        return {"apart": bare or not waits} if last == "Popen" else {}
    raises = last in ("check_call", "check_output") or pythonhosts.switched(node, "check")
    return {"unheard": bare and (bool(script.quiet) if raises else last in ("run", "call", "system"))}


def _command(
    script: Script, node: ast.Call, given: list[Value], shell: bool, *, unheard: bool = False, apart: bool = False
) -> None:
    line, row = script.line(node), script.row(node)
    argument = given[0] if given else None
    fed = any(keyword.arg in ("input", "stdin") for keyword in node.keywords)
    if isinstance(argument, str) and len(given) > 1 and "create_subprocess_exec" in ast.unparse(node.func):
        script.run(
            line, row, tuple(word for item in given for word in words_of(item)), fed=fed, unheard=unheard, apart=apart
        )
    elif isinstance(argument, str):
        script.command_line(argument, line, unheard=unheard, apart=apart)
    elif isinstance(argument, list):
        words = tuple(text_of(item, "an argument") for item in argument)
        if shell and words and " " in words[0]:
            script.command_line(words[0], line, unheard=unheard, apart=apart)
        else:
            script.run(line, row, words, fed=fed, unheard=unheard, apart=apart)
