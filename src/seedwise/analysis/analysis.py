"""Everything that can be said about a study: its cells, and what only several of them together can tell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis import best, recipes, seeds, stopping
from seedwise.analysis.cell import Cell
from seedwise.analysis.labels import cell_labels
from seedwise.analysis.statistics import STATISTICS, Refusal, find, plain
from seedwise.analysis.summary import CellSummary, summarize
from seedwise.errors import RequestError
from seedwise.stats.seeds.components import VarianceComponents
from seedwise.values.checks import check_choice, did_you_mean
from seedwise.values.choice import DesignRecord
from seedwise.values.facts import TaskFacts
from seedwise.values.imported import AnyTrial
from seedwise.values.recipe import Recipe
from seedwise.values.record import TrialRecord, by_cell
from seedwise.values.stopping import StoppingRule

__all__ = ["Analysis", "StudyLike"]


class StudyLike(Protocol):
    """What an analysis reads of a study."""

    @property
    def trials(self) -> Sequence[TrialRecord]:
        """Every trial, in trial order."""
        ...

    @property
    def rule(self) -> StoppingRule | None:
        """The stopping rule; None when every trial runs to the end."""
        ...

    @property
    def design(self) -> DesignRecord | None:
        """The design that its trials follow; None where they follow none."""
        ...

    @property
    def chosen(self) -> Mapping[tuple[str, str], Recipe]:
        """What the design's arms have chosen so far, by the arm's name and the task's id."""
        ...

    @property
    def tuning(self) -> "StudyLike | None":
        """The study of the design's choices, on seeds of its own; None where there is none."""
        ...

    def facts(self, trial: AnyTrial) -> TaskFacts:
        """What preparing the trial's task found."""
        ...

    def losses(self, trial_id: str) -> NDArray[np.float32]:
        """The trial's training loss at every step; empty where it is not known."""
        ...

    def tracked(self, trial_id: str) -> Mapping[str, NDArray[np.float32]]:
        """What the trial's recipe tracks at every step, by name, (steps, values a step); empty where it is nothing."""
        ...


class Analysis:
    """Everything that can be said about a study's trials.

    What is computed once is kept: an analysis sees the study as it was when the analysis was made.

    Args:
        study: A study, open or not.
    """

    def __init__(self, study: StudyLike) -> None:
        self._study = study
        self.rule = study.rule
        self.design = None if study.design is None else replace(study.design, chosen=study.chosen)
        self.trials = tuple(study.trials)
        self._found: dict[tuple[str, str], Any] = {}

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The trials of each task and recipe, in the order they were added."""
        return tuple(
            Cell(records, self._study.facts(records[0].trial), self._study.losses, self._study.tracked)
            for records in by_cell(self.trials)
        )

    @cached_property
    def labels(self) -> Mapping[tuple[str, str], str]:
        """What to call each recipe, by its task's and its own id: its model, and what tells it from the study's others."""
        return cell_labels([cell.records[0].trial for cell in self.cells], self.design)

    @cached_property
    def recipe_names(self) -> tuple[str, ...]:
        """What the study's recipes are called, each once, in the order of a table's rows."""
        return tuple(dict.fromkeys(self.labels.values()))

    @cached_property
    def rows(self) -> Mapping[str, Mapping[str, Cell]]:
        """What tables have a row for: each recipe, or each arm of the design; its cell by the task's id.

        Two arms that came to the same recipe on a task have the same cell there.
        """
        cells = {(cell.task.id, cell.recipe.id): cell for cell in self.cells}
        named: list[tuple[str, Cell]] = []
        if self.design is not None and self.design.stage == "report":
            chosen = [(arm, (task, recipe.id)) for (arm, task), recipe in self.design.chosen.items()]
            order = self.design.design.names.index
            named = [(arm, cells[key]) for arm, key in sorted(chosen, key=lambda own: order(own[0])) if key in cells]
        mine = {id(cell) for _, cell in named}
        named += [(self.recipe_name(cell), cell) for cell in self.cells if id(cell) not in mine]
        rows: dict[str, dict[str, Cell]] = {}
        for name, cell in named:
            rows.setdefault(name, {})[cell.task.id] = cell
        return rows

    @cached_property
    def tuning(self) -> "Analysis | None":
        """What the choices of the design's arms rest on; None where nothing was chosen."""
        study = self._study.tuning
        return None if study is None else Analysis(study)

    @property
    def split(self) -> str | None:
        """Whose scores tell recipes apart: None for test rows where there are some; validation in a tuning, where test has no say."""
        return "validation" if self.design is not None and self.design.stage == "tuning" else None

    def recipe_name(self, cell: Cell) -> str:
        """Return what to call a cell's recipe."""
        return self.labels[cell.task.id, cell.recipe.id]

    def label(self, cell: Cell) -> str:
        """Return what to call a cell: its task, and its recipe where there are several."""
        return cell.task.name if len(self.recipe_names) == 1 else f"{cell.task.name}, {self.recipe_name(cell)}"

    def cell(self, task: str | None = None, recipe: str | None = None) -> Cell:
        """Return the trials of one task and recipe.

        Args:
            task: The task's name; may be left out when the study has one.
            recipe: The recipe's label or id; may be left out when the task has one.

        Raises:
            RequestError: There is no such cell, or it is not clear which one is meant.
        """
        found = list(self.cells)
        if task is not None:
            check_choice("task", task, sorted({cell.task.name for cell in found}))
            found = [cell for cell in found if cell.task.name == task]
        if recipe is not None:
            names = list(dict.fromkeys(map(self.recipe_name, found)))
            if recipe not in (*names, *(cell.recipe.id for cell in found)):
                listed = ", ".join(map(repr, names))  # a name may hold commas
                raise RequestError(f"recipe must be one of {listed}, not {recipe!r}{did_you_mean(recipe, names)}.")
            found = [cell for cell in found if recipe in (self.recipe_name(cell), cell.recipe.id)]
        if len(found) != 1:
            what = "task" if task is None and len({cell.task.name for cell in found}) > 1 else "recipe"
            choices = dict.fromkeys(c.task.name if what == "task" else self.recipe_name(c) for c in found)
            raise RequestError(
                f"{what} must be one of {', '.join(map(repr, choices))}, because the study has {len(choices)}; name one."
                if found
                else "the study has no trials; run it first."
            )
        return found[0]

    def summary(self) -> list[CellSummary]:
        """Return one summary for each task and recipe."""
        return [summarize(cell) for cell in self.cells]

    def find(self, name: str, cell: Cell) -> Any:
        """Return a statistic of a cell by its name in `STATISTICS`, or the `Refusal` that says why there is none."""
        key = (name, cell.records[0].id)  # a recipe has other trials in the tuning than in the report
        if key not in self._found:
            self._found[key] = find(name, cell)
        return self._found[key]

    def expected_best(
        self,
        n: Iterable[int] | None = None,
        *,
        task: str | None = None,
        recipe: str | None = None,
        schedule: str = "all",
    ) -> best.BestOfN:
        """Return the expected score of the best of n trials; see `seedwise.analysis.best.expected_best`."""
        return best.expected_best(self.cell(task, recipe), n, schedule=schedule)

    def variance(self, *, task: str | None = None, recipe: str | None = None) -> VarianceComponents:
        """Return which share of the variance each seed explains; see `seedwise.analysis.seeds.components`."""
        return seeds.components(self.cell(task, recipe))

    def best_rule(self, budget: int, *, task: str | None = None, recipe: str | None = None) -> StoppingRule:
        """Return the best stopping rule for a budget in full trainings; see `seedwise.analysis.stopping.plan`."""
        return stopping.best_rule(self.cell(task, recipe), budget)

    def compare(self, a: str, b: str, *, task: str | None = None) -> recipes.RecipeComparison:
        """Compare two recipes on one task; see `seedwise.analysis.recipes.compare`."""
        return recipes.compare(self.cell(task, a), self.cell(task, b), (a, b))

    def recipe_scores(self) -> list[recipes.RecipeScore]:
        """Return mean and standard deviation of every recipe on every task."""
        return recipes.scores_by_recipe(self.cells, self.recipe_name, split=self.split)

    def good_seeds(self, stream: str = "init") -> dict[str, seeds.GoodSeeds]:
        """Rank the seeds over tasks, for each recipe by its label.

        Raises:
            RequestError: No recipe was run on two tasks with the same seeds.
        """
        found: dict[str, seeds.GoodSeeds] = {}
        reason = "globally good seeds need at least 2 tasks with the same seeds; add a task."
        for name, cells in self.rows.items():
            try:
                found[name] = seeds.good_seeds(list(cells.values()), stream)
            except RequestError as error:
                reason = str(error)
        if not found:
            raise RequestError(reason)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return every statistic that the study's design allows, and the reason for each that it does not."""
        return {
            "trials": len(self.trials),
            "rule": None if self.rule is None else self.rule.to_json(),
            "cells": [self._cell_json(cell) for cell in self.cells],
            "recipes": plain(_or_refusal(self.recipe_scores)),
            "good_init_seeds": plain(_or_refusal(self.good_seeds)),
            "good_order_seeds": plain(_or_refusal(lambda: self.good_seeds("order"))),
        }

    def _cell_json(self, cell: Cell) -> dict[str, Any]:
        states = {str(state): count for state, count in cell.states.items()}
        found = {name: plain(self.find(name, cell)) for name in STATISTICS}
        return {
            "task": cell.task.name,
            "metric": cell.task.metric,
            "recipe": self.recipe_name(cell),
            "recipe_id": cell.recipe.id,
            "states": states,
            "baseline": cell.baseline,
            **found,
        }


def _or_refusal(compute: Any) -> Any:
    try:
        return compute()
    except RequestError as error:
        return Refusal(str(error))
