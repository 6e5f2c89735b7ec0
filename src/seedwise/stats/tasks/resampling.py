"""How are the trials of several tasks drawn again, the same seed on every task together?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from seedwise.stats.checks import check_labels, score_array

__all__ = ["expanded_level", "factors_of", "task_scores", "task_weights"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Seeds = Sequence[Mapping[str, Iterable[Any]]]


def task_scores(scores: Sequence[ArrayLike], *, least: int = 2) -> list[Floats]:
    """Return the scores of each task as a vector."""
    if isinstance(scores, str) or not isinstance(scores, Sequence | np.ndarray) or len(scores) == 0:
        raise ValueError(f"scores must hold the trials of each task, one vector a task, not {scores!r}.")
    return [score_array(f"scores[{i}]", own, least=least) for i, own in enumerate(scores)]


def factors_of(scores: Sequence[Floats], seeds: Seeds | None) -> list[Codes]:
    """Return what is drawn again: for each factor, the level of every trial, all tasks in a row, shape (trials,).

    A seed that is the same in all trials of each task is no factor, and neither is one whose label tells another seed's:
    drawing the coarser one again draws both.
    """
    total = sum(map(len, scores))
    if seeds is None:
        return [np.arange(total)]
    if len(seeds) != len(scores) or not all(isinstance(own, Mapping) and own for own in seeds):
        raise ValueError(f"seeds must name each trial's seeds for each of the {len(scores)} tasks, not {len(seeds)}.")
    names = list(seeds[0])
    if any(list(own) != names for own in seeds):
        raise ValueError(f"seeds must name the same seeds on every task, {' and '.join(names)}.")
    codes = []
    for name in names:
        parts = [check_labels(name, own[name], len(one)) for own, one in zip(seeds, scores, strict=True)]
        if any(len(np.unique(part)) > 1 for part in parts):
            codes.append(np.unique(np.concatenate(parts), return_inverse=True)[1].astype(np.intp))
    kept: list[Codes] = []
    for code in sorted(codes, key=lambda code: int(code.max())):
        if not any(_tells(code, other) for other in kept):
            kept.append(code)
    return kept or [np.arange(total)]


def task_weights(
    scores: Sequence[Floats], factors: Sequence[Codes], draws: int, generator: np.random.Generator
) -> Floats:
    """Return the weight of every trial in each bootstrap sample, shape (draws, trials): each task's sum to 1 / tasks.

    The levels of each factor are drawn with replacement, and a trial's weight is the product of how often its own were
    drawn. A sample that leaves a task without any trial is drawn as the trials themselves.
    """
    weights = np.ones((draws, len(factors[0])))
    for code in factors:
        levels = int(code.max()) + 1
        weights *= generator.multinomial(levels, np.full(levels, 1 / levels), size=draws)[:, code]
    start = 0
    for one in scores:
        part = weights[:, start : start + len(one)]
        part[part.sum(axis=1) == 0] = 1
        part /= part.sum(axis=1, keepdims=True) * len(scores)
        start += len(one)
    return weights


def expanded_level(confidence: float, factors: Sequence[Codes]) -> float:
    """Return the lower percentile that makes a percentile interval as wide as few seeds call for (Hesterberg 2015)."""
    levels = min(int(code.max()) + 1 for code in factors)
    t = float(stats.t.ppf((1 + confidence) / 2, levels - 1))
    return float(stats.norm.cdf(-t * np.sqrt(levels / (levels - 1))))


def _tells(code: Codes, other: Codes) -> bool:
    """Return whether each level of ``code`` occurs with one level of ``other`` only."""
    return len(np.unique(code * (other.max() + 1) + other)) == int(code.max()) + 1
