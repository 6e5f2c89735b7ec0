"""How are results printed: tables that line up, or CSV and JSON for other programs?"""

import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from rich.text import Text

from seedwise.analysis.labels import cell_labels
from seedwise.cli.console import duration, new_table, print_table, score_words
from seedwise.study.study import Study
from seedwise.values.caveats import repeat_caveats, score_caveats
from seedwise.values.design import STAGES
from seedwise.values.record import by_cell
from seedwise.values.trial import TrialState

if TYPE_CHECKING:  # loading the statistics takes a second, and status needs none
    from seedwise.analysis.summary import CellSummary

__all__ = ["print_status", "print_summary", "print_trials"]


def print_summary(summary: "Sequence[CellSummary]", labels: Mapping[tuple[str, str], str]) -> None:
    """Print one line for each task and recipe: what was started, stopped and kept, and how good the best is."""
    failed = ("failed",) * any(cell.failed for cell in summary)
    named = ("recipe",) * (len(set(labels.values())) > 1)
    columns = ("task", *named, "metric", "started", "stopped", "kept", *failed)
    table = new_table(*columns, "best", "median", "test", "guess", "runs", "time")
    for cell in summary:
        counts = (cell.started, cell.stopped, cell.kept, *(cell.failed for _ in failed))
        scores = (cell.best, cell.median, cell.test, cell.baseline)
        row = [
            cell.task.name,
            *(labels[cell.task.id, cell.recipe_id] for _ in named),
            cell.task.metric,
            *map(str, counts),
            *map(score_words, scores),
        ]
        table.add_row(*map(Text, [*row, f"{cell.cost:.1f}", duration(cell.seconds)]))
    print_table(table)
    for cell in summary:
        for caveat in score_caveats(cell.task, cell.best, cell.baseline):
            print(f"\n{cell.task.name}: {caveat}")


def print_status(study: Study) -> None:
    """Print trials by state for each task, device time, and the best so far; of a study in stages, for each stage."""
    stages = [study]
    with ExitStack() as opened:
        if study.design is not None and study.design.stage == "report":
            before = [study.folder / stage for stage in STAGES if (study.folder / stage / "study.db").exists()]
            stages = [*(opened.enter_context(Study.open(place)) for place in before), study]
        for each in stages:
            if len(stages) > 1:
                print(f"{'' if each is stages[0] else chr(10)}{'report' if each is study else each.folder.name}:\n")
            if each.trials:
                _print_states(each)
            else:
                print("waits for the stages before it." if len(stages) > 1 else "nothing has been started yet.")
        differences = [event for each in stages for event in each.differences]
        running = any(record.state is TrialState.RUNNING for each in stages for record in each.trials)
    for caveat in repeat_caveats(differences):
        print(f"\n{caveat}")
    if running and not study.is_running:
        print(f"\nThe process that ran this study is gone: seedwise run {study.folder} continues it.")


def _print_states(study: Study) -> None:
    cells = by_cell(study.trials)
    found = {record.state for cell in cells for record in cell}
    always = set() if study.is_imported else set(TrialState) - {TrialState.FAILED}
    states = [state for state in TrialState if state in found | always]
    labels = cell_labels((cell[0].trial for cell in cells), study.design)
    named = ("recipe",) * (len(set(labels.values())) > 1)
    time = ("time",) * (not study.is_imported)  # of imported runs it is not known
    table = new_table("task", *named, *states, *time, "best so far")
    for cell in cells:
        task, recipe = cell[0].trial.task, cell[0].trial.recipe
        bests = [record.best[1] for record in cell if record.best]
        top = (max if task.greater_is_better else min)(bests, default=None)
        words = "–" if top is None else f"{task.metric} {score_words(top)}"
        counts = [str(sum(record.state is state for record in cell)) for state in states]
        took = [duration(sum(record.seconds for record in cell)) for _ in time]
        table.add_row(*map(Text, [task.name, *(labels[task.id, recipe.id] for _ in named), *counts, *took, words]))
    print_table(table)


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
        cells = by_cell(study.trials)
        labels = cell_labels((cell[0].trial for cell in cells), study.design)
        recipe_of = {
            record.id: labels[cell[0].trial.task.id, cell[0].trial.recipe.id] for cell in cells for record in cell
        }
        named = ("recipe",) * (len(set(recipe_of.values())) > 1)
        time = ("time",) * (not study.is_imported)
        error = ("error",) * any(row["error"] for row in rows)
        seeds = ("init", "order", "dropout")
        table = new_table("trial", "task", *named, *seeds, "state", "best", "at", "last", *time, *error)
        for row in rows:
            who = [row["id"][:8], row["task"], *(recipe_of[row["id"]] for _ in named), *(row[name] for name in seeds)]
            scores = [row["state"], score_words(row["best_score"]), row["best_step"], row["last_step"]]
            line = [*who, *scores, *(duration(row["seconds"]) for _ in time), *(row[name] for name in error)]
            table.add_row(*(Text("" if x is None else str(x)) for x in line))
        print_table(table)


def _json_value(value: Any) -> Any:
    """JSON knows no nan."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
