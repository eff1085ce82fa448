"""What a call of Perl does, in the words of the command that does the same."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from tree_sitter import Node

from fulldress.package.scripts.follower import Value, file_name, text_of, words_of
from fulldress.package.scripts.values import clean, hole, is_constant

if TYPE_CHECKING:
    from fulldress.package.scripts.perlvalues import Values

#: LWP::Simple, HTTP::Tiny, LWP::UserAgent, Mojo: the method's name is the request's.
_REQUESTS = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "mirror", "getstore", "getprint", "post_form", "request"}
)
_CLIENTS = {"Net::FTP": "ftp", "Net::SFTP": "sftp", "Net::SFTP::Foreign": "sftp", "Net::SSH2": "ssh", "Net::OpenSSH": "ssh",
            "Net::SMTP": "smtp", "Net::LDAP": "ldap", "Net::Telnet": "telnet", "Redis": "redis", "Net::SSH::Perl": "ssh"}  # fmt: skip
_TALK = frozenset({"print", "printf", "say", "warn", "die", "croak", "carp", "confess"})
_PLACED = {"copy": "cp", "move": "mv", "rename": "mv", "symlink": "ln", "link": "ln"}


def function(script: Values, node: Node) -> Value:
    """Follows a call of a function; what it gives."""
    named = node.child_by_field_name("function")
    name = (
        script.raw(named if named is not None else node).split("(")[0].split()[0].removeprefix("&")
        if script.raw(node).strip()
        else ""
    )
    arguments = node.child_by_field_name("arguments")
    if node.type in ("func1op_call_expression", "func0op_call_expression"):
        plain = list(node.named_children)
        arguments = plain[-1] if plain else None
    given = script.items(arguments) if arguments is not None else []
    line, row = script.line(node), script.raw(node)
    first = text_of(given[0]) if given else ""
    last = name.rsplit("::", 1)[-1]
    if name in script.subs:
        return script.sub(name, given)
    if name == "shift":
        source = script.names.get("@_")
        if isinstance(source, list) and not given:
            return source.pop(0) if source else None
        return None
    if name in ("sprintf",):
        return _formatted(given)
    if name == "join":
        return first.join(text_of(item) for item in given[1:])
    if last in ("catfile", "catdir"):
        return "/".join(text_of(item) for item in given)
    if name == "glob":
        return first
    if name in ("dirname", "abs_path", "realpath"):
        return hole("@here") if "$0" in row or "__FILE__" in row else hole(row[:40])
    if name in ("system", "exec", "run", "capture", "run3", "ipc_run") or last in ("safe_system", "runcmd"):
        words = tuple(w for item in given for w in words_of(item))
        unheard = name == "system" and not script.heeded(node)
        if len(given) == 1 and not isinstance(given[0], list):
            script.command_line(first, line, unheard=unheard)
        elif words:
            script.run(line, row, words, unheard=unheard)
    elif name == "close":
        script.close(row.removeprefix("close").strip("(); "))
    elif name == "open":
        _opened(script, node, given, line, row)
    elif name in ("print", "printf", "say"):
        _printed(script, node, given)
    elif name == "unlink":
        script.emit(line, row, ("rm", *(word for item in given for word in words_of(item))))
    elif last in ("rmtree", "remove_tree"):
        script.emit(
            line,
            row,
            (
                "rm",
                "-rf",
                *(text_of(item) for item in given if isinstance(item, str | list) and text_of(item) not in ("0", "1")),
            ),
        )
    elif name == "rmdir" and given:
        script.emit(line, row, ("rmdir", first))
    elif last in ("mkpath", "make_path") or name == "mkdir":
        script.emit(line, row, ("mkdir", "-p", first))
    elif last in _PLACED and len(given) == 2:
        command = _PLACED[last]
        script.emit(line, row, (command, *(("-s",) if last == "symlink" else ()), first, text_of(given[1])))
    elif name in ("chmod", "chown") and len(given) > 1:
        script.emit(
            line,
            row,
            (
                name,
                first.lstrip("0").rjust(3, "0") if name == "chmod" else first,
                *(text_of(item) for item in given[(1 if name == "chmod" else 2) :]),
            ),
        )
    elif last in _REQUESTS and "://" in first and "->" not in row.split("(")[0]:
        script.emit(line, row, ("curl", first))
        if last == "getstore" and len(given) > 1:
            script.trail.fetched[file_name(text_of(given[1]))] = first
        return hole(f"$(curl {first})")
    elif last in ("decode_base64", "pack", "unpack") and (text := decoded(last, given)) is not None:
        return text
    elif name in ("readline",) and "STDIN" in row:
        script.emit(line, row, ("read", "-p", "an answer"))
    elif name == "exit":
        script.emit(line, row, ("exit", first or "0"))
    return hole(f"{name}()")


def method(script: Values, node: Node) -> Value:
    """Follows a method call; what it gives."""
    invocant, named = node.child_by_field_name("invocant"), node.child_by_field_name("method")
    arguments = node.child_by_field_name("arguments")
    owner = script.raw(invocant) if invocant is not None else ""
    value = script.value(invocant) if invocant is not None and invocant.type not in ("bareword", "package") else None
    name = script.raw(named) if named is not None else ""
    given = script.items(arguments) if arguments is not None else []
    line, row = script.line(node), script.raw(node)
    first = text_of(given[0]) if given else ""
    kind = text_of(value.get("@type")) if isinstance(value, dict) else owner
    options = _options(given)
    nested = [item for item in given if isinstance(item, dict)]
    for table in (options, *nested, *(t for t in options.values() if isinstance(t, dict))):
        for key in ("verify_hostname", "SSL_verify_mode", "verify_SSL"):
            if text_of(table.get(key)).strip() in ("0", "SSL_VERIFY_NONE", "0x00"):
                script.emit(line, row, ("verify-off", key))
    if name in ("new", "connect") and owner in _CLIENTS:
        host = text_of(options.get("Host", options.get("host", options.get("server", "")))) or first
        port, user = (text_of(options.get(key, options.get(key.lower(), ""))) for key in ("Port", "User"))
        host, _, own = host.partition(":") if host.count(":") == 1 else (host, "", "")
        if host and not host.startswith(("ldapi", "/")):
            script.emit(line, row, _client(_CLIENTS[owner], host, port or own, user))
        return {"@type": owner}
    if name == "new" and re.match(r"IO::Socket|HTTP::Request", owner):
        if owner == "HTTP::Request":
            script.emit(line, row, ("curl", "-X", first, text_of(given[1]) if len(given) > 1 else ""))
        elif peer := text_of(options.get("PeerAddr", options.get("PeerHost", ""))):
            host, _, port = peer.partition(":")
            script.emit(line, row, ("nc", host, port or text_of(options.get("PeerPort", "")) or hole("port")))
        return {"@type": owner}
    if name in ("connect", "connect_cached") and (owner == "DBI" or first.lower().startswith("dbi:")):
        _database(script, line, row, given)
        return {"@type": "DBI::db"}
    if name == "new":
        return {"@type": owner}
    if name in ("do", "prepare", "selectall_arrayref", "selectrow_array") and re.match(
        r"(?i)\s*(create|alter|drop|grant|insert|update|delete|truncate)\b", first
    ):
        script.emit(line, row, ("psql", "-c", first))
    elif name in _REQUESTS and "://" in (first if name != "request" else text_of(given[1]) if len(given) > 1 else ""):
        url = first if name != "request" else text_of(given[1])
        verb = first.upper() if name == "request" else {"mirror": "GET", "post_form": "POST"}.get(name, name.upper())
        body = text_of(options.get("content", options.get("Content", "")))
        script.emit(line, row, ("curl", "-X", verb, *(("-d", body) if body else ()), url))
        return hole(f"$(curl {url})")
    elif name in ("login",) and kind in _CLIENTS and len(given) > 1:
        script.emit(line, row, ("login", f"--password={text_of(given[1])}"))
    elif name in ("system", "capture", "cmd") and kind.startswith("Net::"):
        pass  # on the other host
    elif name in ("remove_tree", "remove") and isinstance(value, str):
        script.emit(line, row, ("rm", "-rf", value))
    return hole(f"{name}()")


def evaluated(script: Values, text: str, line: int, row: str) -> None:
    """``eval TEXT``: followed where it is known, said where only a run would know it."""
    if re.match(r"\s*exec\s+\S*perl\b", text) and "$" in row:
        return  # perlrun(1): what starts Perl where a shell reads the file first
    if is_constant(text) and text:
        script.nested("perl", text, line)
    elif "$(curl" in text:
        script.emit(line, row, ("eval", text))
    else:
        script.gap(line, line, f"its line {line} runs Perl that only a run would know", needed=True)


def decoded(name: str, given: list[Value]) -> str | None:
    """What MIME::Base64's ``decode_base64`` and ``pack("H*", …)`` make of a constant, where that is a text."""
    texts = [item for item in given if isinstance(item, str)]
    if not texts or not all(map(is_constant, texts)):
        return None
    try:
        if name == "decode_base64":
            return clean(base64.b64decode(texts[0] + "==").decode())
        if name == "pack" and len(texts) == 2 and re.fullmatch(r"H\*?\d*", texts[0]):
            return clean(bytes.fromhex(texts[1]).decode())
    except ValueError:
        return None
    return None


def _client(kind: str, host: str, port: str, user: str) -> tuple[str, ...]:
    if kind == "redis":
        return ("redis-cli", "-h", host, *(("-p", port) if port else ()))
    if kind == "smtp":
        return ("swaks", "--server", host, *(("--port", port) if port else ()))
    if kind == "ldap":
        return ("ldapsearch", host) if "://" in host else ("ldapsearch", "-h", host)
    if kind in ("ssh", "sftp"):
        return (kind, *((("-p" if kind == "ssh" else "-P"), port) if port else ()), f"{user}@{host}" if user else host)
    return (kind, host, *((port,) if port else ()))


def _options(given: list[Value]) -> dict[str, Value]:
    """Named arguments: pairs, from the first or from the second on."""
    found: dict[str, Value] = {}
    for start in (0, 1):
        for index in range(start, len(given) - 1, 2):
            key = given[index]
            if isinstance(key, str) and re.fullmatch(r"-?\w+", key):
                found.setdefault(key.lstrip("-"), given[index + 1])
    return found


def _database(script: Values, line: int, row: str, given: list[Value]) -> None:
    """``DBI->connect("dbi:Pg:dbname=x;host=y", user, password)``."""
    source = text_of(given[0]) if given else ""
    match = re.match(r"(?is)dbi:(\w+)(?:\([^)]*\))?:(.*)", source)
    if not match:
        return
    parts = dict(pair.split("=", 1) for pair in re.split(r"[;\s]", match[2]) if "=" in pair)
    client = {"pg": "psql", "mysql": "mysql", "mariadb": "mysql"}.get(match[1].lower(), "")
    host, user = parts.get("host", parts.get("hostname", "")), text_of(given[1]) if len(given) > 1 else ""
    if len(given) > 2 and isinstance(given[2], str) and given[2]:
        script.emit(line, row, ("connect", f"--password={given[2]}"))
    if client and host:
        port = ("-p" if client == "psql" else "-P", parts["port"]) if "port" in parts else ()
        login = ("-U" if client == "psql" else "-u", user) if user else ()
        script.emit(line, row, (client, "-h", host, *port, *login))


def _opened(script: Values, node: Node, given: list[Value], line: int, row: str) -> None:
    """``open(F, '>', path)``, ``open(F, '>path')``, ``open(F, 'cmd |')``, ``open(F, '-|', cmd, …)``."""
    from fulldress.package.scripts.perlvalues import File

    mode = text_of(given[1]).strip() if len(given) > 1 else ""
    path = text_of(given[2]) if len(given) > 2 else ""
    handle = re.search(r"open\s*\(?\s*(?:my\s+)?(\$?\w+)", row)
    if mode.split(":")[0].strip() in ("-|", "|-"):
        words = tuple(word for item in given[2:] for word in words_of(item))
        if len(words) == 1:
            script.command_line(words[0], line)
        elif words:
            script.run(line, row, words)
        return
    if not path and len(given) == 2:
        match = re.match(r"(?s)\s*(>>?|\+<|\|)\s*(.*)", mode)
        if mode.endswith("|") or (match and match[1] == "|"):
            script.command_line(mode.strip("| "), line)
            return
        mode, path = (match[1], match[2]) if match else ("<", mode)
    if mode.startswith((">", "+<", "+>")) and path:
        name = handle[1] if handle else f"{line}"
        script.close(name)
        script.files[name] = File(path, mode.startswith(">>"), line, row, [])
        if not script.heeded(node, opens=True):
            script.swallowed(line, row, f"open {path}", "nothing looks whether the file could be opened")


def _printed(script: Values, node: Node, given: list[Value]) -> None:
    """``print $fh text``: what a file gets that was opened before."""
    target = next((c for c in node.named_children if c.type == "indirect_object"), None)
    name = re.sub(r"[{}\s]", "", script.raw(target)) if target is not None else ""
    if name in script.files:
        script.files[name].parts.append("".join(text_of(item) for item in given))


def _formatted(given: list[Value]) -> Value:
    rest = [text_of(item) for item in given[1:]]

    def filled(match: re.Match[str]) -> str:
        return "%" if match[0] == "%%" else rest.pop(0) if rest else hole("a value")

    return re.sub(r"%(?:%|[-+ 0#]*\d*(?:\.\d+)?[a-zA-Z])", filled, text_of(given[0]) if given else "")
