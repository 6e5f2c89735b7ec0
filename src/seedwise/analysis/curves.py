"""How are the validation scores of trials put on one grid of evaluations?"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.errors import UnknownError
from seedwise.stats.correlation import best_so_far
from seedwise.values.facts import TaskFacts
from seedwise.values.record import TrialRecord
from seedwise.values.trial import TrialState

__all__ = ["Curves", "curves_of"]

Floats = NDArray[np.float64]


class Curves(NamedTuple):
    """Validation scores of all trials on one grid of evaluations."""

    fractions: Floats  # share of the full run at each evaluation, ascending, (evaluations,); the last is 1
    steps: NDArray[np.int64] | None  # the optimiser step of each evaluation, (evaluations,)
    scores: Floats  # score of each trial at each evaluation, (trials, evaluations); nan where there is none
    best: Floats  # best score so far, (trials, evaluations); nan before the first finite one
    note: str  # how curves of unequal length were put on one grid; empty where they are equal


def curves_of(records: Sequence[TrialRecord], facts: TaskFacts) -> Curves:
    """Return the scores of one cell's trials on one grid of evaluations."""
    steps, note = _common_steps(records, facts)
    if steps is None:
        return _curves_by_share(records)
    scores = np.full((len(records), len(steps)), math.nan)
    place = {step: column for column, step in enumerate(steps)}
    for row, record in enumerate(records):
        for step, score in record.scores:
            scores[row, place[step]] = score
    scores[~np.isfinite(scores)] = math.nan
    total = facts.steps or steps[-1]
    best = best_so_far(scores, greater_is_better=records[0].trial.task.greater_is_better)
    return Curves(np.array(steps) / total, np.array(steps, np.int64), scores, best, note)


def _common_steps(records: Sequence[TrialRecord], facts: TaskFacts) -> tuple[Sequence[int] | None, str]:
    """Return the evaluation steps of a full run, if every trial's are the first of them."""
    ran = [tuple(step for step, _ in record.scores) for record in records]
    full = (
        facts.evaluation_steps
        or (max(Counter(filter(None, ran)).items(), key=lambda item: item[1], default=((), 0))[0])
    )
    if not full:
        raise UnknownError(f"no trial of {records[0].trial.task.name} has been evaluated yet; run the study first.")
    return (full, "") if all(own == full[: len(own)] for own in ran) else (None, "")


def _curves_by_share(records: Sequence[TrialRecord]) -> Curves:
    """Put runs of different lengths on a grid of equal shares of each run: what was known of it by then."""
    complete = [record for record in records if record.state is TrialState.COMPLETE and record.evaluations]
    lengths = [len(record.evaluations) for record in complete or records if record.evaluations]
    fewest = min(lengths)
    fractions = np.arange(1, fewest + 1) / fewest
    scores = np.full((len(records), fewest), math.nan)
    best = np.full((len(records), fewest), math.nan)
    for row, record in enumerate(records):
        if not record.scores:
            continue
        steps, values = (np.array(column, dtype=np.float64) for column in zip(*record.scores, strict=True))
        values[~np.isfinite(values)] = math.nan
        so_far = best_so_far(values[None], greater_is_better=records[0].trial.task.greater_is_better)[0]
        column = np.searchsorted(steps, fractions * steps[-1] + 1e-9, side="right") - 1
        known = column >= 0
        scores[row, known], best[row, known] = values[column[known]], so_far[column[known]]
    note = (
        f"runs have {fewest} to {max(lengths)} evaluations at different steps; they are compared at {fewest} equal shares "
        "of each run, and a full training is each run's own"
    )
    return Curves(fractions, None, scores, best, note)
