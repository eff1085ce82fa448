"""What a call of Python does, in the words of the command that does the same."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING

from fulldress.package.scripts.follower import Value, file_name, text_of, words_of
from fulldress.package.scripts.pythonvalues import File, dotted, formatted
from fulldress.package.scripts.values import HERE, hole, is_constant

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
#: Constructors and functions whose first argument is a host: last part of the name -> client, keywords for host, port, user.
_HOSTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "FTP": ("ftp", ("host",)), "FTP_TLS": ("ftp", ("host",)), "SMTP": ("swaks", ("host",)), "SMTP_SSL": ("swaks", ("host",)),
    "Telnet": ("telnet", ("host",)), "IMAP4": ("nc", ("host",)), "IMAP4_SSL": ("nc", ("host",)), "POP3": ("nc", ("host",)),
    "Redis": ("redis-cli", ("host",)), "StrictRedis": ("redis-cli", ("host",)), "HTTPConnection": ("http", ("host",)),
    "HTTPSConnection": ("https", ("host",)), "create_connection": ("nc", ("address",)), "open_connection": ("nc", ("host",)),
    "Transport": ("sftp", ("sock",)), "ConnectionParameters": ("amqp", ("host",)), "MongoClient": ("mongosh", ("host",)),
}  # fmt: skip
_URL_CALLS = frozenset(
    {"urlopen", "urlretrieve", "urlcleanup", "Request", "create_engine", "create_async_engine", "from_url", "initialize",
     "ServerProxy", "Elasticsearch", "OpenSearch", "clone_from", "wget.download", "create_pool", "websocket.create_connection"}
)  # fmt: skip
_DATABASES = {"psycopg2": "psql", "psycopg": "psql", "asyncpg": "psql", "pg8000": "psql", "pymysql": "mysql", "mysqldb": "mysql",
              "connector": "mysql", "aiomysql": "mysql", "mariadb": "mysql", "pymssql": "sqlcmd"}  # fmt: skip
_PLACED = {
    "copy": "cp",
    "copy2": "cp",
    "copyfile": "cp",
    "copytree": "cp",
    "move": "mv",
    "rename": "mv",
    "replace": "mv",
    "symlink": "ln",
    "renames": "mv",
}
_SERVICES = {"RestartService": "restart-service", "StopService": "stop-service", "StartService": "start-service", "RemoveService": "remove-service", "InstallService": "new-service"}  # fmt: skip
_UNITS = {
    "RestartUnit": "restart",
    "StartUnit": "start",
    "StopUnit": "stop",
    "ReloadUnit": "reload",
    "EnableUnitFiles": "enable",
    "TryRestartUnit": "try-restart",
}
_SQL = re.compile(
    r"(?i)\s*(?:create\s+(?:role|user|login)|alter\s+(?:role|user)|grant\b|(?:update|insert\s+into)\s+\W?\w*(?:flag|toggle|feature))"
)


def follow(script: Script, node: ast.Call) -> Value:
    """Follows a call; what it gives."""
    raw = dotted(node.func)
    name = script.resolved(raw)
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
    known = _plain(script, node, name, owner_value, given, named)
    if known is not _OPEN:
        return known  # type: ignore[return-value]
    return _acts(script, node, name, owner_value, given, named)


_OPEN = object()
#: Calls that give back the text they get, and the modules they are of.
_SAME = frozenset(
    {"Path", "PurePath", "PosixPath", "WindowsPath", "str", "expanduser", "abspath", "realpath", "normpath", "quote", "fspath",
     "expandvars", "bytes", "text", "urlparse"}
)  # fmt: skip
_SAME_OF = ("Path", "pathlib", "str", "os.path", "shlex", "os.fs", "bytes", "sqlalchemy", "text", "urllib")


def _plain(
    script: Script, node: ast.Call, name: str, owner: Value, given: list[Value], named: dict[str, Value]
) -> object:
    """Calls that only make a value."""
    last = name.rsplit(".", 1)[-1]
    first = given[0] if given else None
    if last == "format" and isinstance(owner, str):
        return formatted(owner, given, named)
    if last in _SAME and name.startswith(_SAME_OF):
        return "/".join(text_of(item) for item in given) if given else hole(last)
    if last in ("join", "joinpath") and (name.startswith(("os.path", "posixpath", "ntpath")) or last == "joinpath"):
        parts = [text_of(owner), *given] if last == "joinpath" else given
        texts = [text_of(item) for item in parts]
        start = next((i for i in range(len(texts) - 1, -1, -1) if texts[i].startswith("/")), 0)
        return "/".join(text if text == "/" else text.rstrip("/") for text in texts[start:]).replace("//", "/")
    if last == "join" and isinstance(owner, str) and isinstance(first, list):
        return owner.join(text_of(item) for item in first)
    if last == "dirname" and isinstance(first, str):
        return first.rsplit("/", 1)[0] if "/" in first else HERE if is_constant(first) else hole("a folder")
    if last in ("get", "getenv", "pop") and (name.endswith(("environ.get", "getenv", "environ.pop"))):
        return given[1] if len(given) > 1 and given[1] else hole(text_of(first))
    if last == "get" and isinstance(owner, dict) and isinstance(first, str) and "@type" not in owner:
        return owner.get(first, given[1] if len(given) > 1 else hole(first))
    if last == "split" and name == "shlex.split":
        return list(text_of(first).split())
    if isinstance(owner, str):
        if last in (
            "strip",
            "lstrip",
            "rstrip",
            "encode",
            "decode",
            "resolve",
            "absolute",
            "as_posix",
            "expanduser",
            "dedent",
            "lower",
        ):
            return owner
        if last == "replace" and len(given) > 1 and isinstance(given[0], str) and given[0]:
            return owner.replace(given[0], text_of(given[1]))
        if last == "split" and is_constant(owner):
            return list(owner.split(text_of(first) if first else None))
    if last == "dedent" and isinstance(first, str):
        return first
    if name in ("list", "tuple", "sorted", "set", "iter", "reversed") and isinstance(first, list):
        return first
    if name in ("dict",) and named:
        return dict(named)
    if last == "items" and isinstance(owner, dict):
        return [[key, value] for key, value in owner.items() if key != "@type"]
    if last in ("loads", "load", "dumps") and isinstance(first, str | dict):
        return json.dumps({key: text_of(value) for key, value in first.items()}) if isinstance(first, dict) else first
    if name in (
        "tempfile.mkdtemp",
        "tempfile.mkstemp",
        "tempfile.NamedTemporaryFile",
        "tempfile.TemporaryDirectory",
        "tempfile.gettempdir",
    ):
        return hole("@temporary")
    if last in (
        "print",
        "len",
        "isinstance",
        "super",
        "getattr",
        "range",
        "int",
        "debug",
        "info",
        "warning",
        "error",
        "exception",
        "append",
        "update",
        "add_argument",
    ):
        if last == "append" and isinstance(owner, list) and given:
            owner.append(first)
        if last != "getattr":
            return hole(f"{last}()")
    return _OPEN


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
        shell = name.startswith("os.") or last.startswith("get") or last.endswith("_shell") or _flag(node, "shell")
        _command(script, node, given or [named.get("args")], shell)
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
        return _request(script, node, last if request else "get", given, named, owner)
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
    if last in _HOSTS:
        return _host(script, line, row, last, given, named)
    if last == "connect" and given and isinstance(given[0], list):
        script.emit(line, row, ("nc", *(text_of(item) for item in given[0])))
        return None
    if last == "connect" and (module.lower() in _DATABASES or holder in _DATABASES):
        _database(script, line, row, _DATABASES.get(module.lower(), _DATABASES.get(holder, "psql")), first, named)
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
    elif name in ("exec", "eval") and "$(curl" in first:
        script.emit(line, row, ("exec", first))
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
        return _files(script, node, name, owner, given, named)
    return hole(f"{last}()")


def _files(
    script: Script, node: ast.Call, name: str, owner: Value, given: list[Value], named: dict[str, Value]
) -> Value:
    last, module = name.rsplit(".", 1)[-1], name.split(".")[0]
    line, row = script.line(node), script.row(node)
    first = text_of(given[0]) if given and given[0] is not None else text_of(named.get("path", ""))
    second = text_of(given[1]) if len(given) > 1 else ""
    if last in ("rmtree", "remove_tree", "rmtree_errorhandler") and first:
        script.emit(line, row, ("rm", "-rf", first))
    elif name in ("os.remove", "os.unlink", "os.removedirs") and first:
        script.emit(line, row, ("rm", first))
    elif name == "os.rmdir" and first:
        script.emit(line, row, ("rmdir", first))
    elif last in ("unlink", "rmdir") and isinstance(owner, str) and not given:
        script.emit(line, row, ("rm" if last == "unlink" else "rmdir", owner))
    elif (name in ("os.makedirs", "os.mkdir") and first) or (last == "mkdir" and isinstance(owner, str)):
        script.emit(line, row, ("mkdir", "-p", first if name.startswith("os.") else text_of(owner)))
    elif name == "os.chmod" or (last == "chmod" and isinstance(owner, str)):
        mode = given[-1] if given else None
        if isinstance(mode, str) and mode.isdigit():
            script.emit(line, row, ("chmod", f"{int(mode):o}", first if name == "os.chmod" else text_of(owner)))
    elif name == "os.chown" and first:
        script.emit(line, row, ("chown", second or "?", first))
    elif last in _PLACED and module in ("shutil", "os", "distutils") and len(given) > 1:
        command = _PLACED[last]
        script.emit(line, row, (command, *(("-s",) if command == "ln" else ()), first, second))
    elif (
        last in ("open", "fdopen") and name in ("open", "io.open", "codecs.open", "os.fdopen", "pathlib.Path.open")
    ) or (last == "open" and isinstance(owner, str) and "/" in owner):
        path = first if name in ("open", "io.open", "codecs.open") else text_of(owner)
        mode = (second if path == first else first) or text_of(named.get("mode", "")) or "r"
        if mode[:1] in ("w", "a", "x") and path:
            script.files.append(File(path, mode[0] == "a", line, row, script.member, []))
            return {"@type": "file", "@file": str(len(script.files) - 1)}
        return {"@type": "file"}
    elif last in ("write", "writelines") and isinstance(owner, dict) and "@file" in owner:
        value = given[0] if given else None
        parts = value if isinstance(value, list) else [value]
        script.files[int(text_of(owner["@file"]))].parts += [item if isinstance(item, str) else None for item in parts]
    elif last in ("write_text", "write_bytes") and isinstance(owner, str):
        script.write(line, row, owner, given[0] if given and isinstance(given[0], str) else None)
    elif last in ("extractall",) and (target := first or text_of(named.get("path", ""))):
        script.emit(line, row, ("tar", "x", "-C", target))
    elif isinstance(owner, str) and last in ("with_suffix", "with_name"):
        return hole(f"{last}()")
    elif (
        ("." not in name and name[:1].isupper())
        or name.rsplit(".", 1)[-1][:1].isupper()
        or last in ("session", "client")
    ):
        return {"@type": name}
    else:
        return hole(f"{name}()") if name else None
    return None


def _command(script: Script, node: ast.Call, given: list[Value], shell: bool) -> None:
    line, row = script.line(node), script.row(node)
    argument = given[0] if given else None
    fed = any(keyword.arg in ("input", "stdin") for keyword in node.keywords)
    if isinstance(argument, str) and len(given) > 1 and "create_subprocess_exec" in ast.unparse(node.func):
        script.run(line, row, tuple(word for item in given for word in words_of(item)), fed=fed)
    elif isinstance(argument, str):
        script.command_line(argument, line)
    elif isinstance(argument, list):
        words = tuple(text_of(item, "an argument") for item in argument)
        if shell and words and " " in words[0]:
            script.command_line(words[0], line)
        else:
            script.run(line, row, words, fed=fed)


def _request(
    script: Script, node: ast.Call, method: str, given: list[Value], named: dict[str, Value], owner: Value
) -> Value:
    arguments = list(given)
    if method in ("request", "stream") and arguments:
        method = text_of(arguments.pop(0)) or "GET"
    url = text_of(arguments[0]) if arguments and arguments[0] is not None else text_of(named.get("url", ""))
    if isinstance(owner, dict) and url.startswith("/") and isinstance(owner.get("@base"), str):
        url = text_of(owner["@base"]).rstrip("/") + url
    if not url or (url.startswith("/") and "://" not in url):
        return hole("$(curl …)")
    words = ["curl", "-X", method.upper(), url]
    headers = named.get("headers")
    for key, value in headers.items() if isinstance(headers, dict) else ():
        words += ["-H", f"{key}: {text_of(value)}"]
    auth = named.get("auth")
    if isinstance(auth, list) and len(auth) == 2:
        words += ["-u", f"{text_of(auth[0])}:{text_of(auth[1])}"]
    body = next(
        (named[key] for key in ("json", "data", "content") if key in named),
        arguments[1] if len(arguments) > 1 and method in ("post", "put", "patch") else None,
    )
    if "json" in named or "data" in named or body is not None:
        words += [
            "-d",
            json.dumps(_shown(body), ensure_ascii=False) if isinstance(body, dict) else text_of(body, "a body"),
        ]
    if _flag(node, "verify", False):
        words.append("--insecure")
    script.emit(script.line(node), script.row(node), tuple(words))
    return hole(f"$(curl {url})") if is_constant(url) else hole("$(curl …)")


def _shown(value: Value) -> object:
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return {"true": True, "false": False, "null": None}.get(value, value) if isinstance(value, str) else text_of(value)


def _host(script: Script, line: int, row: str, last: str, given: list[Value], named: dict[str, Value]) -> Value:
    client, keys = _HOSTS[last]
    source = given[0] if given else next((named[key] for key in keys if key in named), None)
    pair = source if isinstance(source, list) else [source, *given[1:2]]
    host = text_of(pair[0]) if pair and pair[0] is not None else ""
    port = text_of(pair[1]) if len(pair) > 1 and isinstance(pair[1], str) else text_of(named.get("port", ""))
    if isinstance(named.get("password"), str):
        script.emit(line, row, ("login", f"--password={text_of(named['password'])}"))
    if host and "://" in host:
        script.emit(line, row, ("curl", host))
    elif host and host not in ("localhost", "127.0.0.1", "::1") and port != "0":
        options = {
            "swaks": ("swaks", "--server", host, *(("--port", port) if port.isdigit() else ())),
            "redis-cli": ("redis-cli", "-h", host, *(("-p", port) if port.isdigit() else ())),
            "mongosh": ("mongosh", "--host", host, *(("--port", port) if port.isdigit() else ())),
            "amqp": ("curl", f"amqp://{host}" + (f":{port}" if port.isdigit() else "")),
            "http": ("curl", f"http://{host}" + (f":{port}" if port.isdigit() else "")),
            "https": ("curl", f"https://{host}" + (f":{port}" if port.isdigit() else "")),
        }
        plain = {"IMAP4": "143", "IMAP4_SSL": "993", "POP3": "110"}.get(last, "")
        port = port or plain
        script.emit(
            line,
            row,
            options.get(client, (client, host, *((port,) if port else ())))
            if client != "sftp"
            else ("sftp", *(("-P", port) if port else ()), host),
        )
    return {"@type": last}


def _database(script: Script, line: int, row: str, client: str, dsn: str, named: dict[str, Value]) -> None:
    host = text_of(named.get("host", named.get("server", "")))
    port, user = text_of(named.get("port", "")), text_of(named.get("user", named.get("username", "")))
    password = named.get("password", named.get("passwd"))
    if isinstance(password, str):
        script.emit(line, row, ("connect", f"--password={password}"))
    flags = {"psql": ("-h", "-p", "-U"), "mysql": ("-h", "-P", "-u"), "sqlcmd": ("-S", "", "-U")}[client]
    words = [client, *((dsn,) if dsn and client == "psql" else ())]
    for flag, value in zip(flags, (host or (dsn if client != "psql" else ""), port, user), strict=True):
        words += [flag, value] if value and flag else []
    if len(words) > 1:
        script.emit(line, row, tuple(words))


def _flag(node: ast.Call, name: str, value: bool = True) -> bool:
    return any(k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is value for k in node.keywords)
