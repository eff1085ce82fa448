"""Commands of containers in manifests of Kubernetes, as scripts: whom they call, and what they do to the cluster.

A container has files and services of its own. Of what it runs only that counts here which reaches beyond it.
"""

from __future__ import annotations

from collections.abc import Callable

from fulldress.package.kubernetes.objects import Unfilled, command, is_manifest, objects
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import helm
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
        for container in item.containers():
            words, line = command(container)
            if words and line:
                Shell(package, member, beyond).text(clean(words.replace(helm.OPEN, "$OPEN")), line)
