"""Which of two recipes is the more stable: how unequally do they spread, and how much more often does one fail?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from seedwise.stats.checks import ROUNDING, check_level, flag_array, sample_pair, size
from seedwise.stats.degrees import satterthwaite
from seedwise.stats.seeds.crossed import crossed_share
from seedwise.stats.seeds.factors import NO_FACTORS, Codes, Factors, repeated_factors
from seedwise.stats.seeds.jackknife import JackknifeError, seed_jackknife

__all__ = ["FailedShareDifference", "VarianceRatio", "failed_share_difference", "variance_ratio"]

Floats = NDArray[np.float64]
_LOG_P = (np.log(1e-12), np.log(0.999))
"""Between these logarithms a p-value is computed."""


class VarianceRatio(NamedTuple):
    """Which of two recipes is the more stable.

    Args:
        ratio: sd a / sd b; below 1, A is the more stable.
        lower: Lower end of the ratio's interval, above 0.
        upper: Upper end.
        p: Two-sided p-value of both being equally spread, in [0, 1]; below 1 - confidence where the interval excludes 1.
        confidence: Confidence level of the interval, in (0, 1).
    """

    ratio: float
    lower: float
    upper: float
    p: float
    confidence: float


class FailedShareDifference(NamedTuple):
    """How much more often recipe A fails than recipe B.

    Args:
        difference: Failed share of A minus failed share of B, in [-1, 1]; below 0, A fails less often.
        lower: Lower end of Newcombe's interval.
        upper: Upper end.
        p: Two-sided p-value of equal shares, in [0, 1]; below 1 - confidence where the interval excludes 0.
        confidence: Confidence level of the interval, in (0, 1).
    """

    difference: float
    lower: float
    upper: float
    p: float
    confidence: float


def variance_ratio(
    a: ArrayLike,
    b: ArrayLike,
    factors_a: Factors = NO_FACTORS,
    factors_b: Factors = NO_FACTORS,
    *,
    paired: bool = False,
    confidence: float = 0.95,
) -> VarianceRatio:
    """Return how much more recipe A spreads than recipe B, as the ratio of their standard deviations.

    The interval is Miller's jackknife of ln(sd a / sd b), which does not take the scores to be normal, with Student's t;
    the p-value is that of the same t. Where seeds repeat, a seed is left out with all of its trials.
    Simulated with 20 trials each at a level of 95 % it covers 94 % and more for normal and two-peaked scores, 90 to 92 %
    for exponential ones, 84 % where only a tenth of the trials fail; percentile, bootstrap-t and Bonett's intervals did
    no better in their worst cases.

    Args:
        a: Scores of recipe A, shape (n,), n >= 3.
        b: Scores of recipe B, shape (m,), m >= 3.
        factors_a: For each kind of seed, its label in each of A's trials, shape (n,); none where trials are independent.
        factors_b: The same for B, shape (m,).
        paired: Whether trial i of A and trial i of B have the same seeds.
        confidence: Confidence level, in (0, 1).

    Returns:
        The ratio, its interval and the p-value.

    Raises:
        ValueError: There are fewer than three trials, a score is not finite, or one trial or seed alone makes the spread.

    Reference:
        Miller (1968), "Jackknifing variances".

    Example:
        >>> ratio = variance_ratio([0.71, 0.72, 0.70, 0.73], [0.58, 0.71, 0.66, 0.70])
        >>> print(f"{ratio.ratio:.2f} in [{ratio.lower:.2f}, {ratio.upper:.2f}]")
        0.22 in [0.03, 1.75]
    """
    check_level("confidence", confidence)
    first, second = sample_pair(a, b, least=3)
    codes_a, codes_b = repeated_factors(factors_a, len(first)), repeated_factors(factors_b, len(second))
    log_ratio = _log_sd("a", first, codes_a) - _log_sd("b", second, codes_b)
    error = _log_ratio_error(first, second, codes_a, codes_b, paired=paired)
    t = float(stats.t.isf((1 - confidence) / 2, error.df))
    se = float(np.sqrt(error.variance))
    p = 2 * float(stats.t.sf(abs(log_ratio) / se, error.df)) if se > 0 else float(log_ratio == 0)
    lower, upper = np.exp(log_ratio - t * se), np.exp(log_ratio + t * se)
    return VarianceRatio(float(np.exp(log_ratio)), float(lower), float(upper), p, confidence)


def failed_share_difference(
    failed_a: ArrayLike,
    failed_b: ArrayLike,
    factors_a: Factors = NO_FACTORS,
    factors_b: Factors = NO_FACTORS,
    *,
    confidence: float = 0.95,
) -> FailedShareDifference:
    """Return how much more often A fails than B, with Newcombe's interval and the test that it inverts.

    With Wilson's intervals (l, u) of both shares: lower = d - sqrt((a - l_a)^2 + (u_b - b)^2), upper = d +
    sqrt((u_a - a)^2 + (b - l_b)^2). Where seeds repeat, the intervals are those of ``crossed_share``. The p-value is 1 less
    the confidence at which the interval begins to hold 0. It takes the sides as drawn apart, which is cautious where
    seeds that fail with A fail with B too.

    Args:
        failed_a: Whether each trial of A failed, booleans of shape (n,).
        failed_b: Likewise B's, shape (m,).
        factors_a: For each kind of seed, its label in each of A's trials, shape (n,); none where trials are independent.
        factors_b: The same for B, shape (m,).
        confidence: Confidence level, in (0, 1).

    Returns:
        The difference of the shares, its interval and the p-value.

    Raises:
        ValueError: A side is no vector of booleans, or the confidence is not in (0, 1).

    Reference:
        Newcombe (1998), "Interval estimation for the difference between independent proportions", method 10.

    Example:
        >>> a, b = np.arange(50) < 1, np.arange(50) < 24  # RTE with and without bias correction, Zhang et al., figure 2
        >>> gain = failed_share_difference(a, b)
        >>> print(f"{gain.difference:.2f} in [{gain.lower:.2f}, {gain.upper:.2f}]")
        -0.46 in [-0.60, -0.30]
    """
    check_level("confidence", confidence)
    flags = flag_array("failed_a", failed_a), flag_array("failed_b", failed_b)

    def bounds(level: float) -> tuple[float, float, float]:
        (a, low_a, high_a), (b, low_b, high_b) = (
            crossed_share(failed, factors, confidence=level)[2:5]
            for failed, factors in zip(flags, (factors_a, factors_b), strict=True)
        )
        return a - b, a - b - float(np.hypot(a - low_a, high_b - b)), a - b + float(np.hypot(high_a - a, b - low_b))

    gap, lower, upper = bounds(confidence)
    facing = 1 if gap > 0 else 2  # the end that faces 0

    def excess(log_p: float) -> float:
        return bounds(1 - float(np.exp(log_p)))[facing] * float(np.sign(gap))

    if gap == 0 or excess(_LOG_P[1]) <= 0:
        p = 1.0
    else:
        p = float(np.exp(_LOG_P[0] if excess(_LOG_P[0]) > 0 else optimize.brentq(excess, *_LOG_P)))
    return FailedShareDifference(gap, lower, upper, p, confidence)


def _log_sd(name: str, scores: Floats, codes: Codes) -> float:
    """Return ln sd; refuse scores whose spread rests on one trial or one seed."""
    n, least = len(scores), ROUNDING * size(scores)
    for what, code in (codes or {"trial": np.arange(n)}).items():
        if any(np.ptp(scores[code != level]) <= least for level in range(int(code.max()) + 1)):
            raise ValueError(
                f"{name} must vary among several trials for a ratio of spreads, but without one {what} of its {n} trials all "
                f"scores are {np.median(scores):g}; run more seeds, or compare the shares of failed trials."
            )
    return float(np.log(scores.std(ddof=1)))


def _log_ratio_error(a: Floats, b: Floats, codes_a: Codes, codes_b: Codes, *, paired: bool) -> JackknifeError:
    if codes_a or codes_b or paired:
        return seed_jackknife(
            lambda x, y: float(np.log(x.std(ddof=1) / y.std(ddof=1))), a, b, codes_a, codes_b, paired=paired
        )
    variances, degrees = [_log_sd_variance(scores) for scores in (a, b)], [len(a) - 1, len(b) - 1]
    df = satterthwaite(variances, degrees) if max(variances) > 0 else float(min(degrees))
    return JackknifeError(sum(variances), df)


def _log_sd_variance(scores: Floats) -> float:
    """Return the jackknife's variance of ln sd over independent trials."""
    n, gaps = len(scores), scores - scores.mean()
    left_out = (np.sum(gaps**2) - gaps**2 * n / (n - 1)) / (n - 2)  # variance without trial i
    return float(np.log(left_out).var() / 4 * (n - 1))
