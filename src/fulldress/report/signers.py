"""Who signed it, as screen and page tell it: who made the package first, then programs that are signed on their own, those
with one certificate and one outcome together, then what fits what."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fulldress.facts import Integrity, Signature, Trust

_STATES = {
    Integrity.INTACT: "bytes intact",
    Integrity.BROKEN: "BYTES CHANGED AFTER SIGNING",
    Integrity.UNVERIFIED: "bytes not verified",
}
_PROGRAMS = ("Authenticode", "macOS")


class Group(msgspec.Struct, frozen=True):
    """Signatures that are told of once; only those of programs and archives in the package are ever more than one."""

    signatures: tuple[Signature, ...]

    @property
    def first(self) -> Signature:
        return self.signatures[0]

    @property
    def heading(self) -> str:
        """How many programs, and who signed them; empty for a signature of the package."""
        if not self.first.of_a_part:
            return ""
        files = len({one.path for one in self.signatures})
        noun = "program" if self.first.scheme in _PROGRAMS else "archive"
        many = files > 1
        return f"{files} {noun}{'s' if many else ''} signed on {'their' if many else 'its'} own, by {self.first.signer}"

    @property
    def said(self) -> str:
        """The verdict, with what stands elsewhere in the fact and not in its words."""
        one, state = self.first, _STATES[self.first.integrity]
        words = [one.words] if one.words.lower().startswith(state.lower()) else [state, one.words]
        if one.continuity and one.continuity not in one.words:
            words.append(one.continuity)
        if one.announced_in and one.announced_in not in one.words:
            words.append(f"announced in {one.announced_in}")
        return "; ".join(words)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, where there are several."""
        return tuple(dict.fromkeys(one.path for one in self.signatures))

    @property
    def open(self) -> bool:
        """Whether somebody has to be asked before it can be trusted."""
        one = self.first
        known = one.chain or (one.key and not one.key.held_in)
        return one.trust is not Trust.TRUSTED and one.names_a_maker and not one.of_a_part and bool(known)


def groups(signatures: Iterable[Signature]) -> list[Group]:
    """Every signature in one of them."""
    alike: dict[object, list[Signature]] = {}
    for signature in signatures:
        alike.setdefault(_alike(signature), []).append(signature)
    found = [Group(tuple(group)) for group in alike.values()]
    return sorted(found, key=lambda group: (not group.first.names_a_maker, group.first.of_a_part))


def nobody(signatures: Iterable[Signature]) -> str:
    """That nobody signed the package itself; empty where somebody did."""
    makers = [one for one in signatures if one.names_a_maker]
    if any(not one.of_a_part for one in makers):
        return ""
    return f"nobody{' signed the package itself' if makers else ''}, as far as this program can tell"


def _alike(signature: Signature) -> object:
    """Programs signed with one certificate and one outcome are told of once; anything else is told of by itself."""
    if not signature.of_a_part:
        return id(signature)
    chain = signature.chain[0].issuer if signature.chain else ""
    outcome = (signature.integrity, signature.trust, signature.weaknesses)
    return signature.scheme in _PROGRAMS, signature.signer, chain, *outcome


__all__ = ["Group", "groups", "nobody"]
