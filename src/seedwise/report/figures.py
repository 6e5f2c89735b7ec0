"""Which figures does a study's design allow, and what do their captions say?"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from altair.utils.schemapi import debug_mode

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.findings import Refusal
from seedwise.charts import correlation, curves, density, expected, grid, losses, optimizer, planning, recipes, setting
from seedwise.errors import RequestError
from seedwise.recipe import Recipe

__all__ = ["Figure", "Missing", "cell_figures", "study_figures"]


class Figure(NamedTuple):
    """One figure of the report.

    Args:
        name: What its file is called, without ending.
        caption: What it shows, how that was computed, and whose method it is.
        chart: The Altair chart.
    """

    name: str
    caption: str
    chart: Any


class Missing(NamedTuple):
    """A figure that the study's design does not allow.

    Args:
        name: What its file would have been called.
        title: What it would have shown.
        reason: Why it cannot be drawn.
    """

    name: str
    title: str
    reason: str


class _Plan(NamedTuple):
    """A figure of one cell that is to be drawn."""

    name: str
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


def cell_figures(analysis: Analysis, cell: Cell) -> Iterator[Figure | Missing]:
    """Return every figure of one task and recipe, or why there is none.

    Args:
        analysis: The analysis.
        cell: One of its cells.
    """
    prefix = _prefix(analysis, cell)
    for plan in (*_PLANS, *(plan for name, plan in _TRACKED.items() if _tracks(cell, name))):
        name = f"{prefix}-{plan.name}"
        try:
            with debug_mode(arg=False):  # half of the time is Altair's own checking, which the tests leave on
                chart = plan.draw(analysis, cell)
            yield Figure(name, plan.caption, chart)
        except RequestError as error:
            yield Missing(name, plan.title, str(error))


def study_figures(analysis: Analysis) -> Iterator[Figure]:
    """Return the figures that several recipes together allow, and Adam's missing correction where a recipe leaves it out."""
    for task in dict.fromkeys(cell.task.id for cell in analysis.cells):
        cells = {analysis.recipe_name(cell): cell for cell in analysis.cells if cell.task.id == task}
        if len(cells) > 1:
            yield from _of_recipes(analysis, cells)
    yield from _bias(analysis)


def _bias(analysis: Analysis) -> Iterator[Figure]:
    marks = {
        cell.task.name: int(cell.facts["steps"])
        for cell in analysis.cells
        if isinstance(cell.recipe, Recipe) and not cell.recipe.bias_correction and cell.facts.get("steps")
    }
    found = {analysis.label(cell): analysis.find("bias_ratio", cell) for cell in analysis.cells}
    measured = {name: (ratio.step, ratio.ratio) for name, ratio in found.items() if not isinstance(ratio, Refusal)}
    if marks or measured:
        caption = "How much larger Adam's update is without bias correction, by step (Zhang et al. 2021, figure 1)."
        yield Figure("bias-ratio", caption, optimizer.draw_bias(optimizer.bias_data(marks, measured=measured)))


def _of_recipes(analysis: Analysis, cells: Mapping[str, Cell]) -> Iterator[Figure]:
    first = next(iter(cells.values()))
    task, names = first.task.name, [cell.task.name for cell in {c.task.id: c for c in analysis.cells}.values()]
    prefix = (
        _file_name(task)
        if [_file_name(n) for n in names].count(_file_name(task)) == 1
        else f"{_file_name(task)}-{first.task.id[:4]}"
    )
    drawn: tuple[tuple[str, str, Callable[[], Any]], ...] = (
        (
            "recipes",
            f"Final validation scores on {task} by recipe, and how many trials failed (Zhang et al. 2021, figures 2 and 5).",
            lambda: recipes.draw_recipes(recipes.recipes_data(analysis, cells)),
        ),
        (
            "recipes-expected-test",
            f"Expected test score on {task} of the trial that validation chooses from n, by recipe (Zhang et al. 2021, figure 4).",
            lambda: expected.draw_expected(expected.expected_test_data(analysis, cells)),
        ),
        (
            "recipes-training-loss",
            f"Mean and range of the training loss on {task} by recipe (Zhang et al. 2021, figures 3 and 6).",
            lambda: losses.draw_losses(losses.losses_data(analysis, cells)),
        ),
        (
            "recipes-gradient-norm",
            f"Mean and range of the gradient's L2 norm before clipping on {task} by recipe.",
            lambda: losses.draw_losses(losses.gradients_data(analysis, _tracking(cells, "gradient_norm"))),
        ),
        (
            "recipes-distance",
            f"Mean L2 distance of each Transformer block from its start on {task} by recipe (Zhang et al. 2021, figures 7, 15-18).",
            lambda: optimizer.draw_distances(optimizer.tracked_distances_data(analysis, _tracking(cells, "distance"))),
        ),
    )
    if len({_steps(cell) for cell in cells.values()} - {None}) > 1:
        caption = f"Mean final score on {task} by the length of training (Zhang et al. 2021, figures 8 and 14)."
        drawn += (("length", caption, lambda: _draw_length(list(cells.values()))),)
    for name, caption, draw in drawn:
        try:
            yield Figure(f"{prefix}-{name}", caption, draw())
        except RequestError:  # each cell's own figures say why
            continue


def _tracking(cells: Mapping[str, Cell], name: str) -> dict[str, Cell]:
    return {label: cell for label, cell in cells.items() if _tracks(cell, name)}


def _tracks(cell: Cell, name: str) -> bool:
    return isinstance(cell.recipe, Recipe) and name in cell.recipe.track


def _draw_length(cells: Sequence[Cell]) -> Any:
    return setting.draw_setting(setting.setting_data(setting.by_setting(cells, setting.STEPS), setting.STEPS))


def _steps(cell: Cell) -> int | None:
    """Return the length of training as the recipe gives it; other fields may change the steps of an epoch."""
    steps: int | None = cell.facts.get("steps")
    return steps if isinstance(cell.recipe, Recipe) else None


def _prefix(analysis: Analysis, cell: Cell) -> str:
    """Return what the file names of a cell's figures begin with; no two cells share it."""
    names = [_file_name(analysis.label(other)) for other in analysis.cells]
    place = analysis.cells.index(cell)
    return names[place] if names.count(names[place]) == 1 else f"{names[place]}-{place + 1}"


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:60] or "study"
