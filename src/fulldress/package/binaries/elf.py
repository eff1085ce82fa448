"""ELF: build id, package note, needed libraries, the C library it needs at least, what Rust compiled into it.

ELF has no build date of its own. Sources: the generic ABI; the "ELF package metadata" specification (a JSON note, type
0xcafe1a7e); LSB, "Symbol Versioning"; the format of cargo-auditable (section ``.dep-v0``: zlib over JSON).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.dynamic import DynamicSection, DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import NoteSection, SymbolTableSection
from elftools.elf.segments import NoteSegment

from fulldress.package.binaries.said import NotThis, Said
from fulldress.patterns import regex

_LIMIT = 4096  #: sections; more is not a program
_INFLATED = 8 << 20  #: bytes of a bill of materials; real ones have some kilobytes
_SYMBOLS = 200_000
_FAULTS = (ELFError, ConstructError, AttributeError, TypeError, UnicodeDecodeError, ZeroDivisionError)
_MACHINES = {
    "EM_X86_64": "x86_64",
    "EM_386": "i686",
    "EM_AARCH64": "aarch64",
    "EM_ARM": "armv7l",
    "EM_PPC64": "ppc64le",
    "EM_S390": "s390x",
    "EM_RISCV": "riscv64",
    "EM_MIPS": "mips",
}
#: Version names of symbols that tell the release of a library which the host has to bring.
_LIBRARIES = regex(r"(GLIBC|GLIBCXX|CXXABI)_(\d+(?:\.\d+)*)")


def read(file: BinaryIO) -> Said:
    """What an ELF file says. Raises :class:`NotThis`."""
    said = Said(format="elf")
    try:
        program = ELFFile(file)
        if program.num_sections() > _LIMIT or program.num_segments() > _LIMIT:
            raise NotThis(f"it states {program.num_sections():,} sections")
        said.machine = _MACHINES.get(str(program["e_machine"]), "")
        if program.num_sections():
            _by_sections(program, said)
        else:
            _by_segments(program, said)
    except _FAULTS as fault:
        raise NotThis(f"its ELF tables are damaged ({fault or type(fault).__name__})") from fault
    return said


def _exported(table: SymbolTableSection) -> set[str]:
    return {
        str(symbol.name)
        for symbol in table.iter_symbols()
        if symbol.name
        and symbol["st_shndx"] != "SHN_UNDEF"
        and symbol["st_info"]["bind"] in ("STB_GLOBAL", "STB_WEAK", "STB_LOOS")
        and symbol["st_other"]["visibility"] in ("STV_DEFAULT", "STV_PROTECTED")
    }


def _dynamic(part: DynamicSection | DynamicSegment, said: Said) -> None:
    said.needed = tuple(str(tag.needed) for tag in part.iter_tags("DT_NEEDED"))  # type: ignore[attr-defined]
    said.soname = next((str(tag.soname) for tag in part.iter_tags("DT_SONAME")), "")  # type: ignore[attr-defined]


def _by_sections(program: ELFFile, said: Said) -> None:
    symbols: SymbolTableSection | None = None
    for section in program.iter_sections():
        if isinstance(section, NoteSection):
            _notes(section.iter_notes(), said)
        elif isinstance(section, DynamicSection):
            _dynamic(section, said)
        elif isinstance(section, SymbolTableSection) and section.name == ".dynsym":
            symbols = section
        elif isinstance(section, GNUVerNeedSection):
            said.requires = tuple(_required(section))
        elif section.name == ".comment" and section.data_size < 1 << 16:
            said.quote = section.data().strip(b"\0").split(b"\0")[0].decode("latin-1")
        elif section.name == ".dep-v0":
            _materials(section.data(), said)
    if symbols is not None and said.soname:  # others link with it; a program's own symbols are nobody's business
        if symbols.num_symbols() > _SYMBOLS:
            raise NotThis(f"it states {symbols.num_symbols():,} symbols")
        said.exports = tuple(sorted(_exported(symbols)))


def _by_segments(program: ELFFile, said: Said) -> None:
    """A program whose section table was taken away; what the loader needs is still there."""
    for segment in program.iter_segments():
        if isinstance(segment, NoteSegment):
            _notes(segment.iter_notes(), said)
        elif isinstance(segment, DynamicSegment):
            _dynamic(segment, said)
    start = program.stream
    start.seek(0)
    if b"UPX!" in start.read(4096):
        said.packed = "UPX"


def _required(section: GNUVerNeedSection) -> Iterator[str]:
    """The newest version of each library's symbols that is asked for."""
    newest: dict[str, tuple[int, ...]] = {}
    for _, names in section.iter_versions():
        for name in names:
            if match := _LIBRARIES.fullmatch(str(name.name)):
                version = tuple(int(part) for part in match[2].split("."))
                newest[match[1]] = max(newest.get(match[1], ()), version)
    for library, version in sorted(newest.items()):
        yield f"{library} {'.'.join(map(str, version))}"


def _notes(notes: Iterable[Any], said: Said) -> None:
    for note in notes:
        if note["n_type"] == "NT_GNU_BUILD_ID" and isinstance(note["n_desc"], str):
            said.build_id = note["n_desc"]
        elif note["n_name"] == "FDO" and isinstance(note["n_descdata"], bytes):
            _package_note(note["n_descdata"], said)


def _package_note(raw: bytes, said: Said) -> None:
    try:
        stated = json.loads(raw.rstrip(b"\0"))
    except (ValueError, RecursionError):
        return
    if isinstance(stated, dict):
        said.version, said.version_from = str(stated.get("version", "")), "package note"
        said.product = str(stated.get("name", ""))


def _materials(packed: bytes, said: Said) -> None:
    """The packages that cargo-auditable lists; the one marked ``root`` is the program itself."""
    unpacker = zlib.decompressobj()
    try:
        stated = json.loads(unpacker.decompress(packed, _INFLATED))
    except (zlib.error, ValueError, RecursionError) as fault:
        raise NotThis(f"its list of Rust packages is damaged ({fault})") from fault
    rows = stated.get("packages", ()) if isinstance(stated, dict) else ()
    bundled = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        name, version = str(row.get("name", "")), str(row.get("version", ""))
        if row.get("root"):
            said.product, said.version, said.version_from = name, version, "cargo auditable data"
        elif name and row.get("kind", "runtime") == "runtime":
            bundled.append(f"{name} {version}")
    said.bundled = tuple(bundled)
