"""How early does a trial's best score so far tell where it will end?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import check_number, float_array
from seedwise.stats.intervals import CorrelationMethod, correlation_bounds

__all__ = ["EvaluationCorrelation", "best_so_far", "earliest_trusted", "evaluation_correlation"]

Floats = NDArray[np.float64]


class EvaluationCorrelation(NamedTuple):
    """Correlation over trials between the best scores after i and after j evaluations.

    Args:
        r: Correlations, in [-1, 1], symmetric, shape (E, E); nan where all trials are equal at an evaluation.
        lower: Lower ends of their intervals, shape (E, E); 1 on the diagonal.
        upper: Upper ends, shape (E, E); 1 on the diagonal.
        method: "spearman" or "pearson".
        n: How many trials they are computed from.
        confidence: Confidence level of each interval, in (0, 1).
    """

    r: Floats
    lower: Floats
    upper: Floats
    method: CorrelationMethod
    n: int
    confidence: float


def best_so_far(scores: ArrayLike, *, greater_is_better: bool = True) -> Floats:
    """Return the best score of each trial up to and including each evaluation.

    A trial that was stopped keeps its best score to the end, which is not where it would have ended: leave stopped
    trials out where the end matters.

    Args:
        scores: Scores of N trials at E evaluations, shape (N, E); nan where there is none.
        greater_is_better: Whether a greater score is better; False for a loss.

    Returns:
        The best scores so far, shape (N, E); nan until a trial's first score.

    Raises:
        ValueError: The scores are no matrix, or one is infinite.

    Example:
        >>> best_so_far([[float("nan"), 0.5, 0.4, float("nan"), 0.6]]).tolist()
        [[nan, 0.5, 0.5, 0.5, 0.6]]
    """
    values = _matrix("scores", scores)
    return np.asarray((np.fmax if greater_is_better else np.fmin).accumulate(values, axis=1))


def evaluation_correlation(
    best_so_far: ArrayLike, *, method: CorrelationMethod = "spearman", confidence: float = 0.95
) -> EvaluationCorrelation:
    """Return the correlation over trials of the best scores so far between every two evaluations.

    Args:
        best_so_far: Best score of each of N trials after each of E evaluations, shape (N, E), N >= 4; of trials that
            went to their end.
        method: "spearman" correlates ranks, "pearson" the scores themselves.
        confidence: Confidence level of each interval, in (0, 1).

    Returns:
        The correlations with Fisher's intervals (``correlation_interval``).

    Raises:
        ValueError: There are fewer than four trials, a score is missing, or the method is unknown.

    Reference:
        Dodge et al. (2020), figure 5 (Spearman) and figure 9 (Pearson).

    Example:
        >>> scores = [[0.5, 0.6], [0.6, 0.7], [0.7, 0.9], [0.8, 0.8]]
        >>> evaluation_correlation(scores).r.round(2).tolist()
        [[1.0, 0.8], [0.8, 1.0]]
    """
    values = _matrix("best_so_far", best_so_far)
    missing = int(np.isnan(values).any(axis=1).sum())
    if missing:
        raise ValueError(
            f"best_so_far must hold a score for every trial at every evaluation, but {missing} of {len(values)} trials "
            "lack one; leave them out and say so, or say what a failed trial scores."
        )
    if len(values) < 4:
        raise ValueError(f"best_so_far must hold at least 4 trials for intervals, not {len(values)}; run more seeds.")
    constant = values.max(axis=0) == values.min(axis=0)
    columns = np.asarray(stats.rankdata(values, axis=0)) if method == "spearman" else values
    columns = columns - columns.mean(axis=0)
    columns /= np.where(constant, np.nan, np.sqrt((columns**2).sum(axis=0)))
    r = np.clip(columns.T @ columns, -1, 1)  # (E, E)
    lower, upper = correlation_bounds(r, len(values), confidence=confidence, method=method)
    for matrix in (r, lower, upper):  # with itself it is 1, in every sample
        np.fill_diagonal(matrix, np.where(constant, np.nan, 1.0))
    return EvaluationCorrelation(r, lower, upper, method, len(values), confidence)


def earliest_trusted(correlation: EvaluationCorrelation, *, at_least: float = 0.8) -> int | None:
    """Return the evaluation from which on the order of the trials is that of the end, as far as can be told.

    Args:
        correlation: What ``evaluation_correlation`` returned.
        at_least: What the lower end of the interval for the correlation with the last evaluation must reach, here and
            at all later evaluations; in (-1, 1].

    Returns:
        Index of the first such evaluation, 0..E-2, or None if there is none before the last.

    Raises:
        ValueError: ``at_least`` is no correlation.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> end = rng.normal(size=50)
        >>> scores = np.stack([rng.normal(size=50), end + 0.1 * rng.normal(size=50), end], axis=1)
        >>> earliest_trusted(evaluation_correlation(scores))
        1
    """
    check_number("at_least", at_least)
    if not -1 < at_least <= 1:
        raise ValueError(f"at_least must be in (-1, 1], not {at_least!r}; 0.8 is a usual choice.")
    trusted = correlation.lower[:-1, -1] >= at_least  # nan counts as no
    first = len(trusted) - int(np.logical_and.accumulate(trusted[::-1]).sum())
    return first if first < len(trusted) else None


def _matrix(name: str, values: ArrayLike) -> Floats:
    matrix = float_array(name, values)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(f"{name} must be one row a trial and one column an evaluation, not shape {matrix.shape}.")
    if np.isinf(matrix).any():
        raise ValueError(
            f"{name} must be finite, but {np.isinf(matrix).sum()} are infinite; put nan where a trial has no score."
        )
    return matrix
