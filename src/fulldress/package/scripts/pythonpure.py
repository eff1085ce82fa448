"""Calls of Python that only make a value: texts put together, paths, parts of a table, what the environment gives."""

from __future__ import annotations

import ast
import base64
import codecs
import json
from typing import TYPE_CHECKING

from fulldress.package.scripts.follower import Value, text_of
from fulldress.package.scripts.pythonvalues import formatted
from fulldress.package.scripts.values import HERE, clean, hole, is_constant

if TYPE_CHECKING:
    from fulldress.package.scripts.python import Script

#: The call does more than make a value; None is a value.
OPEN = object()
#: Calls that give back the text they get, and the modules they are of.
_SAME = frozenset(
    {"Path", "PurePath", "PosixPath", "WindowsPath", "str", "expanduser", "abspath", "realpath", "normpath", "quote", "fspath",
     "expandvars", "bytes", "text", "urlparse"}
)  # fmt: skip
_SAME_OF = ("Path", "pathlib", "str", "os.path", "shlex", "os.fs", "bytes", "sqlalchemy", "text", "urllib")


def value_of(
    script: Script, node: ast.Call, name: str, owner: Value, given: list[Value], named: dict[str, Value]
) -> object:
    """What the call makes, or :data:`OPEN`."""
    last = name.rsplit(".", 1)[-1]
    first = given[0] if given else None
    if last == "format" and isinstance(owner, str):
        return formatted(owner, given, named)
    if isinstance(first, str) and is_constant(first) and (made := _decoded(name, first, given)) is not None:
        return made
    if last in _SAME and name.startswith(_SAME_OF):
        return "/".join(text_of(item) for item in given) if given else hole(last)
    if last in ("join", "joinpath") and (name.startswith(("os.path", "posixpath", "ntpath")) or last == "joinpath"):
        parts = [text_of(owner), *given] if last == "joinpath" else given
        texts = [text_of(item) for item in parts]
        start = next((i for i in range(len(texts) - 1, -1, -1) if texts[i].startswith("/")), 0)
        return "/".join(text if text == "/" else text.rstrip("/") for text in texts[start:]).replace("//", "/")
    if last == "join" and isinstance(owner, str) and isinstance(first, list):
        return owner.join(text_of(item) for item in first)
    if last == "dirname" and isinstance(first, str):
        return first.rsplit("/", 1)[0] if "/" in first else HERE if is_constant(first) else hole("a folder")
    if last in ("get", "getenv", "pop") and (name.endswith(("environ.get", "getenv", "environ.pop"))):
        return given[1] if len(given) > 1 and given[1] else hole(text_of(first))
    if last == "get" and isinstance(owner, dict) and isinstance(first, str) and "@type" not in owner:
        return owner.get(first, given[1] if len(given) > 1 else hole(first))
    if last == "split" and name == "shlex.split":
        return list(text_of(first).split())
    if isinstance(owner, str):
        if last in (
            "strip",
            "lstrip",
            "rstrip",
            "encode",
            "decode",
            "resolve",
            "absolute",
            "as_posix",
            "expanduser",
            "dedent",
            "lower",
        ):
            return owner
        if last == "replace" and len(given) > 1 and isinstance(given[0], str) and given[0]:
            return owner.replace(given[0], text_of(given[1]))
        if last == "split" and is_constant(owner):
            return list(owner.split(text_of(first) if first else None))
    if last == "dedent" and isinstance(first, str):
        return first
    if name in ("list", "tuple", "sorted", "set", "iter", "reversed") and isinstance(first, list):
        return first
    if name in ("dict",) and named:
        return dict(named)
    if last == "items" and isinstance(owner, dict):
        return [[key, value] for key, value in owner.items() if key != "@type"]
    if last in ("loads", "load", "dumps") and isinstance(first, str | dict):
        return json.dumps({key: text_of(value) for key, value in first.items()}) if isinstance(first, dict) else first
    if name in (
        "tempfile.mkdtemp",
        "tempfile.mkstemp",
        "tempfile.NamedTemporaryFile",
        "tempfile.TemporaryDirectory",
        "tempfile.gettempdir",
    ):
        return hole("@temporary")
    if last in (
        "print",
        "len",
        "isinstance",
        "super",
        "getattr",
        "range",
        "int",
        "debug",
        "info",
        "warning",
        "error",
        "exception",
        "append",
        "update",
        "add_argument",
    ):
        if last == "append" and isinstance(owner, list) and given:
            owner.append(first)
        if last != "getattr":
            return hole(f"{last}()")
    return OPEN


def _decoded(name: str, text: str, given: list[Value]) -> str | None:
    """What a decoder makes of a constant, where that is text again."""
    coding = given[1] if len(given) > 1 and isinstance(given[1], str) else ""
    try:
        if name in (
            "base64.b64decode",
            "base64.standard_b64decode",
            "base64.urlsafe_b64decode",
            "base64.decodebytes",
            "binascii.a2b_base64",
        ):
            return clean(base64.b64decode(text.replace("-", "+").replace("_", "/") + "==").decode())
        if name in ("bytes.fromhex", "bytearray.fromhex", "binascii.unhexlify", "binascii.a2b_hex", "base64.b16decode"):
            return clean(bytes.fromhex(text).decode())
        if name == "base64.b32decode":
            return clean(base64.b32decode(text).decode())
        if name == "codecs.decode" and coding.replace("_", "").replace("-", "") in ("rot13", "hex", "base64"):
            kind = coding.replace("_", "").replace("-", "")
            return (
                _decoded({"hex": "bytes.fromhex"}.get(kind, "base64.b64decode"), text, [])
                if kind != "rot13"
                else codecs.decode(text, "rot13")
            )
    except ValueError:
        return None
    return None
