"""Users of the staged tree, from its own /etc/passwd. Standard library only, and no NSS: nothing may be loaded after the
root has changed."""

from __future__ import annotations

from fulldress.stage.processes import User


def _lines(path: str) -> list[list[str]]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return [line.rstrip("\n").split(":") for line in file if line.count(":") >= 3]
    except OSError:
        return []


_single: list[bool] = [False]


def only_root() -> None:
    """This namespace has one user: whoever is asked for, root is what one gets."""
    _single[0] = True


def alone() -> bool:
    return _single[0]


def find(name: str) -> User | None:
    """By name or number; None when the staged tree does not know it. ``root`` and numbers are always known."""
    groups = _lines("/etc/group")
    for fields in _lines("/etc/passwd"):
        if (
            len(fields) >= 7
            and (fields[0] == name or fields[2] == name)
            and fields[2].isdigit()
            and fields[3].isdigit()
        ):
            gid = int(fields[3])
            extra = [int(g[2]) for g in groups if g[2].isdigit() and fields[0] in g[3].split(",")]
            return User(fields[0], int(fields[2]), gid, tuple({gid, *extra}), fields[5] or "/", fields[6] or "/bin/sh")
    if name in ("root", "0"):
        return User("root", 0, 0, (0,), "/root")
    if name.isdigit():
        return User(name, int(name), int(name), (int(name),))
    return None


def name_of(uid: int) -> str:
    found = find(str(uid))
    return found.name if found is not None else str(uid)


def users() -> dict[str, str]:
    """Name -> ``uid gid home shell`` and the groups, for comparing before and after."""
    found = {f[0]: " ".join(f[2:4] + f[5:7]) for f in _lines("/etc/passwd") if len(f) >= 7}
    found.update({f"group {f[0]}": f"{f[2]} {f[3]}" for f in _lines("/etc/group") if len(f) >= 4})
    return found
