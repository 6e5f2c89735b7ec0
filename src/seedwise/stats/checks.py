"""How are arrays checked, so that a misuse is one sentence and never a wrong number?"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ALTERNATIVES",
    "ROUNDING",
    "Alternative",
    "check_choice",
    "check_level",
    "check_spread",
    "count_array",
    "label_array",
    "sample_pair",
    "score_array",
    "size",
]

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Scores that differ by less than this share of their size differ by rounding alone."""

Alternative = Literal["greater", "less", "two-sided"]
ALTERNATIVES = ("greater", "less", "two-sided")


def score_array(name: str, values: ArrayLike, *, least: int = 1, failed: bool = False) -> Floats:
    """Return scores as a vector of floats."""
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
    """Return each trial's level as a whole number from 0, in sorted order of the labels."""
    labels = np.asarray(values)
    if labels.shape != (size,):
        raise ValueError(f"{name} must hold one label for each of the {size} trials, not shape {labels.shape}.")
    return np.unique(labels, return_inverse=True)[1].astype(np.intp)


def count_array(name: str, values: ArrayLike, *, most: int | None = None, why: str = "") -> NDArray[np.int64]:
    """Return counts of trials, such as n, as a vector of whole numbers of at least 1."""
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


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Refuse a word that is not one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")


def sample_pair(a: ArrayLike, b: ArrayLike, *, least: int = 2, paired: bool = False) -> tuple[Floats, Floats]:
    """Return the scores of two recipes as vectors."""
    first, second = score_array("a", a, least=least), score_array("b", b, least=least)
    rounding = ROUNDING * size(first, second)
    same = len(first) == len(second) and np.abs(first - second).max() <= rounding
    if same and np.ptp(first) > rounding:  # two recipes that always fail do score the same
        raise ValueError("a and b must be two recipes' scores, but are equal trial by trial; compare different trials.")
    if paired and len(first) != len(second):
        raise ValueError(
            f"paired scores must be as many for a as for b, not {len(first)} and {len(second)}; "
            "keep the trials whose seeds both recipes have."
        )
    return first, second


def size(*samples: Floats) -> float:
    """Return the largest magnitude in the samples: what rounding is judged by."""
    return max(float(np.abs(sample).max()) for sample in samples)


def check_spread(purpose: str, *samples: Floats, scale: float | None = None) -> None:
    """Refuse samples none of which varies by more than rounding."""
    least = ROUNDING * (size(*samples) if scale is None else scale)
    if all(np.ptp(sample) <= least for sample in samples):
        values = " and ".join(f"{sample[0]:g}" for sample in samples)
        raise ValueError(
            f"{purpose} needs scores that vary, but every one is {values}; run more seeds, or state the plain numbers."
        )
