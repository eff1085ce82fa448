"""The files of a stage: one overlay per top-level folder, and a new root around them.

Standard library only. Paths are relative to the *hub*, a scratch folder that is the working directory meanwhile, so that
no name of production's can break a mount option::

    h/etc      this machine's /etc (a bind mount, owners mapped)       lowest
    base/etc   what hides or replaces parts of this machine
    p/etc      production's /etc (a bind mount, owners mapped)
    house/etc  the stage's own: stand-ins for commands, resolv.conf
    up/etc/u   what the upgrade does: exactly the list of its effects  uppermost
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from fulldress.stage import namespaces as ns

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
#: Below /proc: what belongs to the machine, not to the stage.
_READ_ONLY = ("sys", "irq", "bus", "fs", "sysrq-trigger", "acpi", "scsi")
_MASKED = ("kcore", "keys", "timer_list", "sched_debug", "kallsyms", "latency_stats", "kmsg")


def attach_layers(binds: list[tuple[str, str, bool]], namespaces: dict[bool, int]) -> None:
    """As real root: clone each source (folder, target, is it production's) to its place with owners mapped."""
    for source, target, of_production in binds:
        clone = ns.clone_mount(source)
        try:
            ns.map_owners(clone, namespaces[of_production])
            ns.attach_mount(clone, target)
        finally:
            os.close(clone)


def bind_layers(binds: list[tuple[str, str, bool]]) -> list[str]:
    """Without mapping of owners. Returns the targets that can't be a layer, because something is mounted below them."""
    locked: list[str] = []
    for source, target, _ in binds:
        try:
            ns.mount(source, target, flags=ns.MS_BIND)
        except OSError:
            ns.mount(source, target, flags=ns.MS_BIND | ns.MS_REC)
            locked.append(target)
    return locked


def build(layout: dict[str, Any], locked: list[str]) -> list[str]:
    """Mount everything below ``root`` and make it the root. Returns sentences on what could not be had."""
    lacks: list[str] = []
    ns.mount("", "/", flags=ns.MS_REC | ns.MS_PRIVATE)
    ns.mount("tmpfs", "root", "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, "size=16m,mode=755")
    for name, target in layout["links"].items():
        os.symlink(target, f"root/{name}")
    for name, lowers in layout["folders"].items():
        os.mkdir(f"root/{name}", 0o755)
        usable = [lower for lower in lowers if lower not in locked] or ["empty"]
        upper, work = _option(f"up/{name}/u"), _option(f"up/{name}/w")
        data = f"lowerdir={':'.join(map(_option, usable))},upperdir={upper},workdir={work},userxattr"
        try:
            ns.mount("overlay", f"root/{name}", "overlay", ns.MS_NOSUID | ns.MS_NODEV, data)
        except OSError as error:
            if not lowers or lowers[-1].split("/")[0] != "h":
                raise
            ns.mount(lowers[-1], f"root/{name}", flags=ns.MS_BIND | ns.MS_REC)
            with contextlib.suppress(OSError):
                ns.mount(
                    "", f"root/{name}", flags=ns.MS_BIND | ns.MS_REMOUNT | ns.MS_RDONLY | ns.MS_NOSUID | ns.MS_NODEV
                )
            lacks.append(f"/{name} is read-only: no overlay over it ({error.strerror})")
    lacks += _private_folders(layout)
    lacks += _devices()
    lacks += _kernel_views()
    os.mkdir("root/.old", 0o700)
    ns.pivot_root("root", "root/.old")
    os.chdir("/")
    ns.unmount("/.old")
    os.rmdir("/.old")
    ns.mount("", "/", flags=ns.MS_BIND | ns.MS_REMOUNT | ns.MS_RDONLY | ns.MS_NOSUID | ns.MS_NODEV)
    return lacks


def _option(path: str) -> str:
    """A path inside a mount option of an overlay, where commas and colons part (kernel: filesystems/overlayfs)."""
    return "".join(f"\\{letter}" if letter in "\\,:" else letter for letter in path)


def _private_folders(layout: dict[str, Any]) -> list[str]:
    lacks = []
    os.mkdir("root/run")
    ns.mount("tmpfs", "root/run", "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, "mode=755,size=64m")
    for name, mode in (("lock", 0o1777), ("fulldress", 0o755), ("fulldress/ask", 0o1777), ("fulldress/real", 0o755)):
        os.mkdir(f"root/run/{name}")
        os.chmod(f"root/run/{name}", mode)
    if "tmp" not in layout["folders"]:
        os.mkdir("root/tmp")
        try:
            _temporary()
        except OSError as error:
            lacks.append(
                f"programs in the stage's own tmp do not run: the scratch folder is on a noexec mount ({error.strerror})"
            )
            ns.mount("tmp", "root/tmp", flags=ns.MS_BIND)
    for source, name in layout["real"].items():
        with contextlib.suppress(OSError):
            _touch(f"root/run/fulldress/real/{name}")
            ns.mount(source, f"root/run/fulldress/real/{name}", flags=ns.MS_BIND)
    return lacks


def _temporary() -> None:
    """The folder for temporary files. Where the scratch folder is on a noexec mount, an overlay lets programs run from it all the same, as
    production's does."""
    if os.statvfs("tmp").f_flag & os.ST_NOEXEC:
        data = "lowerdir=empty,upperdir=tmp,workdir=tmp-work,userxattr"
        ns.mount("overlay", "root/tmp", "overlay", ns.MS_NOSUID | ns.MS_NODEV, data)
    else:
        ns.mount("tmp", "root/tmp", flags=ns.MS_BIND)


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))


def _devices() -> list[str]:
    os.mkdir("root/dev", 0o755)
    ns.mount("tmpfs", "root/dev", "tmpfs", ns.MS_NOSUID, "mode=755,size=1m")
    lacks = []
    for name in _DEVICES:
        try:
            _touch(f"root/dev/{name}")
            ns.mount(f"/dev/{name}", f"root/dev/{name}", flags=ns.MS_BIND)
        except OSError as error:
            lacks.append(f"no /dev/{name} ({error.strerror})")
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"root/dev/{name}")
    for name, kind, data in (("shm", "tmpfs", "mode=1777"), ("pts", "devpts", "newinstance,ptmxmode=0666,mode=620")):
        os.mkdir(f"root/dev/{name}")
        try:
            ns.mount(kind, f"root/dev/{name}", kind, ns.MS_NOSUID | ns.MS_NOEXEC, data)
        except OSError as error:
            lacks.append(f"no /dev/{name} ({error.strerror})")
    os.symlink("pts/ptmx", "root/dev/ptmx")
    return lacks


def _kernel_views() -> list[str]:
    os.mkdir("root/proc")
    ns.mount("proc", "root/proc", "proc", ns.MS_NOSUID | ns.MS_NODEV | ns.MS_NOEXEC)
    for name in _READ_ONLY:
        path = f"root/proc/{name}"
        if os.path.lexists(path):
            ns.mount(path, path, flags=ns.MS_BIND | ns.MS_REC)
            flags = ns.MS_BIND | ns.MS_REMOUNT | ns.MS_RDONLY | ns.MS_NOSUID | ns.MS_NODEV | ns.MS_NOEXEC
            ns.mount("", path, flags=flags)
    for name in _MASKED:
        path = f"root/proc/{name}"
        if os.path.lexists(path):
            ns.mount("/dev/null", path, flags=ns.MS_BIND)
    os.mkdir("root/sys")
    try:
        ns.mount("sysfs", "root/sys", "sysfs", ns.MS_RDONLY | ns.MS_NOSUID | ns.MS_NODEV | ns.MS_NOEXEC)
    except OSError:
        ns.mount("tmpfs", "root/sys", "tmpfs", ns.MS_RDONLY | ns.MS_NOSUID | ns.MS_NODEV)
        return ["/sys is empty"]
    return []
