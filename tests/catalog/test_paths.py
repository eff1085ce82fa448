"""Paths: shortest, with stops, edges, matrices over several components; or the proof that there is none."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fulldress.catalog import paths
from fulldress.catalog.conditions import Known
from fulldress.catalog.graph import Graph
from fulldress.catalog.records import Compat, Edge, Record, Release, Source, Stop

NOTHING = Known(within=lambda c, r: None, installed=lambda c: None, setting=lambda c, k: None)
HUB = Release(component="hub", versions=("1.0", "1.5", "2.0", "2.5", "3.0"))
DB = Release(component="db", versions=("12", "13", "14", "15"))


def graph(records: list[Record], **start: str) -> Graph:
    return Graph(records, dict(start), NOTHING)


def steps(path: paths.Path) -> list[str]:
    return [str(step) for step in path.steps]


def test_straight() -> None:
    path = paths.search(graph([HUB], hub="1.0"), {"hub": "3.0"})
    assert path.possible is True
    assert steps(path) == ["hub 3.0"]


def test_required_stop() -> None:
    path = paths.search(graph([HUB, Stop(component="hub", version="2.0")], hub="1.0"), {"hub": "3.0"})
    assert steps(path) == ["hub 2.0", "hub 3.0"]
    assert [step.required for step in path.steps] == [True, False]


def test_conditional_stop_is_kept_and_said_where_unknown() -> None:
    stop = Stop(component="hub", version="2.0", when="installed(relay)")
    path = paths.search(graph([HUB, stop], hub="1.0"), {"hub": "3.0"})
    assert steps(path) == ["hub 2.0", "hub 3.0"]
    assert any("installed(relay)" in gap for gap in path.unknown)
    known = Known(within=lambda c, r: None, installed=lambda c: False, setting=lambda c, k: None)
    assert steps(paths.search(Graph([HUB, stop], {"hub": "1.0"}, known), {"hub": "3.0"})) == ["hub 3.0"]


def test_withdrawn_versions_are_not_used() -> None:
    records: list[Record] = [
        HUB,
        Stop(component="hub", version="2.0"),
        Release(component="hub", version="2.0", withdrawn=True),
    ]
    path = paths.search(graph(records, hub="1.0"), {"hub": "3.0"})
    assert path.possible is False
    assert any("withdrawn" in rule for rule in path.blocked_by)


def test_edges_that_allow_are_the_only_ones() -> None:
    edge = Edge(component="hub", from_=">=2.5", to="3.0")
    assert steps(paths.search(graph([HUB, edge], hub="1.0"), {"hub": "3.0"})) == ["hub 2.5", "hub 3.0"]


def test_other_components_move_no_further_than_they_must() -> None:
    records: list[Record] = [HUB, DB, Compat(left="hub >=2", right="db >=14"), Compat(left="hub <2", right="db <=14")]
    path = paths.search(graph(records, hub="1.0", db="12"), {"hub": "3.0"})
    assert steps(path) == ["db 14", "hub 3.0"]


def test_no_path_names_the_rule_and_the_nearest() -> None:
    source = Source(file="m.toml", line=7)
    records: list[Record] = [
        HUB, DB, Compat(left="hub >=2.5", right="db >=14", reason="new types", source=source),
        Stop(component="hub", version="2.0"), Compat(left="hub >=1", right="db <=15"),
    ]  # fmt: skip
    path = paths.search(graph(records, hub="1.0", db="12"), {"hub": "3.0"}, held=frozenset({"db"}))
    assert path.possible is False
    assert path.blocked_by == ("hub >=2.5 needs db >=14: new types (m.toml:7)",)
    assert path.waivers == path.blocked_by
    assert path.nearest == "hub 2.0"


def test_two_rules_that_block_together_are_both_named() -> None:
    records: list[Record] = [
        HUB, Edge(component="hub", from_="<2.5", to="3.0", allow=False, reason="too far"),
        Edge(component="hub", from_="<2.5", to="2.5", allow=False, reason="also too far"),
    ]  # fmt: skip
    path = paths.search(graph(records, hub="1.0"), {"hub": "3.0"})
    assert len(path.blocked_by) == 2
    assert len(path.waivers) == 2
    assert path.nearest == "hub 2.0"


def test_one_way() -> None:
    edge = Edge(component="hub", from_=">=2", to="<2", allow=False, reason="archive rewritten")
    path = paths.search(graph([HUB, edge], hub="1.0"), {"hub": "3.0"})
    assert "archive rewritten" in path.steps[0].one_way


def test_unknown_version_of_a_tied_component_is_not_passed_over() -> None:
    path = paths.search(graph([HUB, DB, Compat(left="hub >=2", right="db >=14")], hub="1.0"), {"hub": "3.0"})
    assert path.possible is None
    assert path.unknown == ("which version of db runs, on which hub depends",)


def test_budget_is_said() -> None:
    records: list[Record] = [HUB, Stop(component="hub", version="2.0"), Stop(component="hub", version="2.5")]
    path = paths.search(graph(records, hub="1.0"), {"hub": "3.0"}, budget=1)
    assert path.possible is None
    assert "budget of 1" in path.unknown[0]


def test_downgrade_and_unlisted_target() -> None:
    assert paths.search(graph([HUB], hub="3.0"), {"hub": "2.0"}).possible is False
    assert paths.search(graph([HUB], hub="1.0"), {"hub": "9.9"}).possible is None
    assert paths.search(graph([HUB], hub="3.0"), {"hub": "3.0"}).steps == ()


def test_skew() -> None:
    node = Release(component="node", versions=("1.20", "1.21", "1.22", "1.23"))
    control = Release(component="control", versions=("1.20", "1.21", "1.22", "1.23"))
    rule = Compat(left="control *", right="node *", skew_min=-1, skew_max=0)
    path = paths.search(graph([node, control, rule], control="1.20", node="1.20"), {"control": "1.22", "node": "1.22"})
    assert steps(path) == ["control 1.21", "node 1.21", "control 1.22", "node 1.22"]


RANGE = st.sampled_from([">=2", "<2", ">=3", "<=2", "*", "2", ">=1, <3"])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(RANGE, RANGE, st.sampled_from(["supported", "broken"])), max_size=4),
    st.sets(st.sampled_from("234"), max_size=2),
)
def test_as_short_as_an_exhaustive_search(cells: list[tuple[str, str, str]], stops: set[str]) -> None:
    names = ("1", "2", "3", "4")
    records: list[Record] = [Release(component="a", versions=names), Release(component="b", versions=names)]
    records += [Compat(left=f"a {left}", right=f"b {right}", level=level) for left, right, level in cells]
    records += [Stop(component="a", version=stop) for stop in sorted(stops)]
    # a target that needs no tie: without any cell, b plays no part
    one = Graph(records, {"a": "1", "b": "1"}, NOTHING)
    found = paths.search(one, {"a": "4"})
    assert (len(found.steps) if found.possible else None) == _exhaustive(one, names)


def _exhaustive(one: Graph, names: tuple[str, ...]) -> int | None:
    level, seen, depth = {("1", "1")}, {("1", "1")}, 0
    while level:
        if any(a == "4" for a, _ in level):
            return depth
        following = set()
        for (a, b), new in product(level, names):
            if new > a and not one.hop("a", a, new) and not one.together("a", new, "b", b):
                following.add((new, b))
            if new > b and not one.hop("b", b, new) and not one.together("a", a, "b", new):
                following.add((a, new))
        level = following - seen
        seen |= level
        depth += 1
    return None


@pytest.mark.parametrize("size", [30])
def test_many_versions_of_many_components(size: int) -> None:
    """Six components in a sliding chain: far more states than may be visited."""
    records: list[Record] = []
    names = [f"c{i}" for i in range(6)]
    for name in names:
        records.append(Release(component=name, versions=tuple(f"1.{i}" for i in range(size))))
    for left, right in pairwise(names):
        records.append(Compat(left=f"{left} *", right=f"{right} *", skew_min=-12, skew_max=12))
    path = paths.search(Graph(records, dict.fromkeys(names, "1.0"), NOTHING), {"c0": f"1.{size - 1}"})
    assert path.possible is True
    assert path.steps[-1].component == "c0"
