"""What has to be said of a package that was read in part, or that another program would read otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fulldress.errors import PackageUnreadable
from fulldress.facts import Evidence, Reason, Unread, Witness
from fulldress.package.archives import CLOSED, Exhausted, Gap
from fulldress.package.flow import Flow, Stop
from fulldress.package.holding import BULKY

_NOT_A_PACKAGE = frozenset({"text", "markdown", "html", "css", "image", "font", "pdf", "data", "pem", "der"})
_MATTERS = frozenset({"shell", "powershell", "python", "perl", "sql", "cron", "crontab", "batch", "conf", "ini", "env"})


def of_file(kind: str, flow: Flow, kept: bool, data: bytes) -> Iterator[Gap]:
    """Of one file: where its bytes ended too soon, what of it cannot be opened or looked into."""
    if isinstance(flow.fault, Exhausted):
        yield Gap(reason=Reason.BUDGET, detail=str(flow.fault))
    elif isinstance(flow.fault, Stop):
        yield Gap(reason=Reason.BUDGET, detail=f"cut after {flow.given:,} bytes")
    elif flow.fault is not None:
        yield Gap(reason=Reason.DAMAGED, detail=str(flow.fault))
    if kind in CLOSED:
        yield Gap(reason=Reason.FORMAT, detail=f"{CLOSED[kind]} is a format that fulldress does not open")
    if not kept and kind not in BULKY:
        detail = f"hashed, but with {flow.given:,} bytes too large to be looked into"
        yield Gap(reason=Reason.BUDGET, detail=detail, needed=kind in _MATTERS)
    if kind == "shell" and b"\0" in data:
        yield Gap(reason=Reason.FORMAT, detail="binary data follows the script, perhaps an archive that it unpacks")


def of_name(name: str) -> Gap | None:
    """What is odd about a name beside climbing out with ``..``, which the entry itself shows; None for most."""
    detail = ""
    if name.startswith("/") or name[1:3] in (":\\", ":/"):
        detail = "its name is absolute; some programs would unpack it there"
    elif "\0" in name:
        detail = "its name holds a NUL; programs differ in where it ends"
    return Gap(reason=Reason.REFUSED, detail=detail, needed=False) if detail else None


def no_package(path: Path, kind: str) -> PackageUnreadable | None:
    """What to say of a single file that is none; None where it may be one by itself, as a script may."""
    if kind in CLOSED:
        what = f"{CLOSED[kind]} is a format that fulldress does not open"
        return PackageUnreadable(path, what, remedy="unpack it and inspect the folder")
    if kind in _NOT_A_PACKAGE:
        what = "its format is unknown" if kind == "data" else f"it is a single file ({kind}), not a package"
        return PackageUnreadable(path, what)
    return None


def nothing(path: Path, kind: str, gaps: Sequence[Gap]) -> PackageUnreadable:
    """What to say of a container without a single readable member, and what helps."""
    said = "; ".join(dict.fromkeys(gap.detail for gap in gaps[:3])) or "it holds none"
    what = f"no member of this {kind} archive could be read ({said})"
    reasons = {gap.reason for gap in gaps}
    if Reason.ENCRYPTED in reasons:
        return PackageUnreadable(path, what, remedy="unpack it with its password and inspect the folder")
    if Reason.MISSING in reasons:
        return PackageUnreadable(path, what, remedy="put its parts together and inspect that")
    return PackageUnreadable(path, what)


def fact(source: str, package: str, path: str, gap: Gap) -> Unread:
    """The gap as a fact about the member, or about the package where it names none."""
    return Unread(
        witness=Witness.READ,
        evidence=Evidence(source=source, path=path),
        what=path or package,
        reason=gap.reason,
        detail=gap.detail,
        needed=gap.needed,
    )
