"""What a script does that harms as soon as something around it goes wrong, one event at a time.

What shows only in the order of several events is in :mod:`fulldress.package.scripts.order`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Hazard, Witness
from fulldress.package.scripts.events import AnyEvent, Call, Event, Risk
from fulldress.package.scripts.rule import Context, operands, option
from fulldress.package.scripts.values import is_constant, show
from fulldress.patterns import regex

#: kind, what, detail
Found = tuple[str, str, str]

_SQL = frozenset("psql mysql mariadb sqlite3 sqlcmd sqlplus mysqladmin".split())  # noqa: SIM905 - a table of words
_DROPS = regex(
    r"(?i)\b(?:DROP\s+(?:DATABASE|SCHEMA|TABLESPACE)\s+(?:IF\s+EXISTS\s+)?[\"`']?([\w.$-]+)|"
    r"DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?[\"`']?([\w.$-]+)|TRUNCATE\s+(?:TABLE\s+)?[\"`']?([\w.$-]+))"
)
#: Package manager -> words that ask it to remove.
_REMOVERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("apt-get", "apt", "aptitude"), ("remove", "purge", "autoremove", "autopurge")),
    **dict.fromkeys(("yum", "dnf", "microdnf"), ("remove", "erase", "autoremove")),
    "dpkg": ("-r", "-P", "--remove", "--purge"),
    "rpm": ("-e", "--erase", "-ev", "-evh"),
    "zypper": ("remove", "rm"),
    "apk": ("del",),
    "pacman": ("-R", "-Rs", "-Rns"),
    "snap": ("remove",),
    "flatpak": ("uninstall", "remove"),
    "brew": ("uninstall", "remove"),
    "pip": ("uninstall",),
    "pip3": ("uninstall",),
    "npm": ("uninstall", "remove", "rm"),
    "gem": ("uninstall",),
}
#: Commands that change how the host as a whole behaves, and what of their words only looks.
_HOST: dict[str, tuple[str, re.Pattern[str]]] = {
    "sysctl": ("the kernel's settings", regex(r"(?:^|\s)(?:-w|--write)\s|(?:^|\s)[\w.-]+=")),
    **dict.fromkeys(
        ("iptables", "ip6tables"), ("the firewall", regex(r"(?:^|\s)(?:-[AIDFPXRNZ]|--(?:append|insert|delete|flush|policy))\b"))
    ),
    "nft": ("the firewall", regex(r"^(?:add|insert|delete|flush|replace|-f)\b")),
    "ufw": ("the firewall", regex(r"\b(?:allow|deny|reject|limit|enable|disable|reset|delete|insert)\b")),
    "firewall-cmd": ("the firewall", regex(r"--(?:add|remove|set|reload|panic)\b|--(?:add|remove)-")),
    "setenforce": ("SELinux", regex(r"^\S")),
    "semanage": ("SELinux", regex(r"\s(?:-[amd]|--(?:add|modify|delete))\b")),
    "setsebool": ("SELinux", regex(r"^\S")),
    **dict.fromkeys(("modprobe", "insmod", "rmmod"), ("the kernel's modules", regex(r"^(?!.*(?:--show|-n\b|--dry-run))\S"))),
    "timedatectl": ("the host's clock", regex(r"\bset-")),
    "hostnamectl": ("the host's name", regex(r"\b(?:set-)?hostname\s+\S")),
    "swapoff": ("the swap space", regex(r"^\S")),
    "update-crypto-policies": ("the host's cryptography", regex(r"--set")),
    "authselect": ("who may log in", regex(r"\b(?:select|enable-feature|disable-feature)\b")),
    "pam-auth-update": ("who may log in", regex(r"--(?:enable|disable|remove)")),
    "tuned-adm": ("the host's tuning", regex(r"\bprofile\b")),
    "ip": ("the network", regex(r"^(?:-\S+\s+)*(?:route|addr|address|link|rule)\s+(?:add|del|delete|set|replace|flush)\b")),
}  # fmt: skip
#: Steps whose failure must not go unheard.
_BACKUP = frozenset("pg_dump pg_dumpall pg_basebackup mysqldump mariadb-dump mongodump sqlite3 xtrabackup".split())  # noqa: SIM905
_MIGRATION = regex(
    r"(?i)(?:\bmanage\.py\s+migrate|\balembic\s.*\bupgrade|\bflyway\b.*\bmigrate|\bliquibase\b.*\bupdate|\bdb:migrate|"
    r"\bknex\b.*\bmigrate|\bgoose\b.*\bup\b|\bartisan\s+migrate|\bsqlx\s+migrate|\bdiesel\s+migration|"
    r"\bprisma\s+migrate|\bmigrate\s.*\bup\b|(?:^|/)[\w-]*migrat\w*(?:\.\w+)?(?:\s|$))"
)


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    for kind, what, detail in _found(event):
        yield hazard(event, context, kind, what, detail)


def hazard(event: Event, context: Context, kind: str, what: str, detail: str) -> Hazard:
    return Hazard(
        witness=Witness.READ,
        evidence=context.evidence(event),
        kind=kind,
        what=context.words(what, 120),
        detail=context.words(detail, 300),
    )


def _found(event: AnyEvent) -> Iterator[Found]:
    if isinstance(event, Risk):
        yield event.kind, event.what, event.detail
    elif isinstance(event, Call):
        yield from _removed(event)
        yield from _destroyed(event)
        yield from _opened(event)
        yield from _unheard(event)
        host = _HOST.get(event.name)
        if host and host[1].search(" ".join(show(word) for word in event.arguments)):
            yield "not its own", host[0], show(" ".join(event.words))
        if event.name == "db_input" and event.arguments[:1] in (("high",), ("critical",)) and len(event.words) > 2:
            yield "asks through debconf", show(event.arguments[1]), f"priority {event.arguments[0]}"


def _removed(call: Call) -> Iterator[Found]:
    verbs = _REMOVERS.get(call.name, ())
    words = call.arguments
    if call.name in ("python", "python3") and words[:2] == ("-m", "pip"):
        verbs, words = _REMOVERS["pip"], words[2:]
    at = next((index for index, word in enumerate(words) if word in verbs), -1)
    if at < 0 or any(word in ("-s", "--simulate", "--dry-run", "--assume-no") for word in words):
        return
    names = [show(word) for word in operands(words[at + 1 :], "toc") if not word.endswith((".deb", ".rpm"))]
    if call.name == "npm" and "-g" not in words and "--global" not in words:
        return
    automatic = words[at].startswith("auto")
    for name in names or (["whatever nothing needs any more"] if automatic else []):
        yield "package removed", name, show(" ".join(call.words))


def _destroyed(call: Call) -> Iterator[Found]:
    name, words = call.name, call.arguments
    plain = operands(words)
    command = show(" ".join(call.words))
    if name in _SQL:
        for text in (*words, call.stdin or ""):
            for match in _DROPS.finditer(text):
                yield "data destroyed", show(next(part for part in match.groups() if part)), match[0]
    elif name == "dropdb" and plain:
        yield "data destroyed", f"database {show(plain[-1])}", command
    elif name in ("mongo", "mongosh") and "dropDatabase" in " ".join((*words, call.stdin or "")):
        yield "data destroyed", "a MongoDB database", "dropDatabase()"
    elif name in ("redis-cli", "valkey-cli") and any(word.upper() in ("FLUSHALL", "FLUSHDB") for word in words):
        yield "data destroyed", "everything in Redis", command
    elif re.match(r"mkfs(\.|$)|wipefs$|mkswap$|blkdiscard$|pvremove$|lvremove$|vgremove$", name) and plain:
        if not (name == "wipefs" and not any(re.match(r"-\w*a|--all", word) for word in words)):
            yield "data destroyed", show(plain[-1]), command
    elif name == "dd" and (target := next((word[3:] for word in words if word.startswith("of=/dev/")), "")):
        if not re.match(r"/dev/(?:null|zero|stdout|stderr|shm/|tty)", target):
            yield "data destroyed", show(target), command
    elif name == "zfs" and words[:1] == ("destroy",):
        yield "data destroyed", show(plain[-1]), command
    elif name == "git" and "clean" in words and any(re.match(r"-\w*x", word, re.I) for word in words):
        yield "data destroyed", "files that git does not know", command
    elif name in ("docker", "podman"):
        volumes = words[:2] in (("volume", "rm"), ("volume", "prune"), ("system", "prune"))
        if volumes and (words[0] == "volume" or "--volumes" in words):
            yield "data destroyed", "volumes of containers", command
        elif words[:1] == ("compose",) and "down" in words and {"-v", "--volumes"} & set(words):
            yield "data destroyed", "volumes of the compose project", command
    elif name == "docker-compose" and "down" in words and {"-v", "--volumes"} & set(words):
        yield "data destroyed", "volumes of the compose project", command
    elif name in ("kubectl", "oc") and "delete" in words:
        kinds = {"pvc", "pv", "namespace", "ns", "persistentvolumeclaim", "persistentvolume", "project"}
        if kinds & {word.partition("/")[0] for word in words}:
            yield "data destroyed", "volumes of the cluster", command


def _opened(call: Call) -> Iterator[Found]:
    name, words = call.name, call.arguments
    if name == "umask" and words[:1] and re.fullmatch(r"0{1,4}", words[0]):
        yield "open to everybody", "whatever it creates from here on", "umask 0"
        return
    plain = operands(words)
    if name == "chmod" and len(plain) > 1:
        mode, paths = plain[0], plain[1:]
    elif name in ("mkdir", "install") and (mode := option(words, "-m", "--mode")):
        paths = [word for word in plain if word != mode][-1:]
    else:
        return
    if _for_everybody(mode):
        for path in paths:
            if not re.match(r"/(?:dev|proc|sys)/", path):
                yield "open to everybody", show(path), f"mode {mode}"


def _for_everybody(mode: str) -> bool:
    if re.fullmatch(r"[0-7]{3,5}", mode):
        sticky = len(mode) > 3 and int(mode[-4]) & 1
        return bool(int(mode[-1]) & 2) and not sticky
    if "+t" in mode or re.search(r"[+=]\w*t", mode):
        return False
    return bool(re.search(r"(?:^|,)(?:[ug]*[oa][ugo]*)[+=][rxXst]*w", mode))


def _unheard(call: Call) -> Iterator[Found]:
    """A backup or migration whose failure is thrown away."""
    name = call.name
    words = " ".join(show(word) for word in call.words)
    if name in (
        "echo",
        "printf",
        "log",
        "rm",
        "grep",
        "sed",
        "cat",
        "cd",
        "test",
        "[",
        "mkdir",
        "touch",
        "cp",
        "chmod",
        "chown",
        "ls",
        "find",
    ):
        return
    backup = name in _BACKUP and not (name == "sqlite3" and ".backup" not in words and ".dump" not in words)
    step = "backup" if backup else "migration" if is_constant(name) and _MIGRATION.search(words) else ""
    if not step or call.arguments[:1] in (("--version",), ("--help",), ("status",)):
        return
    if call.handled == "swallowed":
        yield "error swallowed", words, f"the {step} may fail, and || true lets the script go on"
    elif call.handled == "piped" and not call.pipefail:
        yield "error swallowed", words, f"the {step} may fail, and the pipe's exit code is that of its last command"
