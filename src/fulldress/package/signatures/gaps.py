"""What of a signature could not be read, as a fact."""

from __future__ import annotations

from fulldress.facts import Evidence, Reason, Unread, Witness


def unread(evidence: Evidence, what: str, reason: Reason, detail: str, *, needed: bool | None = None) -> Unread:
    """A gap; needed for the verdict where a signature is damaged or of an unknown format."""
    if needed is None:
        needed = reason in (Reason.DAMAGED, Reason.FORMAT)
    return Unread(witness=Witness.READ, evidence=evidence, what=what, reason=reason, detail=detail, needed=needed)
