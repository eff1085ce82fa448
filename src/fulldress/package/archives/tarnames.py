"""Names in a tar that mean something else to another program: twice there, below a link, links to nothing."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from fulldress.facts import Reason
from fulldress.package.archives import Gap, Offer

_MOST = 100  #: gaps of one kind; the last one gives the number


class Names:
    """The names of one archive as they come by. A name is kept as its hash: there may be a million of them."""

    def __init__(self) -> None:
        self._files: set[int] = set()
        self._links: dict[str, str] = {}
        self._twice = self._below = self._nothing = 0

    def seen(self, offer: Offer) -> Iterator[Gap]:
        """What has to be said of this member before it is offered."""
        name = posixpath.normpath(offer.name) if "/" in offer.name else offer.name
        if offer.shape != "folder":
            key = hash(name)
            if key in self._files:
                self._twice += 1
                if self._twice <= _MOST:
                    detail = (
                        "the archive holds two members of this name; tar leaves the last one, others show the first"
                    )
                    yield Gap(reason=Reason.DISPUTED, name=offer.name, detail=detail)
            self._files.add(key)
        if self._links:
            yield from self._through(name, offer)
        if offer.shape == "link":
            self._links[name] = offer.link
        elif offer.shape == "hardlink" and hash(posixpath.normpath(offer.link)) not in self._files:
            self._nothing += 1
            if self._nothing <= _MOST:
                detail = f"a hard link to {offer.link!r}, which does not stand before it; tar cannot unpack it"
                yield Gap(reason=Reason.DISPUTED, name=offer.name, detail=detail, needed=False)

    def at_end(self) -> Iterator[Gap]:
        """How many there were of what was said too often."""
        for count, what in (
            (self._twice, "names stand in it twice"),
            (self._below, "members lie below links"),
            (self._nothing, "hard links lead to nothing before them"),
        ):
            if count > _MOST:
                yield Gap(reason=Reason.DISPUTED, detail=f"{count:,} {what}; the first {_MOST} are named")

    def _through(self, name: str, offer: Offer) -> Iterator[Gap]:
        at = name.find("/")
        while at > 0:
            target = self._links.get(name[:at])
            if target is not None:
                self._below += 1
                if self._below <= _MOST:
                    outside = target.startswith("/") or posixpath.normpath(
                        posixpath.join(posixpath.dirname(name[:at]), target)
                    ).startswith("..")
                    yield Gap(
                        reason=Reason.DISPUTED,
                        name=offer.name,
                        needed=outside,
                        detail=f"it lies below {name[:at]!r}, a link of this archive to {target!r}; "
                        f"tar may write it {'outside the folder it unpacks to' if outside else 'there'}",
                    )
                return
            at = name.find("/", at + 1)
