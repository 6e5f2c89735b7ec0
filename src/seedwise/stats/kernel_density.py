"""How are scores distributed, drawn as a smooth curve?"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import ROUNDING, score_array

__all__ = ["bandwidth", "density"]

Floats = NDArray[np.float64]


def bandwidth(scores: ArrayLike) -> float:
    """Return the standard deviation of the kernel that Scott's rule gives: s n^(-1/5).

    The rule is made for one hump: where scores gather at two places it smooths too much, so show the scores beside.

    Reference:
        Scott (1992), "Multivariate Density Estimation".

    Example:
        >>> round(bandwidth([0.5, 0.6, 0.7]), 3)
        0.08
    """
    values = score_array("scores", scores, least=2)
    if np.ptp(values) <= ROUNDING * np.abs(values).max():
        return 0.0
    return float(values.std(ddof=1) * len(values) ** -0.2)


def density(scores: ArrayLike, at: ArrayLike) -> Floats:
    """Return the kernel density estimate of the scores with a Gaussian kernel of Scott's bandwidth.

    Args:
        scores: One score a trial, shape (n,), n >= 2.
        at: Where to estimate it, in the unit of the scores, shape (m,).

    Returns:
        Density at each place, at least 0, in 1 / unit of the scores, shape (m,); nan everywhere if all scores are equal,
        since they have no density.

    Raises:
        ValueError: There are fewer than two scores, or a score or a place is not finite.

    Reference:
        Dodge et al. (2020), figures 3 and 8.

    Example:
        >>> density([0.5, 0.6, 0.7], at=[0.4, 0.6, 0.8]).round(1).tolist()
        [0.8, 3.2, 0.8]
    """
    values, places = score_array("scores", scores, least=2), score_array("at", at)
    if bandwidth(values) == 0:
        return np.full(len(places), np.nan)
    return np.asarray(stats.gaussian_kde(values)(places), dtype=np.float64)
