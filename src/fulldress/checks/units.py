"""FD450–FD452: what the order of units does beyond the unit that a script names."""

from __future__ import annotations

from collections.abc import Iterator

from fulldress.checks.index import Index, unit_name
from fulldress.checks.rule import Hit, rule, says, several
from fulldress.facts import Restart, Service, Witness
from fulldress.findings import Severity

_STARTS = ("start", "restart", "try-restart", "reload-or-restart", "enable --now")


@rule("FD450", Severity.MAJOR, "A unit goes down with the one that is stopped, and nothing starts it again")
def taken_down(index: Index) -> Iterator[Hit]:
    """``Requires``, ``BindsTo`` and ``PartOf`` pass a stop on, and a restart; a start they do not (systemd.unit(5))."""
    touched = index.of(Restart, Witness.READ)
    stopped = {unit_name(r.unit): r for r in touched if r.action == "stop"}
    started = {unit_name(r.unit) for r in touched if r.action in _STARTS}
    for unit, stop in stopped.items():
        if unit not in started:
            continue  # it stays down itself, and that is told
        down = [s for s in index.units.values() if unit in map(unit_name, s.depends)]
        lost: list[Service] = [s for s in down if unit_name(s.unit) not in started]
        if lost:
            names = several([s.unit for s in lost])
            yield Hit(
                title=f"{names} {'goes' if len(lost) == 1 else 'go'} down with {stop.unit} and stay{'s' if len(lost) == 1 else ''} down: "
                f"a stop travels along, a start does not",
                subject=", ".join(sorted(s.unit for s in lost)),
                remedy=f"Start {names} after {stop.unit}, as a step of the runbook.",
                testimony=(
                    says(stop, stop.command or f"stops {stop.unit}"),
                    *(says(s, f"needs {stop.unit}") for s in lost),
                ),
                offers={
                    "kind": "service",
                    "name": f"start-{lost[0].unit}",
                    "unit": lost[0].unit,
                    "action": "start",
                    "phase": "after",
                }
                if len(lost) == 1
                else None,
            )
