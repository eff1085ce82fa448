"""What an RPM's header says of the package and of every file, as two texts that a person and our readers can read."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import zip_longest

import msgspec

from fulldress.package.archives.rpmheader import Header, Headers

_FIELDS: tuple[tuple[str, int], ...] = (
    ("Name", 1000), ("Epoch", 1003), ("Version", 1001), ("Release", 1002), ("Architecture", 1022), ("Vendor", 1011),
    ("Packager", 1015), ("Distribution", 1010), ("License", 1014), ("Group", 1016), ("URL", 1020), ("Summary", 1004),
    ("Build-Host", 1007), ("Source-RPM", 1044), ("Payload-Compressor", 1125),
)  # fmt: skip
#: field, tags of the name, the version and the flags
_RELATIONS: tuple[tuple[str, int, int, int], ...] = (
    ("Requires", 1049, 1050, 1048),
    ("Recommends", 5046, 5047, 5048),
    ("Suggests", 5049, 5050, 5051),
    ("Conflicts", 1054, 1055, 1053),
    ("Obsoletes", 1090, 1115, 1114),
    ("Provides", 1047, 1113, 1112),
)
_LESS, _GREATER, _EQUAL = 2, 4, 8
_MISSING_OK, _RPMLIB = 1 << 19, 1 << 24
#: rpmsenseFlags that say when a requirement has to be there
_WHEN = {1 << 6: "", 1 << 9: "pre", 1 << 10: "post", 1 << 11: "preun", 1 << 12: "postun"}
#: rpmfileAttrs
_CONFIG, _DOC, _MISSING, _NOREPLACE, _GHOST, _LICENSE, _README, _ARTIFACT = 1, 2, 8, 16, 64, 128, 256, 4096


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file as the header lists it."""

    path: str
    mode: int = 0
    size: int = 0
    modified: int = 0
    owner: str = ""
    group: str = ""
    flags: int = 0
    digest: str = ""
    link: str = ""
    capabilities: str = ""

    @property
    def is_ghost(self) -> bool:
        return bool(self.flags & _GHOST)

    @property
    def role(self) -> str:
        """``config``, ``config(noreplace)``, ``doc``, ``ghost``, ``license``, or empty."""
        if self.is_ghost:
            return "ghost"
        if self.flags & _CONFIG:
            return "config(noreplace)" if self.flags & _NOREPLACE else "config"
        return "license" if self.flags & _LICENSE else "doc" if self.flags & (_DOC | _README) else ""


def header(headers: Headers) -> str:
    """The package's own fields, one a line; folded lines begin with a blank, as in a Debian control file."""
    main = headers.main
    rows = [f"Format: rpm {'source ' if headers.is_source else ''}package"]
    for name, tag in _FIELDS:
        value = main.text(tag) or str(main.number(tag) if main.number(tag) is not None else "")
        if value:
            rows.append(f"{name}: {_folded(value)}")
    if built := main.number(1006):
        rows.append(f"Build-Time: {datetime.fromtimestamp(min(built, 1 << 34), UTC):%Y-%m-%dT%H:%M:%SZ}")
    for field, component, bound, flags in _RELATIONS:
        rows += _relations(main, field, component, bound, flags)
    if description := main.text(1005):
        rows.append(f"Description: {_folded(description)}")
    return "\n".join(rows) + "\n"


def _relations(main: Header, field: str, name: int, version: int, flags: int) -> list[str]:
    rows = []
    for component, bound, flag in zip_longest(main.texts(name), main.texts(version), main.numbers(flags)):
        if not component or (flag or 0) & _RPMLIB:
            continue
        operator = "".join(sign for bit, sign in ((_LESS, "<"), (_GREATER, ">"), (_EQUAL, "=")) if (flag or 0) & bit)
        when = ",".join(word for bit, word in _WHEN.items() if word and (flag or 0) & bit)
        weak = "optional" if field == "Requires" and (flag or 0) & _MISSING_OK else ""
        label = f"{field}({when or weak})" if field == "Requires" and (when or weak) else field
        rows.append(f"{label}: {_folded(component)}" + (f" {operator} {_folded(bound)}" if operator and bound else ""))
    return list(dict.fromkeys(rows))


def files(headers: Headers) -> list[File]:
    """The header's list of files."""
    main = headers.main
    folders = main.texts(1118)
    indexes = main.numbers(1116)
    bases = main.texts(1117)
    paths = [
        (folders[index] if index is not None and index < len(folders) else "") + (base or "")
        for base, index in zip_longest(bases, indexes[: len(bases)])
    ] or list(main.texts(1027))
    modes, times, flags = main.numbers(1030), main.numbers(1034), main.numbers(1037)
    sizes = main.numbers(5008) or main.numbers(1028)
    owners, groups = main.texts(1039), main.texts(1040)
    digests, links, capabilities = main.texts(1035), main.texts(1036), main.texts(5010)
    return [
        File(
            path=path, mode=_number(modes, at), size=_number(sizes, at), modified=_number(times, at),
            owner=_text(owners, at), group=_text(groups, at), flags=_number(flags, at), digest=_text(digests, at),
            link=_text(links, at), capabilities=_text(capabilities, at),
        )
        for at, path in enumerate(paths)
    ]  # fmt: skip


def _number(column: tuple[int, ...], at: int) -> int:
    return column[at] if at < len(column) else 0


def _text(column: tuple[str, ...], at: int) -> str:
    return column[at] if at < len(column) else ""


def listing(found: list[File]) -> str:
    """One line a file, fields divided by tabs: mode, owner, group, role, capabilities, path."""
    rows = ["# mode\towner\tgroup\trole\tcapabilities\tpath"]
    for file in found:
        fields = (f"{file.mode:06o}", file.owner, file.group, file.role or "-", file.capabilities or "-", file.path)
        rows.append("\t".join(" ".join(field.split("\t")).replace("\n", "\\n") for field in fields))
    return "\n".join(rows) + "\n"


def _folded(value: str) -> str:
    """A value on one field: further lines begin with a blank, empty ones with a blank and a full stop."""
    rows = value.replace("\r", "").split("\n")
    return "\n".join([rows[0], *(f" {row}" if row.strip() else " ." for row in rows[1:])]).rstrip()
