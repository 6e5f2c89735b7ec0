"""What do tables with one row for each task and recipe have in common?"""

from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.errors import UnknownError
from seedwise.tables.table import Kind

__all__ = ["CellColumns", "Reasons", "cell_columns"]


Options = ParamSpec("Options")
Result = TypeVar("Result")
_AT_MOST = 3  # labels that one reason names


class CellColumns(NamedTuple):
    """The first columns of a table, which say whose row it is."""

    header: tuple[str, ...]  # task, and recipe where there are several
    kinds: tuple[Kind, ...]  # text for each
    names: Callable[[Cell], tuple[str, ...]]  # returns what stands in them for a cell
    cells: tuple[Cell, ...]  # the cells in the order of their rows: task by task


def cell_columns(analysis: Analysis) -> CellColumns:
    """Return the columns that name a study's cells."""
    tasks = list(dict.fromkeys(cell.task.id for cell in analysis.cells))
    cells = tuple(sorted(analysis.cells, key=lambda cell: tasks.index(cell.task.id)))
    if len(analysis.recipe_names) == 1:
        return CellColumns(("task",), ("text",), lambda cell: (cell.task.name,), cells)
    return CellColumns(
        ("task", "recipe"), ("text", "text"), lambda cell: (cell.task.name, analysis.recipe_name(cell)), cells
    )


class Reasons:
    """Why values of a table are missing, each reason once."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, label: str, reason: str) -> None:
        """Keep a reason and what it explains."""
        known = self._found.setdefault(reason, [])
        if label not in known:
            known.append(label)

    def known(
        self, label: str, compute: Callable[Options, Result], *args: Options.args, **options: Options.kwargs
    ) -> Result | None:
        """Return what is computed; None where the trials do not tell it, and keep the reason."""
        try:
            return compute(*args, **options)
        except UnknownError as error:
            self.add(label, str(error))
            return None

    def notes(self) -> tuple[str, ...]:
        """Return one sentence for each reason."""
        return tuple(f"{_listed(labels)}: {reason}" for reason, labels in self._found.items())


def _listed(labels: list[str]) -> str:
    more = f" and {len(labels) - _AT_MOST} more" if len(labels) > _AT_MOST + 1 else ""
    return "; ".join(labels[:_AT_MOST] if more else labels) + more
