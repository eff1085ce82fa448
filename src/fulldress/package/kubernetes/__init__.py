"""What is put into a cluster: Helm's hooks, images, hosts that containers are told of, and rights that they take.

Templates are rendered roughly (see :mod:`fulldress.package.schedules.helm`): values of ``values.yaml`` are filled in, the
rest is open. What cannot be read even so is said. CronJobs are read by the reader of schedules, commands of containers by
the reader of scripts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fulldress.facts import (
    AnyFact,
    Endpoint,
    Hazard,
    Hook,
    Looseness,
    Privilege,
    Reason,
    Requirement,
    Unread,
    Witness,
    mask,
)
from fulldress.package.addresses import endpoint
from fulldress.package.baseimages import bases
from fulldress.package.kubernetes import charts, workloads
from fulldress.package.kubernetes.objects import HOOK, Object, TooLarge, Unfilled, command, is_manifest, objects
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import helm, yamlnodes
from fulldress.patterns import regex

_FLOATING = regex(r"(?i)^(?:latest|stable|edge|main|master|dev|develop|nightly|current|lts)$")


def read(package: Package) -> Iterator[AnyFact]:
    """Facts of all charts and manifests of a package; each image and each host of a file once."""
    yield from charts.facts(package)
    seen: set[tuple[str, ...]] = set()
    for member in package.members.values():
        if not is_manifest(member):
            continue
        try:
            found = objects(package, member)
        except TooLarge as fault:
            yield Unread(
                witness=Witness.READ, evidence=member.evidence(), what=f"manifest {member.name}", reason=Reason.BUDGET,
                detail=str(fault), needed=True,
            )  # fmt: skip
            continue
        except Unfilled as fault:
            if helm.is_template(member) or b"\nkind:" in member.data:
                yield Unread(
                    witness=Witness.READ, evidence=member.evidence(), what=f"template {member.name}", reason=Reason.GRAMMAR,
                    detail=f"it could not be rendered with the chart's own values ({fault})" if helm.is_template(member) else str(fault),
                    needed=HOOK.encode() in member.data,
                )  # fmt: skip
            continue
        for item in found:
            if "test" in item.hooks or "test-success" in item.hooks:
                continue
            yield from _hook(member, item)
            if not item.off:
                yield from _whole(member, item)
                yield from workloads.facts(member, item)
                for container in item.containers():
                    yield from _container(member, item, container, seen)


def _hook(member: Member, item: Object) -> Iterator[AnyFact]:
    """An object that Helm makes at a moment of its own; only what runs something is told."""
    words = [said for container in item.containers() if (said := _said(container))]
    if not item.hooks or not words:
        return
    weight = item.said("metadata", "annotations", "helm.sh/hook-weight")
    seconds = item.said("spec", "activeDeadlineSeconds")
    remarks = [f"only where {item.off} is set: values.yaml leaves it off"] if item.off else []
    kept = item.said("metadata", "annotations", "helm.sh/hook-delete-policy")
    if kept:
        remarks.append(f"deleted: {kept}")
    line = yamlnodes.line(yamlnodes.get(item.node, "metadata", "annotations", HOOK))
    for moment in item.hooks:
        yield Hook(
            witness=Witness.READ, evidence=member.evidence(line, 0, f"{HOOK}: {moment}"), manager="Helm", moment=moment,
            name=item.label, command=mask(" && ".join(words)), order=int(weight) if weight.lstrip("-").isdigit() else 0,
            seconds=int(seconds) if seconds.isdigit() and len(seconds) < 9 else 0, remarks=tuple(remarks), enabled=not item.off,
        )  # fmt: skip


def _said(container: Any) -> str:
    """What a container runs, on one line."""
    words, _ = command(container)
    rows = [row.strip() for row in words.splitlines() if row.strip() and not row.lstrip().startswith("#")]
    image = yamlnodes.text(container, "image")
    return " ; ".join(rows).replace(helm.OPEN, "…") or (f"(image {image})".replace(helm.OPEN, "…") if image else "")


def _whole(member: Member, item: Object) -> Iterator[AnyFact]:
    """What is said of an object itself."""
    if item.kind == "Deployment" and item.said("spec", "strategy", "type") == "Recreate":
        line = yamlnodes.line(yamlnodes.get(item.node, "spec", "strategy", "type"))
        yield Hazard(
            witness=Witness.READ, evidence=member.evidence(line, 0, "type: Recreate"), kind="down while replaced", what=item.label,
            detail="its strategy is Recreate: every old pod ends before the first new one starts",
        )  # fmt: skip
    if item.kind == "Service" and (host := item.said("spec", "externalName")) and helm.OPEN not in host and "." in host:
        line = yamlnodes.line(yamlnodes.get(item.node, "spec", "externalName"))
        yield Endpoint(
            witness=Witness.READ, evidence=member.evidence(line, 0, f"externalName: {host}"), scheme="", host=host
        )
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if yamlnodes.text(item.pod(), key).lower() == "true":
            yield _right(member, item, yamlnodes.get(item.pod(), key), f"{key} of a pod")
    for volume in yamlnodes.items(yamlnodes.get(item.pod(), "volumes")):
        path = yamlnodes.text(volume, "hostPath", "path")
        if path and helm.OPEN not in path:
            yield _right(member, item, yamlnodes.get(volume, "hostPath", "path"), f"host folder {path} in a pod")


def _right(member: Member, item: Object, node: Any, how: str) -> Privilege:
    return Privilege(
        witness=Witness.READ, evidence=member.evidence(yamlnodes.line(node), 0, how), how=how, command=item.label
    )


def _container(member: Member, item: Object, container: Any, seen: set[tuple[str, ...]]) -> Iterator[AnyFact]:
    image = yamlnodes.text(container, "image")
    if image and helm.OPEN not in image and image not in {row[1] for row in seen if row[0] == "image"}:
        seen.add(("image", image))
        yield from _image(member, yamlnodes.get(container, "image"), image)
    if yamlnodes.text(container, "securityContext", "privileged").lower() == "true":
        yield _right(member, item, yamlnodes.get(container, "securityContext", "privileged"), "privileged container")
    for row in yamlnodes.items(yamlnodes.get(container, "env")):
        value = yamlnodes.get(row, "value")
        text = f"{yamlnodes.text(row, 'name')}: {yamlnodes.text(row, 'value')}"
        called = endpoint(yamlnodes.text(row, "value"), member.evidence(yamlnodes.line(value), 0, text))
        if called and (key := ("host", member.path, called.scheme, called.host, str(called.port))) not in seen:
            seen.add(key)
            yield called


def _image(member: Member, node: Any, image: str) -> Iterator[AnyFact]:
    """The image as a requirement, and the registry that a node fetches it from where the name says one."""
    whole, _, digest = image.partition("@")
    path, colon, tag = whole.rpartition(":")
    if not colon or "/" in tag:
        path, tag = whole, ""
    host = path.split("/")[0] if "/" in path and ("." in path.split("/")[0] or ":" in path.split("/")[0]) else ""
    floats = not digest and (not tag or _FLOATING.match(tag) is not None)
    place = member.evidence(yamlnodes.line(node), 0, f"image: {image}")
    yield Requirement(
        witness=Witness.READ, evidence=place, component=f"image {path}", constraint=digest[:19] or tag or "latest",
        looseness=Looseness.FLOATING if floats else Looseness.EXACT, scheme="oci",
    )  # fmt: skip
    yield from bases.of_image(path, tag, place)
    if host:
        name, _, port = host.partition(":")
        yield Endpoint(
            witness=Witness.READ, evidence=place, scheme="https", host=name.lower(), port=int(port) if port.isdigit() else 443
        )  # fmt: skip
