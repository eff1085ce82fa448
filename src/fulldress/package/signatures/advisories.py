"""Vendor advisories that the team keeps: fingerprints and names of authorities in plain texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from fulldress.facts import Advisory, Evidence, Witness
from fulldress.patterns import regex

_SUFFIXES = (".md", ".markdown", ".txt", ".toml", ".rst", ".adoc", ".eml", ".html", ".json", ".yaml", ".yml")
CLEAR = b"-----BEGIN PGP SIGNED MESSAGE-----"  #: a text that carries its signature
_FINGERPRINT = regex(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}(?::|[ ]|)){31}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])")
_NAME = regex(
    r"\b(?:[A-Z][\w.&'-]*[ ]){1,5}(?:Root|CA|Authority|Signing|Intermediate|Certificate)(?:[ ](?:Root|CA|Authority|Signing))*"
    r"(?:[ ](?:[GRXVv]?\d+))?"
)
_LARGEST = 4_000_000


class Text(msgspec.Struct, frozen=True):
    """One advisory with its text, so that names of a chain can be looked for in it."""

    fact: Advisory
    text: str
    name: str  #: folder and file, as a report says it


def load(folder: Path | None) -> Iterator[Text]:
    """Advisories of a folder and the folders in it, by file name."""
    if folder is None or not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        clear = path.suffix.lower() == ".asc"
        if not (clear or path.suffix.lower() in _SUFFIXES) or not path.is_file() or path.stat().st_size > _LARGEST:
            continue
        text = path.read_text("utf-8", "replace")
        if clear and not text.startswith(CLEAR.decode()):
            continue  # a signature beside an advisory
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        found = [(match, match[0].replace(":", "").replace(" ", "").lower()) for match in _FINGERPRINT.finditer(text)]
        line = text.count("\n", 0, found[0][0].start()) + 1 if found else 0
        rows = text.split("\n")
        fact = Advisory(
            witness=Witness.DECLARED,
            evidence=Evidence(
                source=str(path), path=name, line=line, excerpt=rows[line - 1].strip()[:160] if line else ""
            ),
            title=_title(text) or path.stem,
            published=_published(path.name, text),
            fingerprints=tuple(dict.fromkeys(value for _, value in found)),
            names=tuple(dict.fromkeys(" ".join(match.split()) for match in _NAME.findall(text)))[:50],
        )
        yield Text(fact, text, name)


def _title(text: str) -> str:
    for pattern in (
        r'(?m)^title\s*[=:]\s*"?([^"\n]+)"?',
        r"(?m)^#\s+(.+)$",
        r"(?mi)^subject:\s*(.+)$",
        r"(?i)<title>([^<]+)",
    ):
        match = re.search(pattern, text)
        if match:
            return match[1].strip()
    first = text.strip().split("\n", 1)[0].strip("# ").strip()
    return first[:120]


def _published(name: str, text: str) -> date | None:
    for pattern, place in (
        (r"(?mi)^(?:date|published|issued)\s*[=:]\s*\"?(\d{4}-\d\d-\d\d)", text),
        (r"^(\d{4}-\d\d-\d\d)", name),
        (r"\b(20\d\d-\d\d-\d\d)\b", text[:2000]),
    ):
        match = re.search(pattern, place)
        if match:
            try:
                return date.fromisoformat(match[1])
            except ValueError:
                continue
    return None
