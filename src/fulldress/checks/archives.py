"""FD016-FD018: archives that are not for everyone what they are for one: names and tables that programs read differently."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, count, rule, says, several
from fulldress.facts import Entry, Reason, Unread, Witness
from fulldress.findings import Severity
from fulldress.patterns import regex

_WINDOWS = frozenset({"pe", "powershell", "batch"})
#: Names that Windows keeps for devices, whatever their suffix (Microsoft: "Naming Files, Paths, and Namespaces").
_DEVICE = regex(r"(?i)^(?:con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³]|conin\$|conout\$)(?:\..*)?$")
_BARRED = regex(r"[<>:\"|?*]")
#: Escapes of :func:`fulldress.package.identify.shown` for what turns text round, hides in it or moves the cursor.
_TURNS = regex(r"\\u(?:202[a-e]|206[6-9]|200[ef])")
_HIDES = regex(r"\\u(?:200[b-d]|2060|feff)|\\x(?:0[0-9a-f]|1[0-9a-f]|7f)")


def _inner(entry: Entry) -> str:
    return re.sub(r"#\d+$", "", entry.path.rsplit("!/", 1)[-1])


@rule("FD016", Severity.MINOR, "Windows or macOS would merge, rename or refuse files of the package")
def merged_names(index: Index) -> Iterator[Hit]:
    entries = [entry for entry in index.of(Entry, Witness.READ) if entry.container in ("zip", "7z", "cab")]
    if not any(entry.kind in _WINDOWS for entry in entries):
        return  # nothing says that it is unpacked there; on Linux these are names as others are
    folded: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.kind != "folder":
            inner = _inner(entry)
            place = entry.path[: len(entry.path) - len(entry.path.rsplit("!/", 1)[-1])]
            folded[place, unicodedata.normalize("NFC", inner.replace("\\", "/")).casefold()].append(entry)
    merged = [group for group in folded.values() if len({_inner(entry) for entry in group}) > 1]
    if merged:
        pairs = several([" and ".join(entry.path for entry in group) for group in merged], 3)
        yield Hit(
            title=f"on Windows and macOS these are one file, and the one unpacked last wins: {pairs}",
            subject="names that differ in case or form only",
            remedy="Unpack the package on a case-sensitive file system, or ask the vendor which of the files is meant.",
            testimony=tuple(says(entry, f"{entry.size:,} bytes") for group in merged for entry in group),
        )
    refused = [entry for entry in entries if _refused(_inner(entry))]
    if refused:
        yield Hit(
            title=f"Windows cannot unpack {several([entry.path for entry in refused], 3)} under this name",
            subject="names that Windows refuses",
            remedy="Unpack the package and look for what is missing or renamed before you start the upgrade.",
            testimony=tuple(says(entry, _refused(_inner(entry))) for entry in refused),
        )


def _refused(inner: str) -> str:
    for part in inner.replace("\\", "/").split("/"):
        if _DEVICE.match(part):
            return f"{part} is the name of a device"
        if part not in ("", ".", "..") and part[-1] in ". ":
            return f"{part!r} ends in a {'dot' if part[-1] == '.' else 'blank'}, which Windows cuts off"
        if _BARRED.search(part) and not re.match(r"[A-Za-z]:$", part):
            return f"{part} holds a character that no file name may hold there"
    return ""


@rule("FD017", Severity.MAJOR, "A member's name is not what it looks like")
def deceptive_names(index: Index) -> Iterator[Hit]:
    for entry in index.of(Entry, Witness.READ):
        inner = _inner(entry)
        if inner.endswith("Icon\\x0d"):  # the macOS Finder's own file
            continue
        what = "turns the text round" if _TURNS.search(inner) else "does not show" if _HIDES.search(inner) else ""
        if what:
            yield Hit(
                title=f"the name {entry.path} holds a character that {what}: on a screen it looks like another file",
                subject=entry.path,
                remedy="Do not start this file, and ask the vendor why it has such a name.",
                testimony=(says(entry, f"name: {inner}"),),
            )


@rule("FD018", Severity.MAJOR, "What the package holds depends on which of its tables is believed")
def disputed(index: Index) -> Iterator[Hit]:
    by_place: dict[str, list[Unread]] = defaultdict(list)
    for gap in index.of(Unread, Witness.READ):
        if gap.reason is Reason.DISPUTED:
            by_place[gap.evidence.path or gap.what].append(gap)
    for place, gaps in by_place.items():
        first, more = gaps[0], f" (and {count(len(gaps) - 1, 'more such place')})" if len(gaps) > 1 else ""
        yield Hit(
            title=f"{first.what}: {first.detail}{more}",
            subject=place,
            remedy="Ask the vendor for an archive that its ordinary tool has made, and compare what your own tool unpacks with the list here.",
            testimony=tuple(says(gap, gap.detail) for gap in gaps),
            severity=None if any(gap.needed for gap in gaps) else Severity.NOTE,
        )
