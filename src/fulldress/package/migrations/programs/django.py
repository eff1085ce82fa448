"""Django: the list of operations, both ways. What an operation's own reverse does is generated as Django would."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from fulldress.package.migrations.programs.djangooperations import Reading
from fulldress.package.migrations.programs.pysource import Source
from fulldress.package.migrations.script import PASSED_OVER, Script, translated
from fulldress.package.migrations.sql import Statement
from fulldress.package.reader import Member


def read(member: Member, memory: dict[str, object]) -> Iterator[Script]:
    """Two scripts a module; the way back is missing where one operation has none."""
    source = Source.of(member)
    found = next((c for c in source.classes if c.name == "Migration"), None) if source else None
    if source is None or found is None:
        return
    body = {
        t.id: n.value for n in found.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)
    }
    if "operations" not in body and "dependencies" not in body:
        return
    if _stands_for_others(body.get("replaces"), source, member, memory):
        yield Script(member=member, direction=PASSED_OVER)
        return
    app = (member.inner.rsplit("/", 3)[-3:] or [""])[0] if member.inner.count("/") >= 2 else member.inner.split("/")[0]
    name = member.name.removesuffix(".py")
    reading = Reading(source, app.lower(), memory)
    operations = body.get("operations")
    both = reading.operations(operations)
    possible = all(one.back is not None for _, one in both) and both != []
    atomic = not (isinstance(body.get("atomic"), ast.Constant) and body["atomic"].value is False)  # type: ignore[attr-defined]
    common: dict[str, Any] = {
        "member": member, "name": name, "wrapped": atomic, "tool": "django", "language": "python", "version": name,
        "parents": (*_parents(body.get("dependencies"), source, app), *_replaced(body.get("replaces"), source)),
    }  # fmt: skip
    forth = [s for node, one in both for s in (*_said(one.forth, node, source), *one.forth_sql)]
    unread = [(node.lineno, one.unread) for node, one in both if one.unread]
    line = operations.lineno if operations is not None else found.lineno
    yield Script(
        direction="up", statements=forth, other=member.path if possible else "", unread=unread, line=line, **common
    )
    if possible:
        back = [s for node, one in reversed(both) for s in (*_said(one.back or [], node, source), *one.back_sql)]
        # values that were filled in need no way back: an older version does not look at them
        acts = bool(forth) and all(one.verb in ("UPDATE", "INSERT", "SELECT") for one in forth)
        yield Script(
            direction="down", statements=back, other=member.path, unread=unread, line=line, acts=acts, **common
        )


def _stands_for_others(node: ast.expr | None, source: Source, member: Member, memory: dict[str, object]) -> bool:
    """A squashed migration beside those that it replaces: the same changes a second time, for new installations."""
    paths, folder = memory.get("paths"), member.path.rpartition("/")[0]
    if not isinstance(paths, frozenset) or not isinstance(node, ast.List | ast.Tuple):
        return False
    names = _replaced(node, source)
    return bool(names) and all(f"{folder}/{name}.py" in paths for name in names)


def _replaced(node: ast.expr | None, source: Source) -> list[str]:
    pairs = node.elts if isinstance(node, ast.List | ast.Tuple) else []
    return [source.name(p.elts[1]) for p in pairs if isinstance(p, ast.Tuple) and len(p.elts) == 2]


def _said(texts: list[str], node: ast.Call, source: Source) -> list[Statement]:
    return [s for text in texts for s in translated(text, node.lineno, source.segment(node))]


def _parents(node: ast.expr | None, source: Source, app: str) -> Iterator[str]:
    """Those of the same app; the others' order is Django's business."""
    for pair in node.elts if isinstance(node, ast.List | ast.Tuple) else []:
        if isinstance(pair, ast.Tuple) and len(pair.elts) == 2:
            theirs, name = (source.text(element) for element in pair.elts)
            if name and theirs and (theirs.lower() == app.lower()):
                yield name
