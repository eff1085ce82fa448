"""Batch files: variables, delayed expansion, loops over constants, labels that are called, scripts that are called."""

from __future__ import annotations

import re
from collections.abc import Callable

from fulldress.package.reader import Member, Package
from fulldress.package.scripts import batchheed
from fulldress.package.scripts.batchlines import For, Group, If, Label, Simple, Statement, parse, redirections, words
from fulldress.package.scripts.batchvalues import Values
from fulldress.package.scripts.events import AnyEvent
from fulldress.package.scripts.follower import Trail, file_name
from fulldress.package.scripts.values import clean, hole, holes, is_constant
from fulldress.patterns import regex

_PASSES = 32
_ENDS = regex(r"(?i)(exit(\s+/b)?(\s+.*)?|goto\s*:?\s*eof)\s*$")
_SILENT = frozenset({"rem", "setlocal", "endlocal", "title", "color", "cls", "prompt", "mode", "chcp", "path", "shift", "popd", "pushd", "cd", "chdir", "ver", "verify", "break", "dir", "assoc", "ftype", "vol", "date", "time", "goto", "exit", "else"})  # fmt: skip


def read(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Events of one script, and of what it starts. Raises :class:`~.shell.Exhausted`."""
    follow(Trail(package, emit), member, clean(member.text), 0)


def follow(trail: Trail, member: Member, text: str, offset: int, arguments: tuple[str, ...] | None = None) -> None:
    """Follows ``text``, which begins at line ``offset`` + 1 of ``member``."""
    script = _Script(trail, member, offset)
    script.arguments = arguments
    script.whole(text)


class _Script(Values):
    def __init__(self, trail: Trail, member: Member, offset: int) -> None:
        super().__init__(trail, member, offset)
        self.sections: dict[str, list[Statement]] = {}
        self.maybe = 0  #: inside how many conditions
        self.printed: list[str] | None = None
        self.row = ""
        self.unheard = False  #: nothing looks at the exit code of the command that is followed

    def whole(self, text: str) -> None:
        statements, balanced = parse(text)
        if not balanced and "\n" in text:
            self.gap(1 + self.offset, text.count("\n") + 1 + self.offset, "batch: a parenthesis is not closed; what follows it was read as inside")  # fmt: skip
        name, order = "", [""]
        self.sections[""] = []
        for statement in statements:
            if isinstance(statement, Label):
                name = statement.name
                order.append(name)
                self.sections.setdefault(name, [])
            else:
                self.sections[name].append(statement)
        called = {m.lower() for m in re.findall(r"(?i)\bcall\s+:([\w.-]+)", text)}
        jumped = {m.lower() for m in re.findall(r"(?i)\bgoto\s*:?\s*([\w.-]+)", text)}
        falls = True
        for section in order:
            if falls or section in jumped or section not in called:
                self.block(self.sections[section])
            last = self.sections[section][-1] if self.sections[section] else None
            falls = not (isinstance(last, Simple) and _ENDS.match(last.text)) if last is not None else falls

    # -- statements

    def block(self, statements: list[Statement] | tuple[Statement, ...], after: Statement | None = None) -> None:
        """``after`` is what comes next outside of the block."""
        before = ""
        for index, statement in enumerate(statements):
            self.trail.step()
            following = statements[index + 1] if index + 1 < len(statements) else after
            if isinstance(statement, Simple):
                self.unheard = not batchheed.heard(statements, index, after, self.sections)
                before = self._simple(statement, before if statement.operator == "|" else "")
            elif isinstance(statement, Group):
                self._group(statement, following)
            elif isinstance(statement, If):
                self.maybe += 0 if _asks_if_empty(statement.condition) else 1
                self.block(statement.body, following)
                self.maybe += 1 if _asks_if_empty(statement.condition) else 0
                self.block(statement.otherwise, following)
                self.maybe -= 1
            elif isinstance(statement, For):
                self._for(statement)

    def _group(self, group: Group, after: Statement | None) -> None:
        _, targets = redirections(group.rest)
        kept, self.printed = self.printed, [] if targets else self.printed
        self.block(group.body, after)
        printed, self.printed = self.printed, kept
        for descriptor, operator, target in targets:
            if descriptor in ("", "1") and operator != "<":
                self._write(group.line, group.rest, target, "\n".join(printed or []), operator)

    def _for(self, loop: For) -> None:
        key = f"%{loop.variable}"
        source = self.fill(loop.source)
        options = loop.options.lower()
        if options.startswith("/f"):
            command = source.strip()
            if command[:1] in "'`" and len(command) > 1:
                self.command(loop.line + self.offset, command.strip("'`"))
            items = [hole(f"%%{loop.variable}")]
        elif options.startswith(("/l", "/r", "/d")):
            items = [hole(f"%%{loop.variable}")]
        else:
            items = [word for word in words(source) if is_constant(word) and "*" not in word][:_PASSES] or [
                hole(f"%%{loop.variable}")
            ]
        for item in items:
            self.names[key] = item
            self.block(loop.body)

    def _simple(self, statement: Simple, before: str) -> str:
        """Follows one command; its name."""
        return self.command(statement.line + self.offset, statement.text, before)

    def command(self, line: int, raw: str, before: str = "") -> str:
        self.row = raw
        text = self.fill(raw)
        bare, targets = redirections(text)
        fed = bool(before) or any(operator == "<" for _, operator, _ in targets)
        found = words(bare)
        if not found:
            return ""
        name = re.sub(r"(?i)\.(exe|com)$", "", re.split(r"[/\\]", found[0])[-1]).lower()
        match = re.match(r"(?i)(echo|rd|del|md|cd|exit|goto|call)([.:;,/\\(].*)", found[0])
        if match and "\\" not in found[0][len(match[1]) + 1 :]:
            name, found = match[1].lower(), [match[1], match[2].lstrip(".:;,("), *found[1:]]
        printed = re.sub(r"(?i)^\s*echo[.:( ]?", "", bare) if name == "echo" else None
        if printed is not None and self.printed is not None:
            self.printed.append(_unescaped(printed))
        for descriptor, operator, target in targets:
            if descriptor in ("", "1") and operator != "<" and not target.startswith("&"):
                self._write(line, raw, target, _unescaped(printed) if printed is not None else None, operator)
        self._named(line, raw, name, found, bare, fed)
        return name

    def _write(self, line: int, raw: str, target: str, content: str | None, operator: str) -> None:
        if target.lower() not in ("nul", "con", "prn") and not target.startswith("&"):
            self.write(line, raw, target, content, append=operator == ">>")

    def _named(self, line: int, raw: str, name: str, found: list[str], bare: str, fed: bool) -> None:
        rest = tuple(found[1:])
        if name == "set":
            self._set(line, raw, bare, fed)
        elif name == "exit":
            status = next((word for word in rest if re.fullmatch(r"-?\d+", word)), "")
            self.emit(line, raw, ("exit", status or "0"))
        elif name == "echo" or name in _SILENT:
            return
        elif name == "pause":
            if not fed:
                self.emit(line, raw, ("read", "-p", "a key"))
        elif name == "choice":
            timed = any(word.lower().startswith("/t") for word in rest)
            self.emit(line, raw, ("read", "-t" if timed else "-p", "a choice"), fed=fed)
        elif name == "call":
            self._call(line, raw, rest)
        elif name == "start":
            self._start(line, raw, bare)
        elif name in ("curl", "wget", "bitsadmin", "certutil"):
            self._fetch(line, raw, name, rest)
        elif name in ("cmd", "powershell", "pwsh") and '"' in bare:
            quoted = re.search(r'(?i)\s[/-]c(?:ommand)?\s+(".*)$', bare)
            text = quoted[1].strip() if quoted else ""
            inner = text[1:-1] if text.count('"') >= 2 and text.endswith('"') else text
            if quoted and name == "cmd":
                self.run(line, raw, (name, "/c", inner.replace('\\"', '"')))
            elif quoted:
                self.run(line, raw, (name, "-Command", inner.replace('\\"', '"').replace('"""', '"')))
            else:
                self.run(line, raw, (name, *rest), fed=fed)
        else:
            first = found[0] if re.search(r"[\\/]|\.(bat|cmd|ps1|vbs|py|pl|js|msi)$", found[0], re.I) else name
            if name == "shutdown":  # Unix has another one
                first = "shutdown.exe"
            elif file_name(found[0]) in self.trail.fetched:
                first = found[0]
            self.run(line, raw, (first, *rest), fed=fed, unheard=self.unheard)

    def _set(self, line: int, raw: str, bare: str, fed: bool) -> None:
        text = bare.strip()[3:].strip()
        if re.match(r"(?i)/p\b", text):
            name, _, prompt = text[2:].strip().strip('"').partition("=")
            self.names[name.strip().lower()] = hole(f"%{name.strip()}%")
            if not fed:
                self.emit(line, raw, ("read", "-p", prompt.strip() or "an answer"))
            return
        if re.match(r"(?i)/a\b", text):
            name = re.split(r"[+\-*/%|&]?=", text[2:].strip().strip('"'))[0].strip().lower()
            self.names[name] = hole(f"%{name}%")
            return
        quoted = re.match(r'"([^"=]+)=(.*)"[^"]*$', text)
        name, equals, value = (quoted[1], "=", quoted[2]) if quoted else text.partition("=")
        if not equals:
            return
        name, value = name.strip(), _unescaped(value)
        old = self.names.get(name.lower())
        self.assign(line, raw, name, value)
        if self.maybe and isinstance(old, str) and old and is_constant(old) and is_constant(value) and old != value:
            value = hole(f"%{name}%")
        self.names[name.lower()] = value

    def _call(self, line: int, raw: str, rest: tuple[str, ...]) -> None:
        if not rest:
            return
        if not rest[0].startswith(":"):
            self.run(line, raw, rest, unheard=self.unheard)
            return
        label, key = rest[0][1:].lower(), f"{self.member.path}:{rest}"
        if label not in self.sections or key in self.trail.active or len(self.trail.active) > 10:
            return
        kept, self.arguments = self.arguments, rest[1:]
        self.trail.active.append(key)
        try:
            self.block(self.sections[label])
        finally:
            self.trail.active.pop()
            self.arguments = kept

    def _start(self, line: int, raw: str, bare: str) -> None:
        text = re.sub(r"(?i)^\s*start\s*", "", bare)
        text = re.sub(r'^"[^"]*"\s*(?=\S)', "", text)
        found = words(re.sub(r"(?i)^(/(wait|b|min|max|i|low|normal|high|realtime|abovenormal|belownormal|separate|shared|elevate)\s+|/d\s*(\"[^\"]*\"|\S+)\s+)*", "", text))  # fmt: skip
        if found:
            waits = re.search(r"(?i)(?:^|\s)/w(?:ait)?\b", text)
            self.run(line, raw, tuple(found), apart=not waits, unheard=bool(waits) and self.unheard)

    def _fetch(self, line: int, raw: str, name: str, rest: tuple[str, ...]) -> None:
        url = next((word for word in rest if "://" in word), "")
        if name == "certutil" and not any("urlcache" in word.lower() for word in rest):
            if any(re.match(r"(?i)[/-]decode(?:hex)?$", word) for word in rest):
                self.decoded([word for word in rest if not re.match(r"[/-][a-zA-Z]+$", word)])
            self.emit(line, raw, (name, *rest))
            return
        target = next((rest[i + 1] for i, word in enumerate(rest[:-1]) if word in ("-o", "-O", "--output")), "")
        if name in ("certutil", "bitsadmin") and rest:
            target = rest[-1]
        if target and url:
            self.trail.fetched[file_name(target)] = url
        self.emit(line, raw, (name, *rest))


def _unescaped(text: str) -> str:
    return re.sub(r"\^(.)", r"\1", text)


def _asks_if_empty(condition: str) -> bool:
    """``if not defined X``, ``if "%X%"==""``: what is set then is the default."""
    return bool(re.match(r'(?i)not\s+defined\b|(?!not\b).*==\s*(""|\[\]|\.)\s*$', condition)) and not holes(condition)
