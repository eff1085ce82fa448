"""Images that compose files fetch and Dockerfiles build on: how tightly they are held, and the base that their tag names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from fulldress.facts import AnyFact, Evidence, Looseness, Requirement, Witness
from fulldress.package.baseimages import bases
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import helm, yamlnodes
from fulldress.patterns import regex

_FLOATING = ("latest", "stable", "edge", "nightly", "main", "master", "dev", "develop", "current", "rolling", "canary")
_REFERENCE = regex(
    r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_VARIABLE = regex(r"\$\{(\w+)(?::?-([^}]*))?[^}]*\}|\$(\w+)")
_FROM = regex(r"(?im)^[ \t]*FROM[ \t]+(?:--platform=\S+[ \t]+)?(\S+)(?:[ \t]+AS[ \t]+(\S+))?")


class Image(msgspec.Struct, frozen=True):
    """A reference taken apart; ``tag`` is empty where a digest stands alone, and ``latest`` where nothing stands."""

    name: str
    tag: str
    digest: str


def taken_apart(text: str) -> Image | None:
    """``registry/name:tag@sha256:…``; None for what is no reference, or holds what only the installation knows."""
    if helm.OPEN in text or not _REFERENCE.fullmatch(text):
        return None
    rest, _, digest = text.partition("@")
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        head, tag = rest, ""
    return Image(head, tag or ("" if digest else "latest"), digest)


def of_compose(package: Package, member: Member, node: Any) -> Iterator[AnyFact]:
    """Images of the services of a compose file; ``${NAME:-default}`` is its default, or what ``.env`` beside it says."""
    env = package.members.get(f"{member.path.rpartition('/')[0]}/.env".lstrip("/"))
    given = (
        dict(re.findall(r"(?m)^[ \t]*(?:export[ \t]+)?(\w+)=[\"']?([^\"'\n#]*)", env.text)) if env and env.kept else {}
    )
    for _, service in yamlnodes.pairs(yamlnodes.get(node, "services")):
        image = yamlnodes.get(service, "image")
        if type(image).__name__ == "ScalarNode":
            text = _VARIABLE.sub(lambda m: _value(m, given), str(image.value))
            if yamlnodes.get(service, "build") is None:  # that one is built, not fetched
                yield from _facts(member, yamlnodes.line(image), text)


def _value(match: re.Match[str], given: dict[str, str]) -> str:
    known = given.get(match[1] or match[3] or "", match[2] or "").strip()
    return known or helm.OPEN


def of_build(member: Member) -> Iterator[AnyFact]:
    """The base below the last stage of a Dockerfile."""
    text, stages = member.text, {}
    last = None
    for match in _FROM.finditer(text):
        if match[2]:
            stages[match[2]] = match[1]
        last = match
    if last is None:
        return
    name = last[1]
    for _ in range(20):
        if name not in stages or stages[name] == name:
            break
        name = stages[name]
    if (image := taken_apart(name)) is not None:
        yield from bases.of_image(
            image.name, image.tag, member.evidence(text.count("\n", 0, last.start()) + 1, text=last[0])
        )


def _facts(member: Member, line: int, text: str) -> Iterator[AnyFact]:
    image = taken_apart(text.strip())
    if image is None:
        return
    place: Evidence = member.evidence(line, text=f"image: {text}")
    floats = not image.digest and image.tag in _FLOATING
    yield Requirement(
        witness=Witness.READ, evidence=place, component=f"image {image.name}", constraint=image.digest[:19] if image.digest else image.tag,
        looseness=Looseness.FLOATING if floats else Looseness.EXACT, scheme="oci",
    )  # fmt: skip
    yield from bases.of_image(image.name, image.tag, place)
