"""What does a recipe score over several tasks, whatever its best and its worst trials do?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.checks import check_level, one_count, seeded
from seedwise.stats.intervals import Interval
from seedwise.stats.tasks.resampling import Seeds, expanded_level, factors_of, task_scores, task_weights

__all__ = ["interquartile_mean"]

Floats = NDArray[np.float64]


def interquartile_mean(
    scores: Sequence[ArrayLike],
    *,
    seeds: Seeds | None = None,
    confidence: float = 0.95,
    repeats: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the mean of the middle half of all trials of all tasks, with an interval that draws shared seeds together.

    Every task has the same weight, shared by its trials; the best quarter of the weight and the worst are cut off, parts of
    a trial included. With few tasks the middle half may leave out whole tasks: it is a number of these tasks.

    The interval is the bootstrap's percentiles, further out than the level says by sqrt(k / (k - 1)) and Student's t, where
    k is the number of seeds that are drawn. Each seed is drawn once for all tasks, so that a seed that is good or bad
    everywhere counts as one. Simulated at 95 % with 2, 3, 4 and 8 tasks, seeds shared or not, none, 10 or 30 % of the
    trials failing, it covered 92 to 96 % with 20 or 50 seeds (88 % with 2 tasks of which 10 % fail), 91 to 95 % with 10 (84 %
    there), and 84 to 94 % with 5; plain percentiles, as usual, covered down to 73 % with 5.

    Args:
        scores: For each task, one score a trial, shape (n,), n >= 2; on one scale, such as 0 for guessing and 1 for perfect.
        seeds: For each task, the label of each of its trials by the seed's name, such as "init" and "order", shape (n,); a
            label is the same seed on every task. None: every trial has seeds of its own.
        confidence: Confidence level, in (0, 1).
        repeats: How many bootstrap samples are drawn.
        seed: Seed of the draws.

    Returns:
        The interquartile mean and its interval, in the unit of the scores.

    Raises:
        ValueError: A task has fewer than two trials, a score is not finite, or the seeds do not fit.

    Reference:
        Agarwal et al. (2021), "Deep reinforcement learning at the edge of the statistical precipice"; Owen (2007), "The
        pigeonhole bootstrap", for crossed seeds; Hesterberg (2015), "What teachers should know about the bootstrap".

    Example:
        >>> rte, mrpc = [0.2, 0.4, 0.5, 0.0], [0.6, 0.7, 0.8, 0.7]
        >>> found = interquartile_mean([rte, mrpc])
        >>> print(f"{found.estimate:.2f}")
        0.55
    """
    check_level("confidence", confidence)
    repeats = one_count("repeats", repeats)
    trials = task_scores(scores)
    factors = factors_of(trials, seeds)
    values = np.concatenate(trials)
    order = np.argsort(values, kind="stable")
    even = np.concatenate([np.full(len(own), 1 / (len(own) * len(trials))) for own in trials])
    drawn = _middle(values[order], task_weights(trials, factors, repeats, seeded(seed))[:, order])
    tail = expanded_level(confidence, factors)
    lower, upper = np.quantile(drawn, [tail, 1 - tail])
    return Interval(float(_middle(values[order], even[None, order])[0]), float(lower), float(upper), confidence)


def _middle(ascending: Floats, weights: Floats) -> Floats:
    """Return the mean of the middle half of weighted values, for each row of weights that sum to 1."""
    upper = np.cumsum(weights, axis=1)
    within = np.clip(np.minimum(upper, 0.75) - np.maximum(upper - weights, 0.25), 0, None)
    return np.asarray(within @ ascending / within.sum(axis=1))
