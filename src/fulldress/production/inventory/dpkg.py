"""dpkg's status file (deb822, dpkg(1)), and ``dpkg-query -W`` or ``dpkg -l`` listings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.patterns import regex
from fulldress.production.inventory.row import Row

_FIELD = regex(r"^(Package|Status|Version): *(.*)$")
_LISTED = regex(r"^([a-z]i)R? +([a-z0-9][a-z0-9+.\-]+)(?::\w+)? +(\S+) +\S+")


def recognise(name: str, text: str) -> bool:
    return bool(re.search(r"^Package: ", text[:4096], re.M)) or text.startswith("Desired=Unknown/Install")


def read(text: str) -> Iterator[Row]:
    """Rows of packages in the state ``installed``; removed ones with configuration left are no installed ones."""
    if text.startswith("Desired="):
        yield from _listing(text)
        return
    package = version = status = ""
    begins = 0
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if not line.strip():
            if package and version and (not status or status.split()[-1:] == ["installed"]):
                yield Row(component=package, version=version, line=begins)
            package = version = status = ""
        elif match := _FIELD.match(line):
            if match[1] == "Package":
                package, begins = match[2].strip(), number
            elif match[1] == "Version":
                version = match[2].strip()
            else:
                status = match[2]


def _listing(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if match := _LISTED.match(line):
            yield Row(component=match[2], version=match[3], line=number)
