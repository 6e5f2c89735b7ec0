"""What do a recipe's trials on several tasks say together, and do the tasks rank the recipes alike?"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.analysis.compared import common_split
from seedwise.analysis.seeds import STREAMS
from seedwise.errors import UnknownError
from seedwise.stats.intervals import Interval
from seedwise.stats.tasks.friedman import RecipeRanks, recipe_ranks
from seedwise.stats.tasks.interquartile import interquartile_mean
from seedwise.stats.tasks.profile import PerformanceProfile, performance_profile

__all__ = ["OverTasks", "RecipeOverTasks", "over_tasks"]

Floats = NDArray[np.float64]
Rows = Mapping[str, Mapping[str, Cell]]
_PLACES = 101
"""Scores at which a profile is counted."""


class RecipeOverTasks(NamedTuple):
    """One recipe on all of the tasks; scores are 0 for the constant guess and 1 for a perfect score."""

    recipe: str  # the recipe's or the arm's label
    n: int  # trials on all tasks
    mean: float  # mean score, each task with the same weight
    interquartile_mean: Interval  # of the middle half of all trials, with an interval that draws shared seeds together
    profile: PerformanceProfile  # share of trials above each score


class OverTasks(NamedTuple):
    """Recipes on several tasks together."""

    tasks: tuple[str, ...]  # names of the tasks that all of the recipes were run on
    splits: tuple[str, ...]  # whether scores are of the test or the validation rows, (tasks,)
    recipes: tuple[RecipeOverTasks, ...]
    left_out: tuple[str, ...]  # recipes that were not run on all of the tasks, and tasks whose scores have no scale
    ranks: RecipeRanks | None  # how the tasks rank the recipes, and how likely that is by chance; None of one recipe


def over_tasks(rows: Rows, *, split: str | None = None) -> OverTasks:
    """Return what recipes score over the tasks that all of them were run on.

    A score is (score - guess) / (perfect - guess), with the constant guess's score on the validation rows.

    Raises:
        UnknownError: There are not two tasks whose scores have such a scale.
    """
    scaled = {name: {task: cell for task, cell in cells.items() if _has_scale(cell)} for name, cells in rows.items()}
    several = {name: cells for name, cells in scaled.items() if len(cells) > 1}
    tasks = [task for task in _task_names(rows) if several and all(task in cells for cells in several.values())]
    if len(tasks) < 2:
        raise UnknownError(
            "scores over tasks need at least 2 tasks on which every recipe was run to its end, with a constant guess and a "
            f"perfect score that are known, not {len(tasks)}; run the recipes on another task."
        )
    splits = {task: split or common_split([cells[task] for cells in several.values()]) for task in tasks}
    scores = {name: [_scores(cells[task], splits[task]) for task in tasks] for name, cells in several.items()}
    every = np.concatenate([own for mine in scores.values() for own in mine])
    places = np.linspace(every.min(), every.max(), _PLACES)
    recipes = tuple(
        _recipe(name, scores[name], [_seeds(cells[task], splits[task]) for task in tasks], places)
        for name, cells in several.items()
    )
    means = np.array([[own.mean() for own in mine] for mine in scores.values()]).T  # (tasks, recipes)
    names = _task_names(rows)
    left_out = [name for name in rows if name not in several] + [names[task] for task in names if task not in tasks]
    return OverTasks(
        tuple(names[task] for task in tasks),
        tuple(splits.values()),
        recipes,
        tuple(left_out),
        recipe_ranks(means) if len(recipes) > 1 else None,
    )


def _recipe(name: str, scores: list[Floats], seeds: list[dict[str, NDArray[np.int64]]], at: Floats) -> RecipeOverTasks:
    return RecipeOverTasks(
        name,
        sum(map(len, scores)),
        float(np.mean([own.mean() for own in scores])),
        interquartile_mean(scores, seeds=seeds),
        performance_profile(scores, at, seeds=seeds),
    )


def _has_scale(cell: Cell) -> bool:
    try:
        cell.final()
    except UnknownError:
        return False
    return cell.baseline is not None and cell.perfect is not None and cell.baseline != cell.perfect


def _scores(cell: Cell, split: str) -> Floats:
    if cell.baseline is None or cell.perfect is None:
        raise UnknownError(f"the scores of {cell.task.name} have no scale.")
    scaled: Floats = (cell.scores(split) - cell.baseline) / (cell.perfect - cell.baseline)
    return scaled


def _seeds(cell: Cell, split: str) -> dict[str, NDArray[np.int64]]:
    return {stream: cell.seeds(stream)[cell.scored(split)] for stream in STREAMS}


def _task_names(rows: Rows) -> dict[str, str]:
    """Return the tasks' names by their ids, in the order of their first cells."""
    return {task: cell.task.name for cells in rows.values() for task, cell in cells.items()}
