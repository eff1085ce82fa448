"""Statements of Python in their order: what they assign, both branches, every pass of a loop over constants, handlers."""

from __future__ import annotations

import ast
import re

from fulldress.package.scripts import pythonnames
from fulldress.package.scripts.follower import Value, text_of
from fulldress.package.scripts.pythonvalues import Function, Values, dotted
from fulldress.package.scripts.values import hole, is_constant
from fulldress.patterns import regex

_PASSES = 32
#: Steps of which a later one surely wants to know whether they worked.
_MATTERS = regex(r"(?:^|\.)(?:execute|executescript|migrate|upgrade|call_command|copytree|move|commit)$")
_QUIET = regex(r"(?:^|\.)(?:print|debug|info|warning|warn|write|exception|error|log)$")


class Statements(Values):
    """A follower of statements; imports and calls are left to :class:`.python.Script`."""

    def left(self, value: Value) -> None:
        """A ``with`` block is left: what its object then does."""

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        raise NotImplementedError

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        self.trail.step()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self.functions[self.scope + node.name] = Function(node, self.member, self.offset, self.rows)
        elif isinstance(node, ast.ClassDef):
            kept, self.scope = self.scope, f"{node.name}."
            self.block(node.body)
            self.scope = kept
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.imports(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            self._assign(node)
        elif isinstance(node, ast.If):
            self._if(node)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._for(node)
        elif isinstance(node, ast.While):
            self.value(node.test)
            self.block(node.body)
            self.block(node.orelse)
        elif isinstance(node, ast.With | ast.AsyncWith):
            self._with(node)
        elif isinstance(node, ast.Try | getattr(ast, "TryStar", ast.Try)):
            self._try(node)
        elif isinstance(node, ast.Return | ast.Expr):
            self.bare = node.value if isinstance(node, ast.Expr) else None
            value = self.value(node.value) if node.value is not None else None
            if isinstance(node, ast.Return):
                self.given.append(value)
        elif isinstance(node, ast.Raise):
            self._raise(node)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                self.block(case.body)
        elif isinstance(node, ast.Assert):
            self.value(node.test)

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
        if node.value is None:
            return
        self.bare = node.value if self._forgotten(node) else None
        value = self.value(node.value)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Tuple | ast.List):
                items = (
                    value if isinstance(value, list) and len(value) == len(target.elts) else [None] * len(target.elts)
                )
                for part, item in zip(target.elts, items, strict=True):
                    self._bind(part, item, node)
                continue
            if isinstance(node, ast.AugAssign):
                old = self.value(target)
                if isinstance(old, str) and isinstance(value, str):
                    value = old + value
                elif isinstance(old, list):
                    value = [*old, *(value if isinstance(value, list) else [value])]
            self._bind(target, value, node)

    def _forgotten(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> bool:
        """Whether a result is kept under a name that is not asked for its exit code afterwards."""
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if not isinstance(target, ast.Name) or not isinstance(node.value, ast.Call):
            return False
        rest = "\n".join(self.rows[(node.end_lineno or node.lineno) :])
        result = dotted(node.value.func).rsplit(".", 1)[-1] in ("run", "Popen")
        asked = r"\.(?:returncode|check_returncode|wait|poll|communicate)\b|\s*[,)]" if result else r"\b"
        return not re.search(rf"\b{re.escape(target.id)}(?:{asked})", rest)

    def _renames(self, name: str, node: ast.expr) -> None:
        """``run = os.system``: a function that is called under another name from here on."""
        meant = pythonnames.computed(self, node)
        if not meant and isinstance(node, ast.Attribute):
            meant = self.resolved(dotted(node))
        if meant.partition(".")[0] in pythonnames.ACTING and "environ" not in meant:
            self.aliases[name] = meant

    def _bind(self, target: ast.expr, value: Value, node: ast.stmt) -> None:
        if isinstance(target, ast.Subscript):
            owner, key = self.resolved(dotted(target.value)), self.value(target.slice)
            table = self.value(target.value)
            if isinstance(table, dict) and isinstance(key, str):
                table[key] = value
            if (owner.endswith("environ") and isinstance(key, str) and isinstance(value, str)) or (
                isinstance(key, str) and isinstance(value, str) and is_constant(value)
            ):
                self.assign(self.line(node), self.row(node), key, value)
            return
        name = dotted(target)
        if not name:
            return
        if isinstance(target, ast.Name) and isinstance(node, ast.Assign):
            self._renames(name, node.value)
        self.names[name] = hole(name) if value is None else value
        if isinstance(value, str) and isinstance(node, ast.Assign | ast.AnnAssign) and _is_text(node.value):
            self.assign(self.line(node), self.row(node), name.rsplit(".", 1)[-1], value)
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, str) and is_constant(item) and re.fullmatch(r"[\w.\-]+", key):
                    self.assign(self.line(node), self.row(node), key, item)
        if name.endswith((".verify_mode", ".check_hostname", ".verify")) or name == "ssl._create_default_https_context":
            shown = ast.unparse(node.value)[:80] if isinstance(node, ast.Assign) else ""
            if re.search(r"CERT_NONE|\bFalse\b|unverified", shown):
                self.emit(self.line(node), self.row(node), ("verify-off", shown))

    def _if(self, node: ast.If) -> None:
        test = ast.unparse(node.test) if len(self.rows[node.lineno - 1 : node.lineno][0:1] or [""]) else ""
        if self.imported and "__name__" in test[:60]:
            return
        if "TYPE_CHECKING" in test[:40]:
            return
        self.value(node.test)
        if re.search(
            r"\bgete?uid\(\)\s*(?:!=|==|>|is not|is)\s*0\b|not os\.gete?uid\(\)|IsUserAnAdmin", test
        ) and not _refuses_root(node, test):
            self.emit(self.line(node), self.row(node), ("isuseranadmin", test[:60]))
        before = dict(self.names)
        self.block(node.body)
        left, self.names = self.names, dict(before)
        self.block(node.orelse)
        right = self.names
        for name in {*left, *right}:
            values = [side[name] for side in (left, right) if name in side]
            texts = list(dict.fromkeys(v for v in values if isinstance(v, str) and is_constant(v) and v))
            self.names[name] = texts[0] if len(texts) == 1 else hole(name) if len(texts) > 1 else values[0]

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        items = self.value(node.iter)
        known = [item for item in items if item is not None][:_PASSES] if isinstance(items, list) else []
        passes: list[Value] = [*known] or [None]
        for item in passes:
            if isinstance(node.target, ast.Tuple):
                parts = (
                    item
                    if isinstance(item, list) and len(item) == len(node.target.elts)
                    else [None] * len(node.target.elts)
                )
                for target, part in zip(node.target.elts, parts, strict=True):
                    self.names[dotted(target)] = part if part is not None else hole(dotted(target))
            else:
                self.names[dotted(node.target)] = item if item is not None else hole(dotted(node.target))
            self.block(node.body)
        self.block(node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        entered: list[Value] = []
        for item in node.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.names[dotted(item.optional_vars)] = (
                    value if value is not None else hole(dotted(item.optional_vars))
                )
            elif dotted(getattr(item.context_expr, "func", item.context_expr)).endswith("suppress"):
                self._passed_over(node, node.body, "contextlib.suppress")
            entered.append(value)
        self.block(node.body)
        for value in entered:
            self.left(value)

    def _try(self, node: ast.Try) -> None:
        broad = [h for h in node.handlers if h.type is None or dotted(h.type) in ("Exception", "BaseException")]
        if broad and all(_says_nothing(h.body) for h in broad):
            kind = f"except{' ' + dotted(broad[0].type) if broad[0].type is not None else ''}: {ast.unparse(broad[0].body[0])[:40]}"
            self._passed_over(node, node.body, kind)
        quiet = bool(broad) and all(_says_nothing(h.body) for h in broad)
        self.quiet += quiet
        self.block(node.body)
        self.quiet -= quiet
        for handler in node.handlers:
            self.block(handler.body)
        self.block(node.orelse)
        self.block(node.finalbody)

    def _passed_over(self, node: ast.stmt, body: list[ast.stmt], how: str) -> None:
        for statement in body:
            call = getattr(statement, "value", None)
            if isinstance(call, ast.Call) and _MATTERS.search(dotted(call.func)) and len(body) <= 6:
                self.swallowed(self.line(statement), self.row(statement), ast.unparse(call)[:120], how)
                return

    def _raise(self, node: ast.Raise) -> None:
        if node.exc is None:
            return
        self.value(node.exc)
        if isinstance(node.exc, ast.Call) and dotted(node.exc.func) == "SystemExit" and node.exc.args:
            self.emit(self.line(node), self.row(node), ("exit", text_of(self.value(node.exc.args[0]))))


def _is_text(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Call) and dotted(node.func).endswith((".get", "getenv", ".format", "Path"))
    )


def _says_nothing(body: list[ast.stmt]) -> bool:
    """Whether a handler goes on as if nothing had been: it passes, continues, or only writes a line."""
    return all(
        isinstance(s, ast.Pass | ast.Continue)
        or (
            isinstance(s, ast.Expr)
            and (
                isinstance(s.value, ast.Constant)
                or (isinstance(s.value, ast.Call) and bool(_QUIET.search(dotted(s.value.func))))
            )
        )
        for s in body
    )


def _refuses_root(node: ast.If, test: str) -> bool:
    """``if os.geteuid() == 0: raise …``: it wants no administrator at all."""
    ends = [one for one in node.body if isinstance(one, ast.Raise) or "exit(" in ast.unparse(one)[:200]]
    return bool(ends) and re.search(r"gete?uid\(\)\s*(?:==|is)\s*0\b|not os\.gete?uid\(\)", test) is not None
