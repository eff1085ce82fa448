"""Files in which a program of the host finds commands to run: rules of udev, hooks of apt, logrotate's scripts, drop-ins of units.

A package that brings such a file acts later, and often: whenever a device appears, somebody logs in, logs are rotated. The
file's form is that of its program (udev(7), apt.conf(5), logrotate(8), modprobe.d(5), systemd.service(5), pam_exec(8),
sshd_config(5), inittab(5), tmpfiles.d(5) …). A hook is a function and a line in :data:`HOOKS`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator

import msgspec

from fulldress.package.schedules import cron
from fulldress.patterns import regex


class Hook(msgspec.Struct, frozen=True):
    """A command, the line it stands in, and when it is run: ``when a device appears``."""

    line: int
    command: str
    when: str


def commands(path: str, text: str) -> Iterator[Hook]:
    """The commands in a file, by where it lies on the host (``…/etc/udev/rules.d/99-x.rules``); none for other files."""
    for place, when, read in HOOKS:
        if place.search(path):
            for line, command in read(text):
                if command.strip():
                    yield Hook(line, command.strip(), when.format(name=path.rsplit("/", 1)[-1], unit=_unit(path)))
            return


def is_place(path: str) -> bool:
    """Whether a program of the host looks for commands there."""
    return any(place.search(path) for place, _, _ in HOOKS)


def _unit(path: str) -> str:
    match = re.search(r"/([^/]+?)(?:\.service)?\.d/[^/]+$", path)
    return match[1] if match else path.rsplit("/", 1)[-1].removesuffix(".service")


def _rows(text: str) -> Iterator[tuple[int, str]]:
    """Lines that say something; one that ends with a backslash goes on in the next."""
    rows = text.replace("\r\n", "\n").split("\n")
    index = 0
    while index < len(rows):
        number, row = index + 1, rows[index]
        while row.endswith("\\") and index + 1 < len(rows):
            index += 1
            row = row[:-1] + " " + rows[index].lstrip()
        index += 1
        if row.strip() and not row.lstrip().startswith(("#", ";")):
            yield number, row.strip()


_UDEV = regex(
    r'(?:\bRUN(?:\{program\})?\s*(?:\+=|:=|=)|\bPROGRAM\s*={1,2}|\bIMPORT\{program\}\s*={1,2})\s*"((?:[^"\\]|\\.)*)"'
)


def _udev(text: str) -> Iterator[tuple[int, str]]:
    for number, row in _rows(text):
        for match in _UDEV.finditer(row):
            yield number, match[1].replace('\\"', '"')


_APT = regex(
    r"(?is)\b(?:DPkg\s*::\s*(?:Pre-Invoke|Post-Invoke|Pre-Install-Pkgs)|APT\s*::\s*Update\s*::\s*(?:Pre|Post)-Invoke(?:-Success|-Stats)?"
    r"|APT\s*::\s*Post-Invoke(?:-Success)?|Pre-Invoke|Post-Invoke|Post-Invoke-Success|Pre-Install-Pkgs)\s*(?:::)?\s*(?P<open>\{)?\s*"
)


def _apt(text: str) -> Iterator[tuple[int, str]]:
    bare = re.sub(r"(?m)^[ \t]*(?://|#).*$", lambda m: " " * len(m[0]), text)
    for match in _APT.finditer(bare):
        at = match.end()
        while (word := re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*;?').match(bare, at)) is not None:
            yield bare.count("\n", 0, word.start(1)) + 1, word[1].replace('\\"', '"')
            at = word.end()
            if not match["open"]:
                break


def _logrotate(text: str) -> Iterator[tuple[int, str]]:
    begin = 0
    script: list[str] = []
    for number, row in enumerate(text.split("\n"), 1):
        word = row.strip()
        if word in ("prerotate", "postrotate", "firstaction", "lastaction", "preremove"):
            begin, script = number + 1, []
        elif word == "endscript":
            yield begin, "\n".join(script)
            begin = 0
        elif begin:
            script.append(row)


def _after(pattern: str) -> Callable[[str], Iterator[tuple[int, str]]]:
    """What a row holds in the first group of ``pattern``."""
    compiled = regex(pattern)

    def read(text: str) -> Iterator[tuple[int, str]]:
        for number, row in _rows(text):
            match = compiled.match(row)
            if match:
                yield number, match[1]

    return read


def _pam(text: str) -> Iterator[tuple[int, str]]:
    for number, row in _rows(text):
        words = row.partition("pam_exec.so")[2].split()
        program = next((place for place, word in enumerate(words) if word.startswith("/")), len(words))
        yield number, " ".join(words[program:])


def _xinetd(text: str) -> Iterator[tuple[int, str]]:
    server, number, arguments = "", 0, ""
    for line, row in _rows(text):
        key, _, value = row.partition("=")
        if key.strip() == "server":
            server, number = value.strip(), line
        elif key.strip() == "server_args":
            arguments = value.strip()
        elif row == "}" and server:
            yield number, _quoted_rest(server, arguments)
            server, arguments = "", ""


def _quoted_rest(server: str, arguments: str) -> str:
    """``sh -c`` of a configuration without quotes takes the rest as one word."""
    head, flag, rest = arguments.partition("-c ")
    return f"{server} {head}-c {shlex.quote(rest)}" if flag else f"{server} {arguments}"


def _tmpfiles(text: str) -> Iterator[tuple[int, str]]:
    """The rows that take away, link or open up, as the commands that would do the same."""
    for number, row in _rows(text):
        words = [*row.split(None, 6), *[""] * 7]
        kind, path, mode, argument = words[0].rstrip("!-=~^+$?"), words[1], words[2], words[6]
        if not path.startswith("/") or "%" in path:
            continue
        made = {"R": f"rm -rf {path}", "r": f"rm -f {path}", "L": f"ln -sfn {argument} {path}" if argument else ""}.get(
            kind, ""
        )
        if kind in ("z", "Z", "m") and re.fullmatch(r"[~:]?[0-7]{3,4}", mode):
            made = f"chmod {'-R ' if kind == 'Z' else ''}{mode.lstrip('~:')} {path}"
        elif kind in ("d", "D", "f", "F", "w") and re.fullmatch(r"[~:]?0?[0-7]{2}[2367]", mode):
            made = f"chmod {mode.lstrip('~:')} {path}"
        yield number, made


def _cron(with_user: bool) -> Callable[[str], Iterator[tuple[int, str]]]:
    def read(text: str) -> Iterator[tuple[int, str]]:
        for job in cron.parse(text, with_user=with_user):
            if isinstance(job, cron.Job):
                yield job.line, job.command

    return read


_EXEC = r"Exec\w*\s*=\s*[@:+!-]*(.*)"
#: Where such a file lies, when its commands run, and how they are found in it.
HOOKS: tuple[tuple[re.Pattern[str], str, Callable[[str], Iterator[tuple[int, str]]]], ...] = (
    (regex(r"/udev/rules\.d/[^/]+\.rules$"), "when a device appears or changes", _udev),
    (regex(r"/apt/(?:apt\.conf\.d/[^/]+|apt\.conf)$"), "whenever apt runs", _apt),
    (regex(r"/logrotate\.d/[^/]+$"), "when logs are rotated", _logrotate),
    (regex(r"/modprobe\.d/[^/]+\.conf$"), "when a module of the kernel is loaded", _after(r"(?:install|remove)\s+\S+\s+(.*)")),
    (regex(r"/systemd/(?:system|user)/[^/]+\.service\.d/[^/]+\.conf$"), "when {unit} starts or stops", _after(_EXEC)),
    (regex(r"/dbus-1/(?:system-)?services/[^/]+\.service$"), "when {unit} is asked for on D-Bus", _after(_EXEC)),
    (regex(r"/xdg/autostart/[^/]+\.desktop$"), "when somebody logs in to a desktop", _after(r"Exec\s*=\s*(.*)")),
    (regex(r"/etc/pam\.d/[^/]+$"), "when {name} lets somebody in", _pam),
    (regex(r"/ssh/sshd_config(?:\.d/[^/]+)?$"), "when somebody logs in over SSH",
     _after(r"(?i)(?:ForceCommand|AuthorizedKeysCommand|AuthorizedPrincipalsCommand)\s+(/.*)")),
    (regex(r"/etc/xinetd\.d/[^/]+$"), "when something connects to {name}", _xinetd),
    (regex(r"/etc/inetd\.conf$"), "when something connects", _after(r"(?:\S+\s+){5}(/.*)")),
    (regex(r"/etc/inittab$"), "when the host starts", _after(r"[^:]*:[^:]*:[^:]*:(.*)")),
    (regex(r"/etc/aliases$"), "when mail for that name comes", _after(r"[^:]+:\s*\"?\|\s*([^\"]+)")),
    (regex(r"/etc/incron\.d/[^/]+$"), "when a file that it watches changes", _after(r"\S+\s+\S+\s+(.*)")),
    (regex(r"/acpi/events/[^/]+$"), "when a button or the battery asks for it", _after(r"action\s*=\s*(.*)")),
    (regex(r"/supervisor/conf\.d/[^/]+\.(?:conf|ini)$|/supervisord?\.d/[^/]+\.(?:conf|ini)$"), "when supervisord starts it",
     _after(r"command\s*=\s*(.*)")),
    (regex(r"/monit/conf(?:\.d|-enabled|-available)?/[^/]+$|/monit\.d/[^/]+$"), "when monit asks for it",
     _after(r'.*?\b(?:exec|(?:start|stop|restart)(?:\s+program)?\s*=)\s*"([^"]+)"')),
    (regex(r"/tmpfiles\.d/[^/]+\.conf$"), "at each start and when the package is installed", _tmpfiles),  # noqa: S108
    (regex(r"/cron\.d/[^/]+$|/etc/crontab$"), "when {name} is due", _cron(True)),
    (regex(r"/var/spool/cron/(?:crontabs/|tabs/)?[^/]+$"), "when the crontab of {name} is due", _cron(False)),
)  # fmt: skip
