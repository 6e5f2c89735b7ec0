"""How are arrays checked, so that a misuse is one sentence and never a wrong number?"""

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ALTERNATIVES",
    "ROUNDING",
    "Alternative",
    "check_choice",
    "check_labels",
    "check_level",
    "check_number",
    "check_spread",
    "count_array",
    "flag_array",
    "float_array",
    "label_array",
    "one_count",
    "sample_pair",
    "score_array",
    "seeded",
    "size",
]

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Scores that differ by less than this share of their size differ by rounding alone."""

Alternative = Literal["greater", "less", "two-sided"]
ALTERNATIVES = ("greater", "less", "two-sided")


MOST = 2**53
"""The largest count: beyond it, a float does not hold every whole number."""


def float_array(name: str, values: ArrayLike) -> Floats:
    """Return numbers as an array of floats, whatever its shape."""
    try:
        given = np.asarray(values)
        if given.dtype.kind in "biufO":
            return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):  # rows of unequal length, or things that are no numbers
        pass
    raise ValueError(f"{name} must be numbers, in rows of equal length where there are rows, not {_shown(values)}.")


def score_array(name: str, values: ArrayLike, *, least: int = 1, failed: bool = False) -> Floats:
    """Return scores as a vector of floats."""
    scores = float_array(name, values)
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


def flag_array(name: str, values: ArrayLike) -> NDArray[np.bool_]:
    """Return one boolean a trial as a vector."""
    try:
        flags = np.asarray(values)
    except ValueError:
        flags = np.empty(0)  # rows of unequal length
    if flags.ndim != 1 or flags.dtype != np.bool_ or not len(flags):
        raise ValueError(f"{name} must be one boolean a trial, not {_shown(values)}; is_failed makes it of scores.")
    return flags


def check_labels(name: str, values: Iterable[Any], size: int) -> NDArray[Any]:
    """Return each trial's label as an array; refuse labels that are missing or cannot be ordered."""
    try:
        given = values if isinstance(values, np.ndarray | str) else list(values)
        labels = np.asarray(given)  # of a text, no vector
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold one label for each of the {size} trials, not {_shown(values)}.") from None
    if labels.shape != (size,):
        raise ValueError(f"{name} must hold one label for each of the {size} trials, not shape {labels.shape}.")
    missing = sum(label is None or label != label for label in given)  # noqa: PLR0124 - only nan differs from itself
    if missing:
        raise ValueError(
            f"{name} must hold a label for every trial, but {missing} of {size} have none (nan or None); leave those trials "
            "out, or give each a label of its own."
        )
    kinds = {"number" if isinstance(label, Real | np.bool_) else type(label).__name__ for label in given}
    if len(kinds) > 1:
        raise ValueError(
            f"{name} must hold labels of one type, not {' and '.join(sorted(kinds))}; make all of them text."
        )
    return labels


def label_array(name: str, values: Iterable[Any], size: int) -> NDArray[np.intp]:
    """Return each trial's level as a whole number from 0, in sorted order of the labels."""
    return np.unique(check_labels(name, values, size), return_inverse=True)[1].astype(np.intp)


def count_array(name: str, values: ArrayLike, *, most: int | None = None, why: str = "") -> NDArray[np.int64]:
    """Return counts of trials, such as n, as a vector of whole numbers of at least 1."""
    try:
        given = np.atleast_1d(np.asarray(values))
    except ValueError:
        given = np.empty(0)
    counts = given.dtype.kind in "iuf" and given.ndim == 1 and given.size and not np.isnan(given).any()
    if given.dtype.kind == "O" and given.ndim == 1 and all(type(value) is int for value in given):  # 10**30
        counts, given = True, given.astype(np.float64)
    if not counts or not np.all(given == np.floor(given)) or given.min() < 1:
        raise ValueError(f"{name} must be whole numbers of at least 1, not {_shown(values)}.")
    if most is not None and given.max() > most:
        raise ValueError(f"{name} must be at most {most}{why and f' ({why})'}, not {given.max()}.")
    if given.max() > MOST:
        raise ValueError(f"{name} must be at most 2^53, beyond which numbers are rounded, not {given.max():g}.")
    return given.astype(np.int64)


def one_count(name: str, value: int, *, least: int = 1, why: str = "") -> int:
    """Return one count of trials as a whole number."""
    if not isinstance(value, Real) or not least <= value or (value <= MOST and value != int(value)):
        why = why and f", {why}"
        raise ValueError(f"{name} must be a whole number of at least {least}{why}, not {_shown(value)}.")
    if value > MOST:
        raise ValueError(f"{name} must be at most 2^53, beyond which numbers are rounded, not {float(value):g}.")
    return int(value)


def check_number(name: str, value: float) -> None:
    """Refuse what is not one number."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise ValueError(f"{name} must be one number, not {_shown(value)}.")  # noqa: TRY004 - one kind of refusal


def check_level(name: str, value: float) -> None:
    """Refuse a confidence level or quantile that is not strictly between 0 and 1."""
    check_number(name, value)
    if not 0 < value < 1:
        raise ValueError(f"{name} must be in (0, 1), not {value!r}; 0.95 is usual.")


def seeded(seed: int) -> np.random.Generator:
    """Return the random numbers of a seed."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise ValueError(f"seed must be a whole number of at least 0, not {_shown(seed)}.") from None


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Refuse a word that is not one of the choices."""
    if not isinstance(value, str) or value not in choices:
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


def _shown(value: object) -> str:
    """Return a value as a sentence shows it: whole if it is short."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
