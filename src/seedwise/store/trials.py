"""How do trials get into the tables: planned ones, imported runs, and those that are taken back?

Every function changes one open connection, inside its caller's transaction.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence

from seedwise.errors import RequestError
from seedwise.store.encoding import metrics_to_text
from seedwise.values.facts import TaskFacts
from seedwise.values.identity import canonical_json
from seedwise.values.imported import ImportedRecipe
from seedwise.values.record import TrialRecord
from seedwise.values.trial import Trial

__all__ = ["delete_trials", "insert_runs", "insert_trials"]


def insert_trials(connection: sqlite3.Connection, trials: Sequence[Trial]) -> tuple[int, int]:
    """Insert the trials that are missing, in the given order; return how many, and how many there are in all."""
    tasks = {trial.task: trial.task.id for trial in trials}
    recipes = {trial.recipe: trial.recipe.id for trial in trials}
    # A task whose files have moved is the same task: the latest place is the one to read from.
    connection.executemany(
        "INSERT INTO tasks VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET content = excluded.content",
        [(key, canonical_json(task.to_json())) for task, key in tasks.items()],
    )
    connection.executemany(
        "INSERT INTO recipes VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(key, canonical_json(recipe.to_json())) for recipe, key in recipes.items()],
    )
    first, known = _next_position(connection), _ids(connection)
    new = {key: trial for trial in trials if (key := trial.id) not in known}
    connection.executemany(
        "INSERT INTO trials (position, id, task, recipe, seeds, state) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (position, key, tasks[t.task], recipes[t.recipe], canonical_json(t.seeds.to_json()), "waiting")
            for position, (key, t) in enumerate(new.items(), start=first)
        ],
    )
    return len(new), first + len(new)


def delete_trials(connection: sqlite3.Connection, trial_ids: Collection[str]) -> int:
    """Delete those of the trials that never started, with what only they had, and return how many."""
    untried = "FROM trials WHERE id = ? AND attempts = 0"
    deleted = 0
    for trial_id in trial_ids:
        change = f"UPDATE events SET trial = NULL WHERE trial = (SELECT id {untried})"  # noqa: S608 - no value in it
        connection.execute(change, (trial_id,))
        deleted += connection.execute(f"DELETE {untried}", (trial_id,)).rowcount
    used = "SELECT 1 FROM trials t WHERE t.task = facts.task AND t.recipe = facts.recipe"
    connection.execute(f"DELETE FROM facts WHERE NOT EXISTS ({used})")  # noqa: S608 - no value in it
    connection.execute("DELETE FROM targets WHERE task NOT IN (SELECT task FROM trials)")
    connection.execute("DELETE FROM tasks WHERE id NOT IN (SELECT task FROM trials)")
    connection.execute("DELETE FROM recipes WHERE id NOT IN (SELECT recipe FROM trials)")
    return deleted


def insert_runs(
    connection: sqlite3.Connection, runs: Sequence[TrialRecord], facts: Mapping[tuple[str, str], TaskFacts]
) -> None:
    """Insert finished runs after the trials that are there; refuse a run that is there already."""
    keys = [(run.trial.task, run.trial.recipe) for run in runs]
    tasks = {task: task.id for task, _ in keys}
    recipes = {recipe: recipe.id for _, recipe in keys}
    _check_new(connection, runs)
    first = _next_position(connection)
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
        [(task, recipe, json.dumps(known.to_json())) for (task, recipe), known in facts.items()],
    )


def _check_new(connection: sqlite3.Connection, runs: Sequence[TrialRecord]) -> None:
    """Refuse runs that are there already, and a study that holds trainings of its own."""
    for (content,) in connection.execute("SELECT content FROM recipes"):
        if json.loads(content).get("source") != ImportedRecipe.source:
            raise RequestError(
                "the study holds trainings of its own, not imported runs; import into another directory."
            )
    known = _ids(connection)
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
        *(canonical_json(dict(run.fingerprint)), json.dumps(run.environment.to_json()), run.seconds, run.attempts),
        *(run.error, run.best_step, test),
    )


def _next_position(connection: sqlite3.Connection) -> int:
    (position,) = connection.execute("SELECT coalesce(max(position) + 1, 0) FROM trials").fetchone()
    return int(position)


def _ids(connection: sqlite3.Connection) -> set[str]:
    return {key for (key,) in connection.execute("SELECT id FROM trials")}
