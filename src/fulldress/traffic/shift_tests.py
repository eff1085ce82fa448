"""Two-sample tests for logs: is a difference more than what such logs differ by from hour to hour?

Requests are not independent: a burst or a slow minute moves many of them at once, and a test that takes them for
independent calls every burst real. So the unit of chance here is a *block* of consecutive seconds, and variances are
those of blocks (the linearised cluster estimator of survey statistics; Woodruff 1952 for quantiles).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

BLOCKS = 40  #: blocks that a log is cut into
LAGS = 8  #: neighbouring blocks that may have something in common
FEWEST_BLOCKS = 8
FEWEST_BEYOND = 10  #: observations on the far side of a quantile, below which it is not estimated
_Z = NormalDist().inv_cdf(0.975)


class Estimate(NamedTuple):
    """A figure, the figure on the scale that it is tested on, and its standard error there. ``se`` None: too little data."""

    value: float
    scale: float
    se: float | None


def quantile(values: Sequence[float], blocks: Sequence[int], q: float) -> Estimate:
    """The ``q`` quantile of ``values`` (``blocks`` says in which block each lies), tested on the scale of its logarithm."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ascending = [values[number] for number in order]
    count = len(ascending)
    if not count:
        return Estimate(0.0, 0.0, None)
    value = ascending[min(count - 1, max(0, math.ceil(q * count) - 1))]
    log = math.log(max(value, 1e-6))
    if min(q, 1 - q) * count < FEWEST_BEYOND:
        return Estimate(value, log, None)
    above = [0] * (max(blocks) + 1)
    sizes = [0] * len(above)
    for number in range(count):
        sizes[blocks[number]] += 1
        above[blocks[number]] += values[number] > value
    share = _ratio_se(above, sizes)
    if share is None:
        return Estimate(value, log, None)
    # Woodruff: the interval of the share, carried over to the quantiles; never narrower than independence allows.
    spread = _Z * max(share, math.sqrt(q * (1 - q) / count))
    low = ascending[min(count - 1, max(0, math.floor((q - spread) * count)))]
    high = ascending[min(count - 1, max(0, math.ceil((q + spread) * count)))]
    width = math.log(max(high, 1e-6)) - math.log(max(low, 1e-6))
    return Estimate(value, log, max(width / (2 * _Z), 1e-4))


def share(hits: Sequence[int], sizes: Sequence[int]) -> Estimate:
    """Σ hits / Σ sizes over blocks, e.g. errors per request or attempts per call."""
    total = sum(sizes)
    if not total:
        return Estimate(0.0, 0.0, None)
    value = sum(hits) / total
    se = _ratio_se(hits, sizes)
    if se is None:
        return Estimate(value, value, None)
    # Without a single hit the blocks do not vary at all; the binomial of one more hit bounds what that proves.
    floor = math.sqrt(min(value + 1 / total, 0.5) * 0.5 / total) if value <= 1 else 0.0
    return Estimate(value, value, max(se, floor))


def rate(counts: Sequence[int], seconds: float) -> Estimate:
    """Events per hour from their counts in blocks of ``seconds``, tested on the scale of its logarithm."""
    used = len(counts)
    if not used or seconds <= 0:
        return Estimate(0.0, 0.0, None)
    mean = sum(counts) / used
    value = mean / seconds * 3600
    if not sum(counts):
        # Nothing at all in this log: half a call, known to a factor of e, so that many calls in the other one tell.
        return Estimate(0.0, math.log(0.5 / used / seconds * 3600), 1.0)
    if used < FEWEST_BLOCKS or sum(counts) < 2 * FEWEST_BEYOND:
        return Estimate(value, math.log(max(value, 1e-9)), None)
    variance = _long_run([count - mean for count in counts]) / (used - 1)
    se = math.sqrt(max(variance, mean) / used) / mean
    return Estimate(value, math.log(value), se)


def _ratio_se(hits: Sequence[int], sizes: Sequence[int]) -> float | None:
    """Standard error of Σ hits / Σ sizes with blocks as clusters."""
    pairs = [(hit, size) for hit, size in zip(hits, sizes, strict=True) if size]
    if len(pairs) < FEWEST_BLOCKS:
        return None
    total = sum(size for _, size in pairs)
    value = sum(hit for hit, _ in pairs) / total
    squares = _long_run([hit - value * size for hit, size in pairs])
    return math.sqrt(squares * len(pairs) / (len(pairs) - 1)) / total


def _long_run(deviations: Sequence[float]) -> float:
    """Σ of squares, plus what neighbouring blocks have in common (Newey & West 1987): a busy spell outlasts a block."""
    squares = sum(value * value for value in deviations)
    whole = squares
    for lag in range(1, LAGS + 1):
        together = sum(a * b for a, b in zip(deviations, deviations[lag:], strict=False))
        whole += 2 * (1 - lag / (LAGS + 1)) * together
    return max(whole, squares)


def p_value(before: Estimate, after: Estimate) -> float | None:
    """Two-sided; None when either is not estimated well enough. Student's t, since blocks are few."""
    if before.se is None or after.se is None:
        return None
    se = math.hypot(before.se, after.se)
    if se == 0:
        return 1.0 if before.scale == after.scale else 0.0
    t = abs(after.scale - before.scale) / se
    # Wallace 1959's normal approximation of t. Blocks that have much in common count for fewer.
    freedom = BLOCKS / 3
    z = math.sqrt(freedom * math.log1p(t * t / freedom)) * (1 - 3 / (4 * freedom))
    return 2 * (1 - NormalDist().cdf(z))


def holm(values: Sequence[float | None], alpha: float = 0.05) -> list[bool | None]:
    """Which of many p-values still count when the chance of *any* false alarm is to stay below ``alpha`` (Holm 1979)."""
    known = sorted((value, number) for number, value in enumerate(values) if value is not None)
    rejected: list[bool | None] = [None if value is None else False for value in values]
    for rank, (value, number) in enumerate(known):
        if value > alpha / (len(known) - rank):
            break
        rejected[number] = True
    return rejected
