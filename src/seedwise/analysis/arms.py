"""How does each arm of a study do on each task, and by how much does it differ from the one it is held against?"""

from collections.abc import Mapping
from typing import NamedTuple

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.compared import common_split
from seedwise.analysis.verdicts import Verdict
from seedwise.errors import UnknownError
from seedwise.stats.compare.tests import equal_to_best
from seedwise.values.imported import AnyTask

__all__ = ["ArmScore", "arm_scores"]


class ArmScore(NamedTuple):
    """One arm on one task."""

    arm: str  # its name
    task: AnyTask  # the task
    split: str  # whether scores are of the test or the validation rows
    n: int  # trials at their end
    mean: float | None  # their mean score; None where it cannot be told
    sd: float | None  # its standard deviation
    # whether it would be printed in bold by the papers' own rule, a one-tailed Student's t-test against the best mean that knows
    # neither of shared seeds nor of the other comparisons (Zhang et al. 2021, section 5); None where it has no scores
    bold: bool | None
    against: str | None  # name of the arm that it is held against; None where it is held against none
    verdict: Verdict | None  # the arm against that one; None where they cannot be compared
    reason: str  # why something is missing; empty where nothing is


def arm_scores(analysis: Analysis, against: Mapping[str, str | None] | None = None) -> list[ArmScore]:
    """Return every arm on every task, task by task; all are held against the first arm where nothing else is said."""
    first = next(iter(analysis.rows), None)
    scores = []
    for task in {cell.task.id: cell.task for cell in analysis.cells}.values():
        cells = {arm: found[task.id] for arm, found in analysis.rows.items() if task.id in found}
        usable = {arm: cell for arm, cell in cells.items() if not _refusal(cell)}
        split = common_split(list(usable.values())) if usable else "validation"
        scores_of = {arm: cell.scores(split) for arm, cell in usable.items()}
        greater = all(cell.greater_is_better for cell in usable.values())
        bold = equal_to_best(scores_of, greater_is_better=greater).equal if len(scores_of) > 1 else tuple(scores_of)
        for arm, cell in cells.items():
            other = (against or {}).get(arm, first)
            other = other if other in cells and other != arm else None
            scores.append(
                _score(analysis, arm, cell, split, other, usable)._replace(bold=arm in bold if arm in usable else None)
            )
    return scores


def _score(
    analysis: Analysis, arm: str, cell: Cell, split: str, other: str | None, usable: Mapping[str, Cell]
) -> ArmScore:
    if arm not in usable:
        return ArmScore(arm, cell.task, split, 0, None, None, None, other, None, _refusal(cell))
    own = cell.scores(split)
    found, reason = None, ""
    if other is not None:
        found, reason = _compared(analysis, arm, cell, other, usable, split)
    return ArmScore(
        arm, cell.task, split, len(own), float(own.mean()), float(own.std(ddof=1)), None, other, found, reason
    )


def _compared(
    analysis: Analysis, arm: str, cell: Cell, other: str, usable: Mapping[str, Cell], split: str
) -> tuple[Verdict | None, str]:
    if other not in usable:
        return None, f"{other} has no scores to compare with yet."
    if usable[other] is cell:
        return None, f"it has come to the recipe of {other}, so that they are the same trials."
    try:
        return analysis.verdict(cell, usable[other], labels=(arm, other), split=split), ""
    except UnknownError as error:
        return None, str(error)


def _refusal(cell: Cell) -> str:
    """Return why a cell has no final scores; empty where it has."""
    try:
        cell.final()
    except UnknownError as error:
        return str(error)
    return ""
