"""What did each arm of a design choose among, what did it choose, and could the choice as well have been the next one?"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.verdicts import Verdict
from seedwise.errors import UnknownError
from seedwise.values.arm import Arm, Candidate
from seedwise.values.choice import choose
from seedwise.values.imported import AnyTask

__all__ = ["Choice", "Tried", "choices"]


class Tried(NamedTuple):
    """One candidate of an arm on one task."""

    words: str  # its searched values, as ``L = 3``
    scores: NDArray[np.float64]  # best validation score of each of its trials on the tuning seeds, (n,)
    missing: int  # how many trials have ended without a score
    cell: Cell  # the candidate's trials

    @property
    def mean(self) -> float:
        """Mean of the scores."""
        return float(self.scores.mean())

    @property
    def sd(self) -> float:
        """Their standard deviation."""
        return float(self.scores.std(ddof=1)) if len(self.scores) > 1 else float("nan")


class Choice(NamedTuple):
    """What one arm chose on one task, on the tuning seeds by the mean validation score."""

    arm: str  # the arm's name
    task: AnyTask  # the task
    tried: tuple[Tried, ...]  # the candidates that have scores, in the order of the search
    # words of the candidates that have none: they do not fit the task or the model, or are not done yet
    left_out: tuple[str, ...]
    chosen: str | None  # words of the candidate that was taken; None while nothing is
    against_next: Verdict | None  # the chosen one against the best of the others
    field: str | None  # the one field that is searched; None where there are several

    @property
    def ranked(self) -> list[Tried]:
        """The candidates that have scores, in the order in which they would be chosen."""
        return _ranked(self.tried, self.task)


def choices(analysis: Analysis) -> list[Choice]:
    """Return what every arm with a search chose, task by task; nothing where the study's design has nothing to choose."""
    record = analysis.design
    if record is None or record.stage == "intermediate":
        return []
    tuning = analysis if record.stage == "tuning" else analysis.tuning
    if tuning is None:
        return []
    cells = {(cell.task.id, cell.recipe.id): cell for cell in tuning.cells}
    found = []
    for task in record.design.tasks:
        for arm in record.design.arms:
            if arm.search and arm.task == task:
                picked = record.chosen.get((arm.name, task.id))
                candidates = record.design.candidates(arm, record.chosen) or ()
                found.append(_choice(tuning, arm, candidates, cells, None if picked is None else picked.id))
    return found


def _choice(
    tuning: Analysis,
    arm: Arm,
    candidates: Sequence[Candidate],
    cells: Mapping[tuple[str, str], Cell],
    picked: str | None,
) -> Choice:
    task = arm.task
    tried: list[Tried] = []
    left_out: list[str] = []
    chosen = None
    for candidate in candidates:
        cell = cells.get((task.id, candidate.recipe.id))
        if candidate.recipe.id == picked:
            chosen = candidate.words
        one = None if cell is None else _tried(candidate.words, cell, arm)
        if one is None:
            left_out.append(candidate.words)
        else:
            tried.append(one)
    field = next(iter(arm.search)) if len(arm.search) == 1 else None
    return Choice(
        arm.name,
        task,
        tuple(tried),
        tuple(left_out),
        chosen,
        _against_next(tuning, _ranked(tried, task), chosen),
        field,
    )


def _tried(words: str, cell: Cell, arm: Arm) -> Tried | None:
    """Return the scores that the choice goes by; None without any."""
    ended = [record for record, end in zip(cell.records, cell.ended, strict=True) if end]
    mine = [record.best for record in ended if record.trial.seeds in arm.tuning_seeds]
    scores = [best[1] for best in mine if best is not None]
    return Tried(words, np.array(scores), len(mine) - len(scores), cell) if scores else None


def _ranked(tried: Sequence[Tried], task: AnyTask) -> list[Tried]:
    """Rank candidates as `seedwise.values.choice.choose` does."""
    rest, ranked = list(tried), []
    while rest:
        scores = [[*one.scores, *[np.nan] * one.missing] for one in rest]
        ranked.append(rest.pop(choose(scores, greater_is_better=task.greater_is_better) or 0))
    return ranked


def _against_next(tuning: Analysis, tried: Sequence[Tried], chosen: str | None) -> Verdict | None:
    mine = [one for one in tried if one.words == chosen]
    others = [one for one in tried if one.words != chosen]
    if not mine or not others or mine[0].missing or others[0].missing:  # means of fewer trials are another thing
        return None
    try:
        return tuning.verdict(mine[0].cell, others[0].cell, labels=(mine[0].words, others[0].words), split="validation")
    except UnknownError:
        return None
