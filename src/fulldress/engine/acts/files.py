"""Settings and files: the bytes before are kept, and come back unless somebody changed the file since."""

from __future__ import annotations

import hashlib
from typing import Any

from fulldress.engine.acts.act import Act, Context, Done
from fulldress.engine.keeping import digest, from_plain, keep, restore
from fulldress.engine.venue import Metadata, Venue
from fulldress.errors import RunbookError
from fulldress.findings import Outcome
from fulldress.runbook.steps import File, Setting


def new_metadata(data: bytes, mode: int = 0o644, uid: int = 0, gid: int = 0) -> Metadata:
    """Metadata for a file that was not there."""
    return Metadata(type="file", mode=mode, uid=uid, gid=gid, size=len(data), mtime_ns=0)


def put_back(path: str, at: Context) -> Done:
    """Three-way: only where now is what the step left may before be put back."""
    if not at.position.kept:
        return Done(Outcome.PASS, "nothing was changed yet")
    before, after = from_plain(at.position.kept["before"]), str(at.position.kept["after"])
    now = digest(path, at.venue)
    if now not in (after, before.sha256):
        kept = at.journal.folder / before.sha256 if before.sha256 else "nothing"
        return Done(Outcome.FAIL, f"{path}: changed by someone since, left as it is; before the step: {kept}")
    wrong = restore(before, at.venue, at.journal)
    return Done(Outcome.FAIL, wrong) if wrong else Done(Outcome.PASS, f"{path}: as before, byte for byte")


class SetSetting(Act[Setting]):
    repeatable = True

    def do(self, step: Setting, at: Context) -> Done:
        from fulldress import formats

        there = at.venue.stat(step.file)
        old = at.venue.read(step.file) if there else b""
        value = None if step.remove else step.value
        new = formats.edit(step.file, old.decode("utf-8"), step.key, value, step.format).encode()
        at.keep(before=keep(step.file, at.venue, at.journal).plain(), after=hashlib.sha256(new).hexdigest())
        if new == old:
            return Done(Outcome.PASS, f"{step.key}: already so")
        at.venue.write(step.file, new, None if there else new_metadata(new))
        return Done(Outcome.PASS, f"{step.key}: {'removed' if step.remove else 'set'} in {step.file}")

    def undo(self, step: Setting, at: Context) -> Done:
        done = put_back(step.file, at)
        return done if done.outcome is Outcome.PASS else self._only_the_key(step, at, done)

    def _only_the_key(self, step: Setting, at: Context, otherwise: Done) -> Done:
        """Somebody changed the file since: take back our key alone, and only if it is still ours."""
        from fulldress import formats

        if at.venue.stat(step.file) is None:
            return otherwise
        before = from_plain(at.position.kept["before"])
        now = at.venue.read(step.file).decode("utf-8")
        old = at.journal.kept(before.sha256).decode("utf-8") if before.sha256 else ""
        ours = None if step.remove else step.value
        if _value(step, now) != ours:
            return otherwise
        text = formats.edit(step.file, now, step.key, _value(step, old), step.format)
        at.venue.write(step.file, text.encode(), None)
        return Done(Outcome.PASS, f"{step.file}: changed by someone since; only {step.key} was taken back")


def _value(step: Setting, text: str) -> str | None:
    from fulldress import formats

    values = [key.value for key in formats.parse(step.file, text, step.format) if key.name == step.key]
    return values[-1] if values else None


class PutFile(Act[File]):
    repeatable = True

    def do(self, step: File, at: Context) -> Done:
        data = b"" if step.remove else _bytes(step, at)
        after = "" if step.remove else hashlib.sha256(data).hexdigest()
        at.keep(before=keep(step.path, at.venue, at.journal).plain(), after=after)
        if step.remove:
            if at.venue.stat(step.path) is not None:
                at.venue.remove(step.path)
            return Done(Outcome.PASS, f"{step.path}: removed")
        uid, gid = _owner(step.owner, at.venue)
        at.venue.write(step.path, data, new_metadata(data, step.mode, uid, gid))
        return Done(Outcome.PASS, f"{step.path}: {len(data)} bytes")

    def undo(self, step: File, at: Context) -> Done:
        return put_back(step.path, at)


def _bytes(step: File, at: Context) -> bytes:
    if not step.sha256:
        return step.text.encode()
    data = at.entries(step.sha256)
    if hashlib.sha256(data).hexdigest() != step.sha256:
        raise RunbookError(f"{step.path}: the package gives other bytes than the runbook names; nothing was written")
    return data


def _owner(owner: str, venue: Venue) -> tuple[int, int]:
    """``root``, ``root:adm``, ``0:4`` by the venue's own tables; empty is root."""
    user, _, group = (owner or "0").partition(":")
    uid, gid = _lookup(user, "/etc/passwd", venue)
    return uid, _lookup(group, "/etc/group", venue)[0] if group else gid


def _lookup(name: str, table: str, venue: Venue) -> tuple[int, int]:
    if name.isdigit():
        return int(name), int(name)
    for line in venue.read(table).decode(errors="replace").splitlines():
        fields: list[Any] = line.split(":")
        if fields[0] == name and len(fields) > 3:
            number = int(fields[2])
            return number, int(fields[3]) if table.endswith("passwd") else number
    raise RunbookError(f"{table}: no {name!r} at this venue")
