"""Which figures show several recipes, or the candidates of a search?"""

from typing import Any

from seedwise.analysis.analysis import Analysis
from seedwise.charts import boxes, by_step, expected, profiles, setting, weights
from seedwise.report.catalogue.entry import CatalogueEntry, Scope, Subject

__all__ = ["RECIPE_ENTRIES"]


def _draw_candidates(analysis: Analysis, of: Subject) -> Any:
    data = boxes.recipes_data(analysis, of.cells)
    return boxes.draw_recipes(data._replace(title=f"{of.words['task']}: what {of.words['arm']} chose among"))


def _draw_distances(analysis: Analysis, of: Subject) -> Any:
    return weights.draw_distances(weights.tracked_distances_data(analysis, of.cells))


def _draw_lengths(_: Analysis, of: Subject) -> Any:
    lines = of.lines or setting.by_setting(list(of.cells.values()), setting.STEPS)
    return setting.draw_setting(setting.setting_data(lines, setting.STEPS))


RECIPE_ENTRIES = (
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
        Scope.TASKS,
        "profiles",
        "performance profiles over tasks",
        "Share of trials above each score, the mean over tasks, on a scale from the constant guess (0) to a perfect score (1), with "
        "a band for all scores at once that draws shared seeds together (Agarwal et al. 2021).",
        lambda analysis, _: profiles.draw_profiles(profiles.profiles_data(analysis)),
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
