"""FD240 to FD242: what the ways back leave of rows that are written after the upgrade, and steps that do not come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from fulldress.checks.index import Index
from fulldress.checks.migrations import keep
from fulldress.checks.rule import Hit, brief, count, rule, says, several
from fulldress.facts import Survival, Undo, Witness
from fulldress.findings import Severity

#: Outcomes of a step that leave something otherwise than before, with what is said of them.
_LEFT = {
    "not restored": "does not bring back what was there",
    "nothing undone": "is empty, and takes nothing back",
    "no way back": "is not there",
    "fails": "fails",
}


@rule("FD240", Severity.MAJOR, "Coming back loses what was written after the upgrade")
def later_rows(index: Index) -> Iterator[Hit]:
    """One finding: ways back side by side. No finding where one of them keeps everything, old rows and new."""
    tried = [one for one in index.of(Survival, Witness.OBSERVED) if one.written]
    came = [one for one in tried if one.outcome == "ok"]
    if not tried or any(not one.lost and not one.changed and one.whole for one in came):
        return
    # a way that damages old rows is no way; then the one that loses least
    best = min(came, key=lambda one: (one.whole is False, one.lost + one.changed), default=None)
    if best is None:
        title = f"no way back came to its end with {count(tried[0].written, 'row')} written after the upgrade"
    else:
        of = count(best.written, "row")
        lost = f"loses {best.lost:,} of {of} written after the upgrade"
        if best.changed:
            lost += f" and changes {best.changed:,}" if best.lost else ""
            lost = lost if best.lost else f"changes {best.changed:,} of {of} written after the upgrade"
        which = "the best way back" if len(came) > 1 else "the way back"
        title = f"{which} ({best.way}) {lost}" + (f": {several(list(best.tables), 3)}" if best.tables else "")
        if best.whole is False:
            title += ", and old rows with them"
    yield Hit(
        title=title,
        subject="rows written after the upgrade",
        remedy="Decide until when you will come back, and keep writers away until then; or export the rows of these tables "
        "before going back.",
        testimony=tuple(says(one, _survival(one)) for one in index.of(Survival, Witness.OBSERVED)),
    )


def _survival(one: Survival) -> str:
    if one.outcome != "ok":
        return f"{one.way}: {one.outcome}"
    old = {True: "old rows whole", False: "old rows lost", None: "old rows not compared"}[one.whole]
    if not one.written:
        return f"{one.way}: {old}; {one.detail}".rstrip("; ")
    changed = f", {one.changed:,} changed" if one.changed else ""
    took = f", {_seconds(one.duration)}" if one.duration is not None else ""
    where = f" ({several(list(one.tables), 4)})" if one.tables else ""
    return f"{one.way}: {one.survive:,} survive, {one.lost:,} lost{changed}{where}; {old}{took}"


def _seconds(duration: timedelta) -> str:
    value = duration.total_seconds()
    return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.0f} ms"


@rule("FD241", Severity.MAJOR, "A step's own way back does not restore what was before it")
def steps(index: Index) -> Iterator[Hit]:
    """Weighed by what the release as a whole does: sub-steps of one change may only come back together. Where the release
    began on empty tables, nothing could be lost there, and the steps are all the proof there is."""
    every = index.of(Undo, Witness.OBSERVED)
    by_outcome: dict[str, list[Undo]] = defaultdict(list)
    for one in every:
        if one.granularity == "step" and one.outcome in _LEFT:
            by_outcome[one.outcome].append(one)
    releases = [one for one in every if one.granularity == "release" and one.outcome == "restored"]
    whole = any(one.rows for one in releases)
    bare = bool(releases) and not whole
    for outcome, found in by_outcome.items():
        names = several([one.name for one in found], 3)
        title = f"the way back of {names} {_LEFT[outcome]}"
        if whole:
            title += ", though all of them together come back"
        yield Hit(
            title=title,
            subject=found[0].name if len(found) == 1 else outcome,
            remedy="Come back over the whole release, never over some of its steps, or by restoring the offered snapshot."
            if whole
            else "Come back by restoring: the offered snapshot keeps the rows before the upgrade.",
            testimony=tuple(
                says(one, brief("; ".join(one.differences[:2]) or one.detail or one.outcome, 200)) for one in found
            ),
            severity=Severity.MINOR if whole else Severity.BLOCKER if bare else None,
            offers=None if whole else keep(database=True),
        )


@rule("FD242", Severity.BLOCKER, "A way back fails as soon as there are rows")
def with_rows(index: Index) -> Iterator[Hit]:
    for one in index.of(Undo, Witness.OBSERVED):
        if one.outcome == "fails with rows":
            made = "rows that were made from the schema" if one.made else "the rows of the copy"
            yield Hit(
                title=f"the way back of {one.name} runs on empty tables and fails on {made}",
                subject=one.name,
                remedy="Come back by restoring (the offered snapshot), and send the vendor the error: tested was an empty database.",
                testimony=(says(one, one.detail),),
                offers=keep(database=True),
            )
