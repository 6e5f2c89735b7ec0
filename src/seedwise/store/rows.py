"""How do the rows of the tables become trials, curves and predictions again, and do replayed steps equal the stored ones?

Every function asks one open connection, inside its caller's transaction.
"""

import json
import sqlite3
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from seedwise.errors import RequestError
from seedwise.store.base import Event, Losses, Predictions
from seedwise.store.encoding import differs, metrics_from_text, to_float32, unpack
from seedwise.store.schema import version_of
from seedwise.store.tracked import read_tracked, tracked_difference
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
from seedwise.values.record import TrialRecord
from seedwise.values.seeds import Seeds
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import Measurement, Trial, TrialState

__all__ = [
    "check_known",
    "first_difference",
    "last_step",
    "read_design",
    "read_events",
    "read_facts",
    "read_losses",
    "read_predictions",
    "read_records",
    "read_rule",
    "unknown_trial",
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


def read_facts(connection: sqlite3.Connection, task_id: str, recipe_id: str) -> dict[str, Any] | None:
    """Return what preparing this task for this recipe found."""
    query = "SELECT content FROM facts WHERE task = ? AND recipe = ?"
    row = connection.execute(query, (task_id, recipe_id)).fetchone()
    return None if row is None else dict(json.loads(row[0]))


def read_records(connection: sqlite3.Connection, trial_id: str | None = None) -> tuple[TrialRecord, ...]:
    """Return what is known of every trial, or of one, in the study's order."""
    one = () if trial_id is None else (trial_id,)
    tasks = {key: task_from_json(json.loads(text)) for key, text in connection.execute("SELECT * FROM tasks")}
    recipes = {key: recipe_from_json(json.loads(text)) for key, text in connection.execute("SELECT * FROM recipes")}
    # In the order of the primary key, so that nothing is sorted.
    of_all = "SELECT trial, step, loss, metrics FROM evaluations ORDER BY trial, step"
    of_one = "SELECT trial, step, loss, metrics FROM evaluations WHERE trial = ? ORDER BY step"
    rows = connection.execute(of_all if trial_id is None else of_one, one)
    curves = {key: tuple(_evaluation(row) for row in curve) for key, curve in groupby(rows, key=itemgetter(0))}
    only = "" if trial_id is None else "WHERE id = ?"
    trials = connection.execute(f"{_TRIALS} {only} ORDER BY position", one)
    return tuple(_record(row, tasks, recipes, curves) for row in trials)


def read_losses(connection: sqlite3.Connection, trial_id: str) -> Losses:
    """Return the losses of every stored step."""
    rows = connection.execute("SELECT losses FROM measurements WHERE trial = ? ORDER BY last_step", (trial_id,))
    parts = [unpack(blob) for (blob,) in rows]
    if not parts:
        check_known(connection, trial_id)
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def read_predictions(connection: sqlite3.Connection, trial_id: str) -> Predictions | None:
    """Return the predictions at the best evaluation."""
    query = "SELECT step, outputs, validation, test FROM predictions WHERE trial = ?"
    row = connection.execute(query, (trial_id,)).fetchone()
    if row is None:
        check_known(connection, trial_id)
        return None
    step, outputs, validation, test = row
    return Predictions(
        step, unpack(validation).reshape(-1, outputs), None if test is None else unpack(test).reshape(-1, outputs)
    )


def read_events(connection: sqlite3.Connection) -> tuple[Event, ...]:
    """Return the diary, oldest entry first."""
    rows = connection.execute("SELECT time, trial, kind, detail FROM events ORDER BY number")
    return tuple(Event(*row) for row in rows)


def last_step(connection: sqlite3.Connection, trial_id: str) -> int:
    """Return the step up to which a trial is stored, 0 before the first."""
    query = "SELECT max(last_step) FROM measurements WHERE trial = ?"
    (step,) = connection.execute(query, (trial_id,)).fetchone()
    return step or 0


def first_difference(connection: sqlite3.Connection, trial_id: str, replayed: Sequence[Measurement]) -> str | None:
    """Return a sentence with the first replayed step that differs from the stored one, and both values."""
    losses = read_losses(connection, trial_id)
    tracked = read_tracked(connection, trial_id, len(losses))
    query = "SELECT trial, step, loss, metrics FROM evaluations WHERE trial = ? AND step BETWEEN ? AND ?"
    rows = connection.execute(query, (trial_id, replayed[0].step, replayed[-1].step))
    evaluations = {evaluation.step: evaluation for evaluation in map(_evaluation, rows)}
    for measurement, loss in zip(replayed, to_float32([m.loss for m in replayed]).tolist(), strict=True):
        stored = losses[measurement.step - 1].item()
        if differs(stored, loss):
            return f"step {measurement.step}: the loss was {stored!r} and is {loss!r} in a replay"
        known = evaluations.get(measurement.step)
        sentence = _metrics_difference(known and known.metrics, measurement.metrics)
        sentence = sentence or tracked_difference(tracked, measurement)
        if sentence:
            return f"step {measurement.step}: {sentence}"
    return None


def check_known(connection: sqlite3.Connection, trial_id: str) -> None:
    """Refuse a trial that is not in the study."""
    if connection.execute("SELECT 1 FROM trials WHERE id = ?", (trial_id,)).fetchone() is None:
        raise unknown_trial(trial_id)


def unknown_trial(trial_id: str) -> RequestError:
    """Return the refusal of a trial that is not in the study."""
    return RequestError(f"the study has no trial {trial_id!r}; add it first, or take one of its trials' ids.")


def _evaluation(row: tuple[Any, ...]) -> Measurement:
    _, step, loss, metrics = row
    return Measurement(step, float(loss), metrics_from_text(metrics))


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
        origin=json.loads(origin),
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


def _metrics_difference(stored: Any, replayed: Any) -> str | None:
    """Compare two evaluations of one step, either of which may be missing."""
    if (stored is None) != (replayed is None):
        return "it was evaluated in only one of the stored run and a replay"
    for name in stored or {}:
        if name not in replayed or differs(stored[name], float(replayed[name])):
            return f"{name} was {stored[name]!r} and is {replayed.get(name)!r} in a replay"
    return None
