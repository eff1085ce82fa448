"""Starts a database server that can neither write outside of its own folder, nor run programs, nor reach a network.

A vendor's migration may run as a superuser, as it does in production; ``COPY … TO PROGRAM``, ``COPY TO '/path'``,
``lo_export``, ``dblink`` and the like would then be done *on this machine*, with the rights of the server's user: ours, or
that of a production server that runs here as ``postgres``. So the kernel holds the server (Linux, "Landlock", kernel 5.13
and later; namespaces(7)):

* files are made, written and removed below the folders given alone; nothing but the server's own programs is executed
  (there is no shell, so ``popen`` fails);
* no network but a loopback of its own, and no sockets of other servers in /run and /tmp;
* no signals to processes outside.

Run as a program, before the server: ``contain.py '{"uid": …}' COMMAND…``; it needs the standard library alone, as it is
started with ``-I -S``. What could not be set up is written, one word each, to the file ``lacking``.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
#: REMOVE_DIR … MAKE_SYM (4-12); REFER from version 2, TRUNCATE from version 3, of linux/landlock.h.
_CHANGE = sum(1 << bit for bit in range(4, 13)) | _WRITE_FILE
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_NO_NEW_PRIVS = 38
_NEWNS, _NEWUSER, _NEWNET = 0x00020000, 0x10000000, 0x40000000
_BIND, _REC, _PRIVATE = 4096, 16384, 1 << 18
#: Where other servers have their sockets.
_HIDDEN = ("/run", "/tmp")  # noqa: S108
_libc = ctypes.CDLL(None, use_errno=True)


def command(
    base: Path, also: list[Path], programs: Path, account: tuple[int, int] | None, words: list[str]
) -> list[str]:
    """``words`` under containment: it may write below ``base`` and ``also``, and execute what is in ``programs``.

    ``account``: user and group that it runs as; None: our own."""
    order = {
        "writes": [str(base), *map(str, also)],
        "runs": str(programs),
        "account": account,
        "lacking": str(base / "lacking"),
    }
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), json.dumps(order), *words]


def lacking(base: Path) -> list[str]:
    """What the kernel of this machine did not let us set up for the server in ``base``: ``files``, ``network``, ``signals``."""
    try:
        return (base / "lacking").read_text().split()
    except OSError:
        return ["files", "network", "signals"]


def main() -> None:
    order = json.loads(sys.argv[1])
    words = sys.argv[2:]
    missing = []
    if not _apart(order["writes"], order["runs"]):
        missing.append("network")
    if order["account"]:
        uid, gid = order["account"]
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    Path(order["lacking"]).write_text("")
    missing += _landlock(order["writes"], order["runs"], words[0])
    if missing:
        Path(order["lacking"]).write_text(" ".join(dict.fromkeys(missing)))
    os.execv(words[0], words)  # noqa: S606 - the purpose of this program


# -- namespaces -------------------------------------------------------------------------------------------------------


def _apart(writes: list[str], runs: str) -> bool:
    """A network and mounts of its own; tried in a child first, since half of it would be worse than none."""
    child = os.fork()
    if child == 0:
        try:
            _enter(writes, runs)
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        return False
    _enter(writes, runs)
    return True


def _enter(writes: list[str], runs: str) -> None:
    uid, gid = os.geteuid(), os.getegid()
    _call(_libc.unshare, _NEWNS | _NEWNET | (_NEWUSER if uid else 0))
    if uid:
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:  # up to 14 the server counts its work over loopback
        fcntl.ioctl(line, 0x8914, struct.pack("16sH14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
    _mount(None, "/", None, _REC | _PRIVATE)
    for hidden in _HIDDEN:
        if not Path(hidden).is_dir() or Path(hidden).is_symlink():
            continue
        inside = [path for path in (*writes, runs) if path.startswith(hidden + "/")]
        kept = [(path, os.open(path, os.O_PATH)) for path in inside]
        _mount("tmpfs", hidden, "tmpfs", 0, "mode=755,size=1m")
        for path, handle in kept:
            Path(path).mkdir(parents=True, exist_ok=True)
            _mount(f"/proc/self/fd/{handle}", path, None, _BIND | _REC)
            os.close(handle)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind)]
    _call(_libc.mount, *texts, flags, None if data is None else data.encode())


# -- Landlock ---------------------------------------------------------------------------------------------------------


def _landlock(writes: list[str], runs: str, program: str) -> list[str]:
    version = _libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return ["files", "signals"]
    change = _CHANGE | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    fields = [change | _EXECUTE]
    if version >= 4:
        fields.append(3)  # no TCP, neither to bind nor to connect
    if version >= 6:
        fields.append(3)  # no abstract sockets and no signals to outside
    asked = struct.pack(f"{len(fields)}Q", *fields)
    try:
        rules = _call(_libc.syscall, _CREATE_RULESET, asked, len(asked), 0)
        for path in writes:
            _allow(rules, path, change)
        for device in ("/dev/null", "/dev/zero", "/dev/tty"):
            _allow(rules, device, change & (_WRITE_FILE | _TRUNCATE))
        for path in (runs, _loader(program)):
            _allow(rules, path, _EXECUTE)
        _call(_libc.prctl, _NO_NEW_PRIVS, 1, 0, 0, 0)
        _call(_libc.syscall, _RESTRICT_SELF, rules, 0)
    except OSError:
        return ["files", "signals"]
    return [] if version >= 6 else ["signals"]


def _allow(rules: int, path: str, access: int) -> None:
    if not path or not Path(path).exists():
        return
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        asked = struct.pack("=Qi", access, handle)
        _call(_libc.syscall, _ADD_RULE, rules, 1, asked, 0)
    finally:
        os.close(handle)


def _loader(program: str) -> str:
    """The dynamic loader that a program names (PT_INTERP of elf(5)), which the kernel executes as well."""
    with Path(program).open("rb") as file:
        head = file.read(64)
        if head[:5] != b"\x7fELF\x02":
            return ""
        (start,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        file.seek(start)
        table = file.read(size * count)
        for at in range(0, len(table), size):
            if struct.unpack_from("<I", table, at)[0] == 3:
                offset, _, _, length = struct.unpack_from("<QQQQ", table, at + 8)
                file.seek(offset)
                return os.path.realpath(file.read(length).rstrip(b"\0").decode())
    return ""


def _call(function: Callable[..., int], *arguments: object) -> int:
    result = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


if __name__ == "__main__":
    main()
