"""What did the trials of one task and recipe do: their records as arrays on one grid of evaluations?"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.curves import Curves, curves_of
from seedwise.analysis.twins import Twins, find_twins
from seedwise.errors import UnknownError
from seedwise.stats.correlation import best_so_far
from seedwise.values.checks import check_choice
from seedwise.values.facts import TaskFacts
from seedwise.values.imported import AnyRecipe, AnyTask
from seedwise.values.recipe import Recipe
from seedwise.values.record import TrialRecord
from seedwise.values.rows import Predictions, Targets
from seedwise.values.trial import TrialState

__all__ = ["SCHEDULES", "Cell", "LeftOut"]

Floats = NDArray[np.float64]

SCHEDULES = ("all", "epoch", "last")
"""Which evaluations count: all of them, the one that ends each epoch, only the last (Dodge et al. 2020, figure 1)."""

# What a score can be at least and at most, by a part of the metric's name; a band on a mean needs to know.
_SUPPORTS = {
    (0.0, 1.0): ("acc", "f1", "precision", "recall", "auc", "exact_match"),
    (-1.0, 1.0): ("matthews", "mcc", "corr", "pearson", "spearman", "kendall", "kappa"),
}


class LeftOut(NamedTuple):
    """How many trials of a cell have no final score of a kind."""

    trials: int  # all trials of the cell
    unfinished: int  # those that wait, run or are paused
    failed: int  # those that failed without a score of that kind


@dataclass(frozen=True)
class Cell:
    """The trials of one task and recipe."""

    records: tuple[TrialRecord, ...]  # its trials, in trial order; at least one
    facts: TaskFacts  # what preparing the task found, or the imported files tell
    losses_of: Callable[[str], NDArray[np.float32]]  # returns a trial's training loss at every step
    # returns what a trial tracked at every step, by name, (steps, values a step); row i is step i + 1, nan where it
    # is not known. Nothing by default
    tracked_of: Callable[[str], Mapping[str, NDArray[np.float32]]] = lambda _: {}
    predictions_of: Callable[[str], Predictions | None] = lambda _: (
        None
    )  # returns a trial's outputs, where they are kept
    targets_of: Callable[[AnyTask], Targets | None] = lambda _: None  # returns the labels of a task's rows
    # the share of the run after which everything was cut off; None where nothing was
    until: float | None = None

    @property
    def task(self) -> AnyTask:
        """The task."""
        return self.records[0].trial.task

    @property
    def recipe(self) -> AnyRecipe:
        """The recipe."""
        return self.records[0].trial.recipe

    @property
    def greater_is_better(self) -> bool:
        """Whether a larger score is a better one."""
        return self.task.greater_is_better

    @property
    def baseline(self) -> float | None:
        """What the best constant guess scores, where it is known; of a correlation always 0."""
        value = self.facts.baselines.get(self.task.metric)
        if value is None and self.support == (-1.0, 1.0):
            return 0.0
        return None if value is None or not math.isfinite(value) else float(value)

    @cached_property
    def support(self) -> tuple[float, float] | None:
        """The lowest and highest score that the metric can give; None where that is not known, as of percentages."""
        name = self.task.metric.lower()
        for (low, high), parts in _SUPPORTS.items():
            if self.greater_is_better and any(part in name for part in parts):
                scores = [score for record in self.records for _, score in record.scores if math.isfinite(score)]
                scores += self.test[np.isfinite(self.test)].tolist()
                return (low, high) if all(low <= score <= high for score in scores) else None
        return None

    @property
    def perfect(self) -> float | None:
        """The best score there is: 1 for accuracy, F1 and correlations, 0 for a loss."""
        if not self.greater_is_better:
            return 0.0
        return None if self.support is None else self.support[1]

    def seeds(self, stream: str) -> NDArray[Any]:
        """Return each trial's seed of a stream, (trials,)."""
        return np.array([getattr(record.trial.seeds, stream) for record in self.records])

    @cached_property
    def states(self) -> Counter[TrialState]:
        """How many trials stand where."""
        return Counter(record.state for record in self.records)

    @cached_property
    def failed(self) -> NDArray[np.bool_]:
        """Which trials failed: crashed, diverged, or without any score, (trials,)."""
        return np.array([record.state is TrialState.FAILED for record in self.records])

    @cached_property
    def ended(self) -> NDArray[np.bool_]:
        """Which trials are at their end, completed or failed, (trials,)."""
        ends = (TrialState.COMPLETE, TrialState.FAILED)
        return np.array([record.state in ends for record in self.records])

    @cached_property
    def test(self) -> Floats:
        """Test score of each trial at its best evaluation, (trials,); nan where it is not known."""
        return np.array([_test_score(record) for record in self.records])

    @cached_property
    def seconds(self) -> Floats:
        """Device seconds of each trial, (trials,)."""
        return np.array([record.seconds for record in self.records])

    @cached_property
    def curves(self) -> Curves:
        """Every trial's validation scores on one grid."""
        return curves_of(self.records, self.facts)

    @cached_property
    def twins(self) -> Twins:
        """Which trials are one and the same run although their seeds differ; where they prevail, `full` refuses."""
        return find_twins(self.records, self.losses_of)

    @cached_property
    def last_scores(self) -> Floats:
        """Score of each trial's last evaluation with a score, (trials,), wherever its run ended; nan without any."""
        scores = self.curves.scores
        column = scores.shape[1] - 1 - np.argmax(np.isfinite(scores[:, ::-1]), axis=1)
        return np.asarray(scores[np.arange(len(scores)), column])

    @property
    def beyond_bounds(self) -> bool:
        """Whether scores lie beyond what their metric can give, as percentages do."""
        name = self.task.metric.lower()
        known = self.greater_is_better and any(part in name for parts in _SUPPORTS.values() for part in parts)
        return known and self.support is None

    def full(self, least: int = 2) -> NDArray[np.intp]:
        """Return which trials ran to their end, (n,): those whose final score is known."""
        stopped = self.states[TrialState.STOPPED]
        if stopped and self.facts.is_imported:
            raise UnknownError(
                f"this needs the final score of every trial, but {stopped} of {len(self.records)} runs end before the others "
                "and count as stopped; import them with --all-complete if they had ended."
            )
        if stopped:
            raise UnknownError(
                f"this needs the final score of every trial, but {stopped} of {len(self.records)} were stopped early and "
                "those that went on were chosen for their scores; run a study without a stopping rule."
            )
        if self.twins.prevail:
            raise UnknownError(f"{self.twins.words} Nothing is claimed from how they differ.")
        index = np.flatnonzero(self.ended)
        if len(index) < least:
            raise UnknownError(
                f"this needs at least {least} trials at their end, not {len(index)} of {len(self.records)}; run more."
            )
        return index

    def final(self, schedule: str = "all", *, least: int = 2) -> Floats:
        """Return the score of every trial that ran to its end: the best of the evaluations that count, (n,).

        A trial without a finite score gets the constant guess's score, or the worst score of all where that is unknown.
        """
        index = self.full(least)
        if schedule == "all":  # of a run with more evaluations than the grid, too
            return self._without_gaps(self.curves.best[index, -1])
        scores = self.curves.scores[index]
        if schedule == "last":
            return self._without_gaps(self.last_scores[index])
        counted = scores[:, self.evaluations(schedule)]
        return self._without_gaps(best_so_far(counted, greater_is_better=self.greater_is_better)[:, -1])

    def scores(self, split: str) -> Floats:
        """Return the final score of each of the trials that `scored` returns, on validation or test rows, (n,)."""
        index = self.scored(split)
        return self.final()[np.isin(self.full(), index)] if split == "validation" else self.test[index]

    def scored(self, split: str) -> NDArray[np.intp]:
        """Return which trials at their end have a final score on validation or test rows, ascending, (n,).

        On validation rows all of them have: see `final`. A failed trial without a test score is left out of test scores,
        because no other number is one; `left_out` counts it.
        """
        check_choice("split", split, ("validation", "test"))
        index = self.full()
        if split == "validation":
            return index
        known = np.isfinite(self.test[index])
        if not (known | self.failed[index]).all() or known.sum() < 2:
            lack = f"{int(np.sum(~known))} of {len(known)} trials have no test score"
            raise UnknownError(
                f"{lack if known.any() else 'the trials have no test scores'}; give the task test rows, map test_score, or "
                "take validation scores."
            )
        return index[known]

    def left_out(self, split: str) -> LeftOut:
        """Count the trials that are not among those of `scored`."""
        open_ = int(np.sum(~self.ended)) - self.states[TrialState.STOPPED]
        return LeftOut(len(self.records), open_, len(self.full()) - len(self.scored(split)))

    def best_at(self, index: NDArray[np.intp]) -> Floats:
        """Return the best score so far of some trials at every evaluation, (n, evaluations), with no gaps.

        Before its first score a trial has the stand-in of `final`, or that first score where it is worse, so that no curve
        ever becomes worse.
        """
        best = self.curves.best[index]
        filled = self._without_gaps(best)
        first = best[np.arange(len(best)), np.argmax(np.isfinite(best), axis=1)]  # nan where there is none
        worse = np.fmin if self.greater_is_better else np.fmax
        return np.where(np.isnan(best), worse(filled, first[:, None]), best)

    def evaluations(self, schedule: str = "all") -> NDArray[np.intp]:
        """Return which evaluations of the grid count under a schedule, ascending."""
        count = len(self.curves.fractions)
        if schedule == "all":
            return np.arange(count)
        if schedule == "last":
            return np.array([count - 1])
        ends = self.epoch_ends
        if ends is None:
            raise UnknownError("one evaluation per epoch needs to know where epochs end, but the runs do not say.")
        return np.unique([np.flatnonzero(self.curves.fractions <= end + 1e-9)[-1] for end in ends])

    @property
    def epoch_ends(self) -> Floats | None:
        """Share of the run at the end of each epoch; None where it is not known or no evaluation has been by then."""
        rows, steps = self.facts.rows.get("train"), self.facts.steps
        if isinstance(self.recipe, Recipe) and rows and steps:
            per_epoch = self.recipe.steps_per_epoch(rows)
            ends = np.array([*range(per_epoch, steps, per_epoch), steps]) / steps
        elif epochs := self.facts.epochs:
            ends = np.array([*np.arange(1, math.ceil(epochs)), epochs]) / epochs
        else:
            return None
        ends = ends[ends >= self.curves.fractions[0] - 1e-9]
        return ends if len(ends) else None

    def _without_gaps(self, scores: Floats) -> Floats:
        """Put the constant guess's score, or else the worst of all, where there is no score."""
        if not np.isnan(scores).any():
            return scores
        known = self.curves.scores[np.isfinite(self.curves.scores)]
        worst = float(known.min() if self.greater_is_better else known.max()) if len(known) else math.nan
        floor = self.baseline if self.baseline is not None else worst
        if math.isnan(floor):
            raise UnknownError("no trial has a finite score, so there is nothing to analyse; look at their errors.")
        return np.where(np.isnan(scores), floor, scores)


def _test_score(record: TrialRecord) -> float:
    """Return the test score at the best evaluation; one of an earlier evaluation is not the trial's."""
    best = record.best
    known = record.test_metrics is not None and (best is None or record.best_step == best[0])
    return float((record.test_metrics or {}).get(record.trial.task.metric, math.nan)) if known else math.nan
