"""How certain is the tuning curve, all of it at once, after N trials?

A band of the distribution function that depends on N and the confidence alone, whatever the scores, and what it says
about the best of n: if the true distribution lies in the band, then so do its whole curves.
"""

import functools
import math
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import betaincinv, gammaln, xlogy
from scipy.stats import poisson

from seedwise.stats.checks import check_choice, check_level, count_array, one_count, score_array

__all__ = ["BandKind", "BestBand", "CdfBand", "best_quantile_band", "cdf_band", "expected_best_band"]

Floats = NDArray[np.float64]
BandKind = Literal["equal_tailed", "dkw"]


class CdfBand(NamedTuple):
    """A band that holds a whole distribution function at once.

    Args:
        lower: Lower bounds of F from the i-th smallest score up to the next one, i = 0..N, shape (N+1,), in [0, 1].
        upper: The upper bounds, shape (N+1,), in [0, 1].
        confidence: Chance that all bounds hold, in (0, 1); exact for ``equal_tailed`` where no two scores can be equal,
            at least this otherwise.
    """

    lower: Floats
    upper: Floats
    confidence: float


class BestBand(NamedTuple):
    """A band that holds the curve of the best of n, over all n at once.

    Args:
        n: Numbers of trials, shape (m,).
        lower: Lower ends, shape (m,), in the unit of the scores.
        upper: Upper ends, shape (m,).
        confidence: Chance that the whole true curve lies within, at least; in (0, 1).
        kind: The band of the distribution function it comes from.
    """

    n: NDArray[np.int64]
    lower: Floats
    upper: Floats
    confidence: float
    kind: BandKind


def cdf_band(size: int, *, confidence: float = 0.95, kind: BandKind = "equal_tailed") -> CdfBand:
    """Return a simultaneous confidence band of the distribution function of N scores.

    ``equal_tailed``: F at the i-th smallest score is distributed as Beta(i, N + 1 - i); each gets a central interval,
    all of one level, which is chosen so that together they hold with the confidence asked for, exactly. The band is
    narrow at both ends, where the best trials are. ``dkw``: F_N -+ sqrt(log(2 / (1 - confidence)) / (2 N)).

    Args:
        size: N, the number of trials, at least 1. The time grows as N to the power 1.5: 2,000 take a fraction of a
            second, 20,000 several; the same band a second time is at hand.
        confidence: Chance that the band holds the whole function, in (0, 1).
        kind: ``equal_tailed`` or ``dkw``, which is wider but immediate for any N.

    Returns:
        The band; its arrays are shared and cannot be written to.

    Raises:
        ValueError: An argument breaks its rule.

    Reference:
        Learned-Miller and DeStefano (2008), "A Probabilistic Upper Bound on Differential Entropy"; the chance that all
        hold: Moscovich and Nadler (2017), "Fast Calculation of Boundary Crossing Probabilities for Poisson Processes".
        Massart (1990), "The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality".

    Example:
        >>> cdf_band(1, confidence=0.9).upper.round(3)
        array([0.95, 1.  ])
    """
    total = one_count("size", size)
    check_level("confidence", confidence)
    check_choice("kind", kind, get_args(BandKind))
    return _equal_tailed(total, float(confidence)) if kind == "equal_tailed" else _dkw(total, float(confidence))


def expected_best_band(
    scores: ArrayLike,
    n: ArrayLike,
    *,
    support: tuple[float, float],
    confidence: float = 0.95,
    kind: BandKind = "equal_tailed",
    greater_is_better: bool = True,
) -> BestBand:
    """Return a confidence band of the expected score of the best of n fresh trials, over all n at once.

    E[best of n] = high - integral of F(x)^n from low to high; the upper bound of F gives the lower end, and conversely.

    Args:
        scores: Final scores of N trials, shape (N,).
        n: Numbers of trials of which the best is kept, shape (m,) or one; may exceed N.
        support: Smallest and largest score there can be: (0, 1) for accuracy, (-1, 1) for Matthews correlation. What
            was not seen in N trials may lie anywhere within, so that a wide support gives a wide band.
        confidence: Chance that the whole true curve lies in the band, in (0, 1).
        kind: The band of the distribution function: ``equal_tailed`` or ``dkw``.
        greater_is_better: Whether the best score is the largest.

    Raises:
        ValueError: A score is not finite or outside its support, or an argument breaks its rule.

    Reference:
        Lourie, Cho and He (2024), "Show Your Work with Confidence"; Dodge et al. (2019), "Show Your Work".

    Example:
        >>> band = expected_best_band([0.5, 0.6, 0.7, 0.8], [1, 4], support=(0, 1))
        >>> band.lower.round(3), band.upper.round(3)
        (array([0.163, 0.431]), array([0.925, 0.999]))
    """
    if not (math.isfinite(support[0]) and math.isfinite(support[1])):
        raise ValueError(
            f"support must be finite for an expected score, not {support!r}; best_quantile_band needs no finite bounds."
        )
    sign, points = _points(scores, support, greater_is_better=greater_is_better)
    counts = count_array("n", n)
    band = cdf_band(points.size - 2, confidence=confidence, kind=kind)
    widths = np.diff(points)  # (N+1,); 0 within a group of equal scores
    ends = [[points[-1] - widths @ bound**count for count in counts] for bound in (band.upper, band.lower)]
    lower, upper = np.sort(sign * np.array(ends), axis=0)
    return BestBand(counts, lower, upper, band.confidence, kind)


def best_quantile_band(
    scores: ArrayLike,
    n: ArrayLike,
    q: float,
    *,
    support: tuple[float, float],
    confidence: float = 0.95,
    kind: BandKind = "equal_tailed",
    greater_is_better: bool = True,
) -> BestBand:
    """Return a confidence band of the q-quantile of the best of n fresh trials; q = 0.5 is the median tuning curve.

    The quantile is where F reaches q^(1/n). Holds for all n at once, and for all q.

    Args:
        scores: Final scores of N trials, shape (N,).
        n: Numbers of trials of which the best is kept, shape (m,) or one; may exceed N.
        q: Chance that the best is no better than the quantile, in (0, 1).
        support: Smallest and largest score there can be; may be infinite. An end of the band lies there where N trials
            leave it open.
        confidence: Chance that the whole true curve lies in the band, in (0, 1).
        kind: The band of the distribution function: ``equal_tailed`` or ``dkw``.
        greater_is_better: Whether the best score is the largest.

    Raises:
        ValueError: A score is not finite or outside its support, or an argument breaks its rule.

    Reference:
        Lourie, Cho and He (2024), "Show Your Work with Confidence".

    Example:
        >>> best_quantile_band([0.5, 0.6, 0.7, 0.8], [1, 4], 0.5, support=(0, 1)).lower
        array([0. , 0.5])
    """
    check_level("q", q)
    sign, points = _points(scores, support, greater_is_better=greater_is_better)
    counts = count_array("n", n)
    band = cdf_band(points.size - 2, confidence=confidence, kind=kind)
    # The first of the N+1 steps on which the bound reaches the level; if none does, high itself.
    ends = [points[np.searchsorted(bound, q ** (1 / counts))] for bound in (band.upper, band.lower)]
    lower, upper = np.sort(sign * np.array(ends), axis=0)
    return BestBand(counts, lower, upper, band.confidence, kind)


def _points(scores: ArrayLike, support: tuple[float, float], *, greater_is_better: bool) -> tuple[int, Floats]:
    """The sign of the scores, and low, the scores in ascending order, high, shape (N+2,): greater is better."""
    v = score_array("scores", scores)
    low, high = support
    if not low < high:
        raise ValueError(f"support must be the smallest and the largest score there can be, in order, not {support!r}.")
    outside = v[(v < low) | (v > high)]
    if outside.size:
        raise ValueError(
            f"scores must lie in the support {support!r}, but {outside.size} of {v.size} do not (the first is "
            f"{outside[0]:g}); give the metric's own bounds."
        )
    sign = 1 if greater_is_better else -1
    return sign, np.sort(sign * np.concatenate([[low, high], v]))


@functools.cache
def _dkw(size: int, confidence: float) -> CdfBand:
    share = np.arange(size + 1) / size
    distance = math.sqrt(math.log(2 / (1 - confidence)) / (2 * size))
    return _band(np.maximum(share - distance, 0), np.minimum(share + distance, 1), confidence)


@functools.cache
def _equal_tailed(size: int, confidence: float) -> CdfBand:
    def excess(log_tail: float) -> float:
        """Log of the chance that a bound fails, over the one allowed; nearly linear, so that few steps suffice."""
        held = _chance_within(*_central(size, math.exp(log_tail)))
        return math.log(max(1 - held, 1e-300)) - math.log1p(-confidence)

    # One tail fails with at most 1 - confidence: shared among 2 N tails that is enough, by one interval it is spent.
    least, most = (1 - confidence) / (2 * size), (1 - confidence) / 2
    room = 1e-6  # at N = 1 the two are one
    bracket = math.log(least) - room, min(math.log(most) + room, math.log(0.5))
    lower, upper = _central(size, math.exp(brentq(excess, *bracket, xtol=1e-10)))
    return _band(np.concatenate([[0.0], lower]), np.concatenate([upper, [1.0]]), confidence)


def _band(lower: Floats, upper: Floats, confidence: float) -> CdfBand:
    lower.flags.writeable = upper.flags.writeable = False  # one band serves all callers
    return CdfBand(lower, upper, confidence)


def _central(size: int, tail: float) -> tuple[Floats, Floats]:
    """The tail and the 1 - tail quantile of each order statistic of N uniforms."""
    i = np.arange(1, size + 1)
    lower: Floats = np.asarray(betaincinv(i, size + 1 - i, tail), dtype=np.float64)
    return lower, 1 - lower[::-1]


def _chance_within(lower: Floats, upper: Floats) -> float:
    """P(lower_i <= U_(i) <= upper_i for all i) of N ordered uniforms; both bounds ascend.

    The uniforms are the points of a Poisson process of rate N, given that there are N of them by time 1. U_(i) is in
    its bounds if fewer than i points come before lower_i, and at least i by upper_i. So of all counts only a window of
    about 3 sqrt(N) is possible at any time, and between two bounds a count grows by a Poisson number.
    """
    size = lower.size
    times = np.concatenate([lower, upper])
    order = np.argsort(times, kind="stable")  # where both are equal the lower bound comes first
    gaps = size * np.diff(times[order], prepend=0)  # points expected between two bounds
    growth = np.arange(int(16 + 2 * gaps.max() + 8 * math.sqrt(gaps.max())))  # more has a chance below 1e-18
    kernels = np.exp(xlogy(growth, gaps[:, None]) - gaps[:, None] - gammaln(growth + 1))
    window, width = np.ones(1), 1  # chances of the possible counts, and how many these are
    for kernel, is_lower in zip(kernels, order < size, strict=True):
        window = np.convolve(window, kernel)[:width]
        if is_lower:
            width += 1
        else:
            width -= 1
            window = window[1:]
    return float(window[0] * math.exp(-size * (1 - upper[-1])) / poisson.pmf(size, size))
