"""Which trials does a study hold, by task and recipe, and what are they called?"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from seedwise.analysis.base import StudyLike
from seedwise.analysis.cell import Cell
from seedwise.analysis.cells import arm_rows, chosen_cell
from seedwise.errors import UnknownError
from seedwise.values.labels import cell_labels
from seedwise.values.record import by_cell

__all__ = ["StudyCells"]

Result = TypeVar("Result")


class StudyCells:
    """The trials of a study as it was when this was made, in cells: those of one task and recipe each.

    Args:
        study: A study, open or not.
    """

    def __init__(self, study: StudyLike) -> None:
        self._study = study
        self.rule = study.rule
        self.design = None if study.design is None else replace(study.design, chosen=study.chosen)
        self.trials = tuple(study.trials)
        self.differences = tuple(study.differences)
        self._kept: dict[Any, Any] = {}

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The trials of each task and recipe, in the order they were added."""
        study = self._study
        return tuple(
            Cell(
                records,
                study.facts(records[0].trial),
                study.losses,
                study.tracked,
                study.predictions,
                study.targets,
            )
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
        """What tables have a row for: each recipe, or each arm of the design; its cell by the task's id."""
        return arm_rows(self.cells, self.recipe_name, self.design)

    @property
    def split(self) -> str | None:
        """Which scores rank recipes: validation in a tuning stage; otherwise None, which means test if known."""
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
        return chosen_cell(self.cells, self.recipe_name, task, recipe)

    def _once(self, key: Any, compute: Callable[[], Result]) -> Result:
        """Return what is computed once and kept: the answer, or the reason why there is none."""
        if key not in self._kept:
            try:
                self._kept[key] = compute()
            except ValueError as error:  # all that statistics, which know none of our errors, refuse with
                self._kept[key] = UnknownError(str(error))
        found: Result | UnknownError = self._kept[key]
        if isinstance(found, UnknownError):
            raise UnknownError(str(found))
        return found
