"""On which distribution an image stands: by the word in its tag, or by the ``os-release`` in its layers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fulldress.facts import AnyFact, Base, Evidence, Witness
from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

#: Names of releases in tags, with the distribution they are of.
_RELEASES = {
    "stretch": "debian", "buster": "debian", "bullseye": "debian", "bookworm": "debian", "trixie": "debian", "forky": "debian",
    "bionic": "ubuntu", "focal": "ubuntu", "jammy": "ubuntu", "noble": "ubuntu",
}  # fmt: skip
_WORD = regex(rf"(?i)(?:^|[-_.])(?:({'|'.join(_RELEASES)})|(alpine)[\d.]*|(ubi\d+)[\d.]*|(debian|ubuntu|centos|rocky|fedora|opensuse|ol)-?(\d+)[\d.]*)(?=$|[-_.])")  # fmt: skip
_DISTRIBUTIONS = ("debian", "ubuntu", "alpine", "fedora", "rockylinux", "almalinux", "centos", "oraclelinux", "amazonlinux", "ubi8", "ubi9", "archlinux")  # fmt: skip


def of_image(name: str, tag: str, place: Evidence) -> Iterator[AnyFact]:
    """The base that a reference names: ``python:3.12-bookworm``, ``debian:12``; nothing where it names none."""
    short = name.rsplit("/", 1)[-1]
    match = _WORD.search(tag)
    if match:
        release = (match[1] or "").lower()
        found = (
            f"{_RELEASES[release]} {release}" if release else (match[2] or match[3] or f"{match[4]} {match[5]}").lower()
        )
    elif short in _DISTRIBUTIONS and re.match(r"\d", tag):
        found = f"{short} {tag.split('-')[0].split('.')[0] if short != 'ubuntu' else tag.split('-')[0]}"
    else:
        return
    yield Base(witness=Witness.READ, evidence=place, component=short, distribution=found)


def of_files(package: Package, member: Member) -> Iterator[AnyFact]:
    """The base of an image whose layers the package holds."""
    if not re.search(r"(?:^|!/)(?:etc|usr/lib)/os-release$", member.path) or "!/" not in member.path:
        return
    if not _is_image(package, member):
        return
    said = dict(re.findall(r"(?m)^(ID|VERSION_ID|VERSION_CODENAME)=[\"']?([^\"'\n]*)", member.text))
    if said.get("ID"):
        version = said.get("VERSION_CODENAME") or said.get("VERSION_ID", "")
        if said["ID"] == "alpine":
            version = ""
        archive = member.path.split("!/", 1)[0].rsplit("/", 1)[-1]
        yield Base(witness=Witness.READ, evidence=member.evidence(1, text=said["ID"]), component=archive, distribution=f"{said['ID']} {version}".strip())  # fmt: skip


def _is_image(package: Package, member: Member) -> bool:
    """Whether the archive around a layer is an image: it holds the list of its layers."""
    layer = member.path.rsplit("!/", 1)[0]
    while layer:
        for name in ("manifest.json", "index.json", "oci-layout"):
            outer = layer.rsplit("!/", 1)[0] if "!/" in layer else ""
            if (f"{outer}!/{name}" if outer else name) in package.members:
                return True
        layer = layer.rsplit("!/", 1)[0] if "!/" in layer else ""
    return False
