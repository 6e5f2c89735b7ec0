"""By how much do two recipes differ in mean, and how often does one beat the other?"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import check_level, check_spread, one_count, sample_pair, seeded, size
from seedwise.stats.intervals import Interval, wilson_bounds
from seedwise.stats.seeds.factors import NO_FACTORS, Factors, levels_of, repeated_factors
from seedwise.stats.seeds.jackknife import seed_jackknife

__all__ = ["difference", "probability_of_improvement"]

Floats = NDArray[np.float64]

AT_ONCE = 2_000_000
"""Scores that the bootstrap holds at once: 16 MB for each of its few copies."""


def difference(
    a: ArrayLike, b: ArrayLike, *, paired: bool = False, confidence: float = 0.95, repeats: int = 10_000, seed: int = 0
) -> Interval:
    """Return the difference of the means, A minus B, with a bootstrap interval.

    The symmetric bootstrap-t: with e the difference, s its standard error, and e*, s* those of a resample, the interval
    is e ± s q, where q is the ``confidence`` quantile of |e* - e| / s*. Resamples without any spread are left out. In
    simulations of 20 trials against 20 it covers 95 to 97 % at a level of 95 % for normal, exponential and two-peaked
    scores (20 to 50 % of the trials failing), where BCa covers 90 to 96 %; 91 % for log-normal ones. Of coarse paired scores
    it holds too few: of steps as large as the standard deviation and 5 to 9 pairs 81 to 93 %, where the interval of
    ``crossed_difference`` holds 94 to 98 %. No interval knows
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
    a: ArrayLike,
    b: ArrayLike,
    factors_a: Factors = NO_FACTORS,
    factors_b: Factors = NO_FACTORS,
    *,
    paired: bool = False,
    confidence: float = 0.95,
    greater_is_better: bool = True,
) -> Interval:
    """Return the chance that a new trial of A beats a new trial of B: P(A > B) + P(A = B) / 2.

    The estimate is the share q of the n m pairs that A wins, ties counting half (Mann and Whitney's U over n m). Its
    variance v is DeLong's, from the share of B that each trial of A beats and the reverse. The interval is Wilson's for
    k = q (1 - q) / v independent comparisons, with k between the bounds that hold for any scores and for equal recipes,
    min(n, m) and 3 n m / (n + m + 1); so it stays inside [0, 1] and says something where A wins every pair. Simulated
    with 5 to 100 trials each, of unequal spread, two-peaked or tied, it covers 94 to 99 % at a level of 95 %.

    Where seeds repeat, v is the jackknife's over seeds (each left out with all of its trials), the lower bound of k is the
    fewest seeds of any kind, and k shrinks by (z / t)^2 for v being estimated.

    Args:
        a: Scores of recipe A, shape (n,), n >= 2.
        b: Scores of recipe B, shape (m,), m >= 2.
        factors_a: For each kind of seed, its label in each of A's trials, shape (n,); none where trials are independent.
        factors_b: The same for B, shape (m,).
        paired: Whether trial i of A and trial i of B have the same seeds.
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
    codes_a, codes_b = repeated_factors(factors_a, n), repeated_factors(factors_b, m)
    variance, shrink = beaten.var(ddof=1) / n + lost.var(ddof=1) / m, 1.0
    if codes_a or codes_b:
        error = seed_jackknife(
            lambda x, y: float(_share_below(x, y).mean()), first, second, codes_a, codes_b, paired=paired
        )
        tail = (1 - confidence) / 2
        variance, shrink = error.variance, float(stats.norm.isf(tail) / stats.t.isf(tail, error.df)) ** 2
    least, most = min(levels_of(codes_a, n), levels_of(codes_b, m)), 3 * n * m / (n + m + 1)
    k = float(np.clip(shrink * q * (1 - q) / variance, least * shrink, most)) if 0 < q < 1 and variance > 0 else least
    return Interval(q, *wilson_bounds(q, k, confidence=confidence), confidence)


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
