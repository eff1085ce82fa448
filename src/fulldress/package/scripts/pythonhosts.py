"""Calls of Python that reach another host: requests, clients of a protocol, databases."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING

from fulldress.package.scripts.follower import Value, text_of
from fulldress.package.scripts.values import hole, is_constant

if TYPE_CHECKING:
    from fulldress.package.scripts.python import Script

#: Constructors and functions whose first argument is a host: last part of the name -> client, keywords for host, port, user.
HOSTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "FTP": ("ftp", ("host",)), "FTP_TLS": ("ftp", ("host",)), "SMTP": ("swaks", ("host",)), "SMTP_SSL": ("swaks", ("host",)),
    "Telnet": ("telnet", ("host",)), "IMAP4": ("nc", ("host",)), "IMAP4_SSL": ("nc", ("host",)), "POP3": ("nc", ("host",)),
    "Redis": ("redis-cli", ("host",)), "StrictRedis": ("redis-cli", ("host",)), "HTTPConnection": ("http", ("host",)),
    "HTTPSConnection": ("https", ("host",)), "create_connection": ("nc", ("address",)), "open_connection": ("nc", ("host",)),
    "Transport": ("sftp", ("sock",)), "ConnectionParameters": ("amqp", ("host",)), "MongoClient": ("mongosh", ("host",)),
}  # fmt: skip
DATABASES = {"psycopg2": "psql", "psycopg": "psql", "asyncpg": "psql", "pg8000": "psql", "pymysql": "mysql", "mysqldb": "mysql",
              "connector": "mysql", "aiomysql": "mysql", "mariadb": "mysql", "pymssql": "sqlcmd"}  # fmt: skip


def request(
    script: Script, node: ast.Call, method: str, given: list[Value], named: dict[str, Value], owner: Value
) -> Value:
    """A request over HTTP; ``owner`` is the session it is made in, which may know the beginning of the address."""
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
    if switched(node, "verify", False):
        words.append("--insecure")
    script.emit(script.line(node), script.row(node), tuple(words))
    return hole(f"$(curl {url})") if is_constant(url) else hole("$(curl …)")


def _shown(value: Value) -> object:
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return {"true": True, "false": False, "null": None}.get(value, value) if isinstance(value, str) else text_of(value)


def connect(script: Script, line: int, row: str, last: str, given: list[Value], named: dict[str, Value]) -> Value:
    """A client of :data:`HOSTS` is made."""
    client, keys = HOSTS[last]
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
            "swaks": ("swaks", "--server", host, *(("--port", port) if port.isdecimal() else ())),
            "redis-cli": ("redis-cli", "-h", host, *(("-p", port) if port.isdecimal() else ())),
            "mongosh": ("mongosh", "--host", host, *(("--port", port) if port.isdecimal() else ())),
            "amqp": ("curl", f"amqp://{host}" + (f":{port}" if port.isdecimal() else "")),
            "http": ("curl", f"http://{host}" + (f":{port}" if port.isdecimal() else "")),
            "https": ("curl", f"https://{host}" + (f":{port}" if port.isdecimal() else "")),
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


def database(script: Script, line: int, row: str, client: str, dsn: str, named: dict[str, Value]) -> None:
    """A database is connected to; ``client`` is the program that would do the same."""
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


def switched(node: ast.Call, name: str, value: bool = True) -> bool:
    """Whether the call is given ``name=True`` (or another constant) in so many words."""
    return any(k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is value for k in node.keywords)
