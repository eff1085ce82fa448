"""What happened on the stage, as facts: the events of the first process, folded."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from fulldress.facts import (
    AnyFact,
    Command,
    Credential,
    Downtime,
    Endpoint,
    Evidence,
    Health,
    Privilege,
    Reason,
    Reboot,
    Restart,
    Unread,
    Witness,
    excerpt,
    mask,
)
from fulldress.stage.sink import Contact

_ACTIONS = frozenset({"start", "stop", "restart", "reload", "enable", "disable", "mask", "unmask", "reenable", "preset", "kill",
                      "try-restart", "reload-or-restart"})  # fmt: skip


class Observed:
    """Collects facts; every method may be called by any thread."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._lock = threading.Lock()
        self._facts: list[AnyFact] = []
        self.rebooted = threading.Event()

    def evidence(self, event: dict[str, Any], text: str = "") -> Evidence:
        at = datetime.fromtimestamp(event["at"], UTC)
        return Evidence(source=self.source, step=event.get("step", ""), at=at, excerpt=excerpt(text))

    def add(self, *facts: AnyFact) -> None:
        with self._lock:
            self._facts += facts

    def facts(self) -> list[AnyFact]:
        with self._lock:
            return list(self._facts)

    def take(self, event: dict[str, Any]) -> None:
        """Turn one event into facts."""
        kind = event["event"]
        if kind == "command":
            self._command(event)
        elif kind in ("asked", "left"):
            note = "asked for input" if kind == "asked" else "still running when the step ended"
            argv = masked(event["argv"])
            self.add(
                Command(witness=Witness.OBSERVED, evidence=self.evidence(event, " ".join(argv)), argv=argv, note=note)
            )
        elif kind == "acted" and event["action"] in _ACTIONS:
            self._acted(event)
        elif kind == "rebooted":
            words = f"{event['kind']}; started again: {', '.join(event['units']) or 'nothing is enabled'}"
            self.add(
                Reboot(
                    witness=Witness.OBSERVED,
                    evidence=self.evidence(event, words),
                    claim="performed",
                    command=event["kind"],
                )
            )
            self.rebooted.set()
        elif kind == "died":
            words = f"ended by itself with code {event['exit']}"
            self.add(
                Health(
                    witness=Witness.OBSERVED,
                    evidence=self.evidence(event, words),
                    subject=event["unit"],
                    outcome="fail",
                    detail=words,
                )
            )
        elif kind == "log":
            self.add(
                Health(
                    witness=Witness.OBSERVED,
                    evidence=self.evidence(event, event["text"]),
                    subject=event["unit"],
                    outcome="fail",
                    detail=excerpt(event["text"]),
                )
            )

    def _command(self, event: dict[str, Any]) -> None:
        argv = masked(event["argv"])
        evidence = self.evidence(event, " ".join(argv))
        self.add(
            Command(
                witness=Witness.OBSERVED,
                evidence=evidence,
                argv=argv,
                exit_code=event["exit"],
                note=mask(event["note"]),
            )
        )
        if event["privilege"]:
            self.add(
                Privilege(
                    witness=Witness.OBSERVED, evidence=evidence, how=event["privilege"], command=excerpt(" ".join(argv))
                )
            )
        if event["account"] and event["exit"] == 0:
            self.add(
                Credential(witness=Witness.OBSERVED, evidence=evidence, kind="system account", name=event["account"])
            )
        if event["unrehearsed"]:
            self.add(
                Unread(
                    witness=Witness.OBSERVED,
                    evidence=evidence,
                    what=excerpt(event["unrehearsed"]),
                    reason=Reason.CANNOT,
                )
            )
        wanted = event.get("reboot", "")
        if wanted.startswith("later") or wanted == "cancelled":
            self.add(Reboot(witness=Witness.OBSERVED, evidence=evidence, claim=wanted, command=excerpt(" ".join(argv))))

    def _acted(self, event: dict[str, Any]) -> None:
        outcome = event["outcome"]
        evidence = self.evidence(event, f"{event['action']} {event['unit']}: {outcome}")
        self.add(
            Restart(
                witness=Witness.OBSERVED, evidence=evidence, unit=event["unit"], action=event["action"], outcome=outcome
            )
        )
        if outcome == "not production's":
            self.add(
                Unread(
                    witness=Witness.OBSERVED,
                    evidence=evidence,
                    what=f"{event['action']} {event['unit']}",
                    reason=Reason.NOT_MEASURED,
                    detail="only this machine has the unit, production's tree does not; nothing was done",
                )
            )

    def downtime(self, unit: str, began: datetime, duration: timedelta, step: str) -> None:
        evidence = Evidence(source=self.source, step=step, at=began)
        self.add(
            Downtime(
                witness=Witness.OBSERVED, evidence=evidence, duration=duration, basis=f"{unit} from stop to well again"
            )
        )

    def health(self, unit: str, ok: bool | None, detail: str, step: str) -> None:
        outcome = {True: "pass", False: "fail", None: "unknown"}[ok]
        evidence = Evidence(source=self.source, step=step, at=datetime.now(UTC))
        self.add(Health(witness=Witness.OBSERVED, evidence=evidence, subject=unit, outcome=outcome, detail=detail))


def masked(argv: Iterable[str]) -> tuple[str, ...]:
    """A command line fit for a fact: secrets hidden, also those that stand after their option; names that are no UTF-8 escaped."""
    words = [word.encode("utf-8", "backslashreplace").decode() for word in argv]
    hidden = []
    for before, word in zip(["", *words], words, strict=False):
        pair = mask(f"{before} {word}")
        alone = mask(word)
        hidden.append(alone if alone != word or not pair.startswith(before) else pair[len(before) + 1 :])
    return tuple(hidden)


def endpoints(contacts: Iterable[Contact], source: str) -> list[Endpoint]:
    """Contacts folded by where they went, how it ended and in which step; ``count`` of each."""
    folded: dict[tuple[str, ...], list[Contact]] = {}
    for contact in list(contacts):
        key = (contact.scheme, contact.host, str(contact.port), contact.policy, contact.outcome, contact.step)
        folded.setdefault(key, []).append(contact)
    found = []
    for group in folded.values():
        first = next((c for c in group if c.said or c.process), group[0])
        words = " ".join(
            part for part in (first.said, f"by {' '.join(masked(first.process))}" if first.process else "") if part
        )
        found.append(
            Endpoint(
                witness=Witness.OBSERVED,
                evidence=Evidence(source=source, step=first.step, at=group[0].at, excerpt=excerpt(words)),
                scheme=first.scheme,
                host=first.host,
                port=first.port or None,
                policy=first.policy,
                outcome=first.outcome,
                count=len(group),
            )
        )
    return found
