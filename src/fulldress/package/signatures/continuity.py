"""The signers of a package against those of the same product's earlier packages."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fulldress.facts import AnyFact, Integrity, Signature


def continued(facts: Sequence[AnyFact], earlier: Sequence[AnyFact], name: str) -> list[AnyFact]:
    """The facts, with the continuity of every signature filled in. ``name``: the earlier package, as a person calls it."""
    before = [fact for fact in earlier if isinstance(fact, Signature) and _counts(fact)]
    if not before:
        return list(facts)
    return [
        _with(fact, before, name) if isinstance(fact, Signature) and _counts(fact) and not fact.continuity else fact
        for fact in facts
    ]


def _counts(fact: Signature) -> bool:
    return fact.names_a_maker and not fact.of_a_part and fact.integrity is Integrity.INTACT


def _with(fact: Signature, before: list[Signature], name: str) -> Signature:
    words = compared(fact, before, name)
    return msgspec.structs.replace(fact, continuity=words, words=f"{fact.words}; {words}" if words else fact.words)


def compared(fact: Signature, before: Sequence[Signature], name: str) -> str:
    """In words; they begin with "same" where nothing has to be explained."""
    if fact.key is not None:
        return _by_key(fact, before, name)
    if fact.scheme == "sigstore":
        known = {item.signer for item in before if item.scheme == "sigstore"}
        if not known:
            return ""
        if fact.signer in known or _workflow(fact.signer) in {_workflow(item) for item in known}:
            return f"same signer as {name}"
        return f'"{fact.signer}" did not sign {name} ({", ".join(sorted(known))} did)'
    return _by_chain(fact, before, name) if fact.chain else ""


def _by_key(fact: Signature, before: Sequence[Signature], name: str) -> str:
    known = (
        [item.key for item in before if item.key is not None and item.key.scheme == fact.key.scheme] if fact.key else []
    )
    if fact.key is None or not known:
        return ""
    if any(key.fingerprint == fact.key.fingerprint for key in known):
        return f"same key as {name}"
    if fact.key.name and any(key.name == fact.key.name for key in known):
        return f'another key than that of {name}, under the same name ("{fact.key.name}")'
    return f"another key than that of {name} ({known[0].name or known[0].fingerprint})"


def _by_chain(fact: Signature, before: Sequence[Signature], name: str) -> str:
    chains = [item.chain for item in before if item.chain and item.scheme != "sigstore"]
    if not chains:
        return ""
    leaf = fact.chain[0]
    if any(chain[0].sha256 == leaf.sha256 for chain in chains):
        return f"same certificate as {name}"
    above = {item.sha256 for item in fact.chain[1:]}
    same_issuer = any(above & {item.sha256 for item in chain[1:]} for chain in chains)
    same_key = any(leaf.public and chain[0].public == leaf.public for chain in chains)
    if same_key:
        renamed = next(chain[0] for chain in chains if chain[0].public == leaf.public)
        was = f", then called {renamed.subject}" if renamed.subject != leaf.subject else ""
        return f"same key as {name}, in a new certificate{was}"
    if same_issuer:
        other = next(chain[0] for chain in chains)
        if other.subject != leaf.subject:
            return f"another subject than that of {name} under the same authority ({other.subject} then)"
        return f"same issuer as {name}, and a new certificate"
    if any(chain[0].issuer == leaf.issuer for chain in chains):
        return f"same name of issuer as {name}; that it is the same one was not shown"
    return f"another issuer than that of {name} ({chains[0][0].issuer})"


def _workflow(signer: str) -> str:
    """A workflow's address without the tag or branch it ran for: that differs with every release."""
    return signer.split("@refs/", 1)[0]
