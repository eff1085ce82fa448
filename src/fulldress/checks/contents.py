"""FD0xx: how much of the package was read, and whether it is the release that it says it is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from fulldress.checks.constraint import plain
from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, count, rule, says, several
from fulldress.facts import Binary, Entry, Reason, Release, Unread, Witness
from fulldress.findings import Severity

#: A binary of the product itself may be this much older than the release date in the manifest.
OLD = timedelta(days=180)
#: Three product cycles of four months: the trade's usual rhythm where the vendor names none.
VERY_OLD = timedelta(days=365)
_INNER = ("manifest", "control", "metadata")


def _unread(index: Index, reason: Reason) -> list[Unread]:
    return [u for u in index.of(Unread, Witness.READ, Witness.DECLARED) if u.reason is reason]


@rule("FD001", Severity.MAJOR, "Part of the package is encrypted and nobody has seen what is in it")
def encrypted(index: Index) -> Iterator[Hit]:
    for gap in _unread(index, Reason.ENCRYPTED):
        yield Hit(
            title=f"{gap.what} is encrypted: nobody has seen what it will do",
            subject=gap.evidence.path or gap.what,
            remedy="Ask the vendor for the pass phrase, or for this part in the clear; then inspect the package again.",
            testimony=(says(gap, gap.detail or "encrypted, not read"),),
        )


@rule("FD002", Severity.BLOCKER, "Part of the package is damaged")
def damaged(index: Index) -> Iterator[Hit]:
    for gap in _unread(index, Reason.DAMAGED):
        yield Hit(
            title=f"{gap.what} is damaged: it will fail or half-install",
            subject=gap.evidence.path or gap.what,
            remedy="Fetch the package again and compare its sha256 with the vendor's; do not use this copy.",
            testimony=(says(gap, gap.detail or "damaged, not read"),),
        )


@rule("FD003", Severity.MAJOR, "Part of the package was not read because a limit was reached")
def beyond_budget(index: Index) -> Iterator[Hit]:
    # What no verdict depends on (older pages of a history) is listed with the gaps and is no finding of its own.
    cut = [gap for gap in _unread(index, Reason.BUDGET) if gap.needed]
    for gap in cut + _unread(index, Reason.REFUSED):
        how = "was not read: " if gap.reason is Reason.BUDGET else ""
        yield Hit(
            title=f"{gap.what} {how}{gap.detail or gap.reason.value}"
            if how
            else f"{gap.what}: {gap.detail or 'refused'}",
            subject=gap.evidence.path or gap.what,
            remedy="Raise the limit for this package and inspect it again, or unpack this part and inspect it alone.",
            testimony=(says(gap, gap.detail or gap.reason.value),),
        )


def _product(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip().lower())


def _same_version(left: str, right: str) -> bool:
    """Whether two spellings are one version: epochs, package revisions, a leading v and trailing zeros aside."""

    def core(version: str) -> str:
        return re.sub(r"^v(?=\d)", "", version.strip().lower().split(":", 1)[-1])

    a, b = core(left), core(right)
    if a == b:
        return True
    for one, other in ((a, b), (b, a)):
        # 4.2.0-1 is a packaging of 4.2.0; 4.2.0-rc1 is not
        if re.fullmatch(re.escape(other) + r"[-+~][\d][\w.+~]*|" + re.escape(other) + r"[+~][\w.+~]*", one):
            return True
    numbers = plain(a), plain(b)
    return numbers[0] is not None and numbers[0] == numbers[1]


@rule("FD004", Severity.BLOCKER, "The package says its version in several places, and they differ")
def versions_differ(index: Index) -> Iterator[Hit]:
    by_product: dict[str, list[Release]] = defaultdict(list)
    for release in index.of(Release, Witness.DECLARED, Witness.READ):
        if release.product and release.version:
            by_product[_product(release.product)].append(release)
    for product, releases in by_product.items():
        different = [r for r in releases if not _same_version(r.version, releases[0].version)]
        if not different:
            continue
        inner = [r for r in releases if r.aspect in _INNER]
        inner_differ = any(not _same_version(r.version, inner[0].version) for r in inner)
        said = several([f"{r.aspect} {r.version}" for r in releases])
        yield Hit(
            title=f"nobody can tell which release of {releases[0].product} this is: {said}",
            subject=product,
            remedy="Ask the vendor which one it is and for a package in which all of them agree; keep the answer with the case.",
            testimony=tuple(says(r, f"{r.aspect}: {r.version}") for r in releases),
            severity=None if inner_differ else Severity.MAJOR,
        )


def _own(index: Index) -> list[Binary]:
    """Binaries that carry the product's name; bundled libraries of others are rightly older."""
    name = _product(index.product)
    return [
        b
        for b in index.of(Binary, Witness.READ)
        if len(name) >= 3 and _product(b.path.rsplit("/", 1)[-1]).startswith(name)
    ]


@rule("FD005", Severity.MAJOR, "A binary of the product was built long before the release it comes in")
def old_binary(index: Index) -> Iterator[Hit]:
    release = index.release
    if release is None or release.released is None:
        return
    for binary in _own(index):
        if binary.built is None:
            continue
        age = timedelta(days=(release.released - binary.built.date()).days)
        if age < OLD:
            continue
        yield Hit(
            title=f"{binary.path} was built {age.days} days before the release that ships it: it is probably an old one",
            subject=binary.path,
            remedy=f"Ask the vendor for the build record of {binary.path}, and compare its sha256 with the one that runs now.",
            testimony=(
                says(release, f"{release.version}, released {release.released.isoformat()}"),
                says(binary, f"built {binary.built:%Y-%m-%d} ({binary.built_from})"),
            ),
            severity=None if age >= VERY_OLD else Severity.MINOR,
        )


@rule("FD006", Severity.MAJOR, "A binary of the product says another version than the release")
def binary_of_other_version(index: Index) -> Iterator[Hit]:
    release = index.release
    if release is None:
        return
    for binary in _own(index):
        if not binary.version or plain(binary.version) is None or _same_version(binary.version, release.version):
            continue
        yield Hit(
            title=f"{binary.path} is version {binary.version}, not {release.version}: the upgrade would change the label only",
            subject=binary.path,
            remedy=f"Ask the vendor for a package whose {binary.path.rsplit('/', 1)[-1]} is {release.version}.",
            testimony=(
                says(release, f"{release.aspect}: {release.version}"),
                says(binary, f"{binary.version} ({binary.version_from or 'inside the file'})"),
            ),
        )


@rule("FD007", Severity.NOTE, "Bundled binaries are older than the release")
def old_bundled(index: Index) -> Iterator[Hit]:
    release = index.release
    if release is None or release.released is None:
        return
    own = {b.path for b in _own(index)}
    old = [
        b
        for b in index.of(Binary, Witness.READ)
        if b.path not in own and b.built and (release.released - b.built.date()) >= VERY_OLD
    ]
    if old:
        yield Hit(
            title=f"{count(len(old), 'bundled binary', 'bundled binaries')} built more than a year before the release",
            subject="bundled binaries",
            remedy="Look for known weaknesses of these versions; ask the vendor for a bill of materials.",
            testimony=tuple(says(b, f"built {b.built:%Y-%m-%d}") for b in old if b.built),
        )


@rule("FD008", Severity.MINOR, "The package does not say which release it is")
def no_release(index: Index) -> Iterator[Hit]:
    entries = index.of(Entry)
    if entries and index.release is None:
        yield Hit(
            title="nothing in the package says which release it is, so no claim can be held against it",
            subject="release",
            remedy="Ask the vendor for a manifest, or name product and version when you open the case.",
            testimony=(says(entries[0], f"{count(len(entries), 'entry', 'entries')}, no manifest that is understood"),),
        )


@rule("FD009", Severity.BLOCKER, "A member's name reaches outside the package")
def escaping_names(index: Index) -> Iterator[Hit]:
    for entry in index.of(Entry, Witness.READ):
        for text, what in ((entry.path, "name"), (entry.link, "link")):
            inner = text.rsplit("!/", 1)[-1].replace("\\", "/")
            deep = entry.path.rsplit("!/", 1)[-1].count("/") if what == "link" else 0
            climbs = inner.split("/").count("..")
            if climbs > deep or (what == "name" and inner.startswith("/") and climbs):
                yield Hit(
                    title=f"unpacking {entry.path!r} writes outside the folder it is unpacked into",
                    subject=entry.path,
                    remedy="Do not unpack this package with ordinary tools; ask the vendor why it holds such a name.",
                    testimony=(says(entry, f"{what}: {text}"),),
                )
