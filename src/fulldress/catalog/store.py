"""What packages said of themselves, remembered: one small file per package ever inspected, so that versions can be set
side by side. Holds releases, settings, fates of keys and signers only; secrets were masked when they were read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from fulldress.errors import CaseError
from fulldress.facts import AnyFact, Fact, Release, Setting, SettingChange, Signature


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One package: its digest, its name as it arrived, and what is kept of it."""

    source: str
    name: str
    facts: list[AnyFact]


def default_folder() -> Path:
    """``$FULLDRESS_STORE``, else ``fulldress`` below the user's data folder (XDG Base Directory Specification)."""
    if given := os.environ.get("FULLDRESS_STORE"):
        return Path(given)
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / "fulldress"


class Store:
    """A folder of kept packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "packages"

    def remember(self, source: str, name: str, facts: Iterable[Fact]) -> None:
        """Keep what matters of a package; the same digest replaces what was kept. Whole or not at all."""
        kept = [fact for fact in facts if isinstance(fact, Release | Setting | SettingChange | Signature)]
        self.folder.mkdir(parents=True, exist_ok=True)
        data = msgspec.json.encode({"source": source, "name": name, "facts": kept})
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self.folder / f"{source}.json")
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise

    def all(self) -> list[Kept]:
        """Everything kept, by name. Raises :class:`~fulldress.errors.CaseError` for a file that is none of ours."""
        found = []
        for path in sorted(self.folder.glob("*.json")) if self.folder.is_dir() else ():
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Kept))
            except msgspec.DecodeError as error:
                raise CaseError(
                    f"{path}: not a kept package ({error}). Remove it and inspect that package again."
                ) from None
        return sorted(found, key=lambda kept: (kept.name, kept.source))

    def before(self, source: str, facts: Iterable[Fact]) -> Kept | None:
        """The package of the same product that was kept last, and that is not this one."""
        products = {fact.product.lower() for fact in facts if isinstance(fact, Release) and fact.product}
        found: list[tuple[float, Kept]] = []
        for kept in self.all():
            named = {fact.product.lower() for fact in kept.facts if isinstance(fact, Release)}
            if kept.source != source and named & products:
                found.append(((self.folder / f"{kept.source}.json").stat().st_mtime, kept))
        return max(found, key=lambda pair: pair[0])[1] if found else None
