"""Is the same seed good on every task?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import float_array, one_count, seeded

__all__ = ["SeedRanks", "seed_ranks"]

Floats = NDArray[np.float64]


class SeedRanks(NamedTuple):
    """How the seeds rank on each task, and whether the rankings agree.

    Args:
        ranks: Rank of each seed on each task, 1 = best, ties share the average rank, shape (tasks, seeds).
        mean_rank: Average over tasks, in [1, seeds], shape (seeds,).
        w: Kendall's coefficient of concordance with ties corrected for, in [0, 1]: 1 when all tasks rank the seeds
            alike; nan when all seeds tie on every task.
        p: Part of the permutations with a concordance as large, in (0, 1].
        best: Index of the seed with the best mean rank, the first of equals.
        best_p: Part of the permutations in which some seed's mean rank is as good as the best one's, in (0, 1]; it
            takes account of the best having been picked.
        permutations: How many permutations were drawn.
    """

    ranks: Floats
    mean_rank: Floats
    w: float
    p: float
    best: int
    best_p: float
    permutations: int


def seed_ranks(
    scores: ArrayLike, *, permutations: int = 10_000, seed: int = 0, greater_is_better: bool = True
) -> SeedRanks:
    """Return how the same seeds rank on several tasks, and how likely such agreement is by chance.

    With m tasks, k seeds, R_j the sum of seed j's ranks and t the sizes of the groups of ties on a task,

        W = 12 sum_j (R_j - m (k + 1) / 2)^2 / (m^2 (k^3 - k) - m sum_tasks sum_ties (t^3 - t)).

    By chance means: the ranks of each task shuffled between the seeds, p = (count + 1) / (permutations + 1).

    Args:
        scores: Mean score of each seed over its trials on each task, shape (tasks, seeds), at least 2 x 2; the tasks
            may have different metrics.
        permutations: How many permutations are drawn.
        seed: Seed of the permutations.
        greater_is_better: Whether a greater score is better; False for a loss.

    Returns:
        Ranks, concordance and the best seed, the last two with a p-value.

    Raises:
        ValueError: There are fewer than two tasks or two seeds, or a score is not finite.

    Reference:
        Dodge et al. (2020), section 4.3; Kendall and Babington Smith (1939), "The problem of m rankings".

    Example:
        >>> result = seed_ranks([[0.7, 0.9, 0.8], [0.5, 0.6, 0.4]], permutations=999)
        >>> result.mean_rank.tolist(), result.best, result.w
        ([2.5, 1.0, 2.5], 1, 0.75)
    """
    permutations = one_count("permutations", permutations)
    values = float_array("scores", scores)
    if values.ndim != 2 or min(values.shape) < 2:
        raise ValueError(
            f"scores must be one row a task and one column a seed, at least 2 x 2, not shape {values.shape}; "
            "run the same seeds on another task."
        )
    if not np.all(np.isfinite(values)):
        raise ValueError(
            f"scores must be finite, but {np.sum(~np.isfinite(values))} are not; leave a seed that was not run on every "
            "task out."
        )
    ranks = np.asarray(stats.rankdata(-values if greater_is_better else values, axis=1))
    sums = ranks.sum(axis=0)
    drawn = _shuffled_sums(ranks, permutations, seeded(seed))
    # Ranks are multiples of 1/2, so sums, and squares of their distances from the middle, are exact.
    spread, drawn_spread = _spread(sums, ranks.shape), _spread(drawn, ranks.shape)
    largest = _largest_spread(ranks)
    return SeedRanks(
        ranks=ranks,
        mean_rank=sums / len(ranks),
        w=float(spread / largest) if largest > 0 else float("nan"),
        p=(int(np.sum(drawn_spread >= spread)) + 1) / (permutations + 1),
        best=int(sums.argmin()),
        best_p=(int(np.sum(drawn.min(axis=1) <= sums.min())) + 1) / (permutations + 1),
        permutations=permutations,
    )


def _shuffled_sums(ranks: Floats, permutations: int, generator: np.random.Generator) -> Floats:
    """Return rank sums after each task's ranks were shuffled between the seeds, shape (permutations, seeds)."""
    sums = np.zeros((permutations, ranks.shape[1]))
    for task in ranks:
        sums += generator.permuted(np.tile(task, (permutations, 1)), axis=1)
    return sums


def _spread(sums: Floats, shape: tuple[int, ...]) -> Floats:
    tasks, seeds = shape
    return np.asarray(((sums - tasks * (seeds + 1) / 2) ** 2).sum(axis=-1))


def _largest_spread(ranks: Floats) -> float:
    """Return the spread of rank sums if all tasks agreed, ties corrected for."""
    tasks, seeds = ranks.shape
    ties = sum(float((counts**3 - counts).sum()) for counts in (np.unique(r, return_counts=True)[1] for r in ranks))
    return float(tasks**2 * (seeds**3 - seeds) - tasks * ties) / 12
