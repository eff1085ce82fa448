"""Calls of Python that make, change or remove files, and what is left: makers of an object that is used later."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from fulldress.package.scripts.follower import Value, text_of
from fulldress.package.scripts.pythonvalues import File
from fulldress.package.scripts.values import hole

if TYPE_CHECKING:
    from fulldress.package.scripts.python import Script

_PLACED = {
    "copy": "cp",
    "copy2": "cp",
    "copyfile": "cp",
    "copytree": "cp",
    "move": "mv",
    "rename": "mv",
    "replace": "mv",
    "symlink": "ln",
    "renames": "mv",
}


def follow(
    script: Script, node: ast.Call, name: str, owner: Value, given: list[Value], named: dict[str, Value]
) -> Value:
    """What the call does to a file, or the object it makes."""
    last, module = name.rsplit(".", 1)[-1], name.split(".")[0]
    line, row = script.line(node), script.row(node)
    first = text_of(given[0]) if given and given[0] is not None else text_of(named.get("path", ""))
    second = text_of(given[1]) if len(given) > 1 else ""
    if last in ("rmtree", "remove_tree", "rmtree_errorhandler") and first:
        script.emit(line, row, ("rm", "-rf", first))
    elif name in ("os.remove", "os.unlink", "os.removedirs") and first:
        script.emit(line, row, ("rm", first))
    elif name == "os.rmdir" and first:
        script.emit(line, row, ("rmdir", first))
    elif last in ("unlink", "rmdir") and isinstance(owner, str) and not given:
        script.emit(line, row, ("rm" if last == "unlink" else "rmdir", owner))
    elif (name in ("os.makedirs", "os.mkdir") and first) or (last == "mkdir" and isinstance(owner, str)):
        script.emit(line, row, ("mkdir", "-p", first if name.startswith("os.") else text_of(owner)))
    elif name == "os.chmod" or (last == "chmod" and isinstance(owner, str)):
        mode = given[-1] if given else None
        if isinstance(mode, str) and mode.isdecimal() and len(mode) < 9:
            script.emit(line, row, ("chmod", f"{int(mode):o}", first if name == "os.chmod" else text_of(owner)))
    elif name == "os.chown" and first:
        script.emit(line, row, ("chown", second or "?", first))
    elif last in _PLACED and module in ("shutil", "os", "distutils") and len(given) > 1:
        command = _PLACED[last]
        script.emit(line, row, (command, *(("-s",) if command == "ln" else ()), first, second))
    elif (
        last in ("open", "fdopen") and name in ("open", "io.open", "codecs.open", "os.fdopen", "pathlib.Path.open")
    ) or (last == "open" and isinstance(owner, str) and "/" in owner):
        path = first if name in ("open", "io.open", "codecs.open") else text_of(owner)
        mode = (second if path == first else first) or text_of(named.get("mode", "")) or "r"
        if mode[:1] in ("w", "a", "x") and path:
            script.files.append(File(path, mode[0] == "a", line, row, script.member, []))
            return {"@type": "file", "@file": str(len(script.files) - 1)}
        return {"@type": "file"}
    elif last in ("write", "writelines") and isinstance(owner, dict) and "@file" in owner:
        value = given[0] if given else None
        parts = value if isinstance(value, list) else [value]
        script.files[int(text_of(owner["@file"]))].parts += [item if isinstance(item, str) else None for item in parts]
    elif last in ("write_text", "write_bytes") and isinstance(owner, str):
        script.write(line, row, owner, given[0] if given and isinstance(given[0], str) else None)
    elif last in ("extractall",) and (target := first or text_of(named.get("path", ""))):
        script.emit(line, row, ("tar", "x", "-C", target))
    elif isinstance(owner, str) and last in ("with_suffix", "with_name"):
        return hole(f"{last}()")
    elif (
        ("." not in name and name[:1].isupper())
        or name.rsplit(".", 1)[-1][:1].isupper()
        or last in ("session", "client")
    ):
        return {"@type": name}
    else:
        return hole(f"{name}()") if name else None
    return None
