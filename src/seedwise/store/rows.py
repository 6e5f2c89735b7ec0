"""How do facts, predictions, trials and the diary become rows of the tables, and come back?

Every function asks one open connection, inside its caller's transaction.
"""

import json
import sqlite3
from collections.abc import Collection
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedwise.errors import DataError, RequestError
from seedwise.store.curves import evaluation_of
from seedwise.store.encoding import metrics_from_text, pack, to_float32, unpack
from seedwise.store.schema import version_of
from seedwise.values.facts import Environment, TaskFacts
from seedwise.values.imported import (
    AnyRecipe,
    AnyTask,
    AnyTrial,
    ImportedRecipe,
    ImportedTask,
    ImportedTrial,
    recipe_from_json,
    task_from_json,
)
from seedwise.values.record import Event, TrialRecord
from seedwise.values.rows import SPLITS, Predictions, Targets
from seedwise.values.seeds import Seeds
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import Measurement, Trial, TrialState

__all__ = [
    "check_known",
    "prediction_row",
    "read_design",
    "read_events",
    "read_facts",
    "read_predictions",
    "read_records",
    "read_rule",
    "read_targets",
    "unknown_trial",
    "write_facts",
    "write_targets",
]

_TRIALS = """SELECT id, position, task, recipe, seeds, state, fingerprint, origin, seconds, attempts, error, best_step,
    test_metrics FROM trials"""


def read_rule(connection: sqlite3.Connection) -> StoppingRule | None:
    """Return the study's stopping rule."""
    (text,) = connection.execute("SELECT rule FROM studies").fetchone()
    return None if text is None else StoppingRule.from_json(json.loads(text))


def read_design(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """Return the design that the study's trials follow."""
    if version_of(connection) < 2:  # it had no place for one
        return None
    (text,) = connection.execute("SELECT design FROM studies").fetchone()
    return None if text is None else dict(json.loads(text))


def read_facts(connection: sqlite3.Connection, task_id: str, recipe_id: str) -> TaskFacts | None:
    """Return what preparing this task for this recipe found."""
    query = "SELECT content FROM facts WHERE task = ? AND recipe = ?"
    row = connection.execute(query, (task_id, recipe_id)).fetchone()
    return None if row is None else TaskFacts.from_json(json.loads(row[0]))


def write_facts(connection: sqlite3.Connection, task_id: str, recipe_id: str, facts: TaskFacts) -> None:
    """Keep what preparing this task for this recipe found; refuse other rows than those the study began with."""
    known = connection.execute(
        "SELECT 1 FROM tasks, recipes WHERE tasks.id = ? AND recipes.id = ?", (task_id, recipe_id)
    )
    if known.fetchone() is None:
        raise RequestError(f"the study has no task {task_id!r} with recipe {recipe_id!r}; add its trials first.")
    old = read_facts(connection, task_id, recipe_id)
    if old is not None and old.digest != facts.digest:
        raise DataError(
            f"the rows of task {task_id} must have the digest {old.digest!r}, with which the study began, "
            f"not {facts.digest!r}; restore the rows, or start a new study in another directory."
        )
    connection.execute(
        "INSERT INTO facts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET content = excluded.content",
        (task_id, recipe_id, json.dumps(facts.to_json())),
    )


def read_targets(connection: sqlite3.Connection, task_id: str) -> Targets | None:
    """Return the labels of a task's validation and test rows, or None where they are not kept."""
    if version_of(connection) < 3:  # it had no place for them
        return None
    kept = dict(connection.execute("SELECT split, vals FROM targets WHERE task = ?", (task_id,)))
    found = {split: unpack(kept[split]) for split in SPLITS if split in kept}
    return Targets(**found) if found else None


def write_targets(connection: sqlite3.Connection, task_id: str, targets: Targets) -> None:
    """Keep the labels of a task's rows; refuse other labels than those the study began with."""
    if connection.execute("SELECT 1 FROM tasks WHERE id = ?", (task_id,)).fetchone() is None:
        raise RequestError(f"the study has no task {task_id!r}; add its trials first.")
    kept = read_targets(connection, task_id)
    if kept is None:
        connection.executemany(
            "INSERT INTO targets VALUES (?, ?, ?)",
            [(task_id, split, pack(to_float32(of))) for split, of in targets._asdict().items() if of is not None],
        )
    elif not all(_equal(getattr(kept, split), getattr(targets, split)) for split in SPLITS):
        raise DataError(
            f"the labels of task {task_id} must be those with which the study began, but they have changed; restore the "
            "rows, or start a new study in another directory."
        )


def _equal(kept: NDArray[np.float32] | None, given: NDArray[np.float32] | None) -> bool:
    if kept is None or given is None:
        return kept is given
    return np.array_equal(kept, to_float32(given), equal_nan=True)


def read_records(connection: sqlite3.Connection, trial_id: str | None = None) -> tuple[TrialRecord, ...]:
    """Return what is known of every trial, or of one, in the study's order."""
    one = () if trial_id is None else (trial_id,)
    tasks = {key: task_from_json(json.loads(text)) for key, text in connection.execute("SELECT * FROM tasks")}
    recipes = {key: recipe_from_json(json.loads(text)) for key, text in connection.execute("SELECT * FROM recipes")}
    # In the order of the primary key, so that nothing is sorted.
    of_all = "SELECT trial, step, loss, metrics FROM evaluations ORDER BY trial, step"
    of_one = "SELECT trial, step, loss, metrics FROM evaluations WHERE trial = ? ORDER BY step"
    rows = connection.execute(of_all if trial_id is None else of_one, one)
    curves = {key: tuple(evaluation_of(row) for row in curve) for key, curve in groupby(rows, key=itemgetter(0))}
    only = "" if trial_id is None else "WHERE id = ?"
    trials = connection.execute(f"{_TRIALS} {only} ORDER BY position", one)
    return tuple(_record(row, tasks, recipes, curves) for row in trials)


def read_predictions(connection: sqlite3.Connection, trial_id: str) -> Predictions | None:
    """Return the predictions at the best evaluation."""
    query = "SELECT step, outputs, validation, test FROM predictions WHERE trial = ?"
    row = connection.execute(query, (trial_id,)).fetchone()
    if row is None:
        return None
    step, outputs, validation, test = row
    return Predictions(
        step, unpack(validation).reshape(-1, outputs), None if test is None else unpack(test).reshape(-1, outputs)
    )


def prediction_row(trial_id: str, step: int, predictions: Predictions) -> tuple[object, ...]:
    """Return the row that `read_predictions` reads."""
    validation, test = predictions.validation, predictions.test
    shapes = [array.shape for array in (validation, test) if array is not None]
    if predictions.step != step or any(len(shape) != 2 or shape[1] != shapes[0][1] for shape in shapes):
        raise RequestError(
            f"predictions must be of step {step} with shapes (rows, outputs), not of step {predictions.step} with "
            f"{shapes!r}; give those of the best evaluation."
        )
    packed = [None if array is None else pack(to_float32(array)) for array in (validation, test)]
    return (trial_id, step, validation.shape[1], *packed)


def read_events(connection: sqlite3.Connection, kinds: Collection[str]) -> tuple[Event, ...]:
    """Return the diary, oldest entry first; only these kinds, unless none is named."""
    only = f"WHERE kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    query = f"SELECT time, trial, kind, detail FROM events {only} ORDER BY number"  # noqa: S608 - no value in it
    rows = connection.execute(query, tuple(kinds))
    return tuple(Event(*row) for row in rows)


def check_known(connection: sqlite3.Connection, trial_id: str) -> None:
    """Refuse a trial that is not in the study."""
    if connection.execute("SELECT 1 FROM trials WHERE id = ?", (trial_id,)).fetchone() is None:
        raise unknown_trial(trial_id)


def unknown_trial(trial_id: str) -> RequestError:
    """Return the refusal of a trial that is not in the study."""
    return RequestError(f"the study has no trial {trial_id!r}; add it first, or take one of its trials' ids.")


def _record(
    row: tuple[Any, ...],
    tasks: dict[str, AnyTask],
    recipes: dict[str, AnyRecipe],
    curves: dict[str, tuple[Measurement, ...]],
) -> TrialRecord:
    key, position, task, recipe, seeds, state, fingerprint, origin, *rest = row
    seconds, attempts, error, best_step, test_metrics = rest
    return TrialRecord(
        trial=_trial(tasks[task], recipes[recipe], Seeds.from_json(json.loads(seeds))),
        id=key,
        position=position,
        state=TrialState(state),
        evaluations=curves.get(key, ()),
        fingerprint=json.loads(fingerprint),
        environment=Environment.from_json(json.loads(origin)),
        seconds=seconds,
        attempts=attempts,
        error=error,
        best_step=best_step,
        test_metrics=None if test_metrics is None else metrics_from_text(test_metrics),
    )


def _trial(task: AnyTask, recipe: AnyRecipe, seeds: Seeds) -> AnyTrial:
    if isinstance(task, ImportedTask) and isinstance(recipe, ImportedRecipe):
        return ImportedTrial(task, recipe, seeds)
    return Trial(task, recipe, seeds)  # type: ignore[arg-type]  # refuses one that is imported without the other
