"""How did the training loss develop over the trials of a recipe?"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.errors import UnknownError

__all__ = ["MOST_POINTS", "StepCurve", "loss_curve", "step_curve"]

Floats = NDArray[np.float64]
MOST_POINTS = 200
"""More steps than these are averaged in equal bins: a figure shows no more."""


class StepCurve(NamedTuple):
    """One number a step, such as the training loss, over trials.

    Args:
        step: The last optimiser step of each bin, ascending, (points,).
        mean: Mean over trials of their mean in the bin, (points,).
        low: The lowest of the trials, (points,).
        high: The highest, (points,).
        trials: How many trials have a finite number in the bin, (points,).
        bin: How many steps a bin holds; 1 shows every step.
        diverged: How many trials had a number that was not finite; such numbers are in neither mean nor range.
    """

    step: NDArray[np.int64]
    mean: Floats
    low: Floats
    high: Floats
    trials: NDArray[np.int64]
    bin: int
    diverged: int


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
