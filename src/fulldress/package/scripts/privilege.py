"""Rights that a script assumes, takes or gives away; code that it downloads and runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Privilege, Witness
from fulldress.package.reader import Package
from fulldress.package.scripts import wrappers
from fulldress.package.scripts.events import AnyEvent, Call, Write
from fulldress.package.scripts.rule import Context, operands, option
from fulldress.package.scripts.values import holes, is_constant, show
from fulldress.patterns import regex

_ADMINISTRATORS = frozenset(["sudo", "wheel", "admin", "adm", "docker", "root", "lxd", "libvirt", "disk", "shadow"])
#: Rules of logins that more than one service shares; a package's own file there is its own business.
_PAM = regex(
    r"/etc/pam\.d/(common-\w+|system-auth|password-auth|sshd|login|su(?:-l)?|sudo(?:-i)?|other|passwd|gdm-\w+|lightdm)$"
)
_OPENS = regex(
    r"(?im)^\s*(?:PermitRootLogin\s+(?:yes|without-password|prohibit-password)|PasswordAuthentication\s+yes|PermitEmptyPasswords\s+yes"
    r"|(?:ForceCommand|AuthorizedKeysCommand|AuthorizedKeysFile|AuthorizedPrincipalsCommand|TrustedUserCAKeys)\s+/\S+)"
)
_DOWNLOADERS = frozenset({"curl", "wget", "fetch", "aria2c", "http"})


def facts(event: AnyEvent, context: Context) -> Iterator[AnyFact]:
    for how, what in _found(event, context.package):
        yield Privilege(
            witness=Witness.READ, evidence=context.evidence(event), how=how, command=context.words(what, 160)
        )


def _found(event: AnyEvent, package: Package) -> Iterator[tuple[str, str]]:
    if isinstance(event, Write):
        content = " ".join((event.content or "").split())
        if re.match(r"/etc/sudoers(\.d/|$)", event.path):
            yield "sudoers", content or f"writes {show(event.path)}"
        elif re.search(r"/polkit-1/|/polkit/", event.path):
            if event.content is None or re.search(r"\bYES\b|ResultAny|=\s*yes\b|auth_self", event.content):
                yield "polkit", f"writes {show(event.path)}"
        elif event.path == "/etc/ld.so.preload":
            yield "preloaded library", f"every program of the host loads {content or 'what it names'}"
        elif match := _PAM.match(event.path):
            if event.content is None or re.search(
                r"pam_(?:exec|permit|rootok|python|script)\.so|\bnullok\b", event.content
            ):
                yield "login rules", f"changes how {match[1]} lets people in"
        elif event.path.startswith("/etc/ssh/sshd_config"):
            if found := _OPENS.search(event.content or ""):
                yield "ssh access", " ".join(found[0].split())
        elif re.search(r"/\.ssh/authorized_keys2?$", event.path):
            yield "authorized keys", f"writes {show(event.path)}"
        elif event.path in ("/etc/passwd", "/etc/shadow", "/etc/group"):
            yield "accounts", f"writes {event.path}"
        return
    if not isinstance(event, Call):
        return
    name, words = event.name, event.arguments
    command = show(" ".join(event.words))
    if name in ("sudo", "doas", "pkexec"):
        if words and not all(word.startswith("-") for word in words):
            yield "sudo", show(" ".join(wrappers.inner(event.words)) or " ".join(words))
    elif name in ("su", "runuser", "gosu", "setpriv"):
        yield "su", command
    elif name == "chmod":
        plain = operands(words)
        if plain and (how := _special_mode(plain[0])) and not _only_groups(how, plain[1:], package):
            yield how, command
    elif name == "install" and (how := _special_mode(option(words, "-m", "--mode"))):
        yield how, command
    elif name == "dpkg-statoverride" and "--add" in words:
        plain = operands(words)
        if len(plain) > 3 and (how := _special_mode(plain[2])) and not _only_groups(how, plain[3:], package):
            yield how, command
    elif name == "setcap" and "-r" not in words:
        yield "capability", command
    elif name in ("usermod", "gpasswd", "adduser", "addgroup", "useradd"):
        groups = set(",".join(words).split(","))
        if groups & _ADMINISTRATORS and (name in ("gpasswd",) or "-aG" in words or "-G" in words or _pair(name, words)):
            yield "administrators' group", command
    elif name in ("visudo", "setenforce", "aa-disable", "aa-complain", "setsebool"):
        yield ("sudoers" if name == "visudo" else "confinement"), command
    elif name in ("cp", "install", "mv", "ln", "tee", "sed"):
        plain = [word for word in words if re.match(r"/etc/sudoers(\.d/|$)", word)]
        if plain and (name in ("tee", "sed") or words[-1] in plain):
            yield "sudoers", command
    yield from _downloaded(event, command)


def _only_groups(how: str, paths: list[str], package: Package) -> bool:
    """Whether a set-group-id bit falls on folders: files made there take their group, and nobody gets a right to run.

    A folder is one that the package brings, one below /var, where no programs lie, or one that only the run would name."""
    if how != "setgid":
        return False
    folders = {f"/{member.inner.removeprefix('./')}" for member in package.members.values() if member.kind == "folder"}
    return bool(paths) and all(
        not is_constant(path) or path.startswith("/var/") or path.rstrip("/") in folders for path in paths
    )


def _special_mode(mode: str) -> str:
    if re.fullmatch(r"0?[4567][0-7]{3}", mode):
        return "setuid" if mode.lstrip("0")[0] in "4567" else ""
    if re.fullmatch(r"0?[23][0-7]{3}", mode):
        return "setgid"
    found = re.findall(r"([ugoa]*)\+[rwxXt]*s", mode)
    return "" if not found else "setuid" if any(who in ("", "a") or "u" in who for who in found) else "setgid"


def _pair(name: str, words: tuple[str, ...]) -> bool:
    """``adduser USER GROUP``."""
    return name == "adduser" and len([word for word in words if not word.startswith("-")]) == 2


def _downloaded(call: Call, command: str) -> Iterator[tuple[str, str]]:
    interpreters = wrappers.SHELLS | {"python", "python3", "perl", "node", "ruby", "php", ".", "source", "eval"}
    if call.name not in interpreters:
        return
    if call.piped_from in _DOWNLOADERS:
        yield "downloaded code", f"{call.piped_from} … | {command}"
    elif any(
        re.search(rf"[$<]\(?[^)]*\b({'|'.join(_DOWNLOADERS)})\b", name) for word in call.words for name in holes(word)
    ):
        yield "downloaded code", command
