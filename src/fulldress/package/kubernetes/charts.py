"""What a Helm chart says of itself, and where Helm does not do what one expects of it.

Sources: Helm's manual, "Charts" (Chart.yaml, dependencies), "Custom Resource Definitions" (``crds/`` is installed once and
never upgraded or deleted), ``helm dependency build``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fulldress.facts import AnyFact, Hazard, Reason, Release, Requirement, Unread, Witness
from fulldress.package.manifests.looseness import score
from fulldress.package.reader import Member, Package
from fulldress.package.schedules import yamlnodes


def charts(package: Package) -> dict[str, tuple[Member, Any]]:
    """The root node of every chart's ``Chart.yaml``, by the folder it describes (with a slash at its end, or empty)."""
    import yaml

    found: dict[str, tuple[Member, Any]] = {}
    for member in package.members.values():
        if member.name == "Chart.yaml" and member.kept:
            try:
                roots = yamlnodes.documents(member.text)
            except (yaml.YAMLError, yamlnodes.TooDeep, RecursionError):
                continue  # the manifests' reader reports it
            if roots and yamlnodes.text(roots[0], "name") and yamlnodes.text(roots[0], "version"):
                found[member.path.removesuffix("Chart.yaml")] = (member, roots[0])
    return found


def facts(package: Package) -> Iterator[AnyFact]:
    """Facts of every chart."""
    known = charts(package)
    names = {folder: yamlnodes.text(root, "name") for folder, (_, root) in known.items()}
    for folder, (member, root) in known.items():
        yield from _versions(member, root, inner="charts/" in folder)
        yield from _absent(package, folder, member, root, names)
        yield from _definitions(package, folder)


def _versions(member: Member, root: Any, inner: bool) -> Iterator[AnyFact]:
    """The version of the application, and that of the cluster."""
    name, application = yamlnodes.text(root, "name"), yamlnodes.text(root, "appVersion")
    if application and not inner:
        line = yamlnodes.line(yamlnodes.get(root, "appVersion"))
        yield Release(
            witness=Witness.DECLARED, evidence=member.evidence(line, 0, f"appVersion: {application}"),
            product=name if member.prefix else f"{name} application", version=application, aspect="metadata",
        )  # fmt: skip
    wanted = yamlnodes.text(root, "kubeVersion")
    if wanted:
        line = yamlnodes.line(yamlnodes.get(root, "kubeVersion"))
        looseness, admits = score(wanted, "npm")
        yield Requirement(
            witness=Witness.DECLARED, evidence=member.evidence(line, 0, f"kubeVersion: {wanted}"), component="kubernetes",
            constraint=wanted, looseness=looseness, scheme="npm", admits=admits, optional=True,
        )  # fmt: skip


def _absent(package: Package, folder: str, member: Member, root: Any, names: dict[str, str]) -> Iterator[AnyFact]:
    """Charts that ``Chart.yaml`` (or ``requirements.yaml``) asks for and that do not lie in ``charts/``."""
    there = {name for place, name in names.items() if place.startswith(f"{folder}charts/")}
    archives = [path for path in package.members if path.startswith(f"{folder}charts/")]
    for item in yamlnodes.items(yamlnodes.get(root, "dependencies")):
        name = yamlnodes.text(item, "name")
        if not name or name in there or any(path.startswith(f"{folder}charts/{name}-") for path in archives):
            continue
        place = member.evidence(yamlnodes.line(item), 0, f"{name} {yamlnodes.text(item, 'version')}")
        source = yamlnodes.text(item, "repository")
        yield Hazard(
            witness=Witness.READ, evidence=place, kind="subchart missing", what=name,
            detail=f"{names[folder]} asks for it{f' from {source}' if source else ''}, and charts/ does not hold it",
        )  # fmt: skip
        yield Unread(
            witness=Witness.READ, evidence=place, what=f"subchart {name}", reason=Reason.MISSING,
            detail="it is not in the package, and what it puts into the cluster is not known", needed=True,
        )  # fmt: skip


def _definitions(package: Package, folder: str) -> Iterator[AnyFact]:
    for path, member in package.members.items():
        if path.startswith(f"{folder}crds/") and member.kept and b"CustomResourceDefinition" in member.data:
            yield Hazard(
                witness=Witness.READ, evidence=member.evidence(), kind="not upgraded by Helm", what=member.name,
                detail="Helm makes what lies in crds/ once, and neither changes nor deletes it afterwards",
            )  # fmt: skip
