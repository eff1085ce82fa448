"""CycloneDX JSON (ECMA-424): ``components``, nested ones too."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fulldress.errors import InventoryUnreadable
from fulldress.production.inventory.row import Row, line_of

#: type of a package URL -> scheme of its versions
_SCHEMES = {"deb": "deb", "rpm": "rpm", "pypi": "pep440", "npm": "npm", "maven": "maven", "golang": "semver"}
_SCHEMES |= {"cargo": "semver", "gem": "dotted", "nuget": "semver"}


class _Component(msgspec.Struct):
    name: str
    version: str = ""
    group: str = ""
    purl: str = ""
    components: list[_Component] = []


class _Bom(msgspec.Struct):
    components: list[_Component] = []


def recognise(name: str, text: str) -> bool:
    return text.lstrip().startswith("{") and '"bomFormat"' in text and '"CycloneDX"' in text


def read(text: str) -> Iterator[Row]:
    """Components that have a version. Maven groups are part of the name, as ``group:name``."""
    try:
        bom = msgspec.json.decode(text, type=_Bom)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise InventoryUnreadable(str(error)) from None
    waiting, at = list(reversed(bom.components)), 0
    while waiting:
        component = waiting.pop()
        waiting += reversed(component.components)
        kind = component.purl.removeprefix("pkg:").partition("/")[0]
        separator = ":" if kind == "maven" else "/"
        name = f"{component.group}{separator}{component.name}" if component.group else component.name
        line, at = line_of(text, f'"{component.name}"', at)
        if component.version:
            yield Row(component=name, version=component.version, scheme=_SCHEMES.get(kind, ""), line=line)
        else:
            yield Row(component=name, version="", line=line, problem="listed without a version")
