"""Words of the table of the four witnesses."""

from __future__ import annotations

import pytest

from fulldress import checks
from fulldress.facts import AnyFact, Evidence, Hook, Restart, Witness

PLACE = Evidence(path="postinst", line=3)


def row(name: str, *facts: AnyFact) -> str:
    return next((claim.read.says for claim in checks.claims(facts, []) if claim.name == name), "")


@pytest.mark.parametrize(
    ("acts", "said"),
    [
        (("stop", "start"), "app restarted"),
        (("stop",), "app stopped"),
        (("start",), "app started"),
        (("stop", "restart"), "app restarted"),
        (("enable", "reload"), "app reloaded"),
    ],
)
def test_what_becomes_of_a_service(acts: tuple[str, ...], said: str) -> None:
    assert (
        row("services touched", *(Restart(witness=Witness.READ, evidence=PLACE, unit="app", action=a) for a in acts))
        == said
    )


def test_what_starts_by_itself() -> None:
    def hook(moment: str, name: str, order: int = 0, enabled: bool = True) -> Hook:
        return Hook(
            witness=Witness.READ, evidence=PLACE, manager="Helm", moment=moment, name=name, order=order, enabled=enabled
        )

    found = [hook("post-upgrade", "Job c"), hook("pre-upgrade", "Job b", 5), hook("pre-upgrade", "Job a", -5), hook("pre-delete", "Job d"),
             hook("pre-upgrade", "Job e", enabled=False)]  # fmt: skip
    assert row("starts by itself", *found) == "Job a (pre-upgrade), Job b (pre-upgrade), Job c (post-upgrade)"


def test_triggers_are_one_phrase() -> None:
    found = [
        Hook(witness=Witness.READ, evidence=PLACE, manager="dpkg", moment=moment, name=name)
        for moment, name in (
            ("trigger", "/usr/man"),
            ("trigger", "/usr/share/man"),
            ("trigger", "/opt/man"),
            ("activates", "ldconfig"),
        )
    ]
    assert row("starts by itself", *found) == "postinst at triggers of /usr/man, /usr/share/man and 1 more"
