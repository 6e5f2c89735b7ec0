"""How does ``seedwise import`` say what it found, and keep it?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from cyclopts import Parameter
from rich.text import Text

import seedwise as sw
from seedwise.cli.arguments import Folder, Json
from seedwise.cli.console import messages_aside, new_table, print_json, print_table, score_words
from seedwise.errors import RequestError
from seedwise.values.record import TrialRecord, by_cell
from seedwise.values.trial import TrialState

if TYPE_CHECKING:  # loaded on first use
    from seedwise.importing.runs import ImportedRuns

__all__ = ["import_"]

STATES = (TrialState.COMPLETE, TrialState.STOPPED, TrialState.FAILED)
SHOWN = 3
"""Runs of the preview's last table."""


def import_(
    file: Annotated[Path, Parameter(help="CSV, TSV, JSON Lines, JSON, Parquet, or a folder of trainer_state.json.")],
    folder: Folder,
    *,
    map: Annotated[tuple[str, ...], Parameter(negative="", help="FIELD=COLUMN, once for each field.")] = (),  # noqa: A002
    beside: Annotated[Path | None, Parameter(name="--with", help="A second file, with one row for each run.")] = None,
    pattern: Annotated[
        str | None, Parameter(help="Named groups to find in a run's path: 'seed(?P<init>[0-9]+)'.")
    ] = None,
    baseline: Annotated[
        tuple[str, ...], Parameter(negative="", help="The score of the best constant guess: VALUE or TASK=VALUE.")
    ] = (),
    lower_is_better: Annotated[
        bool | None, Parameter(help="Whether a lower score is better; by default the metric's name decides.")
    ] = None,
    all_complete: Annotated[
        bool, Parameter(negative="", help="Runs that end early are complete, not stopped.")
    ] = False,
    preview: Annotated[bool, Parameter(negative="", help="Show what would be imported, and write nothing.")] = False,
    json: Json = False,
) -> None:
    """Import runs that were made elsewhere, for everything but training.

    FIELD is task, recipe, init, order, dropout, step, epoch, score, train_loss,
    validation_loss or test_score; score:NAME and test_score:NAME name a metric,
    and the first score decides. A column with a field's name needs no --map.

    COLUMN may also be :VALUE (the same for every row), A,B (for each task the
    first column with a value), a.b (a nested value; a list is a curve) or acc_*
    (one column for each evaluation; the star is the step).
    """
    from seedwise.importing.mapping import parse

    runs = sw.read_runs(
        file,
        parse(map),
        beside=beside,
        pattern=pattern,
        baseline=_baselines(baseline),
        lower_is_better=lower_is_better,
        all_complete=all_complete,
    )
    with messages_aside(json):
        _print_preview(runs, file)
        if preview:
            print("\nnothing was written; without --preview, these runs are imported.")
        else:
            sw.Study.import_runs(folder, runs).close()
            print(f"\nimported {len(runs.records):,} runs into {folder}; next: seedwise status {folder}")
    if json:
        print_json(_as_json(runs, None if preview else folder))


def _as_json(runs: "ImportedRuns", study: Path | None) -> dict[str, Any]:
    cells = [_imported(cell)._asdict() for cell in by_cell(runs.records)]
    return {
        "study": study,
        "rows": runs.rows,
        "runs": len(runs.records),
        "fields": dict(runs.mapping),
        "cells": cells,
        "notes": _notes(runs),
    }


class _Imported(NamedTuple):
    """The runs of one task and recipe."""

    task: str
    recipe: str
    metric: str
    greater_is_better: bool
    runs: int
    evaluations: tuple[int, int]  # the fewest and the most of a run
    states: dict[TrialState, int]


def _imported(cell: Sequence[TrialRecord]) -> _Imported:
    task, lengths = cell[0].trial.task, [len(record.evaluations) for record in cell]
    states = {state: sum(record.state is state for record in cell) for state in STATES}
    name = cell[0].trial.recipe.model_name
    spread = (min(lengths), max(lengths))
    return _Imported(task.name, name, task.metric, task.greater_is_better, len(cell), spread, states)


def _baselines(texts: Sequence[str]) -> float | dict[str, float] | None:
    """Read ``VALUE`` or ``TASK=VALUE`` texts."""
    found: dict[str, float] = {}
    for text in texts:
        task, _, value = text.rpartition("=")
        try:
            found[task] = float(value)
        except ValueError as error:
            raise RequestError(
                f"--baseline must read VALUE or TASK=VALUE, not {text!r}; for example RTE=0.53."
            ) from error
    if "" in found and len(found) > 1:
        raise RequestError(f"--baseline must name the task of every value, not {list(texts)!r}; write TASK=VALUE.")
    return found.get("", found or None)


def _print_preview(runs: "ImportedRuns", file: Path) -> None:
    print(f"{file.name or file}: {runs.rows:,} rows, {len(runs.records):,} runs\n")
    table = new_table("field", "from")
    for field, source in runs.mapping.items():
        table.add_row(field, Text(f"always {source[1:]}" if source.startswith(":") else source))
    print_table(table)
    print()
    _print_cells(runs.records)
    print()
    _print_first(runs.records[:SHOWN])
    notes = _notes(runs)
    if notes:
        print()
    for note in notes:
        print(f"- {note}")


def _notes(runs: "ImportedRuns") -> list[str]:
    """Return what a reader should know of the runs, among it whether seeds made no difference."""
    from seedwise.analysis.twins import find_twins

    found = {
        f"{cell[0].trial.task.name}, {cell[0].trial.recipe.model_name}": find_twins(cell)
        for cell in by_cell(runs.records)
    }
    return [*runs.notes, *(f"{name}: {twins.words}" for name, twins in found.items() if twins.groups)]


def _print_cells(records: Sequence[TrialRecord]) -> None:
    """Print one line for each task and recipe."""
    table = new_table("task", "recipe", "metric", "better", "runs", "evaluations", *map(str, STATES))
    for cell in map(_imported, by_cell(records)):
        better = "more" if cell.greater_is_better else "less"
        spread = " to ".join(map(str, sorted(set(cell.evaluations))))
        row = [cell.task, cell.recipe, cell.metric, better, str(cell.runs), spread, *map(str, cell.states.values())]
        table.add_row(*map(Text, row))
    print_table(table)


def _print_first(records: Sequence[TrialRecord]) -> None:
    """Print the first runs as they are understood."""
    table = new_table("task", "recipe", "init", "order", "dropout", "steps", "first", "last", "best", "at", "test")
    for record in records:
        trial, seeds = record.trial, record.trial.seeds
        step, best = record.best or (None, None)
        test = next(iter((record.test_metrics or {}).values()), None)
        scores: list[Any] = [score_words(x) for x in (record.scores[0][1], record.scores[-1][1], best)]
        steps = f"{record.scores[0][0]}..{record.scores[-1][0]}"
        names = [trial.task.name, trial.recipe.model_name, seeds.init, seeds.order, seeds.dropout, steps]
        cells = [*names, *scores, "–" if step is None else step, score_words(test)]
        table.add_row(*(Text(str(cell)) for cell in cells))
    print_table(table)
