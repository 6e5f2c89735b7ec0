"""Which share of a recipe's trials on several tasks reaches a score?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.checks import check_level, one_count, score_array, seeded
from seedwise.stats.tasks.resampling import Seeds, expanded_level, factors_of, task_scores, task_weights

__all__ = ["PerformanceProfile", "performance_profile"]

Floats = NDArray[np.float64]


class PerformanceProfile(NamedTuple):
    """The share of trials above each score.

    Args:
        at: The scores, shape (m,).
        share: Share of the trials above each, the mean over tasks, in [0, 1], shape (m,).
        lower: Lower ends of the band, shape (m,).
        upper: Upper ends, shape (m,).
        confidence: How often the whole true curve lies in the band, in (0, 1).
    """

    at: Floats
    share: Floats
    lower: Floats
    upper: Floats
    confidence: float


def performance_profile(
    scores: Sequence[ArrayLike],
    at: ArrayLike,
    *,
    seeds: Seeds | None = None,
    confidence: float = 0.95,
    repeats: int = 2000,
    seed: int = 0,
) -> PerformanceProfile:
    """Return the share of trials above each score, the mean over tasks, with a band for all scores at once.

    A recipe whose curve lies above another's everywhere is better at every quantile. The band is the curve ± the quantile of
    its furthest bootstrap deviation, clipped to [0, 1]; seeds are drawn as in ``interquartile_mean``. A share of 0 or 1 that was
    seen does not vary in a bootstrap, but the band is as wide there as elsewhere.

    Args:
        scores: For each task, one score a trial, shape (n,), n >= 2; on one scale.
        at: The scores to count above, shape (m,).
        seeds: For each task, the label of each of its trials by the seed's name; None: every trial has seeds of its own.
        confidence: Chance that the whole true curve lies in the band, in (0, 1).
        repeats: How many bootstrap samples are drawn.
        seed: Seed of the draws.

    Returns:
        The curve and its band.

    Raises:
        ValueError: A task has fewer than two trials, a score is not finite, or the seeds do not fit.

    Reference:
        Dolan and More (2002), "Benchmarking optimization software with performance profiles"; Agarwal et al. (2021), "Deep
        reinforcement learning at the edge of the statistical precipice", section 4.

    Example:
        >>> performance_profile([[0.2, 0.4], [0.6, 0.8]], [0.3, 0.7]).share.tolist()
        [0.75, 0.25]
    """
    check_level("confidence", confidence)
    repeats = one_count("repeats", repeats)
    trials, places = task_scores(scores), score_array("at", at)
    factors = factors_of(trials, seeds)
    above = np.concatenate(trials)[:, None] > places  # (trials, m)
    even = np.concatenate([np.full(len(own), 1 / (len(own) * len(trials))) for own in trials])
    share = even @ above
    furthest = np.abs(task_weights(trials, factors, repeats, seeded(seed)) @ above - share).max(axis=1)
    reach = np.quantile(furthest, 1 - 2 * expanded_level(confidence, factors))
    return PerformanceProfile(places, share, np.maximum(share - reach, 0), np.minimum(share + reach, 1), confidence)
