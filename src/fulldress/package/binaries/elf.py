"""ELF: build id, package note, needed libraries. ELF has no build date of its own.

Sources: the generic ABI's note sections; the "ELF package metadata" specification (a JSON note, type 0xcafe1a7e).
"""

from __future__ import annotations

import json
from typing import BinaryIO

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection

from fulldress.package.binaries.said import NotThis, Said

_LIMIT = 4096  #: sections; more is not a program


def read(file: BinaryIO) -> Said:
    """What an ELF file says. Raises :class:`NotThis`."""
    said = Said(format="elf")
    try:
        program = ELFFile(file)
        if program.num_sections() > _LIMIT:
            raise NotThis(f"it states {program.num_sections():,} sections")
        for section in program.iter_sections():
            if isinstance(section, NoteSection):
                _notes(section, said)
            elif isinstance(section, DynamicSection):
                said.needed = tuple(str(tag.needed) for tag in section.iter_tags("DT_NEEDED"))  # type: ignore[attr-defined]
            elif section.name == ".comment" and section.data_size < 1 << 16:
                said.quote = section.data().strip(b"\0").split(b"\0")[0].decode("latin-1")
    except (ELFError, ConstructError, AttributeError, TypeError, UnicodeDecodeError) as fault:
        raise NotThis(f"its ELF tables are damaged ({fault or type(fault).__name__})") from fault
    return said


def _notes(section: NoteSection, said: Said) -> None:
    for note in section.iter_notes():
        if note["n_type"] == "NT_GNU_BUILD_ID" and isinstance(note["n_desc"], str):
            said.build_id = note["n_desc"]
        elif note["n_name"] == "FDO":
            _package_note(note["n_descdata"], said)


def _package_note(raw: bytes, said: Said) -> None:
    try:
        stated = json.loads(raw.rstrip(b"\0"))
    except ValueError:
        return
    if isinstance(stated, dict):
        said.version, said.version_from = str(stated.get("version", "")), "package note"
        said.product = str(stated.get("name", ""))
