"""What a rehearsal shows settles what reading could not tell."""

from datetime import UTC, datetime, timedelta

from fulldress.checks import shown
from fulldress.facts import Evidence, Reason, Timing, Unread, Witness, Work


def test_a_rehearsal_shows_what_reading_could_not() -> None:
    at = datetime(2026, 11, 29, 1, tzinfo=UTC)
    place = Evidence(source="run:1", at=at)
    gap = Unread(
        witness=Witness.READ,
        evidence=place,
        what="3 migrations in Python",
        reason=Reason.FORMAT,
        needed=True,
        shows=True,
    )
    other = Unread(witness=Witness.READ, evidence=place, what="a member", reason=Reason.ENCRYPTED, needed=True)
    upgrade = Timing(
        witness=Witness.OBSERVED, evidence=place, act="upgrade", run=1, started=at, duration=timedelta(seconds=9)
    )
    work = Work(
        witness=Witness.OBSERVED, evidence=place, migration="m", statement="ALTER", started=at, duration=timedelta()
    )

    def needed(*observed: Timing | Work) -> list[bool]:
        return [fact.needed for fact in shown([gap, other], observed) if isinstance(fact, Unread)]

    assert needed(upgrade, work) == [False, True]
    assert needed(upgrade) == [True, True], "no statement was seen"
    failed = Timing(
        witness=Witness.OBSERVED,
        evidence=place,
        act="upgrade",
        run=2,
        started=at,
        duration=timedelta(),
        outcome="failed",
    )
    assert needed(upgrade, failed, work) == [True, True], "one run did not end"
