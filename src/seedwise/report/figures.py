"""Which figures of the catalogue does a study allow, and why not the others?"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from altair.utils.schemapi import debug_mode

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.choices import Choice, choices
from seedwise.charts.weights import has_bias
from seedwise.errors import UnknownError
from seedwise.report.catalogue import CATALOGUE, CatalogueEntry, Scope, Subject
from seedwise.values.recipe import Recipe
from seedwise.values.trial import TrialState

__all__ = ["Figure", "Missing", "cell_figures", "study_figures", "task_figures", "tuning_figures"]


class Figure(NamedTuple):
    """One figure of the report."""

    name: str  # what its file is called, without ending
    kind: str  # which figure it is, as a study promises it: curves, grid
    caption: str  # what it shows, how that was computed, and whose method it is
    chart: Any  # the Altair chart


class Missing(NamedTuple):
    """A figure that cannot be drawn of these trials."""

    name: str  # what its file would have been called
    kind: str  # which figure it would have been
    title: str  # what it would have shown
    reason: str  # why it cannot be drawn


def cell_figures(analysis: Analysis, cell: Cell, kinds: Collection[str] | None = None) -> Iterator[Figure | Missing]:
    """Return the figures of one cell, all or those of some kinds."""
    subject = Subject(_cell_prefix(analysis, cell), {cell.task.name: cell})
    scopes = {Scope.CELL, Scope.EARLY} if cell.states[TrialState.STOPPED] else {Scope.CELL}
    return _drawn(analysis, subject, scopes, kinds)


def study_figures(analysis: Analysis) -> Iterator[Figure | Missing]:
    """Return the figures of several recipes together, and that of Adam's bias where a recipe leaves its correction out."""
    # Where test rows have no say, nothing is chosen for its test score.
    kinds = None if analysis.split is None else {entry.kind for entry in CATALOGUE} - {"recipes-expected-test"}
    for task in dict.fromkeys(cell.task.id for cell in analysis.cells):
        cells = {analysis.recipe_name(cell): cell for cell in analysis.cells if cell.task.id == task}
        if len(cells) > 1:
            subject = _task_subject(analysis, cells)
            lengths = {Scope.LENGTHS} if _have_several_lengths(analysis, cells.values()) else set()
            yield from _drawn(analysis, subject, {Scope.RECIPES, *lengths}, kinds)
    if has_bias(analysis):
        yield from _drawn(analysis, Subject("", {}), {Scope.ADAM})


def task_figures(analysis: Analysis) -> Iterator[Figure | Missing]:
    """Return the figures of several tasks together, of a study that has several."""
    if len({cell.task.id for cell in analysis.cells}) > 1:
        yield from _drawn(analysis, Subject("", {}), {Scope.TASKS})


def tuning_figures(analysis: Analysis) -> Iterator[Figure | Missing]:
    """Return the figures of what each arm of the study's design chose among, of the report's analysis or the tuning's."""
    found = choices(analysis)
    for task in dict.fromkeys(choice.task.id for choice in found):
        mine = [choice for choice in found if choice.task.id == task and choice.tried]
        for choice in mine:
            if choice.field != "num_train_steps":
                scope = Scope.DEPTHS if choice.field == "reinit_layers" else Scope.CANDIDATES
                yield from _drawn(analysis, _candidates(analysis, choice), {scope})
        lines = {
            choice.arm: [*_own_length(analysis, choice), *(one.cell for one in choice.tried)]
            for choice in mine
            if choice.field == "num_train_steps"
        }
        if lines:
            subject = _task_subject(analysis, {arm: cells[0] for arm, cells in lines.items()})
            yield from _drawn(analysis, subject._replace(lines=lines), {Scope.OWN_LENGTHS})


def _drawn(
    analysis: Analysis, subject: Subject, scopes: Collection[Scope], kinds: Collection[str] | None = None
) -> Iterator[Figure | Missing]:
    """Draw the subject in every way that the catalogue has for it."""
    for entry in CATALOGUE:
        own = _tracking(subject, entry)
        if entry.scope in scopes and own is not None and (kinds is None or entry.kind in kinds):
            yield _figure(analysis, entry, own)


def _tracking(subject: Subject, entry: CatalogueEntry) -> Subject | None:
    """Return the subject without recipes that do not track what the figure shows; None where none is left."""
    if not entry.tracked:
        return subject
    cells = {name: cell for name, cell in subject.cells.items() if _tracks(cell, entry.tracked)}
    if entry.scope is Scope.DEPTHS and len(cells) < len(subject.cells):  # a gap among the depths would mislead
        return None
    return subject._replace(cells=cells) if cells else None


def _figure(analysis: Analysis, entry: CatalogueEntry, subject: Subject) -> Figure | Missing:
    """Draw a figure, or say why it cannot be drawn."""
    name = "-".join(filter(None, (subject.prefix, entry.kind, subject.ending)))
    try:
        with debug_mode(arg=False):  # half of the time is Altair's own checking, which the tests leave on
            chart = entry.draw(analysis, subject)
    except UnknownError as error:
        return Missing(name, entry.kind, entry.title, str(error))
    return Figure(name, entry.kind, entry.caption.format(**subject.words), chart)


def _tracks(cell: Cell, name: str) -> bool:
    return isinstance(cell.recipe, Recipe) and name in cell.recipe.track


def _task_subject(analysis: Analysis, cells: Mapping[str, Cell]) -> Subject:
    first = next(iter(cells.values()))
    return Subject(_task_prefix(analysis, first), cells, {"task": first.task.name})


def _candidates(analysis: Analysis, choice: Choice) -> Subject:
    """Return an arm's candidates, beside the arm that they are to be seen against."""
    cells = {tried.words: tried.cell for tried in choice.tried}
    words = {"task": choice.task.name, "arm": choice.arm, "beside": ""}
    before = _without_search(analysis, choice)
    if before is not None:
        cells = {f"{before[0]}, report's seeds": before[1], **cells}
        words["beside"] = f"; {before[0]} on the report's seeds"
    return Subject(_task_prefix(analysis, choice.tried[0].cell), cells, words, _file_name(choice.arm))


def _without_search(analysis: Analysis, choice: Choice) -> tuple[str, Cell] | None:
    """Return the arm that others are seen beside, with its trials: the one that they come after, or else the first.

    None where it has something to choose itself, so that its trials are not of one recipe in all stages.
    """
    design = analysis.design
    if design is None or design.stage != "report":
        return None
    arms = {arm.name: arm for arm in design.design.arms if arm.task.id == choice.task.id}
    name = (arms[choice.arm].after if choice.arm in arms else None) or next(iter(arms), "")
    cell = analysis.rows.get(name, {}).get(choice.task.id)
    return (name, cell) if cell is not None and name in arms and not arms[name].search else None


def _own_length(analysis: Analysis, choice: Choice) -> list[Cell]:
    """Return the report's trials of the same recipe at the length it has without a search, where there are any."""
    arms = () if analysis.design is None else analysis.design.design.arms
    steps = next(arm.recipe.num_train_steps for arm in arms if (arm.name, arm.task) == (choice.arm, choice.task))
    recipe = choice.tried[0].cell.recipe
    lengths = {one.cell.facts.steps for one in choice.tried}
    return [
        cell
        for cell in analysis.cells
        if cell.task.id == choice.task.id
        and cell.recipe == recipe.with_changes(num_train_steps=steps)  # type: ignore[union-attr]
        and cell.facts.steps not in lengths
    ]


def _have_several_lengths(analysis: Analysis, cells: Iterable[Cell]) -> bool:
    """Whether recipes train for different lengths, none of which is a choice of the design."""
    if analysis.design is not None and any("num_train_steps" in arm.search for arm in analysis.design.design.arms):
        return False
    return len({cell.facts.steps for cell in cells if isinstance(cell.recipe, Recipe) and cell.facts.steps}) > 1


def _file_name(text: str) -> str:
    """Return a text as part of a file's name."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:60] or "study"


def _cell_prefix(analysis: Analysis, cell: Cell) -> str:
    """Return what the file names of a cell's figures begin with; no two cells share it."""
    names = [_file_name(analysis.label(other)) for other in analysis.cells]
    place = analysis.cells.index(cell)
    return names[place] if names.count(names[place]) == 1 else f"{names[place]}-{place + 1}"


def _task_prefix(analysis: Analysis, cell: Cell) -> str:
    """Return what the file names of a task's figures begin with; no two tasks share it."""
    names = [_file_name(task.name) for task in {c.task.id: c.task for c in analysis.cells}.values()]
    name = _file_name(cell.task.name)
    return name if names.count(name) == 1 else f"{name}-{cell.task.id[:4]}"
