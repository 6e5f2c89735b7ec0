"""Which runs of somebody else are complete, stopped or failed?"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from seedwise.importing.curves import Run
from seedwise.values.imported import ImportedTrial
from seedwise.values.trial import TrialState

__all__ = ["Cell", "State", "cells_of", "shared_steps", "states_of"]

Cell = tuple[str, str]
"""Task id and recipe id."""

State = tuple[TrialState, str | None]


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
