"""What release notes say becomes of operations: "`GET /orders/export` was removed"."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.facts import InterfaceChange, Witness, excerpt
from fulldress.package.changelog import sections
from fulldress.package.reader import Member
from fulldress.patterns import regex

_OPERATION = regex(r"\b(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s+(?P<path>/[\w\-.~{}:/%*<>]*)")
_FATES = (
    ("removed", regex(r"(?i)\b(?:removed?s?|dropped|drop|deleted|delete support|gone|no longer (?:available|supported|exists?)|withdrawn|discontinued)\b")),
    ("deprecated", regex(r"(?i)\bdeprecat\w+")),
    ("narrowed", regex(r"(?i)\b(?:now requires?|no longer (?:returns?|accepts?|includes?)|must now|is now required|renamed|moved)\b")),
    ("added", regex(r"(?i)\b(?:added|adds?|new|introduced?)\b")),
)  # fmt: skip
#: Words right before the operation that takes over from the one that goes.
_SUCCESSOR = regex(r"(?i)\b(?:use|uses|using|by|to|with|favou?r of|replacement:?|successor:?|now)\s+[`'\"*]*$")


def read(member: Member) -> Iterator[InterfaceChange]:
    """Declared changes, one per operation and fate."""
    seen: set[tuple[str, str]] = set()
    for section in sections(member.text):
        heading = ""
        for number, line in enumerate(section.text.splitlines(), section.line):
            if line.startswith("#"):
                heading = line
            for match in _OPERATION.finditer(line):
                # "DELETE /x" is an operation, not a fate: look at the words around it only
                words = _OPERATION.sub(" ", line)
                kind = next((fate for fate, pattern in _FATES if pattern.search(words)), "") or next(
                    (fate for fate, pattern in _FATES[:2] if pattern.search(heading)), ""
                )
                if kind in ("removed", "deprecated") and _SUCCESSOR.search(line[: match.start()]):
                    continue
                operation = f"{match['method']} {match['path'].rstrip('.,:')}"
                if kind and (operation, kind) not in seen:
                    seen.add((operation, kind))
                    version = f"{section.version}: " if section.version else ""
                    yield InterfaceChange(
                        witness=Witness.DECLARED, evidence=member.evidence(number, 0, line), operation=operation, kind=kind,
                        detail=f"{version}{excerpt(line.strip(' -*'))}",
                    )  # fmt: skip
