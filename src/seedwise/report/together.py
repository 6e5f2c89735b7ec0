"""Which figures do several recipes together allow?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.charts import expected, losses, optimizer, recipes, setting
from seedwise.errors import UnknownError
from seedwise.report.figures import Figure, Missing, figure_or_reason, file_name, tracks
from seedwise.values.recipe import Recipe

__all__ = ["STUDY_FIGURES", "study_figures", "task_prefix"]


class _Plan(NamedTuple):
    """A figure of several recipes on one task."""

    kind: str
    title: str
    caption: str  # {} is the task's name
    draw: Callable[[Analysis, Mapping[str, Cell]], Any]
    tracked: str = ""  # drawn for recipes that track this


_PLANS = (
    _Plan(
        "recipes",
        "final scores by recipe",
        "Final validation scores on {} by recipe, and how many trials failed (Zhang et al. 2021, figures 2 and 5).",
        lambda analysis, cells: recipes.draw_recipes(recipes.recipes_data(analysis, cells)),
    ),
    _Plan(
        "recipes-expected-best",
        "expected validation performance by recipe",
        "Expected validation score on {} of the best of n trials, by recipe (Zhang et al. 2021, figure 12).",
        lambda analysis, cells: expected.draw_expected(expected.expected_recipes_data(analysis, cells)),
    ),
    _Plan(
        "recipes-expected-test",
        "expected test performance by recipe",
        "Expected test score on {} of the trial that validation chooses from n, by recipe (Zhang et al. 2021, figure 4).",
        lambda analysis, cells: expected.draw_expected(expected.expected_test_data(analysis, cells)),
    ),
    _Plan(
        "recipes-training-loss",
        "training loss by recipe",
        "Mean and range of the training loss on {} by recipe (Zhang et al. 2021, figures 3, 6 and 11).",
        lambda analysis, cells: losses.draw_losses(losses.losses_data(analysis, cells)),
    ),
    _Plan(
        "recipes-gradient-norm",
        "norm of the gradient by recipe",
        "Mean and range of the gradient's L2 norm before clipping on {} by recipe.",
        lambda analysis, cells: losses.draw_losses(losses.gradients_data(analysis, cells)),
        tracked="gradient_norm",
    ),
    _Plan(
        "recipes-distance",
        "distance from the starting values by recipe",
        "Mean L2 distance of each Transformer block from its start on {} by recipe (Zhang et al. 2021, figures 7, 15-18).",
        lambda analysis, cells: optimizer.draw_distances(optimizer.tracked_distances_data(analysis, cells)),
        tracked="distance",
    ),
)
_LENGTH = _Plan(
    "length",
    "score by length of training",
    "Mean final score on {} by the length of training (Zhang et al. 2021, figures 8 and 14).",
    lambda _, cells: _draw_length(list(cells.values())),
)

STUDY_FIGURES: Mapping[str, str] = {
    **{plan.kind: plan.title for plan in (*_PLANS, _LENGTH)},
    "bias-ratio": "bias of Adam's update",
}
"""Kind -> title of every figure of several recipes."""


def study_figures(analysis: Analysis) -> Iterator[Figure | Missing]:
    """Return the figures that several recipes together allow, and Adam's missing correction where a recipe leaves it out."""
    for task in dict.fromkeys(cell.task.id for cell in analysis.cells):
        cells = {analysis.recipe_name(cell): cell for cell in analysis.cells if cell.task.id == task}
        if len(cells) > 1:
            yield from _of_recipes(analysis, cells)
    yield from _bias(analysis)


def task_prefix(analysis: Analysis, cell: Cell) -> str:
    """Return what the file names of a task's figures begin with; no two tasks share it."""
    names = [file_name(task.name) for task in {c.task.id: c.task for c in analysis.cells}.values()]
    name = file_name(cell.task.name)
    return name if names.count(name) == 1 else f"{name}-{cell.task.id[:4]}"


def _of_recipes(analysis: Analysis, cells: Mapping[str, Cell]) -> Iterator[Figure | Missing]:
    first = next(iter(cells.values()))
    prefix = task_prefix(analysis, first)
    several_lengths = len({_steps(cell) for cell in cells.values()} - {None}) > 1
    searched = analysis.design is not None and any("num_train_steps" in a.search for a in analysis.design.design.arms)
    for plan in (*_PLANS, *([_LENGTH] if several_lengths and not searched else [])):
        own = {name: cell for name, cell in cells.items() if not plan.tracked or tracks(cell, plan.tracked)}
        if own and (analysis.split != "validation" or plan.kind != "recipes-expected-test"):
            caption = plan.caption.format(first.task.name)
            name = f"{prefix}-{plan.kind}"
            yield figure_or_reason(name, plan.kind, plan.title, caption, partial(plan.draw, analysis, own))


def _bias(analysis: Analysis) -> Iterator[Figure | Missing]:
    marks = {
        cell.task.name: int(cell.facts.steps)
        for cell in analysis.cells
        if isinstance(cell.recipe, Recipe) and not cell.recipe.bias_correction and cell.facts.steps
    }
    tracking = {analysis.label(cell): cell for cell in analysis.cells if tracks(cell, "bias_ratio")}
    measured = {}
    for name, cell in tracking.items():
        with suppress(UnknownError):  # it has not been trained yet
            measured[name] = analysis.bias_ratio(cell)[:2]
    if marks or measured:
        caption = "How much larger Adam's update is without bias correction, by step (Zhang et al. 2021, figure 1)."
        yield figure_or_reason(
            "bias-ratio",
            "bias-ratio",
            STUDY_FIGURES["bias-ratio"],
            caption,
            lambda: optimizer.draw_bias(optimizer.bias_data(marks, measured=measured)),
        )


def _draw_length(cells: Sequence[Cell]) -> Any:
    return setting.draw_setting(setting.setting_data(setting.by_setting(cells, setting.STEPS), setting.STEPS))


def _steps(cell: Cell) -> int | None:
    """Return the length of training as the recipe gives it; other fields may change the steps of an epoch."""
    return cell.facts.steps if isinstance(cell.recipe, Recipe) else None
