"""Where what a command prints goes, and where it reads from: pipelines, redirections, here-documents."""

from __future__ import annotations

import re

from tree_sitter import Node

from fulldress.package.scripts.expansions import cut_tabs
from fulldress.package.scripts.shell.known import is_statement
from fulldress.package.scripts.shell.loops import Loops
from fulldress.package.scripts.values import hole
from fulldress.package.scripts.words import Words
from fulldress.package.scripts.written import Written


class Redirects(Loops):
    """Files and pipes around a command."""

    def _pipeline(self, node: Node) -> str:
        kept = self.stdin, self.fed, self.before, self.ended, self.stdin_line
        printed = (
            (self.stdin or "") if node.children[0].type == "|" else ""
        )  # what a here-document gave the command before
        stages = [child for child in node.children if is_statement(child)]
        for index, stage in enumerate(stages):
            if index or node.children[0].type == "|":
                if printed != self.stdin:
                    self.stdin_line = 0
                self.stdin, self.fed = printed, True
            handled = self.handled
            if stage is not stages[-1]:
                self.handled = "piped"
            printed = self.follow(stage)
            self.handled = handled
            self.before = _name_of(stage, self)
        self.stdin, self.fed, self.before, self.ended, self.stdin_line = kept
        return printed

    def _redirected(self, node: Node) -> str:
        body = node.child_by_field_name("body")
        redirects = node.children_by_field_name("redirect")
        return self._with_redirects(node, body, redirects)

    def _with_redirects(self, node: Node, body: Node | None, redirects: list[Node]) -> str:
        kept = self.stdin, self.fed, self.stdin_line
        targets: list[tuple[Node, str]] = []
        later: list[Node] = []
        content_line = 0
        for redirect in redirects:
            if redirect.type == "heredoc_redirect":
                begin = next((child for child in redirect.children if child.type == "heredoc_body"), None)
                text, number = self._heredoc(redirect), _number(redirect)
                if number in ("", "0"):
                    self.stdin, self.fed = text, True
                mark = next((child for child in redirect.children if child.type == "heredoc_start"), None)
                above = _passed_over(mark, begin).count("\n") if begin and mark else 0
                content_line = (begin.start_point.row + 1 - above + self.offset) if begin else 0
                self.stdin_line = content_line
                if number not in ("", "0"):
                    self._holds(number, text, content_line)
                for child in redirect.children:
                    if child.type == "file_redirect":
                        targets.append((child, _operator(child)))
                    elif is_statement(child) and child.type not in ("heredoc_body", "file_descriptor"):
                        later.append(child)
            elif redirect.type == "herestring_redirect":
                words = [child for child in redirect.children if child.is_named]
                self.stdin = "".join(self.expand(words[-1])[:1]) + "\n" if words else None
                self.fed = True
            elif _operator(redirect) in ("<", "<&"):
                self._reads(redirect)
            else:
                self._opens(redirect)
                targets.append((redirect, _operator(redirect)))
        printed = self.follow(body) if body is not None else ""
        for redirect, operator in targets:
            words = redirect.children_by_field_name("destination")
            if not words or _descriptor(redirect) not in ("", "1") or operator in (">&", "<&"):
                continue
            for path in self.expand(words[0]):
                self._write(node, path, printed, operator == ">>", content_line)
            printed = ""
        self.stdin, self.fed = printed, True
        self.before = _name_of(body, self) if body is not None else ""
        for statement in later:
            printed = self.follow(statement)
        self.before = ""
        self.stdin, self.fed, self.stdin_line = kept
        return printed

    def _reads(self, redirect: Node) -> None:
        """``< FILE``, ``4< FILE``, ``<&3``, ``0<&3``: what a command reads, or what a number stands for from here on."""
        target, number = redirect.child_by_field_name("destination"), _descriptor(redirect)
        path = self.expand(target)[0] if target is not None else ""
        if _operator(redirect) == "<&":
            path = f"/dev/fd/{path.rstrip('-')}"
        content = self.content(path) if path else None
        if number in ("", "0"):
            self.stdin, self.fed = content, True
        elif content is not None:
            self._holds(number, content, redirect.start_point.row + 1 + self.offset)

    def _holds(self, number: str, text: str, line: int) -> None:
        """A file of that number is open for reading: the shell and its commands know it by two names."""
        for folder in ("/dev/fd", "/proc/self/fd"):
            self.written[f"{folder}/{number}"] = Written()
            self.written[f"{folder}/{number}"].read = True  # not by itself
            self.written[f"{folder}/{number}"].add(self.member, text, line, line)

    def _opens(self, redirect: Node) -> None:
        """``9> FILE``: which file a number stands for, e.g. for ``flock 9``."""
        words = redirect.children_by_field_name("destination")
        number = _descriptor(redirect)
        if words and re.fullmatch(r"[3-9]|[0-9]{2,3}", number):
            path = self.descriptors[number] = self.expand(words[0])[0]
            if path.startswith("/dev/watchdog"):
                self._write(redirect, path, None, False, 0)

    def read_in(self, redirect: Node) -> str:
        """What ``$(< FILE)`` gives."""
        target = redirect.child_by_field_name("destination")
        text = self.content(self.expand(target)[0]) if target is not None and _operator(redirect) == "<" else None
        return hole(f"$(< {self.raw(target)[:40]})") if text is None and target is not None else text or ""

    def _heredoc(self, redirect: Node) -> str:
        start = next((child for child in redirect.children if child.type == "heredoc_start"), None)
        body = next((child for child in redirect.children if child.type == "heredoc_body"), None)
        if start is None or body is None:
            return ""
        quoted = any(mark in self.raw(start) for mark in "'\"\\")
        passed = _passed_over(start, body)
        text = self.raw(body) if quoted else self.filled(body, body.start_byte, body.end_byte)[0]
        text = (passed if quoted else self.substituted(passed)) + text
        return cut_tabs(text) if self.raw(redirect).startswith("<<-") else text


def _passed_over(start: Node, body: Node) -> str:
    """The beginning of a here-document that the grammar's scanner skips: white space, and lines that begin with a backslash."""
    root = start
    while root.parent is not None:
        root = root.parent
    data = root.text or b""
    begin = data.find(b"\n", start.end_byte) + 1
    row = data[data.rfind(b"\n", 0, start.start_byte) + 1 : start.start_byte]
    if not 0 < begin < body.start_byte or row.count(b"<<") > 1:  # a second one begins where the first ends
        return ""
    return data[begin : body.start_byte].decode("utf-8", "replace")


def _operator(redirect: Node) -> str:
    return next(
        (child.type for child in redirect.children if child.type in (">", ">>", "<", ">&", "<&", "&>", "&>>", ">|")), ""
    )


def _number(redirect: Node) -> str:
    """The number before a here-document: ``3<<EOF``."""
    node = next((child for child in redirect.children if child.type == "file_descriptor"), None)
    return (node.text or b"").decode() if node is not None else ""


def _descriptor(redirect: Node) -> str:
    node = redirect.child_by_field_name("descriptor")
    return (node.text or b"").decode() if node is not None else ""


def _name_of(node: Node, shell: Words) -> str:
    while node.type in ("redirected_statement", "pipeline", "negated_command") and node.named_children:
        node = node.named_children[0]
    name = node.child_by_field_name("name") if node.type == "command" else None
    return shell.raw(name).rsplit("/", 1)[-1] if name is not None else ""
