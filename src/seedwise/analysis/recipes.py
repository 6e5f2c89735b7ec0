"""Which recipe is better, on one task and over tasks, and how sure can one be?"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.analysis.seeds import FailedTrials, failed_trials, shared_seeds
from seedwise.errors import UnknownError
from seedwise.stats.compare.distribution_free import mann_whitney, permutation, wilcoxon
from seedwise.stats.compare.effects import (
    FailedShareDifference,
    VarianceRatio,
    difference,
    failed_share_difference,
    probability_of_improvement,
    variance_ratio,
)
from seedwise.stats.compare.multiplicity import adjust
from seedwise.stats.compare.power import SeedsNeeded, seeds_needed
from seedwise.stats.compare.tests import Comparison, equal_to_best, paired, student, welch
from seedwise.stats.intervals import Interval
from seedwise.stats.seeds.crossed import CrossedDifference, crossed_difference

__all__ = [
    "PAIRED_LEAST",
    "RecipeComparison",
    "RecipeScore",
    "common_split",
    "compare",
    "compare_over_tasks",
    "scores_by_recipe",
]

Floats = NDArray[np.float64]
PAIRED_LEAST = 5
"""Fewer common seeds than these are compared as independent samples."""


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
    top: bool  # whether the recipe is the best of its task or not significantly worse by a one-tailed Student's t-test
    rank: int  # place of its mean among the task's recipes, from 1


class RecipeComparison(NamedTuple):
    """Recipe A against recipe B on one task; a difference above 0 speaks for A."""

    task: str  # the task's name
    metric: str  # the task's metric
    split: str  # whether scores are of the test or the validation rows
    a: str  # label of recipe A
    b: str  # label of recipe B
    n_a: int  # trials of A
    n_b: int  # trials of B
    mean_a: float  # mean score of A
    mean_b: float  # mean score of B
    sd_a: float  # standard deviation of A
    sd_b: float  # standard deviation of B
    paired: int  # how many trials of both have the same seeds; 0 where they are not compared pairwise
    difference: Interval  # mean of A minus mean of B, turned so that more is better, with a bootstrap interval
    improvement: Interval  # probability that a trial of A beats one of B, with its interval
    spread: VarianceRatio | None  # ratio of the standard deviations with its interval and the Brown-Forsythe test
    # difference of the shares of failed trials by validation score, with its interval and Fisher's exact test; None
    # where the constant guess's score is not known
    failed: FailedShareDifference | None
    tests: Mapping[str, Comparison]  # every test of the difference of means, by name
    decisive: str  # the name of the test to go by: crossed where there is one, or else welch
    more_seeds: SeedsNeeded | None  # how many seeds would separate A and B if the difference were as large as it looks


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


def compare(a: Cell, b: Cell, labels: tuple[str, str], *, split: str | None = None) -> RecipeComparison:
    """Compare two recipes on one task by every test that their seeds allow.

    Args:
        a: The trials of recipe A.
        b: Those of recipe B, on the same task.
        labels: What to call the two.
        split: test or validation; by default test, where all trials have test scores.

    Raises:
        UnknownError: The tasks differ, or a recipe has too few trials or stopped ones.
    """
    if (a.task.name, a.task.metric) != (b.task.name, b.task.metric):
        raise UnknownError(
            f"A and B must be of one task, not {a.task.name} ({a.task.metric}) and {b.task.name} ({b.task.metric}); "
            "choose it with --task."
        )
    chosen = split or common_split([a, b])
    sign = 1.0 if a.greater_is_better else -1.0
    x, y = sign * a.scores(chosen), sign * b.scores(chosen)
    rows_a, rows_b = _matched(a, b, chosen)
    pairs = len(rows_a) if len(rows_a) >= PAIRED_LEAST and len(rows_a) == min(len(x), len(y)) else 0
    pair = (x[rows_a], y[rows_b]) if pairs else None
    found = [failed_trials(cell) for cell in (a, b)]
    crossed = _crossed(a, b, chosen, (x, y), (rows_a, rows_b) if pairs else None)
    plain = difference(*(pair or (x, y)), paired=bool(pair))
    tests = _all_tests(x, y, pair)
    if crossed is not None:
        plain = Interval(crossed.difference, crossed.lower, crossed.upper, crossed.confidence)
        tests["crossed"] = Comparison("crossed", crossed.t, crossed.p, "two-sided")
    return RecipeComparison(
        *(a.task.name, a.task.metric, chosen, *labels, len(x), len(y)),
        *(sign * x.mean(), sign * y.mean(), x.std(ddof=1), y.std(ddof=1), pairs),
        difference=plain,
        improvement=probability_of_improvement(x, y),
        spread=_spread(x, y),
        failed=_failed_difference(*found),
        tests=tests,
        decisive="welch" if crossed is None else "crossed",
        more_seeds=None if crossed else seeds_needed(*(pair or (x, y)), paired=bool(pair)),
    )


def _spread(x: Floats, y: Floats) -> VarianceRatio | None:
    try:
        return variance_ratio(x, y)
    except ValueError:  # the means can still be compared
        return None


def _crossed(
    a: Cell, b: Cell, split: str, scores: tuple[Floats, Floats], rows: tuple[list[int], list[int]] | None
) -> CrossedDifference | None:
    """Compare the means with the variance of shared seeds counted, where trials of both recipes share seeds."""
    seeds = shared_seeds(a), shared_seeds(b)
    if not all(seeds):
        return None
    rows_a, rows_b = rows or (list(range(len(scores[0]))), list(range(len(scores[1]))))
    factors_a, factors_b = (
        {name: labels[np.isin(cell.full(), cell.scored(split))][places] for name, labels in mine.items()}
        for cell, mine, places in zip((a, b), seeds, (rows_a, rows_b), strict=True)
    )
    return crossed_difference(scores[0][rows_a], scores[1][rows_b], factors_a, factors_b, paired=rows is not None)


def _failed_difference(a: FailedTrials, b: FailedTrials) -> FailedShareDifference | None:
    if a.threshold is None or b.threshold is None:
        return None
    return failed_share_difference(a.share.failed, a.share.n, b.share.failed, b.share.n)


def compare_over_tasks(comparisons: Sequence[RecipeComparison]) -> Floats:
    """Return the decisive p-value of each task, corrected for their number by Holm's method."""
    return adjust([found.tests[found.decisive].p for found in comparisons], method="holm")


def common_split(cells: Sequence[Cell]) -> str:
    """Return test where all trials of the cells that ended, and did not fail, have a test score, else validation."""
    try:
        for cell in cells:
            cell.scored("test")
    except UnknownError:
        return "validation"
    return "test"


def _all_tests(x: Floats, y: Floats, pair: tuple[Floats, Floats] | None) -> dict[str, Comparison]:
    if x.std() == 0 and y.std() == 0:
        raise UnknownError(
            "all trials of A score the same and so do all of B, so no test applies; look at the two scores."
        )
    found = {
        "student": student(x, y, alternative="greater"),
        "welch": welch(x, y, alternative="two-sided"),
        "mann_whitney": mann_whitney(x, y, alternative="two-sided"),
        "permutation": permutation(x, y, alternative="two-sided"),
    }
    if pair is not None and np.any(pair[0] != pair[1]):
        found["paired"] = paired(*pair, alternative="two-sided")
        found["wilcoxon"] = wilcoxon(*pair, alternative="two-sided")
    return found


def _matched(a: Cell, b: Cell, split: str) -> tuple[list[int], list[int]]:
    """Return the places of the trials of A and of B that have the same seeds."""
    where = {a.records[i].trial.seeds: place for place, i in enumerate(a.scored(split))}
    pairs = [(where[s], place) for place, i in enumerate(b.scored(split)) if (s := b.records[i].trial.seeds) in where]
    return [first for first, _ in pairs], [second for _, second in pairs]


def _row(cell: Cell, label: str, split: str, scores: Mapping[str, Floats], top: Sequence[str]) -> RecipeScore:
    mine, sign = scores[label], 1 if cell.greater_is_better else -1
    best = float(mine.max() if cell.greater_is_better else mine.min())
    rank = 1 + sum(sign * other.mean() > sign * mine.mean() for other in scores.values())
    failed = failed_trials(cell).share.failed
    return RecipeScore(
        task=cell.task.name,
        recipe=label,
        metric=cell.task.metric,
        split=split,
        n=len(mine),
        mean=float(mine.mean()),
        sd=float(mine.std(ddof=1)),
        best=best,
        failed=failed,
        top=label in top,
        rank=int(rank),
    )
