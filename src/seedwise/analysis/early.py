"""What can be said of trials most of which were stopped early: of all up to then, and of the few that went on?"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.errors import UnknownError
from seedwise.values.record import TrialRecord, winner
from seedwise.values.trial import TrialState

__all__ = ["ScoresOfKept", "StoppedEarly", "early_cell", "judged_step", "stopped_early"]

_ENDS = (TrialState.STOPPED, TrialState.COMPLETE, TrialState.FAILED)


class ScoresOfKept(NamedTuple):
    """Final scores of the trials that were kept; they were chosen for their early scores."""

    n: int
    mean: float
    sd: float | None  # None of a single trial
    lowest: float
    highest: float


class StoppedEarly(NamedTuple):
    """What a stopping rule did, and what it left."""

    until: float  # share of the run after which trials were judged
    step: int  # the optimiser step of that
    started: int  # trials with an early score, or that failed before
    stopped: int  # trials that were stopped
    cost: float  # what all of them cost, in full trainings
    validation: ScoresOfKept | None  # of the trials that ran to their end; None where none has
    test: ScoresOfKept | None  # the same on test rows; None where a score is missing
    # among the early scores, the best first: place of the trial that won in the end; None where there is no winner
    place_of_winner: int | None
    early_of_winner: float | None  # its early score


def judged_step(cell: Cell) -> int:
    """Return the step after which every trial that was stopped has an early score."""
    steps = [r.last_step for r in cell.records if r.state is TrialState.STOPPED]
    if not steps:
        raise UnknownError("no trial was stopped early, so that all scores are final ones; see those.")
    if min(steps) < 1 or cell.curves.steps is None:
        raise UnknownError(
            "trials were stopped at different places, so that they have no early score in common; run a study whose rule stops "
            "all at one."
        )
    return min(steps)


def early_cell(cell: Cell) -> Cell:
    """Return the same trials as they were when they were judged, with everything after that cut off.

    A trial counts as complete that reached that evaluation, whatever became of it later. Test scores and predictions are not
    kept: those of trials that went on are of a later evaluation.
    """
    step, curves = judged_step(cell), cell.curves
    if curves.steps is None:  # as `judged_step` has found
        raise UnknownError("the evaluations of these runs have no steps in common.")
    grid = tuple(int(each) for each in curves.steps if each <= step)
    return replace(
        cell,
        records=tuple(_cut(record, step) for record in cell.records),
        facts=replace(cell.facts, evaluation_steps=grid, steps=cell.facts.steps or int(curves.steps[-1])),
        losses_of=lambda trial: cell.losses_of(trial)[:step],
        tracked_of=lambda trial: {name: table[:step] for name, table in cell.tracked_of(trial).items()},
        predictions_of=lambda _: None,
        until=float(curves.fractions[len(grid) - 1]),
    )


def stopped_early(cell: Cell) -> StoppedEarly:
    """Return what the stopping rule did, and the final scores of the trials that it kept."""
    early = early_cell(cell)
    kept = np.flatnonzero([r.state is TrialState.COMPLETE and r.best is not None for r in cell.records])
    best = winner(cell.records, cell.task)
    place, score = (None, None) if best is None else _judged(early, cell.records.index(best))
    ended = sum(record.state in _ENDS for record in early.records)
    return StoppedEarly(
        until=float(early.curves.fractions[-1]),
        step=judged_step(cell),
        started=ended,
        stopped=cell.states[TrialState.STOPPED],
        cost=sum(record.last_step for record in cell.records) / (early.facts.steps or 1),
        validation=_scores(cell.curves.best[kept, -1]),
        test=_scores(cell.test[kept]),
        place_of_winner=place,
        early_of_winner=score,
    )


def _judged(early: Cell, row: int) -> tuple[int | None, float | None]:
    """Place and score of a trial when it was judged."""
    scores = early.curves.best[:, -1] * (1 if early.greater_is_better else -1)
    if not np.isfinite(scores[row]):
        return None, None
    return 1 + int(np.sum(scores > scores[row])), float(early.curves.best[row, -1])


def _scores(scores: NDArray[np.float64]) -> ScoresOfKept | None:
    if not len(scores) or not np.isfinite(scores).all():
        return None
    sd = float(scores.std(ddof=1)) if len(scores) > 1 else None
    return ScoresOfKept(len(scores), float(scores.mean()), sd, float(scores.min()), float(scores.max()))


def _cut(record: TrialRecord, step: int) -> TrialRecord:
    """Return a trial as it was at a step."""
    reached = record.last_step >= step
    return replace(
        record,
        state=TrialState.COMPLETE if reached else record.state,
        error=None if reached else record.error,
        evaluations=tuple(e for e in record.evaluations if e.step <= step),
        seconds=record.seconds * min(1.0, step / record.last_step) if record.last_step else record.seconds,
        best_step=None,
        test_metrics=None,
    )
