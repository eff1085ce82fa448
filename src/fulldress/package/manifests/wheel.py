"""A wheel's own list (``RECORD``), and what it makes the interpreter run at every start (``.pth``).

Formats: the wheel specification ("The .dist-info directory", "Recording installed projects"), Python's ``site``.
"""

from __future__ import annotations

import base64
import csv
import re
from collections.abc import Iterator, Mapping

from fulldress.facts import AnyFact, Reason, Unread, Witness
from fulldress.package.reader import Member
from fulldress.patterns import regex

#: Files that a list cannot hold a digest of: itself and its signatures.
_ITSELF = regex(r"\.dist-info/RECORD(?:\.jws|\.p7s)?$")


def is_record(member: Member) -> bool:
    return member.container == "wheel" and bool(re.fullmatch(r"[^/]+\.dist-info/RECORD", member.inner))


def record(member: Member, members: Mapping[str, Member]) -> Iterator[AnyFact]:
    """Where the list and the archive differ. pip installs without looking at it, so nobody else says so."""
    if not member.kept:
        yield Unread(
            witness=Witness.READ, evidence=member.evidence(), what=member.path, reason=Reason.BUDGET,
            detail=f"{member.size:,} bytes are too many for a list of files",
        )  # fmt: skip
        return
    listed: dict[str, int] = {}
    for number, row in enumerate(csv.reader(member.text.splitlines()), 1):
        if not row or not row[0]:
            continue
        path = member.prefix + row[0]
        listed[path] = number
        found = members.get(path)
        if found is None:
            yield _gap(member, number, row[0], f"{row[0]} is in RECORD and not in the wheel")
            continue
        method, _, digest = row[1].partition("=") if len(row) > 1 else ("", "", "")
        if method == "sha256" and found.sha256 and _hex(digest) != found.sha256:
            yield _gap(found, 0, row[0], "RECORD states another digest; the file was changed after the wheel was made")
    extra = [
        other.path for other in members.values()
        if other.prefix == member.prefix and other.container == "wheel" and other.kind != "folder"
        and other.path not in listed and not _ITSELF.search(other.inner)
    ]  # fmt: skip
    for path in extra[:100]:
        yield _gap(members[path], 0, path, "it is in the wheel and not in RECORD; an uninstallation leaves it behind")
    if len(extra) > 100:
        yield _gap(member, 0, "", f"{len(extra):,} files are in the wheel and not in RECORD; the first 100 are named")


def _hex(digest: str) -> str:
    try:
        return base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)).hex()
    except ValueError:
        return ""


def _gap(member: Member, line: int, name: str, detail: str) -> Unread:
    return Unread(
        witness=Witness.READ, evidence=member.evidence(line, 0, name), what=member.path, reason=Reason.DISPUTED, detail=detail,
        needed=True,
    )  # fmt: skip
