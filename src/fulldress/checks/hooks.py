"""FD514 and on: what package managers start by themselves, and where Helm does not do what one expects."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, count, rule, says, several
from fulldress.facts import Hazard, Hook, Installed, Witness
from fulldress.findings import Severity

#: Moments of Helm's that an upgrade passes through.
UPGRADE = ("pre-upgrade", "post-upgrade")


def started(hooks: list[Hook]) -> list[Hook]:
    """The hooks that an upgrade starts, in their order; a chart's that only an installation or a removal has, are not."""
    found = [
        hook
        for hook in hooks
        if hook.enabled and (hook.manager != "Helm" or hook.moment in UPGRADE) and hook.moment != "activates"
    ]
    return sorted(found, key=lambda hook: (hook.moment.startswith("post"), hook.order))


@rule("FD514", Severity.MINOR, "A hook decides whether the upgrade goes on")
def deciding(index: Index) -> Iterator[Hit]:
    for hook in started(index.of(Hook, Witness.READ)):
        if hook.manager == "Helm" and hook.moment == "pre-upgrade":
            ends = f", ended after {hook.seconds} s" if hook.seconds else ""
            yield Hit(
                title=f"{hook.name} runs first, and the upgrade ends where it fails: {hook.command}",
                subject=f"{hook.manager} {hook.name}",
                remedy="Rehearse the hook alone first; helm upgrade waits 5 min for it unless --timeout says otherwise.",
                testimony=(says(hook, f"{hook.moment}, weight {hook.order}{ends}"),),
            )


@rule("FD515", Severity.MAJOR, "A chart lacks a chart that it asks for")
def lacking(index: Index) -> Iterator[Hit]:
    found = [h for h in index.of(Hazard, Witness.READ) if h.kind == "subchart missing"]
    if found:
        names = several(sorted({hazard.what for hazard in found}), 3)
        yield Hit(
            title=f"Helm refuses the chart as it came: {names} {'is' if len(found) == 1 else 'are'} not in charts/",
            subject="subcharts",
            remedy="Ask the vendor for the whole package (helm dependency build, then helm package), and inspect that.",
            testimony=tuple(says(hazard, hazard.detail) for hazard in found),
        )


@rule("FD516", Severity.MINOR, "Helm does not upgrade what lies in crds/")
def definitions(index: Index) -> Iterator[Hit]:
    found = [h for h in index.of(Hazard, Witness.READ) if h.kind == "not upgraded by Helm"]
    if found:
        yield Hit(
            title=f"{count(len(found), 'file')} in crds/ will not be upgraded: {several([h.what for h in found], 3)}",
            subject="crds",
            remedy="Compare them with the cluster's, and apply them before the upgrade: "
            "kubectl apply --server-side -f crds/ (kubectl diff -f crds/ shows what would change).",
            testimony=tuple(says(hazard, hazard.detail) for hazard in found),
        )


@rule("FD517", Severity.MINOR, "A deployment is down while it is replaced")
def recreated(index: Index) -> Iterator[Hit]:
    for hazard in index.of(Hazard, Witness.READ):
        if hazard.kind == "down while replaced":
            yield Hit(
                title=f"{hazard.what} is down while it is replaced: its strategy is Recreate",
                subject=hazard.what,
                remedy="Count its start into the downtime, or ask the vendor whether it can roll.",
                testimony=(says(hazard, hazard.detail),),
            )


@rule("FD518", Severity.NOTE, "Installing the package starts a program of the vendor's")
def at_installation(index: Index) -> Iterator[Hit]:
    for hook in started(index.of(Hook, Witness.READ)):
        if hook.manager in ("npm", "pip"):
            yield Hit(
                title=f"{hook.manager} starts {hook.command or hook.name} at {hook.moment}",
                subject=f"{hook.manager} {hook.moment} {hook.name}",
                remedy="Where your policy forbids it (--ignore-scripts, --only-binary), the package is not complete without it: rehearse both.",
                testimony=(says(hook, hook.command),),
            )


@rule("FD526", Severity.NOTE, "Installing the package takes others off the host")
def taken_off(index: Index) -> Iterator[Hit]:
    there = {fact.component for fact in index.of(Installed)}
    taken = [h for h in index.of(Hazard, Witness.DECLARED) if h.kind == "takes others off"]
    for source in dict.fromkeys(h.evidence.path for h in taken):
        group = [h for h in taken if h.evidence.path == source]
        here = [h for h in group if h.what.partition(",")[0] in there]
        names = several([h.what for h in here or group])
        yield Hit(
            title=f"the package manager takes {names} off the host"
            + (", and production has it" if here else " where it is there"),
            subject=names,
            remedy="See what goes with it: install with --simulate (apt-get -s install, dnf --assumeno) on a host like production.",
            testimony=tuple(says(h, h.detail) for h in here or group),
            severity=Severity.MAJOR if here else None,
        )
