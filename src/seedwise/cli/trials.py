"""How does ``seedwise trials`` list every trial?"""

import csv
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich.text import Text

import seedwise as sw
from seedwise.cli.arguments import Folder, Json
from seedwise.cli.console import duration, new_table, print_json, print_table, score_words
from seedwise.values.labels import cell_labels
from seedwise.values.record import by_cell

__all__ = ["trials"]


def trials(
    folder: Folder,
    *,
    format: Literal["table", "csv", "json"] = "table",  # noqa: A002 - the flag's name
    json: Json = False,
) -> None:
    """List every trial: its seeds, state, best score and its step, and the last step that was scored."""
    from seedwise.store.export import trials_table

    with sw.Study.open(folder) as study:
        rows = trials_table(study.trials)
        if json or format == "json":
            print_json(rows)
        elif format == "csv":
            _print_csv(rows)
        else:
            _print_table(study, rows)


def _print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _print_table(study: "sw.Study", rows: Sequence[Mapping[str, Any]]) -> None:
    cells = by_cell(study.trials)
    labels = cell_labels((cell[0].trial for cell in cells), study.design)
    recipe_of = {record.id: labels[record.trial.task.id, record.trial.recipe.id] for cell in cells for record in cell}
    named = ("recipe",) * (len(set(recipe_of.values())) > 1)
    time = ("time",) * (not study.is_imported)  # imported runs do not say how long they took
    error = ("error",) * any(row["error"] for row in rows)
    seeds = ("init", "order", "dropout")
    table = new_table("trial", "task", *named, *seeds, "state", "best", "at", "last", *time, *error)
    for row in rows:
        who = [row["id"][:8], row["task"], *(recipe_of[row["id"]] for _ in named), *(row[name] for name in seeds)]
        scores = [row["state"], score_words(row["best_score"]), row["best_step"], row["last_step"]]
        line = [*who, *scores, *(duration(row["seconds"]) for _ in time), *(row[name] for name in error)]
        table.add_row(*(Text("" if x is None else str(x)) for x in line))
    print_table(table)
