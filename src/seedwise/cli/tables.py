"""How are results printed: tables that line up, or CSV and JSON for other programs?"""

import csv
import json
import math
import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seedwise.analysis import Analysis
from seedwise.caveats import score_caveats
from seedwise.study import Study
from seedwise.trial import TrialState

__all__ = ["duration", "print_status", "print_summary", "print_trials"]


def print_summary(analysis: Analysis) -> None:
    """Print one line for each task and recipe: what was started, stopped and kept, and how good the best is."""
    summary = analysis.summary()
    failed = ("failed",) * any(cell.failed for cell in summary)
    columns = ("task", "metric", "started", "stopped", "kept", *failed)
    table = _table(*columns, "best", "median", "test", "guess", "runs", "time")
    for cell in summary:
        counts = (cell.started, cell.stopped, cell.kept, *(cell.failed for _ in failed))
        scores = (cell.best, cell.median, cell.test, cell.baseline)
        row = [cell.task.name, cell.task.metric, *map(str, counts), *map(_score, scores)]
        table.add_row(*map(Text, [*row, f"{cell.cost:.1f}", duration(cell.seconds)]))
    _console().print(table)
    for cell in summary:
        for caveat in score_caveats(cell.task, cell.best, cell.baseline):
            print(f"\n{cell.task.name}: {caveat}")


def print_status(study: Study) -> None:
    """Print trials by state for each task, device time, and the best so far."""
    cells = Analysis(study).cells()
    states = [s for s in TrialState if s is not TrialState.FAILED or any(r.state is s for c in cells for r in c)]
    model = ("model",) * (len({cell[0].trial.recipe.model_name for cell in cells}) > 1)
    table = _table("task", *model, *states, "time", "best so far")
    for cell in cells:
        task, recipe = cell[0].trial.task, cell[0].trial.recipe
        bests = [record.best[1] for record in cell if record.best]
        top = (max if task.greater_is_better else min)(bests, default=None)
        words = "–" if top is None else f"{task.metric} {_score(top)}"
        counts = [str(sum(record.state is state for record in cell)) for state in states]
        time = duration(sum(record.seconds for record in cell))
        table.add_row(*map(Text, [task.name, *(recipe.model_name for _ in model), *counts, time, words]))
    _console().print(table)
    if any(r.state is TrialState.RUNNING for cell in cells for r in cell) and not study.is_running:
        print(f"\nThe process that ran this study is gone: seedwise run {study.folder} continues it.")


def print_trials(study: Study, form: str) -> None:
    """Print every trial as a table, as CSV or as JSON."""
    rows = study.trials_table()
    if form == "json":
        json.dump([{k: _json_value(v) for k, v in row.items()} for row in rows], sys.stdout, indent=2)
        print()
    elif form == "csv":
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        error = ("error",) * any(row["error"] for row in rows)
        table = _table("trial", "task", "init", "order", "dropout", "state", "best", "at", "last", "time", *error)
        for row in rows:
            shown = [row[name] for name in ("task", "init", "order", "dropout", "state")]
            places = [row[name] for name in ("best_step", "last_step")]
            cells = [row["id"][:8], *shown, _score(row["best_score"]), *places, duration(row["seconds"])]
            table.add_row(*(Text("" if x is None else str(x)) for x in [*cells, *(row[name] for name in error)]))
        _console().print(table)


def duration(seconds: float) -> str:
    """Return a time that a person reads at a glance.

    Example:
        >>> duration(43.2), duration(7164), duration(90061)
        ('0:43', '1:59:24', '25:01:01')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _table(*names: str) -> Table:
    """Make a table for 80 columns: only what has no fixed width, such as names and errors, is ever folded."""
    gap = 1 if _console().width >= 100 else 0  # beside the one between columns
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0))
    for name in map(str, names):
        free = name in ("task", "model", "error")
        left = free or name in ("metric", "trial", "state")
        table.add_column(name, justify="left" if left else "right", no_wrap=not free, overflow="fold")
    return table


def _console() -> Console:
    """Never cut a table to 80 columns when it goes to a file or a pipe."""
    return Console() if sys.stdout.isatty() else Console(width=200)


def _score(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"


def _json_value(value: Any) -> Any:
    """JSON knows no nan."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
