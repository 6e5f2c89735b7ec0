"""Which figures does one task and recipe allow, and what do their captions say?"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from altair.utils.schemapi import debug_mode

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.charts import correlation, curves, density, expected, grid, losses, optimizer, planning
from seedwise.errors import UnknownError
from seedwise.values.recipe import Recipe

__all__ = ["CELL_FIGURES", "Figure", "Missing", "cell_figures", "figure_or_reason", "file_name", "tracks"]


class Figure(NamedTuple):
    """One figure of the report.

    Args:
        name: What its file is called, without ending.
        kind: Which figure it is, as a study promises it: curves, grid.
        caption: What it shows, how that was computed, and whose method it is.
        chart: The Altair chart.
    """

    name: str
    kind: str
    caption: str
    chart: Any


class Missing(NamedTuple):
    """A figure that the study's design does not allow.

    Args:
        name: What its file would have been called.
        kind: Which figure it would have been.
        title: What it would have shown.
        reason: Why it cannot be drawn.
    """

    name: str
    kind: str
    title: str
    reason: str


class _Plan(NamedTuple):
    """A figure of one cell that is to be drawn."""

    kind: str
    title: str
    caption: str
    draw: Callable[[Analysis, Cell], Any]


_PLANS = (
    _Plan(
        "curves",
        "validation curves",
        "Validation score at every evaluation, of at most 20 trials drawn at random and the winner; dashed grey trials were "
        "stopped early (Dodge et al. 2020, figure 4).",
        lambda analysis, cell: curves.draw_curves(curves.curves_data(analysis, cell)),
    ),
    _Plan(
        "expected-best",
        "expected validation performance",
        "Expected score of the best of n trials, drawn with replacement from those that ran, for each number of "
        "evaluations that counts (Dodge et al. 2020, figure 1).",
        lambda analysis, cell: expected.draw_expected(expected.expected_best_data(analysis, cell)),
    ),
    _Plan(
        "expected-best-band",
        "confidence band of the expected best",
        "Expected score of the best of n trials with the band that holds it for all n at once, from simultaneous bounds on "
        "the distribution of independent trials' scores (Lourie et al. 2024).",
        lambda analysis, cell: expected.draw_expected(expected.expected_band_data(analysis, cell)),
    ),
    _Plan(
        "expected-test",
        "expected test performance",
        "Score on test rows of the trial that validation chooses from n, computed exactly, beside the validation score "
        "that chose it; as far as the gap grows with n, it is the choice's optimism (Zhang et al. 2021, figure 4).",
        lambda analysis, cell: expected.draw_expected(expected.expected_test_data(analysis, {"": cell})),
    ),
    _Plan(
        "grid",
        "grid of init and order seeds",
        "Every trial by its init seed (rows, best mean at the top) and order seed (columns, best mean at the right; Dodge et "
        "al. 2020, figure 2).",
        lambda analysis, cell: grid.draw_grid(grid.sorted_grid_data(analysis, cell)),
    ),
    _Plan(
        "grid-margins",
        "grid with summaries by seed",
        "The same grid in the order of the seeds, with mean, standard deviation, minimum and maximum by row and column "
        "(Zhang et al. 2021, figures 9 and 10).",
        lambda analysis, cell: grid.draw_grid(grid.margin_grid_data(analysis, cell)),
    ),
    _Plan(
        "best-worst-seeds",
        "best and worst seeds",
        "Kernel density of the scores of the best and the worst seed of either kind; marks are single trials (Dodge et al. "
        "2020, figure 3).",
        lambda analysis, cell: density.draw_density(density.seed_density_data(analysis, cell)),
    ),
    _Plan(
        "spread-by-seed",
        "spread by seed",
        "Kernel density of the standard deviations of all init seeds and of all order seeds (Dodge et al. 2020, figure 8).",
        lambda analysis, cell: density.draw_density(density.spread_density_data(analysis, cell)),
    ),
    _Plan(
        "spearman",
        "rank correlation of early and late scores",
        "Spearman correlation over trials of the best score so far between all pairs of evaluations (Dodge et al. 2020, "
        "figure 5).",
        lambda analysis, cell: correlation.draw_correlation(correlation.correlation_data(analysis, cell)),
    ),
    _Plan(
        "pearson",
        "correlation of early and late scores",
        "Pearson correlation over trials of the best score so far between all pairs of evaluations (Dodge et al. 2020, "
        "figure 9).",
        lambda analysis, cell: correlation.draw_correlation(correlation.correlation_data(analysis, cell, "pearson")),
    ),
    _Plan(
        "best-rules",
        "best stopping rule by budget",
        "How many trials to start (t), when to judge them (f) and how many to keep (p), for each budget in full trainings: "
        "the best of all settings, computed exactly (Dodge et al. 2020, figure 6).",
        lambda analysis, cell: planning.draw_rules(planning.rules_data(analysis, cell)),
    ),
    _Plan(
        "planned",
        "what a budget is expected to give",
        "Expected result of the best rule for each budget, beside as many full trainings; the same trials chose the rule "
        "(Dodge et al. 2020, section 5).",
        lambda analysis, cell: planning.draw_by_budget(planning.planned_data(analysis, cell)),
    ),
    _Plan(
        "error-reduction",
        "what stopping early gains",
        "Relative error reduction of the best rule over spending the budget on full trainings (Dodge et al. 2020, figure 7).",
        lambda analysis, cell: planning.draw_by_budget(planning.reduction_data(analysis, cell)),
    ),
    _Plan(
        "training-loss",
        "training loss",
        "Mean (line) and range (shaded) of the training loss over all trials, by step (Zhang et al. 2021, figure 3).",
        lambda analysis, cell: losses.draw_losses(losses.losses_data(analysis, {"": cell})),
    ),
)

# Figures of what trials track on demand; a recipe that does not ask for it misses nothing.
_TRACKED = {
    "gradient_norm": _Plan(
        "gradient-norm",
        "norm of the gradient",
        "Mean (line) and range (shaded) of the gradient's L2 norm before clipping over all trials, by step.",
        lambda analysis, cell: losses.draw_losses(losses.gradients_data(analysis, {"": cell})),
    ),
    "distance": _Plan(
        "distance",
        "distance from the starting values",
        "L2 distance of each Transformer block from its starting values, in the mean over all trials, by step; the darker the "
        "line, the lower the block in the encoder (after Zhang et al. 2021, figure 7).",
        lambda analysis, cell: optimizer.draw_distances(
            optimizer.tracked_distances_data(analysis, {cell.task.name: cell}), panels="recipe"
        ),
    ),
}

CELL_FIGURES: Mapping[str, str] = {plan.kind: plan.title for plan in (*_PLANS, *_TRACKED.values())}
"""Kind -> title of every figure of one task and recipe."""


def cell_figures(analysis: Analysis, cell: Cell, kinds: Collection[str] | None = None) -> Iterator[Figure | Missing]:
    """Return every figure of one task and recipe, or why there is none.

    Args:
        analysis: The analysis.
        cell: One of its cells.
        kinds: Only these; all by default.
    """
    prefix = _prefix(analysis, cell)
    for plan in (*_PLANS, *(plan for name, plan in _TRACKED.items() if tracks(cell, name))):
        if kinds is not None and plan.kind not in kinds:
            continue
        yield figure_or_reason(
            f"{prefix}-{plan.kind}", plan.kind, plan.title, plan.caption, partial(plan.draw, analysis, cell)
        )


def figure_or_reason(name: str, kind: str, title: str, caption: str, draw: Callable[[], Any]) -> Figure | Missing:
    """Return a figure, or why it cannot be drawn.

    Args:
        name: What its file is called, without ending.
        kind: Which figure it is.
        title: What it shows, in a few words.
        caption: Its caption.
        draw: Returns the chart, or refuses with a `UnknownError`.
    """
    try:
        with debug_mode(arg=False):  # half of the time is Altair's own checking, which the tests leave on
            return Figure(name, kind, caption, draw())
    except UnknownError as error:
        return Missing(name, kind, title, str(error))


def tracks(cell: Cell, name: str) -> bool:
    """Whether a cell's recipe asks for something to be tracked."""
    return isinstance(cell.recipe, Recipe) and name in cell.recipe.track


def file_name(text: str) -> str:
    """Return a text as part of a file's name."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:60] or "study"


def _prefix(analysis: Analysis, cell: Cell) -> str:
    """Return what the file names of a cell's figures begin with; no two cells share it."""
    names = [file_name(analysis.label(other)) for other in analysis.cells]
    place = analysis.cells.index(cell)
    return names[place] if names.count(names[place]) == 1 else f"{names[place]}-{place + 1}"
