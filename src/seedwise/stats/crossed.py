"""How sure are a mean, a failed share and a difference where trials share their seeds?

In a grid of init seeds x order seeds the trials of one seed rise and fall together, so that n trials tell less than n
independent ones would. The intervals here count the seeds' variance; those of intervals.py, failures.py and comparison.py
are for trials that share no seed.
"""

from collections.abc import Iterable, Mapping
from math import nan, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import ROUNDING, check_level, check_spread, label_array, sample_pair, score_array, size
from seedwise.stats.components import variance_components
from seedwise.stats.degrees import satterthwaite
from seedwise.stats.failures import FailedShare, failed_share

__all__ = ["CrossedDifference", "CrossedMean", "crossed_difference", "crossed_mean", "crossed_share"]

Floats = NDArray[np.float64]
Factors = Mapping[str, Iterable[Any]]


class CrossedMean(NamedTuple):
    """A mean over trials that share seeds.

    Args:
        mean: Mean score.
        se: Its standard error, in the unit of the scores.
        df: Degrees of freedom of the standard error, at least 1.
        n: How many trials there are.
        n_effective: How many independent trials, each with all seeds new, would tell as much, in [1, n]; nan where all
            scores are equal.
        lower: Lower end of the mean's interval, in the unit of the scores.
        upper: Upper end.
        confidence: Confidence level of the interval, in (0, 1).
    """

    mean: float
    se: float
    df: float
    n: int
    n_effective: float
    lower: float
    upper: float
    confidence: float


class CrossedDifference(NamedTuple):
    """By how much two recipes differ whose trials share seeds.

    Args:
        difference: Mean of A minus mean of B, in the unit of the scores.
        se: Its standard error, same unit, above 0.
        df: Degrees of freedom of the standard error, at least 1.
        t: difference / se.
        p: Two-sided p-value of both means being equal, in [0, 1].
        lower: Lower end of the difference's interval.
        upper: Upper end.
        confidence: Confidence level of the interval, in (0, 1).
        paired: Whether trials were compared seed by seed.
    """

    difference: float
    se: float
    df: float
    t: float
    p: float
    lower: float
    upper: float
    confidence: float
    paired: bool


def crossed_mean(scores: ArrayLike, factors: Factors, *, confidence: float = 0.95) -> CrossedMean:
    check_level("confidence", confidence)
    values = score_array("scores", scores, least=3)
    n, mean = len(values), float(values.mean())
    variance = variance_components(values, factors, repeats=1).variance
    codes = [label_array(name, labels, n) for name, labels in factors.items()]
    degrees = [int(code.max()) for code in codes]
    rest = n - 1 - sum(degrees)
    if np.ptp(values) <= ROUNDING * size(values):
        return CrossedMean(mean, 0.0, float(rest), n, nan, mean, mean, confidence)
    residual = float(variance[-1]) / n
    found = [
        (float(v) * float((np.bincount(code) / n) @ (np.bincount(code) / n)), d)
        for v, code, d in zip(variance[:-1], codes, degrees, strict=True)
        if v > 0
    ]
    terms = [part + residual for part, _ in found] + [(1 - len(found)) * residual]
    error = sqrt(sum(terms))
    df = max(satterthwaite(terms, [*(d for _, d in found), rest]), min([d for _, d in found], default=rest))
    total = float(np.maximum(variance, 0).sum())
    half = float(stats.t.isf((1 - confidence) / 2, df)) * error
    return CrossedMean(mean, error, df, n, float(np.clip(total / error**2, 1, n)), mean - half, mean + half, confidence)
