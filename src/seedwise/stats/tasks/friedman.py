"""Do recipes differ over tasks, if tasks are what counts?"""

import math
from itertools import permutations as orders
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import check_level, float_array, one_count, seeded

__all__ = ["RecipeRanks", "recipe_ranks"]

Floats = NDArray[np.float64]


class RecipeRanks(NamedTuple):
    """How recipes rank over tasks; k recipes, N tasks.

    Args:
        mean_rank: Mean rank of each recipe, 1 the best, ties sharing theirs, shape (k,).
        chi2: Friedman's statistic, corrected for ties; nan where all recipes tie on every task.
        p: p-value of no recipe being better than another, in (0, 1].
        least_p: The smallest p-value that so many tasks and recipes can give: that of every task ranking them alike.
        pair_p: For each pair of recipes, the p-value of no difference, corrected for having all pairs, shape (k, k); 1 on
            the diagonal.
        critical_difference: Nemenyi's: mean ranks that differ by more differ at the level, as normal theory of many tasks
            has it.
        level: The level, in (0, 1).
        exact: Whether all orders were counted; else they were drawn.
    """

    mean_rank: Floats
    chi2: float
    p: float
    least_p: float
    pair_p: Floats
    critical_difference: float
    level: float
    exact: bool


def recipe_ranks(
    scores: ArrayLike,
    *,
    level: float = 0.05,
    permutations: int = 20_000,
    seed: int = 0,
    greater_is_better: bool = True,
) -> RecipeRanks:
    """Return Friedman's test of k recipes on N tasks, and which pairs differ, exactly however few the tasks are.

    With R_j the mean rank of recipe j,

        chi2 = 12 N / (k (k + 1)) sum_j (R_j - (k + 1) / 2)^2, divided by 1 - sum of (t^3 - t) over ties / (N (k^3 - k)).

    If no recipe were better than another, each order of a task's scores would be equally likely: p is the share of all orders
    on all tasks with a statistic as large; where there are more than ``permutations``, as many are drawn, and p = (count + 1) /
    (permutations + 1). A pair's p is the share with a largest difference of mean ranks as large as the pair's: Nemenyi's test,
    without its normal theory. Its critical difference is q sqrt(k (k + 1) / (6 N)), with q the quantile of the studentised range
    over sqrt(2).

    Tasks are the sample here: how many trials a mean comes from does not count, and the answer is about tasks like these. With
    two recipes, fewer than six tasks cannot give p < 0.05; ``least_p`` says what can be had.

    Args:
        scores: Mean score of each recipe on each task, shape (N, k), at least 2 x 2; the tasks may have different metrics.
        level: Level of the critical difference, in (0, 1).
        permutations: How many orders are counted or drawn at most.
        seed: Seed of the draws.
        greater_is_better: Whether a greater score is better; False for a loss.

    Returns:
        Mean ranks, the test, and the p-value of every pair.

    Raises:
        ValueError: There are fewer than two tasks or recipes, a score is not finite, or the level is not in (0, 1).

    Reference:
        Friedman (1937); Nemenyi (1963); Demsar (2006), "Statistical comparisons of classifiers over multiple data sets",
        section 3.2.

    Example:
        >>> ranks = recipe_ranks([[0.70, 0.72, 0.75], [0.88, 0.90, 0.91], [0.60, 0.59, 0.64]])
        >>> print(ranks.mean_rank.round(2).tolist(), f"p = {ranks.p:.3f}, at least {ranks.least_p:.3f}")
        [2.67, 2.33, 1.0] p = 0.194, at least 0.028
    """
    check_level("level", level)
    most = one_count("permutations", permutations)
    values = float_array("scores", scores)
    if values.ndim != 2 or min(values.shape) < 2:
        raise ValueError(
            f"scores must be one row a task and one column a recipe, at least 2 x 2, not shape {values.shape}; run the same "
            "recipes on another task."
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"scores must be finite, but {np.sum(~np.isfinite(values))} are not; leave out what was not run on every task."
        )
    n, k = values.shape
    ranks = np.asarray(stats.rankdata(-values if greater_is_better else values, axis=1))
    sums, exact = ranks.sum(axis=0), math.factorial(k) ** (n - 1) <= most
    drawn = _all_sums(ranks) if exact else _drawn_sums(ranks, most, seed)
    extra = 0 if exact else 1  # a drawn p-value counts the orders that were observed
    total = len(drawn) + extra
    spread, widest = ((drawn - n * (k + 1) / 2) ** 2).sum(axis=1), np.ptp(drawn, axis=1)
    gaps = np.abs(sums[:, None] - sums)
    pair_p = (np.sum(widest >= gaps[..., None], axis=-1) + extra) / total
    observed = float(((sums - n * (k + 1) / 2) ** 2).sum())
    counts = [np.unique(row, return_counts=True)[1] for row in ranks]
    untied = 1 - sum(float((c**3 - c).sum()) for c in counts) / (n * (k**3 - k))
    return RecipeRanks(
        mean_rank=sums / n,
        chi2=12 * observed / (n * k * (k + 1) * untied) if untied > 0 else math.nan,
        p=(int(np.sum(spread >= observed)) + extra) / total,
        least_p=1 / math.factorial(k) ** (n - 1),
        pair_p=pair_p,
        critical_difference=float(stats.studentized_range.ppf(1 - level, k, np.inf))
        * math.sqrt(k * (k + 1) / (12 * n)),
        level=level,
        exact=exact,
    )


def _all_sums(ranks: Floats) -> Floats:
    """Return the rank sums of every order on all tasks but the first, whose own order is a matter of names, (orders, k)."""
    every = list(orders(range(ranks.shape[1])))
    return np.array(
        [
            ranks[0] + sum(row[list(order)] for row, order in zip(ranks[1:], chosen, strict=True))
            for chosen in product(every, repeat=len(ranks) - 1)
        ]
    )


def _drawn_sums(ranks: Floats, draws: int, seed: int) -> Floats:
    generator, sums = seeded(seed), np.zeros((draws, ranks.shape[1]))
    for row in ranks:
        sums += generator.permuted(np.tile(row, (draws, 1)), axis=1)
    return sums
