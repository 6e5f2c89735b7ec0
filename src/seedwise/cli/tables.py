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
from seedwise.study import Study
from seedwise.trial import TrialState

__all__ = ["print_status", "print_summary", "print_trials"]


def print_summary(analysis: Analysis) -> None:
    """Print one line for each task and recipe: what was started, stopped and kept, and how good the best is."""
    table = _table(
        "task", "metric", "started", "stopped", "kept", "failed", "best", "median", "test", "guess", "cost", "time"
    )
    for cell in analysis.summary():
        counts = (cell.started, cell.stopped, cell.kept, cell.failed)
        scores = (cell.best, cell.median, cell.test, cell.baseline)
        row = [cell.task.name, cell.task.metric, *map(str, counts), *map(_score, scores)]
        table.add_row(*map(Text, [*row, f"{cell.cost:.1f} runs", f"{cell.seconds:.0f} s"]))
    _console().print(table)


def print_status(study: Study) -> None:
    """Print trials by state for each task, device seconds, and the best so far."""
    table = _table("task", "model", *TrialState, "seconds", "best so far")
    for group in Analysis(study).cells():
        first = group[0].trial
        states = [record.state for record in group]
        bests = [record.best[1] for record in group if record.best]
        top = (max if first.task.greater_is_better else min)(bests, default=None)
        words = "–" if top is None else f"{first.task.metric} {top:.4f}"
        seconds = sum(record.seconds for record in group)
        counts = [str(states.count(state)) for state in TrialState]
        table.add_row(*map(Text, [first.task.name, _short(first.recipe.model), *counts, f"{seconds:.0f}", words]))
    _console().print(table)


def print_trials(study: Study, form: str) -> None:
    """Print every trial as a table, as CSV or as JSON."""
    rows = study.trials_table()
    if form == "json":
        json.dump([{k: _plain(v) for k, v in row.items()} for row in rows], sys.stdout, indent=2)
        print()
    elif form == "csv":
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        shown = (
            "task",
            "init",
            "order",
            "dropout",
            "state",
            "best_step",
            "best_score",
            "last_step",
            "seconds",
            "error",
        )
        table = _table("trial", *(name.replace("_", " ") for name in shown))
        for row in rows:
            table.add_row(*(Text(_cell(row.get(name))) for name in ("id", *shown)))
        _console().print(table)


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(
            str(name), justify="left" if name in ("task", "model", "metric", "trial", "error") else "right"
        )
    return table


def _console() -> Console:
    """Never cut a table to 80 columns when it goes to a file or a pipe."""
    return Console() if sys.stdout.isatty() else Console(width=200)


def _score(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.4f}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    """JSON knows no nan."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _short(model: str) -> str:
    return model.rstrip("/").rsplit("/", 1)[-1]
