"""FD451: what the scripts take for granted on a host and its inventory does not list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, rule, says, several
from fulldress.facts import Endpoint, Fact, Installed, Privilege, Restart, Witness
from fulldress.findings import Severity
from fulldress.patterns import regex

#: Command -> packages that bring it, on Debian's and on Red Hat's side; a name with ``*`` is a beginning.
_BROUGHT_BY: dict[str, tuple[str, ...]] = {
    "curl": ("curl", "curl-minimal"),
    "docker": ("docker*", "moby-engine*", "podman-docker"),
    "jq": ("jq",),
    "lftp": ("lftp",),
    "mysql": ("mysql-client*", "mariadb-client*", "default-mysql-client*", "mysql", "mariadb"),
    "nc": ("netcat*", "nmap-ncat", "ncat"),
    "psql": ("postgresql-client*", "postgresql", "postgresql1*"),
    "redis-cli": ("redis-tools", "redis", "redis6"),
    "rsync": ("rsync",),
    "sftp": ("openssh-client", "openssh-clients"),
    "ssh": ("openssh-client", "openssh-clients"),
    "sudo": ("sudo", "sudo-ldap", "sudo-rs"),
    "supervisorctl": ("supervisor",),
    "systemctl": ("systemd",),
    "wget": ("wget", "wget2"),
}
#: A host whose list holds one of these was listed by its package manager, and so whole.
_LISTED_WHOLE = frozenset({"dpkg", "rpm", "apk-tools"})
_COMMAND = regex(r"(?:^|[|;&(]\s*|\bsudo\s+(?:-\S+\s+)*)(?:[A-Z_]+=\S*\s+)*(?:/\S+/)?([\w.-]+)")


@rule("FD451", Severity.MAJOR, "A script uses a command that a host does not have")
def missing_command(index: Index) -> Iterator[Hit]:
    lists: dict[str, set[str]] = defaultdict(set)
    first: dict[str, Installed] = {}
    for installed in index.of(Installed, Witness.RUNNING):
        lists[installed.host].add(installed.component)
        first.setdefault(installed.host, installed)
    whole = {host: names for host, names in lists.items() if names & _LISTED_WHOLE}
    for command, facts in sorted(_used(index).items()):
        packages = _BROUGHT_BY[command]
        without = sorted(host for host, names in whole.items() if not any(_brings(name, packages) for name in names))
        if without:
            yield Hit(
                title=f"{facts[0].evidence.where()} calls {command}, which {several([h or 'this host' for h in without], 3)} "
                f"{'does' if len(without) == 1 else 'do'} not have: the script stops there",
                subject=command,
                remedy=f"Install {packages[0].rstrip('*-')} on these hosts before the window, or ask the vendor for a script without {command}.",
                testimony=(
                    *(says(fact, f"calls {command}") for fact in facts[:5]),
                    *(
                        says(first[host], f"{len(whole[host]):,} packages listed, none of them brings {command}")
                        for host in without
                    ),
                ),
            )


def _used(index: Index) -> dict[str, list[Fact]]:
    """Commands of the table that the upgrade's scripts call on the host itself, with the facts that show it."""
    found: dict[str, list[Fact]] = defaultdict(list)
    for family in (Privilege, Restart, Endpoint):
        for fact in index.of(family, Witness.READ):
            if "on host" in fact.evidence.when:
                continue  # another machine's affair
            text = getattr(fact, "command", "") or fact.evidence.excerpt
            for command in dict.fromkeys(_COMMAND.findall(text)):
                if command in _BROUGHT_BY:
                    found[command].append(fact)
    return found


def _brings(name: str, packages: tuple[str, ...]) -> bool:
    return any(name.startswith(p[:-1]) if p.endswith("*") else name == p for p in packages)
