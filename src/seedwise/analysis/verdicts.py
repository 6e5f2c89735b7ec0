"""Is recipe A better than recipe B on a task? One question, one set of trials, one test, one answer."""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.analysis.compared import Compared, compared_trials, held_fixed, left_out
from seedwise.analysis.seeds import varied_seeds
from seedwise.errors import UnknownError
from seedwise.stats.compare.means import MeanComparison, MeanTest, compare_means, compare_means_sequentially
from seedwise.stats.compare.multiplicity import adjust
from seedwise.stats.compare.power import growth_needed
from seedwise.stats.compare.sequential import LEAST_PAIRS
from seedwise.stats.seeds.factors import repeated_factors

__all__ = [
    "Answer",
    "Needed",
    "Verdict",
    "answered",
    "corrected",
    "judge",
]

Floats = NDArray[np.float64]
LEVEL = 0.05
"""Below this p-value a recipe is called better."""
MANY = 1000
"""Nobody is told to train more seeds than these."""


class Answer(StrEnum):
    """What the comparison of two recipes says."""

    A_BETTER = "A is better"
    B_BETTER = "B is better"
    NOT_TOLD_APART = "not told apart"
    WITHIN_MARGIN = "equal within the margin"
    SAME_SCORES = "the same scores"
    NOT_SEPARABLE = "recipe and seed not separable"


class Needed(NamedTuple):
    """How many seeds would show the difference with 80 % power if it is as large as it looks."""

    n_each: int | None  # trials of each recipe, where no seed repeats and both have equally many
    times: float | None  # otherwise, how many times as many seeds of every kind
    reason: str  # why there is no number; empty where there is one


class Verdict(NamedTuple):
    """Recipe A against recipe B on one task; a difference above 0 speaks for A, also where less is better."""

    task: str  # the task's name
    metric: str  # the task's metric
    split: str  # whether scores are of the test or the validation rows
    greater_is_better: bool
    a: str  # label of recipe A
    b: str  # label of recipe B
    n_a: int  # trials of A that are compared; all other fields are of these
    n_b: int  # likewise of B
    mean_a: float  # mean score of A, in the task's metric
    mean_b: float
    sd_a: float  # standard deviation of A, n - 1 in the denominator
    sd_b: float
    paired: bool  # whether trials are compared seed by seed
    # which trials of A or B are not compared, and why, and which crashed and count with what they had scored; a sentence each
    left_out: tuple[str, ...]
    holds_for: tuple[str, ...]  # seeds that are the same in all trials, so that the answer holds for them alone
    test: MeanTest | None  # the test; None where the seeds allow none
    difference: float  # mean of A minus mean of B, turned so that more is better
    se: float  # its standard error over seeds; nan without a test
    df: float  # degrees of freedom of the standard error
    lower: float  # lower end of the interval that inverts the test at the confidence, this comparison alone
    upper: float
    confidence: float  # of each interval, in (0, 1)
    p: float  # two-sided p-value of this comparison alone; nan without a test
    comparisons: int  # how many comparisons p_corrected and the corrected interval allow for
    p_corrected: float  # corrected by Holm's method; decides the answer
    # the interval at the level of p_corrected: it excludes 0 where the answer names a winner, and else only within a margin
    corrected_lower: float
    corrected_upper: float
    margin: float | None  # by how much recipes may differ and still be called equal; None where none is given
    # p-value of the means differing by the margin or more, by two one-sided tests, times the comparisons (Bonferroni)
    p_margin: float | None
    answer: Answer
    reason: str  # why no winner can be named whatever the scores; empty otherwise
    needed: Needed | None  # None where a winner is named or no test is made

    @property
    def compared(self) -> MeanComparison | None:
        """The comparison of the means alone; None without a test."""
        if self.test is None:
            return None
        ends = (self.lower, self.upper)
        return MeanComparison(self.test, self.difference, self.se, self.df, *ends, self.p, self.confidence)

    @property
    def better(self) -> str | None:
        """Label of the better recipe; None where none is named."""
        return {Answer.A_BETTER: self.a, Answer.B_BETTER: self.b}.get(self.answer)


def judge(
    a: Cell,
    b: Cell,
    labels: tuple[str, str],
    *,
    split: str | None = None,
    margin: float | None = None,
    sequential: bool = False,
) -> Verdict:
    """Return the verdict on two recipes on one task, by the test that their seeds allow, without an answer yet.

    `corrected` gives the answers of all verdicts that are asked at once.

    Raises:
        UnknownError: The tasks differ, or a recipe has too few trials or stopped ones; or a sequential test is asked for and
            trials do not have their seeds in pairs, each once.
    """
    chosen = compared_trials(a, b, split, pairs_alone=sequential)
    sign = 1.0 if a.greater_is_better else -1.0
    x, y = sign * chosen.scores_a, sign * chosen.scores_b
    fixed, reason = held_fixed(a, b, chosen, labels)
    found = None if reason else _compared_means(a, b, chosen, x, y, sequential=sequential)
    return Verdict(
        *(a.task.name, a.task.metric, chosen.split, a.greater_is_better, *labels),
        *(len(x), len(y), sign * float(x.mean()), sign * float(y.mean()), float(x.std(ddof=1)), float(y.std(ddof=1))),
        chosen.paired,
        left_out=left_out(a, b, chosen, labels),
        holds_for=fixed,
        test=None if found is None else found.test,
        difference=float(x.mean() - y.mean()) if found is None else found.difference,
        se=math.nan if found is None else found.se,
        df=math.nan if found is None else found.df,
        lower=-math.inf if found is None else found.lower,
        upper=math.inf if found is None else found.upper,
        confidence=1 - LEVEL,
        p=math.nan if found is None else found.p,
        comparisons=1,
        p_corrected=math.nan,
        corrected_lower=-math.inf,
        corrected_upper=math.inf,
        margin=margin,
        p_margin=None,
        answer=Answer.NOT_SEPARABLE,
        reason=reason,
        needed=None,
    )


def corrected(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts with p-values, intervals and answers that allow for all of them being asked at once (Holm)."""
    p_values = np.array([verdict.p for verdict in verdicts])
    made = int(np.isfinite(p_values).sum())
    adjusted = adjust(p_values, method="holm") if made else p_values
    return [answered(verdict, float(p), made) for verdict, p in zip(verdicts, adjusted, strict=True)]


def _compared_means(a: Cell, b: Cell, chosen: Compared, x: Floats, y: Floats, *, sequential: bool) -> MeanComparison:
    factors = varied_seeds(a, chosen.trials_a), varied_seeds(b, chosen.trials_b)
    if sequential:
        _check_pairs(chosen, factors[0])
        return compare_means_sequentially(x, y, confidence=1 - LEVEL)
    if chosen.paired:
        factors = (factors[0], factors[0])
    return compare_means(x, y, *factors, paired=chosen.paired, confidence=1 - LEVEL)


def _check_pairs(chosen: Compared, seeds: Mapping[str, NDArray[np.int64]]) -> None:
    """Refuse trials that a sequential test cannot take in pairs, each by itself."""
    if not chosen.paired:
        raise UnknownError(
            "a sequential test compares trials of the same seeds, pair by pair, but A and B have no two in common; run both with the "
            "same seeds, or ask `seedwise gate`."
        )
    if repeated := list(repeated_factors(seeds, len(chosen.trials_a))):
        raise UnknownError(
            f"a sequential test needs seeds of their own for each pair of trials, but {' and '.join(repeated)} seeds repeat; ask "
            "`seedwise gate`, which runs such pairs, or compare once without --sequential."
        )


def answered(verdict: Verdict, p_corrected: float, comparisons: int) -> Verdict:
    """Return a verdict with the answer that a corrected p-value gives."""
    if verdict.compared is None:
        return verdict._replace(comparisons=comparisons, p_corrected=math.nan, answer=Answer.NOT_SEPARABLE)
    times = p_corrected / verdict.p if verdict.p > 0 and p_corrected < 1 else float(comparisons)
    lower, upper = verdict.compared.ends(1 - LEVEL / max(times, 1.0))
    if verdict.test is MeanTest.IDENTICAL:
        answer = Answer.SAME_SCORES
    elif p_corrected < LEVEL:
        answer = Answer.A_BETTER if verdict.difference > 0 else Answer.B_BETTER
    else:
        answer = Answer.NOT_TOLD_APART
    p_margin = None if verdict.margin is None else min(1.0, verdict.compared.within(verdict.margin) * comparisons)
    if p_margin is not None and p_margin < LEVEL:
        answer = Answer.WITHIN_MARGIN
    needed = _needed(verdict, LEVEL / max(times, 1.0)) if answer is Answer.NOT_TOLD_APART else None
    return verdict._replace(
        comparisons=comparisons,
        p_corrected=p_corrected,
        corrected_lower=lower,
        corrected_upper=upper,
        p_margin=p_margin,
        answer=answer,
        needed=needed,
    )


def _needed(verdict: Verdict, level: float) -> Needed:
    """Return how many seeds would show the difference at a level, if it and the spreads are as they look."""
    if verdict.test is MeanTest.SEQUENTIAL:
        if verdict.n_a < LEAST_PAIRS:
            return Needed(None, None, f"a sequential test says nothing before {LEAST_PAIRS} pairs; add seeds")
        return Needed(None, None, "more seeds can be added and looked at as often as you like")
    if verdict.test is MeanTest.SIGN_FLIPS:
        return Needed(math.ceil(1 - math.log2(level)), None, "")
    if not math.isfinite(verdict.df):
        return Needed(None, None, "nothing varies, so that no number of seeds can be told")
    if verdict.difference == 0:
        return Needed(None, None, "the means are equal so far, so no number of seeds would separate them")
    growth = growth_needed(verdict.difference, verdict.se, verdict.df, level=level)
    if growth is None or growth * max(verdict.n_a, verdict.n_b) > MANY:
        return Needed(
            None, None, f"if the difference is as large as it looks, more than {MANY:,} seeds each would be needed"
        )
    if verdict.n_a == verdict.n_b and verdict.test in (MeanTest.PAIRED, MeanTest.WELCH):
        return Needed(math.ceil(growth * verdict.n_a), None, "")
    return Needed(None, growth, "")
