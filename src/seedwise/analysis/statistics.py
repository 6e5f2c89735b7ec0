"""What can be said about each task and recipe, and where nothing can, why not?"""

import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple

import numpy as np

from seedwise.analysis import best, seeds, stopping
from seedwise.analysis.cell import Cell
from seedwise.analysis.losses import loss_curve
from seedwise.analysis.tracked import bias_ratio, block_distances, gradient_norm
from seedwise.errors import RequestError

__all__ = ["STATISTICS", "Refusal", "find", "plain"]


class Refusal(NamedTuple):
    """Why a statistic is not there.

    Args:
        reason: One sentence: what it needs, what there is, what to do.
    """

    reason: str


STATISTICS: Mapping[str, Callable[[Cell], Any]] = {
    "expected_best": lambda cell: {name: best.expected_best(cell, schedule=name) for name in _schedules(cell)},
    "expected_best_without_replacement": lambda cell: best.expected_best(cell, replacement=False),
    "expected_test": best.expected_test,
    "expected_test_bootstrap": lambda cell: best.expected_test(cell, bootstrap=True),
    "fall_of_test": best.fall_of_test,
    "failed": seeds.failed_trials,
    "variance": seeds.components,
    "spread": seeds.spread,
    "grid": seeds.grid,
    "best_worst_init": lambda cell: seeds.best_worst(cell, "init"),
    "best_worst_order": lambda cell: seeds.best_worst(cell, "order"),
    "spearman": stopping.correlation,
    "pearson": lambda cell: stopping.correlation(cell, "pearson"),
    "stopping": stopping.plan,
    "training_loss": loss_curve,
    "distance": block_distances,
    "gradient_norm": gradient_norm,
    "bias_ratio": bias_ratio,
}
"""Every statistic of one cell, by the name it has in ``analyze --json``."""


def find(name: str, cell: Cell) -> Any:
    """Return a statistic of a cell, or the `Refusal` that says why there is none.

    Args:
        name: One of `STATISTICS`.
        cell: The trials.
    """
    try:
        return STATISTICS[name](cell)
    except RequestError as error:
        return Refusal(str(error))


def plain(result: Any) -> Any:
    """Return a result as plain JSON: named results as objects, arrays as lists, what is not finite as null.

    Example:
        >>> plain(Refusal("no trial is complete yet; run the study."))
        {'reason': 'no trial is complete yet; run the study.'}
        >>> plain({"sd": np.array([0.5, np.nan])})
        {'sd': [0.5, None]}
    """
    if isinstance(result, np.ndarray):
        return plain(result.tolist())
    if isinstance(result, np.generic):
        return plain(result.item())
    if isinstance(result, float):
        return result if math.isfinite(result) else None
    if isinstance(result, tuple) and hasattr(result, "_asdict"):
        return plain(result._asdict())
    if isinstance(result, Mapping):
        return {str(key): plain(value) for key, value in result.items()}
    if isinstance(result, list | tuple):
        return [plain(value) for value in result]
    return result.value if isinstance(result, Enum) else result


def _schedules(cell: Cell) -> tuple[str, ...]:
    cell.full()  # refuses before anything is told apart
    return best.schedules(cell)
