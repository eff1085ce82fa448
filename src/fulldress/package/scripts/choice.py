"""Which reader a script gets, and which files are scripts of the installation rather than programs of the application."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from typing import cast

from msgspec.structs import replace

from fulldress.package.reader import Member, Package
from fulldress.package.schedules import cron
from fulldress.package.scripts import machinery, sourced, sqlprograms, standing
from fulldress.package.scripts.events import AnyEvent
from fulldress.package.scripts.shell import Shell
from fulldress.package.scripts.values import clean
from fulldress.patterns import regex

_LIFECYCLE = frozenset(
    [
        "preinstall",
        "install",
        "postinstall",
        "prepublish",
        "preprepare",
        "prepare",
        "postprepare",
        "preuninstall",
        "uninstall",
        "postuninstall",
        "preupgrade",
        "upgrade",
        "postupgrade",
        "prestart",
        "start",
        "stop",
        "restart",
        "migrate",
        "premigrate",
        "postmigrate",
    ]
)
#: Those that start the product itself: its own code is no script of the installation.
_PRODUCT_ITSELF = frozenset(["start", "stop", "restart"])
#: Python files that act at installation or on the command line; modules of an application are not scripts.
_PYTHON_SCRIPT = regex(
    r"(?i)(^|/)(setup|install\w*|upgrade\w*|update\w*|migrate\w*|deploy\w*|pre_?\w*inst\w*|post_?\w*inst\w*|bootstrap|uninstall\w*)\.py$"
    r"|(^|/)(s?bin|scripts?|hooks?|libexec|tools|cron[\w.]*|DEBIAN)/[^/]+$"
)
#: Modules that Python imports by itself, wherever its programs come from.
_AT_START = regex(r"(?:^|/)(?:site|user)customize\.py$")
#: The same for languages whose files are told apart by their kind already.
_INSTALLER = regex(
    r"(?i)(^|/)(setup|(un)?install\w*|(up|down)grade\w*|update\w*|migrate\w*|deploy\w*|(pre|post)_?\w*inst\w*|bootstrap)\.\w+$"
    r"|(^|/)(s?bin|scripts?|hooks?|libexec|tools|cron[\w.]*|DEBIAN)/[^/]+$"
)
#: The payload of a Debian package below /usr and its like, and of a wheel: programs that somebody runs one day. What of
#: them the installation, a schedule or a service starts is followed from there; the rest is not what the upgrade does.
PROGRAM = regex(r"(?:^|/)data\.tar(?:\.\w+)?!/(?:\./)?(?:usr|s?bin|lib\w*|etc|var/lib)/")
_HOOK = regex(
    r"/etc/(?:[^/]+/)*(?:[\w.\-]+\.d|cron\.\w+)/[^/]+$|/(?:system-sleep|system-shutdown|system-generators|networkd-dispatcher)/"
)


_INIT = regex(r"^(|.*/)etc/init\.d/([^/]+)$")


Reader = Callable[[Package, Member, Callable[[AnyEvent], None]], None]


def _language(name: str) -> Reader:
    """The reader of a language, imported with its grammar once there is a script in it."""
    return cast(Reader, importlib.import_module(f"fulldress.package.scripts.{name}").read)


def reader_of(member: Member) -> Reader | None:
    if member.kind == "shell":
        return _shell
    if member.kind in ("crontab", "cron") or re.search(r"(^|/)cron\.d/[^/]+$|(^|/)var/spool/cron/", member.path):
        return _crontab if member.kind in ("crontab", "cron", "text", "conf", "env", "shell") else None
    if (stands := standing.reader(member)) is not None:
        return stands
    if sqlprograms.starts(member):
        return sqlprograms.read
    if member.kind == "yaml" and member.kept and b"containers:" in member.data:
        return _language("containers")
    if member.kind == "json" and member.name == "package.json" and "node_modules/" not in member.path:
        return _npm
    if member.kind == "python" and _AT_START.search(member.inner):
        return _at_start
    if member.kind == "python" and member.name == "setup.py":
        return _setup
    if member.kind == "python" and (_PYTHON_SCRIPT.search(member.inner) or _is_executable(member) or _is_alone(member)):
        return _language("python")
    if member.name.endswith(".pth") and member.kind == "text" and re.search(r"(?m)^import[ \t]", member.text):
        return _pth
    if member.kind == "powershell":
        return None if member.name.lower().endswith(".psd1") else _language("powershell")
    if member.kind == "batch":
        return _language("batch")
    if member.kind == "perl" and (_is_executable(member) or _is_alone(member) or _INSTALLER.search(member.inner)):
        return _language("perl")
    if member.kind in ("ruby", "php", "tcl") and (_is_executable(member) or _INSTALLER.search(member.inner)):
        return _language("plain")
    if member.kind == "text" and re.search(r"(?i)\.(?:vbs|wsf)$", member.name):
        return _language("plain")
    return None


def is_program(package: Package, member: Member) -> bool:
    """Whether a script is a program of an installed application, rather than a part of its installation."""
    if member.kind not in ("shell", "python", "perl", "powershell", "batch", "javascript"):
        return False
    if member.container == "wheel" or machinery.is_part(package, member):
        return True
    if match := _INIT.search(member.path):  # systemd takes the unit of that name, and never this script
        places = (f"{match[1]}{folder}lib/systemd/system/{match[2]}.service" for folder in ("", "usr/"))
        return any(place in package.members for place in places)
    return bool(PROGRAM.search(member.path)) and not _HOOK.search(member.path)


def _is_executable(member: Member) -> bool:
    return bool(member.mode is not None and member.mode & 0o111) and member.data.startswith(b"#!")


def _is_alone(member: Member) -> bool:
    """Whether it is the whole package: a vendor's single file is there to be run."""
    return not member.container and member.inner == member.path and member.data.startswith(b"#!")


def _pth(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """Lines of a ``.pth`` file that begin with ``import``: every start of Python runs them (the ``site`` module)."""
    rows = [row if re.match(r"import[ \t]", row) else "" for row in member.text.splitlines()]
    data = "\n".join(rows).encode("utf-8", "replace")
    fields = {name: getattr(member, name) for name in Member.__struct_fields__}
    _at_start(package, Member(**{**fields, "data": data, "kept": True}), emit)


def _at_start(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """What every start of Python on the host runs, whatever the program (the ``site`` module)."""
    _python(package, member, emit, "at every start of Python")


def _setup(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """The ``setup.py`` of an sdist, its ``cmdclass`` included: pip runs it to build a wheel."""
    beside = f"{member.path.removesuffix('setup.py')}PKG-INFO"
    _python(package, member, emit, "when pip builds it" if beside in package.members else "")


def _python(package: Package, member: Member, emit: Callable[[AnyEvent], None], when: str) -> None:
    _language("python")(package, member, lambda event: emit(replace(event, when=event.when or when)))


def _shell(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    Shell(package, member, emit).run(member.text)


def _crontab(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """The commands of a crontab are scripts of one line."""
    with_user = True if re.search(r"(^|/)cron\.d/", member.path) else None
    for job in cron.parse(member.text, with_user=with_user):
        if isinstance(job, cron.Job):
            shell = Shell(package, member, emit)
            shell.variables = {name: [value] for name, value in job.environment.items()}
            shell.text(clean(job.command), job.line)


def _npm(package: Package, member: Member, emit: Callable[[AnyEvent], None]) -> None:
    """The scripts that npm runs when a package is installed or started."""
    try:
        described = json.loads(member.text)
    except ValueError:
        return  # the manifests' reader reports it
    scripts = described.get("scripts") if isinstance(described, dict) else None
    for name, text in (scripts or {}).items() if isinstance(scripts, dict) else ():
        if name in _LIFECYCLE and isinstance(text, str):
            files = re.findall(r"(?:^|[;&|]\s*)node\s+(?:--?[\w=-]+\s+)*([\w./-]+)", text)
            for file in files if name not in _PRODUCT_ITSELF else ():
                started = next(
                    (
                        m
                        for end in ("", ".js", "/index.js")
                        if (m := sourced.member_of(package, member, f"./{file}{end}"))
                    ),
                    None,
                )
                if started is not None and started.kind == "javascript" and started.kept:
                    _language("javascript")(package, started, emit)
            match = re.search(rf'"{re.escape(name)}"\s*:', member.text)
            line = member.text.count("\n", 0, match.start()) + 1 if match else 1
            Shell(package, member, emit).text(clean(text), line)
