"""By how much does validation flatter the trial that it chose, and which choice is it that flatters?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student_t

from seedwise.stats.best.expected_best import best_weights
from seedwise.stats.best.selection import expected_selected
from seedwise.stats.checks import check_level, count_array, flag_array, one_count, score_array
from seedwise.stats.intervals import Interval, mean_interval

__all__ = ["SelectionGap", "selection_gap"]

Floats = NDArray[np.float64]
_LEAST = 4


class SelectionGap(NamedTuple):
    """By how much the validation score of the chosen trial is better than its test score.

    Args:
        n: How many trials the choice is among.
        validation: Expected validation score of the chosen trial, in the unit of the scores.
        test: Its expected test score.
        gap: Validation less test, turned so that above 0 validation looks too good, with its interval.
        among_trials: The part that is due to choosing among trials: ``gap`` less ``among_evaluations``.
        among_evaluations: The mean gap of a trial that did not fail and that nobody chose. It is due to choosing among
            the trial's evaluations, and to how hard the two splits are, which cannot be told apart.
    """

    n: int
    validation: float
    test: float
    gap: Interval
    among_trials: Interval
    among_evaluations: Interval


def selection_gap(
    validation: ArrayLike,
    test: ArrayLike,
    n: int | None = None,
    *,
    failed: ArrayLike | None = None,
    confidence: float = 0.95,
    greater_is_better: bool = True,
) -> SelectionGap:
    """Return by how much validation flatters the best of n trials, in two parts, each with an interval over trials.

    The gap is sum_i w_i (validation_i - test_i), with the weights of n draws without replacement, which make it unbiased
    for n fresh trials. At n = N it would be the gap of one trial alone; at most N/2 are allowed.

    The intervals take a trial's test score as a line of its validation score plus noise with one variance s^2, both fitted to
    the trials that did not fail. Then var(gap) = s^2 sum w_i^2 + (1 - slope)^2 var(sum w_i validation_i), the latter by the
    jackknife, with Student's quantile of m - 2 degrees of freedom for m such trials. Of 1,500 simulated studies in each of 15
    settings with 10, 20 and 50 trials (equally good, differing, 30 % failed, 1 and 10 evaluations, unequal noise) the 95 %
    interval of the gap held the truth in 94.7 to 97.6 %, that of either part in 93.7 to 98.5 %; where 30 % failed and
    ``failed`` did not say so, in 91.5 to 94.3 %. A plain jackknife or bootstrap holds it in 85 to 90 %: too few trials decide.

    Rows are not resampled: the intervals speak of other seeds on the same rows.

    Args:
        validation: Validation scores of N trials, shape (N,); at least 4.
        test: Test scores of the same trials, shape (N,).
        n: Among how many trials the choice is, at most N/2, which is the default.
        failed: Which trials failed, booleans of shape (N,); none by default. At least 4 must not have.
        confidence: Confidence of each interval, in (0, 1).
        greater_is_better: Whether the best score is the largest.

    Raises:
        ValueError: The scores are not finite or not of the same trials, or an argument breaks its rule.

    Reference:
        Zhang et al. (2021), section 4 and figure 4, for the scores; Efron and Stein (1981), "The Jackknife Estimate of
        Variance"; Cawley and Talbot (2010), "On Over-fitting in Model Selection", for the question.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> found = selection_gap(rng.normal(0.7, 0.02, (50, 10)).max(axis=1), rng.normal(0.7, 0.02, 50))
        >>> found.n, round(found.gap.estimate, 3), round(found.among_evaluations.estimate, 3)
        (25, 0.061, 0.027)
    """
    check_level("confidence", confidence)
    sign = 1 if greater_is_better else -1
    v, t = sign * score_array("validation", validation, least=_LEAST), sign * score_array("test", test, least=_LEAST)
    half = v.size // 2
    count = half if n is None else int(count_array("n", one_count("n", n), most=half, why="half of the trials")[0])
    chosen = expected_selected(v, t, count, replacement=False)
    good = np.ones(v.size, bool) if failed is None else ~flag_array("failed", failed)
    if good.shape != v.shape:
        raise ValueError(f"failed must be one boolean for each of the {v.size} trials, not {good.size}.")
    if good.sum() < _LEAST:
        raise ValueError(
            f"failed must leave at least {_LEAST} of {v.size} trials that did not fail, not {int(good.sum())}; run more seeds."
        )
    m = int(good.sum())
    slope, noise = _line(v[good], t[good])
    order = np.argsort(v)
    weights = _shared(v[order], count)  # of the trials in ascending order
    even = np.where(good[order], 1 / m, 0)
    without = _without_each(v[order], count)
    own = np.where(good, (v[good].sum() - v) / (m - 1), v[good].mean())[order]  # the mean without each trial
    quantile = float(student_t.ppf((1 + confidence) / 2, m - 2))

    def around(estimate: float, weight: Floats, left_out: Floats) -> Interval:
        spread = (v.size - 1) / v.size * np.sum((left_out - left_out.mean()) ** 2)
        reach = quantile * float(np.sqrt(noise * weight @ weight + (1 - slope) ** 2 * spread))
        return Interval(estimate, estimate - reach, estimate + reach, confidence)

    gap, among = float(chosen.gap[0]), mean_interval((v - t)[good], confidence=confidence)
    return SelectionGap(
        count,
        sign * float(chosen.validation_mean[0]),
        sign * float(chosen.test_mean[0]),
        around(gap, weights, without),
        around(gap - among.estimate, weights - even, without - own),
        among,
    )


def _line(v: Floats, t: Floats) -> tuple[float, float]:
    """Slope of the test scores over the validation scores, and variance of what is left."""
    x, y = v - v.mean(), t - t.mean()
    slope = float(x @ y / (x @ x)) if x @ x > 0 else 0.0
    rest = y - slope * x
    return slope, float(rest @ rest / (len(v) - 2))


def _shared(v: Floats, n: int) -> Floats:
    """How likely each trial, the worst first, is to be chosen from n; equal scores share."""
    _, group, sizes = np.unique(v, return_inverse=True, return_counts=True)
    weights = best_weights(v.size, n, replacement=False)[0]
    return (np.add.reduceat(weights, np.cumsum(sizes) - sizes) / sizes)[group]


def _without_each(v: Floats, n: int) -> Floats:
    """Expected best of n of all trials but one, for each of them; v ascends, and those above take the place before."""
    weights = best_weights(v.size - 1, n, replacement=False)[0]
    found: Floats = np.concatenate([[0], np.cumsum(weights * v[:-1])])
    found[:-1] += np.cumsum((weights * v[1:])[::-1])[::-1]
    return found
