"""Files of the payload that act where they stand, without any script: they give rights, create accounts, hold commands.

Each is read as the script that would do the same: a file that gives rights as one that writes it, a unit as the commands that
it executes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from fulldress.package.reader import Member, Package
from fulldress.package.schedules import units
from fulldress.package.scripts import hooks
from fulldress.package.scripts.events import AnyEvent, Call, Write
from fulldress.package.scripts.shell import Shell
from fulldress.package.scripts.values import clean
from fulldress.patterns import regex

Emit = Callable[[AnyEvent], None]
Reader = Callable[[Package, Member, Emit], None]

_NO_TEXT = frozenset({"folder", "link", "empty", "elf", "device", "image"})
_SYSUSERS = regex(r"/sysusers\.d/[^/]+\.conf$")
#: Files that give rights, or take a guard away, where they stand.
_RIGHTS = regex(
    r"(?:^|/)((?:etc/sudoers\.d/[\w-]+|etc/sudoers|[\w./-]*\.ssh/authorized_keys2?|etc/ld\.so\.preload"
    r"|etc/polkit-1/(?:rules\.d|localauthority)/[\w./-]+|etc/pam\.d/[\w-]+|etc/ssh/sshd_config(?:\.d/[\w.-]+)?))$"
)
_ACTIONS = regex(r"[\"']action[\"']\s*:\s*\[([^\]]*)\]")
_PUT_IN = regex(r"<!@?\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_ACTION = regex(r"(?:Failure|Success|StartLimit|JobTimeout)Action")
_ACTS = regex(r"(reboot|poweroff|halt|kexec|exit|soft-reboot)(?:-force|-immediate)?")


def reader(member: Member) -> Reader | None:
    """Who reads this file, if it is one of these."""
    if member.kind in _NO_TEXT or not member.kept:
        return None
    if _RIGHTS.search(member.path):
        return _rights
    if _SYSUSERS.search(member.path):
        return _sysusers
    if member.name == "binding.gyp":
        return _gyp
    if member.name == "MANIFEST.MF" and b"://" in member.data:
        return _class_path
    if member.kind not in ("cron", "crontab", "shell", "python", "perl") and hooks.is_place("/" + member.path):
        return _hooks
    return _service if member.kind in ("systemd-service", "systemd-unit") else None


def _rights(package: Package, member: Member, emit: Emit) -> None:
    """A file of the payload that gives rights: the same as a script that writes it."""
    rows = [row for row in member.text.splitlines() if row.strip() and not row.lstrip().startswith("#")]
    match = _RIGHTS.search(member.path)
    if rows and match:
        first = member.text.splitlines().index(rows[0]) + 1
        emit(Write(member=member, line=first, text=rows[0], path=f"/{match[1]}", content="\n".join(rows)))
    _hooks(package, member, emit)


def _sysusers(package: Package, member: Member, emit: Emit) -> None:
    """Accounts of sysusers.d(5): the same as a script that creates them."""
    for number, row in enumerate(member.text.splitlines(), 1):
        words = row.split()
        if len(words) > 1 and words[0].rstrip("!-") in ("u", "g"):
            name = clean(words[1])
            command = ("groupadd", name) if words[0][0] == "g" else ("useradd", "--system", name)
            emit(Call(member=member, line=number, text=row, words=command))


def _hooks(package: Package, member: Member, emit: Emit) -> None:
    """Commands that a program of the host finds there."""
    for hook in hooks.commands("/" + member.path, member.text):
        shell = Shell(package, member, emit)
        with shell.told(hook.when):
            shell.text(clean(hook.command), hook.line)


def _service(package: Package, member: Member, emit: Emit) -> None:
    """What a unit executes is a command, without a shell's redirections; and what systemd does when it fails."""
    for item in units.assignments(member):
        if item.section == "Service" and item.key.startswith("Exec") and item.value:
            Shell(package, member, emit).text(clean(item.value.lstrip("@-:+!")), item.line)
        if not item.value or item.section not in ("Unit", "Service"):
            continue
        words: list[tuple[str, ...]] = []
        if _ACTION.fullmatch(item.key) and (act := _ACTS.fullmatch(item.value)) and act[1] != "exit":
            words = [("systemctl", act[1])]
        elif item.key in ("OnFailure", "OnSuccess"):
            words = [("systemctl", "start", unit) for unit in item.value.split() if unit.endswith(".target")]
        for command in words:
            when = f"when {member.name} {'ends' if 'Success' in item.key else 'fails'}"
            emit(Call(member=member, line=item.line, text=f"{item.key}={item.value}", words=command, when=when))


def _gyp(package: Package, member: Member, emit: Emit) -> None:
    """What node-gyp runs where npm finds this file: the actions, and commands whose output is put in (``<!(…)``)."""
    found = [(m.start(), " ".join(_words(m[1]))) for m in _ACTIONS.finditer(member.text)]
    found += [(m.start(), re.sub(r"\\([\"'])", r"\1", m[1])) for m in _PUT_IN.finditer(member.text)]
    for at, command in found:
        shell = Shell(package, member, emit)
        with shell.told("when npm builds it"):
            shell.text(clean(command), member.text.count("\n", 0, at) + 1)


def _words(text: str) -> list[str]:
    return [shlex.quote(word[1:-1]) for word in re.findall(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", text)]


def _class_path(package: Package, member: Member, emit: Emit) -> None:
    """``Class-Path: https://…``: Java loads classes from there when the archive is used."""
    text = re.sub(r"\r?\n ", "", member.text)  # lines of more than 72 bytes go on in the next
    for row in text.splitlines():
        key, _, value = row.partition(":")
        if key in ("Class-Path", "Launcher-Agent-Class", "Codebase"):
            for address in re.findall(r"\w+://\S+", value):
                line = next((n for n, r in enumerate(member.text.splitlines(), 1) if r.startswith(key)), 1)
                emit(Call(member=member, line=line, text=row[:200], words=("connect", clean(address))))
