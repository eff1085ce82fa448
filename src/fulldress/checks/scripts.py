"""FD414 to FD433: how the scripts are written: what harms as soon as something around them goes wrong."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator

import msgspec

from fulldress.checks.index import Index, unit_name
from fulldress.checks.rule import Hit, brief, rule, says, several
from fulldress.facts import Entry, Fact, FileEffect, Hazard, Restart, Witness
from fulldress.findings import Severity
from fulldress.patterns import regex

_STARTS = frozenset({"start", "restart", "try-restart", "reload-or-restart", "force-restart", "reload"})
#: Ways in which a script says that a unit is to stay away.
_RETIRES = frozenset({"disable", "mask", "purge", "remove", "delete"})
_HELPERS = regex(r"^(?:deb-systemd-invoke|invoke-rc\.d)\b")


class _Kind(msgspec.Struct, frozen=True):
    """One kind of :class:`~fulldress.facts.Hazard` and what is said of it. ``title`` gets place and things."""

    id: str
    severity: Severity
    kind: str
    general: str
    title: str
    remedy: str


_KINDS = (
    _Kind(
        "FD415",
        Severity.MINOR,
        "stopped on failure",
        "A step that fails leaves a service stopped",
        "{place} stops {things} and starts it again only if every step between succeeds",
        "Know the command that starts it (systemctl start {thing}) and who gives it; or ask for a trap: trap 'systemctl start {thing}' EXIT",
    ),
    _Kind(
        "FD416",
        Severity.MAJOR,
        "folder not reached",
        "Files are deleted or moved in whatever folder the script happens to be in",
        "{place} goes on where cd fails, and then does this in the wrong folder: {things}",
        "Check before the window that the folder exists; have the vendor write: cd FOLDER || exit 1",
    ),
    _Kind(
        "FD417",
        Severity.MAJOR,
        "original lost",
        "An original is deleted although its copy may have failed",
        "{place} deletes {things} after copying it, whether or not the copy worked",
        "Make a copy of your own first (the offered snapshot), and check its size before the step.",
    ),
    _Kind(
        "FD418",
        Severity.MAJOR,
        "error swallowed",
        "A backup or migration may fail and nobody hears of it",
        "{place} goes on as if it had worked where this fails: {things}",
        "Run that step by hand and look at its exit code, or check its result before the next step.",
    ),
    _Kind(
        "FD419",
        Severity.MINOR,
        "endless wait",
        "A script may wait for ever",
        "{place} waits without a limit: {things}",
        "Run the step under timeout, e.g. timeout 10m SCRIPT, and plan what to do when it strikes.",
    ),
    _Kind(
        "FD420",
        Severity.MAJOR,
        "predictable temporary file",
        "A script runs a file from /tmp that anybody could have put there",
        "{place} runs {things}, a name in a folder where everybody may write",
        "Look before the window that nothing of that name is there; have the vendor use mktemp -d.",
    ),
    _Kind(
        "FD421",
        Severity.MAJOR,
        "open to everybody",
        "Everybody on the host may change files of the product",
        "{place} lets everybody write to {things}",
        "Take the right away after the step: chmod o-w {thing}",
    ),
    _Kind(
        "FD422",
        Severity.MAJOR,
        "unchecked download",
        "A file is fetched on the day and run unchecked",
        "{place} runs {things}, fetched on the day and checked by nothing",
        "Fetch it now, keep it beside the package with its sha256, and let the script find it there.",
    ),
    _Kind(
        "FD423",
        Severity.MAJOR,
        "package removed",
        "Software is removed from the host",
        "{place} removes {things}",
        "See what else goes with it before the window: apt-get -s remove {thing} (or dnf remove --assumeno {thing})",
    ),
    _Kind(
        "FD425",
        Severity.MAJOR,
        "data destroyed",
        "A script destroys data that no rollback brings back",
        "{place} destroys {things}",
        "Have a backup that was restored once, and ask the vendor when this line is reached.",
    ),
    _Kind(
        "FD426",
        Severity.MINOR,
        "asks through debconf",
        "The package manager stops and asks",
        "{place} may ask {things} in the middle of the installation",
        "Answer beforehand with debconf-set-selections, and install with DEBIAN_FRONTEND=noninteractive.",
    ),
    _Kind(
        "FD427",
        Severity.MINOR,
        "lock left behind",
        "A script that fails leaves its lock behind, and does not start again",
        "{place} does not start again after a failure: its lock stays: {things}",
        "Where a run failed, look that none is at work, then remove the lock: rm -r {thing}. Ask for flock, or for a trap on EXIT.",
    ),
    _Kind(
        "FD429",
        Severity.MAJOR,
        "lock broken",
        "A script breaks another program's lock",
        "{place} removes a lock that others hold for a reason: {things}",
        "See before the step that nothing holds it (fuser {thing}) and take the line out: two package managers at once, or two servers on one data folder, destroy what they share.",
    ),
    _Kind(
        "FD430",
        Severity.MAJOR,
        "lock held",
        "A package's own script calls the package manager that is running it",
        "{place} waits for or fails at the lock of the package manager that runs it: {things}",
        "Install what it asks for before the step, so that the command has nothing to do; have the vendor declare a dependency.",
    ),
    _Kind(
        "FD431",
        Severity.MINOR,
        "exit code lost",
        "A step may fail and the script does not see it, though it means to",
        "{place} does not see where this fails: {things}",
        "Look at the result of that step by hand; have the vendor set pipefail, or assign and declare in two lines.",
    ),
    _Kind(
        "FD432",
        Severity.MAJOR,
        "step not checked",
        "A step goes on from an earlier one that may have failed",
        "{place} goes on whether or not this worked: {things}",
        "Run the script as bash -e where that is safe, or stop after this step and look at its result before going on.",
    ),
)


def _judge(kind: _Kind) -> Callable[[Index], Iterator[Hit]]:
    def judge(index: Index) -> Iterator[Hit]:
        by_path: dict[str, list[Hazard]] = defaultdict(list)
        for hazard in index.of(Hazard, Witness.READ):
            if hazard.kind == kind.kind:
                by_path[hazard.evidence.path].append(hazard)
        for path, found in by_path.items():
            things = [brief(hazard.what, 60) for hazard in found]
            words = {"place": path, "things": several(things), "thing": found[0].what}
            yield Hit(
                title=kind.title.format_map(words),
                subject=path,
                remedy=kind.remedy.format_map(words),
                testimony=tuple(says(hazard, hazard.detail or hazard.what) for hazard in found),
            )

    return judge


for _kind in _KINDS:
    rule(_kind.id, _kind.severity, _kind.general)(_judge(_kind))


@rule("FD414", Severity.MAJOR, "A service is stopped and never started again")
def left_stopped(index: Index) -> Iterator[Hit]:
    stopped: dict[str, list[Restart]] = defaultdict(list)
    others: dict[str, set[str]] = defaultdict(set)
    aliases = _aliases(index)
    for restart in index.of(Restart, Witness.READ):
        unit = unit_name(restart.unit)
        unit = aliases.get(unit, unit)
        if restart.action == "stop" and not restart.evidence.when and "$" not in unit:
            stopped[unit].append(restart)
        else:
            others[unit].add(restart.action)
    for unit, stops in stopped.items():
        if others[unit] & (_STARTS | _RETIRES) or any(action.startswith("renamed") for action in others[unit]):
            continue
        if unit.endswith((".target", ".slice")) or any("$" in other for other in others if others[other] & _STARTS):
            continue  # a start of a unit that only the run would name may be this one
        maintained = all(_HELPERS.match(stop.command) for stop in stops)
        yield Hit(
            title=f"{stops[0].evidence.where()} stops {unit}, and nothing in the package starts it again",
            subject=unit,
            remedy=f"Start it at the end and look that it runs: systemctl start {unit} && systemctl is-active {unit}",
            testimony=tuple(says(stop, stop.command or f"stop {unit}") for stop in stops),
            severity=Severity.MINOR if maintained else None,
        )


def _aliases(index: Index) -> dict[str, str]:
    """Other names of units that the package ships as links: ``mysql.service -> mariadb.service`` (systemctl(1), aliases)."""
    return {
        unit_name(entry.path.rsplit("/", 1)[-1]): unit_name(entry.link.rsplit("/", 1)[-1])
        for entry in index.of(Entry, Witness.READ)
        if entry.link.endswith(".service") and "/systemd/system/" in entry.path and entry.path.endswith(".service")
    }


#: Files of the host as a whole -> packages whose own they are.
_HOST_FILES: dict[str, tuple[str, ...]] = {
    r"/etc/hosts|/etc/host\.conf|/etc/environment|/etc/profile|/etc/bash\.bashrc|/etc/shells|/etc/issue|/etc/motd": ("base-files", "setup"),
    r"/etc/resolv\.conf": ("resolvconf", "openresolv", "systemd-resolved", "network-manager"),
    r"/etc/nsswitch\.conf": ("libc", "glibc", "base-files", "libnss"),
    r"/etc/fstab|/etc/crypttab": ("util-linux", "cryptsetup"),
    r"/etc/pam\.d/(?:common-\S+|system-auth\S*|sshd|login|su|sudo|passwd)": ("libpam", "pam", "shadow", "openssh", "sudo", "login", "util-linux"),
    r"/etc/ssh/sshd?_config": ("openssh",),
    r"/etc/sysctl\.conf": ("procps",),
    r"/etc/security/limits\.conf": ("libpam", "pam"),
    r"/etc/crontab": ("cron", "cronie"),
    r"/etc/selinux/config": ("selinux",),
    r"/etc/default/grub": ("grub",),
    r"/etc/apt/sources\.list": ("apt",),
    r"/etc/ld\.so\.(?:conf|preload)": ("libc", "glibc"),
    r"/etc/systemd/(?:system|journald|logind|resolved|timesyncd)\.conf": ("systemd",),
    r"/etc/(?:rc\.local|inittab)": ("sysvinit",),
    r"/etc/(?:chrony(?:/chrony)?|ntp)\.conf": ("chrony", "ntp"),
    r"/etc/postfix/main\.cf": ("postfix",),
    r"/etc/nginx/nginx\.conf": ("nginx",),
    r"/etc/apache2/apache2\.conf|/etc/httpd/conf/httpd\.conf": ("apache2", "httpd"),
}  # fmt: skip


@rule("FD424", Severity.MAJOR, "A script changes what belongs to the host or to another package")
def not_its_own(index: Index) -> Iterator[Hit]:
    product = index.product.lower()
    by_path: dict[str, list[tuple[Fact, str]]] = defaultdict(list)
    for effect in index.of(FileEffect, Witness.READ):
        owners = next((o for pattern, o in _HOST_FILES.items() if re.fullmatch(pattern, effect.path)), None)
        if owners is not None and effect.action in ("create", "change", "delete") and not _is_own(product, owners):
            by_path[effect.evidence.path].append((effect, effect.path))
    for hazard in index.of(Hazard, Witness.READ):
        tool = hazard.detail.split(" ", 1)[0]
        if hazard.kind == "not its own" and not (product and product.startswith(tool)):
            by_path[hazard.evidence.path].append((hazard, hazard.what))
    for path, found in by_path.items():
        only_modules = all(thing == "the kernel's modules" for _, thing in found)
        yield Hit(
            title=f"{path} changes {several([thing for _, thing in found])}, which others on the host rely on",
            subject=path,
            remedy="Ask whoever owns the host; keep a copy of the file, or print the setting, before the window.",
            testimony=tuple(says(fact, fact.detail if isinstance(fact, Hazard) else thing) for fact, thing in found),
            severity=Severity.NOTE if only_modules else None,
        )


#: Marks for others to read; a reboot is told elsewhere.
_MARKS = regex(r"/(?:var/)?run/reboot-required(?:\.pkgs)?|/forcefsck|/\.autorelabel")


@rule("FD433", Severity.NOTE, "A script changes files that are not the package's own")
def outside(index: Index) -> Iterator[Hit]:
    by_path: dict[str, list[FileEffect]] = defaultdict(list)
    for effect in index.of(FileEffect, Witness.READ):
        if not effect.outside or effect.evidence.when or effect.action not in ("change", "delete", "mode", "owner"):
            continue
        if not _MARKS.fullmatch(effect.path) and not any(re.fullmatch(pattern, effect.path) for pattern in _HOST_FILES):
            by_path[effect.evidence.path].append(effect)  # FD424 tells those of the host
    for path, found in by_path.items():
        yield Hit(
            title=f"{path} changes what neither lies in the package nor bears its name: {several([e.path for e in found])}",
            subject=path,
            remedy=f"Look today whose it is (dpkg -S {found[0].path}, or rpm -qf), and keep a copy.",
            testimony=tuple(says(e, f"{e.action} {e.path}" + (f": {e.detail}" if e.detail else "")) for e in found),
        )


def _is_own(product: str, owners: tuple[str, ...]) -> bool:
    return bool(product) and product.startswith(owners)
