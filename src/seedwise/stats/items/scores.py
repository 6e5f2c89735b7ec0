"""What do outputs score when every row counts as often as a resample drew it?"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from seedwise.stats.checks import float_array

__all__ = ["AT_ONCE", "METRICS", "Scorer", "log_softmax", "output_array", "row_scores", "row_values", "scorer"]

Floats = NDArray[np.float64]
Scorer = Callable[[Floats], Floats]
"""Takes weightings (draws, rows), returns scores (draws, trials)."""

METRICS = {
    "classification": ("accuracy", "f1", "accuracy_f1", "matthews", "loss"),
    "regression": ("pearson", "spearman", "pearson_spearman", "loss"),
}
"""Which metrics rows can be scored by."""

AT_ONCE = 2_000_000
"""Numbers that are held at once: 16 MB for each of their few copies."""


def row_scores(metric: str, outputs: ArrayLike, targets: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Return every trial's score where row i counts weights[i] times, as in a bootstrap over rows.

    A score of whole weights is that of the rows repeated so often; ranks are those among the repeated rows.

    Args:
        metric: accuracy, f1 (of the second of two classes; otherwise the mean over the classes that occur), accuracy_f1
            (their mean), matthews or loss (mean log loss); of regression pearson, spearman, pearson_spearman or loss
            (mean squared error).
        outputs: Outputs before softmax, shape (trials, rows, classes); of regression (trials, rows, 1).
        targets: Class numbers from 0, or values, shape (rows,).
        weights: How often each row counts, shape (draws, rows), at least 0; once by default.

    Returns:
        Scores, shape (draws, trials), or (trials,) without weights; nan where a trial's outputs are not finite or a
        correlation is not defined.

    Raises:
        ValueError: The metric is not one of these, or shapes or class numbers do not fit.

    Reference:
        Gorodkin (2004), "Comparing two K-category assignments by a K-category correlation coefficient", for matthews.

    Example:
        >>> outputs = [[[2, 0], [0, 1], [1, 0]]]  # one trial, three rows, two classes
        >>> row_scores("accuracy", outputs, [0, 1, 1]).round(3)
        array([0.667])
        >>> row_scores("accuracy", outputs, [0, 1, 1], [[1, 1, 0], [0, 0, 3]])
        array([[1.],
               [0.]])
    """
    given, labels = output_array(outputs, targets)
    score = scorer(metric, given, labels)
    if weights is None:
        return np.asarray(score(np.ones((1, len(labels))))[0])
    counts = float_array("weights", weights)
    if counts.ndim != 2 or counts.shape[1] != len(labels):
        raise ValueError(f"weights must have the shape (draws, {len(labels)}), one for each row, not {counts.shape}.")
    if not np.all(np.isfinite(counts) & (counts >= 0)) or not np.all(counts.sum(axis=1) > 0):
        raise ValueError("weights must be finite and at least 0, and above 0 for at least one row of each draw.")
    return np.asarray(score(counts))


def output_array(outputs: ArrayLike, targets: ArrayLike, *, name: str = "outputs") -> tuple[Floats, Floats]:
    """Return outputs as floats of shape (trials, rows, outputs), and the rows' labels."""
    given, labels = float_array(name, outputs), float_array("targets", targets)
    if given.ndim != 3 or labels.shape != given.shape[1:2] or 0 in given.shape:
        raise ValueError(
            f"{name} must have the shape (trials, rows, outputs) and targets (rows,), none of them 0, not {given.shape} "
            f"and {labels.shape}."
        )
    classes = given.shape[2]
    if not np.isfinite(labels).all():
        raise ValueError("targets must be finite; leave out the rows without a label.")
    if classes > 1 and not np.all((labels == np.floor(labels)) & (labels >= 0) & (labels < classes)):
        raise ValueError(f"targets must be class numbers from 0 to {classes - 1}, because there are {classes} outputs.")
    return given, labels


def row_values(metric: str, outputs: Floats, targets: Floats) -> Floats | None:
    """Return what each row adds to a score that is a mean over rows, (trials, rows); None for any other metric."""
    if outputs.shape[2] == 1:
        return (outputs[..., 0] - targets) ** 2 if metric == "loss" else None
    labels = targets.astype(np.intp)
    if metric == "loss":
        return -np.take_along_axis(log_softmax(outputs), labels[None, :, None], axis=2)[..., 0]
    return (outputs.argmax(axis=2) == labels).astype(np.float64) if metric == "accuracy" else None


def log_softmax(outputs: Floats) -> Floats:
    """Return the logarithm of each class's probability."""
    shifted = outputs - outputs.max(axis=2, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True)))


def scorer(metric: str, outputs: Floats, targets: Floats) -> Scorer:
    """Return what scores all trials under many weightings; what does not depend on the weights is computed once."""
    classification = outputs.shape[2] > 1
    kind = "classification" if classification else "regression"
    known = METRICS[kind]
    if not isinstance(metric, str) or metric not in known:
        raise ValueError(
            f"metric must be one of {', '.join(known)} for {kind} (outputs of shape {outputs.shape}), not {metric!r}."
        )
    finite = np.asarray(np.isfinite(outputs).all(axis=(1, 2)))
    usable = np.where(finite[:, None, None], outputs, 0.0)
    values = row_values(metric, usable, targets)
    if values is not None:
        score: Scorer = _mean_over_rows(values)
    elif classification:
        score = _from_confusion(metric, usable.argmax(axis=2), targets.astype(np.intp), outputs.shape[2])
    else:
        score = _correlations(metric, usable[..., 0], targets)
    return lambda weights: np.where(finite, score(weights), np.nan)


def _mean_over_rows(values: Floats) -> Scorer:
    return lambda weights: np.asarray(weights @ values.T / weights.sum(axis=1, keepdims=True))


def _from_confusion(metric: str, predicted: NDArray[np.intp], labels: NDArray[np.intp], classes: int) -> Scorer:
    """Score by how often each class is true, predicted, and both."""
    of_class = [predicted == k for k in range(classes)]
    true_of = [labels == k for k in range(classes)]

    def score(weights: Floats) -> Floats:
        truth = np.stack([weights @ true.astype(np.float64) for true in true_of], axis=-1)[:, None]
        guess = np.stack([weights @ each.T.astype(np.float64) for each in of_class], axis=-1)
        both = zip(of_class, true_of, strict=True)
        right = np.stack([weights @ (each & true).T.astype(np.float64) for each, true in both], axis=-1)
        if metric == "matthews":
            return _matthews(right.sum(axis=-1), truth, guess)
        f1 = _f1(right, truth, guess)
        return f1 if metric == "f1" else (right.sum(axis=-1) / truth.sum(axis=-1) + f1) / 2

    return score


def _f1(right: Floats, truth: Floats, guess: Floats) -> Floats:
    seen = truth + guess > 0  # a class that neither occurs nor is predicted has no F1
    of_class = np.divide(2 * right, truth + guess, out=np.zeros_like(right), where=seen)
    return of_class[..., 1] if right.shape[-1] == 2 else of_class.sum(axis=-1) / seen.sum(axis=-1)


def _matthews(right: Floats, truth: Floats, guess: Floats) -> Floats:
    total = truth.sum(axis=-1)
    squares = (total**2 - (guess**2).sum(axis=-1)) * (total**2 - (truth**2).sum(axis=-1))
    spread = np.sqrt(np.maximum(squares, 0))
    shared = right * total - (truth * guess).sum(axis=-1)
    return np.asarray(np.divide(shared, spread, out=np.zeros_like(right), where=spread > 0))


def _correlations(metric: str, predicted: Floats, values: Floats) -> Scorer:
    def score(weights: Floats) -> Floats:
        found = []
        if metric != "spearman":
            found.append([_pearson(weights, one - one.mean(), values - values.mean()) for one in predicted])
        if metric != "pearson":
            ranks = _ranks(weights, values)
            found.append([_pearson(weights, _ranks(weights, one), ranks) for one in predicted])
        return np.asarray(np.mean(found, axis=0)).T

    return score


def _ranks(weights: Floats, values: Floats) -> Floats:
    """Return each row's mean rank among the repeated rows, (draws, rows)."""
    place = rankdata(values, method="dense") - 1  # of each row, among the different values
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    of_value = np.add.reduceat(weights[:, order], starts, axis=1)
    through = np.cumsum(of_value, axis=1)
    return np.asarray((through - (of_value - 1) / 2)[:, place])


def _pearson(weights: Floats, a: Floats, b: Floats) -> Floats:
    """Return the weighted correlation; nan where one of the two does not vary by more than rounding."""
    total = weights.sum(axis=1, keepdims=True)
    first, second = (one - (weights * one).sum(axis=1, keepdims=True) / total for one in (a, b))
    squares = [(weights * one**2).sum(axis=1) for one in (first, second)]
    varies = [s > 1e-20 * (weights * one**2).sum(axis=1) for s, one in zip(squares, (a, b), strict=True)]
    spread = np.sqrt(squares[0] * squares[1])
    product = (weights * first * second).sum(axis=1)
    defined = varies[0] & varies[1] & (spread > 0)
    return np.asarray(np.divide(product, spread, out=np.full(len(weights), np.nan), where=defined))
