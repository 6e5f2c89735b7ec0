"""Which figures are there, what does each show, and what is its caption?"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.charts import boxes, budgets, by_step, correlation, curves, density, expected, grid, setting, weights

__all__ = ["CATALOGUE", "FIGURES", "CatalogueEntry", "Scope", "Subject"]


class Scope(Enum):
    """What a figure shows."""

    CELL = "one task and recipe"
    RECIPES = "the recipes of one task"
    LENGTHS = "the recipes of one task, which train for different lengths"
    ADAM = "a study with a recipe that leaves Adam's bias correction out, or tracks its ratio"
    DEPTHS = "the candidates of an arm that searches the number of re-initialised layers"
    CANDIDATES = "the candidates of an arm that searches something else"
    OWN_LENGTHS = "the arms that search their length of training"


class Subject(NamedTuple):
    """The data that one figure shows."""

    prefix: str  # the start of its file name
    cells: Mapping[str, Cell]  # the cells by the name of their series; those of `Scope.OWN_LENGTHS` are in lines
    words: Mapping[str, str] = MappingProxyType({})  # what stands in the caption's braces
    ending: str = ""  # what its file name ends with, after the kind
    lines: Mapping[str, Sequence[Cell]] = MappingProxyType({})  # the cells of each line, by its name

    @property
    def cell(self) -> Cell:
        """The one cell, or the first."""
        return next(iter(self.cells.values()))


class CatalogueEntry(NamedTuple):
    """One kind of figure."""

    scope: Scope
    kind: str  # its name in designs and file names
    title: str
    caption: str
    draw: Callable[[Analysis, Subject], Any]  # raises `UnknownError` if the trials do not allow it
    tracked: str = ""  # only for recipes that track this


def _draw_candidates(analysis: Analysis, of: Subject) -> Any:
    data = boxes.recipes_data(analysis, of.cells)
    return boxes.draw_recipes(data._replace(title=f"{of.words['task']}: what {of.words['arm']} chose among"))


def _draw_distances(analysis: Analysis, of: Subject) -> Any:
    return weights.draw_distances(weights.tracked_distances_data(analysis, of.cells))


def _draw_lengths(_: Analysis, of: Subject) -> Any:
    lines = of.lines or setting.by_setting(list(of.cells.values()), setting.STEPS)
    return setting.draw_setting(setting.setting_data(lines, setting.STEPS))


CATALOGUE = (
    CatalogueEntry(
        Scope.CELL,
        "curves",
        "validation curves",
        "Validation score at every evaluation, of at most 20 trials drawn at random and the winner; dashed grey trials were "
        "stopped early (Dodge et al. 2020, figure 4).",
        lambda analysis, of: curves.draw_curves(curves.curves_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "expected-best",
        "expected validation performance",
        "Expected score of the best of n trials, drawn with replacement from those that ran, for each number of "
        "evaluations that counts (Dodge et al. 2020, figure 1).",
        lambda analysis, of: expected.draw_expected(expected.expected_best_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "expected-best-band",
        "confidence band of the expected best",
        "Expected score of the best of n trials with the band that holds it for all n at once, from simultaneous bounds on "
        "the distribution of independent trials' scores (Lourie et al. 2024).",
        lambda analysis, of: expected.draw_expected(expected.expected_band_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "expected-test",
        "expected test performance",
        "Score on test rows of the trial that validation chooses from n, computed exactly, beside the validation score "
        "that chose it; as far as the gap grows with n, it is the choice's optimism (Zhang et al. 2021, figure 4).",
        lambda analysis, of: expected.draw_expected(expected.expected_test_data(analysis, of.cells)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "grid",
        "grid of init and order seeds",
        "Every trial by its init seed (rows, best mean at the top) and order seed (columns, best mean at the right; Dodge et "
        "al. 2020, figure 2).",
        lambda analysis, of: grid.draw_grid(grid.sorted_grid_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "grid-margins",
        "grid with summaries by seed",
        "The same grid in the order of the seeds, with mean, standard deviation, minimum and maximum by row and column "
        "(Zhang et al. 2021, figures 9 and 10).",
        lambda analysis, of: grid.draw_grid(grid.margin_grid_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "best-worst-seeds",
        "best and worst seeds",
        "Kernel density of the scores of the best and the worst seed of either kind; marks are single trials (Dodge et al. "
        "2020, figure 3).",
        lambda analysis, of: density.draw_density(density.seed_density_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "spread-by-seed",
        "spread by seed",
        "Kernel density of the standard deviations of all init seeds and of all order seeds (Dodge et al. 2020, figure 8).",
        lambda analysis, of: density.draw_density(density.spread_density_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "spearman",
        "rank correlation of early and late scores",
        "Spearman correlation over trials of the best score so far between all pairs of evaluations (Dodge et al. 2020, "
        "figure 5).",
        lambda analysis, of: correlation.draw_correlation(correlation.correlation_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "pearson",
        "correlation of early and late scores",
        "Pearson correlation over trials of the best score so far between all pairs of evaluations (Dodge et al. 2020, "
        "figure 9).",
        lambda analysis, of: correlation.draw_correlation(correlation.correlation_data(analysis, of.cell, "pearson")),
    ),
    CatalogueEntry(
        Scope.CELL,
        "best-rules",
        "best stopping rule by budget",
        "How many trials to start (t), when to judge them (f) and how many to keep (p), for each budget in full trainings: "
        "the best of all settings, computed exactly (Dodge et al. 2020, figure 6).",
        lambda analysis, of: budgets.draw_rules(budgets.rules_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "planned",
        "what a budget is expected to give",
        "Expected result of the best rule for each budget, beside as many full trainings; the same trials chose the rule "
        "(Dodge et al. 2020, section 5).",
        lambda analysis, of: budgets.draw_by_budget(budgets.planned_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "error-reduction",
        "what stopping early gains",
        "Relative error reduction of the best rule over spending the budget on full trainings (Dodge et al. 2020, figure 7).",
        lambda analysis, of: budgets.draw_by_budget(budgets.reduction_data(analysis, of.cell)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "training-loss",
        "training loss",
        "Mean (line) and range (shaded) of the training loss over all trials, by step (Zhang et al. 2021, figure 3).",
        lambda analysis, of: by_step.draw_losses(by_step.losses_data(analysis, of.cells)),
    ),
    CatalogueEntry(
        Scope.CELL,
        "gradient-norm",
        "norm of the gradient",
        "Mean (line) and range (shaded) of the gradient's L2 norm before clipping over all trials, by step.",
        lambda analysis, of: by_step.draw_losses(by_step.gradients_data(analysis, of.cells)),
        tracked="gradient_norm",
    ),
    CatalogueEntry(
        Scope.CELL,
        "distance",
        "distance from the starting values",
        "L2 distance of each Transformer block from its starting values, in the mean over all trials, by step; the darker the "
        "line, the lower the block in the encoder (after Zhang et al. 2021, figure 7).",
        lambda analysis, of: weights.draw_distances(
            weights.tracked_distances_data(analysis, of.cells), panels="recipe"
        ),
        tracked="distance",
    ),
    CatalogueEntry(
        Scope.RECIPES,
        "recipes",
        "final scores by recipe",
        "Final validation scores on {task} by recipe, and how many trials failed (Zhang et al. 2021, figures 2 and 5).",
        lambda analysis, of: boxes.draw_recipes(boxes.recipes_data(analysis, of.cells)),
    ),
    CatalogueEntry(
        Scope.RECIPES,
        "recipes-expected-best",
        "expected validation performance by recipe",
        "Expected validation score on {task} of the best of n trials, by recipe (Zhang et al. 2021, figure 12).",
        lambda analysis, of: expected.draw_expected(expected.expected_recipes_data(analysis, of.cells)),
    ),
    CatalogueEntry(
        Scope.RECIPES,
        "recipes-expected-test",
        "expected test performance by recipe",
        "Expected test score on {task} of the trial that validation chooses from n, by recipe (Zhang et al. 2021, figure 4).",
        lambda analysis, of: expected.draw_expected(expected.expected_test_data(analysis, of.cells)),
    ),
    CatalogueEntry(
        Scope.RECIPES,
        "recipes-training-loss",
        "training loss by recipe",
        "Mean and range of the training loss on {task} by recipe (Zhang et al. 2021, figures 3, 6 and 11).",
        lambda analysis, of: by_step.draw_losses(by_step.losses_data(analysis, of.cells)),
    ),
    CatalogueEntry(
        Scope.RECIPES,
        "recipes-gradient-norm",
        "norm of the gradient by recipe",
        "Mean and range of the gradient's L2 norm before clipping on {task} by recipe.",
        lambda analysis, of: by_step.draw_losses(by_step.gradients_data(analysis, of.cells)),
        tracked="gradient_norm",
    ),
    CatalogueEntry(
        Scope.RECIPES,
        "recipes-distance",
        "distance from the starting values by recipe",
        "Mean L2 distance of each Transformer block from its start on {task} by recipe (Zhang et al. 2021, figures 7, 15-18).",
        _draw_distances,
        tracked="distance",
    ),
    CatalogueEntry(
        Scope.LENGTHS,
        "length",
        "score by length of training",
        "Mean final score on {task} by the length of training (Zhang et al. 2021, figures 8 and 14).",
        _draw_lengths,
    ),
    CatalogueEntry(
        Scope.ADAM,
        "bias-ratio",
        "bias of Adam's update",
        "How much larger Adam's update is without bias correction, by step (Zhang et al. 2021, figure 1).",
        lambda analysis, _: weights.draw_bias(weights.study_bias_data(analysis)),
    ),
    CatalogueEntry(
        Scope.DEPTHS,
        "reinit",
        "score by number of re-initialised layers",
        "Validation scores on {task} by the number L of top blocks drawn anew, on the tuning seeds{beside} "
        "(Zhang et al. 2021, figures 5 and 13).",
        _draw_candidates,
    ),
    CatalogueEntry(
        Scope.DEPTHS,
        "reinit-distance",
        "distance from the starting values by number of re-initialised layers",
        "Mean L2 distance of each Transformer block from its start on {task}, by the number L of top blocks drawn anew, on the "
        "tuning seeds{beside} (Zhang et al. 2021, figures 7 and 15-18).",
        _draw_distances,
        tracked="distance",
    ),
    CatalogueEntry(
        Scope.CANDIDATES,
        "candidates",
        "score by candidate",
        "Validation scores on {task} of every candidate of {arm}, on the tuning seeds{beside}.",
        _draw_candidates,
    ),
    CatalogueEntry(
        Scope.OWN_LENGTHS,
        "length",
        "score by length of training",
        "Mean and range of the validation scores on {task} by the length of training, on the tuning seeds; an arm's own length "
        "is that of the report, on the report's seeds (Zhang et al. 2021, figures 8 and 14).",
        _draw_lengths,
    ),
)
"""Every kind of figure, in the order of a report."""

FIGURES: Mapping[str, str] = {entry.kind: entry.title for entry in CATALOGUE}
"""Kind -> title of every figure."""
