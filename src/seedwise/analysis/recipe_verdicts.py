"""What do a study's recipes score, and which is better?"""

from collections.abc import Sequence
from typing import Any

from seedwise.analysis.cell import Cell
from seedwise.analysis.headline import Headline, headline
from seedwise.analysis.pairs import task_split, verdicts_of_pairs, why_not_compared
from seedwise.analysis.recipes import RecipeComparison, RecipeScore, beside, scores_by_recipe
from seedwise.analysis.study_cells import StudyCells
from seedwise.analysis.verdicts import Verdict, answered, corrected, judge
from seedwise.errors import UnknownError

__all__ = ["RecipeVerdicts"]


class RecipeVerdicts(StudyCells):
    """The recipes of a study held against each other.

    Args:
        study: A study, open or not.
    """

    def recipe_scores(self, cells: Sequence[Cell] | None = None) -> list[RecipeScore]:
        """Return mean and standard deviation of every recipe on every task (Zhang et al. 2021, tables 1 and 2).

        Args:
            cells: Only these of the study's cells.
        """
        chosen = self.cells if cells is None else tuple(cells)
        key = ("recipe_scores", *(cell.records[0].id for cell in chosen))
        return self._once(key, lambda: scores_by_recipe(chosen, self.recipe_name, split=self.split))

    def verdicts(self, *, split: str | None = None, sequential: bool = False) -> tuple[Verdict, ...]:
        """Return the verdict on every pair of recipes on every task, corrected together for their number (Holm).

        Args:
            split: test or validation; by default test, where all of a task's trials have test scores.
            sequential: By a test that holds however often one looks, for the pairs whose seeds allow it.
        """
        rows, cells = split or self.split, self.cells
        return self._once(
            ("verdicts", rows, sequential),
            lambda: verdicts_of_pairs(cells, self.recipe_name, split=rows, sequential=sequential),
        )

    def headline(self, task: str) -> Headline:
        """Return which recipe has the best mean on a task, and which others are worse after correction.

        Args:
            task: The task's name.

        Raises:
            UnknownError: No two of the task's recipes can be compared.
        """
        mine = [verdict for verdict in self.verdicts() if verdict.task == task]
        named = {name for verdict in mine for name in (verdict.a, verdict.b)}
        of_task = {self.recipe_name(cell): cell for cell in self.cells if cell.task.name == task}
        why = {
            name: why_not_compared(cell, self.split or task_split(self.cells, cell.task.id))
            for name, cell in of_task.items()
            if name not in named
        }
        if not mine:
            raise UnknownError(next(filter(None, why.values()), f"{task} has no two recipes; compare what there is."))
        cells = [cell for name, cell in of_task.items() if name in named]

        def told() -> Headline:
            return headline(scores_by_recipe(cells, self.recipe_name, split=mine[0].split), mine, why)

        return self._once(("headline", task), told)

    def verdict(
        self,
        a: str | Cell,
        b: str | Cell,
        *,
        task: str | None = None,
        split: str | None = None,
        labels: tuple[str, str] | None = None,
        margin: float | None = None,
        sequential: bool = False,
    ) -> Verdict:
        """Return whether recipe A is better than recipe B on one task; of two of the study's recipes as in `verdicts`.

        Args:
            a: Recipe A: its label or id, or its cell.
            b: Recipe B; a cell may be another study's.
            task: The task's name; may be left out when the study has one.
            split: test or validation; by default test, where all of the task's trials have test scores.
            labels: What to call the two.
            margin: Means that differ by less than this count as equal, above 0, in the unit of the scores.
            sequential: By a test that holds however often one looks and adds seeds; A and B must have the same seeds.
        """
        one, other = (self.cell(task, given) if isinstance(given, str) else given for given in (a, b))
        names = [given if isinstance(given, str) else given.recipe.model_name for given in (a, b)]
        named, mine = labels or (names[0], names[1]), {id(cell) for cell in self.cells}
        own = {id(one), id(other)} <= mine and one is not other
        rows = split or self.split or (task_split(self.cells, one.task.id) if own else None)
        key = ("verdict", one.records[0].id, other.records[0].id, named, rows, margin, sequential)
        found = self._once(
            key, lambda: corrected([judge(one, other, named, split=rows, margin=margin, sequential=sequential)])[0]
        )
        pair = {self.recipe_name(one), self.recipe_name(other)} if own else set()
        for verdict in self.verdicts(split=split, sequential=sequential) if own else ():
            if verdict.task == found.task and {verdict.a, verdict.b} == pair:
                return answered(found, verdict.p_corrected, verdict.comparisons)
        return found

    def compare(self, a: str | Cell, b: str | Cell, **options: Any) -> RecipeComparison:
        """Return the verdict on recipe A against recipe B, and in what else they differ; arguments as of `verdict`."""
        verdict, task = self.verdict(a, b, **options), options.get("task")
        one, other = (self.cell(task, given) if isinstance(given, str) else given for given in (a, b))
        return self._once(
            ("beside", one.records[0].id, other.records[0].id, verdict), lambda: beside(one, other, verdict)
        )
