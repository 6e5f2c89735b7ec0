"""How good is the best of n trials, on average and at a given chance?

N trials have been run; n of them are drawn and the best is kept. With replacement the N trials stand for the
distribution of scores (Dodge et al. 2019); without, the mean is unbiased for the best of n fresh trials.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.checks import check_level, count_array, one_count, score_array

__all__ = ["ExpectedBest", "best_quantile", "best_weights", "expected_best"]

Floats = NDArray[np.float64]


class ExpectedBest(NamedTuple):
    """Mean and spread of the best of n trials.

    Args:
        n: Numbers of trials, shape (m,), in the order they were asked for.
        mean: Mean of the best of n, shape (m,), in the unit of the scores.
        sd: Standard deviation of the best of n, shape (m,), at least 0; the spread of luck, not an error of the mean.
        replacement: Whether trials are drawn with replacement.
    """

    n: NDArray[np.int64]
    mean: Floats
    sd: Floats
    replacement: bool


def expected_best(
    scores: ArrayLike, n: ArrayLike, *, replacement: bool = True, greater_is_better: bool = True
) -> ExpectedBest:
    """Return the expected score of the best of n trials: the expected validation performance.

    With v_1 <= ... <= v_N the mean is sum_i w_i v_i, where w are the weights of ``best_weights``.

    Args:
        scores: Final scores of N trials, shape (N,).
        n: Numbers of trials of which the best is kept, shape (m,) or one; at most N without replacement.
        replacement: Whether one trial may be drawn twice. With replacement, as in the papers, N trials are taken for
            the distribution itself; without, the mean is unbiased for the best of n fresh trials.
        greater_is_better: Whether the best score is the largest.

    Raises:
        ValueError: A score is not finite, or n breaks its rule.

    Reference:
        Dodge et al. (2019), "Show Your Work"; Dodge et al. (2020), section 3.1 and figure 1.

    Example:
        >>> expected_best([0.5, 0.7, 0.9], [1, 3], replacement=False).mean
        array([0.7, 0.9])
        >>> expected_best([0.5, 0.7, 0.9], 3).mean.round(4)
        array([0.8333])
    """
    sign, v = _ascending(scores, greater_is_better=greater_is_better)
    counts = _draws(n, v.size, replacement=replacement)
    missed = v[-1] - v  # counted from the best score, whose weight is at least 1/N, the spread loses no digits
    squared = missed**2
    moments = np.empty((2, counts.size))
    for k, chances in enumerate(_chances(v.size, counts, replacement=replacement)):
        weights = np.diff(chances)
        moments[:, k] = weights @ missed, weights @ squared
    sd = np.sqrt(np.maximum(moments[1] - moments[0] ** 2, 0))
    return ExpectedBest(counts, sign * (v[-1] - moments[0]), sd, replacement)


def best_quantile(
    scores: ArrayLike, n: ArrayLike, q: float, *, replacement: bool = True, greater_is_better: bool = True
) -> Floats:
    """Return the q-quantile of the best of n trials: the smallest score v with P(best <= v) >= q.

    Args:
        scores: Final scores of N trials, shape (N,).
        n: Numbers of trials of which the best is kept, shape (m,) or one; at most N without replacement.
        q: Chance that the best is no better than the result, in (0, 1), so that q always counts from poor to good
            luck: where smaller scores are better, q = 0.9 is a small one.
        replacement: Whether one trial may be drawn twice.
        greater_is_better: Whether the best score is the largest.

    Returns:
        One of the scores for each n, shape (m,).

    Raises:
        ValueError: A score is not finite, or n or q breaks its rule.

    Example:
        >>> best_quantile([0.5, 0.7, 0.9], [1, 2, 3], 0.5)
        array([0.7, 0.9, 0.9])
    """
    check_level("q", q)
    sign, v = _ascending(scores, greater_is_better=greater_is_better)
    counts = _draws(n, v.size, replacement=replacement)
    reached = q * (1 - 1e-12)  # a chance that equals q must count although it is rounded
    ranks = [np.searchsorted(row, reached) for row in _chances(v.size, counts, replacement=replacement)]
    quantiles: Floats = v[np.array(ranks) - 1]  # rank 0 has no chance at all
    return sign * quantiles


def best_weights(size: int, n: ArrayLike, *, replacement: bool) -> Floats:
    """Return how likely each of N ordered trials is to be the best of n drawn ones.

    The i-th, counted from the worst, has the weight (i/N)^n - ((i-1)/N)^n with replacement and C(i-1, n-1) / C(N, n)
    without.

    Args:
        size: N, the number of trials, at least 1.
        n: Numbers of drawn trials, shape (m,) or one; at most N without replacement.
        replacement: Whether one trial may be drawn twice.

    Returns:
        Weights from the worst to the best trial, shape (m, N); each row sums to 1.

    Raises:
        ValueError: size or n breaks its rule.

    Reference:
        Dodge et al. (2019), "Show Your Work", section 3.

    Example:
        >>> best_weights(2, [1, 2], replacement=True)
        array([[0.5 , 0.5 ],
               [0.25, 0.75]])
    """
    total = one_count("size", size)
    counts = _draws(n, total, replacement=replacement)
    weights = np.empty((counts.size, total))
    for row, chances in zip(weights, _chances(total, counts, replacement=replacement), strict=True):
        row[:] = np.diff(chances)
    return weights


def _chances(size: int, counts: NDArray[np.int64], *, replacement: bool) -> Iterator[Floats]:
    """For each n, P(the best of n is among the i worst), i = 0..N, shape (N+1,); a row at a time spares the table."""
    i = np.arange(1, size + 1)
    log_share = np.log(i / size)
    for n in counts:
        chances = np.zeros(size + 1)
        if replacement:
            np.exp(n * log_share, out=chances[1:])
        else:
            # C(i, n) / C(N, n) is the product of 1 - n/k over k = i+1..N: no factorial, and exact where the weight is.
            chances[-1] = 1
            np.cumprod(np.maximum(1 - n / i[::-1], 0), out=chances[-2::-1])
        yield chances


def _ascending(scores: ArrayLike, *, greater_is_better: bool) -> tuple[int, Floats]:
    """The sign of the scores, and the scores so that greater is better, the worst first."""
    sign = 1 if greater_is_better else -1
    return sign, np.sort(sign * score_array("scores", scores))


def _draws(n: ArrayLike, size: int, *, replacement: bool) -> NDArray[np.int64]:
    if replacement:
        return count_array("n", n)
    return count_array("n", n, most=size, why="all trials there are; draw with replacement for more")
