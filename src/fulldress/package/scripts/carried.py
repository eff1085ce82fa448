"""Commands that a command carries in its options: editors, remote shells, proxies, containers that reach the host.

Sources: vim(1) ``-c``, rsync(1) ``--rsh``, ssh_config(5) ``ProxyCommand`` and ``LocalCommand``, docker-run(1).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from fulldress.package.scripts.values import is_constant, show
from fulldress.patterns import regex

_EDITORS = frozenset({"vim", "vi", "nvim", "ex", "view", "rvim", "gvim", "vim.tiny", "vim.basic"})
_BANG = regex(r"(?:^|[:|]|\bsilent!?\s*)\s*!\s*(.+)$")
_SYSTEM = regex(r"\bsystem(?:list)?\(\s*(['\"])(.*?)\1")
_OF_SSH = regex(r"(?is)(?:ProxyCommand|LocalCommand|KnownHostsCommand|PKCS11Provider)\s*[= ]\s*(.+)")
_SSH = frozenset({"ssh", "slogin", "scp", "sftp", "autossh", "sshfs"})
_RUNTIMES = frozenset({"docker", "podman", "nerdctl"})
#: Options of ``docker run`` that take no word; all others with a dash do, unless it is joined by ``=``.
_SWITCHES = frozenset(
    {"--rm", "--privileged", "--detach", "--init", "--interactive", "--tty", "--read-only", "--publish-all", "--quiet",
     "--no-healthcheck", "--oom-kill-disable", "--sig-proxy", "--replace", "--rmi", "--tls-verify", "--no-hosts"}
)  # fmt: skip
_LETTERS = frozenset("ditPqT")


def commands(words: tuple[str, ...]) -> Iterator[str]:
    """Texts for a shell that are in the options of ``words``."""
    name = words[0].rsplit("/", 1)[-1]
    if name in _EDITORS:
        yield from _of_editor(words[1:])
    elif name == "rsync":
        for text in _given(words[1:], "-e", "--rsh", "--rsync-path"):
            if not re.match(r"(?:\S*/)?(?:ssh|rsh|rsync)\b[^;&|`]*$", text):
                yield text
    elif name in _SSH:
        for text in _given(words[1:], "-o"):
            if match := _OF_SSH.match(text):
                yield match[1].replace("%h", "host").replace("%p", "22")


def _of_editor(words: tuple[str, ...]) -> Iterator[str]:
    for text in (*_given(words, "-c", "--cmd"), *(word[1:] for word in words if word.startswith("+"))):
        if match := _BANG.search(text):
            yield match[1]
        for found in _SYSTEM.finditer(text):
            yield found[2]


def unread(words: tuple[str, ...]) -> str:
    """What an editor is given to run that no one here reads, in words; empty for nothing."""
    name = words[0].rsplit("/", 1)[-1]
    if name in _EDITORS:
        return next(
            (f"a script of {name}" for text in _given(words[1:], "-S", "-s", "-u") if text not in ("NONE", "NORC", "")),
            "",
        )
    if name == "emacs" and any(re.match(r"--?(?:eval|execute|load|script|l|f|funcall)\b", word) for word in words):
        return "a program of emacs"
    return "a program of gdb" if name == "gdb" and any(w.startswith(("-ex", "-x", "--batch")) for w in words) else ""


def _given(words: tuple[str, ...], *names: str) -> Iterator[str]:
    """The words after these options, or joined to them."""
    for at, word in enumerate(words):
        for name in names:
            if word == name and at + 1 < len(words):
                yield words[at + 1]
            elif name.startswith("--") and word.startswith(name + "="):
                yield word[len(name) + 1 :]
            elif not name.startswith("--") and word.startswith(name) and not word.startswith("--") and len(word) > 2:
                yield word[2:].removeprefix("=")


def on_host(words: tuple[str, ...]) -> tuple[str, str] | None:
    """What ``docker run`` does to the host through a container that may: where, and the command; the command is empty
    where only the image knows it. None for a container that stays within itself."""
    name = words[0].rsplit("/", 1)[-1]
    if name not in _RUNTIMES or words[1:2] not in (("run",), ("create",)):
        return None
    options, at = [], 2
    while at < len(words) and words[at].startswith("-"):
        word = words[at]
        takes = not (
            "=" in word or word in _SWITCHES or (word[1] != "-" and (set(word[1:]) <= _LETTERS or len(word) > 2))
        )
        options.append(
            (word.partition("=")[0], words[at + 1] if takes and at + 1 < len(words) else word.partition("=")[2])
        )
        at += 2 if takes else 1
    image, command = words[at : at + 1], list(words[at + 1 :])
    entry = next((value for option, value in options if option == "--entrypoint"), "")
    command = [entry, *command] if entry else command
    mount = next((place for option, value in options if (place := _root(option, value))), "")
    privileged = any(option == "--privileged" and value in ("", "true") for option, value in options)
    enters = any(option == "--pid" and value == "host" for option, value in options)
    if not image or not (mount or (privileged and (enters or not command))):
        return None
    place = f"on the host, out of a container of {show(image[0])}"
    inner = _left(command, mount)
    return place, inner


def _root(option: str, value: str) -> str:
    """Where a container sees the root of the host: ``-v /:/host``, ``--mount type=bind,source=/,target=/host``."""
    if option in ("-v", "--volume") and (match := re.match(r"/:(/[^:]+)", value)):
        return match[1].rstrip("/")
    if option == "--mount" and re.search(r"\b(?:source|src)=/(?:,|$)", value):
        match = re.search(r"\b(?:target|destination|dst)=(/[^,]+)", value)
        return match[1].rstrip("/") if match else ""
    return ""


def behind(command: Sequence[str]) -> str:
    """The command behind ``chroot /host`` or ``nsenter -t 1 …``; empty for another."""
    name = command[0].rsplit("/", 1)[-1] if command else ""
    if name == "chroot" and len(command) > 2:
        return shlex.join(command[2:])
    if name == "nsenter":
        at = 1
        while at < len(command) and command[at].startswith("-") and command[at] != "--":
            at += 2 if re.fullmatch(r"-[a-zA-Z]*[tSGr]|--target|--setuid|--setgid", command[at]) else 1
        return shlex.join(word for word in command[at:] if word != "--")
    return ""


def _left(command: list[str], mount: str) -> str:
    """The command as the host sees it: what :func:`behind` gives, else with the mount's folder taken off."""
    if inner := behind(command):
        return inner
    text = shlex.join(command)
    if not mount or not is_constant(text):
        return text
    return re.sub(rf"{re.escape(mount)}(?=[/\s'\"]|$)/?", "/", text)
