"""How do whole runs of somebody else get into the tables at once?"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from seedwise.errors import RequestError
from seedwise.store.encoding import metrics_to_text
from seedwise.values.identity import canonical_json
from seedwise.values.imported import ImportedRecipe
from seedwise.values.record import TrialRecord

__all__ = ["insert_runs"]


def insert_runs(
    connection: sqlite3.Connection, runs: Sequence[TrialRecord], facts: Mapping[tuple[str, str], Mapping[str, Any]]
) -> None:
    """Insert finished runs after the trials that are there, inside the caller's transaction; see `Store.add_runs`."""
    keys = [(run.trial.task, run.trial.recipe) for run in runs]
    tasks = {task: task.id for task, _ in keys}
    recipes = {recipe: recipe.id for _, recipe in keys}
    _check_new(connection, runs)
    (first,) = connection.execute("SELECT coalesce(max(position) + 1, 0) FROM trials").fetchone()
    for table, values in (("tasks", tasks), ("recipes", recipes)):
        connection.executemany(
            f"INSERT INTO {table} VALUES (?, ?) ON CONFLICT DO NOTHING",  # noqa: S608 - one of two names
            [(key, canonical_json(value.to_json())) for value, key in values.items()],
        )
    connection.executemany(
        "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            _trial_row(run, position, tasks[task], recipes[recipe])
            for position, (run, (task, recipe)) in enumerate(zip(runs, keys, strict=True), start=first)
        ],
    )
    connection.executemany(
        "INSERT INTO evaluations VALUES (?, ?, ?, ?)",
        [
            (run.id, evaluation.step, repr(float(evaluation.loss)), metrics_to_text(evaluation.metrics or {}))
            for run in runs
            for evaluation in run.evaluations
        ],
    )
    connection.executemany(
        "INSERT INTO facts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET content = excluded.content",
        [(task, recipe, json.dumps(dict(known))) for (task, recipe), known in facts.items()],
    )


def _check_new(connection: sqlite3.Connection, runs: Sequence[TrialRecord]) -> None:
    """Refuse runs that are there already, and a study that holds trainings of its own."""
    for (content,) in connection.execute("SELECT content FROM recipes"):
        if json.loads(content).get("source") != ImportedRecipe.source:
            raise RequestError(
                "the study holds trainings of its own, not imported runs; import into another directory."
            )
    known = {key for (key,) in connection.execute("SELECT id FROM trials")}
    if twice := [run for run in runs if run.id in known]:
        trial = twice[0].trial
        raise RequestError(
            f"the study must not hold a run already, but {len(twice)} of {len(runs)} are there, first that of "
            f"{trial.task.name}, {trial.recipe.model_name}, init {trial.seeds.init}, order {trial.seeds.order}; import into "
            "another directory."
        )


def _trial_row(run: TrialRecord, position: int, task_id: str, recipe_id: str) -> tuple[object, ...]:
    test = None if run.test_metrics is None else metrics_to_text(run.test_metrics)
    return (
        *(position, run.id, task_id, recipe_id, canonical_json(run.trial.seeds.to_json()), run.state),
        *(canonical_json(dict(run.fingerprint)), json.dumps(dict(run.origin)), run.seconds, run.attempts),
        *(run.error, run.best_step, test),
    )
