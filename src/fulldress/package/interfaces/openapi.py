"""OpenAPI 2 (Swagger), 3.0 and 3.1 -> one Interface per operation, with a shape that can be compared across all three.

A shape is a sorted list of lines ``place:name=type``; ``?`` behind the name says that it is optional::

    query:limit?=integer      body:customer.id=integer      200:items[].total=number      204

``nullable: true`` (3.0), ``["string", "null"]`` (3.1) and ``x-nullable`` (2) are the same, and not part of the type: what
differs between two descriptions must be the API, not the dialect. Source: OpenAPI Specification 2.0, 3.0.4, 3.1.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from fulldress.facts import AnyFact, Interface, Reason, Unread, Witness
from fulldress.package.interfaces.schema import Shapes
from fulldress.package.reader import Member
from fulldress.patterns import regex

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_MARK = regex(r"""(?m)(?:^|[{,]\s*)["']?(?:openapi|swagger)["']?\s*:\s*["']?[23]\.\d""")


class Unreadable(Exception):
    """A description that is not what it says; the message says why."""


def is_description(text: str) -> bool:
    """Whether a text says that it is one: near its beginning, or anywhere at the margin."""
    if "openapi" not in text and "swagger" not in text:
        return False  # nearly all texts, and a hundred times as fast as the pattern
    return bool(_MARK.search(text[:20_000]) or ("paths" in text and _MARK.search(text)))


def read(member: Member, text: str) -> Iterator[AnyFact]:
    """Interfaces in the order of the description. Raises :class:`Unreadable`."""
    document = _load(text)
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        if isinstance(document, dict) and ("webhooks" in document or "components" in document):
            return  # 3.1 allows a description without paths
        raise Unreadable("it has no paths")
    info = document.get("info")
    version = str(info.get("version", "")) if isinstance(info, dict) else ""
    base = base_path(document)
    shapes = Shapes(document)
    finder = _Lines(text)
    for path, item in document["paths"].items():
        resolved = shapes.resolve(item)
        finder.path(str(path))
        if not isinstance(resolved, dict) or not str(path).startswith("/"):
            continue
        for method in METHODS:
            operation = resolved.get(method)
            if isinstance(operation, dict):
                line = finder.method(method)
                yield Interface(
                    witness=Witness.READ, evidence=member.evidence(line, 0, f"{method.upper()} {base}{path}"), kind="openapi",
                    operation=f"{method.upper()} {base}{path}", version=version, deprecated=str(operation.get("deprecated", "")).lower() == "true",
                    shape=shapes.of(operation, resolved.get("parameters")),
                )  # fmt: skip
    if shapes.cut or shapes.dangling:
        parts = [f"{shapes.cut} shapes were cut at {shapes.MOST} parts" if shapes.cut else "", f"{len(shapes.dangling)} references lead nowhere here, e.g. {next(iter(shapes.dangling))}" if shapes.dangling else ""]  # fmt: skip
        yield Unread(
            witness=Witness.READ, evidence=member.evidence(), what=f"parts of the API description {member.path}", reason=Reason.BUDGET if shapes.cut else Reason.MISSING,
            detail="; ".join(part for part in parts if part),
        )  # fmt: skip


def _load(text: str) -> Any:
    import yaml

    try:
        if text.lstrip()[:1] == "{":
            return json.loads(text)
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        return yaml.load(text, Loader=loader)  # noqa: S506 - BaseLoader makes strings only
    except (ValueError, yaml.YAMLError) as error:
        raise Unreadable(" ".join(str(error).split())[:160]) from None
    except RecursionError:
        raise Unreadable("nested too deep") from None


def base_path(document: dict[str, Any]) -> str:
    """The path before every path: ``basePath`` (2), or that of the first server (3) where it names no variable."""
    base = document.get("basePath")
    servers = document.get("servers")
    if not isinstance(base, str) and isinstance(servers, list) and servers and isinstance(servers[0], dict):
        url = str(servers[0].get("url", ""))
        try:
            base = urlsplit(url).path if "{" not in urlsplit(url).path else ""
        except ValueError:
            base = ""
    base = str(base or "").rstrip("/")
    return base if not base or base.startswith("/") else f"/{base}"


class _Lines:
    """Lines of operations, found in one pass over the text: paths and methods stand in the order of the document."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = max(0, self._find(r"""["']?paths["']?\s*:""", 0))
        self.start = self.at
        self._counted, self._line = 0, 1

    def _find(self, pattern: str, start: int) -> int:
        match = re.compile(pattern).search(self.text, start)
        return match.start() if match else -1

    def path(self, path: str) -> None:
        quoted = json.dumps(path)[1:-1]
        start = self.at
        while (found := self.text.find(quoted, start)) >= 0:
            behind = self.text[found + len(quoted) : found + len(quoted) + 3].lstrip("\"'")
            if behind[:1] == ":" and self.text[found - 1 : found] in "\"' \t\n":
                self.at = self.start = found
                return
            start = found + 1

    def method(self, method: str) -> int:
        found = self._find(rf"""["']?\b{method}["']?\s*:""", self.start)
        return self._line_at(self.at if found < 0 else found)

    def _line_at(self, offset: int) -> int:
        if offset < self._counted:
            return self.text.count("\n", 0, offset) + 1
        self._line += self.text.count("\n", self._counted, offset)
        self._counted = offset
        return self._line
