"""How is everything that can be said about a study written as JSON?"""

import math
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from seedwise.analysis.best import schedules
from seedwise.analysis.cell import Cell
from seedwise.errors import UnknownError

if TYPE_CHECKING:
    from seedwise.analysis.analysis import Analysis

__all__ = ["EARLY", "STATISTICS", "analysis_json", "plain"]

STATISTICS: Mapping[str, Callable[["Analysis", Cell], Any]] = {
    "expected_best": lambda analysis, cell: {
        name: analysis.expected_best(cell, schedule=name) for name in schedules(cell)
    },
    "expected_best_without_replacement": lambda analysis, cell: analysis.expected_best(cell, replacement=False),
    "expected_test": lambda analysis, cell: analysis.expected_test(cell),
    "expected_test_bootstrap": lambda analysis, cell: analysis.expected_test(cell, bootstrap=True),
    "fall_of_test": lambda analysis, cell: analysis.fall_of_test(cell),
    "gap": lambda analysis, cell: analysis.gap(cell),
    "low_quantile": lambda analysis, cell: analysis.low_quantile(cell),
    "hurdle": lambda analysis, cell: analysis.hurdle(cell),
    "failed": lambda analysis, cell: analysis.failed(cell),
    "variance": lambda analysis, cell: analysis.variance(cell),
    "spread": lambda analysis, cell: analysis.spread(cell),
    "grid": lambda analysis, cell: analysis.grid(cell),
    "best_worst_init": lambda analysis, cell: analysis.best_worst(cell),
    "best_worst_order": lambda analysis, cell: analysis.best_worst(cell, "order"),
    "spearman": lambda analysis, cell: analysis.correlation(cell),
    "pearson": lambda analysis, cell: analysis.correlation(cell, "pearson"),
    "stopping": lambda analysis, cell: analysis.best_rules(cell),
    "items": lambda analysis, cell: analysis.items(cell),
    "ensemble": lambda analysis, cell: analysis.ensemble(cell),
    "test_interval": lambda analysis, cell: analysis.test_interval(cell),
    "training_loss": lambda analysis, cell: analysis.training_loss(cell),
    "distance": lambda analysis, cell: analysis.distance(cell),
    "gradient_norm": lambda analysis, cell: analysis.gradient_norm(cell),
    "bias_ratio": lambda analysis, cell: analysis.bias_ratio(cell),
}
"""Every statistic of one cell, by the name it has in ``analyze --json``."""

EARLY = (
    "expected_best expected_best_without_replacement low_quantile hurdle failed variance spread grid best_worst_init "
    "best_worst_order spearman pearson"
).split()
"""Those of a study's early scores, which need no final score."""


def analysis_json(analysis: "Analysis") -> dict[str, Any]:
    """Return every statistic, or the reason why there is none."""
    return {
        "trials": len(analysis.trials),
        "rule": None if analysis.rule is None else analysis.rule.to_json(),
        "cells": [_cell_json(analysis, cell) for cell in analysis.cells],
        "recipes": _plain_or_reason(analysis.recipe_scores),
        "verdicts": _plain_or_reason(analysis.verdicts),
        "over_tasks": _plain_or_reason(analysis.over_tasks),
        "good_init_seeds": _plain_or_reason(analysis.good_seeds),
        "good_order_seeds": _plain_or_reason(partial(analysis.good_seeds, "order")),
    }


def _cell_json(analysis: "Analysis", cell: Cell) -> dict[str, Any]:
    return {
        "task": cell.task.name,
        "metric": cell.task.metric,
        "recipe": analysis.recipe_name(cell),
        "recipe_id": cell.recipe.id,
        "states": {str(state): count for state, count in cell.states.items()},
        "baseline": cell.baseline,
        **{name: _plain_or_reason(partial(find, analysis, cell)) for name, find in STATISTICS.items()},
        "same_curve": [[cell.records[place].id for place in group] for group in cell.twins.groups],
        "early": _early_json(analysis, cell),
    }


def _early_json(analysis: "Analysis", cell: Cell) -> dict[str, Any]:
    """Return what a study that was stopped early tells: what the rule did, and every statistic of the early scores."""
    try:
        early = analysis.early(cell)
    except UnknownError as error:
        return {"reason": str(error)}
    found = {name: _plain_or_reason(partial(STATISTICS[name], analysis, early)) for name in EARLY}
    return {**plain(analysis.stopped_early(cell)), **found}


def plain(result: Any) -> Any:
    """Return a result as plain JSON: named results as objects, arrays as lists, what is not finite as null.

    Example:
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


def _plain_or_reason(compute: Callable[[], Any]) -> Any:
    """Return what is computed as plain JSON, or the reason why it cannot be."""
    try:
        return plain(compute())
    except UnknownError as error:
        return {"reason": str(error)}
