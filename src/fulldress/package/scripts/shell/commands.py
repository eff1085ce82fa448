"""One command: its words, what it means for what is known, what it runs in turn, and what it prints.

What a command *does to the host* is not said here: each yields an event, and the rules make facts of it. See
:mod:`fulldress.package.scripts` for where the meaning of a command goes.
"""

from __future__ import annotations

import re
import shlex
from itertools import islice, product
from typing import Any

from tree_sitter import Node

from fulldress.package.scripts import carried, hooks, preloads, sqlprograms, texttools, wrappers
from fulldress.package.scripts.events import Assign, Call, Gap, Write
from fulldress.package.scripts.rule import operands, option
from fulldress.package.scripts.shell import awk, braces, builtins, lines
from fulldress.package.scripts.shell.programs import Programs
from fulldress.package.scripts.sourced import member_of
from fulldress.package.scripts.values import ALTERNATIVES, TEMPORARY, clean, hole, is_constant, show, without
from fulldress.package.scripts.written import Written, kind_of
from fulldress.patterns import regex

#: What prints settings for the shell that evaluates it, and no more.
_SETTINGS = regex(
    r"\$\((?:\S*/)?(?:ssh-agent|gpg-agent|dircolors|lesspipe|resize|tset|getopt|apt-config|dpkg-\w+|brew|direnv|locale|lsb_release|"
    r"pg_config|debconf\S*|systemctl show|stat|blkid|lsblk|udevadm|busybox --list)\b"
)


_VALUED = frozenset(
    {"mode", "owner", "group", "suffix", "backup", "context"}
)  #: long options of install and cp with a value
_PLACING = frozenset({"cp", "install", "mv", "dd"})
#: Clients of databases, and the options that hold a statement.
_CLIENTS = {
    "psql": ("-c", "--command"),
    "mysql": ("-e", "--execute"),
    "mariadb": ("-e", "--execute"),
    "sqlcmd": ("-Q", "-q"),
}


class Commands(Programs):
    """What becomes of one command."""

    def _command(self, node: Node) -> str:
        environment: list[tuple[str, str]] = []
        words: list[list[list[str]]] = []
        redirects: list[Node] = []
        for child in node.children:
            if child.type == "variable_assignment":
                name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if name is not None:
                    text = self.expand(value)[0] if value is not None else ""
                    environment.append((self.raw(name), text))
            elif child.type in ("file_redirect", "herestring_redirect", "heredoc_redirect"):
                redirects.append(child)
            elif child.type == "command_name":
                words.append([[word] for word in self.split(child.children[0])] if child.children else [])
            elif child.is_named and child.type != "comment":
                words.append(self._choices(child))
        if redirects:
            kept = self.stdin, self.fed
            for redirect in redirects:
                if redirect.type == "herestring_redirect":
                    last = [child for child in redirect.children if child.is_named]
                    self.stdin, self.fed = ("".join(self.expand(last[-1])[:1]) + "\n" if last else None), True
            printed = self._calls(node, words, environment)
            self.stdin, self.fed = kept
            return printed
        if not words:  # ``A=1 B=2`` alone
            for variable, text in environment:
                self.variables[variable] = [self.own_hole(variable, text)]
        return self._calls(node, words, environment)

    def _choices(self, node: Node) -> list[list[str]]:
        """The words that one node becomes, each with its alternatives."""
        spread = braces.words(self, node)
        if spread is not None:
            return spread
        if not self.splits(node):
            return [self.expand(node)]
        known = [text for text in self.expand(node) if text] if node.type != "string" else []
        return [known] if len(known) > 1 else [[word] for word in self.split(node)]

    def split(self, node: Node) -> list[str]:
        spread = braces.words(self, node)
        return [choices[0] for choices in spread] if spread is not None else super().split(node)

    def _calls(self, node: Node, words: list[list[list[str]]], environment: list[tuple[str, str]]) -> str:
        flat = [choices for word in words for choices in word]
        printed = ""
        for number, choice in enumerate(islice(product(*flat), ALTERNATIVES)):
            line = tuple(choice)
            if line and line[0]:
                output = self.call(node, line, tuple(environment))
                printed = printed if number else output
        return printed

    def call(self, node: Node, words: tuple[str, ...], environment: tuple[tuple[str, str], ...] = ()) -> str:
        """Follows one command whose words are expanded; what it prints."""
        name = words[0].rsplit("/", 1)[-1]
        if name in self.functions and "/" not in words[0]:
            return self._function(name, words[1:])
        self.step(sum(map(len, words)))
        if name == "flock":
            words = tuple(self.descriptors.get(word, word) for word in words)
        if name == "set":
            builtins.set_options(self, words)
            return ""
        self.emit(
            Call(
                **self.place(node),
                words=words,
                environment=environment,
                stdin=self.stdin,
                fed=self.fed,
                piped_from=self.before,
                alone=self.alone,
            )
        )
        for variable, value in environment:
            if name in wrappers.SHELLS or variable not in preloads.SOURCED:
                self.preloaded(variable, value, node)
        if words[0] in self.aliases and f"alias {name}" not in self.active:
            self.active.append(f"alias {name}")
            said = self.nested(" ".join((self.aliases[words[0]], *map(shlex.quote, words[1:]))), node)
            self.active.remove(f"alias {name}")
            return said
        if "/" in words[0] and re.search(r"[*?]|\[[^\]]+\]", name) and is_constant(name):
            self._unknown(hole(f"<a command that {name} fits>"), node)
        meant = builtins.BUILTINS.get(name)
        if meant is not None and (printed := meant(self, words, environment)) is not None:
            return printed
        if name == "tee":
            for path in words[1:]:
                if not path.startswith("-"):
                    self._write(node, path, self.stdin, "-a" in words, self.stdin_line)
            return self.stdin or ""
        for carried_text in carried.commands(words):
            self.nested(carried_text, node)
        if what := carried.unread(words):
            self._unread(f"gives {name} {what} that was not read", node)
        host = carried.on_host(words)
        if host is not None and not host[1]:
            self._unread("starts a container that may change the host, and only its image knows what it does", node)
        elsewhere = host or wrappers.elsewhere(words)
        if elsewhere is not None:
            place, script = elsewhere
            with self.told(place):
                text = script or (self.stdin if self.fed and self.stdin else "")
                return self._apart(text, node) if text else ""
        text = wrappers.text(words)
        if text and name == "trap" and {"EXIT", "0"} & set(words[2:]):
            self.traps.setdefault(text, (node, self.member, self.offset))
            return ""
        if text:
            self._unknown(text, node)
            return self.nested(text, node)
        if name in ("make", "gmake"):
            self.makes(words[1:], node)
        elif name == "systemctl" and "edit" in words[1:] and "--stdin" in words:
            self._edited(words, node)
        elif name == "crontab":
            self._crontab(words)
        elif name in _PLACING:
            self._placed(name, words, node)
        elif name in _CLIENTS:
            sql = option(words[1:], *_CLIENTS[name]) or (self.stdin if self.fed else "") or ""
            if sqlprograms.may_start(sql):
                self._read("sql", show(sql), self.stdin_line or node.start_point.row + 1 + self.offset)
        if name == "at" and (later := self.content(option(words[1:], "-f") or "")):
            with self.told(f"at {show(' '.join(words[1:]))}"):
                return self._apart(later, node)
        if name in ("at", "batch") and self.fed and self.stdin and words[1:2] not in (("-l",), ("-d",), ("-c",)):
            with self.told(f"{name} {show(' '.join(words[1:]))}".strip()):
                return self._apart(self.stdin, node)
        if name in awk.NAMES:
            self._awk(words[1:], node)
        if self._embedded(name, words, node) or self.python_of_the_package(name, words, node):
            return ""
        if self.fed and self.stdin is None and name in wrappers.SHELLS and wrappers.reads_commands(words):
            self._unread("has a shell run what it reads, and what that is was not found", node)
        if self.fed and self.stdin and wrappers.reads_commands(words):
            self._unknown(self.stdin, node)
            return self.nested(self.stdin, node) if is_constant(self.stdin) else ""
        run = wrappers.inner(words)
        if run and run != words:
            if name == "xargs" and self.stdin and is_constant(self.stdin):
                run = wrappers.with_input(words, run, self.stdin)
            printed = self.call(node, run, environment if name in ("sudo", "env", "nohup", "exec") else ())
            if name == "exec" and not self.doubt:
                self.ended = "exit"
            return printed
        self._script(words, node)
        if name == "cat" and len(words) == 2 and (content := self.content(words[1])) is not None:
            return content
        made = self._made(name, words[1:], node)
        return self.printed(name, words) if made is None else made

    def _crontab(self, words: tuple[str, ...]) -> None:
        """``crontab -`` and ``crontab FILE``; a file of the package that is a crontab by itself is read as one."""
        plain = operands(words[1:], "u")
        if any(re.fullmatch(r"-[a-z]*[lre]", word) for word in words[1:]):
            return
        content = self.content(plain[0]) if plain and plain[0] != "-" else self.stdin if self.fed else None
        found = member_of(self.package, self.member, plain[0]) if plain else None
        if content and (found is None or found.kind not in ("cron", "crontab")):
            self.crontab(content, show(option(words[1:], "-u") or "root"))

    def _placed(self, name: str, words: tuple[str, ...], node: Node) -> None:
        """What is put, from the package or from the input, where a program of the host looks for commands."""
        if name == "dd":
            target = next((word[3:] for word in words if word.startswith("of=")), "")
            sources = [] if any(word.startswith("if=") for word in words) else ["/dev/stdin"]
        else:
            *sources, target = operands(words[1:], {"install": "mogtS"}.get(name, "tS"), _VALUED) or [""]
        for source in sources:
            path = f"{target}{source.rsplit('/', 1)[-1]}" if target.endswith("/") else target
            if source in ("/dev/stdin", "-") and self.fed and self.stdin and path.startswith("/"):
                self._write(node, path, self.stdin, False, self.stdin_line)
            elif (hooks.is_place(path) or kind_of(path, "")) and (content := self.content(source)):
                found = member_of(self.package, self.member, source)
                if found is None or found.kind in ("text", "conf", "ini", "env", "data", "properties"):
                    self.written[path] = Written()
                    self.written[path].add(self.member, content, node.start_point.row + 1 + self.offset, 0)

    def _made(self, name: str, arguments: tuple[str, ...], node: Node) -> str | None:
        """What a text tool prints of its input or of a file; None for other commands and where it is not known."""
        if name not in texttools.TOOLS:
            return None
        file = texttools.file_of(name, arguments)
        given = self._bytes(file) if file else None
        if given is not None:
            arguments = arguments[:-1]
        elif self.fed and self.stdin:
            given = self.stdin.encode() if is_constant(self.stdin) else self.binary.get(self.stdin.strip())
        made = texttools.output(name, arguments, given) if given is not None else None
        if made is None:
            return None
        self.unopened.pop((self.stdin or "").strip(), None)
        try:
            text = made.decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" not in text:
            return clean(text)
        binary = hole(f"$({name} #{len(self.binary) + 1})")
        self.binary[binary] = made
        line = node.start_point.row + 1 + self.offset
        problem = f"its line {line} makes {len(made)} bytes of a text that it carries; what is in them was not read"
        self.unopened[binary] = Gap(member=self.member, line=line, text="", last=line, problem=problem, needed=True)
        return binary

    def _edited(self, words: tuple[str, ...], node: Node) -> None:
        """``systemctl edit --stdin UNIT``: what it reads becomes a drop-in, or with ``--full`` the unit (systemctl(1))."""
        unit = next((word for word in operands(words[1:], "HMp", frozenset({"drop-in", "root"})) if word != "edit"), "")
        unit = unit if "." in unit else f"{unit}.service"
        folder = "/run/systemd/system" if "--runtime" in words else "/etc/systemd/system"
        name = (option(words, "--drop-in") or "override.conf").removesuffix(".conf") + ".conf"
        path = f"{folder}/{unit}" if "--full" in words else f"{folder}/{unit}.d/{name}"
        self._write(node, path, self.stdin if self.fed else None, False, self.stdin_line)
        if not self.fed or self.stdin is None:
            self._unread(f"changes {show(unit)}, and what it puts there is not known", node)

    def _unread(self, what: str, node: Node) -> None:
        line = node.start_point.row + 1 + self.offset
        problem = f"its line {line} {what}"
        self.emit(Gap(member=self.member, line=line, text="", last=line, problem=problem, needed=True))

    def _unknown(self, text: str, node: Node) -> None:
        """Says that a shell is given commands of which nothing is known before they run."""
        if not is_constant(text) and not without(text).strip() and TEMPORARY not in text and not _SETTINGS.search(text):
            line = node.start_point.row + 1 + self.offset
            problem = f"its line {line} runs commands that only a run would know: {show(text).strip()[:60]}"
            self.emit(Gap(member=self.member, line=line, text="", last=line, problem=problem, needed=True))

    def _awk(self, words: tuple[str, ...], node: Node) -> None:
        """Follows what an awk program runs and writes."""
        text, file, given = awk.program(words)
        if file:
            text = self.content(file) or ""
        for effect in awk.effects(show(text), given):
            kept = self.offset, self.stdin, self.fed
            self.offset += 0 if file else effect.row
            if effect.writes:
                self._write(node, effect.writes, None, effect.appends, 0)
            elif effect.printed is not None:
                self.stdin, self.fed = effect.printed, True
                self.nested(effect.runs, node)
            else:
                self._unknown(effect.runs, node)
                self.nested(effect.runs, node)
            self.offset, self.stdin, self.fed = kept

    def _line(self, line: lines.Line, shift: int) -> None:
        words = tuple(self.substituted(word) for word in line.words)
        place: dict[str, Any] = {
            "member": self.member,
            "line": line.number + shift,
            "text": line.text,
            "sure": self.sure,
            "nounset": self.nounset,
            "errexit": self.errexit,
            "handled": "tested",  # not known: nothing is concluded from it
        }
        for name, value in line.assignments:
            self.variables[name] = [self.own_hole(name, self.substituted(value))]
            self.emit(Assign(**place, name=name, value=self.variables[name][0]))
        for path, append in line.writes:
            self.emit(Write(**place, path=self.substituted(path), content=line.stdin, append=append))
        while words:
            self.emit(Call(**place, words=words, stdin=line.stdin, fed=line.fed, piped_from=line.piped_from))
            words = wrappers.inner(words)
