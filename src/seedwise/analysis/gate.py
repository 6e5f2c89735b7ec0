"""Is B better than A, as far as the pairs of trials on fresh seeds tell so far, or must more be run?

Nothing here runs, stores or waits: the same trials give the same answer, in however many batches they were run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import takewhile
from math import inf, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.errors import UnknownError
from seedwise.stats.compare.sequential import LEAST_PAIRS, SequentialLooks, sequential_looks
from seedwise.values.checks import check_choice, check_count, check_fraction, check_number
from seedwise.values.record import Cause, TrialRecord
from seedwise.values.seeds import Seeds
from seedwise.values.trial import TrialState

__all__ = ["LEAST_PAIRS", "GateAnswer", "GateResult", "GateTerms", "gate_result", "has_ended"]

Floats = NDArray[np.float64]


class GateAnswer(StrEnum):
    """What a gate answers to "is B better than A?"."""

    BETTER = "better"
    WORSE = "worse"
    EQUAL = "equal"
    """The true difference is smaller than the margin, either way."""

    UNDECIDED = "undecided"
    """The budget is used up, and the answer is not certain."""

    GO_ON = "go on"
    """The answer is not certain yet, and there is budget left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTerms:
    """When is an answer certain, and how much may it cost?

    Args:
        split: Whose scores are compared: test or validation.
        confidence: Chance that the answer is right, however often one looks, in (0, 1).
        margin: Differences below this do not count, in the metric's unit; None: every difference counts.
        budget: Pairs of trials at most; at least 8, since fewer never decide.

    Raises:
        RequestError: A field breaks its rule.
    """

    split: str
    confidence: float = 0.95
    margin: float | None = None
    budget: int = 50

    def __post_init__(self) -> None:
        check_choice("split", self.split, ("test", "validation"))
        check_fraction("confidence", self.confidence, one=False, remedy="0.95 is usual")
        check_count("the budget in pairs", self.budget, least=LEAST_PAIRS, remedy="fewer pairs never decide")
        if self.margin is not None:
            check_number("the margin", self.margin, above=True)


class GateResult(NamedTuple):
    """Whether recipe B is better than recipe A, from pairs of trials on fresh seeds; a gain above 0 speaks for B."""

    answer: GateAnswer
    task: str  # the task's name
    metric: str  # the task's metric
    split: str  # whether scores are of the test or the validation rows
    a: str  # label of recipe A
    b: str  # label of recipe B
    pairs: int  # pairs that the answer is from: up to the first that made it certain, in the order of seeds
    mean_a: float  # mean score of A on them; nan without any
    mean_b: float  # mean score of B
    gain: float  # mean of B minus mean of A, turned so that more is better
    lower: float  # lower end of its interval, which holds at every look at once; minus infinity where nothing is known
    upper: float  # upper end likewise
    p: float  # always-valid p-value of equal means
    confidence: float  # chance that the interval holds the true gain at every look
    margin: float | None  # gains below this do not count; None where every one does
    budget: int  # pairs at most
    diverged_a: int  # trials of A among them that diverged
    diverged_b: int  # trials of B
    seeds: tuple[int, ...]  # the seeds of the pairs


def gate_result(a: Cell, b: Cell, seeds: Sequence[Seeds], terms: GateTerms, labels: tuple[str, str]) -> GateResult:
    """Return what the pairs tell so far.

    Pairs count in the order of their seeds up to the first that has not ended, so that no pair counts earlier because it
    ended earlier. The answer is that of the first look at which it is certain, if one looks after every pair: it depends
    neither on how many ran at once nor on pairs that were run beyond it. A trial that diverged counts with its best score
    before; one without any score with that of the best constant guess, because leaving its pair out would flatter its
    recipe. One that crashed has not ended: that may be the machine's fault.

    Args:
        a: The trials of recipe A, among others those of the pairs.
        b: The trials of recipe B.
        seeds: The seeds of the pairs, in the order in which they count.
        terms: When the answer is certain.
        labels: What to call the two.
    """
    records_a, records_b = _ended(a, b, seeds)
    ran = len(records_a)
    scores_a, scores_b = _scores(a, records_a, terms.split), _scores(b, records_b, terms.split)
    answer, pairs, looks = GateAnswer.GO_ON, ran, None
    if ran:
        sign = 1 if a.greater_is_better else -1
        looks = sequential_looks(sign * scores_b, sign * scores_a, confidence=terms.confidence)
        answer, pairs = _first_answer(looks, terms)
    if answer is GateAnswer.GO_ON and ran >= terms.budget:
        answer = GateAnswer.UNDECIDED
    last = pairs - 1
    gain, lower, upper, p = nan, -inf, inf, 1.0
    if looks is not None:
        gain, lower, upper, p = (float(found[last]) for found in (looks.difference, looks.lower, looks.upper, looks.p))
    return GateResult(
        answer=answer,
        task=a.task.name,
        metric=a.task.metric,
        split=terms.split,
        a=labels[0],
        b=labels[1],
        pairs=pairs,
        mean_a=float(scores_a[:pairs].mean()) if pairs else nan,
        mean_b=float(scores_b[:pairs].mean()) if pairs else nan,
        gain=gain,
        lower=lower,
        upper=upper,
        p=p,
        confidence=terms.confidence,
        margin=terms.margin,
        budget=terms.budget,
        diverged_a=sum(map(_has_diverged, records_a[:pairs])),
        diverged_b=sum(map(_has_diverged, records_b[:pairs])),
        seeds=tuple(one.init for one in seeds[:pairs]),
    )


def has_ended(record: TrialRecord) -> bool:
    """Whether a trial has a score that counts: it is complete, or diverged and would diverge again."""
    return record.state is TrialState.COMPLETE or _has_diverged(record)


def _first_answer(looks: SequentialLooks, terms: GateTerms) -> tuple[GateAnswer, int]:
    """Return the first answer that is certain, and after how many pairs."""
    for pairs, lower, upper in zip(looks.n.tolist(), looks.lower.tolist(), looks.upper.tolist(), strict=True):
        if terms.margin is not None and -terms.margin < lower and upper < terms.margin:
            return GateAnswer.EQUAL, pairs
        if lower > 0 or upper < 0:
            return (GateAnswer.BETTER if lower > 0 else GateAnswer.WORSE), pairs
    return GateAnswer.GO_ON, len(looks.n)


def _ended(a: Cell, b: Cell, seeds: Sequence[Seeds]) -> tuple[tuple[TrialRecord, ...], tuple[TrialRecord, ...]]:
    """Return A's trials and B's of the pairs up to the first that has not ended."""
    known = [{record.trial.seeds: record for record in cell.records} for cell in (a, b)]
    pairs = ((known[0].get(one), known[1].get(one)) for one in seeds)
    ended = [
        (x, y)
        for x, y in takewhile(lambda pair: all(record and has_ended(record) for record in pair), pairs)
        if x and y
    ]
    return tuple(x for x, _ in ended), tuple(y for _, y in ended)


def _has_diverged(record: TrialRecord) -> bool:
    return record.state is TrialState.FAILED and record.cause is Cause.DIVERGED


def _scores(cell: Cell, records: tuple[TrialRecord, ...], split: str) -> Floats:
    """Return the scores of some of the cell's trials, all at their end, (trials,)."""
    if not records:
        return np.zeros(0)
    own = replace(cell, records=records)
    best = own.curves.best[:, -1]
    scores = best if split == "validation" else own.test
    missing = np.isnan(scores)
    if (missing & ~own.failed & np.isfinite(best)).any():
        raise UnknownError(
            f"{int(missing.sum())} of {len(records)} trials of {own.task.name} have no test score; give the task test rows."
        )
    if missing.any() and own.baseline is None:
        raise UnknownError(
            f"{int(missing.sum())} of {len(records)} trials of {own.task.name} have no score, and no constant guess is known that "
            "could stand for it; take a smaller learning rate."
        )
    return np.where(missing, own.baseline or 0.0, scores)
