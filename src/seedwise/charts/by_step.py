"""How did the training loss fall, and the gradient's norm with it? Figures 3, 6 and 11 of Zhang et al. (2021)."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import altair as alt

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.steps import StepCurve
from seedwise.charts.series import in_words, shaded_lines, task_of
from seedwise.charts.style import styled

__all__ = ["LossesData", "draw_losses", "gradients_data", "losses_data"]


class LossesData(NamedTuple):
    """Training loss, or norm of the gradient, by step, of one recipe or several."""

    # one mapping for each step of each series: series, step, and over trials the mean, low and high, and their number
    points: list[dict[str, Any]]
    series: tuple[str, ...]  # their names in the legend's order
    title: str  # of the figure
    subtitle: str  # number of trials, and what is shaded
    axis: str  # title of the vertical axis


def losses_data(analysis: Analysis, cells: Mapping[str, Cell]) -> LossesData:
    """Collect mean and range over trials of the training loss, for cells of one task by the name of their series."""
    return _by_step(analysis, cells, analysis.training_loss, "training loss")


def gradients_data(analysis: Analysis, cells: Mapping[str, Cell]) -> LossesData:
    """Collect mean and range over trials of the gradient's L2 norm before clipping, for cells of one task by series."""
    return _by_step(analysis, cells, analysis.gradient_norm, "gradient norm")


def draw_losses(data: LossesData) -> Any:
    """Draw what the data hold against the optimiser step, one line a series, with its range shaded."""
    x = alt.X("step:Q", title="optimiser step", scale=alt.Scale(nice=False), axis=alt.Axis(grid=False, tickCount=6))
    return styled(shaded_lines(data.points, data.series, x, data.axis, zero=True), data.title, data.subtitle)


def _by_step(
    analysis: Analysis, cells: Mapping[str, Cell], find: Callable[[Cell], StepCurve], words: str
) -> LossesData:
    task = task_of(cells)
    curves = {series: find(cell) for series, cell in cells.items()}
    points = [
        {"series": series, "step": step, "mean": mean, "low": low, "high": high, "trials": trials}
        for series, curve in curves.items()
        for step, mean, low, high, trials in zip(*(column.tolist() for column in curve[:5]), strict=True)
    ]
    trials = in_words((int(curve.trials.max()) for curve in curves.values()), "trials")
    bins = sorted({curve.bin for curve in curves.values() if curve.bin > 1})
    averaged = f"; means of {' or '.join(map(str, bins))} steps" if bins else ""
    diverged = sum(curve.diverged for curve in curves.values())
    gone = f"; {diverged} diverged, shown until then" if diverged else ""
    subtitle = f"{trials}; line: mean, shaded: range{averaged}{gone}"
    title = analysis.label(next(iter(cells.values()))) if len(cells) == 1 else task.name
    return LossesData(points, tuple(curves), f"{title}: {words}", subtitle, words)
