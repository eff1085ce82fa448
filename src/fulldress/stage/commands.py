"""What a recorded command does on the stage. Runs in the stage's first process; standard library only.

Every answer is a :class:`Reply`: an exit code with what the real command would print, or a real program to go on with.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from fulldress.stage import accounts
from fulldress.stage.systemctl import Systemctl


@dataclass
class Ask:
    """A command as the stand-in met it. ``pid`` is the stand-in's."""

    name: str
    argv: list[str]
    pid: int
    uid: int
    folder: str
    stdin: str | None = None

    @property
    def arguments(self) -> list[str]:
        return self.argv[1:]


@dataclass
class Reply:
    """``run``: continue with this program as the same user. ``become``: run it as another (argv, user).

    ``note``: what it meant. ``unrehearsed``: a sentence on what is not seen on the stage."""

    code: int = 0
    out: str = ""
    err: str = ""
    run: list[str] | None = None
    become: tuple[list[str], str, dict[str, str]] | None = None
    note: str = ""
    reboot: str = ""  #: reboot, poweroff, later, cancelled
    unrehearsed: str = ""
    privilege: str = ""
    account: str = ""


_PACKAGE_QUERIES = {
    "dpkg": {"-l", "-s", "-L", "-S", "-p", "-W", "-C", "-V", "--list", "--status", "--listfiles", "--search", "--verify",
             "--compare-versions", "--print-architecture", "--print-foreign-architectures", "--get-selections",
             "--version", "--audit", "-c", "-I", "-f", "-x", "-e", "--contents", "--info", "--field", "--extract"},
    "rpm": {"-q", "-qa", "-qi", "-ql", "-qf", "-qp", "-V", "-E", "--eval", "--version", "--query", "--verify"},
}  # fmt: skip
_HOST_STATE = frozenset({
    "sysctl", "modprobe", "mount", "umount", "swapoff", "swapon", "iptables", "nft", "firewall-cmd", "ufw", "loginctl",
    "hostnamectl", "timedatectl", "systemd-run",
})  # fmt: skip
_LOOKS = frozenset({"-l", "-L", "list", "status", "-a", "--list", "list-sessions", "--state", "-n", "-h", "--version"})


class Commands:
    """``systemctl`` does the services; ``real(name)`` is the path of a command's real program, or empty."""

    def __init__(self, systemctl: Systemctl, real: Callable[[str], str], red_hat: bool) -> None:
        self._systemctl = systemctl
        self._real = real
        self._spool = "/var/spool/cron" if red_hat else "/var/spool/cron/crontabs"

    def answer(self, ask: Ask) -> Reply:
        name = ask.name
        if name == "systemctl":
            return self._control(ask.arguments)
        if name == "service":
            return self._service(ask.arguments)
        if name in ("reboot", "shutdown", "halt", "poweroff", "init", "telinit"):
            return restart_of_host(name, ask.arguments)
        if name in ("sudo", "su", "runuser"):
            return _privilege(ask)
        if name == "crontab":
            return self._crontab(ask)
        if name in ("at", "batch"):
            return Reply(
                note=f"job for later: {' '.join((ask.stdin or '').split())}", unrehearsed=f"what {name} would run"
            )
        if name in ("mail", "sendmail"):
            return Reply(note="mail kept on the stage, not sent")
        if name in ("useradd", "usermod", "userdel", "groupadd", "adduser", "deluser", "chpasswd"):
            return self._account(ask)
        if name in ("docker", "podman", "kubectl", "helm"):
            return _refused(name, "containers and clusters are not on the stage")
        if name in _HOST_STATE:
            return self._host_state(ask)
        return self._packages(ask)

    def _control(self, arguments: list[str]) -> Reply:
        code, out, err, reboot = self._systemctl.run(arguments)
        return Reply(code, out, err, reboot=reboot)

    def _service(self, arguments: list[str]) -> Reply:
        if not arguments or arguments[0].startswith("-"):
            return Reply(
                1, err="Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n"
            )
        if len(arguments) == 1:
            return Reply(
                1, err="Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n"
            )
        verb = "restart" if arguments[1] == "--full-restart" else arguments[1]
        return self._control([verb, arguments[0]])

    def _crontab(self, ask: Ask) -> Reply:
        user = accounts.name_of(ask.uid)
        rest = list(ask.arguments)
        if "-u" in rest and rest.index("-u") + 1 < len(rest):
            at = rest.index("-u")
            user = rest[at + 1]
            del rest[at : at + 2]
            if ask.uid != 0:
                return Reply(1, err="must be privileged to use -u\n")
        if accounts.find(user) is None:
            return Reply(1, err=f"crontab:  user `{user}' unknown\n")
        path = f"{self._spool}/{user}"
        present = os.path.isfile(path)
        if "-e" in rest:
            return Reply(1, err="crontab: an editor needs a person\n", note="asked for input: an editor")
        if "-l" in rest:
            if not present:
                return Reply(1, err=f"no crontab for {user}\n")
            return Reply(out=_text(path))
        if "-r" in rest:
            if not present:
                return Reply(1, err=f"no crontab for {user}\n")
            lost = _jobs(_text(path))
            os.unlink(path)
            return Reply(note=f"removed {len(lost)} jobs of {user}" + _list(lost))
        source = next((word for word in rest if not word.startswith("-") or word == "-"), "-")
        try:
            text = (ask.stdin or "") if source == "-" else _text(os.path.join(_cwd(ask.pid), source))
        except OSError as error:
            return Reply(1, err=f"{source}: {error.strerror}\n")
        before = _jobs(_text(path)) if present else []
        os.makedirs(self._spool, exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.chmod(path + ".new", 0o600)
        owner = accounts.find(user)
        if owner is not None:
            with contextlib.suppress(OSError):
                os.chown(path + ".new", owner.uid, owner.gid)
        os.replace(path + ".new", path)
        lost = [job for job in before if job not in _jobs(text)]
        return Reply(
            note=f"{user}: {len(before)} jobs before, {len(_jobs(text))} after"
            + (_list(lost) and f"; lost{_list(lost)}")
        )

    def _account(self, ask: Ask) -> Reply:
        real = self._real(ask.name)
        if not real:
            return Reply(127, err=f"{ask.name}: not found\n")
        named = [word for word in ask.arguments if not word.startswith("-")]
        made = named[-1] if named and ask.name in ("useradd", "adduser", "groupadd") else ""
        return Reply(run=[real, *ask.arguments], account=made)

    def _packages(self, ask: Ask) -> Reply:
        name, rest = ask.name, ask.arguments
        verb = next(iter(rest), "")
        queries = _PACKAGE_QUERIES.get(name, set())
        real = self._real(name)
        if real and (verb in queries or (name == "rpm" and verb.startswith("-q")) or "--version" in rest):
            return Reply(run=[real, *rest])
        return _refused(name, "packages of the distribution are not installed on the stage")

    def _host_state(self, ask: Ask) -> Reply:
        real = self._real(ask.name)
        looks = not ask.arguments or ask.arguments[0] in _LOOKS
        if real and looks and ask.name not in ("iptables", "nft", "systemd-run", "loginctl"):
            return Reply(run=[real, *ask.arguments])
        return Reply(
            note="recorded, not done: it would change the machine",
            unrehearsed=f"what {shlex.join([ask.name, *ask.arguments])} changes",
        )


def _refused(name: str, why: str) -> Reply:
    return Reply(
        100 if name in ("apt-get", "apt") else 1,
        err=f"{name}: refused on the rehearsal stage: {why}\n",
        note="refused",
        unrehearsed=f"{name}: {why}",
    )


def restart_of_host(name: str, arguments: list[str]) -> Reply:
    """Whether the host goes down, now or later, and whether it comes back (shutdown(8), reboot(8), telinit(8))."""
    if any(word in ("--help", "--version", "-w", "--wtmp-only") for word in arguments):
        return Reply()
    if name == "shutdown":
        if "-c" in arguments:
            return Reply(reboot="cancelled")
        if "-k" in arguments:
            return Reply(note="only warned")
        down = (
            "reboot"
            if any(
                w in ("-r", "--reboot") or (w.startswith("-") and not w.startswith("--") and "r" in w)
                for w in arguments
            )
            else "poweroff"
        )
        when = next((w for w in arguments if not w.startswith("-")), "+1")
        return Reply(reboot=down if when in ("now", "+0", "0") else f"later {down} {when}")
    if name in ("init", "telinit"):
        level = next(iter(arguments), "")
        kinds = {"6": "reboot", "0": "poweroff"}
        return Reply(reboot=kinds.get(level, ""), note="" if level in kinds else f"runlevel {level}")
    if name in ("halt", "poweroff") and "--reboot" not in arguments:
        return Reply(reboot="poweroff")
    return Reply(reboot="poweroff" if {"-p", "--poweroff", "--halt"} & set(arguments) else "reboot")


def _privilege(ask: Ask) -> Reply:
    """sudo(8), su(1) and runuser(1): find the command and the user, and go on with it."""
    user, argv, environment = _su(ask) if ask.name in ("su", "runuser") else _sudo(ask)
    how = ask.name
    if argv is None:
        return Reply(privilege=how)
    account = accounts.find(user)
    if account is None:
        return Reply(1, err=f"{ask.name}: unknown user {user}\n", privilege=how)
    if not argv:
        argv = [account.shell]
    if account.uid == ask.uid or accounts.alone():
        settings = [f"{key}={value}" for key, value in environment.items()]
        return Reply(run=(["env", *settings] if settings else []) + argv, privilege=how)
    return Reply(become=(argv, user, environment), privilege=how)


def _sudo(ask: Ask) -> tuple[str, list[str] | None, dict[str, str]]:
    user, words, environment = "root", list(ask.arguments), {}
    shell = False
    with_value = {
        "-u",
        "-g",
        "-h",
        "-p",
        "-C",
        "-D",
        "-R",
        "-T",
        "-r",
        "-t",
        "-U",
        "--user",
        "--group",
        "--host",
        "--prompt",
    }
    while words:
        word = words[0]
        if word == "--":
            words.pop(0)
            break
        if word in with_value:
            if word in ("-u", "--user") and len(words) > 1:
                user = words[1]
            del words[:2]
        elif word.startswith("--user="):
            user = words.pop(0)[7:]
        elif word.startswith("-u") and len(word) > 2:
            user = words.pop(0)[2:]
        elif word in ("-v", "-k", "-K", "-l", "--list", "--validate", "-V", "--version"):
            if word in ("-k",) and len(words) > 1:
                words.pop(0)
                continue
            return user, None, {}
        elif word in ("-i", "-s", "--login", "--shell"):
            shell = True
            words.pop(0)
        elif word.startswith("-"):
            shell = shell or (not word.startswith("--") and ("i" in word or "s" in word))
            words.pop(0)
        elif "=" in word and not word.startswith("/"):
            key, value = words.pop(0).split("=", 1)
            environment[key] = value
        else:
            break
    if shell and words:
        words = ["/bin/sh", "-c", shlex.join(words)]
    return user.removeprefix("#"), words, environment


def _su(ask: Ask) -> tuple[str, list[str] | None, dict[str, str]]:
    user, command, rest = "", "", []
    shell = "/bin/sh"
    words = list(ask.arguments)
    while words:
        word = words.pop(0)
        if word in ("-c", "--command", "--session-command") and words:
            command = words.pop(0)
        elif word.startswith("--command="):
            command = word[10:]
        elif word in ("-s", "--shell") and words:
            shell = words.pop(0)
        elif word in ("-u", "--user") and words and ask.name == "runuser":
            user = words.pop(0)
        elif word == "--":
            rest += words
            break
        elif word.startswith("-"):
            continue
        elif not user:
            user = word
        else:
            rest.append(word)
    if command:
        return user or "root", [shell, "-c", command, *rest], {}
    if rest and ask.name == "runuser":
        return user or "root", rest, {}
    return user or "root", [shell, *rest] if rest else [], {}


def _cwd(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return "/"


def _jobs(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _list(lost: list[str]) -> str:
    return ": " + "; ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "") if lost else ""


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
