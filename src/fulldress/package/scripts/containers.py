"""Commands of containers in manifests of Kubernetes, as scripts: whom they call, and what they do to the cluster.

A container has files and services of its own. Of what it runs only that counts here which reaches beyond it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fulldress.package.kubernetes.objects import Object, Unfilled, command, is_manifest, objects
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import helm, yamlnodes
from fulldress.package.scripts import carried
from fulldress.package.scripts.events import AnyEvent, Call
from fulldress.package.scripts.shell import Shell
from fulldress.package.scripts.values import clean

#: Programs whose effects leave the container.
_REACHES = frozenset(
    {
        "kubectl", "oc", "helm", "curl", "wget", "psql", "pg_dump", "pg_restore", "mysql", "mariadb", "mongosh", "redis-cli",
        "sftp", "scp", "ssh", "rsync", "ftp", "lftp", "nc", "mail", "sendmail", "aws", "az", "gcloud", "git",
    }
)  # fmt: skip


def read(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Events of the commands of all containers that are there with the chart's own values."""

    def beyond(event: AnyEvent) -> None:
        if isinstance(event, Call) and event.name in _REACHES:
            emit(event)

    if not is_manifest(member):
        return
    try:
        found = objects(package, member)
    except Unfilled:
        return  # the reader of manifests says it
    for item in found:
        if item.off or "test" in item.hooks:
            continue
        roots = _roots(item)
        for container in item.containers():
            words, line = command(container)
            if words and line:
                text = clean(words.replace(helm.OPEN, "$OPEN"))
                Shell(package, member, beyond).text(text, line)
                if roots or _may_enter(item, container):
                    _on_host(package, member, text, line, roots, emit)


def _roots(item: Object) -> bool:
    """Whether a pod sees the host's whole file system."""
    volumes = yamlnodes.items(yamlnodes.get(item.pod(), "volumes"))
    return any(yamlnodes.text(volume, "hostPath", "path") == "/" for volume in volumes)


def _may_enter(item: Object, container: Any) -> bool:
    """Whether it may step into the host's own processes: privileged, with ``hostPID``."""
    privileged = yamlnodes.text(container, "securityContext", "privileged").lower() == "true"
    return privileged and yamlnodes.text(item.pod(), "hostPID").lower() == "true"


def _on_host(
    package: Package, member: Member, text: str, line: int, roots: bool, emit: Callable[[AnyEvent], None]
) -> None:
    """What a container does behind ``chroot /host …`` or ``nsenter -t 1 …`` it does to the node."""

    def enters(event: AnyEvent) -> None:
        words = event.words if isinstance(event, Call) else ()
        if words and (event.name == "nsenter" or (event.name == "chroot" and roots)):  # type: ignore[union-attr]
            inner = carried.behind(words)
            if inner:
                shell = Shell(package, member, emit)
                with shell.told("on the node"):
                    shell.text(inner, event.line)

    Shell(package, member, enters).text(text, line)
