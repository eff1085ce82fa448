"""Scripts within scripts: functions, text after ``-c``, files that are sourced, called, or were written before.

Each runs with what is known here, or in a shell of its own; what is in another language goes to that language's reader.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable

import msgspec
from tree_sitter import Node

from fulldress.package.reader import Member
from fulldress.package.scripts import hooks, maintainer, wrappers
from fulldress.package.scripts.events import AnyEvent, Gap, Write
from fulldress.package.scripts.shell.assignments import Assignments
from fulldress.package.scripts.shell.conditions import assigned_once
from fulldress.package.scripts.sourced import member_of
from fulldress.package.scripts.values import HERE, clean, is_constant, show
from fulldress.package.scripts.written import Row, Written
from fulldress.patterns import regex

#: Functions of other packages. Those of debconf and of init scripts ask and write lines, which their callers show.
_ELSEWHERE = regex(r"/(?:usr|opt|lib)/(?!.*(?:/debconf/confmodule|/init-functions)$)")
DEPTH = 12  #: functions and scripts inside each other
_READERS = {
    "python": "python",
    "javascript": "javascript",
    "ruby": "plain",
    "php": "plain",
    "tcl": "plain",
    "sql": "sqlprograms",
}
_NO_SCRIPTS = frozenset(
    {"folder", "link", "device", "python", "perl", "javascript", "ruby", "php", "powershell", "batch", "sql"}
)
_SMALL = 256 * 1024  #: bytes; a larger file is not taken for an input
_CALLS = 8  #: times that one script is followed for others that call it, each time with other values


class Nested(Assignments):
    """What a script runs that is a script itself."""

    def _apart(self, text: str, node: Node) -> str:
        """Follows a script that runs in a shell of its own, with nothing of this one's variables and functions."""
        kept = self.variables, self.functions, self.arguments, self.ended
        self.variables, self.functions, self.arguments = {}, {}, None
        try:
            return self.nested(text, node)
        finally:
            self.variables, self.functions, self.arguments, self.ended = kept

    def _read(self, kind: str, code: str, line: int) -> None:
        """Hands a text to the reader of its language; its lines are those of the script that holds it."""
        data = ("\n" * (line - 1) + code).encode("utf-8", "replace")
        text = msgspec.structs.replace(self.member, data=data, kind=kind, kept=True)
        own = self.member

        def emit(event: AnyEvent) -> None:
            self.emit(msgspec.structs.replace(event, member=own))

        language = _READERS.get(kind, "perl")
        importlib.import_module(f"fulldress.package.scripts.{language}").read(self.package, text, emit)

    def holds(self, file: str, text: str, node: Node) -> None:
        """Notes what a file holds that only this command has: ``<(…)``."""
        if is_constant(text) and text:
            self.written[file] = Written()
            self.written[file].add(self.member, text, node.start_point.row + 1 + self.offset, 0)

    def _bytes(self, path: str) -> bytes | None:
        """What a file holds that the script wrote before, or that the package brings; None where that is not known."""
        wrote = self.written.get(path)
        if wrote is not None and wrote.known:
            return wrote.text.encode("utf-8", "replace")
        if path == f"{HERE}/{self.member.name}":
            found: Member | None = self.member
        else:
            found = member_of(self.package, self.member, path) if path and path != "-" else None
        if found is None or found.size > _SMALL or not found.sha256:
            return None
        return found.data if found.kept else self.package.open(found.path).read(_SMALL)

    def content(self, path: str) -> str | None:
        """The same as text; None for other bytes."""
        data = self._bytes(path)
        if data is None or b"\0" in data:
            return None
        return clean(data.decode("utf-8", "replace"))

    def nested(self, text: str, node: Node) -> str:
        """Follows text that is itself a script, such as that of ``sh -c``."""
        if len(self.active) >= DEPTH:
            return ""
        self.active.append("-c")
        ended = self.ended
        line = node.start_point.row + 1 + self.offset
        if self.stdin_line and text == self.stdin:
            line = self.stdin_line
        try:
            return self.text(text, line)
        finally:
            self.active.pop()
            self.ended = ended

    def _function(self, name: str, arguments: tuple[str, ...] | None) -> str:
        self.called.add(name)
        if name in self.active or len(self.active) >= DEPTH:
            return ""
        function = self.functions[name]
        kept = self.member, self.offset, self.arguments
        self.member, self.offset, self.arguments = function.member, function.offset, arguments
        self.active.append(name)
        self.locals.append({})
        try:
            return self.follow(function.body)
        finally:
            self.active.pop()
            for hidden, values in self.locals.pop().items():
                self.variables[hidden] = values
                if not values:
                    del self.variables[hidden]
            self.ended = "exit" if self.ended == "exit" else ""
            self.member, self.offset, self.arguments = kept

    def _script(self, words: tuple[str, ...], node: Node) -> None:
        """Follows a shell script of the package that the command sources or starts."""
        file, arguments = wrappers.script_file(words)
        sources = words[0] in (".", "source")
        wrote = self.written.get(file) if file else None
        if wrote is not None and wrote.known:
            self._wrote(file, wrote, arguments, sources)
            return
        if sources and not file.endswith("/debconf/confmodule"):
            self.fixed = frozenset()  # it may set anything
        found = member_of(self.package, self.member, file) if file else None
        if found is None and sources and maintainer.ways(self.member) and _ELSEWHERE.match(file):
            line = node.start_point.row + 1 + self.offset
            self.emit(Gap(member=self.member, line=line, last=line, text=file, problem=file, missing=file))
        if found is None or f"{found.path} {arguments}" in self.active:
            return
        if found.kind != "shell" and not (
            self._is_text(found) and (sources or words[0].rsplit("/", 1)[-1] in wrappers.SHELLS)
        ):
            return
        if len(self.active) >= DEPTH:
            return
        if not sources and not self._is_new(found, arguments):
            return
        kept = self.member, self.offset, self.arguments, self._copy(), dict(self.functions)
        fixed, ended, self.fixed = self.fixed, self.ended, assigned_once(found.text)
        self.member, self.offset = found, 0
        if arguments or not sources:
            self.arguments = arguments
        self.active.append(f"{found.path} {arguments}")
        try:
            self.text(clean(found.text), 1)
        finally:
            self.active.pop()
            self.member, self.offset, self.arguments = kept[:3]
            self.fixed = fixed
            if not sources:
                self.variables, self.functions, self.ended = kept[3], kept[4], ended

    @staticmethod
    def _is_text(member: Member) -> bool:
        """Whether a shell can read it, whatever its name says it is."""
        return member.kept and 0 < member.size <= _SMALL and b"\0" not in member.data and member.kind not in _NO_SCRIPTS

    def _is_new(self, script: Member, arguments: tuple[str, ...]) -> bool:
        """Whether a called script may tell something new: with the same values it did already.

        Scripts that call each other are as many ways through them as there are calls to the power of calls."""
        values = self.scripts.setdefault(script.path, set())
        values_now = repr((arguments, sorted(self.variables.items())))
        if values_now in values:
            return False
        if len(values) >= _CALLS:
            problem = f"called more than {_CALLS} times with other values; the first {_CALLS} were followed"
            self.emit(Gap(member=script, line=1, text="", last=1, problem=problem))
            return False
        values.add(values_now)
        return True

    def _write(self, node: Node, path: str, content: str | None, append: bool, first_line: int) -> None:
        if path.startswith(("/dev/", "&")) and not path.startswith(("/dev/tcp/", "/dev/udp/", "/dev/watchdog")):
            return
        self.emit(Write(**self.place(node), path=path, content=content, append=append, first_line=first_line))
        if not append or path not in self.written:
            self.written[path] = Written()
            self.written[path].known = not append
        here = node.start_point.row + 1 + self.offset
        self.written[path].add(self.member, content, here, first_line)

    def _wrote(self, path: str, wrote: Written, arguments: tuple[str, ...] | None, sources: bool = False) -> None:
        """Follows a file that was written before as the script that it is."""
        kind = wrote.kind(path) if not sources else "shell"
        if len(self.active) >= DEPTH or f"written {path}" in self.active or kind == "unit":
            return
        wrote.read = True
        kept, emit = self._copy(), self.emit
        state = self.functions, self.arguments, self.offset, self.ended, self.member, self.fixed
        self.active.append(f"written {path}")
        self.emit = _places(wrote, emit)
        self.offset = 0
        try:
            if kind not in ("", "shell"):
                self._read(kind, show(wrote.text), 1)
                return
            if not sources:
                self.functions, self.arguments = {}, arguments
                self.fixed = assigned_once(wrote.text)
            self.text(wrote.text, 1)
        finally:
            self.active.pop()
            self.emit = emit
            if not sources:
                self.variables, self.functions = kept, state[0]
            self.arguments, self.offset, self.ended, self.member, self.fixed = state[1:]

    def _hooked(self, path: str, wrote: Written) -> bool:
        """Commands that a program of the host will find in a file that was written; whether there are any."""
        found = list(hooks.commands(path, wrote.text))
        for hook in found:
            kept, self.emit, self.variables = self.emit, _places(wrote, self.emit), {}
            with self.told(hook.when):
                self.text(hook.command, hook.line)
            self.emit = kept
        return bool(found)

    def crontab(self, content: str, user: str) -> None:
        """Commands of a crontab that is given to ``crontab``, which runs them later."""
        for hook in hooks.commands(f"/var/spool/cron/crontabs/{user}", content):
            kept, self.variables = self.variables, {}
            with self.told(hook.when):
                self.text(hook.command, (self.stdin_line or self.offset + 1) + hook.line - 1)
            self.variables = kept

    def finish(self) -> None:
        """What runs at the end, with what is known then; and the scripts and units that were written and not run here."""
        self.ended = ""
        for gap in self.unopened.values():
            self.emit(gap)
        self.unopened.clear()
        for text, (node, member, offset) in list(self.traps.items()):
            kept_place = self.member, self.offset
            self.member, self.offset = member, offset
            self.nested(text, node)
            self.member, self.offset = kept_place
        for path, wrote in list(self.written.items()):
            hooked = wrote.known and is_constant(path) and self._hooked(path, wrote)
            kind = wrote.kind(path) if wrote.known and not wrote.read else ""
            if hooked and kind == "unit":
                continue  # its commands were told, with the moment at which systemd runs them
            if not kind or not wrote.rows:
                continue
            self.variables, self.doubt = {}, 0
            with self.told(f"when {show(path)} runs"):
                if kind != "unit":
                    self._wrote(path, wrote, None)
                    continue
                for row in wrote.rows:
                    match = re.match(r"\s*Exec\w+\s*=\s*[@:+!-]*(.*)", row.text)
                    if match and match[1]:
                        kept, self.emit = self.emit, _places(Written(), self.emit, row)
                        self.text(match[1], 1)
                        self.emit = kept


def _places(wrote: Written, emit: Callable[[AnyEvent], None], only: Row | None = None) -> Callable[[AnyEvent], None]:
    """Events of a written text, each at the place where its row is written."""

    def placed(event: AnyEvent) -> None:
        row = only or (wrote.rows[event.line - 1] if 0 < event.line <= len(wrote.rows) else None)
        if row is None:
            emit(event)
        elif isinstance(event, Gap):
            last = wrote.rows[min(event.last, len(wrote.rows)) - 1].line if wrote.rows else row.line
            emit(msgspec.structs.replace(event, member=row.member, line=row.line, last=max(last, row.line)))
        else:
            emit(msgspec.structs.replace(event, member=row.member, line=row.line))

    return placed
