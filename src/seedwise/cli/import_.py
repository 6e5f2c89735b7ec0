"""How does ``seedwise import`` say what it found, and keep it?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.text import Text

from seedwise.cli.console import new_table, print_table, score_words
from seedwise.errors import RequestError
from seedwise.importing.mapping import parse
from seedwise.importing.runs import ImportedRuns, read_runs
from seedwise.study.study import Study
from seedwise.values.record import TrialRecord
from seedwise.values.trial import TrialState

__all__ = ["ImportOptions", "import_file"]

SHOWN = 3
"""Runs of the preview's last table."""


class ImportOptions(NamedTuple):
    """What can be said of an import; see `seedwise.read_runs`."""

    columns: Sequence[str]
    beside: Path | None
    pattern: str | None
    baselines: Sequence[str]
    lower_is_better: bool | None
    all_complete: bool


def import_file(file: Path, folder: Path, options: ImportOptions, *, preview: bool) -> None:
    """Print what a file holds, and keep it unless only the preview is wanted."""
    runs = read_runs(
        file,
        parse(options.columns),
        beside=options.beside,
        pattern=options.pattern,
        baseline=_baselines(options.baselines),
        lower_is_better=options.lower_is_better,
        all_complete=options.all_complete,
    )
    _print_preview(runs, file)
    if preview:
        print("\nnothing was written; without --preview, these runs are imported.")
        return
    Study.import_runs(folder, runs).close()
    print(f"\nimported {len(runs.records):,} runs into {folder}; next: seedwise status {folder}")


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


def _print_preview(runs: ImportedRuns, file: Path) -> None:
    print(f"{file.name or file}: {runs.rows:,} rows, {len(runs.records):,} runs\n")
    table = new_table("field", "from")
    for field, source in runs.mapping.items():
        table.add_row(field, Text(f"always {source[1:]}" if source.startswith(":") else source))
    print_table(table)
    print()
    _print_cells(runs.records)
    print()
    _print_first(runs.records[:SHOWN])
    if runs.notes:
        print()
    for note in runs.notes:
        print(f"- {note}")


def _print_cells(records: Sequence[TrialRecord]) -> None:
    """Print one line for each task and recipe."""
    cells: dict[tuple[str, str], list[TrialRecord]] = {}
    for record in records:
        cells.setdefault((record.trial.task.id, record.trial.recipe.id), []).append(record)
    states = (TrialState.COMPLETE, TrialState.STOPPED, TrialState.FAILED)
    table = new_table("task", "recipe", "metric", "better", "runs", "evaluations", *map(str, states))
    for found in cells.values():
        trial = found[0].trial
        lengths = sorted({len(record.evaluations) for record in found})
        spread = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
        better = "more" if trial.task.greater_is_better else "less"
        counts = [str(sum(record.state is state for record in found)) for state in states]
        names = [trial.task.name, trial.recipe.model_name, trial.task.metric, better]
        table.add_row(*map(Text, [*names, str(len(found)), spread, *counts]))
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
