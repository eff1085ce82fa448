"""Python scripts, by their syntax tree: names, defaults, functions that are called with constants, imported siblings.

What a call does is said by :mod:`.pythoncalls` in the words of the command that does the same: ``requests.post(url, json=…)``
becomes the event of ``curl -X POST url -d …``, so every rule for shell scripts holds here, too.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable

from fulldress.package.reader import Member, Package
from fulldress.package.scripts import plain, pythoncalls, pythoncrontab
from fulldress.package.scripts.events import AnyEvent
from fulldress.package.scripts.follower import Trail, Value
from fulldress.package.scripts.pythonstatements import Statements
from fulldress.package.scripts.pythonvalues import Function
from fulldress.package.scripts.values import clean, hole


def read(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Events of one script, and of what it starts. Raises :class:`~.shell.Exhausted`."""
    follow(Trail(package, emit), member, clean(member.text), 0)


def parsed(text: str) -> ast.Module | str:
    """The tree, or why there is none: Python 2, a newer Python, no Python at all."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # the script's own odd escapes
            warnings.simplefilter("ignore", DeprecationWarning)
            return ast.parse(text.replace("\0", ""))
    except (SyntaxError, ValueError, MemoryError) as error:
        return str(error)[:80]


def follow(trail: Trail, member: Member, text: str, offset: int, arguments: tuple[str, ...] | None = None) -> None:
    """Follows ``text``, which begins at line ``offset`` + 1 of ``member``; line by line where it is not parsed."""
    tree = parsed(text)
    script = Script(trail, member, offset)
    script.rows = text.split("\n")
    if isinstance(tree, str):
        script.gap(1 + offset, len(script.rows) + offset, f"no Python that this version reads: {tree}")
        plain.lines(trail.package, member, "python", script.rows, 1 + offset, trail.emit)
        return
    script.module(tree)
    script.finish()


class Script(Statements):
    def module(self, tree: ast.Module, *, imported: bool = False) -> None:
        """The statements of a file; functions and classes that nothing called are followed with unknown arguments."""
        self.imported = imported
        self.block(tree.body)
        if imported:
            return
        for name, function in sorted(self.functions.items()):
            if name not in self.called:
                self.call(name, function, [], {}, unknown=True)

    # -- imports

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.aliases[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
                self._sibling(alias.name, node.lineno, alias.asname or alias.name)
            return
        module = node.module or ""
        for alias in node.names:
            self.aliases[alias.asname or alias.name] = f"{module}.{alias.name}" if module else alias.name
        found = self._sibling(module, node.lineno, "") if module else None
        if found is None and not module:
            for alias in node.names:
                self._sibling(alias.name, node.lineno, alias.asname or alias.name)
        if found is None:
            return
        for alias in node.names:
            own = alias.asname or alias.name
            if alias.name == "*":
                self.functions.update(found.functions)
                self.names.update(found.names)
            elif alias.name in found.functions:
                self.functions[own] = found.functions[alias.name]
                self.aliases.pop(own, None)
            elif alias.name in found.names:
                self.names[own] = found.names[alias.name]

    def _sibling(self, module: str, line: int, prefix: str) -> Script | None:
        """A module that lies beside the script: what it does when it is imported, its constants and functions."""
        if not re.fullmatch(r"[\w.]+", module):
            return None
        path = module.replace(".", "/")
        names = (f"{path}.py", f"{path}/__init__.py")
        folder = self.member.path[: len(self.member.path) - len(self.member.name)]
        found = next((m for name in names if (m := self.package.members.get(folder + name)) is not None), None)
        if found is None or not found.kept or found.kind != "python" or found.path == self.member.path:
            return None
        key = f"import {found.path}"
        if key in self.trail.active or len(self.trail.active) > 8:
            return None
        tree = parsed(clean(found.text))
        if isinstance(tree, str):
            return None
        other = Script(self.trail, found, 0)
        other.rows = clean(found.text).split("\n")
        self.trail.active.append(key)
        try:
            other.module(tree, imported=True)
        finally:
            self.trail.active.pop()
        if prefix:
            self.functions.update(
                {f"{prefix}.{name}": function for name, function in other.functions.items() if "." not in name}
            )
            self.called.update(f"{prefix}.{name}" for name in other.functions)  # only where this script calls them
            self.names.update({f"{prefix}.{name}": value for name, value in other.names.items() if "." not in name})
        else:
            self.called.update(other.functions)
        return other

    # -- calls

    def call(
        self, name: str, function: Function, given: list[Value], named: dict[str, Value], *, unknown: bool = False
    ) -> Value:
        """Follows a function with its arguments; the one constant that it gives, where there is one."""
        self.called.add(name)
        key = f"{function.member.path}:{function.node.lineno}"
        if key in self.trail.active or len(self.trail.active) > 10:
            return hole(f"{name}()")
        again = f"{key}:{given!r}:{named!r}:{unknown}"
        if again in self.trail.results:
            return self.trail.results[again]
        kept = dict(self.names), self.member, self.offset, self.rows, self.given, self.scope
        self.member, self.offset, self.rows, self.given = function.member, function.offset, function.rows, []
        parameters = [*function.node.args.posonlyargs, *function.node.args.args]
        if "." in name and parameters and parameters[0].arg in ("self", "cls"):
            self.names[parameters[0].arg] = hole("self")
            parameters = parameters[1:]
        defaults = [None] * (len(parameters) - len(function.node.args.defaults)) + list(function.node.args.defaults)
        for place, (parameter, default) in enumerate(
            zip(parameters, defaults[-len(parameters) :] if parameters else [], strict=True)
        ):
            value: Value = self.value(default) if default is not None else None
            if parameter.arg in named:
                value = named[parameter.arg]
            elif place < len(given) and not unknown:
                value = given[place]
            self.names[parameter.arg] = value if value is not None else hole(parameter.arg)
        for only, default in zip(function.node.args.kwonlyargs, function.node.args.kw_defaults, strict=True):
            value = named.get(only.arg, self.value(default) if default is not None else None)
            self.names[only.arg] = value if value is not None else hole(only.arg)
        if function.node.args.vararg is not None:
            self.names[function.node.args.vararg.arg] = list(given[len(parameters) :]) or None
        self.trail.active.append(key)
        try:
            self.block(function.node.body)
            results = [value for value in self.given if value is not None]
        finally:
            self.trail.active.pop()
            attributes = {key: value for key, value in self.names.items() if key.startswith("self.")}
            self.names, self.member, self.offset, self.rows, self.given, self.scope = kept
            self.names.update(attributes)
        self.trail.results[again] = results[0] if len(results) == 1 else hole(f"{name}()")
        return self.trail.results[again]

    def left(self, value: Value) -> None:
        pythoncrontab.written(self, value)

    def called_value(self, node: ast.Call) -> Value:
        return pythoncalls.follow(self, node)
