"""Authenticode: a signed statement of a file's digest, the same for programs, installers and cabinets.

Source: Microsoft, "Windows Authenticode Portable Executable Signature Format", 2008. What the digest is over differs by
the kind of file: :mod:`pesig`, :mod:`msisig`, :mod:`cabsig`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from fulldress.facts import AnyFact, Integrity, Reason
from fulldress.package.signatures import cms
from fulldress.package.signatures.carriers import Held
from fulldress.package.signatures.gaps import unread
from fulldress.package.signatures.judged import Covered, Ground, signature

_SPC_INDIRECT = "1.3.6.1.4.1.311.2.1.4"
_DEEPEST = 2  #: signatures in signatures; Windows looks no deeper than one


def judged(
    raw: bytes,
    digest: Callable[[str], bytes],
    held: Held,
    ground: Ground,
    remarks: Callable[[bytes], Sequence[str]] = lambda content: (),
) -> Iterator[AnyFact]:
    """The facts of one PKCS #7 file, nested signatures too. ``digest`` computes the file's own by the name of a hash;
    ``remarks`` says what else is worth a word of the signed content."""
    try:
        yield from _judged(cms.parse(raw), digest, held, ground, remarks, 0)
    except cms.NotCms as error:
        yield cannot(held, str(error))


def cannot(held: Held, detail: str) -> AnyFact:
    """That a signature is there and cannot be read."""
    return unread(held.evidence, f"signature of {held.name}", Reason.CANNOT, detail, needed=False)


def _judged(
    data: cms.SignedData,
    digest: Callable[[str], bytes],
    held: Held,
    ground: Ground,
    remarks: Callable[[bytes], Sequence[str]],
    depth: int,
) -> Iterator[AnyFact]:
    name, wanted = _indirect(data)
    if data.content is None or not name:
        yield cannot(held, "it does not say the digest of the program")
        return
    content = data.content
    actual = digest(name)
    for signer in data.signers:
        covered = Covered(entries=(held.path,), digest=cms.digest_of(content), content=lambda: content)
        more = [f"its digest of the program is {name.upper()}, which can be forged"] if name in ("md5", "sha1") else []
        fact = signature(
            signer,
            data,
            covered,
            ground,
            held.evidence,
            held.path,
            scheme="Authenticode",
            more=more,
            remarks=remarks(content),
        )
        if actual != wanted:
            words = fact.words.replace(
                "bytes intact", "bytes not intact: the program is not the one that was signed", 1
            )
            fact = msgspec.structs.replace(fact, integrity=Integrity.BROKEN, words=words)
        yield fact
        for attribute in signer.info["unsigned_attrs"] or ():
            if attribute["type"].native != "microsoft_nested_signature" or depth >= _DEEPEST:
                continue
            for value in attribute["values"]:
                yield from _judged(cms.parse(value.dump()), digest, held, ground, remarks, depth + 1)


def _indirect(data: cms.SignedData) -> tuple[str, bytes]:
    """Hash and digest in SpcIndirectDataContent; empty where there is none."""
    from asn1crypto import algos, core

    if data.content_type != _SPC_INDIRECT or data.content is None:
        return "", b""
    try:
        # the content is a SEQUENCE without its own head: the attribute, then DigestInfo
        first = core.Sequence.load(data.content)
        rest = data.content[len(first.dump()) :]
        info = algos.DigestInfo.load(rest)
        name = str(info["digest_algorithm"]["algorithm"].native)
        found = bytes(info["digest"].native)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return "", b""
    return (name, found) if name in cms.HASHES else ("", b"")
