"""Run SQL files of the package against a database, file by file, and their counterparts on the way back."""

from __future__ import annotations

import hashlib

from fulldress.engine.acts.act import Act, Context, Done
from fulldress.errors import RunbookError
from fulldress.facts import excerpt
from fulldress.findings import Outcome
from fulldress.runbook.steps import Migrate


class RunMigration(Act[Migrate]):
    """Every file that is through is a part in the journal, so that none runs twice."""

    def do(self, step: Migrate, at: Context) -> Done:
        for index, sha256 in enumerate(step.ups):
            part = f"up {index + 1} {sha256[:12]}"
            if part in at.position.parts:
                continue
            if ended := self._file(step, sha256, _name(step.paths, index, sha256), at):
                return ended
            at.part(part)
        return Done(Outcome.PASS, f"{len(step.ups)} file{'s' if len(step.ups) != 1 else ''}")

    def alive(self, step: Migrate, at: Context) -> list[str]:
        """A server goes on with a statement after its client died."""
        name = f"fulldress {step.name}".encode()[:63].decode(errors="ignore").replace("'", "''")
        sql = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{name}' AND pid <> pg_backend_pid()"  # noqa: S608
        rows = at.venue.query(step.database, sql)
        return [f"session {row['pid']} of database {step.database}" for row in rows]

    def undoes(self, step: Migrate) -> bool:
        return bool(step.downs)

    def undo(self, step: Migrate, at: Context) -> Done:
        through = sum(part.startswith("up ") for part in at.position.parts)
        missed = len(step.ups) - through
        paired = len(step.downs) == len(step.ups)
        if missed and not paired and through:
            return Done(Outcome.UNKNOWN, f"{through} of {len(step.ups)} files ran, and no down belongs to each")
        # downs stand in the order in which they run: the first takes back the last up
        skip = missed if paired else (len(step.downs) if not through else 0)
        for index, sha256 in list(enumerate(step.downs))[skip:]:
            part = f"down {index + 1} {sha256[:12]}"
            if part in at.position.parts:
                continue
            if ended := self._file(step, sha256, _name(step.down_paths, index, sha256), at):
                return ended
            at.part(part)
        if missed and at.position.state == "failed":
            name = _name(step.paths, through, step.ups[through])
            return Done(Outcome.PASS, f"{name} failed and was left to its own transaction")
        return Done(Outcome.PASS, f"{len(step.downs) - skip} down")

    def _file(self, step: Migrate, sha256: str, name: str, at: Context) -> Done | None:
        data = at.entries(sha256)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise RunbookError(f"{name}: the package gives other bytes than the runbook names; nothing was run")
        run = at.venue.execute(step.database, script(step, data), name=name, step=step.name)
        if run.outcome is Outcome.PASS:
            return None
        return Done(run.outcome, f"{name}: {excerpt(run.error) or 'it ended without an error and without success'}")


def script(step: Migrate, data: bytes) -> str:
    """A file of the step as it is sent to the database: the vendor's bytes behind what the runbook asks for."""
    return _prelude(step) + _text(data)


def _prelude(step: Migrate) -> str:
    """On the script's first line, so that the server's line numbers stay the vendor's."""
    words = ""
    if step.lock_timeout:
        words += f"SET lock_timeout = '{round(step.lock_timeout * 1000)}ms'; "
    if step.advisory_lock:
        words += f"SELECT pg_advisory_lock({step.advisory_lock}); "
    return words


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _name(names: tuple[str, ...], index: int, sha256: str) -> str:
    return names[index] if index < len(names) else sha256[:12]
