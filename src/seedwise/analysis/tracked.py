"""How far did the weights move, and how large were the gradients, over the trials of a recipe?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.analysis.losses import MOST_POINTS, StepCurve, step_curve
from seedwise.errors import UnknownError
from seedwise.values.recipe import Recipe

__all__ = ["BiasRatio", "BlockDistances", "bias_ratio", "block_distances", "gradient_norm"]

Floats = NDArray[np.float64]


class BlockDistances(NamedTuple):
    """Distance of each Transformer block from its starting values, in the mean over trials.

    Args:
        step: Optimiser steps, ascending, (points,): the first, the last, and evenly between them.
        mean: Mean over trials of the L2 distance after the step, (points, blocks), block 1 at the bottom first.
        trials: How many trials have a finite distance of every block there, (points,).
    """

    step: NDArray[np.int64]
    mean: Floats
    trials: NDArray[np.int64]


class BiasRatio(NamedTuple):
    """How many times as large as the corrected one Adam's update was.

    Args:
        step: Optimiser steps, ascending, (points,): the first, the last, and evenly between them on a logarithmic axis.
        ratio: The ratio, which is the same in every trial of a recipe, (points,); 1 with bias correction.
    """

    step: NDArray[np.int64]
    ratio: Floats


def block_distances(cell: Cell) -> BlockDistances:
    """Return the distance of each block from its starting values, in the mean over all trials that came to the step.

    Reference:
        Zhang et al. (2021), section 5, figures 7 and 15 to 18.
    """
    tables = _tables(cell, "distance")
    longest = max(len(table) for table in tables)
    index = np.unique(np.linspace(0, longest - 1, min(longest, MOST_POINTS)).round().astype(int))
    values = np.full((len(tables), len(index), tables[0].shape[1]), np.nan)
    for row, table in enumerate(tables):
        reached = index < len(table)
        values[row, reached] = table[index[reached]]
    known = np.isfinite(values).all(axis=2)
    count = known.sum(axis=0)
    total = np.where(known[:, :, None], values, 0.0).sum(axis=0)
    shown = count > 0
    return BlockDistances(index[shown] + 1, total[shown] / count[shown, None], count[shown])


def gradient_norm(cell: Cell) -> StepCurve:
    """Return mean and range over all trials of the gradient's L2 norm before clipping, by step."""
    return step_curve([table[:, 0] for table in _tables(cell, "gradient_norm")])


def bias_ratio(cell: Cell) -> BiasRatio:
    """Return how much larger Adam's update was than the corrected one, by step.

    Reference:
        Zhang et al. (2021), section 4 and figure 1.
    """
    table = max(_tables(cell, "bias_ratio"), key=len)
    step = np.unique(np.geomspace(1, len(table), _BIAS_POINTS).round().astype(np.int64))
    ratio = table[step - 1, 0].astype(np.float64)
    known = np.isfinite(ratio)
    return BiasRatio(step[known], ratio[known])


_BIAS_POINTS = 12


def _tables(cell: Cell, name: str) -> list[NDArray[np.float32]]:
    """Return what each trial tracked under a name, (steps of the trial, values a step); at least one of them."""
    tracks = isinstance(cell.recipe, Recipe) and name in cell.recipe.track  # else nothing has to be read
    found = [cell.tracked_of(record.id).get(name) for record in cell.records] if tracks else []
    tables = [table for table in found if table is not None and np.isfinite(table).any()]
    if not tables:
        raise UnknownError(
            f"this needs the {name.replace('_', ' ')} of every step, which no trial of {cell.task.name} has; run a recipe "
            f"whose track holds {name}."
        )
    return tables
