"""How are arrays checked, so that a misuse is one sentence and never a wrong number?"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["check_level", "count_array", "label_array", "score_array"]

Floats = NDArray[np.float64]


def score_array(name: str, values: ArrayLike, *, least: int = 1, failed: bool = False) -> Floats:
    """Return scores as a vector of floats.

    Args:
        name: What the argument is called.
        values: One score a trial.
        least: How many trials are needed.
        failed: Whether nan is allowed: a trial without a score.

    Raises:
        ValueError: They are no vector, too few, or not finite.
    """
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1:
        raise ValueError(f"{name} must be one number a trial, not an array of shape {scores.shape}; flatten it.")
    if len(scores) < least:
        raise ValueError(f"{name} must hold at least {least} trials, not {len(scores)}; run more seeds.")
    bad = scores[~(np.isfinite(scores) | (failed & np.isnan(scores)))]
    if len(bad):
        raise ValueError(
            f"{name} must be finite, but {len(bad)} of {len(scores)} are not (the first is {bad[0]}); say what a failed "
            "trial scores, or leave it out and say so."
        )
    return scores


def label_array(name: str, values: Iterable[Any], size: int) -> NDArray[np.intp]:
    """Return each trial's level as a whole number from 0, in sorted order of the labels.

    Args:
        name: What the argument is called.
        values: One label a trial, of any kind that can be sorted.
        size: How many trials there are.

    Raises:
        ValueError: There is not one label for each trial.
    """
    labels = np.asarray(values)
    if labels.shape != (size,):
        raise ValueError(f"{name} must hold one label for each of the {size} trials, not shape {labels.shape}.")
    return np.unique(labels, return_inverse=True)[1].astype(np.intp)


def count_array(name: str, values: ArrayLike, *, most: int | None = None, why: str = "") -> NDArray[np.int64]:
    """Return counts of trials, such as n, as a vector of whole numbers of at least 1.

    Args:
        name: What the argument is called.
        values: A count or several.
        most: The largest one allowed.
        why: What makes it the largest, for the sentence.

    Raises:
        ValueError: One is no whole number, below 1, or above ``most``.
    """
    given = np.atleast_1d(np.asarray(values))
    if given.ndim != 1 or given.size == 0 or not np.all(given == np.floor(given)) or given.min() < 1:
        raise ValueError(f"{name} must be whole numbers of at least 1, not {values!r}.")
    if most is not None and given.max() > most:
        raise ValueError(f"{name} must be at most {most}{why and f' ({why})'}, not {given.max()}.")
    return given.astype(np.int64)


def check_level(name: str, value: float) -> None:
    """Refuse a confidence level or quantile that is not strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name} must be in (0, 1), not {value!r}; 0.95 is usual.")
