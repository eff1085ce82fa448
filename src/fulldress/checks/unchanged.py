"""FD044: a new label on the bytes that run already."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, rule, says, several
from fulldress.facts import Entry, Installed, Witness
from fulldress.findings import Severity

_PROGRAMS = ("elf", "pe", "macho", "jar", "war")


@rule("FD044", Severity.MAJOR, "A program of the product is byte for byte the one in production")
def runs_already(index: Index) -> Iterator[Hit]:
    release, name = index.release, index.product.lower().replace("_", "-")
    if release is None or len(name) < 3:
        return
    standing = {e.sha256: e for e in index.of(Entry, Witness.RUNNING) if e.sha256}
    installed = [i for i in index.of(Installed, Witness.RUNNING) if i.component.lower().replace("_", "-") == name]
    if any(i.version == release.version for i in installed):
        return  # the same release once more
    own = [e for e in index.of(Entry, Witness.READ) if e.kind in _PROGRAMS and _named(e.path, name)]
    same = [e for e in own if e.sha256 in standing]
    if not same:
        return
    names = several([e.path.rsplit("/", 1)[-1] for e in same], 3)
    yield Hit(
        title=f"{names} of {release.version} {'is' if len(same) == 1 else 'are'} what production runs already, byte for byte: "
        f"the upgrade changes nothing but the label there",
        subject=same[0].path if len(same) == 1 else "programs",
        remedy="Ask the vendor whether the right build was packed; compare with the build record of the new release.",
        testimony=(
            *(says(e, f"sha256 {e.sha256[:12]}") for e in same[:5]),
            *(says(standing[e.sha256], f"{standing[e.sha256].path}, the same bytes") for e in same[:5]),
            *(says(i, f"{i.component} {i.version}") for i in installed[:1]),
        ),
        severity=Severity.BLOCKER if len(same) == len(own) and installed else None,
    )


def _named(path: str, product: str) -> bool:
    """Whether a file carries the product's name; bundled parts of others rightly stay the same."""
    file = path.rsplit("/", 1)[-1].lower().replace("_", "-")
    return file.startswith(product)
