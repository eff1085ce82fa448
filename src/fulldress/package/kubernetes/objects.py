"""Objects of Kubernetes in manifests and in roughly rendered templates of Helm charts, with their containers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from fulldress.package.reader import Member, Package
from fulldress.package.schedules import helm, yamlnodes
from fulldress.patterns import regex

_LARGEST = 1 << 20
#: Material of tests and of bundled components; what it holds is not put into a cluster by the upgrade.
_ELSEWHERE = regex(
    r"(?i)(?:^|/)(?:node_modules|site-packages|dist-packages|testdata|tests?|fixtures|examples?|samples?|docs?|vendor)/"
)
#: Documents of which nothing is told, and that make manifests large.
_DATA = regex(r"(?m)^kind:[ \t]*[\"']?(?:CustomResourceDefinition|ConfigMap|Secret)\b")
_KIND = regex(r"(?m)^kind:")
_POD = {
    "Pod": ("spec",), "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(("Job", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"), ("spec", "template", "spec")),
}  # fmt: skip
HOOK = "helm.sh/hook"
_CHART = {"AppVersion": "appVersion", "Version": "version", "Name": "name"}
_OF_CHART = regex(r"\$?\.Chart\.(AppVersion|Version|Name)\b")


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """``node`` is its root. ``off``: the value of the chart that would have to be set for it to be there at all."""

    kind: str
    name: str
    node: Any
    off: str = ""

    @property
    def label(self) -> str:
        """Its kind and name, as a person would say them."""
        return f"{self.kind} {self.name}".replace(helm.OPEN, "…")

    def said(self, *path: str) -> str:
        """The scalar at the end of a path of keys."""
        return yamlnodes.text(self.node, *path)

    @property
    def hooks(self) -> tuple[str, ...]:
        """The moments at which Helm makes it, rather than with the rest of the release."""
        return tuple(word.strip() for word in self.said("metadata", "annotations", HOOK).split(",") if word.strip())

    def pod(self) -> Any:
        return yamlnodes.get(self.node, *_POD[self.kind]) if self.kind in _POD else None

    def containers(self) -> Iterator[Any]:
        """Its containers, those first that run before the others."""
        for key in ("initContainers", "containers"):
            yield from (item for item in yamlnodes.items(yamlnodes.get(self.pod(), key)) if item is not None)


class Unfilled(Exception):
    """A manifest or template that is no YAML, not even when its holes are filled."""


class TooLarge(Unfilled):
    """A manifest of more text than is parsed, what only holds data left out."""


def is_manifest(member: Member) -> bool:
    """Whether a file is worth a look: YAML (or JSON) that names a kind and an API version."""
    return (
        member.kind in ("yaml", "text", "json")
        and member.kept
        and (member.kind != "text" or member.name.endswith((".yaml", ".yml")))
        and b"apiVersion" in member.data
        and b"kind" in member.data
        and not _ELSEWHERE.search(member.inner)
        and member.name not in ("Chart.yaml", "values.yaml")
    )


def objects(package: Package, member: Member) -> list[Object]:
    """The objects of one file; of a large one without definitions and maps, of which nothing is told. Raises
    :class:`Unfilled`."""
    import yaml

    template = helm.is_template(member)
    given = helm.values(package, member) if template else None
    told = _lean(_told(package, member))
    rendered = helm.render(told, given) if template else helm.Rendered(told, ())
    try:
        roots = yamlnodes.documents(rendered.text)
    except (yaml.YAMLError, yamlnodes.TooDeep, RecursionError) as error:
        raise Unfilled(str(error).split("\n")[0]) from error
    found = []
    for root in roots:
        for node in [root, *yamlnodes.items(yamlnodes.get(root, "items"))]:
            kind = yamlnodes.text(node, "kind")
            if kind and yamlnodes.get(node, "apiVersion") is not None and yamlnodes.get(node, "metadata") is not None:
                off, value = helm.switched_off(rendered, yamlnodes.line(node), given)
                name = yamlnodes.text(node, "metadata", "name") or yamlnodes.text(node, "metadata", "generateName")
                if not name.replace(helm.OPEN, "").strip(" -."):
                    name = f"of {member.name}"  # a name that a helper of the chart makes
                found.append(Object(kind=kind, name=name, node=node, off=value if off else ""))
    return found


def _lean(text: str) -> str:
    """A text of more than :data:`_LARGEST` characters without the documents that only hold data, its lines kept."""
    if len(text) <= _LARGEST:
        return text
    pieces = [
        "\n" * piece.count("\n") if _DATA.search(piece) and len(_KIND.findall(piece)) == 1 else piece
        for piece in re.split(r"(?m)^(?=---)", text)
    ]
    if sum(map(len, pieces)) > _LARGEST:
        raise TooLarge(f"{len(text):,} characters are too many for a manifest, definitions and maps left out")
    return "".join(pieces)


def _told(package: Package, member: Member) -> str:
    """A template's text with what the chart says of itself put in: ``.Chart.AppVersion`` and its kin."""
    import yaml

    root = f"/{member.path}".rsplit("/templates/", 1)[0].lstrip("/")
    chart = package.members.get(f"{root}/Chart.yaml" if root else "Chart.yaml")
    if chart is None or not chart.kept or b".Chart." not in member.data:
        return member.text
    try:
        nodes = yamlnodes.documents(chart.text)
    except (yaml.YAMLError, yamlnodes.TooDeep, RecursionError):
        return member.text
    said = {field: yamlnodes.text(nodes[0], key) if nodes else "" for field, key in _CHART.items()}
    return _OF_CHART.sub(lambda match: json.dumps(said[match[1]]) if said[match[1]] else match[0], member.text)


def command(container: Any) -> tuple[str, int]:
    """What a container runs instead of what its image says, as one command line, and the line where it stands."""
    parts = [yamlnodes.get(container, key) for key in ("command", "args")]
    words = [word for part in parts for word in yamlnodes.words(part)]
    line = next((yamlnodes.line(part) for part in parts if part is not None), 0)
    if (
        len(words) >= 3
        and words[0].rsplit("/", 1)[-1] in ("sh", "bash", "ash")
        and words[1].startswith("-")
        and "c" in words[1]
    ):
        script = yamlnodes.get(container, "args") if len(yamlnodes.words(parts[0])) < 3 else parts[0]
        node = (yamlnodes.items(script) or [script])[-1]
        # The text of a block begins on the line below its mark.
        return words[2], yamlnodes.line(node) + (getattr(node, "style", None) in ("|", ">"))
    return " ".join(f"'{word}'" if " " in word or not word else word for word in words), line
