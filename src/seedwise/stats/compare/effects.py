"""By how much do two recipes differ: in mean, in spread, in failures, and in how often one beats the other?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import ROUNDING, check_level, check_spread, one_count, sample_pair, seeded, size
from seedwise.stats.degrees import satterthwaite
from seedwise.stats.intervals import Interval, proportion_interval, wilson_bounds

__all__ = [
    "FailedShareDifference",
    "VarianceRatio",
    "difference",
    "failed_share_difference",
    "probability_of_improvement",
    "variance_ratio",
]

Floats = NDArray[np.float64]

AT_ONCE = 2_000_000
"""Scores that the bootstrap holds at once: 16 MB for each of its few copies."""


class VarianceRatio(NamedTuple):
    """Which of two recipes is the more stable.

    Args:
        ratio: sd a / sd b; below 1, A is the more stable.
        lower: Lower end of the ratio's interval, above 0.
        upper: Upper end.
        p: Two-sided p-value of Brown and Forsythe's test that both are equally spread, in [0, 1].
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
        p: Two-sided p-value of Fisher's exact test, in [0, 1].
        confidence: Confidence level of the interval, in (0, 1).
    """

    difference: float
    lower: float
    upper: float
    p: float
    confidence: float


def difference(
    a: ArrayLike, b: ArrayLike, *, paired: bool = False, confidence: float = 0.95, repeats: int = 10_000, seed: int = 0
) -> Interval:
    """Return the difference of the means, A minus B, with a bootstrap interval.

    The symmetric bootstrap-t: with e the difference, s its standard error, and e*, s* those of a resample, the interval
    is e ± s q, where q is the ``confidence`` quantile of |e* - e| / s*. Resamples without any spread are left out. In
    simulations of 20 trials against 20 it covers 95 to 97 % at a level of 95 % for normal, exponential and two-peaked
    scores (20 to 50 % of the trials failing), where BCa covers 90 to 96 %; 91 % for log-normal ones. No interval knows
    of failures too rare to have been seen: where 10 % of A's trials fail it covers 90 %, and with 5 trials each 83 %
    where 30 % do.

    Args:
        a: Scores of recipe A, shape (n,), n >= 3.
        b: Scores of recipe B, shape (m,), m >= 3.
        paired: Whether trials with equal seeds stand at equal places; the pairs are resampled then.
        confidence: Confidence level, in (0, 1).
        repeats: How many resamples are drawn.
        seed: Seed of the draws.

    Returns:
        The difference and its interval, in the unit of the scores.

    Raises:
        ValueError: There are fewer than three trials, a score is not finite, nothing varies, or trials cannot be paired.

    Reference:
        Hall (1988), "On symmetric bootstrap confidence intervals"; Efron and Tibshirani (1993), section 12.5.

    Example:
        >>> gain = difference([0.71, 0.72, 0.70, 0.73, 0.72], [0.68, 0.71, 0.66, 0.70, 0.69])
        >>> print(f"{gain.estimate:.3f}")
        0.028
    """
    check_level("confidence", confidence)
    repeats = one_count("repeats", repeats)
    first, second = sample_pair(a, b, least=3, paired=paired)
    samples = [first - second] if paired else [first, second]
    check_spread("the interval of a difference", *samples, scale=size(first, second))
    error = np.sqrt(sum(sample.var(ddof=1) / len(sample) for sample in samples))
    generator = seeded(seed)
    shift, variance = np.zeros(repeats), np.zeros(repeats)
    for sign, sample in zip((1, -1), samples, strict=False):
        means, variances = _resampled(sample - sample.mean(), repeats, generator)
        shift += sign * means
        variance += variances / len(sample)
    spread = variance > (1e-9 * error) ** 2
    half = error * float(np.quantile(np.abs(shift[spread]) / np.sqrt(variance[spread]), confidence))
    estimate = float(first.mean() - second.mean())
    return Interval(estimate, float(estimate - half), float(estimate + half), confidence)


def probability_of_improvement(
    a: ArrayLike, b: ArrayLike, *, confidence: float = 0.95, greater_is_better: bool = True
) -> Interval:
    """Return the chance that a new trial of A beats a new trial of B: P(A > B) + P(A = B) / 2.

    The estimate is the share q of the n m pairs that A wins, ties counting half (Mann and Whitney's U over n m). Its
    variance v is DeLong's, from the share of B that each trial of A beats and the reverse. The interval is Wilson's for
    k = q (1 - q) / v independent comparisons, with k between the bounds that hold for any scores and for equal recipes,
    min(n, m) and 3 n m / (n + m + 1); so it stays inside [0, 1] and says something where A wins every pair. Simulated
    with 5 to 100 trials each, of unequal spread, two-peaked or tied, it covers 94 to 99 % at a level of 95 %.

    Args:
        a: Scores of recipe A, shape (n,), n >= 2.
        b: Scores of recipe B, shape (m,), m >= 2.
        confidence: Confidence level, in (0, 1).
        greater_is_better: Whether a greater score is better; False for a loss.

    Returns:
        The chance and its interval, in [0, 1]; 0.5 where neither is better.

    Raises:
        ValueError: There are fewer than two trials, or a score is not finite.

    Reference:
        Agarwal et al. (2021), "Deep Reinforcement Learning at the Edge of the Statistical Precipice", section 4.3;
        DeLong et al. (1988); Birnbaum and Klose (1957) for the lower bound of k.

    Example:
        >>> chance = probability_of_improvement([0.71, 0.72, 0.70, 0.73], [0.68, 0.71, 0.66, 0.70])
        >>> print(f"{chance.estimate:.2f} in [{chance.lower:.2f}, {chance.upper:.2f}]")
        0.88 in [0.45, 0.98]
    """
    check_level("confidence", confidence)
    first, second = sample_pair(a, b)
    if not greater_is_better:
        first, second = -first, -second
    n, m = len(first), len(second)
    beaten, lost = _share_below(first, second), 1 - _share_below(second, first)
    q = float(beaten.mean())
    variance = beaten.var(ddof=1) / n + lost.var(ddof=1) / m
    least, most = min(n, m), 3 * n * m / (n + m + 1)
    k = float(np.clip(q * (1 - q) / variance, least, most)) if 0 < q < 1 and variance > 0 else least
    return Interval(q, *wilson_bounds(q, k, confidence=confidence), confidence)


def variance_ratio(a: ArrayLike, b: ArrayLike, *, confidence: float = 0.95) -> VarianceRatio:
    """Return how much more recipe A spreads than recipe B, as the ratio of their standard deviations.

    The interval is Miller's jackknife of ln(sd a / sd b), which does not take the scores to be normal, with Student's t.
    Simulated with 20 trials each at a level of 95 % it covers 94 % and more for normal and two-peaked scores, 90 to 92 %
    for exponential ones, 84 % where only a tenth of the trials fail; percentile, bootstrap-t and Bonett's intervals did
    no better in their worst cases. The p-value is Brown and Forsythe's (Levene's test about the medians).

    Args:
        a: Scores of recipe A, shape (n,), n >= 3.
        b: Scores of recipe B, shape (m,), m >= 3.
        confidence: Confidence level, in (0, 1).

    Returns:
        The ratio, its interval and the p-value.

    Raises:
        ValueError: There are fewer than three trials, a score is not finite, or one trial alone makes the spread.

    Reference:
        Miller (1968), "Jackknifing variances"; Brown and Forsythe (1974), "Robust tests for the equality of variances".

    Example:
        >>> ratio = variance_ratio([0.71, 0.72, 0.70, 0.73], [0.58, 0.71, 0.66, 0.70])
        >>> print(f"{ratio.ratio:.2f} in [{ratio.lower:.2f}, {ratio.upper:.2f}]")
        0.22 in [0.03, 1.75]
    """
    check_level("confidence", confidence)
    first, second = sample_pair(a, b, least=3)
    (log_a, variance_a), (log_b, variance_b) = _log_sd("a", first), _log_sd("b", second)
    degrees = satterthwaite([variance_a, variance_b], [len(first) - 1, len(second) - 1])
    half = float(stats.t.isf((1 - confidence) / 2, degrees)) * np.sqrt(variance_a + variance_b)
    ratio, p = np.exp(log_a - log_b), stats.levene(first, second, center="median").pvalue
    return VarianceRatio(float(ratio), float(ratio * np.exp(-half)), float(ratio * np.exp(half)), float(p), confidence)


def failed_share_difference(
    failed_a: int, n_a: int, failed_b: int, n_b: int, *, confidence: float = 0.95
) -> FailedShareDifference:
    """Return how much more often A fails than B, with Newcombe's interval and Fisher's exact test.

    With Wilson's intervals (l, u) of both shares: lower = d - sqrt((a - l_a)^2 + (u_b - b)^2), upper = d +
    sqrt((u_a - a)^2 + (b - l_b)^2).

    Args:
        failed_a: How many trials of A failed; 0..n_a.
        n_a: How many trials A has; at least 1.
        failed_b: How many trials of B failed; 0..n_b.
        n_b: How many trials B has; at least 1.
        confidence: Confidence level, in (0, 1).

    Returns:
        The difference of the shares, its interval and the p-value.

    Raises:
        ValueError: A count is no whole number or out of range, or the confidence is not in (0, 1).

    Reference:
        Newcombe (1998), "Interval estimation for the difference between independent proportions", method 10.

    Example:
        >>> gain = failed_share_difference(1, 50, 24, 50)  # RTE with and without bias correction, Zhang et al., figure 2
        >>> print(f"{gain.difference:.2f} in [{gain.lower:.2f}, {gain.upper:.2f}]")
        -0.46 in [-0.60, -0.30]
    """
    share_a, lower_a, upper_a, _ = _named_share("a", failed_a, n_a, confidence)
    share_b, lower_b, upper_b, _ = _named_share("b", failed_b, n_b, confidence)
    gap = share_a - share_b
    lower = gap - float(np.hypot(share_a - lower_a, upper_b - share_b))
    upper = gap + float(np.hypot(upper_a - share_a, share_b - lower_b))
    p = stats.fisher_exact(np.array([[failed_a, n_a - failed_a], [failed_b, n_b - failed_b]])).pvalue
    return FailedShareDifference(gap, lower, upper, float(p), confidence)


def _resampled(sample: Floats, repeats: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Return mean and variance of resamples drawn with replacement, each of shape (repeats,)."""
    means, variances = np.empty(repeats), np.empty(repeats)
    step = max(1, AT_ONCE // len(sample))
    for start in range(0, repeats, step):
        part = slice(start, min(start + step, repeats))
        drawn = generator.choice(sample, (part.stop - start, len(sample)))
        means[part], variances[part] = drawn.mean(axis=1), drawn.var(axis=1, ddof=1)
    return means, variances


def _share_below(scores: Floats, others: Floats) -> Floats:
    """Return for each score the share of the others below it, ties counting half."""
    ranked = np.sort(others)
    below, not_above = np.searchsorted(ranked, scores, side="left"), np.searchsorted(ranked, scores, side="right")
    return (below + not_above) / (2 * len(others))


def _log_sd(name: str, scores: Floats) -> tuple[float, float]:
    """Return ln sd and the jackknife's variance of it."""
    n, gaps = len(scores), scores - scores.mean()
    least = (ROUNDING * size(scores)) ** 2
    left_out = (np.sum(gaps**2) - gaps**2 * n / (n - 1)) / (n - 2)  # variance without trial i
    if left_out.min() <= least + 1e-12 * np.sum(gaps**2):
        raise ValueError(
            f"{name} must vary among several trials for a ratio of spreads, but without one of its {n} trials all scores are "
            f"{np.median(scores):g}; run more seeds, or compare the shares of failed trials."
        )
    return float(np.log(scores.std(ddof=1))), float(np.log(left_out).var() / 4 * (n - 1))


def _named_share(name: str, failed: int, n: int, confidence: float) -> Interval:
    try:
        return proportion_interval(failed, n, confidence=confidence)
    except ValueError as error:
        raise ValueError(f"failed_{name} of n_{name}: {error}") from None
