"""How near the synthetic traffic is to production's, and whether the generator itself was fit to measure with.

Two kinds: the first four measures judge the *generator*; requests in flight say how the rehearsal copy compares with
production at the same arrivals (a slower copy has more of them). Each is ok, not ok, or not known (None).
"""

from __future__ import annotations

from collections import Counter

from fulldress.facts import Evidence, Fidelity, Witness
from fulldress.traffic.samples import Failure, Samples
from fulldress.traffic.workload import Workload

RATE = 0.01  #: relative error of the rate
MIX = 0.02  #: total variation distance of the mix of operations
LAG = 0.010  #: seconds of send lag at p99, or a tenth of the median latency where that is more
IN_FLIGHT = 0.25  #: relative, or 2 requests where that is more
FEWEST = 100  #: requests below which a distribution says nothing


def compare(workload: Workload, samples: Samples, run: str = "", seconds: float | None = None) -> list[Fidelity]:
    """All measures of a run (or, with ``seconds``, of its first seconds: the part before anything was upgraded)."""
    length = min(seconds or float("inf"), samples.end - samples.start)
    rows = samples.rows(samples.start, samples.start + length)
    place = Evidence(source=f"run:{run}" if run else "")

    def measure(name: str, production: float | None, rehearsal: float, unit: str, ok: bool | None) -> Fidelity:
        return Fidelity(
            witness=Witness.OBSERVED, evidence=place, measure=name, production=production, rehearsal=rehearsal,
            unit=unit, ok=ok,
        )  # fmt: skip

    if length <= 0 or not rows:
        return [measure("rate", workload.rate, 0.0, "req/s", None)]
    sent = [row for row in rows if samples.error[row] != Failure.DROPPED]
    due = workload.expected(length)
    few = len(rows) < FEWEST
    # One request more or less at the edge of the interval is no error of the generator.
    on_rate = abs(len(sent) - due) <= max(RATE * due, 1.0)
    found = [measure("rate", due / length, len(sent) / length, "req/s", on_rate)]
    mix = _distance(workload.mix(length), Counter(samples.operations[samples.operation[row]] for row in sent))
    found.append(measure("operation mix", 0.0, mix, "", None if few else mix <= MIX))
    lags = sorted(samples.lag[row] for row in rows)
    limit = lag_limit(samples, sent)
    found.append(measure("send lag p99", limit, _rank(lags, 0.99), "s", _rank(lags, 0.99) <= limit))
    found.append(measure("requests dropped", 0.0, float(len(rows) - len(sent)), "", len(sent) == len(rows)))
    levels = sorted(samples.in_flight(samples.start, samples.start + length, min(0.1, length / 50)))
    for quantile in (0.95, 0.99):
        wanted, got = workload.in_flight(quantile), float(_rank(levels, quantile))
        near = None if wanted is None or few else abs(got - wanted) <= max(2.0, IN_FLIGHT * wanted)
        found.append(measure(f"in flight p{quantile * 100:.0f}", wanted, got, "requests", near))
    found.append(
        measure("coverage of arrivals", 1.0, workload.coverage, "", True if workload.coverage >= 0.99 else None)
    )
    return found


def lag_limit(samples: Samples, rows: list[int]) -> float:
    """Seconds of send lag at p99 above which the run measures the generator and not the server."""
    latencies = sorted(samples.latency[row] for row in rows)
    return max(LAG, 0.1 * _rank(latencies, 0.5)) if latencies else LAG


def valid(fidelity: list[Fidelity]) -> bool | None:
    """Whether the run may be judged by: the generator kept rate and mix, was not late, and dropped nothing."""
    judged = [f.ok for f in fidelity if f.measure in ("rate", "operation mix", "send lag p99", "requests dropped")]
    return False if False in judged else None if None in judged or not judged else True


def _distance(plan: dict[str, float], sent: Counter[str]) -> float:
    total = sum(sent.values()) or 1
    return sum(abs(plan.get(name, 0.0) - sent[name] / total) for name in plan.keys() | sent.keys()) / 2


def _rank(ascending: list[float] | list[int], quantile: float) -> float:
    """Nearest rank."""
    return ascending[max(0, -int(-quantile * len(ascending) // 1) - 1)] if ascending else 0.0
