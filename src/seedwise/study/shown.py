"""How does a study look in print and in a notebook?"""

from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from seedwise.errors import SeedwiseError
from seedwise.values.record import TrialRecord, by_cell

if TYPE_CHECKING:
    from seedwise.study.study import Study

__all__ = ["study_html", "study_text"]


def study_text(study: "Study") -> str:
    """Return a study in one line; of one that is closed, its folder."""
    try:
        cells = by_cell(study.trials)
    except SeedwiseError:
        return f"<Study {study.folder}: closed>"
    return (
        f"<Study {study.folder}: {'; '.join(', '.join(filter(None, _words(cell))) for cell in cells) or 'no trials'}>"
    )


def study_html(study: "Study") -> str:
    """Return a study as a small table, in the colours of the page around it."""
    try:
        cells = by_cell(study.trials)
    except SeedwiseError:
        return f"<p>{escape(study_text(study))}</p>"
    head = "".join(f"<th>{name}</th>" for name in ("task", "recipe", "trials", "best"))
    rows = ("".join(f"<td>{escape(word)}</td>" for word in _words(cell)) for cell in cells)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><caption>Study {escape(str(study.folder))}</caption><tr>{head}</tr>{body}</table>"


def _words(cell: tuple[TrialRecord, ...]) -> tuple[str, str, str, str]:
    """Return task, recipe, trials by state and the best score of one task and recipe."""
    task, recipe = cell[0].trial.task, cell[0].trial.recipe
    states = ", ".join(f"{count} {state}" for state, count in Counter(record.state for record in cell).items())
    scores = [record.best[1] for record in cell if record.best is not None]
    best = f"{task.metric} {(max if task.greater_is_better else min)(scores):.3f}" if scores else ""
    return task.name, recipe.model_name, states, best
