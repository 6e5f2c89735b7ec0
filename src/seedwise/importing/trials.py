"""Which task, recipe and seeds has each imported run, and is it complete, stopped or failed?"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from seedwise.errors import DataError
from seedwise.importing.curves import Curves, Run
from seedwise.importing.mapping import SEEDS, Fields
from seedwise.importing.reading import Table
from seedwise.values.imported import ImportedRecipe, ImportedTask, ImportedTrial, greater_is_better
from seedwise.values.seeds import Seeds
from seedwise.values.trial import TrialState

__all__ = ["Cell", "State", "cells_of", "shared_steps", "states_of", "trials_of"]

Cell = tuple[str, str]
"""Task id and recipe id."""

State = tuple[TrialState, str | None]

_MISSING = frozenset({"nan", "none", "null", "na", "n/a", "<na>"})
"""What stands for a seed that is not known; taken for a label, it would make one seed of several."""


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
    if missing := sum(label.strip().lower() in _MISSING for label in labels):
        raise DataError(
            f"{name} must be known of every run, but {missing} of {len(labels):,} have none (nan or the like); fill it in, or leave "
            f"{name} unmapped so that every run has its own."
        )
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


def states_of(
    runs: Sequence[Run], trials: Sequence[ImportedTrial], notes: list[str], *, all_complete: bool
) -> list[State]:
    """Return each run's state, and why it failed; what was taken for granted goes into the notes."""
    cells = cells_of(trials)
    states = [_score_state(run) for run in runs]
    for places in cells.values():
        lengths = Counter(len(runs[place].points) for place in places)
        if len(lengths) == 1:
            continue
        name = f"{trials[places[0]].task.name}, {trials[places[0]].recipe.name}"
        spread = f"{name}: runs have {min(lengths)} to {max(lengths)} evaluations"
        full = shared_steps([runs[place] for place in places])
        shorter = [] if full is None else [p for p in places if len(runs[p].points) < len(full)]
        if full is None:
            notes.append(f"{spread}, at steps of their own, so none is taken as stopped.")
            continue
        if all_complete:
            notes.append(f"{spread}; the {len(shorter):,} shorter ones are taken as complete.")
            continue
        for place in shorter:
            if states[place][0] is TrialState.COMPLETE:
                states[place] = (TrialState.STOPPED, None)
        notes.append(
            f"{spread}; the {len(shorter):,} that end before the longest one did not finish and count as stopped, "
            "unless --all-complete."
        )
    return states


def _score_state(run: Run) -> State:
    scores = [point.metrics[run.metric] for point in run.points.values()]
    if not any(math.isfinite(score) for score in scores):
        return TrialState.FAILED, "no score"
    if not math.isfinite(scores[-1]):
        return TrialState.FAILED, "its last score is not a number"
    return TrialState.COMPLETE, None


def shared_steps(runs: Iterable[Run]) -> tuple[int, ...] | None:
    """Return the evaluation steps of the longest run, if every other's are the first of them."""
    ran = [tuple(run.points) for run in runs]
    full = max(ran, key=len)
    return full if all(own == full[: len(own)] for own in ran) else None


def cells_of(trials: Sequence[ImportedTrial]) -> dict[Cell, list[int]]:
    """Return the places of each task's and recipe's trials."""
    cells: dict[Cell, list[int]] = defaultdict(list)
    ids: dict[object, str] = {}
    for place, trial in enumerate(trials):
        task = ids.setdefault(trial.task, trial.task.id)
        recipe = ids.setdefault(trial.recipe.name, trial.recipe.id)
        cells[task, recipe].append(place)
    return cells
