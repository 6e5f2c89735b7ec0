"""Which pairs of a study's recipes are compared, so that one correction allows for all of them?"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from seedwise.analysis.cell import Cell
from seedwise.analysis.compared import common_split, compared_trials
from seedwise.analysis.verdicts import Verdict, corrected, judge
from seedwise.errors import UnknownError

__all__ = ["task_split", "verdicts_of_pairs", "why_not_compared"]


def verdicts_of_pairs(
    cells: Sequence[Cell], name_of: Callable[[Cell], str], *, split: str | None = None, sequential: bool = False
) -> tuple[Verdict, ...]:
    """Return the verdict on every pair of recipes on every task, corrected together; those that have no scores are left out.

    Raises:
        UnknownError: There are pairs, but none can be compared.
    """
    found, reasons = [], []
    splits = {task: split or task_split(cells, task) for task in {cell.task.id for cell in cells}}
    for a, b in _pairs(cells):
        names = name_of(a), name_of(b)
        try:
            found.append(judge(a, b, names, split=splits[a.task.id], sequential=sequential))
        except ValueError as error:
            reasons.append(error)
    if reasons and not found:
        raise UnknownError(str(reasons[0]))
    return tuple(corrected(found))


def task_split(cells: Sequence[Cell], task_id: str) -> str:
    """Return which rows' scores decide on a task: test where every recipe that can be compared has them, else validation."""
    usable = []
    for cell in cells:
        if cell.task.id == task_id:
            try:
                cell.final()
            except UnknownError:
                continue
            usable.append(cell)
    return common_split(usable) if usable else "validation"


def why_not_compared(cell: Cell, split: str) -> str:
    """Return why a recipe's trials can be compared with no other's; empty where nothing about them forbids it."""
    try:
        compared_trials(cell, cell, split)
    except UnknownError as error:
        return str(error)
    return ""


def _pairs(cells: Sequence[Cell]) -> Iterator[tuple[Cell, Cell]]:
    return ((a, b) for a, b in combinations(cells, 2) if a.task.id == b.task.id)
