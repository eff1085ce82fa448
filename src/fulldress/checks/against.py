"""FD030–FD039, FD609: what an older package of the same product, laid beside the new one, brings to light."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.checks.constraint import plain
from fulldress.checks.index import Index
from fulldress.checks.migrations import FEW
from fulldress.checks.rule import Hit, rule, says, several
from fulldress.facts import Binary, Change, Lookup, Requirement, Schedule, Setting, Signature, Witness
from fulldress.findings import Severity

_LOOSE = ("any version", "floating tag", "unbounded above")


def _changes(index: Index, family: str, *what: str) -> list[Change]:
    return [c for c in index.of(Change) if c.family == family and c.what in what]


@rule("FD030", Severity.MAJOR, "The same release was seen before with other bytes")
def reissued(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "Release", "same"):
        yield Hit(
            title=f"{change.subject} was seen before with other bytes: what was learnt of that copy does not hold for this one",
            subject=change.subject,
            remedy="Ask the vendor which of the two is the release and why it was issued again; then inspect and rehearse that one anew.",
            testimony=(says(change, f"before: {change.before}"), says(change, f"now: {change.after}")),
        )


@rule("FD031", Severity.MAJOR, "A program of the new release has the old release's bytes")
def unchanged_program(index: Index) -> Iterator[Hit]:
    own = [c for c in _changes(index, "Binary", "same") if _own(index, c.subject)]
    if not own:
        return
    every = len(own) == sum(1 for b in index.of(Binary, Witness.READ) if _own(index, b.path))
    names = several([change.subject for change in own], 3)
    yield Hit(
        title=f"{names}: byte for byte the old release's; the upgrade changes nothing but the label there",
        subject=own[0].subject if len(own) == 1 else "programs",
        remedy="Ask the vendor whether the right build was packed; compare with the build record of the new release.",
        testimony=tuple(says(change, f"same bytes as {change.before}") for change in own[:10]),
        severity=Severity.BLOCKER if every else None,
    )


@rule("FD032", Severity.MAJOR, "The new package is the older release")
def downgrade(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "Release", "changed"):
        before, after = plain(change.before), plain(change.after)
        if before and after and after < before:
            yield Hit(
                title=f"{change.subject} goes from {change.before} back to {change.after}",
                subject=change.subject,
                remedy="Check that the two packages were not given in the wrong order; else ask the vendor for the way back to an older release.",
                testimony=(says(change, f"{change.before} → {change.after}"),),
            )


@rule("FD033", Severity.MINOR, "A job of the old release is gone")
def lost_job(index: Index) -> Iterator[Hit]:
    present = [(s.command, s.script.rsplit("/", 1)[-1]) for s in index.of(Schedule, Witness.READ)]
    for change in _changes(index, "Schedule", "removed"):
        words = set(change.before.split())
        if any(
            command in change.before or (script and any(w.endswith(script) for w in words))
            for command, script in present
        ):
            continue  # it runs under another name
        yield Hit(
            title=f"{change.subject} no longer runs: {change.before}",
            subject=change.subject,
            remedy="Ask the vendor what does its work now; where that is log rotation or clean-up, watch the disk, or keep the old job.",
            testimony=(says(change, f"in the old package: {change.before}"),),
        )


@rule("FD034", Severity.MINOR, "A dependency is held more loosely than before")
def loosened(index: Index) -> Iterator[Hit]:
    fetched = [r for r in index.of(Requirement) if not r.optional and not r.host]
    loose = {r.canonical: r for r in fetched if r.looseness.value in _LOOSE}
    found: list[tuple[Change, str]] = []
    for change in _changes(index, "Requirement", "added", "changed"):
        if change.subject not in loose or any(word in change.before for word in _LOOSE):
            continue
        held = f"was {change.before}, is now" if change.before else "is new, and"
        found.append((change, f"{change.subject} {held} {loose[change.subject].constraint or 'any version'}"))
    if len(found) > FEW:
        yield Hit(
            title=f"{len(found)} dependencies are held more loosely than before: {several([words for _, words in found], 3)}",
            subject="dependencies",
            remedy="Pin them to the versions of the rehearsal, and install them from a mirror of your own.",
            testimony=tuple(says(change, f"{change.before or 'absent'} → {change.after}") for change, _ in found),
        )
        return
    for change, words in found:
        yield Hit(
            title=f"{words}: what comes on the day was never rehearsed",
            subject=change.subject,
            remedy=f"Pin {change.subject} to the version of the rehearsal, and install it from a mirror of your own.",
            testimony=(says(change, f"{change.before or 'absent'} → {change.after}"),),
        )


@rule("FD035", Severity.MAJOR, "A library no longer gives symbols that others may link with")
def lost_symbols(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "Binary", "changed"):
        if not change.lost:
            continue
        yield Hit(
            title=f"programs linked with {change.subject} may not start: {several(list(change.lost), 3)} "
            f"{'is' if len(change.lost) == 1 else 'are'} gone from it",
            subject=change.subject,
            remedy=f"Look for programs of your own that use them (nm -D --undefined-only), and rebuild those against the new {change.subject}.",
            testimony=(says(change, f"{change.before}; {change.after}"),),
        )


@rule("FD036", Severity.MAJOR, "The settings file is read from another place")
def moved_settings(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "Setting", "moved"):
        yield Hit(
            title=f"what you set in {change.before} is ignored: the new release ships {change.subject} as {change.after}",
            subject=change.after,
            remedy=f"Carry your values over before the first start: merge {change.before} into {change.after}, and remove the old file afterwards.",
            testimony=(says(change, f"{change.before} → {change.after}"),),
        )


@rule("FD037", Severity.MAJOR, "The old release was signed and the new one is not")
def unsigned_now(index: Index) -> Iterator[Hit]:
    gone = [c for c in _changes(index, "Signature", "removed") if not c.before.startswith("?")]
    if gone and not any(s.names_a_maker for s in index.of(Signature)):
        yield Hit(
            title=f"the old release was signed by {gone[0].before.split(', intact')[0]}; nobody signed this one",
            subject="signature",
            remedy="Ask the vendor for the signature over this package, by a way that you know from before.",
            testimony=tuple(says(change, f"in the old package: {change.before}") for change in gone[:3]),
        )


@rule("FD038", Severity.MAJOR, "A program is older than the one it replaces")
def older_program(index: Index) -> Iterator[Hit]:
    for change in _changes(index, "Binary", "changed"):
        before, after = plain(change.before.split(" ")[0]), plain(change.after.split(" ")[0])
        older = change.after.endswith("(older than the one it replaces)")
        if older or (before and after and after < before):
            yield Hit(
                title=f"{change.subject} goes back: {change.before} → {change.after.split(' (older')[0]}",
                subject=change.subject,
                remedy=f"Ask the vendor for the build record of {change.subject}, and which build the release notes describe.",
                testimony=(says(change, f"{change.before} → {change.after}"),),
            )


@rule("FD609", Severity.MAJOR, "The new code stops without a key that the old code did not need")
def newly_needed(index: Index) -> Iterator[Hit]:
    needed = {lookup.key: lookup for lookup in index.of(Lookup, Witness.READ) if lookup.required}
    present = {setting.key.lower() for setting in index.of(Setting, Witness.RUNNING)}
    for change in _changes(index, "Lookup", "added", "changed"):
        lookup = needed.get(change.subject)
        if lookup is None or change.before == "required" or change.subject.lower() in present:
            continue
        yield Hit(
            title=f"the new code stops where {change.subject} is not set"
            + ("" if not index.has_production else ", and production does not set it"),
            subject=change.subject,
            remedy=f"Ask the vendor for its value, and set {change.subject} in the {lookup.place} of every service before the first start.",
            testimony=(says(lookup, f"looked up in the {lookup.place}, without a default"),),
            severity=None if index.has_production else Severity.MINOR,
        )


def _own(index: Index, path: str) -> bool:
    """Whether a file carries the product's name; bundled parts of others rightly stay the same."""
    name = index.product.lower().replace("_", "-")
    file = path.rsplit("/", 1)[-1].lower().replace("_", "-")
    return len(name) >= 3 and (file.startswith(name) or (name.startswith(file.split(".")[0]) and len(file) > 3))
