"""Files of the payload that run with the rights of their owner: their mode says so (chmod(2), ``S_ISUID`` and ``S_ISGID``)."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.facts import Privilege, Witness
from fulldress.package.reader import Package

_INSTALLS = frozenset({"tar", "cpio", "rpm", "deb"})  #: archives whose modes arrive on the host


def read(package: Package) -> Iterator[Privilege]:
    """A fact for every file with such a mode. A folder's bit says only to whom new files belong."""
    for member in package.members.values():
        mode = member.mode or 0
        if mode & 0o6000 and member.kind not in ("folder", "link", "device") and member.container in _INSTALLS:
            user, group = mode & 0o4100 == 0o4100, mode & 0o2010 == 0o2010
            if user or group:
                yield Privilege(
                    witness=Witness.READ, evidence=member.evidence(0, 0, f"mode {mode & 0o7777:04o}"),
                    how="setuid file" if user else "setgid file", command=f"/{member.inner.removeprefix('./').lstrip('/')}",
                )  # fmt: skip
