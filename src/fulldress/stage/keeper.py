"""The process between: makes the namespaces, starts the stage's first process, and ends it when the outside ends.

Standard library only; started as ``python -I -S -m`` from outside with one socket. It holds nothing: when it or the outside
is killed, even by ``kill -9``, the kernel ends the first process, with it every process of the stage, and with them its
mounts and its network.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from typing import Any

from fulldress.stage import inside, overlay
from fulldress.stage import namespaces as ns
from fulldress.stage.channel import Channel

_ALL = ns.CLONE_NEWNS | ns.CLONE_NEWNET | ns.CLONE_NEWIPC | ns.CLONE_NEWUTS | ns.CLONE_NEWPID


def mappings(base: int, owner: int) -> list[tuple[int, int, int]]:
    """Users 0–65535 of the stage as ``base`` and up outside. ``owner``, whose files the tree are, trades places with root.

    A production tree is often a checkout that belongs to one ordinary user; on the stage its files are root's."""
    if owner == 0 or owner >= 65536:
        return [(0, base, 65536)]
    lines = [
        (0, base + owner, 1),
        (1, base + 1, owner - 1),
        (owner, base, 1),
        (owner + 1, base + owner + 1, 65535 - owner),
    ]
    return [line for line in lines if line[2] > 0]


def _enter(setup: dict[str, Any]) -> list[str]:
    """Take on the namespaces. Returns layers that something is mounted below of."""
    os.chdir(setup["hub"])
    mode, binds = setup["mode"], [tuple(bind) for bind in setup["binds"]]
    if mode == "alone":
        uid, gid = os.getuid(), os.getgid()
        ns.unshare(ns.CLONE_NEWUSER | _ALL)
        ns.map_only_myself(uid, gid)
        ns.mount("", "/", flags=ns.MS_REC | ns.MS_PRIVATE)
        return overlay.bind_layers(binds)
    ns.unshare(ns.CLONE_NEWNS)
    ns.mount("", "/", flags=ns.MS_REC | ns.MS_PRIVATE)
    base = setup["base"] if mode == "mapped" else 0
    users = ns.user_namespace(mappings(base, 0))
    locked: list[str] = []
    if mode == "mapped":
        owned = ns.user_namespace(mappings(base, setup["owner"]))
        overlay.attach_layers(binds, {False: users, True: owned})
        os.close(owned)
    else:
        locked = overlay.bind_layers(binds)
    ns.setns(users, ns.CLONE_NEWUSER)
    os.close(users)
    os.setgroups([0])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    ns.unshare(_ALL)
    return locked


def main() -> None:
    outside = int(sys.argv[2])
    watched = os.pidfd_open(outside)
    if os.getppid() != outside:
        return
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    first = channel.receive()
    if first is None:
        return
    setup = first[0]
    os.setsid()
    try:
        locked = _enter(setup)
        pid = os.fork()
    except OSError as error:
        channel.send({"failed": f"{error.filename or 'namespaces'}: {error.strerror}", "errno": error.errno})
        return
    if pid == 0:
        os.close(watched)
        inside.main(channel, setup, locked)
        os._exit(0)
    channel.close()
    child = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    poll.register(child, select.POLLIN)
    while True:
        ready = {fd for fd, _ in poll.poll()}
        if child in ready:
            os.waitpid(pid, 0)
            return
        if watched in ready:
            return


if __name__ == "__main__":
    main()
