"""How many trials failed, and do failures follow a seed?"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.checks import (
    ROUNDING,
    check_labels,
    check_number,
    flag_array,
    float_array,
    label_array,
    one_count,
    seeded,
)
from seedwise.stats.intervals import proportion_interval

__all__ = ["Clustering", "FailedByLevel", "FailedShare", "clustering", "failed_by", "failed_share", "is_failed"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class FailedShare(NamedTuple):
    """How many trials failed.

    Args:
        failed: How many did, 0..n.
        n: How many trials there are.
        share: failed / n, in [0, 1].
        lower: Lower end of Wilson's interval for the share.
        upper: Upper end.
        confidence: Confidence level of the interval, in (0, 1).
    """

    failed: int
    n: int
    share: float
    lower: float
    upper: float
    confidence: float


class FailedByLevel(NamedTuple):
    """How many trials of each level of a factor failed.

    Args:
        levels: The k labels, sorted, shape (k,).
        failed: How many trials of each failed, shape (k,).
        n: How many trials each has, shape (k,).
        share: failed / n, in [0, 1], shape (k,).
        lower: Lower ends of Wilson's intervals, one level at a time, shape (k,).
        upper: Upper ends, shape (k,).
        confidence: Confidence level of each interval, in (0, 1).
    """

    levels: NDArray[Any]
    failed: NDArray[np.int64]
    n: NDArray[np.int64]
    share: Floats
    lower: Floats
    upper: Floats
    confidence: float


class Clustering(NamedTuple):
    """Whether failures gather at some levels of a factor.

    Args:
        chi2: Pearson's statistic of the table levels x (failed, not failed); 0 where all or none failed.
        p: Part of the permutations with a statistic as large, in (0, 1].
        permutations: How many permutations were drawn.
    """

    chi2: float
    p: float
    permutations: int


def is_failed(scores: ArrayLike, baseline: ArrayLike, *, margin: float = 0.0, greater_is_better: bool = True) -> Flags:
    """Return which trials failed: those without a score and those no better than the baseline.

    Args:
        scores: One score a trial, shape (n,); nan or infinite where a trial has none.
        baseline: What predicting without the text scores, such as the majority label: one number, or one a trial.
        margin: By how much a trial must beat the baseline to count as trained, at least 0, in units of the score.
        greater_is_better: Whether a greater score is better; False for a loss.

    Returns:
        One boolean a trial, shape (n,).

    Raises:
        ValueError: The scores are no vector, the baseline is not finite, or the margin is negative.

    Reference:
        Dodge et al. (2020), section 4 (trials that diverge score about the majority baseline); Zhang et al. (2021),
        section 4 (degenerate runs).

    Example:
        >>> is_failed([0.53, 0.70, float("nan"), 0.52], baseline=0.53).tolist()
        [True, False, True, True]
    """
    values, least = float_array("scores", scores), float_array("baseline", baseline)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"scores must be one number a trial, not an array of shape {values.shape}; flatten it.")
    if least.shape not in {(), values.shape} or not np.all(np.isfinite(least)):
        raise ValueError(f"baseline must be one finite number, or one for each trial, not {baseline!r}.")
    check_number("margin", margin)
    if not 0 <= margin < np.inf:
        raise ValueError(f"margin must be at least 0, not {margin!r}; 0 asks only for more than the baseline.")
    gain = values - least if greater_is_better else least - values
    return ~(np.isfinite(values) & (gain > margin + ROUNDING * np.maximum(np.abs(least), margin)))


def failed_share(failed: ArrayLike, *, confidence: float = 0.95) -> FailedShare:
    """Return the share of failed trials with Wilson's interval.

    Args:
        failed: One boolean a trial, shape (n,).
        confidence: Confidence level of the interval, in (0, 1).

    Returns:
        Count, share and interval.

    Raises:
        ValueError: ``failed`` is no vector of booleans, or the confidence is not in (0, 1).

    Example:
        >>> result = failed_share([True] * 12 + [False] * 13)
        >>> print(f"{result.failed} of {result.n}: {result.lower:.2f}..{result.upper:.2f}")
        12 of 25: 0.30..0.67
    """
    flags = flag_array("failed", failed)
    count = int(flags.sum())
    share = proportion_interval(count, len(flags), confidence=confidence)
    return FailedShare(count, len(flags), *share)


def failed_by(failed: ArrayLike, levels: Iterable[Any], *, confidence: float = 0.95) -> FailedByLevel:
    """Return the share of failed trials of each level, each with Wilson's interval.

    Args:
        failed: One boolean a trial, shape (n,).
        levels: One label a trial, such as its init seed, shape (n,).
        confidence: Confidence level of each interval, in (0, 1).

    Returns:
        One count, share and interval a level, in sorted order of the labels.

    Raises:
        ValueError: ``failed`` is no vector of booleans, there is not one label for each, or the confidence is not in
            (0, 1).

    Example:
        >>> failed_by([True, True, False, False], [1, 2, 2, 3]).share.tolist()
        [1.0, 0.5, 0.0]
    """
    flags, codes = _table(failed, levels)
    n = np.bincount(codes)
    counts = np.bincount(codes[flags], minlength=len(n))
    intervals = [proportion_interval(int(c), int(m), confidence=confidence) for c, m in zip(counts, n, strict=True)]
    _, lower, upper, _ = np.array(intervals).T
    return FailedByLevel(
        np.unique(check_labels("levels", levels, len(flags))), counts, n, counts / n, lower, upper, confidence
    )


def clustering(failed: ArrayLike, levels: Iterable[Any], *, permutations: int = 10_000, seed: int = 0) -> Clustering:
    """Return whether failures gather at some levels more than chance would have it.

    chi2 = sum over levels of (failed - expected)^2 / (expected (1 - share)), with expected = share * n. The chi-square
    distribution needs more failures a level than studies have, so the p-value comes from permutations: which trials
    failed is shuffled, their number kept, p = (count + 1) / (permutations + 1). Where another crossed seed decides too,
    failures spread more evenly over the levels than that, and p is too large rather than too small.

    Args:
        failed: One boolean a trial, shape (n,).
        levels: One label a trial, such as its init seed, shape (n,); at least two labels.
        permutations: How many permutations are drawn.
        seed: Seed of the permutations.

    Returns:
        The statistic and its p-value; 0 and 1 where all trials failed, or none.

    Raises:
        ValueError: ``failed`` is no vector of booleans, there is not one label for each, or all labels are equal.

    Reference:
        Pearson (1900); the question is that of Dodge et al. (2020), figure 3: the worst seeds diverge more often.

    Example:
        >>> failed = [True] * 5 + [False] * 15
        >>> clustering(failed, [1] * 5 + [2] * 5 + [3] * 5 + [4] * 5).p < 0.01
        True
    """
    permutations = one_count("permutations", permutations)
    flags, codes = _table(failed, levels)
    n = np.bincount(codes)
    if len(n) < 2:
        raise ValueError(f"levels must hold at least two labels, not one for all {len(flags)} trials; run more seeds.")
    observed = np.bincount(codes[flags], minlength=len(n))
    share = flags.mean()
    if share in {0, 1}:
        return Clustering(0.0, 1.0, permutations)
    # Shuffling which trials failed draws each level's count without replacement from all trials.
    drawn = seeded(seed).multivariate_hypergeometric(n, observed.sum(), permutations, method="marginals")
    chi2 = ((np.vstack([observed, drawn]) - share * n) ** 2 / (share * (1 - share) * n)).sum(axis=1)
    count = int(np.sum(chi2[1:] >= chi2[0] * (1 - 1e-9)))  # equal tables in another order differ in the last digits
    return Clustering(float(chi2[0]), (count + 1) / (permutations + 1), permutations)


def _table(failed: ArrayLike, levels: Iterable[Any]) -> tuple[Flags, NDArray[np.intp]]:
    flags = flag_array("failed", failed)
    return flags, label_array("levels", levels, len(flags))
