"""The digest that rehearsals, approvals and runs are bound to."""

from __future__ import annotations

import hashlib

import msgspec

from fulldress.runbook.steps import Runbook

#: Stands before the bytes, so that a digest of ours is never the digest of something else.
_FORM = b"fulldress runbook 1\n"


def freeze(runbook: Runbook) -> str:
    """sha256 of the canonical form: what the runbook *says*, so that layout and comments of its file do not matter.

    Any change of a step, its order, its words or its owner gives another digest, and voids rehearsals and approvals."""
    return hashlib.sha256(_FORM + msgspec.json.encode(runbook, order="deterministic")).hexdigest()
