"""FD040–FD041: settings files that the package manager replaces although somebody has edited them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, count, rule, says, several
from fulldress.facts import Entry, Setting, Witness
from fulldress.findings import Severity
from fulldress.patterns import regex

_KEPT = ("conffile", "config(noreplace)")
_DEB = regex(r"(?:^|/)data\.tar(?:\.\w+)?!/etc/")
_NOT_SETTINGS = frozenset({"folder", "link", "device", "empty"})


@rule("FD040", Severity.MINOR, "An edited settings file would be replaced without a word")
def replaced(index: Index) -> Iterator[Hit]:
    """Files below ``/etc`` that a deb or rpm does not mark as settings."""
    bare: dict[str, list[Entry]] = defaultdict(list)
    for entry in _below_etc(index):
        if not entry.role:
            bare[entry.path.rpartition("!/")[0]].append(entry)
    for package, entries in bare.items():
        edited = [(e, s) for e in entries if (s := _edited(index, e))]
        files = several([f"/{_inner(e)}" for e in entries], 3)
        yield Hit(
            title=f"{count(len(entries), 'file')} below /etc {'is' if len(entries) == 1 else 'are'} not marked as settings: "
            f"the upgrade replaces what you changed in {files}",
            subject=f"/{_inner(entries[0])}" if len(entries) == 1 else package or "files below /etc",
            remedy=f"Keep a copy before the upgrade and merge it afterwards: cp -a {' '.join(f'/{_inner(e)}' for e in entries[:3])} /root/",
            testimony=(
                *(says(e, "below /etc, and no conffile or %config") for e in entries[:5]),
                *(says(s, f"{s.key} = {s.value}") for _, s in edited[:5]),
            ),
            severity=Severity.MAJOR if edited else None,
            offers={
                "kind": "snapshot",
                "name": "keep-settings-files",
                "phase": "before",
                "paths": [f"/{_inner(e)}" for e in entries],
                "databases": [],
            },
        )


@rule("FD041", Severity.MAJOR, "A settings file that production uses is put aside as .rpmsave")
def put_aside(index: Index) -> Iterator[Hit]:
    for entry in _below_etc(index):
        setting = _edited(index, entry) if entry.role == "config" else None
        if setting is not None:
            file = f"/{_inner(entry)}"
            yield Hit(
                title=f"{file} comes as %config without noreplace: your file becomes {file}.rpmsave and the vendor's takes its place",
                subject=file,
                remedy=f"After the upgrade, before the first start: diff {file}.rpmsave {file}, and carry your values over.",
                testimony=(says(entry, "%config"), says(setting, f"{setting.key} = {setting.value}")),
            )


def _below_etc(index: Index) -> Iterator[Entry]:
    for entry in index.of(Entry, Witness.READ):
        if entry.kind in _NOT_SETTINGS:
            continue
        if _DEB.search(entry.path) or (entry.container == "rpm" and _inner(entry).startswith("etc/")):
            yield entry


def _inner(entry: Entry) -> str:
    return entry.path.rpartition("!/")[2]


def _edited(index: Index, entry: Entry) -> Setting | None:
    """A value that production sets in a file of this place; files of production lie below folders of their own."""
    inner = _inner(entry)
    for setting in index.of(Setting, Witness.RUNNING):
        if setting.file and (setting.file.endswith(inner) or f"/{inner}".endswith(f"/{setting.file.lstrip('/')}")):
            return setting
    return None
