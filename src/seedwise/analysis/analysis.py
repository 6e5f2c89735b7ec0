"""What can be said about a study: about each task and recipe, and about several of them together?"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from seedwise.analysis import best, one_trial, seeds, steps, stopping
from seedwise.analysis import items as row_items
from seedwise.analysis.answers import analysis_json
from seedwise.analysis.cell import Cell
from seedwise.analysis.early import StoppedEarly, early_cell, stopped_early
from seedwise.analysis.over_tasks import OverTasks, over_tasks
from seedwise.analysis.recipe_verdicts import RecipeVerdicts
from seedwise.analysis.summary import CellSummary, summaries_html, summarize, summary_words
from seedwise.stats.best.gap import SelectionGap
from seedwise.stats.best.selection import Fall, SelectedTest
from seedwise.stats.correlation import EvaluationCorrelation
from seedwise.stats.intervals import Interval
from seedwise.stats.seeds.anova import BestWorst
from seedwise.stats.seeds.components import VarianceComponents
from seedwise.stats.seeds.spread import SeedSpread
from seedwise.stats.stopping.gain import GainInterval
from seedwise.values.stopping import StoppingRule

__all__ = ["Analysis"]

Options = ParamSpec("Options")
Result = TypeVar("Result")


class Analysis(RecipeVerdicts):
    """Everything that can be said about a study's trials.

    Each quantity is a method that takes a cell, the trials of one task and recipe; it may be left out when the study has only
    one. Where the trials do not tell the quantity, the method raises `UnknownError`, whose message says what is needed, what
    there is, and what to do. What was computed once is kept: an analysis sees the study as it was when the analysis was made.

    Args:
        study: A study, open or not.

    Example:
        ```python
        with sw.Study.open("study") as study:
            analysis = sw.Analysis(study)
            print(analysis.expected_best(n=range(1, 26)))
            print(analysis.variance(analysis.cell("rte")))
        ```
    """

    def __repr__(self) -> str:
        words = (
            f"{self.label(cell)}: {summary_words(one)[1]}" for cell, one in zip(self.cells, self.summary(), strict=True)
        )
        return f"<Analysis of {'; '.join(words) or 'no trials'}>"

    def _repr_html_(self) -> str:
        return summaries_html([self.recipe_name(cell) for cell in self.cells], self.summary())

    @cached_property
    def tuning(self) -> "Analysis | None":
        """The analysis of the trials that the design's arms chose by; None where nothing was chosen."""
        study = self._study.tuning
        return None if study is None else Analysis(study)

    def summary(self) -> list[CellSummary]:
        """Return one summary for each task and recipe."""
        return [summarize(cell) for cell in self.cells]

    def expected_best(
        self,
        cell: Cell | None = None,
        n: Iterable[int] | None = None,
        *,
        schedule: str = "all",
        replacement: bool = True,
    ) -> best.BestOfN:
        """Return the expected validation score of the best of n trials, with its band (Dodge et al. 2020, section 3.1).

        Args:
            cell: The trials.
            n: Numbers of trials; 1 to all of them by default.
            schedule: Which evaluations count: all, epoch or last.
            replacement: Draw from the trials with replacement (the paper's), or without (unbiased for fresh trials).
        """
        counts = None if n is None else tuple(n)
        return self._of(best.expected_best, cell, counts, schedule=schedule, replacement=replacement)

    def expected_test(self, cell: Cell | None = None, *, bootstrap: bool = False) -> SelectedTest:
        """Return the expected test score of the trial that validation chooses from n (Zhang et al. 2021, figure 4).

        Args:
            cell: The trials.
            bootstrap: Draw 1,000 samples as the paper does, instead of computing exactly.
        """
        return self._of(best.expected_test, cell, bootstrap=bootstrap)

    def fall_of_test(self, cell: Cell | None = None) -> Fall:
        """Return after how many trials the expected test score falls again, and by how much."""
        return self._of(best.fall_of_test, cell)

    def gap(self, cell: Cell | None = None) -> SelectionGap:
        """Return by how much validation flatters the trial that it chooses, with intervals over trials, in two parts."""
        return self._of(best.gap, cell)

    def low_quantile(self, cell: Cell | None = None, q: float = 0.1) -> one_trial.LowQuantile:
        """Return the validation score that a single trial falls short of with chance q, with its interval.

        Args:
            cell: The trials.
            q: The chance, in (0, 1).
        """
        return self._of(one_trial.low_quantile, cell, q)

    def hurdle(self, cell: Cell | None = None) -> one_trial.Hurdle:
        """Return the share of failed trials and the mean validation score of the others, each with its interval."""
        return self._of(one_trial.hurdle, cell)

    def failed(self, cell: Cell | None = None) -> seeds.FailedTrials:
        """Return the share of trials that ended about where the best constant guess is (Dodge et al. 2020, section 4)."""
        return self._of(seeds.failed_trials, cell)

    def variance(self, cell: Cell | None = None) -> VarianceComponents:
        """Return which share of the variance of final scores each seed explains, by a random-effects model."""
        return self._of(seeds.components, cell)

    def spread(self, cell: Cell | None = None) -> SeedSpread:
        """Return the standard deviation by init seed, by order seed and in all (Dodge et al. 2020, table 3, figure 8)."""
        return self._of(seeds.spread, cell)

    def grid(self, cell: Cell | None = None) -> seeds.Grid:
        """Return the final scores by init and order seed (Dodge et al. 2020, figure 2; Zhang et al. 2021, figure 9)."""
        return self._of(seeds.grid, cell)

    def best_worst(self, cell: Cell | None = None, stream: str = "init") -> BestWorst:
        """Return the test of the best against the worst seed, also corrected for picking them (Dodge et al. 2020, table 4).

        Args:
            cell: The trials.
            stream: init or order.
        """
        return self._of(seeds.best_worst, cell, stream)

    def good_seeds(self, stream: str = "init") -> dict[str, seeds.GoodSeeds]:
        """Return the seeds ranked over tasks, for each recipe by its label (Dodge et al. 2020, section 4.3).

        Args:
            stream: init or order.

        Raises:
            UnknownError: No recipe was run on two tasks with the same seeds.
        """
        return self._once(("good_seeds", stream), lambda: seeds.good_seeds_by_row(self.rows, stream))

    def items(self, cell: Cell | None = None) -> row_items.Items:
        """Return on which rows the complete trials disagree, and whether they differ by more than rows that flip."""
        return self._of(row_items.items, cell)

    def ensemble(self, cell: Cell | None = None) -> row_items.Ensemble:
        """Return the score of the ensemble of the complete trials, beside the winner's and that of a single trial."""
        return self._of(row_items.ensemble, cell)

    def test_interval(self, cell: Cell | None = None) -> Interval:
        """Return the winner's test score with its interval over rows: what it would score on new rows like these."""
        return self._of(row_items.test_interval, cell)

    def correlation(
        self, cell: Cell | None = None, method: Literal["spearman", "pearson"] = "spearman"
    ) -> EvaluationCorrelation:
        """Return the correlation of the best score so far between all pairs of evaluations (Dodge et al. 2020, figure 5).

        Args:
            cell: The trials.
            method: spearman or pearson (figure 9).
        """
        return self._of(stopping.correlation, cell, method)

    def best_rules(self, cell: Cell | None = None, budgets: Iterable[int] = stopping.BUDGETS) -> stopping.BestRules:
        """Return the best stopping rule for each budget, exactly, from the stored curves (Dodge et al. 2020, section 5).

        No rule starts more trials than were run, nor more than the paper's 200.

        Args:
            cell: The trials.
            budgets: In full trainings; those beyond the number of trials are left out.
        """
        return self._of(stopping.plan, cell, tuple(budgets))

    def best_rule(self, cell: Cell | None = None, *, budget: int) -> StoppingRule:
        """Return the best stopping rule for one budget in full trainings; see `best_rules`."""
        rules = self.best_rules(cell, (budget,)).rules
        return StoppingRule(t=int(rules.t[0]), f=float(rules.f[0]), p=int(rules.p[0]))

    def stopping_gain(self, cell: Cell | None = None, budgets: Iterable[int] = stopping.BUDGETS) -> GainInterval:
        """Return what stopping gains over full trainings where other trials choose the rule than judge it.

        Args:
            cell: The trials.
            budgets: In full trainings; those beyond half the number of trials are left out.
        """
        return self._of(stopping.gains, cell, tuple(budgets))

    def alternatives(self, cell: Cell | None = None, *, budget: int) -> stopping.Alternatives:
        """Return what successive halving, and rules that drop whole seeds, make of a budget in full trainings."""
        return self._of(stopping.alternatives, cell, budget)

    def early(self, cell: Cell | None = None) -> Cell:
        """Return the trials of a study that was stopped early as they were when they were judged: one more cell to ask about."""
        return self._of(early_cell, cell)

    def stopped_early(self, cell: Cell | None = None) -> StoppedEarly:
        """Return what stopping early cost, and what the trials that were kept score in the end."""
        return self._of(stopped_early, cell)

    def training_loss(self, cell: Cell | None = None) -> steps.StepCurve:
        """Return mean and range of the training loss over trials, by step (Zhang et al. 2021, figures 3, 6 and 11)."""
        return self._of(steps.loss_curve, cell)

    def gradient_norm(self, cell: Cell | None = None) -> steps.StepCurve:
        """Return mean and range over trials of the gradient's L2 norm before clipping, by step."""
        return self._of(steps.gradient_norm, cell)

    def distance(self, cell: Cell | None = None) -> steps.BlockDistances:
        """Return the mean distance of each block from its start, by step (Zhang et al. 2021, figures 7 and 15 to 18)."""
        return self._of(steps.block_distances, cell)

    def bias_ratio(self, cell: Cell | None = None) -> steps.BiasRatio:
        """Return how much larger Adam's update was than the corrected one, by step (Zhang et al. 2021, figure 1)."""
        return self._of(steps.bias_ratio, cell)

    def over_tasks(self) -> OverTasks:
        """Return what each recipe scores over the tasks that all were run on, and whether tasks rank them alike."""
        return self._once(("over_tasks",), lambda: over_tasks(self.rows, split=self.split))

    def to_json(self) -> dict[str, Any]:
        """Return every statistic that the study's design allows, and the reason for each that it does not."""
        return analysis_json(self)

    def _of(
        self,
        compute: Callable[Concatenate[Cell, Options], Result],
        cell: Cell | None,
        *args: Options.args,
        **options: Options.kwargs,
    ) -> Result:
        """Return what is computed of a cell, once."""
        own = self.cell() if cell is None else cell
        # A recipe has other trials in the tuning than in the report.
        key = (compute, own.records[0].id, own.until, args, tuple(options.items()))
        return self._once(key, lambda: compute(own, *args, **options))
