"""Checksum files against the entries that they list."""

from __future__ import annotations

from fulldress.facts import AnyFact, Integrity, Reason, Signature, Trust, Witness
from fulldress.package.reader import Member, NotRead, Package
from fulldress.package.signatures import checksums
from fulldress.package.signatures.entries import digest
from fulldress.package.signatures.gaps import unread
from fulldress.patterns import regex

_IN_DEB = regex(r"(?:^|/)(?:control\.tar(?:\.\w+)?!/|DEBIAN/)md5sums$")


def judged(package: Package, sums: checksums.Sums) -> tuple[list[AnyFact], tuple[str, ...]]:
    """The fact for a checksum file, what could not be read of it, and the entries that fit it."""
    good: list[str] = []
    wrong: list[tuple[checksums.Line, Member]] = []
    absent: list[checksums.Line] = []
    unknown: list[checksums.Line] = []
    for line in sums.lines:
        member = checksums.target(package, sums, line.path)
        if member is None:
            absent.append(line)
            continue
        try:
            fits = line.size in (None, member.size) and digest(package, member, line.hash).hex() == line.digest
        except (ValueError, NotRead, OSError):
            unknown.append(line)
            continue
        (good.append(member.path) if fits else wrong.append((line, member)))
    facts: list[AnyFact] = []
    name = sums.member.name
    for line in unknown:
        facts.append(
            unread(sums.member.evidence(line.number), f"a line of {name}", Reason.FORMAT, f"{line.hash} of {line.path}")
        )
    if sums.bad:
        numbers = ", ".join(map(str, sums.bad[:5])) + (" …" if len(sums.bad) > 5 else "")
        facts.append(
            unread(
                sums.member.evidence(sums.bad[0]),
                f"{len(sums.bad)} lines of {name}",
                Reason.GRAMMAR,
                f"lines {numbers}",
            )
        )
    weak = sorted({line.hash for line in sums.lines if line.hash in ("md5", "sha1")})
    if _IN_DEB.search(sums.member.path):
        weak = []  # dpkg's list is there to find damage; a deb is vouched for by the archive that it comes from
    if absent and (good or wrong):
        names = ", ".join(line.path for line in absent[:3]) + (" …" if len(absent) > 3 else "")
        facts.append(
            unread(
                sums.member.evidence(absent[0].number), f"{len(absent)} files that {name} lists", Reason.MISSING, names
            )
        )
    if wrong:
        names = ", ".join(member.path for _, member in wrong[:3]) + (" …" if len(wrong) > 3 else "")
        words = f"{len(wrong)} of {len(sums.lines)} checksums do not fit: {names}"
    elif good:
        words = f"all {len(good)} checksums of entries in the package fit; a checksum does not say who made it"
    else:
        facts.append(
            unread(
                sums.member.evidence(),
                f"the {len(sums.lines)} checksums of {name}",
                Reason.MISSING,
                "their files are not here",
            )
        )
        return facts, ()
    place = sums.member.evidence(wrong[0][0].number if wrong else 0)
    facts.append(
        Signature(
            witness=Witness.READ,
            evidence=place,
            scheme="checksums",
            path=sums.member.path,
            covers=tuple(member.path for _, member in wrong) or tuple(good),
            integrity=Integrity.BROKEN if wrong else Integrity.INTACT,
            trust=Trust.UNKNOWN,
            words=words,
            weaknesses=tuple(f"{item.upper()} can be forged" for item in weak),
        )
    )
    return facts, tuple(good)
