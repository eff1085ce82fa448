"""How a package manager calls the scripts of a package: the ways that an upgrade takes, and those of a first install.

Debian Policy, "Summary of ways maintainer scripts are called"; RPM's "Scriptlets": their one argument is the number of
versions of the package that will be there afterwards. Ways that no upgrade takes (removal, purge, aborted steps) are
not followed.
"""

from __future__ import annotations

import msgspec

from fulldress.package.reader import Member
from fulldress.package.scripts.values import hole
from fulldress.patterns import regex

FRESH = "only on a fresh install"
_OLD, _NEW = hole("<the old version>"), hole("<the new version>")


class Way(msgspec.Struct, frozen=True):
    """One way in which a script is called. ``when`` is empty for the upgrade itself."""

    arguments: tuple[str, ...]
    when: str = ""


_DEBIAN: dict[str, tuple[Way, ...]] = {
    "preinst": (Way(("upgrade", _OLD, _NEW)), Way(("install",), FRESH)),
    "postinst": (
        Way(("configure", _OLD)),
        Way(("triggered", hole("<the triggers>")), "when a trigger fires"),
        Way(("configure", ""), FRESH),
    ),
    "prerm": (Way(("upgrade", _NEW)),),
    "postrm": (Way(("upgrade", _NEW)),),
    "config": (Way(("configure", _OLD)), Way(("configure", ""), FRESH)),
}
_UPGRADE, _LAST = (Way(("2",)), Way(("1",), FRESH)), (Way(("1",)),)
_RPM: dict[str, tuple[Way, ...]] = {
    "pre": _UPGRADE,
    "post": _UPGRADE,
    "pretrans": _UPGRADE,
    "posttrans": _UPGRADE,
    "preun": _LAST,
    "postun": _LAST,
    "preuntrans": _LAST,
    "postuntrans": _LAST,
}
_DEBIAN_SCRIPT = regex(r"(?:^|/)(?:control\.tar[\w.]*!/(?:\./)?|DEBIAN/)(preinst|postinst|prerm|postrm|config)$")
_RPM_SCRIPT = regex(r"(?:^|/)\.scriptlets/(\w+)$")


def ways(member: Member) -> tuple[Way, ...]:
    """The ways in which a maintainer script is called, the upgrade first; empty for any other script."""
    if match := _DEBIAN_SCRIPT.search(member.path):
        return _DEBIAN[match[1]]
    if match := _RPM_SCRIPT.search(member.path):
        return _RPM.get(match[1], ())
    return ()
