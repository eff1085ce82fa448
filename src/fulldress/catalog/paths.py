"""The way from what runs to a target, over several components at once: A* over states, one component a step.

Every state on the way has to be allowed to run: required stops are not skipped, edges are respected, and no two versions
stand together that a matrix forbids. The estimate is the sum over the targets of the fewest hops that each would need
alone, which never overestimates, so a path that is found is a shortest one. When there is none, the state space has been
exhausted: that is the proof, and the rules that block are found by searching again without them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping

import msgspec

from fulldress.catalog.graph import NONE, Graph, Rules

#: States that are expanded before the search gives up, and says so.
BUDGET = 60_000
State = tuple[int, ...]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    component: str
    old: str
    new: str
    required: bool = False  #: a stop that no path from here may skip
    one_way: str = ""  #: the rule that says so

    def __str__(self) -> str:
        return f"{self.component} {self.new}"


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """``possible`` is None where the budget ended the search, or where data is missing that decides."""

    possible: bool | None
    steps: tuple[Step, ...] = ()
    blocked_by: tuple[str, ...] = ()
    waivers: tuple[str, ...] = ()  #: rules each of which alone would open a path
    nearest: str = ""
    unknown: tuple[str, ...] = ()
    expanded: int = 0


class _Law(msgspec.Struct, frozen=True):
    """Which rules hold: all but ``waived``, or only ``kept``."""

    waived: Rules = NONE
    kept: Rules | None = None

    def forbids(self, rules: Rules) -> Rules:
        return rules - self.waived if self.kept is None else rules & self.kept


class _Search:
    def __init__(self, graph: Graph, target: Mapping[str, str], held: frozenset[str], budget: int) -> None:
        self.graph = graph
        self.names = self._names(graph, target)
        self.versions = [graph.versions.get(name, []) for name in self.names]
        self.start: State = tuple(self.versions[i].index(graph.start[name]) for i, name in enumerate(self.names))
        self.goal = {
            self.names.index(name): self.versions[self.names.index(name)].index(v) for name, v in target.items()
        }
        self.held = {i for i, name in enumerate(self.names) if name in held}
        self.pairs = [[j for j, other in enumerate(self.names) if other in graph.related(name)] for name in self.names]
        self.budget = budget
        self.expanded = 0
        self.met: set[int] = set()  #: rules that stopped something
        self.reached: set[State] = set()

    @staticmethod
    def _names(graph: Graph, target: Mapping[str, str]) -> list[str]:
        """The targets and everything that matrices tie to them, as far as its running version is known."""
        names, open_ = list(target), list(target)
        while open_:
            for other in graph.related(open_.pop()):
                if other not in names and other in graph.start:
                    names.append(other)
                    open_.append(other)
        return names

    def moves(self, state: State, law: _Law) -> Iterator[tuple[int, int]]:
        """(component, index of its new version): targets by the longest hop first, others no further than they must."""
        for i, at in enumerate(state):
            if i in self.held:
                continue
            limit = self.goal.get(i, len(self.versions[i]) - 1)
            for new in range(limit, at, -1) if i in self.goal else range(at + 1, limit + 1):
                rules = self.graph.hop(self.names[i], self.versions[i][at], self.versions[i][new])
                forbidden = law.forbids(rules | self.conflicts(state, i, new))
                if forbidden:
                    self.met |= forbidden
                else:
                    yield i, new

    def conflicts(self, state: State, i: int, new: int) -> Rules:
        rules: Rules = NONE
        for j in self.pairs[i]:
            rules |= self.graph.together(
                self.names[i], self.versions[i][new], self.names[j], self.versions[j][state[j]]
            )
        return rules

    def hops_alone(self, law: _Law) -> list[list[int] | None]:
        """For each target, the fewest hops from each of its versions to the goal, other components aside."""
        tables: list[list[int] | None] = []
        for i in range(len(self.names)):
            if i not in self.goal:
                tables.append(None)
                continue
            far = len(self.versions[i]) + 1
            table = [far] * len(self.versions[i])
            table[self.goal[i]] = 0
            for at in range(self.goal[i] - 1, -1, -1):
                hops = [
                    table[new] + 1
                    for new in range(at + 1, self.goal[i] + 1)
                    if not law.forbids(self.graph.hop(self.names[i], self.versions[i][at], self.versions[i][new]))
                ]
                table[at] = min(hops, default=far)
            tables.append(table)
        return tables

    def run(self, law: _Law | None = None) -> tuple[list[tuple[int, int, int]] | None, bool]:
        """The moves (component, old, new) of a shortest path, and whether the answer is proven."""
        law = law or _Law()
        self.expanded = 0
        tables = self.hops_alone(law)

        def estimate(state: State) -> int:
            return sum(table[at] for table, at in zip(tables, state, strict=True) if table is not None)

        came: dict[State, tuple[State, tuple[int, int, int]] | None] = {self.start: None}
        cost = {self.start: 0}
        queue = [(estimate(self.start), 0, 0, self.start)]
        order = 0
        closed: set[State] = set()
        while queue:
            _, _, _, state = heapq.heappop(queue)
            if state in closed:
                continue
            closed.add(state)
            if all(state[i] == index for i, index in self.goal.items()):
                self.reached |= closed
                return self.trail(came, state), True
            self.expanded += 1
            if self.expanded > self.budget:
                self.reached |= closed
                return None, False
            for i, new in self.moves(state, law):
                after = (*state[:i], new, *state[i + 1 :])
                if after not in cost or cost[state] + 1 < cost[after]:
                    cost[after] = cost[state] + 1
                    came[after] = (state, (i, state[i], new))
                    order += 1
                    heapq.heappush(queue, (cost[after] + estimate(after), estimate(after), order, after))
        self.reached |= closed
        return None, True

    @staticmethod
    def trail(came: dict[State, tuple[State, tuple[int, int, int]] | None], state: State) -> list[tuple[int, int, int]]:
        moves = []
        while (step := came[state]) is not None:
            state, move = step
            moves.append(move)
        return moves[::-1]


def search(graph: Graph, target: Mapping[str, str], held: frozenset[str] = frozenset(), budget: int = BUDGET) -> Path:
    """The shortest path from the graph's start to ``target`` (component -> version); components in ``held`` stay.

    ``possible`` is None, with the steps, where a component that matrices tie to the target has no known version.
    A target component without a known running version, or a target version that is older than what runs, gives a path
    whose ``possible`` is None, respectively False."""
    missing = tuple(f"which version of {name} runs" for name in target if not graph.start.get(name))
    if missing:
        return Path(possible=None, unknown=missing)
    for name, version in target.items():
        if version not in graph.versions[name]:
            return _outside(graph, name, version)
    one = _Search(graph, target, held, budget)
    moves, proven = one.run()
    unknown = _unknown(graph, one, target)
    if moves is not None:
        steps = _steps(graph, one, moves)
        untold = any(other not in graph.start for name in target for other in graph.related(name))
        return Path(possible=None if untold else True, steps=steps, unknown=unknown, expanded=one.expanded)
    if not proven:
        said = f"search stopped at its budget of {budget:,} states; no path up to there"
        return Path(possible=None, unknown=(said, *unknown), expanded=one.expanded)
    core, waivers = _blame(one)
    return Path(
        possible=False, blocked_by=tuple(str(graph.rules[r]) for r in core), nearest=_nearest(graph, one),
        waivers=tuple(str(graph.rules[r]) for r in waivers), unknown=unknown, expanded=one.expanded,
    )  # fmt: skip


def doubted(path: Path, why: str) -> Path:
    """The same path where something decisive is not known: then nothing is proven."""
    return msgspec.structs.replace(path, possible=None, unknown=(why, *path.unknown))


def _outside(graph: Graph, name: str, version: str) -> Path:
    running = graph.start[name]
    same = (
        [v for v in graph.versions[name] if graph.order(name, v, version) == 0]
        if graph.versions[name] != [running]
        else []
    )
    if same:
        return search(graph, {name: same[0]})
    if graph.order(name, version, running) < 0:
        return Path(
            possible=False,
            blocked_by=(f"{name} {running} is newer than {version}: this would be a downgrade",),
            nearest=f"{name} {running}",
        )
    return Path(possible=None, unknown=(f"no record of release {name} {version}",))


def _steps(graph: Graph, one: _Search, moves: list[tuple[int, int, int]]) -> tuple[Step, ...]:
    steps = []
    for i, old, new in moves:
        name, versions = one.names[i], one.versions[i]
        required = (
            any(s.component == name and graph.order(name, s.version, versions[new]) == 0 for s in graph.stops)
            and i in one.goal
        )
        rule = graph.one_way(name, versions[old], versions[new])
        steps.append(
            Step(
                component=name,
                old=versions[old],
                new=versions[new],
                required=required and new != one.goal.get(i),
                one_way=str(rule or ""),
            )
        )
    return tuple(steps)


def _unknown(graph: Graph, one: _Search, target: Mapping[str, str]) -> tuple[str, ...]:
    """What no record tells and the search would have liked to know."""
    said = dict(graph.unknown)
    for name in target:
        for other in graph.related(name):
            if other not in graph.start:
                said[f"which version of {other} runs, on which {name} depends"] = None
    return tuple(said)


def _blame(one: _Search) -> tuple[list[int], list[int]]:
    """A smallest set of rules that block together (one after the other is left out), and those that block alone.

    The rules that stopped something in the states that were reached are enough to stop everything, so the search for
    the smallest set begins with them."""
    everything = frozenset(one.met)
    core = set(everything)
    for rule in sorted(everything):
        found, proven = one.run(_Law(kept=frozenset(core - {rule})))
        if found is None and proven:
            core.discard(rule)
    waivers = [rule for rule in sorted(everything) if one.run(_Law(waived=frozenset({rule})))[0] is not None]
    return sorted(core), waivers


def _nearest(graph: Graph, one: _Search) -> str:
    """The newest version of the target that can be reached."""
    one.reached.clear()
    one.run()
    i = min(one.goal)
    best = max((state[i] for state in one.reached), default=one.start[i])
    return f"{one.names[i]} {one.versions[i][best]}" if best != one.start[i] else ""
