"""System calls that Python 3.11 has no name for: namespaces, mounts, id-mapped mounts, capabilities.

Standard library only (see :mod:`fulldress.stage.channel`). Numbers are those of the Linux UAPI headers; the calls from
424 on have the same number on every architecture.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Iterable, Sequence

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38
_OPEN_TREE, _MOVE_MOUNT, _PIDFD_GETFD, _MOUNT_SETATTR = 428, 429, 438, 442
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217, "i686": 217}
_AT_FDCWD, _AT_EMPTY_PATH = -100, 0x1000
_OPEN_TREE_CLONE, _MOVE_MOUNT_F_EMPTY_PATH = 1, 4
_MOUNT_ATTR_IDMAP = 0x00100000

#: What a script that is root on its own host commonly needs, and nothing that reaches beyond files and its own
#: processes: chown, dac_override, dac_read_search, fowner, fsetid, kill, setgid, setuid, net_bind_service, sys_chroot,
#: setfcap.
KEPT_CAPABILITIES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 10, 18, 31})

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _MountAttr(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result


def _syscall(number: int, *arguments: object, what: str) -> int:
    return _checked(int(_libc.syscall(ctypes.c_long(number), *arguments)), what)


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), f"unshare({flags:#x})")


def setns(fd: int, kind: int = 0) -> None:
    _checked(_libc.setns(fd, kind), f"setns({kind:#x})")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    _checked(
        _libc.mount(os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), os.fsencode(data)),
        target,
    )


def unmount(target: str, flags: int = MNT_DETACH) -> None:
    _checked(_libc.umount2(os.fsencode(target), flags), target)


def pivot_root(new: str, old: str) -> None:
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(38, f"pivot_root is not known on {os.uname().machine}", new)
    _syscall(number, os.fsencode(new), os.fsencode(old), what=new)


def clone_mount(source: str) -> int:
    """A detached copy of the mount at ``source``, without what is mounted below it. Returns a descriptor."""
    return _syscall(
        _OPEN_TREE, _AT_FDCWD, os.fsencode(source), ctypes.c_uint(_OPEN_TREE_CLONE | os.O_CLOEXEC), what=source
    )


def map_owners(mount_fd: int, user_namespace: int) -> None:
    """Make a detached mount show owners through the mapping of ``user_namespace`` (Linux 5.12; below overlays 5.19)."""
    attributes = _MountAttr(attr_set=_MOUNT_ATTR_IDMAP, userns_fd=user_namespace)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    _syscall(
        _MOUNT_SETATTR,
        mount_fd,
        b"",
        ctypes.c_uint(_AT_EMPTY_PATH),
        ctypes.byref(attributes),
        size,
        what="mount_setattr",
    )


def attach_mount(mount_fd: int, target: str) -> None:
    flags = ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH)
    _syscall(_MOVE_MOUNT, mount_fd, b"", _AT_FDCWD, os.fsencode(target), flags, what=target)


def take_descriptor(pid: int, fd: int) -> int:
    """A copy of descriptor ``fd`` of another process (Linux 5.6)."""
    process = os.pidfd_open(pid)
    try:
        return _syscall(_PIDFD_GETFD, process, fd, ctypes.c_uint(0), what=f"descriptor {fd} of {pid}")
    finally:
        os.close(process)


def user_namespace(lines: Sequence[tuple[int, int, int]]) -> int:
    """A user namespace with this mapping of users and groups (inside, outside, count); needs root. A descriptor."""
    ready_read, ready_write = os.pipe()
    done_read, done_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(done_write)
            unshare(CLONE_NEWUSER)
            os.write(ready_write, b"x")
            os.read(done_read, 1)
        finally:
            os._exit(0)
    os.close(ready_write)
    try:
        if os.read(ready_read, 1) != b"x":
            raise OSError(1, "user namespaces are not allowed here", "unshare")
        write_maps(pid, lines)
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(done_write)
        os.close(done_read)
        os.close(ready_read)
        os.waitpid(pid, 0)


def write_maps(pid: int | str, lines: Sequence[tuple[int, int, int]]) -> None:
    text = "".join(f"{inside} {outside} {count}\n" for inside, outside, count in lines)
    for name in ("uid_map", "gid_map"):
        _write(f"/proc/{pid}/{name}", text)


def map_only_myself(uid: int, gid: int) -> None:
    """What an ordinary user may do after ``unshare(CLONE_NEWUSER)``: be root inside, alone."""
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"0 {uid} 1\n")
    _write("/proc/self/gid_map", f"0 {gid} 1\n")


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def die_with_parent() -> None:
    """SIGKILL when the thread that forked this process ends."""
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def adopt_orphans() -> None:
    """Descendants whose parent ends become children of this process, so that none gets lost."""
    _checked(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def hide_memory() -> None:
    _checked(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl")


def no_new_privileges() -> None:
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def drop_capabilities(kept: Iterable[int] = KEPT_CAPABILITIES) -> None:
    """Take everything else out of the bounding set, so that no program started from here can have it."""
    keep = set(kept)
    for number in range(64):
        if number not in keep and _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) < 0:
            if ctypes.get_errno() == 22:  # EINVAL: the kernel knows no capability of this number
                return
            _checked(-1, f"capability {number}")
