"""Feature flags in a JSON file."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fulldress.engine.acts.act import Act, Context, Done
from fulldress.engine.acts.files import new_metadata, put_back
from fulldress.engine.keeping import from_plain, keep
from fulldress.engine.venue import Venue
from fulldress.errors import RunbookError
from fulldress.findings import Outcome
from fulldress.runbook.steps import FlagStep


class SetFlag(Act[FlagStep]):
    repeatable = True

    def do(self, step: FlagStep, at: Context) -> Done:
        there = at.venue.stat(step.store)
        flags = read(step.store, at.venue) if there else {}
        if at.register and step.flag not in flags:
            at.register.intend(
                kind="flag",
                name=step.flag,
                where=step.store,
                owner=step.owner,
                expires=step.expires,
                step=step.name,
                details={},
            )
        data = dump(flags | {step.flag: step.value})
        at.keep(
            before=keep(step.store, at.venue, at.journal).plain(),
            after=hashlib.sha256(data).hexdigest(),
            new=step.flag not in flags,
        )
        at.venue.write(step.store, data, None if there else new_metadata(data))
        if at.register and at.position.kept.get("new", step.flag not in flags):
            at.register.created("flag", step.flag, step.store)
        return Done(Outcome.PASS, f"{step.flag} = {json.dumps(step.value)} in {step.store}")

    def undo(self, step: FlagStep, at: Context) -> Done:
        done = put_back(step.store, at)
        if done.outcome is not Outcome.PASS:
            done = self._only_the_flag(step, at, done)
        if done.outcome is Outcome.PASS and at.register and at.position.kept.get("new"):
            at.register.gone("flag", step.flag, step.store, done.detail)
        return done

    def _only_the_flag(self, step: FlagStep, at: Context, otherwise: Done) -> Done:
        """Other flags were set since: take back this one alone, if it still has our value."""
        before = from_plain(at.position.kept["before"])
        old = json.loads(at.journal.kept(before.sha256)) if before.sha256 else {}
        if at.venue.stat(step.store) is None:
            return otherwise
        now = read(step.store, at.venue)
        if now.get(step.flag) != step.value:
            return otherwise
        if step.flag in old:
            now[step.flag] = old[step.flag]
        else:
            del now[step.flag]
        at.venue.write(step.store, dump(now), None)
        return Done(Outcome.PASS, f"{step.store}: changed by someone since; only {step.flag} was taken back")


def read(store: str, venue: Venue) -> dict[str, Any]:
    """Flags of a JSON file. Raises :class:`~fulldress.errors.RunbookError` when it is not an object of flags."""
    try:
        flags = json.loads(venue.read(store))
    except ValueError as error:
        raise RunbookError(f"{store}: not a JSON file of flags ({error}); it was left as it is") from error
    if not isinstance(flags, dict):
        raise RunbookError(f"{store}: not a JSON object of flags; it was left as it is")
    return flags


def dump(flags: dict[str, Any]) -> bytes:
    return (json.dumps(flags, indent=2, ensure_ascii=False) + "\n").encode()


def remove(store: str, flag: str, venue: Venue) -> Done:
    """Take a flag out of its file and look again. A file that cannot be read is no proof of absence."""
    if venue.stat(store) is None:
        return Done(Outcome.UNKNOWN, f"{store}: no such file at this venue, so nothing shows that the flag is gone")
    flags = read(store, venue)
    if flag in flags:
        del flags[flag]
        venue.write(store, dump(flags), None)
    left = read(store, venue)
    if flag in left:
        return Done(Outcome.FAIL, f"{store}: {flag} came back")
    return Done(Outcome.PASS, f"{store}: {flag} is gone, {len(left)} other flags still read")
