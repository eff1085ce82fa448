"""On which distribution images stand, and what compose files fetch; the images of manifests are read by :mod:`..kubernetes`.

Sources: tags of official images name the release they are built on; ``os-release(5)`` in the layers of an image that the
package holds; the last stage of a Dockerfile.
"""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.facts import AnyFact
from fulldress.package.baseimages import bases, references
from fulldress.package.reader import Package
from fulldress.package.schedules import yamlnodes
from fulldress.package.schedules.elsewhere import ASIDE


def read(package: Package) -> Iterator[AnyFact]:
    """Bases of images, and requirements of compose files."""
    import yaml

    for path in sorted(package.members):
        member = package.members[path]
        if not member.kept or ASIDE.search(path):
            continue
        if member.name == "os-release":
            yield from bases.of_files(package, member)
        elif member.name in ("Dockerfile", "Containerfile"):
            yield from references.of_build(member)
        elif member.name.endswith((".yaml", ".yml")) and b"services:" in member.data and b"image:" in member.data:
            try:
                roots = yamlnodes.documents(member.text)
            except (yaml.YAMLError, yamlnodes.TooDeep, RecursionError):
                continue  # no compose file; a manifest is told of by its own reader
            for root in roots:
                yield from references.of_compose(package, member, root)
