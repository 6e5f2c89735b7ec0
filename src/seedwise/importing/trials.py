"""Which task, recipe and seeds has each run of somebody else?"""

import re
from collections.abc import Sequence

from seedwise.errors import DataError
from seedwise.importing.curves import Curves, Run
from seedwise.importing.mapping import SEEDS, Fields
from seedwise.importing.tables import Table
from seedwise.values.imported import ImportedRecipe, ImportedTask, ImportedTrial, greater_is_better
from seedwise.values.seeds import Seeds

__all__ = ["trials_of"]


def trials_of(
    runs: Sequence[Run],
    table: Table,
    curves: Curves,
    fields: Fields,
    lower_is_better: bool | None,  # noqa: FBT001 - one of three answers
    notes: list[str],
) -> list[ImportedTrial]:
    """Return the trial that each run is; no two are equal, and what was taken for granted goes into the notes."""
    seeds = _numbered(runs, curves, fields, notes)
    found: dict[ImportedTrial, int] = {}
    for run, own in zip(runs, seeds, strict=True):
        greater = greater_is_better(run.metric) if lower_is_better is None else not lower_is_better
        trial = ImportedTrial(ImportedTask(run.task, run.metric, greater), ImportedRecipe(run.recipe), own)
        if trial in found:
            raise DataError(
                f"two runs must differ in task, recipe or seeds, but {table.place(found[trial])} and "
                f"{table.place(run.row)} are both {run.task}, {run.recipe}, init {own.init}, order {own.order}, dropout "
                f"{own.dropout}; map the column that tells them apart."
            )
        found[trial] = run.row
    return list(found)


def _numbered(runs: Sequence[Run], curves: Curves, fields: Fields, notes: list[str]) -> list[Seeds]:
    """Return the seeds of every run; where none is known, numbers in the order of appearance."""
    columns: dict[str, list[int]] = {}
    for place, name in enumerate(SEEDS):
        if name in fields.one:
            columns[name] = _whole_numbers(name, [str(run.seeds[place]) for run in runs], notes)
    if "init" not in columns and "order" not in columns:
        if not curves.by_row and all(run.row == runs[0].row for run in runs):
            notes.append("init and order are not mapped, so all rows are one run.")
        else:
            notes.append(f"init and order are not mapped, so the runs are numbered 1 to {len(runs):,} as they appear.")
        columns["init"] = list(range(1, len(runs) + 1))
    for name, other in (("init", "order"), ("order", "init")):
        if name not in columns:
            columns[name] = columns[other]
            notes.append(f"{name} is not known and follows {other}.")
    columns.setdefault("dropout", columns["order"])
    return [Seeds(*numbers) for numbers in zip(*(columns[name] for name in SEEDS), strict=True)]


def _whole_numbers(name: str, labels: list[str], notes: list[str]) -> list[int]:
    """Return labels as numbers: their own where they have one each, else their places in sorted order."""
    if all(label.isdecimal() for label in labels):
        return [int(label) for label in labels]
    parts = {label: re.fullmatch(r"(\D*)(\d+)(\D*)", label) for label in labels}
    around = {(match[1], match[3]) if match else None for match in parts.values()}
    if len(around) == 1 and None not in around:
        own = {label: int(match[2]) for label, match in parts.items() if match}
        notes.append(f"{name} is the number in labels such as {labels[0]!r}.")
    else:
        own = {label: number for number, label in enumerate(sorted(set(labels)), start=1)}
        shown = ", ".join(f"{number} is {label!r}" for label, number in list(own.items())[:3])
        notes.append(f"{name} has labels that are no whole numbers; in sorted order {shown}{', ...' * (len(own) > 3)}.")
    return [own[label] for label in labels]
