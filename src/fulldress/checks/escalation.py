"""The short script for the phone: what to ask the vendor, and what to compare."""

from __future__ import annotations

import re

from fulldress.facts import Integrity, Signature, Trust


def grouped(fingerprint: str) -> str:
    """A fingerprint in groups of four, to be read out."""
    return " ".join(fingerprint[index : index + 4] for index in range(0, len(fingerprint), 4)).upper()


def _covered(signature: Signature) -> str:
    if not signature.covers:
        return "a package"
    return signature.covers[0] if len(signature.covers) == 1 else f"{len(signature.covers)} entries of a package"


def call_script(signature: Signature) -> str:
    """What one person reads out to the vendor, in plain text.

    The number to dial is deliberately not given: one that came with the package could be the forger's."""
    rows = [
        "Call the vendor on the number in your contract, not on one from the package or its ticket.",
        "",
        f"1. Say what it is about: {_covered(signature)}, signed in {signature.path}.",
    ]
    if signature.integrity is Integrity.BROKEN:
        rows.append("2. Say that the signature does not fit the bytes, and ask for the package again.")
        return "\n".join([*rows, "", "Do not install what you have, whatever they answer."]) + "\n"
    if signature.key is not None:
        rows.append(
            f"2. Ask THEM to read out the whole fingerprint of the {signature.key.scheme} key of their releases. Compare:"
        )
        print_ = signature.key.fingerprint
        rows.append(f"   {grouped(print_) if re.fullmatch('[0-9a-f]+', print_) else print_}")
        number = 3
        if signature.continuity and not signature.continuity.startswith("same"):
            rows.append(f"{number}. Ask why: {signature.continuity}.")
            number += 1
        rows.append(f"{number}. Ask where the key was announced, and write down who answered, and when.")
        rows.append("")
        rows.append("Only if every group agrees: put the key into the trust folder, and check again.")
        return "\n".join(rows) + "\n"
    if not signature.chain:
        rows.append(
            f"2. Ask for the certificate of the signer ({signature.signer or 'not named'}), and its fingerprint."
        )
        return "\n".join(rows) + "\n"
    leaf, last = signature.chain[0], signature.chain[-1]
    rows.append("2. Ask THEM to read out the sha256 fingerprint of the certificate that signs their releases. Compare:")
    rows.append(f"   {grouped(leaf.sha256)}")
    rows.append(f"   ({leaf.subject}, valid until {leaf.not_after:%Y-%m-%d})")
    if last is not leaf:
        rows.append("3. Ask them to read out the sha256 fingerprint of the authority at the top. Compare:")
        rows.append(f"   {grouped(last.sha256)}")
        rows.append(f"   ({last.subject}, valid until {last.not_after:%Y-%m-%d})")
    number = 4 if last is not leaf else 3
    if signature.continuity and not signature.continuity.startswith("same"):
        rows.append(f"{number}. Ask why: {signature.continuity}.")
        number += 1
    rows.append(f"{number}. Ask where the change of certificate was announced, and write down who answered, and when.")
    rows.append("")
    if signature.trust is Trust.TRUSTED:
        rows.append("The chain is trusted here already; the call is only a second look.")
    else:
        rows.append(
            "Only if every group agrees: put the authority's certificate into the trust folder, and check again."
        )
    return "\n".join(rows) + "\n"
