"""What followers of the languages beside the shell share: where they are, what they know, and how they start others.

A follower goes through a syntax tree in order, keeps the values that variables may have, and yields events. Nothing is
executed. A program that a script starts is followed in its own language: text after ``-c``, a file of the package.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from fulldress.package.reader import Member, Package
from fulldress.package.scripts import wrappers
from fulldress.package.scripts.events import AnyEvent, Assign, Call, Gap, Swallowed, Write
from fulldress.package.scripts.shell import Exhausted, Shell
from fulldress.package.scripts.sourced import member_of
from fulldress.package.scripts.values import clean, hole, holes, is_constant, show
from fulldress.package.scripts.windowswords import elsewhere
from fulldress.patterns import regex

#: A text with holes, a list, a table; None where nothing is known of it.
Value = str | list["Value"] | dict[str, "Value"] | None

Emit = Callable[[AnyEvent], None]

_DEPTH = 10  #: scripts and texts inside each other
_STEPS = 60_000  #: nodes followed for one script and all that it starts
_WINDOWS = regex(
    r"(?i)^\s*@?(?:cmd|net|sc|reg|schtasks|taskkill|icacls|takeown|powershell|msiexec|wmic|netsh|iisreset|bitsadmin|certutil|"
    r"rd|del|copy|xcopy|robocopy|md|choco|winget|dism|start|call|setx|attrib|shutdown)(?:\.exe)?\s+[/\-\w\"]|[A-Za-z]:\\|%\w+%"
)
_TREES = {"powershell": "powershell", "batch": "batch", "python": "python", "perl": "perl", "javascript": "javascript"}


class Trail:
    """What all followers of one script share: the package, the listener, the way here and the steps taken."""

    def __init__(self, package: Package, emit: Emit) -> None:
        self.package = package
        self.emit = emit
        self.active: list[str] = []
        self.done: set[str] = set()
        self.results: dict[str, Value] = {}  #: what functions gave for the same arguments
        self.hidden: dict[str, str] = {}  #: file name -> the member whose encoded text it is made from
        self.fetched: dict[str, str] = {}  #: file name -> the address that it was fetched from
        self.when = ""  #: where what is followed happens, if not on this host: ``on host NAME``
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps > _STEPS:
            raise Exhausted


class Follower:
    """One pass over one script."""

    def __init__(self, trail: Trail, member: Member, offset: int = 0) -> None:
        self.trail = trail
        self.package = trail.package
        self.member = member
        self.offset = offset
        self.names: dict[str, Value] = {}

    # -- events

    def emit(self, line: int, text: str, words: tuple[str, ...], **given: object) -> None:
        if words and words[0] and not _says_nothing(words):
            row = text.strip().split("\n", 1)[0]
            if host := elsewhere(words):
                given.setdefault("when", f"on host {show(host)}")
            elif self.trail.when:
                given.setdefault("when", self.trail.when)
            if self.member.kind in ("python", "javascript"):  # there only the environment gives an empty text
                names = (name for word in words for name in holes(word))
                given.setdefault("sure", frozenset(name for name in names if not name.isupper()))
            self.trail.emit(Call(member=self.member, line=line, text=row, words=words, **given))  # type: ignore[arg-type]

    def write(self, line: int, text: str, path: str, content: str | None, *, append: bool = False) -> None:
        if _WHOLE.fullmatch(path):
            return  # an effect upon a file of which nothing is known
        row = text.strip().split("\n", 1)[0]
        self.trail.emit(
            Write(
                member=self.member, line=line, text=row, path=path, content=content, append=append, when=self.trail.when
            )
        )

    def assign(self, line: int, text: str, name: str, value: str) -> None:
        if re.search(r"[\x00-\x08\x0b-\x1f]|://\w+://", value):
            return  # a mark for a program, or a piece of an address
        row = text.strip().split("\n", 1)[0]
        self.trail.emit(Assign(member=self.member, line=line, text=row, name=name, value=value))

    def swallowed(self, line: int, text: str, what: str, how: str) -> None:
        row = text.strip().split("\n", 1)[0]
        self.trail.emit(Swallowed(member=self.member, line=line, text=row, what=what, how=how))

    def gap(self, first: int, last: int, problem: str = "", *, needed: bool = False) -> None:
        self.trail.emit(Gap(member=self.member, line=first, text="", last=last, problem=problem, needed=needed))

    # -- programs

    def run(self, line: int, text: str, words: tuple[str, ...], **given: object) -> None:
        """A program is started: its event, and what it runs in turn."""
        seen = 0
        while words and words[0] and seen < _DEPTH:
            self.emit(line, text, words, **given)
            if self._started(line, words):
                return
            inner = wrappers.inner(words)
            words, seen = (inner if inner != words else ()), seen + 1

    def command_line(self, text: str, line: int, *, unheard: bool = False, apart: bool = False) -> None:
        """A text for a shell: that of Windows where it can be no other's. ``unheard``, ``apart`` as in :class:`Call`."""
        if not text.strip() or len(self.trail.active) >= _DEPTH:
            return
        with _Inside(self.trail, "-c"), _Marked(self.trail, self.member, unheard, apart):
            if _WINDOWS.search(text) and "\n" not in text.strip():
                from fulldress.package.scripts import batch

                batch.follow(self.trail, self.member, text, line - 1)
            else:
                Shell(self.package, self.member, self.trail.emit).text(text, line)

    def _started(self, line: int, words: tuple[str, ...]) -> bool:
        """Follows the text or the file that a command gets; whether it was one of these."""
        name = re.sub(r"(?i)\.exe$", "", re.split(r"[/\\]", words[0])[-1]).lower()
        rest = words[1:]
        if fetched := self.trail.fetched.get(_file(words[0])):
            self.emit(line, " ".join(words), ("run-fetched", fetched))
        if source := self.trail.hidden.get(_file(words[0])):
            self._hidden(line, source)
            return True
        if name in ("cmd", "command"):
            place = next((i for i, word in enumerate(rest) if word.lower()[:2] in ("/c", "/k", "/r")), -1)
            if place >= 0:
                self.nested("batch", " ".join((rest[place][2:], *rest[place + 1 :])).strip(), line)
                return True
            return False
        if name in ("powershell", "pwsh"):
            return self._powershell(line, rest)
        if name == "wsl":
            inner = rest[1:] if rest[:1] in (("-e",), ("--exec",), ("--",)) else rest
            self.run(line, " ".join(words), tuple(inner))
            return True
        if name in wrappers.SHELLS and (script := wrappers.text((name, *rest))):
            if len(self.trail.active) < _DEPTH:
                with _Inside(self.trail, "-c"):
                    Shell(self.package, self.member, self.trail.emit).text(script, line)
            return True
        if re.fullmatch(r"(python|pypy)[\d.]*w?|py", name):
            if rest[:1] == ("-c",) and len(rest) > 1:
                self.nested("python", rest[1], line)
                return True
            return self._file(next((word for word in rest if not word.startswith("-")), ""), rest)
        if name == "perl" and len(rest) > 1 and re.fullmatch(r"-[a-zA-Z]*e", rest[0]) and "i" not in rest[0]:
            self.nested("perl", rest[1], line)
            return True
        if name == "node" and len(rest) > 1 and rest[0] in ("-e", "--eval"):
            self.nested("javascript", rest[1], line)
            return True
        file, arguments = wrappers.script_file((name, *rest) if name in _INTERPRETERS else words)
        if not file and re.search(r"(?i)\.(bat|cmd|ps1|sh|py|pl|js)$", words[0]):
            file, arguments = words[0], rest
        return self._file(file, arguments)

    def decoded(self, paths: list[str]) -> None:
        """``certutil -decode FROM TO``: what TO holds stands in FROM."""
        if len(paths) > 1:
            found = self.sibling(paths[0])
            self.trail.hidden[_file(paths[1])] = found.path if found is not None else paths[0]

    def _hidden(self, line: int, path: str) -> None:
        """Something is run that stands encoded in a file: followed where it is a script, told where it is not."""
        found = self.package.members.get(path)
        text = _unwrapped(found.text) if found is not None and found.kept and found.size < 1_000_000 else None
        if text is None:
            name = show(path).rsplit("/", 1)[-1]
            self.gap(line, line, f"a program that is encoded in {name} and run; nobody looked into it", needed=True)
            return
        kind = "powershell" if re.search(r"(?im)^\s*(?:\$\w+\s*=|param\s*\(|[a-z]+-[a-z]+\s)", text) else "batch"
        self.nested(kind, text, line)

    def _powershell(self, line: int, words: tuple[str, ...]) -> bool:
        index = 0
        while index < len(words):
            word = words[index].lower().replace("/", "-", 1)
            if re.fullmatch(r"-e(c|n[codeman]*)?", word):
                text = encoded(words[index + 1]) if index + 1 < len(words) else None
                if text is None:
                    self.gap(
                        line, line, "a command that is encoded, and whose text is only known when it runs", needed=True
                    )
                else:
                    self.nested("powershell", text, line)
                return True
            if re.fullmatch(r"-c(o[mand]*)?", word):
                self.nested("powershell", " ".join(words[index + 1 :]).strip('"'), line)
                return True
            if re.fullmatch(r"-f(i[le]*)?", word):
                return self._file(words[index + 1] if index + 1 < len(words) else "", words[index + 2 :])
            if word.startswith("-"):
                takes = re.match(r"-(ex|ep|w|in|o|v|config|settings|ps|cus)", word) and not word.startswith("-noe")
                index += 2 if takes else 1
                continue
            if re.fullmatch(r"(?i)[^\s'\"]+\.ps1", words[index]):
                return self._file(words[index], words[index + 1 :])
            self.nested("powershell", " ".join(words[index:]), line)
            return True
        return False

    def nested(self, language: str, text: str, line: int) -> None:
        if len(self.trail.active) < _DEPTH and text.strip():
            with _Inside(self.trail, "-c"):
                follow(self.trail, self.member, language, text, line - 1)

    def _file(self, path: str, arguments: tuple[str, ...] = ()) -> bool:
        """Follows a script of the package, once for the same arguments."""
        found = self.sibling(path) if path else None
        if found is None or not found.kept or found.path == self.member.path:
            return False
        key = f"{found.path} {arguments}"
        if key in self.trail.done or len(self.trail.active) >= _DEPTH:
            return True
        self.trail.done.add(key)
        with _Inside(self.trail, key):
            if found.kind == "shell":
                shell = Shell(self.package, found, self.trail.emit)
                shell.arguments = arguments
                shell.run(found.text)
            elif found.kind in _TREES:
                follow(self.trail, found, found.kind, clean(found.text), 0, arguments)
            else:
                return False
        return True

    def sibling(self, path: str) -> Member | None:
        """The member of the package that a script means by ``path``, in Windows' writing or the other."""
        return member_of(self.package, self.member, path.replace("\\", "/").removeprefix("./"))


class _Marked:
    """Calls of one script that come from a command line are said to be unheard, or apart."""

    def __init__(self, trail: Trail, member: Member, unheard: bool, apart: bool) -> None:
        self.trail, self.emit = trail, trail.emit
        self.member, self.unheard, self.apart = member, unheard, apart

    def __enter__(self) -> None:
        if self.unheard or self.apart:
            self.trail.emit = self._marked

    def __exit__(self, *_: object) -> None:
        self.trail.emit = self.emit

    def _marked(self, event: AnyEvent) -> None:
        if isinstance(event, Call) and event.member is self.member and not event.handled:
            event = replace(event, unheard=event.unheard or self.unheard, apart=event.apart or self.apart)
        self.emit(event)


class _Inside:
    def __init__(self, trail: Trail, name: str) -> None:
        self.trail, self.name = trail, name

    def __enter__(self) -> None:
        self.trail.active.append(self.name)

    def __exit__(self, *_: object) -> None:
        self.trail.active.pop()


_INTERPRETERS = wrappers.SHELLS | {"perl", "node", "ruby", "php"}


def follow(
    trail: Trail, member: Member, language: str, text: str, offset: int, arguments: tuple[str, ...] | None = None
) -> None:
    """Follows ``text`` in ``language``; it begins at line ``offset`` + 1 of ``member``."""
    import importlib

    module = importlib.import_module(f"fulldress.package.scripts.{_TREES[language]}")
    module.follow(trail, member, text, offset, arguments)


def text_of(value: Value, name: str = "a value") -> str:
    """A value as it stands in a command line."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(text_of(item, name) for item in value)
    return hole(name)


def words_of(value: Value) -> Iterator[str]:
    """The words that a value becomes as arguments."""
    if isinstance(value, list):
        for item in value:
            yield from words_of(item)
    else:
        yield text_of(value)


def encoded(text: str) -> str | None:
    """What ``powershell -EncodedCommand`` reads: base64 of UTF-16; None for anything else."""
    if not is_constant(text):
        return None
    try:
        raw = base64.b64decode(text, validate=True)
        return clean(raw.decode("utf-16-le"))
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _unwrapped(text: str) -> str | None:
    """The text that base64 with or without its armour lines holds; None where it is none."""
    bare = re.sub(r"-----[^\n]*-----|\s+", "", text)
    try:
        return clean(base64.b64decode(bare, validate=True).decode())
    except (binascii.Error, ValueError):
        return None


_WHOLE = regex("\ue000[^\ue000\ue001]*\ue001")
_PLACING = frozenset(
    {"rm", "mv", "cp", "mkdir", "rmdir", "chmod", "chown", "ln", "copy-item", "move-item", "new-item", "md"}
)


def _says_nothing(words: tuple[str, ...]) -> bool:
    """Whether a command works upon files of which nothing is known, and takes no folder with it."""
    paths = [word for word in words[1:] if not word.startswith("-")]
    if words[0] in ("chmod", "chown"):
        paths = paths[1:]
    return words[0] in _PLACING and "-rf" not in words and bool(paths) and all(map(_WHOLE.fullmatch, paths))


def _file(path: str) -> str:
    """What two ways of writing one path have in common: its last part."""
    name = re.split(r"[/\\]", path)[-1].strip("\"'")
    return name.lower() if not holes(name) else path


file_name = _file
