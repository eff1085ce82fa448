"""Signatures judged in memory: a package of given files, a trust folder of given roots, a fixed day."""

from __future__ import annotations

from pathlib import Path

from fulldress.facts import AnyFact, Signature
from fulldress.package import signatures
from fulldress.package.reader import Options
from openfolder import FolderPackage, member
from signing import CODE, NOW, STAMP, Identity, identity

ROOT = identity("Vendor Root", ca=True)
LEAF = identity("Vendor Releases", ROOT, purposes=(CODE,))
TSA_ROOT = identity("Stamp Root", ca=True)
TSA = identity("Stamp Authority", TSA_ROOT, purposes=(STAMP,))
DATA = b"the payload\n" * 30


def facts(
    files: dict[str, bytes], trust: Path | None = None, kinds: dict[str, str] | None = None, **given: object
) -> list[AnyFact]:
    """Everything that is said."""
    rows = {path: member(path, data, (kinds or {}).get(path, "")) for path, data in files.items()}
    options = Options(trust=trust, **{"at": NOW, "today": NOW, **given})  # type: ignore[arg-type]
    return list(signatures.read(FolderPackage(rows, options=options)))


def read(
    files: dict[str, bytes], trust: Path | None = None, kinds: dict[str, str] | None = None, **given: object
) -> list[Signature]:
    """The signatures of it."""
    return [fact for fact in facts(files, trust, kinds, **given) if isinstance(fact, Signature)]


def trusting(folder: Path, *roots: Identity, below: str = "x509") -> Path:
    """A trust folder with these roots."""
    place = folder / "trust" / below
    place.mkdir(parents=True, exist_ok=True)
    for root in roots:
        (place / f"{root.sha256[:8]}.pem").write_bytes(root.pem)
    return folder / "trust"
