"""Unit files in production's tree: units that nobody listed, and what takes them down with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fulldress.facts import Evidence, Reason, Service, Unread, Witness, mask
from fulldress.formats import unitfile

#: Where systemd looks, the stronger place first (systemd.unit(5)).
_PLACES = (
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
_LARGEST = 1 << 20


def read(root: Path) -> Iterator[Service | Unread]:
    """One :class:`Service` a unit below ``root``; of two files of one name the stronger place counts."""
    seen: set[str] = set()
    for place in _PLACES:
        folder = root / place
        for path in sorted(folder.glob("*.service")) if folder.is_dir() else ():
            if path.name in seen or path.is_symlink() or not path.is_file():
                continue
            seen.add(path.name)
            yield _unit(path, f"{place}/{path.name}")


def _unit(path: Path, place: str) -> Service | Unread:
    evidence = Evidence(source="root", path=place)
    unit = path.name.removesuffix(".service")
    try:
        if path.stat().st_size > _LARGEST:
            raise OSError(0, f"{path.stat().st_size:,} bytes are too many for a unit")
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        return Unread(
            witness=Witness.RUNNING,
            evidence=evidence,
            what=f"unit {unit}",
            reason=Reason.UNREACHABLE,
            detail=error.strerror or "",
        )
    start = next((one.value.lstrip("@-:+!") for one in unitfile.assignments(text) if one.key == "ExecStart"), "")
    return Service(
        witness=Witness.RUNNING, evidence=evidence, unit=unit, start=mask(start), depends=unitfile.depends(text)
    )
