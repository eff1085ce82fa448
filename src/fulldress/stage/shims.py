"""Stand-ins for commands that reach beyond files: each tells the stage what was asked for, then does as it is told.

Standard library only. A stand-in is a small ``sh`` script in the layer over production's files, so it stands at the
command's own absolute path, too. It asks the stage's first process (:mod:`fulldress.stage.commands`) through a folder
and a bell, since nothing but ``sh`` and coreutils can be taken for granted in a production tree.
"""

from __future__ import annotations

import os
from collections.abc import Callable

#: command -> folders it stands in. ``usr/`` is left out where /bin is a folder of its own.
ALWAYS = {
    "systemctl": "usr/bin",
    "service": "usr/sbin",
    "crontab": "usr/bin",
    "at": "usr/bin",
    "batch": "usr/bin",
    "reboot": "usr/sbin",
    "shutdown": "usr/sbin",
    "halt": "usr/sbin",
    "poweroff": "usr/sbin",
    "init": "usr/sbin",
    "telinit": "usr/sbin",
    "sudo": "usr/bin",
    "su": "usr/bin",
    "runuser": "usr/sbin",
    "mail": "usr/bin",
    "sendmail": "usr/sbin",
    "docker": "usr/bin",
    "podman": "usr/bin",
    "kubectl": "usr/bin",
    "helm": "usr/bin",
}
#: Only where production or this machine has them: scripts choose their way by looking for these.
WHERE_PRESENT = {
    "useradd": "usr/sbin",
    "usermod": "usr/sbin",
    "userdel": "usr/sbin",
    "groupadd": "usr/sbin",
    "adduser": "usr/sbin",
    "deluser": "usr/sbin",
    "chpasswd": "usr/sbin",
    "apt-get": "usr/bin",
    "apt": "usr/bin",
    "dpkg": "usr/bin",
    "yum": "usr/bin",
    "dnf": "usr/bin",
    "rpm": "usr/bin",
    "zypper": "usr/bin",
    "apk": "sbin",
    "snap": "usr/bin",
    "systemd-run": "usr/bin",
    "loginctl": "usr/bin",
    "hostnamectl": "usr/bin",
    "timedatectl": "usr/bin",
    "sysctl": "usr/sbin",
    "modprobe": "usr/sbin",
    "mount": "usr/bin",
    "umount": "usr/bin",
    "swapoff": "usr/sbin",
    "swapon": "usr/sbin",
    "iptables": "usr/sbin",
    "nft": "usr/sbin",
    "firewall-cmd": "usr/bin",
    "ufw": "usr/sbin",
}
_READ_INPUT = frozenset({"at", "batch", "mail", "sendmail", "crontab"})

_TEMPLATE = """\
#!/bin/sh
# A recording stand-in of the rehearsal stage for {name}.
fd_path=$PATH
PATH=/usr/bin:/bin:/usr/sbin:/sbin
fd_ask=/run/fulldress/ask/$$
rm -rf "$fd_ask"
mkdir "$fd_ask" || exit 125
printf '%s\\0' "$0" "$@" > "$fd_ask/argv"
{input}mkfifo "$fd_ask/answer"
# in a subshell: a shell's own redirection would for a moment put the bell in the place of the output that is taken over
(echo "$$ {name}" > /run/fulldress/bell)
read -r fd_code fd_how < "$fd_ask/answer"
[ -s "$fd_ask/out" ] && cat "$fd_ask/out"
[ -s "$fd_ask/err" ] && cat "$fd_ask/err" >&2
if [ "$fd_how" = run ]; then
    PATH=$fd_path
    . "$fd_ask/run"
    fd_code=$?
    PATH=/usr/bin:/bin:/usr/sbin:/sbin
    echo "$fd_code" > "$fd_ask/exit"
    echo "$$ done" > /run/fulldress/bell
    exit "$fd_code"
fi
rm -rf "$fd_ask"
exit "$fd_code"
"""
_CAPTURE = {
    "crontab": 'for fd_word in "$@"; do [ "$fd_word" = - ] && cat > "$fd_ask/stdin"; done\n[ $# = 0 ] && cat > "$fd_ask/stdin"\n',
    "": 'cat > "$fd_ask/stdin"\n',
}

#: For machines without libfaketime, so that at least scripts that ask ``date`` see the stage's time.
DATE = """\
#!/bin/sh
# The stage's clock for scripts. Formats and fixed dates are left to the real date.
for fd_word in "$@"; do
    case $fd_word in -d?*|--date=*|-r*|--reference=*|-d|--date) exec /run/fulldress/real/date "$@" ;; esac
done
fd_shift=$(cat /run/fulldress/clock)
exec /run/fulldress/real/date -d "@$(( $(/run/fulldress/real/date +%s) + fd_shift ))" "$@"
"""


def script(name: str) -> str:
    """The text of the stand-in for ``name``."""
    capture = _CAPTURE.get(name, _CAPTURE[""]) if name in _READ_INPUT else ""
    return _TEMPLATE.format(name=name, input=capture)


def places(present: Callable[[str], bool]) -> dict[str, str]:
    """Paths (relative to the root) and the command whose stand-in belongs there. ``present(path)`` looks it up.

    The other usual folders are covered where the command lies there, too: ``/sbin/reboot`` beside ``/usr/sbin/reboot``."""
    found: dict[str, str] = {}
    for name, folder in (ALWAYS | WHERE_PRESENT).items():
        usual = [f"{where}/{name}" for where in ("usr/bin", "usr/sbin", "bin", "sbin", "usr/local/bin")]
        there = [path for path in usual if present(path)]
        if name in ALWAYS and f"{folder}/{name}" not in there:
            there.append(f"{folder}/{name}")
        for path in there:
            if path.startswith("usr/local/"):
                continue  # a program of the team's own under a known name is theirs to run
            found[path] = name
    return found


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)  # noqa: S103 - a program
