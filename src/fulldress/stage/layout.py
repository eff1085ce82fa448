"""Preparing a stage's folders from outside: which layers lie under which top-level folder."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fulldress.errors import StageError
from fulldress.stage import shims
from fulldress.stage.plan import StagePlan

#: First of the 65,536 user ids that a root-launched stage uses outside. Far from subuid ranges and from nspawn's.
BASE = 1_900_000_000
#: Top folders that every stage has of its own.
PRIVATE = frozenset({"proc", "sys", "dev", "run", "tmp", "lost+found"})
#: What a stage with a production tree takes from this machine: its programs and their settings, nobody's data.
_OF_THE_MACHINE = frozenset({"bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc"})
#: Parts of this machine that no production tree should inherit: secrets, its own jobs and services.
_HIDDEN = (
    "etc/ssh", "etc/ssl/private", "etc/cron.d", "etc/cron.hourly", "etc/cron.daily", "etc/cron.weekly", "etc/cron.monthly",
    "etc/systemd/system", "etc/sudoers.d", "etc/letsencrypt", "etc/wireguard", "etc/openvpn", "etc/NetworkManager",
)  # fmt: skip
_SKELETON = (
    "var/log", "var/lib", "var/cache", "var/mail", "var/opt", "var/spool/cron/crontabs", "var/backups", "opt", "srv", "home",
    "root", "mnt", "media", "etc/systemd/system", "etc/cron.d", "usr/local/bin", "usr/local/sbin", "usr/local/lib",
)  # fmt: skip
_SHADOW = "root:*:19000:0:99999:7:::\n"
_FAKETIME = ("faketime/libfaketimeMT.so.1", "faketime/libfaketime.so.1")


def faketime() -> Path | None:
    """The library that shifts a program's clock, where this machine has it."""
    folders = [*Path("/usr/lib").glob("*-linux-gnu*"), Path("/usr/lib64"), Path("/usr/lib"), Path("/usr/local/lib")]
    for folder in folders:
        for name in _FAKETIME:
            if (folder / name).is_file():
                return folder / name
    return None


@contextlib.contextmanager
def modes_as_on_hosts() -> Iterator[None]:
    """Folders of a stage are open to its users whatever the umask of this process is."""
    kept = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(kept)


@contextlib.contextmanager
def _passing_over() -> Iterator[None]:
    """Pass over what this user may not read, but not over a scratch folder without room."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
            raise


def prepare(hub: Path, plan: StagePlan, mode: str) -> dict[str, Any]:
    """Make the folders of a stage below ``hub``. Returns ``layout`` and ``binds`` for the keeper."""
    root = plan.root.resolve() if plan.root is not None else None
    for name in ("h", "p", "base", "house", "up", "empty", "root", "tmp", "tmp-work"):
        (hub / name).mkdir()
    (hub / "tmp").chmod(0o1777)
    links, machine, production = _top_level(root, hub)
    if mode == "alone" and "etc" in machine:
        _copy_readable(Path("/etc"), hub / "base/etc")
        machine.discard("etc")
    _base(hub, plan, mode)
    present = _lookup(hub, root, machine)
    _house(hub, root, present)
    real = {f"{layer}/{path}": path.rsplit("/", 1)[-1] for path, layer in _real(hub, root, machine, links).items()}
    library = faketime()
    if library is not None:
        real[str(library)] = library.name
    folders: dict[str, list[str]] = {}
    binds: list[tuple[str, str, bool]] = []
    made = {entry.name for layer in ("base", "house") for entry in (hub / layer).iterdir()}
    for name in sorted(machine | production | made):
        if name in links:
            continue
        lowers = []
        if (hub / "house" / name).is_dir():
            lowers.append(f"house/{name}")
        if name in production and root is not None:
            (hub / "p" / name).mkdir()
            binds.append((str(root / name), f"p/{name}", True))
            lowers.append(f"p/{name}")
        if (hub / "base" / name).is_dir():
            lowers.append(f"base/{name}")
        if name in machine:
            (hub / "h" / name).mkdir()
            binds.append((f"/{name}", f"h/{name}", False))
            lowers.append(f"h/{name}")
        folders[name] = lowers
        for part in ("u", "w"):
            (hub / "up" / name / part).mkdir(parents=True)
        (hub / "up" / name / "u").chmod(0o755)
    if mode == "mapped":
        _give(hub, BASE)
    return {
        "layout": {"links": links, "folders": folders, "real": real},
        "binds": binds,
        "faketime": library.name if library is not None else "",
        "owner": root.stat().st_uid if root is not None else 0,
    }


def _top_level(root: Path | None, hub: Path) -> tuple[dict[str, str], set[str], set[str]]:
    """Links of the root, folders taken from this machine, folders of production."""
    links: dict[str, str] = {}
    machine: set[str] = set()
    production: set[str] = set()
    for entry in Path("/").iterdir():
        if entry.name in PRIVATE or (root is not None and entry.name not in _OF_THE_MACHINE):
            continue
        if entry.is_symlink():
            links[entry.name] = os.readlink(entry)
        elif entry.is_dir():
            if hub.resolve().is_relative_to(entry.resolve()):
                if root is not None:
                    raise StageError(
                        f"the stage's scratch folder {hub.parent} lies below {entry}, which it lays over. "
                        "Give another one, e.g. --scratch /tmp."
                    )
                continue
            machine.add(entry.name)
    for entry in sorted(root.iterdir()) if root is not None else []:
        if entry.name in PRIVATE:
            continue
        if entry.is_symlink():
            links[entry.name] = os.readlink(entry)
            machine.discard(entry.name)
        elif entry.is_dir():
            if links.pop(entry.name, ""):
                machine.add(entry.name)
            production.add(entry.name)
    return links, machine, production


def _base(hub: Path, plan: StagePlan, mode: str) -> None:
    """What hides this machine's own, and the folders that every host has."""
    base = hub / "base"
    if plan.root is None:
        if mode == "alone":
            _skeleton(base)
        return
    for name in _HIDDEN:
        (base / name).mkdir(parents=True, exist_ok=True)
        _only(base / name)
    for name in _SKELETON:
        (base / name).mkdir(parents=True, exist_ok=True)
    for name in ("shadow", "gshadow", "shadow-", "gshadow-"):
        (base / "etc" / name).write_text(_SHADOW if name.startswith("shadow") else "root:*::\n")
        (base / "etc" / name).chmod(0o640)
    (base / "etc/crontab").write_text(
        "SHELL=/bin/sh\nPATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin\n"
    )
    (base / "var/tmp").mkdir()
    (base / "var/tmp").chmod(0o1777)
    (base / "var/run").symlink_to("/run")
    (base / "var/lock").symlink_to("/run/lock")
    (base / "root").chmod(0o700)
    if mode == "alone":
        _skeleton(base)


def _only(folder: Path) -> None:
    """Empty ``folder`` of what an earlier copy put there, and hide what lies below it in deeper layers."""
    for entry in list(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    os.setxattr(folder, "user.overlay.opaque", b"y")


def _skeleton(base: Path) -> None:
    """Folders of this machine as the stage's own, so that an ordinary user's stage can create files in them.

    Files of others can't be copied up in such a stage; that is said in what it lacks."""
    for top, depth in (
        ("usr", 1),
        ("usr/local", 3),
        ("usr/lib/systemd", 2),
        ("lib", 1),
        ("var", 3),
        ("opt", 2),
        ("srv", 1),
    ):
        source = Path("/", top)
        if source.is_symlink() or not source.is_dir() or (top in ("var", "opt", "srv") and (base / "var/log").is_dir()):
            continue
        for folder, inner, _ in os.walk(source):
            relative = Path(folder).relative_to("/")
            if len(relative.parts) - top.count("/") > depth:
                inner.clear()
            with _passing_over():
                (base / relative).mkdir(parents=True, exist_ok=True)


def _copy_readable(source: Path, target: Path) -> None:
    """A copy of what may be read below ``source``; owners become the user's own."""
    target.mkdir(parents=True, exist_ok=True)
    with _passing_over(), os.scandir(source) as entries:
        for entry in entries:
            to = target / entry.name
            with _passing_over():
                if entry.is_symlink():
                    to.symlink_to(os.readlink(entry.path))
                elif entry.is_dir():
                    _copy_readable(Path(entry.path), to)
                elif entry.is_file():
                    shutil.copyfile(entry.path, to)
                    shutil.copymode(entry.path, to)


def kept_from_reading(root: Path, within: float = 2.0) -> tuple[list[str], bool]:
    """What of production's tree this user may not read, and whether all of it was looked at within that time (seconds)."""
    found: list[str] = []
    deadline = time.monotonic() + within
    for folder, folders, files in os.walk(root):
        if time.monotonic() > deadline:
            return found, False
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            if not os.path.islink(path) and not os.access(path, os.R_OK):
                found.append("/" + os.path.relpath(path, root))
    return found, True


def _lookup(hub: Path, root: Path | None, machine: set[str]) -> Any:
    def present(path: str) -> bool:
        top = path.partition("/")[0]
        if root is not None and (root / path).exists() and not (root / top).is_symlink():
            return True
        return (top in machine and Path("/", path).exists()) or (hub / "base" / path).exists()

    return present


def _house(hub: Path, root: Path | None, present: Any) -> None:
    """The layer over production's files: stand-ins for commands, and how names are resolved."""
    house = hub / "house"
    for path, name in shims.places(present).items():
        (house / path).parent.mkdir(parents=True, exist_ok=True)
        shims.write(str(house / path), shims.script(name))
    if faketime() is None:
        (house / "usr/bin").mkdir(parents=True, exist_ok=True)
        shims.write(str(house / "usr/bin/date"), shims.DATE)
    (house / "etc").mkdir(exist_ok=True)
    (house / "etc/resolv.conf").write_text("nameserver 127.0.0.53\n")
    nsswitch = _first("etc/nsswitch.conf", root) or "passwd: files\ngroup: files\nshadow: files\n"
    lines = [line for line in nsswitch.splitlines() if not line.strip().startswith("hosts:")]
    (house / "etc/nsswitch.conf").write_text("\n".join([*lines, "hosts: files dns", ""]))
    if root is None or not (root / "etc/hosts").exists():
        (house / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")


def _first(path: str, root: Path | None) -> str:
    for folder in filter(None, (root, Path("/"))):
        with contextlib.suppress(OSError):
            return (folder / path).read_text(errors="replace")
    return ""


def _real(hub: Path, root: Path | None, machine: set[str], links: dict[str, str]) -> dict[str, str]:
    """Real programs behind the stand-ins: path -> layer they are taken from."""
    found: dict[str, str] = {}
    names = {**shims.ALWAYS, **shims.WHERE_PRESENT, "date": "usr/bin"}
    for name in names:
        for folder in ("usr/bin", "usr/sbin", "bin", "sbin"):
            path = f"{folder}/{name}"
            top = path.partition("/")[0]
            if top in links:
                continue
            if root is not None and (root / path).is_file():
                found[path] = "p"
                break
            if top in machine and Path("/", path).is_file():
                found[path] = "h"
                break
    return found


def _give(hub: Path, base: int) -> None:
    """Let the stage's root own its folders. ``h`` and ``p`` are mount points and stay."""
    for name in ("base", "house", "up", "empty", "root", "tmp", "tmp-work"):
        give_tree(hub / name, base)


def give_tree(folder: Path, base: int) -> None:
    os.chown(folder, base, base)
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.lchown(os.path.join(path, name), base, base)


def refused_networks(hosts: Iterable[str]) -> list[str]:
    """Those of the hosts that are addresses rather than names."""
    import ipaddress

    found = []
    for host in hosts:
        with contextlib.suppress(ValueError):
            found.append(str(ipaddress.ip_network(host)))
    return found
