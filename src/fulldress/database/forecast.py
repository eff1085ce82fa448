"""From durations at several sizes to a band for a size that was not rehearsed. The same for every engine.

Three forms are tried: constant, linear with a constant part, and n log n with one. Errors are taken as relative to the
duration (a busier machine is busier in proportion), above 10 ms; so each run weighs the same. The band is the prediction
interval of weighted least squares (Draper and Smith, "Applied Regression Analysis", chapters 1 and 9) by Student's t with
n - p degrees of freedom, and it spans every form that fits nearly as well as the best: what the runs cannot tell apart
stays open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log2, sqrt
from typing import NamedTuple

from fulldress.facts import Size

LEVEL = 0.9
#: Student's t for a two-sided interval of 90 %, by degrees of freedom from 1.
_T90 = (
    6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753, 1.746,
    1.740, 1.734, 1.729, 1.725, 1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697,
)  # fmt: skip
_FLOOR = 0.010  #: seconds: below it errors are those of the clock and the scheduler, not of the work
#: A form whose residual variance is at most so many times that of the best one cannot be ruled out.
_NEARLY = 2.0


class Fit(NamedTuple):
    """``model``: of the best form. Seconds."""

    model: str
    low: float
    expected: float
    high: float


class _Form(NamedTuple):
    name: str
    grows: Callable[[float], float] | None


_FORMS = (
    _Form("constant", None),
    _Form("linear", lambda rows: rows),
    _Form("n log n", lambda rows: rows * log2(max(rows, 2.0))),
)


def fit(samples: Sequence[Size], rows: float) -> Fit | None:
    """A band for ``rows``. None: too few runs for any band, or all of one size that is not ``rows``."""
    sizes = {sample.rows for sample in samples}
    one_size = len(sizes) < 2
    if (one_size and sizes != {int(rows)}) or (not one_size and len(samples) < 3):
        return None  # two runs at two sizes lie on a line whatever the form is
    fitted: list[tuple[float, Fit]] = []
    for form in _FORMS[:1] if one_size else _FORMS:
        found = _fitted(form, samples, rows)
        if found is not None:
            fitted.append(found)
    if not fitted:
        return None
    least = min(variance for variance, _ in fitted)
    good = [one for variance, one in fitted if variance <= least * _NEARLY + 1e-12]
    best = min(fitted, key=lambda one: one[0])[1]
    return Fit(best.model, max(min(one.low for one in good), 0.0), best.expected, max(one.high for one in good))


def _fitted(form: _Form, samples: Sequence[Size], rows: float) -> tuple[float, Fit] | None:
    """Weighted residual variance, and the band. None: not enough runs, or it would fall with size."""
    weights = [1 / max(sample.seconds, _FLOOR) ** 2 for sample in samples]
    parts = 1 if form.grows is None else 2
    degrees = len(samples) - parts
    if degrees < 1:
        return None
    seconds = [sample.seconds for sample in samples]
    total = sum(weights)
    mean = sum(w * y for w, y in zip(weights, seconds, strict=True)) / total
    if form.grows is None:
        variance = sum(w * (y - mean) ** 2 for w, y in zip(weights, seconds, strict=True)) / degrees
        return variance, _band(form.name, mean, variance, 1 / total, degrees)
    xs = [form.grows(sample.rows) for sample in samples]
    middle = sum(w * x for w, x in zip(weights, xs, strict=True)) / total
    spread = sum(w * (x - middle) ** 2 for w, x in zip(weights, xs, strict=True))
    if spread <= 0:
        return None
    slope = sum(w * (x - middle) * (y - mean) for w, x, y in zip(weights, xs, seconds, strict=True)) / spread
    if slope <= 0:
        return None
    offset = mean - slope * middle
    at = form.grows(rows)
    if offset < 0:  # no work takes less than none: through the origin instead, which spends one part less
        degrees += 1
        squares = sum(w * x * x for w, x in zip(weights, xs, strict=True))
        slope = sum(w * x * y for w, x, y in zip(weights, xs, seconds, strict=True)) / squares
        variance = sum(w * (y - slope * x) ** 2 for w, x, y in zip(weights, xs, seconds, strict=True)) / degrees
        return variance, _band(form.name, slope * at, variance, at * at / squares, degrees)
    left = [y - offset - slope * x for x, y in zip(xs, seconds, strict=True)]
    variance = sum(w * e * e for w, e in zip(weights, left, strict=True)) / degrees
    unsure = 1 / total + (at - middle) ** 2 / spread
    return variance, _band(form.name, offset + slope * at, variance, unsure, degrees)


def _band(model: str, expected: float, variance: float, unsure: float, degrees: int) -> Fit:
    """``unsure``: variance of the fitted line there, in units of ``variance``; one run's own comes on top."""
    t = _T90[min(degrees, len(_T90)) - 1]
    half = t * sqrt(variance * (max(expected, _FLOOR) ** 2 + unsure))
    return Fit(model, expected - half, expected, expected + half)
