"""How good are predictions: the metrics of both papers, and what a constant guess would score.

They are few and short, so they are written here and tested against scikit-learn and SciPy, which keeps
scikit-learn out of what a user must install.
"""

import math

import numpy as np

__all__ = ["baselines", "score"]

Array = np.ndarray


def score(kind: str, logits: Array, labels: Array) -> dict[str, float]:
    """Return every metric of a kind of task.

    Example:
        >>> import numpy as np
        >>> score("classification", np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([0, 1]))["accuracy"]
        1.0
    """
    if not np.isfinite(logits).all():
        names = ("accuracy", "f1", "accuracy_f1", "matthews") if kind == "classification" else _CORRELATIONS
        return dict.fromkeys((*names, "loss"), math.nan)
    if kind == "regression":
        return _regression(logits[:, 0].astype(np.float64), labels.astype(np.float64))
    scores = logits.astype(np.float64)
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_normaliser = np.log(np.exp(shifted).sum(axis=1))
    loss = float((log_normaliser - shifted[np.arange(len(labels)), labels]).mean())
    return {**_classification(scores.argmax(axis=1), labels, scores.shape[1]), "loss": loss}


def baselines(kind: str, labels: Array, classes: int | None) -> dict[str, float]:
    """Return what the best constant guess scores: the majority class, or the mean value.

    Example:
        >>> import numpy as np
        >>> baselines("classification", np.array([1, 1, 0]), 2)["f1"]
        0.8
    """
    if kind == "regression":
        return {**dict.fromkeys(_CORRELATIONS, 0.0), "loss": float(np.var(labels.astype(np.float64)))}
    counts = np.bincount(labels, minlength=classes or 0)
    guesses = [_classification(np.full(len(labels), k), labels, len(counts)) for k in range(len(counts))]
    best = {name: max(guess[name] for guess in guesses) for name in guesses[0]}
    shares = counts[counts > 0] / counts.sum()
    return {**best, "loss": float(-(shares * np.log(shares)).sum())}


_CORRELATIONS = ("pearson", "spearman", "pearson_spearman")


def _classification(predicted: Array, labels: Array, classes: int) -> dict[str, float]:
    confusion = np.bincount(labels * classes + predicted, minlength=classes * classes)
    confusion = confusion.reshape(classes, classes).astype(np.float64)  # rows: truth; columns: prediction
    right, truth, guess = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    accuracy = float(right.sum() / confusion.sum())
    f1_of_class = np.divide(2 * right, truth + guess, out=np.zeros(classes), where=truth + guess > 0)
    seen = truth + guess > 0  # a class that never occurs and is never predicted has no F1
    f1 = float(f1_of_class[1] if classes == 2 else f1_of_class[seen].mean())
    return {
        "accuracy": accuracy,
        "f1": f1,
        "accuracy_f1": (accuracy + f1) / 2,
        "matthews": _matthews(float(right.sum()), truth, guess),
    }


def _matthews(right: float, truth: Array, guess: Array) -> float:
    """Return Gorodkin's R_K, which is Matthews' coefficient for two classes; 0 when it is undefined."""
    total = truth.sum()
    spread = math.sqrt((total**2 - (guess**2).sum()) * (total**2 - (truth**2).sum()))
    return float((right * total - (truth * guess).sum()) / spread) if spread > 0 else 0.0


def _regression(predicted: Array, labels: Array) -> dict[str, float]:
    from scipy.stats import rankdata

    pearson = _correlation(predicted, labels)
    spearman = _correlation(rankdata(predicted), rankdata(labels))
    loss = float(((predicted - labels) ** 2).mean())
    return {"pearson": pearson, "spearman": spearman, "pearson_spearman": (pearson + spearman) / 2, "loss": loss}


def _correlation(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    spread = math.sqrt(float((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / spread) if spread > 0 else math.nan
