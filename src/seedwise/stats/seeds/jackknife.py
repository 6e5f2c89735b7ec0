"""How sure is any number that compares two recipes whose trials share their seeds?"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.stats.degrees import satterthwaite
from seedwise.stats.seeds.factors import Codes

__all__ = ["JackknifeError", "seed_jackknife"]

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, Floats], float]

_ALONE = 2000
"""With more trials than these a crossed design's residual variance counts twice, which is cautious, and not slow."""


class JackknifeError(NamedTuple):
    """The variance of an estimate over the seeds."""

    variance: float  # at least 0, in squared units of the estimate
    df: float  # degrees of freedom of the variance, at least 1


def seed_jackknife(
    statistic: Statistic, a: Floats, b: Floats, codes_a: Codes, codes_b: Codes, *, paired: bool
) -> JackknifeError:
    """Return the variance of a statistic of two recipes by leaving out one seed at a time, with all of its trials.

    With e_l the statistic without level l of a factor of L levels, the factor's part is (L - 1) / L sum_l (e_l - mean e)^2;
    a side none of whose seeds repeat has its trials as levels. Of k crossed factors each part holds the residual variance,
    which is counted once: sum of the parts less (k - 1) times that of single trials, and no less than the largest part.
    Where trials are paired, a seed leaves both sides at once.

    Reference:
        Efron and Stein (1981), "The jackknife estimate of variance"; Cameron, Gelbach and Miller (2011), "Robust inference
        with multiway clustering", for the parts of crossed factors.
    """
    if paired:
        sides = [_side(statistic, a, b, codes_a, in_a=True, in_b=True)]
    else:
        sides = [
            _side(statistic, a, b, codes_a, in_a=True, in_b=False),
            _side(statistic, a, b, codes_b, in_a=False, in_b=True),
        ]
    variances, degrees = [side.variance for side in sides], [side.df for side in sides]
    df = satterthwaite(variances, degrees) if max(variances) > 0 else min(degrees)
    return JackknifeError(sum(variances), max(df, 1.0))


def _side(statistic: Statistic, a: Floats, b: Floats, codes: Codes, *, in_a: bool, in_b: bool) -> JackknifeError:
    """Return the part of the variance that is due to the seeds of one side, or of both where trials are paired."""
    n = len(a) if in_a else len(b)

    def without(code: NDArray[np.intp]) -> tuple[float, int]:
        levels = int(code.max()) + 1
        kept = [code != level for level in range(levels)]
        left = np.array([statistic(a[rows] if in_a else a, b[rows] if in_b else b) for rows in kept])
        return float(left.var() * (levels - 1)), levels - 1

    parts = [without(code) for code in codes.values()] or [without(np.arange(n))]
    variances, degrees = [v for v, _ in parts], [d for _, d in parts]
    total = sum(variances)
    if len(parts) > 1 and n <= _ALONE:
        total = max(total - (len(parts) - 1) * without(np.arange(n))[0], *variances)
    return JackknifeError(total, satterthwaite(variances, degrees) if total > 0 else float(min(degrees)))
