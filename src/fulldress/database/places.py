"""Where servers of the rehearsal's own live, and whom they run as, whichever engine it is.

Never as root: where fulldress is root, a server runs as ``postgres`` if there is such a user, else as ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from fulldress.errors import NoSpace, ServerFailed
from fulldress.patterns import regex

_MEBI = 1 << 20


def account() -> pwd.struct_passwd | None:
    """Whom the server runs as: None for the present user, who is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerFailed("", "it cannot run as root, and there is neither a user postgres nor a user nobody")


def run_as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of :class:`subprocess.Popen` that start a program as ``account``."""
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def base_folder(scratch: Path | None, need: int, account: pwd.struct_passwd | None) -> Path:
    """A new private folder with room for ``need`` bytes: in memory where it fits, else in ``scratch``, else temporary."""
    need = max(need, 100 * _MEBI)
    candidates = [Path("/dev/shm"), *([scratch] if scratch else []), Path(tempfile.gettempdir())]  # noqa: S108
    best: tuple[int, Path] = (-1, candidates[-1])
    for place in candidates:
        try:
            free = shutil.disk_usage(place).free
        except OSError:
            continue
        if place == candidates[0]:
            free = min(free, memory_available() // 2)
        if free > need and os.access(place, os.W_OK) and passable(place, account):
            base = place / f"fulldress-{secrets.token_hex(6)}"
            base.mkdir(mode=0o700)
            give(base, account)
            return base
        best = max(best, (free, place))
    raise NoSpace(need // _MEBI, best[1], max(best[0], 0) // _MEBI)


def memory_available() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0


def passable(place: Path, account: pwd.struct_passwd | None) -> bool:
    """Whether the server's user can get to ``place``: every folder on the way lets others pass."""
    if account is None:
        return True
    return all(folder.stat().st_mode & 0o001 for folder in [place.resolve(), *place.resolve().parents])


def give(folder: Path, account: pwd.struct_passwd | None) -> None:
    """Owned by the server's user; our own group may pass, so that programs on the stage reach the socket."""
    if account is not None:
        os.chown(folder, account.pw_uid, os.getegid())
        folder.chmod(0o710)
    else:
        folder.chmod(0o700)


def give_all(top: Path, account: pwd.struct_passwd | None) -> None:
    """Everything below ``top`` is the server user's."""
    if account is None:
        return
    for folder, _, files in os.walk(top):
        os.chown(folder, account.pw_uid, account.pw_gid)
        for name in files:
            os.chown(f"{folder}/{name}", account.pw_uid, account.pw_gid, follow_symlinks=False)


def copy(source: Path, target: Path) -> None:
    """A folder, as quickly as the file system can."""
    done = subprocess.run(
        ["cp", "-a", "--reflink=auto", str(source), str(target)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ServerFailed("", f"its data folder could not be copied: {last_words(done.stderr)}")


def shares_blocks(folder: Path) -> bool:
    """Whether the file system copies a file by sharing its blocks (reflink): XFS, Btrfs, bcachefs."""
    first, second = folder / ".reflink-1", folder / ".reflink-2"
    try:
        first.write_bytes(b"x" * 4096)
        done = subprocess.run(["cp", "--reflink=always", str(first), str(second)], capture_output=True, check=False)
        return done.returncode == 0
    except OSError:
        return False
    finally:
        first.unlink(missing_ok=True)
        second.unlink(missing_ok=True)


def keep_template(data: Path, template: Path) -> None:
    """Cache a fresh data directory. The rename makes it appear whole or not at all; a loser of the race cleans up."""
    template.parent.mkdir(parents=True, exist_ok=True)
    half = template.with_name(f"{template.name}.{secrets.token_hex(4)}")
    try:
        copy(data, half)
        half.rename(template)
    except (OSError, ServerFailed):
        shutil.rmtree(half, ignore_errors=True)  # a full disk or a faster process: the cache is a convenience


def environment() -> dict[str, str]:
    """Nothing of the caller's environment reaches the server, PGOPTIONS and LD_PRELOAD least of all."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


_TELLING = regex(r"(?i)fatal|error|unrecognized|invalid|could not|no space")


def last_words(text: str) -> str:
    """The first line that tells why, without its time stamp."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = next((line for line in lines if _TELLING.search(line)), lines[-1] if lines else "")
    return re.sub(r"^\S+ \S+ \S+ \[\d+\] ", "", telling)[:300].rstrip(".")
