"""What do the single rows say of a task and recipe: how sure is a score, where do seeds disagree, what does an ensemble add?"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.analysis.summary import summarize
from seedwise.errors import UnknownError
from seedwise.stats.intervals import Interval, proportion_interval
from seedwise.stats.items import sampling
from seedwise.stats.items.disagreement import Disagreement, SpreadOfFlips, disagreement, spread_of_flips
from seedwise.stats.items.ensemble import EnsembleGrowth, ensemble_growth, ensemble_outputs
from seedwise.stats.items.sampling import RowsError, paired_interval, row_score_interval
from seedwise.stats.items.scores import row_scores
from seedwise.values.record import TrialRecord
from seedwise.values.trial import TrialState

__all__ = ["Ensemble", "Items", "ScoredRows", "ensemble", "items", "rows_error", "scored_rows", "test_interval"]

Floats = NDArray[np.float64]


class ScoredRows(NamedTuple):
    """What trials say of every row of a split, and what is right."""

    trials: NDArray[np.intp]  # which of the cell's trials, (n,); those whose finite outputs are kept
    outputs: NDArray[np.float32]  # their outputs before softmax, (n, rows, outputs)
    targets: NDArray[np.float32]  # class number or value of each row, (rows,)


class Items(NamedTuple):
    """On which rows the complete trials disagree."""

    split: str  # whose rows: test, or validation where there are no test rows
    trials: int  # complete trials whose outputs are kept
    rows: int
    agreement: Disagreement  # on which share of the rows they differ, and all or none are right
    accuracies: Floats  # share of the rows that each trial gets right, (trials,), in the order of the trials
    # what of the accuracies' spread is rows that flip; None where no row differs, or of one row
    spread: SpreadOfFlips | None


class Ensemble(NamedTuple):
    """The ensemble of the complete trials beside one of them, scored by the task's metric."""

    split: str  # whose rows: test, or validation where there are no test rows
    metric: str
    members: int  # complete trials whose outputs are kept
    rows: int
    score: float  # the ensemble's score
    interval: Interval | None  # the same with its interval over rows; None where no row changes it
    winner: float  # score of the trial that validation chooses
    single: float  # mean score of the trials
    scores: Floats  # score of each trial, (members,), in the order of the trials
    # the ensemble's score minus the winner's, with its interval over rows; None where no row tells them apart
    over_winner: Interval | None
    over_single: Interval | None  # the ensemble's score minus the mean of the trials' scores
    growth: EnsembleGrowth  # mean score by number of members


def items(cell: Cell) -> Items:
    """Return on which rows the complete trials disagree, and what of their spread is rows that flip."""
    split, rows = _complete_rows(cell)
    if rows.outputs.shape[2] < 2:
        raise UnknownError("trials agree or disagree about classes, but this task's labels are values.")
    agreement = disagreement(rows.outputs, rows.targets)
    accuracies = (rows.outputs.argmax(axis=2) == rows.targets).mean(axis=1)
    spread = spread_of_flips(rows.outputs, rows.targets) if agreement.differ > 0 and len(rows.targets) > 1 else None
    return Items(split, len(rows.trials), len(rows.targets), agreement, accuracies, spread)


def ensemble(cell: Cell) -> Ensemble:
    """Return the score of the ensemble of the complete trials, beside the winner's and that of a single trial."""
    split, rows = _complete_rows(cell)
    metric, winner = cell.task.metric, _winner(cell)
    scores = row_scores(metric, rows.outputs, rows.targets)
    if winner not in rows.trials:
        raise UnknownError("the winner's outputs are not kept, so that nothing can be set beside its score.")
    joined, alone = ensemble_outputs(rows.outputs)[None], rows.outputs[rows.trials == winner]
    growth = ensemble_growth(metric, rows.outputs, rows.targets)
    over_winner = _known(lambda: paired_interval(metric, joined, alone, rows.targets))
    return Ensemble(
        split,
        metric,
        len(rows.trials),
        len(rows.targets),
        float(growth.mean[-1]),
        _known(lambda: row_score_interval(metric, joined[0], rows.targets)),
        float(scores[rows.trials == winner][0]),
        float(scores.mean()),
        scores,
        over_winner,
        _known(lambda: paired_interval(metric, joined, rows.outputs, rows.targets)),
        growth,
    )


def test_interval(cell: Cell) -> Interval:
    """Return the winner's test score with its interval over rows."""
    winner = _winner(cell)
    score, count = float(cell.test[winner]), cell.facts.rows.get("test")
    if not np.isfinite(score):
        raise UnknownError("the winner has no test score; give the task test rows.")
    if cell.task.metric == "accuracy" and count:  # its outputs tell no more
        return proportion_interval(round(score * count), count)
    rows = scored_rows(cell, "test", np.array([winner]))
    return row_score_interval(cell.task.metric, rows.outputs[0], rows.targets)


def scored_rows(cell: Cell, split: str, trials: NDArray[np.intp]) -> ScoredRows:
    """Return the outputs of some trials at their best evaluation, and the labels of the rows.

    Args:
        cell: The trials of one task and recipe.
        split: validation or test.
        trials: Which of the cell's trials; those without outputs (crashed, or not finite) are left out.

    Raises:
        UnknownError: No labels or no outputs are kept.
    """
    labels = cell.targets_of(cell.task)
    targets = getattr(labels, split, None)
    if labels is None and cell.facts.is_imported:
        raise UnknownError("imported runs come without predictions for single rows; train them with seedwise.")
    if labels is None:
        raise UnknownError(
            "the labels of the rows are not stored, because an older version made the study; run it again, which stores them "
            "and trains nothing twice."
        )
    if targets is None:
        raise UnknownError(f"{cell.task.name} has no {split} rows; give the task some.")
    found = {int(i): outputs for i in trials if (outputs := _outputs(cell, int(i), split)) is not None}
    if not found:
        raise UnknownError(f"no trial's outputs on {split} rows are kept; run the study to its end.")
    return ScoredRows(np.array(list(found)), np.stack(list(found.values())), targets)


def rows_error(a: Cell, b: Cell, split: str, trials_a: NDArray[np.intp], trials_b: NDArray[np.intp]) -> RowsError:
    """Return the standard error over rows of the difference of two recipes' mean scores; see `seedwise.stats.rows_error`.

    A trial without outputs has a score that no row changes, and adds nothing.

    Args:
        a: The trials of recipe A.
        b: Those of recipe B, on the same rows.
        split: validation or test.
        trials_a: Which of A's trials its mean is of.
        trials_b: Which of B's.

    Raises:
        UnknownError: The two were not scored on the same rows, or outputs or labels are not kept.
    """
    one, other = scored_rows(a, split, trials_a), scored_rows(b, split, trials_b)
    if a.task.id != b.task.id or not np.array_equal(one.targets, other.targets):
        raise UnknownError(f"A and B must be scored on the same {split} rows; compare them on one task of one study.")
    return sampling.rows_error(
        a.task.metric, one.outputs, other.outputs, one.targets, of_a=len(trials_a), of_b=len(trials_b)
    )


def _complete_rows(cell: Cell) -> tuple[str, ScoredRows]:
    """Return what the complete trials, at least two, say of the test rows, or of the validation rows where there are none."""
    complete = np.array([i for i, record in enumerate(cell.records) if record.state is TrialState.COMPLETE], np.intp)
    if len(complete) < 2:
        raise UnknownError(f"this needs at least 2 complete trials, not {len(complete)}; run more.")
    if cell.twins.prevail:
        raise UnknownError(f"{cell.twins.words} Nothing is claimed from how they differ.")
    labels = cell.targets_of(cell.task)
    split = "validation" if labels is not None and labels.test is None else "test"
    rows = scored_rows(cell, split, complete)
    if len(rows.trials) < 2:
        raise UnknownError(f"this needs the outputs of at least 2 complete trials, not {len(rows.trials)}; run more.")
    return split, rows


def _winner(cell: Cell) -> int:
    """Return which trial validation chooses."""
    winner: TrialRecord | None = summarize(cell).winner
    if winner is None:
        raise UnknownError(f"no trial of {cell.task.name} is complete yet; run the study to its end.")
    return cell.records.index(winner)


def _known(compute: Callable[[], Interval]) -> Interval | None:
    """Return an interval, or None where the rows do not tell it."""
    try:
        return compute()
    except ValueError:
        return None


def _outputs(cell: Cell, trial: int, split: str) -> NDArray[np.float32] | None:
    """Return a trial's outputs at its best evaluation; those of an earlier evaluation are not the trial's."""
    record = cell.records[trial]
    kept = cell.predictions_of(record.id)
    if kept is None or record.best is None or kept.step != record.best[0]:
        return None
    outputs: NDArray[np.float32] | None = getattr(kept, split)
    return outputs if outputs is not None and np.isfinite(outputs).all() else None
