"""What would be seen if rows were equally hard, or trials differed by flips alone? References for figures."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["equally_hard", "order_band"]

Floats = NDArray[np.float64]


def equally_hard(trials: int, rows: int, share: float) -> Floats:
    """Return how many rows 0, 1, ... of the trials would get right if each row were got right with the same chance.

    Example:
        >>> equally_hard(2, 100, 0.5)
        array([25., 50., 25.])
    """
    return np.asarray(rows * stats.binom.pmf(np.arange(trials + 1), trials, share))


def order_band(n: int, *, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return between which values each of n sorted standard normal numbers lies, place by place, less their mean.

    Example:
        >>> lower, upper = order_band(3)
        >>> lower.round(2), upper.round(2)
        (array([-1.95, -1.07, -0.45]), array([0.45, 1.07, 1.95]))
    """
    place, tail = np.arange(1, n + 1), (1 - confidence) / 2
    shrink = np.sqrt((n - 1) / n)  # the mean is the sample's own
    ends = [shrink * stats.norm.ppf(stats.beta.ppf(at, place, n + 1 - place)) for at in (tail, 1 - tail)]
    return np.asarray(ends[0]), np.asarray(ends[1])
