"""What does each recipe score on each task, and what is there to say of two recipes beside the verdict?"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.analysis.compared import common_split, compared_trials
from seedwise.analysis.new_rows import NewRows, on_new_rows
from seedwise.analysis.one_trial import Hurdle, hurdle
from seedwise.analysis.seeds import failed_flags, failed_trials, varied_seeds
from seedwise.analysis.verdicts import Answer, Verdict
from seedwise.errors import UnknownError
from seedwise.stats.compare.effects import probability_of_improvement
from seedwise.stats.compare.means import MeanTest
from seedwise.stats.compare.stability import (
    FailedShareDifference,
    VarianceRatio,
    failed_share_difference,
    variance_ratio,
)
from seedwise.stats.compare.stochastic_order import StochasticOrder, almost_stochastic_order
from seedwise.stats.compare.tests import equal_to_best
from seedwise.stats.intervals import Interval

__all__ = ["MEANINGFUL", "RecipeComparison", "RecipeScore", "beside", "scores_by_recipe"]

Floats = NDArray[np.float64]
Seeds = Mapping[str, NDArray[np.int64]]
MEANINGFUL = 0.75
"""A recipe that beats the other this often is better by more than chance and by enough to matter (Bouthillier et al. 2021,
"Accounting for variance in machine learning benchmarks")."""


class RecipeScore(NamedTuple):
    """One recipe on one task: a cell of the papers' tables of results."""

    task: str  # the task's name
    recipe: str  # the recipe's label
    metric: str  # the task's metric
    split: str  # whether scores are of the test or the validation rows
    n: int  # trials at their end
    mean: float  # their mean score
    sd: float  # its standard deviation (n - 1 in the denominator)
    best: float  # the best score
    failed: int  # how many were no better than the constant guess
    # whether the papers would print it in bold: the best of its task, or not significantly worse by a one-tailed Student's
    # t-test that knows neither of shared seeds nor of the other comparisons
    as_published: bool
    rank: int  # place of its mean among the task's recipes, from 1


class RecipeComparison(NamedTuple):
    """Recipe A against recipe B on one task: the verdict on their means, and in what else they differ."""

    verdict: Verdict
    # probability that a trial of A beats one of B, with its interval, which counts shared seeds; None where all are equal, or
    # where recipe and seed cannot be told apart, of which nothing else is told either
    improvement: Interval | None
    # label of the recipe that the verdict calls better, where it also beats the other in `MEANINGFUL` of all pairs
    meaningfully_better: str | None
    spread: VarianceRatio | None  # ratio of the standard deviations; None where it rests on one trial or seed
    # difference of the shares of trials that failed, by each trial's best evaluation and by its last one; None where the
    # constant guess's score is not known
    failed: FailedShareDifference | None
    failed_at_the_end: FailedShareDifference | None
    # of each side, how many trials failed and what the others score on validation rows; None where too few did not fail
    hurdle_a: Hurdle | None
    hurdle_b: Hurdle | None
    # how far the recipe with the better mean is from being better at every quantile; None where seeds repeat, which it does not
    # count, or nothing differs
    stochastic_order: StochasticOrder | None
    new_rows: NewRows | None  # what the verdict comes to on new rows; None where that is not known
    new_rows_reason: str  # why it is not; empty where it is


def scores_by_recipe(
    cells: Sequence[Cell], name_of: Callable[[Cell], str], *, split: str | None = None
) -> list[RecipeScore]:
    """Return every recipe on every task (Zhang et al. 2021, tables 1 and 2)."""
    rows: list[RecipeScore] = []
    for task in dict.fromkeys(cell.task.id for cell in cells):
        mine = [cell for cell in cells if cell.task.id == task]
        chosen = split or common_split(mine)
        scores = {name_of(cell): cell.scores(chosen) for cell in mine}
        alone = len(scores) == 1
        top = tuple(scores) if alone else equal_to_best(scores, greater_is_better=mine[0].greater_is_better).equal
        rows += [_row(cell, name_of(cell), chosen, scores, top) for cell in mine]
    return rows


def beside(a: Cell, b: Cell, verdict: Verdict) -> RecipeComparison:
    """Return in what else two recipes differ: on the trials that the verdict is of, and in failures on all that ended."""
    chosen = compared_trials(a, b, verdict.split, pairs_alone=verdict.paired)
    sign = 1.0 if a.greater_is_better else -1.0
    x, y = sign * chosen.scores_a, sign * chosen.scores_b
    factors = varied_seeds(a, chosen.trials_a), varied_seeds(b, chosen.trials_b)
    rows, reason = _new_rows(a, b, verdict)
    independent = verdict.test in (MeanTest.PAIRED, MeanTest.WELCH, MeanTest.POOLED)
    ahead, behind = (x, y) if verdict.difference > 0 else (y, x)
    separable = verdict.answer is not Answer.NOT_SEPARABLE
    told = separable and verdict.test is not MeanTest.IDENTICAL  # whatever a margin makes of equal scores
    improvement = probability_of_improvement(x, y, *factors, paired=chosen.paired) if told else None
    return RecipeComparison(
        verdict,
        improvement,
        _meaningfully_better(verdict, improvement),
        _spread(x, y, factors, paired=chosen.paired) if told else None,
        failed=_failed_difference(a, b, at_the_end=False) if separable else None,
        failed_at_the_end=_failed_difference(a, b, at_the_end=True) if separable else None,
        hurdle_a=_hurdle(a),
        hurdle_b=_hurdle(b),
        stochastic_order=_order(ahead, behind) if independent else None,
        new_rows=rows,
        new_rows_reason=reason,
    )


def _meaningfully_better(verdict: Verdict, improvement: Interval | None) -> str | None:
    if improvement is None or verdict.better is None:
        return None
    wins = improvement.estimate if verdict.better == verdict.a else 1 - improvement.estimate
    return verdict.better if wins >= MEANINGFUL else None


def _hurdle(cell: Cell) -> Hurdle | None:
    try:
        return hurdle(cell)
    except UnknownError:
        return None


def _new_rows(a: Cell, b: Cell, verdict: Verdict) -> tuple[NewRows | None, str]:
    try:
        return on_new_rows(a, b, verdict), ""
    except ValueError as error:  # also of rows that are too few for the metric
        return None, str(error)


def _spread(x: Floats, y: Floats, factors: tuple[Seeds, Seeds], *, paired: bool) -> VarianceRatio | None:
    try:
        return variance_ratio(x, y, *factors, paired=paired)
    except ValueError:  # the means can still be compared
        return None


def _order(x: Floats, y: Floats) -> StochasticOrder | None:
    try:
        return almost_stochastic_order(x, y)
    except ValueError:  # the same quantiles
        return None


def _failed_difference(a: Cell, b: Cell, *, at_the_end: bool) -> FailedShareDifference | None:
    """Compare the shares of failed trials among all that ran to their end."""
    if a.baseline is None or b.baseline is None:
        return None
    return failed_share_difference(
        failed_flags(a, at_the_end=at_the_end),
        failed_flags(b, at_the_end=at_the_end),
        varied_seeds(a, a.full(1)),
        varied_seeds(b, b.full(1)),
    )


def _row(cell: Cell, label: str, split: str, scores: Mapping[str, Floats], top: Sequence[str]) -> RecipeScore:
    mine, sign = scores[label], 1 if cell.greater_is_better else -1
    best = float(mine.max() if cell.greater_is_better else mine.min())
    rank = 1 + sum(sign * other.mean() > sign * mine.mean() for other in scores.values())
    return RecipeScore(
        *(cell.task.name, label, cell.task.metric, split, len(mine), float(mine.mean()), float(mine.std(ddof=1)), best),
        failed=failed_trials(cell).share.failed,
        as_published=label in top,
        rank=int(rank),
    )
