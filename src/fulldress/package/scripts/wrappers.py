"""Commands that run another command: what they run, as words or as text of a script."""

from __future__ import annotations

import re
from itertools import pairwise

from fulldress.package.scripts.values import show
from fulldress.patterns import regex

#: Command -> its options that take a value in the next word (short ones by letter, long ones by name).
_WORDS: dict[str, tuple[str, frozenset[str]]] = {
    "sudo": ("ughpCrtTDRU", frozenset({"user", "group", "host", "prompt", "chdir", "chroot"})),
    "doas": ("uC", frozenset()),
    "pkexec": ("", frozenset({"user"})),
    "env": ("uCS", frozenset({"unset", "chdir"})),
    "nohup": ("", frozenset()),
    "nice": ("n", frozenset({"adjustment"})),
    "ionice": ("cnp", frozenset({"class", "classdata"})),
    "chrt": ("", frozenset()),
    "time": ("fo", frozenset({"format", "output"})),
    "exec": ("a", frozenset()),
    "command": ("", frozenset()),
    "builtin": ("", frozenset()),
    "busybox": ("", frozenset()),
    "toybox": ("", frozenset()),
    "nsenter": ("tSG", frozenset({"target", "setuid", "setgid"})),
    "unshare": ("SG", frozenset({"setuid", "setgid", "map-user", "map-group"})),
    "systemd-inhibit": ("", frozenset({"what", "who", "why", "mode"})),
    "dbus-run-session": ("", frozenset({"config-file"})),
    "setarch": ("", frozenset()),
    **dict.fromkeys(
        ("linux32", "linux64", "eatmydata", "unbuffer", "xvfb-run", "torsocks", "proxychains4", "catchsegv"),
        ("", frozenset()),
    ),
    "cgexec": ("g", frozenset()),
    "numactl": ("", frozenset()),
    "firejail": ("", frozenset()),
    "strace": ("eopsu", frozenset()),
    "cpulimit": ("lpe", frozenset({"limit"})),
    "setsid": ("", frozenset()),
    "stdbuf": ("ioe", frozenset({"input", "output", "error"})),
    "systemd-run": ("pEu", frozenset({"unit", "property", "setenv", "slice", "uid", "gid", "description"})),
    "runuser": ("ugG", frozenset({"user", "group"})),
    "setpriv": ("", frozenset({"reuid", "regid"})),
    "xargs": ("aEdIiLlnPs", frozenset({"max-args", "max-procs", "delimiter", "replace"})),
    "chronic": ("", frozenset()),
    "fakeroot": ("", frozenset()),
    "gosu": ("", frozenset()),
    "sshpass": ("pfdeP", frozenset()),
    "then": ("", frozenset()),
    "!": ("", frozenset()),
}
#: Commands with operands of their own before the command that they run.
_OPERANDS = {"taskset": 1, "timeout": 1, "flock": 1, "gosu": 1, "watch": 0, "retry": 0, "chrt": 1}
_OPERAND_OPTIONS = {"taskset": "", "timeout": "ks", "flock": "wE", "watch": "n", "gosu": "", "retry": "", "chrt": "TPD"}
SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})


def inner(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words of the command that ``words`` runs; empty where it runs none."""
    name = words[0].rsplit("/", 1)[-1]
    if name == "command" and any(word in ("-v", "-V") for word in words[1:2]):
        return ()  # it only asks where the command is
    if name in _OPERANDS:
        rest = _skip(words[1:], _OPERAND_OPTIONS[name], frozenset())
        return _command(rest[_OPERANDS[name] :])
    if name == "find":
        for index, word in enumerate(words):
            if word in ("-exec", "-execdir", "-ok"):
                end = next((i for i, w in enumerate(words) if i > index and w in (";", "+")), len(words))
                return words[index + 1 : end]
        return ()
    if name == "parallel" and ":::" in words:
        at = words.index(":::")
        run = _command(_skip(words[1:at], "jNnPSIaLC", frozenset({"jobs", "delay", "timeout", "arg-file"})))
        given = words[at + 1 :]
        return tuple(w.replace("{}", " ".join(given)) for w in run) if "{}" in run else (*run, *given)
    if name == "machinectl":
        rest = _skip(words[1:], "EHM", frozenset({"setenv", "host", "machine", "uid"}))
        return rest[2:] if rest[:1] in (("shell",), ("login",)) else ()
    if name == "start-stop-daemon":
        file = next((after for word, after in pairwise(words) if word in ("--exec", "-x", "--startas", "-a")), "")
        starts = any(word in ("--start", "-S") or re.fullmatch(r"-[a-zA-Z]*S[a-zA-Z]*", word) for word in words)
        return (file, *(words[words.index("--") + 1 :] if "--" in words else ())) if file and starts else ()
    if name not in _WORDS:
        return ()
    short, long = _WORDS[name]
    return _command(_skip(words[1:], short, long))


def _command(words: tuple[str, ...]) -> tuple[str, ...]:
    """Words from the first that is no assignment on."""
    for index, word in enumerate(words):
        left, equals, _ = word.partition("=")
        if not (equals and left.isidentifier()):
            return words[index:]
    return ()


def _skip(words: tuple[str, ...], short: str, long: frozenset[str]) -> tuple[str, ...]:
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            return words[index + 1 :]
        if not word.startswith("-") or word == "-":
            return words[index:]
        if word.startswith("--"):
            index += 2 if word[2:] in long else 1
        else:
            index += 2 if word[-1] in short else 1
    return ()


def text(words: tuple[str, ...]) -> str:
    """The text of a script that a command gets in a word: ``sh -c TEXT``, ``su -c TEXT``, ``eval``, ``trap``."""
    name = words[0].rsplit("/", 1)[-1]
    if name in SHELLS or name in ("su", "runuser"):
        for index, word in enumerate(words[1:-1], 1):
            if word == "--command" or (
                word.startswith("-") and not word.startswith("--") and word.endswith("c") and len(word) < 6
            ):
                return words[index + 1]
            if word.startswith("--command="):
                return word.partition("=")[2]
        return ""
    if name == "script":
        joined = next((w for w in words[1:-1] if re.fullmatch(r"-[a-z]*c|--command", w)), "")
        return words[words.index(joined) + 1] if joined else ""
    if name == "env" and (joined := next((w for w in words[1:-1] if w in ("-S", "--split-string")), "")):
        return " ".join(words[words.index(joined) + 1 :])
    if name == "git":
        run = next((m for w in words[1:] if (m := _OF_GIT.match(w))), None)
        return run[1] if run else ""
    if name in ("tar", "gtar", "bsdtar"):
        run = next((m for w in words[1:] if (m := _OF_TAR.match(w))), None)
        return run[1] if run else ""
    if name == "eval":
        return " ".join(words[1:])
    if name == "trap" and len(words) > 2 and words[1] not in ("-", "", "-p", "-l"):
        return words[1]
    return ""


_OF_GIT = regex(r"(?s)(?:alias\.[\w-]+=!|core\.(?:sshCommand|fsmonitor|editor|pager)=)(.+)")
_OF_TAR = regex(r"(?s)--(?:checkpoint-action=exec|to-command|use-compress-program|rsh-command)=(.+)")


def reads_commands(words: tuple[str, ...]) -> bool:
    """Whether it is a shell that takes its commands from its input: ``sh``, ``bash -s``, ``su -``, ``sudo -i``."""
    name = words[0].rsplit("/", 1)[-1]
    if name in SHELLS:
        rest = _skip(words[1:], "oO", frozenset())
        return "-s" in words or not rest or rest[0] in ("-", "/dev/stdin")
    if name in (".", "source"):
        return words[1:2] in (("/dev/stdin",), ("-",))
    if name == "su":
        return not text(words)
    if name in ("sudo", "doas"):
        short, long = _WORDS[name]
        logs_in = any(re.fullmatch(r"-[A-Za-z]*[is][A-Za-z]*|--login|--shell", word) for word in words[1:])
        return logs_in and not _skip(words[1:], short, long)
    return name in ("nsenter", "unshare") and not inner(words)


def script_file(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The file of a script that a command starts, with its arguments; empty where there is none."""
    name = words[0].rsplit("/", 1)[-1]
    if name in (".", "source") and len(words) > 1:
        return words[1], words[2:]
    if name in SHELLS or name in ("python", "python3", "perl", "node", "ruby", "php"):
        rest = _skip(words[1:], "oO", frozenset())
        if rest and not any(word.startswith("-") and "c" in word[1:3] for word in words[1:2]):
            return rest[0], rest[1:]
        return "", ()
    if "/" in words[0]:
        return words[0], words[1:]
    return "", ()


#: Commands that run a command somewhere else: options with a value, and the operands before the command.
_SSH_VALUES = "BbcDEeFIiJLlmOopQRSWw"
_REMOTE = {"ssh": _SSH_VALUES, "slogin": _SSH_VALUES, "autossh": _SSH_VALUES + "M"}
_CONTAINERS = frozenset({"docker", "podman", "nerdctl", "lxc", "incus"})


def elsewhere(words: tuple[str, ...]) -> tuple[str, str] | None:
    """Where else a command is run (``on host db``, ``in container app``) and its text, empty where it comes as input."""
    name = words[0].rsplit("/", 1)[-1]
    if name in _REMOTE:
        rest = _skip(words[1:], _REMOTE[name], frozenset())
        if not rest:
            return None
        after = _skip(rest[1:], _REMOTE[name], frozenset())
        host = rest[0].rpartition("@")[2]
        return f"on host {show(host)}", " ".join(after)
    if name in _CONTAINERS and words[1:2] == ("exec",):
        rest = _skip(words[2:], "euw", frozenset({"env", "user", "workdir", "env-file"}))
        return (f"in container {show(rest[0])}", _joined(rest[1:])) if len(rest) > 1 else None
    if name in ("docker-compose", "docker", "podman") and "compose" in (name[-7:], *words[1:2]) and "exec" in words:
        rest = _skip(words[words.index("exec") + 1 :], "euw", frozenset({"env", "user", "workdir", "index"}))
        return (f"in container {show(rest[0])}", _joined(rest[1:])) if len(rest) > 1 else None
    if name in ("kubectl", "oc") and "exec" in words and "--" in words:
        rest = _skip(words[words.index("exec") + 1 :], "cn", frozenset({"container", "namespace"}))
        return f"in {show(rest[0]) if rest else 'a pod'}", _joined(words[words.index("--") + 1 :])
    if name == "chroot":
        rest = _skip(words[1:], "", frozenset())
        return (f"in {show(rest[0])}", _joined(rest[1:])) if len(rest) > 1 else None
    return None


def _joined(words: tuple[str, ...]) -> str:
    return " ".join(
        word if re.fullmatch(r"[\w./:=@%+,-]+", word) else "'" + word.replace("'", "'\\''") + "'" for word in words
    )


def with_input(words: tuple[str, ...], run: tuple[str, ...], given: str) -> tuple[str, ...]:
    """The words that xargs runs: ``run`` with what it reads put in; all of it at once, which over-states its number."""
    items = given.split()[:64]
    place = next(
        (words[i + 1] if word == "-I" else word[2:] for i, word in enumerate(words[:-1]) if word.startswith("-I")), ""
    )
    if not place:
        return (*run, *items)
    return tuple(
        item for word in run for item in ([word.replace(place, text) for text in items] if place in word else [word])
    )
