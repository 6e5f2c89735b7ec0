"""What do the single rows say of a task and recipe: how sure is a score, where do seeds disagree, what does an ensemble add?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.errors import UnknownError
from seedwise.stats.items import sampling
from seedwise.stats.items.sampling import RowsError

__all__ = ["ScoredRows", "rows_error", "scored_rows"]

Floats = NDArray[np.float64]


class ScoredRows(NamedTuple):
    """What trials say of every row of a split, and what is right."""

    trials: NDArray[np.intp]  # which of the cell's trials, (n,); those whose finite outputs are kept
    outputs: NDArray[np.float32]  # their outputs before softmax, (n, rows, outputs)
    targets: NDArray[np.float32]  # class number or value of each row, (rows,)


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
        raise UnknownError("what trials say of single rows is not known of imported runs; train them with seedwise.")
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


def _outputs(cell: Cell, trial: int, split: str) -> NDArray[np.float32] | None:
    """Return a trial's outputs at its best evaluation; those of an earlier evaluation are not the trial's."""
    record = cell.records[trial]
    kept = cell.predictions_of(record.id)
    if kept is None or record.best is None or kept.step != record.best[0]:
        return None
    outputs: NDArray[np.float32] | None = getattr(kept, split)
    return outputs if outputs is not None and np.isfinite(outputs).all() else None
