"""Python scripts, by their syntax tree. What a call does is said in the words of the command that does the same.

``requests.post(url, json=…)`` becomes the event of ``curl -X POST url -d …``, ``shutil.rmtree(path)`` that of
``rm -rf path``; so every rule for shell scripts holds here, too.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable

from fulldress.package.reader import Member, Package
from fulldress.package.scripts import wrappers
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Gap, Write
from fulldress.package.scripts.shell import Shell
from fulldress.package.scripts.values import clean, hole

_HTTP = ("requests", "httpx", "session", "client", "urllib3", "http")
_RUN = frozenset({"run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput"})


def read(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Events of one script; a :class:`~.events.Gap` over all of it where it is no Python that this version reads."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # the script's own odd escapes
            tree = ast.parse(clean(member.text).replace("\0", ""))
    except (SyntaxError, ValueError) as error:
        last = member.text.count("\n") + 1
        problem = f"no Python that this version reads: {str(error)[:80]}"
        emit(Gap(member=member, line=1, text="", last=last, problem=problem))
        return
    _Script(package, member, emit).visit(tree)


class _Script(ast.NodeVisitor):
    def __init__(self, package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
        self.package = package
        self.member = member
        self.emit = emit
        self.names: dict[str, str] = {}
        self.rows = member.text.split("\n")

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        text = self.text(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name) and text is not None:
                self.names[target.id] = text
                if isinstance(node.value, ast.Constant | ast.JoinedStr | ast.BinOp):
                    self.emit(
                        Assign(member=self.member, line=node.lineno, text=self._row(node), name=target.id, value=text)
                    )

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        name = _dotted(node.func)
        last = name.rsplit(".", 1)[-1]
        first = self.text(node.args[0]) if node.args else None
        owner = name.rsplit(".", 2)[-2].lower() if "." in name else ""
        if last in _RUN and (owner in ("subprocess", "sp", "commands") or last == "Popen"):
            self._command(node, by_shell=self._flag(node, "shell") or last.startswith("get"))
        elif name in ("os.system", "os.popen"):
            self._command(node, by_shell=True)
        elif name.startswith(("os.exec", "os.spawn", "os.posix_spawn")):
            self._command(node, by_shell=False)
        elif last in ("get", "post", "put", "patch", "delete", "head", "request") and (
            owner in _HTTP or (first or "").startswith(("http://", "https://"))
        ):
            self._request(node, last)
        elif last in ("urlopen", "urlretrieve", "Request") and first:
            self._call(node, ("curl", first))
        elif last in ("create_connection",) or (
            last == "connect" and node.args and isinstance(node.args[0], ast.Tuple)
        ):
            pair = node.args[0].elts if node.args and isinstance(node.args[0], ast.Tuple) else []
            words = [self.text(item) or hole("an argument") for item in pair]
            if words:
                self._call(node, ("nc", *words))
        elif last == "connect" and owner in ("ssh", "client", "transport", "sshclient", "paramiko"):
            host = first or self._keyword(node, "hostname")
            if host:
                port = self._keyword(node, "port")
                self._call(
                    node,
                    (
                        "sftp",
                        *(("-P", port) if port else ()),
                        f"{self._keyword(node, 'username') or ''}@{host}".lstrip("@"),
                    ),
                )
        elif last in ("FTP", "FTP_TLS", "SMTP", "SMTP_SSL", "Telnet") and first:
            self._call(
                node,
                ({"F": "ftp", "S": "swaks", "T": "telnet"}[last[0]], *(("--server",) if last[0] == "S" else ()), first),
            )
        elif last == "connect" and owner in ("psycopg2", "psycopg", "asyncpg", "pymysql", "mysqldb", "connector"):
            self._database(node, "psql" if "pg" in owner else "mysql", first)
        elif name == "shutil.rmtree" and first:
            self._call(node, ("rm", "-rf", first))
        elif name in ("os.remove", "os.unlink", "os.rmdir") and first:
            self._call(node, ("rm", first))
        elif name == "os.chmod" and first and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            mode = node.args[1].value
            if isinstance(mode, int):
                self._call(node, ("chmod", f"{mode:o}", first))
        elif name in ("shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.move", "os.rename", "os.symlink"):
            words = [self.text(arg) or hole("an argument") for arg in node.args[:2]]
            command = {"m": "mv", "r": "mv", "s": "ln"}.get(last[0], "cp")
            self._call(node, (command, *(("-s",) if command == "ln" else ()), *words))
        elif name == "open" and first and _mode(node, self) in ("w", "a", "x"):
            append = _mode(node, self) == "a"
            self.emit(
                Write(
                    member=self.member, line=node.lineno, text=self._row(node), path=first, content=None, append=append
                )
            )
        elif name in ("input", "raw_input", "getpass.getpass", "getpass"):
            self._call(node, ("read", "-p", first or "an answer"))

    # -- what calls become

    def _command(self, node: ast.Call, *, by_shell: bool) -> None:
        argument = node.args[0] if node.args else None
        text = self.text(argument) if argument is not None else None
        if text is not None and (by_shell or not isinstance(argument, ast.List | ast.Tuple)):
            Shell(self.package, self.member, self.emit).text(text, node.lineno)
        elif isinstance(argument, ast.List | ast.Tuple):
            words = tuple(self.text(item) or hole("an argument") for item in argument.elts)
            while words and words[0]:  # the command, and those that it runs in turn (sudo, env …)
                self._call(node, words)
                words = wrappers.inner(words)

    def _request(self, node: ast.Call, method: str) -> None:
        arguments = list(node.args)
        if method == "request" and arguments:
            method = self.text(arguments.pop(0)) or "GET"
        url = (self.text(arguments[0]) if arguments else None) or self._keyword(node, "url")
        if not url:
            return
        words = ["curl", "-X", method.upper(), url]
        for keyword in node.keywords:
            if keyword.arg in ("json", "data"):
                words += ["-d", self._body(keyword.value)]
        self._call(node, tuple(words))

    def _database(self, node: ast.Call, client: str, dsn: str | None) -> None:
        host, port, user = (self._keyword(node, name) for name in ("host", "port", "user"))
        words = [client]
        if dsn:
            words.append(dsn)
        for option, value in (
            ("-h", host),
            ("-p" if client == "psql" else "-P", port),
            ("-U" if client == "psql" else "-u", user),
        ):
            words += [option, value] if value else []
        if len(words) > 1:
            self._call(node, tuple(words))

    def _call(self, node: ast.Call, words: tuple[str, ...]) -> None:
        self.emit(Call(member=self.member, line=node.lineno, text=self._row(node), words=words))

    # -- values

    def text(self, node: ast.expr | None) -> str | None:
        """The text of an expression; holes for its unknown parts; None for what is no text."""
        if isinstance(node, ast.Constant):
            return str(node.value) if isinstance(node.value, str | int) and not isinstance(node.value, bool) else None
        if isinstance(node, ast.Name):
            return self.names.get(node.id, hole(node.id))
        if isinstance(node, ast.Attribute):
            return hole(_dotted(node))
        if isinstance(node, ast.JoinedStr):
            parts = [self.text(v.value if isinstance(v, ast.FormattedValue) else v) for v in node.values]
            return "".join(part if part is not None else hole("a value") for part in parts)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Div):
            left, right = self.text(node.left), self.text(node.right)
            between = "/" if isinstance(node.op, ast.Div) else ""
            return f"{left}{between}{right}" if left is not None and right is not None else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            return self._filled(self.text(node.left), r"%[-#0+ ]*\d*(?:\.\d+)?[a-zA-Z]|%\(\w+\)[a-zA-Z]")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            return self._filled(self.text(node.func.value), r"\{[^{}]*\}")
        if isinstance(node, ast.Call):
            name = _dotted(node.func)
            if name in ("Path", "pathlib.Path", "str", "os.path.expanduser") and node.args:
                return self.text(node.args[0])
            if name in ("os.path.join", "posixpath.join"):
                return "/".join(self.text(arg) or hole("a part") for arg in node.args)
            if name in ("os.environ.get", "os.getenv") and len(node.args) > 1:
                return self.text(node.args[1])
            return hole(f"{name}()") if name else None
        if isinstance(node, ast.Subscript):
            return hole(_dotted(node.value) or "a value")
        return None

    @staticmethod
    def _filled(text: str | None, places: str) -> str | None:
        """A format with holes where it is filled."""
        return None if text is None else re.sub(places, hole("a value"), text)

    def _body(self, node: ast.expr) -> str:
        if isinstance(node, ast.Dict):
            pairs = {
                self.text(key) or "": self._plain(value) for key, value in zip(node.keys, node.values, strict=True)
            }
            return json.dumps(pairs)
        return self.text(node) or hole("a body")

    def _plain(self, node: ast.expr) -> object:
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, bool | int) else self.text(node)

    def _keyword(self, node: ast.Call, name: str) -> str | None:
        return next((self.text(keyword.value) for keyword in node.keywords if keyword.arg == name), None)

    def _flag(self, node: ast.Call, name: str) -> bool:
        return any(k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is True for k in node.keywords)

    def _row(self, node: ast.expr | ast.stmt) -> str:
        return self.rows[node.lineno - 1].strip() if node.lineno <= len(self.rows) else ""


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    elif isinstance(node, ast.Call):
        parts.append(_dotted(node.func).rsplit(".", 1)[-1])
    return ".".join(reversed(parts))


def _mode(node: ast.Call, script: _Script) -> str:
    text = script.text(node.args[1]) if len(node.args) > 1 else script._keyword(node, "mode")
    return (text or "r")[:1]
