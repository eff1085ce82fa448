"""What changed in the staged files, and in which step: the layers, looked at after every step."""

from __future__ import annotations

import msgspec

from fulldress.engine.venue import Metadata, Snapshot
from fulldress.facts import FileEffect
from fulldress.stage import effects

_GONE = Metadata(type="gone", mode=0, uid=0, gid=0, size=0, mtime_ns=0)


class Changes:
    """``left_out``: a folder whose changes are nobody's effect, with a slash at its end (the laid out package's)."""

    def __init__(self, layers: effects.Layers, source: str, left_out: str) -> None:
        self._layers = layers
        self._source = source
        self._left_out = left_out
        self._touched: dict[str, list[str]] = {}
        self._seen: dict[str, tuple[int, int, int, int] | None] = {}

    def attribute(self, step: str) -> None:
        """Give every path that changed since the last look to ``step``."""
        paths = set(self._layers.changed())
        for path in paths | set(self._seen):
            mark = self._layers.signature(path)
            if path not in self._seen or self._seen[path] != mark:
                self._seen[path] = mark
                steps = self._touched.setdefault(path, [])
                if step not in steps:
                    steps.append(step)

    def effects(self, step: str | None = None) -> list[FileEffect]:
        """Every file that is not as it was when the stage was set up; with ``step``, those that this step touched."""
        found: list[FileEffect] = []
        for path in sorted(self._touched):
            steps = [s for s in self._touched[path] if s]
            if (step is not None and step not in self._touched[path]) or path.startswith(self._left_out):
                continue
            before, after = self._layers.before(path), self._layers.after(path)
            found += effects.compare(path, before, after, steps[-1] if steps else "", self._source)
        return found

    def closed(self) -> list[str]:
        """Folders of the stage that this user may not look into: changes below them are not known."""
        return self._layers.closed()

    def undo_check(self, before: Snapshot) -> list[FileEffect]:
        """Every path that is not byte for byte what it was at ``before``: content, mode, owner, link, attributes."""
        found: list[FileEffect] = []
        for path in sorted({*self._layers.changed(), *before.files}):
            if f"{path}/".startswith(self._left_out):
                continue
            earlier = self._layers.before(path)
            kept = before.files.get(path)
            if kept is not None:
                same = earlier is not None and earlier.metadata.sha256 == kept.sha256
                source = earlier.source if same and earlier is not None else ""
                earlier = effects.Node(metadata=kept, source=source) if kept.type != "gone" else None
            steps = [s for s in self._touched.get(path, []) if s]
            changes = effects.compare(path, earlier, self._layers.after(path), steps[-1] if steps else "", self._source)
            found += [msgspec.structs.replace(change, left=True) for change in changes]
        return found

    def files(self) -> dict[str, Metadata]:
        """Every path that is not as it was, as it is now; one that was removed has the type ``gone``."""
        found: dict[str, Metadata] = {}
        for path in self._layers.changed():
            node = self._layers.after(path)
            found[path] = node.metadata if node is not None else _GONE
        return found

    def sizes(self) -> dict[str, int]:
        """Bytes of every regular file that is not as it was, by path."""
        found: dict[str, int] = {}
        for path in self._layers.changed():
            mark = self._layers.signature(path)
            if mark is not None and mark[3] & 0o170000 == 0o100000:
                found[path] = mark[2]
        return found

    def size_before(self, path: str) -> int:
        """Bytes of a path when the stage was set up; 0 when it was not there."""
        node = self._layers.before(path)
        return node.metadata.size if node is not None else 0
