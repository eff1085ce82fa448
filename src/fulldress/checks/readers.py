"""FD013: two readers of one archive do not see the same in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fulldress.checks.index import Index
from fulldress.checks.rule import Hit, rule, says, several
from fulldress.facts import Disagreement, Witness
from fulldress.findings import Severity

_TOLD = 12  #: disagreements of one container whose words stand in the finding


@rule("FD013", Severity.MAJOR, "Two readers of an archive do not see the same in it")
def readers_disagree(index: Index) -> Iterator[Hit]:
    by_container: dict[str, list[Disagreement]] = defaultdict(list)
    for fact in index.of(Disagreement, Witness.READ):
        by_container[fact.container].append(fact)
    for container, facts in by_container.items():
        names = list(dict.fromkeys(fact.member for fact in facts if fact.member))
        which = f" of {several(names, 3)}" if names else ""
        yield Hit(
            title=f"what is installed depends on the program that unpacks {container or 'the package'}: "
            f"two readers see different things{which}",
            subject=container or "package",
            remedy="Do not unpack this package before the vendor has said why it is made so; ask for one that is plain.",
            testimony=tuple(
                says(fact, f"{fact.member or 'as a whole'}: fulldress sees {fact.first}; libarchive sees {fact.second}")
                for fact in facts[:_TOLD]
            ),
        )
