"""What this machine can stage and what it lacks, each with its remedy. Tried out, not guessed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from fulldress.facts import Evidence, Reason, Unread, Witness
from fulldress.stage.layout import faketime

_TRY = """
import ctypes, os, sys
sys.path.insert(0, sys.argv[1])
from fulldress.stage import namespaces as ns
uid, gid = os.getuid(), os.getgid()
ns.unshare(ns.CLONE_NEWUSER | ns.CLONE_NEWNS | ns.CLONE_NEWNET | ns.CLONE_NEWPID | ns.CLONE_NEWIPC | ns.CLONE_NEWUTS)
ns.map_only_myself(uid, gid)
ns.mount("", "/", flags=ns.MS_REC | ns.MS_PRIVATE)
"""


class Ability(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a rehearsal needs. ``ok`` None: works in part. ``remedy`` can be pasted or done."""

    name: str
    ok: bool | None
    detail: str
    remedy: str = ""


def _sysctl(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""


def remedy() -> str:
    """How to allow namespaces here, as far as the kernel's settings tell why they are not."""
    if not sys.platform.startswith("linux"):
        return "A stage needs Linux: run the rehearsal on a Linux machine or in a virtual one."
    if _sysctl("user/max_user_namespaces") == "0":
        return "Allow them: sysctl -w user.max_user_namespaces=15000"
    if _sysctl("kernel/unprivileged_userns_clone") == "0":
        return "Allow them: sysctl -w kernel.unprivileged_userns_clone=1, or start fulldress as root."
    if os.geteuid() != 0 and _sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return "Allow them: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or start fulldress as root."
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return "This is a container: start it with --privileged, or use a virtual machine."
    return "Start fulldress as root, or on a machine with Linux 5.12 or later that allows user namespaces."


def _try_namespaces() -> str:
    """Empty when user namespaces with all the others can be had; else why not."""
    import fulldress

    if not sys.platform.startswith("linux"):
        return f"no namespaces on {sys.platform}"
    source = str(Path(fulldress.__file__).parent.parent)
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _TRY, source], capture_output=True, text=True, timeout=20, check=False
    )
    return "" if ran.returncode == 0 else (ran.stderr.strip().splitlines() or ["refused"])[-1]


def obstacles() -> list[Unread]:
    """Why there can be no stage at all; empty where there can."""
    why = _try_namespaces()
    if not why:
        return []
    return [
        Unread(
            witness=Witness.OBSERVED,
            evidence=Evidence(source="doctor", excerpt=why),
            what="the vendor's scripts",
            reason=Reason.CANNOT,
            detail=f"namespaces are not allowed here ({why}). {remedy()}",
            needed=True,
        )
    ]


def abilities() -> list[Ability]:
    """Everything the stage needs, tried on a real one."""
    from fulldress.errors import StageError
    from fulldress.stage.plan import StagePlan
    from fulldress.stage.venue import Stage

    why = _try_namespaces()
    found = [
        Ability(
            name="namespaces",
            ok=not why,
            detail=why or "user, mount, network, process, IPC and UTS",
            remedy=remedy() if why else "",
        )
    ]
    if why:
        return found
    import tempfile
    from datetime import timedelta

    with tempfile.TemporaryDirectory(prefix="fulldress-doctor-") as folder:
        root = Path(folder, "root")
        (root / "etc").mkdir(parents=True)
        (root / "etc/probe").write_text("x\n")
        try:
            with Stage(StagePlan(root=root, name="doctor")) as stage:
                ran = stage.run(["/bin/sh", "-c", "echo y >> /etc/probe"], step="probe", timeout=timedelta(seconds=10))
                seen = [e.path for e in stage.effects()]
                found.append(
                    Ability(
                        name="file overlay",
                        ok=ran.exit_code == 0 and "/etc/probe" in seen,
                        detail="changes are seen and thrown away",
                    )
                )
                owners = {
                    "mapped": (True, "the stage's root is no user of this machine"),
                    "same": (None, "the stage's root has user id 0, without its rights"),
                    "alone": (None, "one user only: owners of files are not seen"),
                }[stage.mode]
                found.append(
                    Ability(
                        name="file owners",
                        ok=owners[0],
                        detail=owners[1],
                        remedy="" if owners[0] else "Start fulldress as root on Linux 5.19 or later.",
                    )
                )
                lacks = [lack.what for lack in stage.lacks]
                led = not any("other than the known" in what for what in lacks)
                found.append(
                    Ability(
                        name="network redirect",
                        ok=led or None,
                        detail="every connection is seen"
                        if led
                        else "only usual ports are answered; attempts at others are seen",
                        remedy="" if led else "modprobe nf_tables nft_redir nft_chain_nat",
                    )
                )
                stage.run(["/bin/sh", "-c", "getent hosts probe.example"], step="probe", timeout=timedelta(seconds=10))
                asked = "probe.example" in stage._sink.resolver.asked
                found.append(
                    Ability(
                        name="names",
                        ok=asked,
                        detail="every name gets an address of its own" if asked else "the resolver was not asked",
                    )
                )
        except (StageError, OSError) as error:
            found.append(Ability(name="stage", ok=False, detail=str(error), remedy=remedy()))
    library = faketime()
    found.append(
        Ability(
            name="clock",
            ok=True if library else None,
            detail="libfaketime shifts programs that use the C library"
            if library
            else "only scripts that call date see the stage's time",
            remedy="" if library else "apt-get install faketime (Debian, Ubuntu), dnf install libfaketime (Fedora)",
        )
    )
    return found
