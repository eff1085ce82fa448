"""What was seen on the stage beyond events: programs that were made setuid, registrations at stand-ins, default answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fulldress.facts import Evidence, FileEffect, Privilege, Reason, Unread, Webhook, Witness, excerpt
from fulldress.stage.answers import Answers
from fulldress.stage.sink import Contact


def webhooks(answers: Mapping[str, Answers], source: str, left: bool) -> list[Webhook]:
    """What is registered at the stand-ins (host -> its answers) and was not at first."""
    found = []
    for host, registry in answers.items():
        for path, item in registry.added():
            target = next(
                (str(v) for v in item.values() if isinstance(v, str) and "://" in v), f"{path}/{item.get('id')}"
            )
            found.append(
                Webhook(
                    witness=Witness.OBSERVED,
                    evidence=Evidence(
                        source=source, host=host, path=f"{path}/{item.get('id')}", excerpt=excerpt(str(item))
                    ),
                    target=excerpt(target),
                    registry=f"http://{host}{path}",
                    left=left,
                )
            )
    return found


def setuid(file_effects: Iterable[FileEffect]) -> list[Privilege]:
    """Files that the upgrade gave the right to run as their owner or group."""
    return [
        Privilege(witness=Witness.OBSERVED, evidence=effect.evidence, how="setuid", command=effect.path)
        for effect in file_effects
        if "setuid" in effect.detail.split("\n")[-1]
        or (effect.action == "mode" and int(effect.detail.split()[-1], 8) & 0o6000)
    ]


def unscripted(contacts: Iterable[Contact], source: str) -> list[Unread]:
    """Hosts whose stand-in had no answer scripted: what they really say is not known."""
    defaults = {
        contact.host: Unread(
            witness=Witness.OBSERVED,
            evidence=Evidence(source=source, host=contact.host, step=contact.step, excerpt=contact.said),
            what=f"what {contact.host} really answers",
            reason=Reason.NOT_MEASURED,
            detail="its stand-in answered 200 {} because no answer was scripted",
        )
        for contact in contacts
        if contact.outcome == "answered by default"
    }
    return list(defaults.values())
