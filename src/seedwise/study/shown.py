"""How far is a study, and how does it look in print and in a notebook?"""

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from seedwise.errors import SeedwiseError
from seedwise.values.html import html_table
from seedwise.values.labels import cell_labels
from seedwise.values.record import by_cell
from seedwise.values.trial import TrialState

if TYPE_CHECKING:
    from seedwise.study.study import Study

__all__ = ["CellProgress", "progress_of", "study_html", "study_text"]


class CellProgress(NamedTuple):
    """How far the trials of one task and recipe are."""

    task: str
    recipe: str
    metric: str
    states: dict[TrialState, int]
    seconds: float | None  # unknown for imported runs
    best: float | None  # the best score so far, of any trial


def progress_of(study: "Study") -> list[CellProgress]:
    """Return how far the trials of each task and recipe are."""
    cells = by_cell(study.trials)
    labels = cell_labels((cell[0].trial for cell in cells), study.design)
    found = []
    for cell in cells:
        task, recipe = cell[0].trial.task, cell[0].trial.recipe
        best = (max if task.greater_is_better else min)((r.best[1] for r in cell if r.best), default=None)
        states = {state: sum(record.state is state for record in cell) for state in TrialState}
        seconds = None if study.is_imported else sum(record.seconds for record in cell)
        found.append(CellProgress(task.name, labels[task.id, recipe.id], task.metric, states, seconds, best))
    return found


def study_text(study: "Study") -> str:
    """Return a study in one line; of one that is closed, its folder."""
    try:
        cells = "; ".join(", ".join(filter(None, _words(cell))) for cell in progress_of(study))
    except SeedwiseError:
        cells = "closed"
    return f"<Study {study.folder}: {cells or 'no trials'}>"


def study_html(study: "Study") -> str:
    """Return a study as a small table; of one that is closed, its line."""
    header = ("task", "recipe", "trials", "best so far")
    try:
        return html_table(header, map(_words, progress_of(study)), f"Study {study.folder}")
    except SeedwiseError:
        return f"<p>{escape(study_text(study))}</p>"


def _words(cell: CellProgress) -> tuple[str, str, str, str]:
    states = ", ".join(f"{count} {state}" for state, count in cell.states.items() if count)
    return cell.task, cell.recipe, states, "" if cell.best is None else f"{cell.metric} {cell.best:.3f}"
