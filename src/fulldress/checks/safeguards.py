"""FD440 to FD444: guards of the host that a script takes away, steps that it does not hear of, restarts it does not rule out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, brief, rule, says, several
from fulldress.facts import Hazard, Witness
from fulldress.findings import Severity


def _by_path(index: Index, kind: str) -> dict[str, list[Hazard]]:
    found: dict[str, list[Hazard]] = defaultdict(list)
    for hazard in index.of(Hazard, Witness.READ):
        if hazard.kind == kind:
            found[hazard.evidence.path].append(hazard)
    return found


@rule("FD440", Severity.MAJOR, "Certificates are not checked: whoever sits between may answer")
def unchecked_certificates(index: Index) -> Iterator[Hit]:
    for path, found in _by_path(index, "certificate check off").items():
        things = several([brief(hazard.what, 60) for hazard in found])
        yield Hit(
            title=f"{path} takes any certificate for good: {things}",
            subject=path,
            remedy="Give the host's own authority to the script instead (REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS, curl --cacert), and take the switch out with the vendor's consent.",
            testimony=tuple(says(hazard, hazard.what) for hazard in found),
        )


@rule("FD441", Severity.MAJOR, "A guard of the host is switched off and not on again")
def guards_off(index: Index) -> Iterator[Hit]:
    for path, found in _by_path(index, "guard off").items():
        ways = several(list(dict.fromkeys(hazard.detail for hazard in found)))
        yield Hit(
            title=f"{path} leaves a guard off: {ways}",
            subject=path,
            remedy="Have it approved by whoever owns the host's security, and look after the step that it is on again.",
            testimony=tuple(says(hazard, hazard.what) for hazard in found),
        )


@rule("FD442", Severity.MINOR, "A step may fail and the script goes on as if it had worked")
def passed_over(index: Index) -> Iterator[Hit]:
    for path, found in _by_path(index, "failure passed over").items():
        things = several([brief(hazard.what, 60) for hazard in found])
        yield Hit(
            title=f"{path} goes on where this fails: {things}",
            subject=path,
            remedy="Look at the result of that step by hand before the next one.",
            testimony=tuple(
                says(hazard, f"{hazard.what} ({hazard.detail})" if hazard.detail else hazard.what) for hazard in found
            ),
        )


@rule("FD443", Severity.MAJOR, "A step is started, and the next ones do not wait for it")
def not_waited_for(index: Index) -> Iterator[Hit]:
    for path, found in _by_path(index, "not waited for").items():
        things = several([brief(hazard.what, 60) for hazard in found])
        yield Hit(
            title=f"{path} does not wait for this and goes on: {things}",
            subject=path,
            remedy="Run that step by hand and wait for its end: Start-Process … -Wait -PassThru, start /wait, Popen(…).wait().",
            testimony=tuple(says(hazard, f"{hazard.what} ({hazard.detail})") for hazard in found),
        )


@rule("FD444", Severity.MINOR, "An installer may restart the host by itself")
def restart_not_ruled_out(index: Index) -> Iterator[Hit]:
    for path, found in _by_path(index, "restart not ruled out").items():
        things = several([brief(hazard.what, 60) for hazard in found])
        yield Hit(
            title=f"{path} may restart the host in the middle of the upgrade: {things}",
            subject=path,
            remedy="Add /norestart (msiexec also takes REBOOT=ReallySuppress), look for exit code 3010, and restart when you say so.",
            testimony=tuple(says(hazard, hazard.detail or hazard.what) for hazard in found),
        )
