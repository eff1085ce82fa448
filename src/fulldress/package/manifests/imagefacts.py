"""What container images declare, and where their parts do not fit each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from fulldress.facts import (
    AnyFact,
    Hook,
    Privilege,
    Reason,
    Release,
    Secret,
    Setting,
    Unread,
    Witness,
    is_secret_name,
    mask,
)
from fulldress.package.addresses import endpoint
from fulldress.package.manifests.images import Image, Layered, images, layered, rows, table, tree, words
from fulldress.package.reader import Member, Package
from fulldress.patterns import regex

_HEX = regex(r"(?:^|/|:)([0-9a-f]{64})(?:\.json|\.tar(?:\.\w+)?)?$")
_FLOATING = regex(r"(?i)^(?:latest|stable|edge|main|master|dev|nightly|current)?$")
#: Files that hold a secret by their name, wherever they lie.
_SECRET = regex(
    r"(?i)(?:^|/)(?:id_(?:rsa|dsa|ecdsa|ed25519)|\.env(?:\.[\w-]+)?|\.npmrc|\.pypirc|\.netrc|\.git-credentials|\.dockerconfigjson|"
    r"\.docker/config\.json|\.aws/credentials|credentials\.json|[\w.-]+\.(?:key|p12|pfx|jks))$"
)
_EPOCH = date(1980, 1, 2)  #: dates up to here are constants of reproducible builds


def read(package: Package) -> Iterator[AnyFact]:
    """Releases, settings and secrets of the images in a package; layers that are missing or are not what they are named."""
    found = images(package.members)
    if not found:
        return
    seen: set[str] = set()
    for image in found:
        yield from _parts(image, package.members, seen)
        config = package.members.get(image.config)
        if config is not None and config.kept:
            yield from _config(image, config, package.members[image.source])
    yield from _taken_away(layered(package.members, found), package.members)


def _gap(member: Member, what: str, reason: Reason, detail: str) -> Unread:
    return Unread(
        witness=Witness.READ, evidence=member.evidence(), what=what, reason=reason, detail=detail, needed=True
    )


def _parts(image: Image, members: Mapping[str, Member], seen: set[str]) -> Iterator[Unread]:
    """Blobs that are not there, and blobs whose bytes are not those of their name."""
    source = members[image.source]
    where = f" ({image.platform})" if image.platform else ""
    if not image.config:
        yield _gap(
            source,
            f"image {image.wanted[:19]}{where}",
            Reason.MISSING,
            "its manifest or configuration is not in the archive",
        )
    for place, layer in enumerate(image.layers, 1):
        if not layer.path and (key := f"{image.prefix}{layer.digest}") not in seen:
            seen.add(key)
            detail = f"layer {place} of {len(image.layers)} is not in the archive"
            if layer.urls:
                detail += f"; it has to be fetched from {mask(layer.urls[0])}"
            yield _gap(source, f"layer {layer.digest[:19]}{where}", Reason.MISSING, detail)
    for path, diff in ((image.config, ""), *((layer.path, layer.diff) for layer in image.layers)):
        member = members.get(path)
        if member is None or not member.sha256 or path in seen:
            continue
        seen.add(path)
        named = _HEX.search(member.inner)
        if named and "/" not in member.inner.replace("blobs/sha256/", "") and named[1] != member.sha256:
            yield _gap(
                member,
                path,
                Reason.DISPUTED,
                f"its name is a digest, and not that of its bytes ({member.sha256[:12]}…)",
            )
        elif member.kind == "tar" and (stated := _HEX.search(diff)) and stated[1] != member.sha256:
            yield _gap(member, path, Reason.DISPUTED, "the image's configuration states another digest of this layer")


def _config(image: Image, member: Member, source: Member) -> Iterator[AnyFact]:
    document = tree(member)
    labels = table(document, "config", "Labels") or table(document, "config", "labels")
    created = _day(document.get("created") if isinstance(document, dict) else None)
    product = str(labels.get("org.opencontainers.image.title") or "")
    version = str(labels.get("org.opencontainers.image.version") or "")
    for tag in image.tags:
        name, _, tagged = re.sub(r"@.*$", "", tag).rpartition("/")[2].partition(":")
        product = product or name
        if not _FLOATING.match(tagged) and name:
            yield Release(
                witness=Witness.DECLARED, evidence=source.evidence(0, 0, tag), product=product, version=tagged, aspect="metadata",
                released=None if version else created,
            )  # fmt: skip
    if product and version:
        yield Release(
            witness=Witness.DECLARED, evidence=member.evidence(0, 0, f"org.opencontainers.image.version={version}"), product=product,
            version=version, aspect="metadata", released=created,
            vendor=str(labels.get("org.opencontainers.image.vendor") or ""),
        )  # fmt: skip
    for row in words(table(document, "config").get("Env")):
        key, _, value = row.partition("=")
        if is_secret_name(key) and value and not value.startswith(("$", "/")):
            yield Secret(
                witness=Witness.READ,
                evidence=member.evidence(0, 0, mask(row)),
                kind="environment of the image",
                name=key,
            )
        elif key and not re.fullmatch(r"PATH|HOME|LANG|LC_\w+|TERM|HOSTNAME", key):
            yield Setting(
                witness=Witness.READ, evidence=member.evidence(0, 0, mask(row)), component=product, key=key, value=mask(value),
                version=version, file=member.path,
            )  # fmt: skip
            if (called := endpoint(value, member.evidence(0, 0, mask(row)))) is not None:
                yield called
    yield from _run(member, product, version)
    yield from _history(member)


#: What an image's configuration says of how it is run, and the key under which it is told.
_RUN = ("User", "Entrypoint", "Cmd", "ExposedPorts", "Volumes", "WorkingDir", "StopSignal", "Healthcheck")
_ASSIGNED = regex(r"(?:^|\s|\|\d+ )(?:ARG |ENV )?([A-Za-z_]\w*)=(\S+)")


def _run(member: Member, product: str, version: str) -> Iterator[AnyFact]:
    """How a container of it is run: as whom, what starts, on which ports."""
    config = table(tree(member), "config")
    for key in _RUN:
        value = config.get(key)
        if isinstance(value, dict):
            value = value.get("Test") if key == "Healthcheck" else sorted(str(name) for name in value)
        said = " ".join(str(word) for word in value) if isinstance(value, list) else str(value or "")
        if said:
            yield Setting(
                witness=Witness.READ, evidence=member.evidence(0, 0, f"{key}: {said}"), component=product, key=f"image {key}",
                value=mask(said), version=version, file=member.path,
            )  # fmt: skip
    started = [*words(config.get("Entrypoint")), *words(config.get("Cmd"))]
    if started:
        command = mask(" ".join(started))
        yield Hook(
            witness=Witness.READ, evidence=member.evidence(0, 0, command), manager="container", moment="start",
            name=product or "image", command=command,
        )  # fmt: skip
    user = str(config.get("User") or "")
    if config and user.split(":")[0] in ("", "0", "root"):
        yield Privilege(
            witness=Witness.READ, evidence=member.evidence(0, 0, f"User: {user or '(none)'}"), how="container as root",
            command=product,
        )  # fmt: skip


def _history(member: Member) -> Iterator[Secret]:
    """Secrets in the commands that built it: every layer keeps its own."""
    for row in rows(table({"all": tree(member)}, "all").get("history")):
        said = str(row.get("created_by", ""))
        for match in _ASSIGNED.finditer(said[:10_000]):
            if is_secret_name(match[1]) and not match[2].startswith(("$", "/")):
                place = member.evidence(0, 0, mask(match[0].strip()))
                yield Secret(witness=Witness.READ, evidence=place, kind="history of the image", name=match[1])


def _day(value: Any) -> date | None:
    try:
        day = datetime.fromisoformat(re.sub(r"\.\d+", "", value).replace("Z", "+00:00")).date() if value else None
    except (ValueError, TypeError):
        return None
    return day if day is not None and day >= _EPOCH else None


def _taken_away(laid: Layered, members: Mapping[str, Member]) -> Iterator[Secret]:
    """Secrets that a later layer deletes or replaces: whoever has the image still has them."""
    for path in sorted(laid.hidden):
        member = members[path]
        private = member.kind == "pem" and b"PRIVATE KEY-----" in member.data
        if member.size and (
            private or (_SECRET.search(member.inner) and member.kind not in ("link", "folder", "empty"))
        ):
            yield Secret(
                witness=Witness.READ, evidence=member.evidence(), kind="deleted or replaced in a later layer, and still in the image",
                name=member.inner,
            )  # fmt: skip
