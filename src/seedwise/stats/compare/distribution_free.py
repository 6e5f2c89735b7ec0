"""Is recipe A better than recipe B, whatever the shape of their scores: tests by ranks and by permutation."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import (
    ALTERNATIVES,
    ROUNDING,
    Alternative,
    check_choice,
    check_spread,
    one_count,
    sample_pair,
    seeded,
    size,
)
from seedwise.stats.compare.tests import Comparison

__all__ = ["mann_whitney", "permutation", "wilcoxon"]

Floats = NDArray[np.float64]

EXACT = 100
"""Up to so many trials, the p-value of a rank test is counted, whatever ties there are: 0.1 s."""

AT_ONCE = 2_000_000
"""Scores that a permutation test holds at once: 16 MB for each of its few copies."""


def wilcoxon(a: ArrayLike, b: ArrayLike, *, alternative: Alternative = "greater") -> Comparison:
    """Return Wilcoxon's signed-rank test over trials with equal seeds; equal pairs are left out.

    Args:
        a: Scores of recipe A, shape (n,), n >= 2.
        b: Scores of recipe B with the same seeds in the same order, shape (n,).
        alternative: "greater", "less" or "two-sided".

    Returns:
        The test, the sum of the ranks of the differences above 0 (two-sided: of the smaller side) and its p-value: of up
        to 100 pairs that differ the exact one, given the ties there are; of more, that of the normal distribution.

    Raises:
        ValueError: There are fewer than two trials or unequally many, a score is not finite, or no pair differs.

    Reference:
        Wilcoxon (1945), "Individual comparisons by ranking methods"; Streitberg and Roehmel (1986), "Exact distributions
        for permutation and rank tests", for the exact p with ties.

    Example:
        >>> wilcoxon([0.71, 0.72, 0.70, 0.73], [0.68, 0.71, 0.66, 0.68]).p
        0.0625
    """
    check_choice("alternative", alternative, ALTERNATIVES)
    first, second = sample_pair(a, b, paired=True)
    differences = np.round((first - second) / (ROUNDING * size(first, second)))  # 0.62 - 0.52 ties with 0.72 - 0.62
    if not differences.any():
        raise ValueError("a rank test needs pairs that differ, but a and b are equal in all; state the plain numbers.")
    differ = differences[differences != 0]
    if len(differ) > EXACT:
        found = stats.wilcoxon(differ, alternative=alternative)
        return Comparison("wilcoxon", float(found.statistic), float(found.pvalue), alternative)
    ranks = _doubled(np.abs(differ))
    above, below = int(ranks[differ > 0].sum()), int(ranks[differ < 0].sum())
    p = _tail(_sums(ranks)[0], above, alternative)
    return Comparison("wilcoxon", (min(above, below) if alternative == "two-sided" else above) / 2, p, alternative)


def mann_whitney(a: ArrayLike, b: ArrayLike, *, alternative: Alternative = "greater") -> Comparison:
    """Return the rank test of Mann and Whitney: do the scores of A tend to be the higher ones?

    Args:
        a: Scores of recipe A, shape (n,), n >= 2.
        b: Scores of recipe B, shape (m,), m >= 2.
        alternative: "greater", "less" or "two-sided".

    Returns:
        The test, U (the number of pairs in which A is higher, ties counting half) and its p-value: of up to 100 trials in
        all the exact one, given the ties there are; of more, that of the normal distribution.

    Raises:
        ValueError: There are fewer than two trials, a score is not finite, or all scores are one value.

    Reference:
        Mann and Whitney (1947), "On a test of whether one of two random variables is stochastically larger"; Streitberg
        and Roehmel (1986), "Exact distributions for permutation and rank tests", for the exact p with ties.

    Example:
        >>> mann_whitney([0.71, 0.72, 0.70, 0.73], [0.68, 0.69, 0.66]).statistic
        12.0
    """
    check_choice("alternative", alternative, ALTERNATIVES)
    first, second = sample_pair(a, b)
    check_spread("a rank test", np.concatenate([first, second]))
    n, trials = len(first), len(first) + len(second)
    if trials > EXACT:
        found = stats.mannwhitneyu(first, second, alternative=alternative)
        return Comparison("mann-whitney", float(found.statistic), float(found.pvalue), alternative)
    ranks = _doubled(np.round(np.concatenate([first, second]) / (ROUNDING * size(first, second))))
    total = int(ranks[:n].sum())
    p = _tail(_sums(ranks, chosen=n)[n], total, alternative)
    return Comparison("mann-whitney", (total - n * (n + 1)) / 2, p, alternative)


def permutation(
    a: ArrayLike,
    b: ArrayLike,
    *,
    paired: bool = False,
    alternative: Alternative = "greater",
    permutations: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Return a permutation test of the difference of means, which assumes no shape of the scores.

    If the recipes were equal, which trial belongs to which would be a matter of names: p is the share of the other
    assignments with a difference as large. All assignments are tried where ``permutations`` suffice for that; else as
    many are drawn, and p = (count + 1) / (permutations + 1).

    Args:
        a: Scores of recipe A, shape (n,), n >= 2.
        b: Scores of recipe B, shape (m,), m >= 2.
        paired: Whether trials with equal seeds stand at equal places; only names within a pair are exchanged then.
        alternative: "greater", "less" or "two-sided".
        permutations: How many assignments are tried at most.
        seed: Seed of the draws.

    Returns:
        The test, the difference mean a - mean b and its p-value.

    Raises:
        ValueError: There are fewer than two trials, a score is not finite, all scores are one value, or they cannot be
            paired.

    Reference:
        Fisher (1935), "The Design of Experiments", section 21; Phipson and Smyth (2010), "Permutation p-values should
        never be zero".

    Example:
        >>> permutation([0.71, 0.72, 0.70, 0.73], [0.68, 0.69, 0.66]).p == 1 / 35
        True
    """
    check_choice("alternative", alternative, ALTERNATIVES)
    permutations = one_count("permutations", permutations)
    first, second = sample_pair(a, b, paired=paired)
    check_spread("a permutation test", np.concatenate([first, second]))
    result = stats.permutation_test(
        (first, second),
        _mean_difference,
        permutation_type="samples" if paired else "independent",
        vectorized=True,
        n_resamples=permutations,
        batch=max(1, AT_ONCE // (len(first) + len(second))),
        alternative=alternative,
        random_state=seeded(seed),
    )
    name = "paired permutation" if paired else "permutation"
    return Comparison(name, float(result.statistic), float(result.pvalue), alternative)


def _doubled(values: Floats) -> NDArray[np.int64]:
    """Return twice the rank of each value, which is whole although values that tie share the mean of their ranks."""
    return np.rint(2 * stats.rankdata(values)).astype(np.int64)


def _sums(ranks: NDArray[np.int64], *, chosen: int = 0) -> Floats:
    """Return how many choices of ranks have each sum, shape (chosen + 1, sum of all + 1): row k of k ranks, or row 0 of any."""
    ways = np.zeros((chosen + 1, int(ranks.sum()) + 1))
    ways[0, 0] = 1
    for rank in ranks:
        if chosen:
            ways[1:, rank:] += ways[:-1, :-rank].copy()
        else:
            ways[:, rank:] += ways[:, :-rank].copy()
    return ways


def _tail(ways: Floats, total: int, alternative: Alternative) -> float:
    """Return the chance of a sum at least as far towards the alternative; of both sides, twice the smaller one."""
    above, below = (float(part.sum() / ways.sum()) for part in (ways[total:], ways[: total + 1]))
    return {"greater": above, "less": below, "two-sided": min(1.0, 2 * min(above, below))}[alternative]


def _mean_difference(first: Floats, second: Floats, axis: int) -> Floats:
    difference: Floats = first.mean(axis=axis) - second.mean(axis=axis)
    return difference
