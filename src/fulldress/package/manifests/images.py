"""Container images: which layers make one, which file is finally there, and what its configuration says.

Formats: the OCI image layout and image specification 1.1 (``oci-layout``, ``index.json``, whiteouts of "Layer Filesystem
Changeset"), and the archive of ``docker save`` (``manifest.json``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from fulldress.package.reader import Member
from fulldress.patterns import regex

_DEEPEST = 5  #: indexes inside indexes


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """``path`` of its member; empty where it is not there. ``digest`` as the manifest names it, ``diff`` unpacked."""

    path: str
    digest: str = ""
    diff: str = ""
    urls: tuple[str, ...] = ()


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """``prefix`` is that of its archive, ``source`` the path of what lists it, ``config`` the path of its configuration."""

    prefix: str
    source: str
    config: str
    wanted: str  #: what the manifest calls the configuration
    layers: tuple[Layer, ...]
    tags: tuple[str, ...] = ()
    platform: str = ""


def images(members: Mapping[str, Member]) -> list[Image]:
    """Every image of every archive; each once, as both kinds of list often stand side by side."""
    found: list[Image] = []
    for path, member in members.items():
        if not member.kept or member.inner not in ("manifest.json", "index.json"):
            continue
        if member.inner == "manifest.json":
            found += _saved(member, members)
        elif f"{member.prefix}oci-layout" in members and not _is_saved(members.get(f"{member.prefix}manifest.json")):
            found += _indexed(member, members, path, 0, {})
    return found


def _is_saved(member: Member | None) -> bool:
    return member is not None and member.kept and any("Layers" in row for row in rows(tree(member)))


def tree(member: Member) -> Any:
    """A document as it is, or None for one that is none."""
    try:
        return json.loads(member.text)
    except (ValueError, RecursionError):
        return None


def rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def words(value: Any) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def table(value: Any, *keys: str) -> dict[str, Any]:
    """The mapping below these keys; empty where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _saved(member: Member, members: Mapping[str, Member]) -> Iterator[Image]:
    for row in rows(tree(member)):
        config, layers = row.get("Config"), words(row.get("Layers"))
        if not isinstance(config, str) or not isinstance(row.get("Layers"), list):
            continue
        diffs = _diffs(members.get(member.prefix + config))
        yield Image(
            prefix=member.prefix,
            source=member.path,
            config=_there(member.prefix + config, members),
            wanted=config,
            layers=tuple(
                Layer(
                    path=_there(member.prefix + name, members),
                    digest=name,
                    diff=diffs[place] if place < len(diffs) else "",
                )
                for place, name in enumerate(layers)
            ),
            tags=tuple(words(row.get("RepoTags"))),
        )


def _there(path: str, members: Mapping[str, Member]) -> str:
    """The path of a blob, or of what a link in its place leads to."""
    member = members.get(path)
    if member is not None and member.kind == "link":
        parts = [*member.inner.split("/")[:-1], *member.link.split("/")]
        kept: list[str] = []
        for part in parts:
            kept = kept[:-1] if part == ".." else [*kept, part] if part not in ("", ".") else kept
        path = member.prefix + "/".join(kept)
    return path if path in members else ""


def _diffs(config: Member | None) -> list[str]:
    return words(table(tree(config), "rootfs").get("diff_ids")) if config is not None and config.kept else []


def _indexed(
    member: Member, members: Mapping[str, Member], source: str, depth: int, said: dict[str, Any]
) -> Iterator[Image]:
    document = tree(member)
    if depth > _DEEPEST or not isinstance(document, dict):
        return
    for row in rows(document.get("manifests")):
        blob = members.get(_blob(member.prefix, row.get("digest"), members))
        if blob is not None and blob.kept:
            yield from _indexed(blob, members, source, depth + 1, row)
        elif not str(table(row, "annotations").get("vnd.docker.reference.type", "")):  # an attestation may be left out
            yield Image(prefix=member.prefix, source=source, config="", wanted=str(row.get("digest", "")), layers=(), platform=_platform(row))  # fmt: skip
    if not isinstance(document.get("layers"), list) or table(said, "annotations").get("vnd.docker.reference.type"):
        return
    config = table(document, "config")
    if not re.search(r"image(?:\.config)?", str(config.get("mediaType", "image"))):
        return  # an artifact of another kind: a chart, a signature, a bill of materials
    digest = config.get("digest")
    path = _blob(member.prefix, digest, members)
    diffs = _diffs(members.get(path))
    yield Image(
        prefix=member.prefix,
        source=source,
        config=path if path in members else "",
        wanted=str(digest or ""),
        layers=tuple(
            Layer(
                path=_there(_blob(member.prefix, layer.get("digest"), members), members),
                digest=str(layer.get("digest", "")),
                diff=diffs[place] if place < len(diffs) else "",
                urls=tuple(words(layer.get("urls"))),
            )
            for place, layer in enumerate(rows(document.get("layers")))
        ),
        tags=tuple(
            str(tag)
            for key in ("io.containerd.image.name", "org.opencontainers.image.ref.name")
            if (tag := table(said, "annotations").get(key))
        )[:1],
        platform=_platform(said),
    )


def _platform(row: dict[str, Any]) -> str:
    said = table(row, "platform")
    return "/".join(str(said[key]) for key in ("os", "architecture", "variant") if said.get(key))


def _blob(prefix: str, digest: Any, members: Mapping[str, Member]) -> str:
    match = re.fullmatch(r"([a-z0-9+._-]+):([0-9a-f]{32,128})", digest) if isinstance(digest, str) else None
    return f"{prefix}blobs/{match[1]}/{match[2]}" if match else ""


class Layered(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the files of all layers. ``hidden``: path of a member -> path of the layer that takes it away."""

    visible: frozenset[str]
    hidden: dict[str, str]


def layered(members: Mapping[str, Member], found: list[Image]) -> Layered:
    """Lay the layers of every image over each other. A file that is there in any of the images is visible."""
    of: dict[str, list[Member]] = {f"{layer.path}!/": [] for image in found for layer in image.layers if layer.path}
    if not of:
        return Layered(visible=frozenset(), hidden={})
    for member in members.values():
        if member.prefix in of:
            of[member.prefix].append(member)
    visible: set[str] = set()
    hidden: dict[str, str] = {}
    for image in found:
        files: dict[str, str] = {}
        for layer in image.layers:
            _lay(layer.path, of.get(f"{layer.path}!/", []), files, hidden)
        visible.update(files.values())
    return Layered(visible=frozenset(visible), hidden={path: by for path, by in hidden.items() if path not in visible})


def _lay(layer: str, above: list[Member], files: dict[str, str], hidden: dict[str, str]) -> None:
    """One layer over the ones below. Whiteouts speak of what lies below, never of the layer's own files."""
    gone: set[str] = set()
    opaque: set[str] = set()
    for member in above:
        folder, _, name = member.inner.rpartition("/")
        if name == ".wh..wh..opq":
            opaque.add(folder)
        elif name.startswith(".wh.") and not name.startswith(".wh..wh."):
            gone.add(f"{folder}/{name[4:]}" if folder else name[4:])
    if gone or opaque:
        for name in [name for name in files if _taken(name, gone, opaque)]:
            hidden[files.pop(name)] = layer
    for member in above:
        if member.kind != "folder" and not member.name.startswith(".wh."):
            if member.inner in files:
                hidden[files[member.inner]] = layer
            files[member.inner] = member.path


def _taken(name: str, gone: set[str], opaque: set[str]) -> bool:
    if name in gone or "" in opaque:
        return True
    at = name.find("/")
    while at > 0:
        if name[:at] in gone or name[:at] in opaque:
            return True
        at = name.find("/", at + 1)
    return False


#: What a package manager keeps of packages that were installed when the image was built; none of it runs any more.
_KEPT = regex(r"^(?:var/lib/dpkg/(?:info|triggers)/|lib/apk/db/|var/lib/rpm/)")


def silent(members: Mapping[str, Member]) -> frozenset[str]:
    """Files of images whose contents say nothing of what will happen: taken away by a later layer, or kept as a record."""
    found = images(members)
    if not found:
        return frozenset()
    laid = layered(members, found)
    records = {
        path for path in laid.visible if _KEPT.match(members[path].inner)
    }  # fmt: skip
    return frozenset(laid.hidden) | records
