"""What happened step by step over the trials of a recipe: to the training loss, the weights, the gradients?"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.errors import UnknownError
from seedwise.values.recipe import Recipe

__all__ = [
    "MOST_POINTS",
    "BiasRatio",
    "BlockDistances",
    "StepCurve",
    "bias_ratio",
    "block_distances",
    "gradient_norm",
    "loss_curve",
    "step_curve",
]

Floats = NDArray[np.float64]
MOST_POINTS = 200
"""More steps than these are averaged in equal bins: a figure shows no more."""


class StepCurve(NamedTuple):
    """One number a step, such as the training loss, over trials."""

    step: NDArray[np.int64]  # the last optimiser step of each bin, ascending, (points,)
    mean: Floats  # mean over trials of their mean in the bin, (points,)
    low: Floats  # the lowest of the trials, (points,)
    high: Floats  # the highest, (points,)
    trials: NDArray[np.int64]  # how many trials have a finite number in the bin, (points,)
    bin: int  # how many steps a bin holds; 1 shows every step
    diverged: int  # how many trials had a number that was not finite; such numbers are in neither mean nor range


def loss_curve(cell: Cell) -> StepCurve:
    """Return mean and range of the training loss over all trials, by step (Zhang et al. 2021, figures 3, 6 and 11).

    Where losses of single steps are not known, those told at evaluations are taken.
    """
    losses = [cell.losses_of(record.id) for record in cell.records]
    return step_curve(losses) if any(len(curve) for curve in losses) else _at_evaluations(cell)


def step_curve(curves: Sequence[NDArray[np.float32]]) -> StepCurve:
    """Return mean and range over trials of one number a step."""
    longest = max(len(curve) for curve in curves)
    width = math.ceil(longest / MOST_POINTS)
    bins = math.ceil(longest / width)
    table = np.full((len(curves), bins), math.nan)
    for row, curve in enumerate(curves):
        padded = np.full(bins * width, math.nan)
        padded[: len(curve)] = curve
        known = np.isfinite(padded.reshape(bins, width))
        total = np.where(known, padded.reshape(bins, width), 0.0).sum(axis=1)
        count = known.sum(axis=1)
        table[row, count > 0] = total[count > 0] / count[count > 0]
    diverged = sum(not np.isfinite(curve).all() for curve in curves)
    return _over_trials(np.minimum(np.arange(1, bins + 1) * width, longest), table, width, diverged)


def _at_evaluations(cell: Cell) -> StepCurve:
    steps = sorted({e.step for record in cell.records for e in record.evaluations if math.isfinite(e.loss)})
    if not steps:
        raise UnknownError("no training loss is known of these runs; map train_loss where they have one.")
    place = {step: column for column, step in enumerate(steps)}
    table = np.full((len(cell.records), len(steps)), math.nan)
    for row, record in enumerate(cell.records):
        for evaluation in record.evaluations:
            if math.isfinite(evaluation.loss):
                table[row, place[evaluation.step]] = evaluation.loss
    return _over_trials(np.array(steps), table, 1, 0)


def _over_trials(step: NDArray[np.int64], table: Floats, width: int, diverged: int) -> StepCurve:
    known = np.isfinite(table)
    shown = known.any(axis=0)
    step, table, known = step[shown], table[:, shown], known[:, shown]
    count = known.sum(axis=0)
    mean = np.where(known, table, 0.0).sum(axis=0) / count
    low, high = np.where(known, table, np.inf).min(axis=0), np.where(known, table, -np.inf).max(axis=0)
    return StepCurve(step.astype(np.int64), mean, low, high, count.astype(np.int64), width, diverged)


class BlockDistances(NamedTuple):
    """Distance of each Transformer block from its starting values, in the mean over trials."""

    step: NDArray[np.int64]  # optimiser steps, ascending, (points,): the first, the last, and evenly between them
    mean: Floats  # mean over trials of the L2 distance after the step, (points, blocks), block 1 at the bottom first
    trials: NDArray[np.int64]  # how many trials have a finite distance of every block there, (points,)


class BiasRatio(NamedTuple):
    """How many times as large as the corrected one Adam's update was."""

    # optimiser steps, ascending, (points,): the first, the last, and evenly between them on a logarithmic axis
    step: NDArray[np.int64]
    ratio: Floats  # the ratio, which is the same in every trial of a recipe, (points,); 1 with bias correction


def block_distances(cell: Cell) -> BlockDistances:
    """Return the distance of each block from its starting values, in the mean over all trials that came to the step
    (Zhang et al. 2021, section 5, figures 7 and 15 to 18).
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
    """Return how much larger Adam's update was than the corrected one, by step (Zhang et al. 2021, section 4 and
    figure 1).
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
