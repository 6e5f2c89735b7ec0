"""Where does a study live on disk: the store as one SQLite file?

Every method is one transaction. A store belongs to the thread that opened it; another thread opens its own.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Self

from seedwise.errors import DataError, RequestError, WorkError
from seedwise.store.base import Event, Losses, Predictions, Tracked
from seedwise.store.database import Database, now
from seedwise.store.encoding import metrics_to_text, pack, to_float32
from seedwise.store.rows import (
    check_known,
    first_difference,
    last_step,
    read_design,
    read_events,
    read_facts,
    read_losses,
    read_predictions,
    read_records,
    read_rule,
    unknown_trial,
)
from seedwise.store.runs import insert_runs
from seedwise.store.tracked import insert_tracked, read_tracked
from seedwise.values.identity import canonical_json
from seedwise.values.record import TrialRecord
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import Measurement, Trial, TrialState

__all__ = ["SqliteStore"]


class SqliteStore:
    """A study in one SQLite file: the `Store` that is used.

    Use `create_or_open`. As a context manager it closes itself.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with SqliteStore.create_or_open(folder / "study.db", write=True) as store:
        ...     store.set_rule(StoppingRule(t=20, f=0.25, p=5))
        >>> with SqliteStore.create_or_open(folder / "study.db", write=False) as store:
        ...     store.rule()
        StoppingRule(t=20, f=0.25, p=5)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def create_or_open(cls, path: str | Path, *, write: bool) -> Self:
        """Open a study's file.

        Args:
            path: The file, ``study.db`` in the study's folder.
            write: Open it for writing, alone, and make it if it is missing. Without, any number may read it, also while
                it is being written.

        Raises:
            RequestError: It is missing (reading) or open elsewhere (writing), no study, or of a newer schema.
            WorkError: The medium fails.
        """
        return cls(Database(Path(path), write=write))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the study free for others; a second call does nothing."""
        self._database.close()

    # The plan ---------------------------------------------------------------------------------------------------------

    def add_trials(self, trials: Sequence[Trial]) -> int:
        """Add those trials that are missing, in the given order, and return how many were new."""
        tasks = {trial.task: trial.task.id for trial in trials}
        recipes = {trial.recipe: trial.recipe.id for trial in trials}
        with self._database.writing() as connection:
            # A task whose files have moved is the same task: the latest place is the one to read from.
            connection.executemany(
                "INSERT INTO tasks VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET content = excluded.content",
                [(key, canonical_json(task.to_json())) for task, key in tasks.items()],
            )
            connection.executemany(
                "INSERT INTO recipes VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(key, canonical_json(recipe.to_json())) for recipe, key in recipes.items()],
            )
            (first,) = connection.execute("SELECT coalesce(max(position) + 1, 0) FROM trials").fetchone()
            known = {key for (key,) in connection.execute("SELECT id FROM trials")}
            new = {key: trial for trial in trials if (key := trial.id) not in known}
            connection.executemany(
                "INSERT INTO trials (position, id, task, recipe, seeds, state) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (position, key, tasks[t.task], recipes[t.recipe], canonical_json(t.seeds.to_json()), "waiting")
                    for position, (key, t) in enumerate(new.items(), start=first)
                ],
            )
            if new:
                _note(connection, "added", f"{len(new)} trials, {first + len(new)} in all")
        return len(new)

    def add_runs(self, runs: Sequence[TrialRecord], facts: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
        """Add runs that are over, with their evaluations, after the trials that are there: all of them or none."""
        with self._database.writing() as connection:
            insert_runs(connection, runs, facts)
            _note(connection, "added", f"{len(runs)} imported runs")

    def remove_trials(self, trial_ids: Collection[str]) -> int:
        """Take those of the trials that never started out of the study again, and return how many."""
        with self._database.writing() as connection:
            untried = "FROM trials WHERE id = ? AND attempts = 0"
            removed = 0
            for trial_id in trial_ids:
                change = f"UPDATE events SET trial = NULL WHERE trial = (SELECT id {untried})"  # noqa: S608
                connection.execute(change, (trial_id,))
                removed += connection.execute(f"DELETE {untried}", (trial_id,)).rowcount
            used = "SELECT 1 FROM trials t WHERE t.task = facts.task AND t.recipe = facts.recipe"
            connection.execute(f"DELETE FROM facts WHERE NOT EXISTS ({used})")  # noqa: S608 - no value of anyone's
            connection.execute("DELETE FROM tasks WHERE id NOT IN (SELECT task FROM trials)")
            connection.execute("DELETE FROM recipes WHERE id NOT IN (SELECT recipe FROM trials)")
            if removed:
                _note(connection, "removed", f"{removed} trials that never started")
        return removed

    def rule(self) -> StoppingRule | None:
        """Return the study's stopping rule."""
        return self._database.read(read_rule)

    def set_rule(self, rule: StoppingRule | None) -> None:
        """Replace the study's stopping rule; an event keeps the old one."""
        with self._database.writing() as connection:
            old = read_rule(connection)
            if old == rule:
                return
            new = _rule_text(rule)
            connection.execute("UPDATE studies SET rule = ?", (new,))
            _note(connection, "rule", f"{new or 'none'} replaces {_rule_text(old) or 'none'}")

    def design(self) -> dict[str, Any] | None:
        """Return the design that the study's trials follow, as it was given, or None where they follow none."""
        return self._database.read(read_design)

    def set_design(self, content: Mapping[str, Any]) -> None:
        """Replace the study's design, plain JSON whose meaning is the caller's; an event keeps the old one."""
        with self._database.writing() as connection:
            old = read_design(connection)
            new, before = json.dumps(dict(content)), "none" if old is None else json.dumps(old)
            if new == before:
                return
            connection.execute("UPDATE studies SET design = ?", (new,))
            _note(connection, "design", f"{new} replaces {before}")

    def facts(self, task_id: str, recipe_id: str) -> dict[str, Any] | None:
        """Return what preparing this task for this recipe found, or None before anything was prepared."""
        return self._database.read(lambda connection: read_facts(connection, task_id, recipe_id))

    def set_facts(self, task_id: str, recipe_id: str, facts: Mapping[str, Any]) -> None:
        """Keep what preparing found; refuse another digest than the stored one."""
        with self._database.writing() as connection:
            known = connection.execute(
                "SELECT 1 FROM tasks, recipes WHERE tasks.id = ? AND recipes.id = ?", (task_id, recipe_id)
            )
            if known.fetchone() is None:
                raise RequestError(
                    f"the study has no task {task_id!r} with recipe {recipe_id!r}; add its trials first."
                )
            old = read_facts(connection, task_id, recipe_id) or {}
            if old and old.get("digest") != facts.get("digest"):
                raise DataError(
                    f"the rows of task {task_id} must have the digest {old.get('digest')!r}, with which the study began, "
                    f"not {facts.get('digest')!r}; restore the rows, or start a new study in another directory."
                )
            connection.execute(
                "INSERT INTO facts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET content = excluded.content",
                (task_id, recipe_id, json.dumps(dict(facts))),
            )

    # Trials while they run --------------------------------------------------------------------------------------------

    def start(self, trial_id: str, fingerprint: Mapping[str, str], origin: Mapping[str, Any]) -> None:
        """Mark a trial as running, count the attempt, and keep what it drew and where it runs."""
        drawn, place = json.dumps(dict(fingerprint)), json.dumps(dict(origin))
        with self._database.writing() as connection:
            query = "SELECT attempts, fingerprint FROM trials WHERE id = ?"
            row = connection.execute(query, (trial_id,)).fetchone()
            if row is None:
                raise unknown_trial(trial_id)
            attempts, before = row
            connection.execute(
                "UPDATE trials SET state = ?, attempts = attempts + 1, error = NULL, fingerprint = ?, origin = ? "
                "WHERE id = ?",
                (TrialState.RUNNING, drawn, place, trial_id),
            )
            _note(connection, "start", f"attempt {attempts + 1}: {place}", trial_id)
            if attempts and json.loads(before) != dict(fingerprint):
                _note(connection, "fingerprint differs", f"it was {before} and is {drawn}", trial_id)

    def append(self, trial_id: str, measurements: Sequence[Measurement], seconds: float) -> None:
        """Keep the steps since the last evaluation and the evaluation that ends them, all or nothing."""
        _check_steps(measurements)
        with self._database.writing() as connection:
            _update(connection, "UPDATE trials SET seconds = seconds + ? WHERE id = ?", seconds, trial_id)
            stored = last_step(connection, trial_id)
            if measurements[0].step > stored + 1:
                raise WorkError(
                    f"trial {trial_id} is stored up to step {stored}, so its next step must be {stored + 1} or before, "
                    f"not {measurements[0].step}; remove its checkpoint, so that it is replayed from an earlier one."
                )
            replayed = [m for m in measurements if m.step <= stored]
            difference = first_difference(connection, trial_id, replayed) if replayed else None
            if difference:
                _note(connection, "replay differs", difference, trial_id)
            interval: list[Measurement] = []
            for measurement in measurements[len(replayed) :]:
                interval.append(measurement)
                if measurement.metrics is not None:
                    _insert_interval(connection, trial_id, interval)
                    interval = []

    def set_state(self, trial_id: str, state: TrialState, error: str | None = None) -> None:
        """Note where a trial stands, and why it failed."""
        with self._database.writing() as connection:
            _update(
                connection, "UPDATE trials SET state = ?, error = ? WHERE id = ?", TrialState(state), error, trial_id
            )
            _note(connection, "state", state if error is None else f"{state}: {error}", trial_id)

    def set_best(
        self,
        trial_id: str,
        step: int,
        test_metrics: Mapping[str, float] | None,
        predictions: Predictions | None,
        seconds: float = 0.0,
    ) -> None:
        """Keep the test metrics and predictions of a trial's best evaluation, in place of an earlier one's."""
        row = None if predictions is None else _prediction_row(trial_id, step, predictions)
        text = None if test_metrics is None else metrics_to_text(test_metrics)
        with self._database.writing() as connection:
            change = "UPDATE trials SET best_step = ?, test_metrics = ?, seconds = seconds + ? WHERE id = ?"
            _update(connection, change, step, text, seconds, trial_id)
            connection.execute("DELETE FROM predictions WHERE trial = ?", (trial_id,))
            if row is not None:
                connection.execute("INSERT INTO predictions VALUES (?, ?, ?, ?, ?)", row)

    def reset_running(self) -> int:
        """Set trials that a crash left running to waiting, and return how many."""
        with self._database.writing() as connection:
            rows = connection.execute("SELECT id FROM trials WHERE state = ?", (TrialState.RUNNING,)).fetchall()
            for (trial_id,) in rows:
                _update(connection, "UPDATE trials SET state = ? WHERE id = ?", TrialState.WAITING, trial_id)
                _note(connection, "state", "waiting: the process that ran it has ended", trial_id)
        return len(rows)

    # What is known ----------------------------------------------------------------------------------------------------

    def records(self) -> tuple[TrialRecord, ...]:
        """Return what is known of every trial, in the study's order."""
        return self._database.read(read_records)

    def record(self, trial_id: str) -> TrialRecord:
        """Return what is known of one trial."""
        found = self._database.read(lambda connection: read_records(connection, trial_id))
        if not found:
            raise unknown_trial(trial_id)
        return found[0]

    def losses(self, trial_id: str) -> Losses:
        """Return the training loss of every stored step, from step 1."""
        return self._database.read(lambda connection: read_losses(connection, trial_id))

    def tracked(self, trial_id: str) -> Tracked:
        """Return what was tracked at every stored step, by name; empty where nothing was."""
        return self._database.read(lambda connection: _tracked(connection, trial_id))

    def predictions(self, trial_id: str) -> Predictions | None:
        """Return the predictions at the trial's best evaluation, if any are kept."""
        return self._database.read(lambda connection: read_predictions(connection, trial_id))

    def add_event(self, kind: str, detail: str, trial_id: str | None = None) -> None:
        """Write into the study's diary."""
        with self._database.writing() as connection:
            if trial_id is not None:
                check_known(connection, trial_id)
            _note(connection, kind, detail, trial_id)

    def events(self) -> tuple[Event, ...]:
        """Return the study's diary, oldest entry first."""
        return self._database.read(read_events)


def _check_steps(measurements: Sequence[Measurement]) -> None:
    """Refuse what would leave a curve with holes or with an end that no evaluation marks."""
    if not measurements:
        raise RequestError("measurements must hold at least one evaluation, not nothing; wait for the next one.")
    for before, after in pairwise(measurements):
        if after.step != before.step + 1:
            raise RequestError(f"steps must be consecutive, not {after.step} after {before.step}; give each one once.")
    if measurements[-1].metrics is None:
        last = measurements[-1].step
        raise RequestError(f"the last step must be an evaluation, but {last} has no metrics; wait for the next one.")


def _insert_interval(connection: Connection, trial_id: str, interval: Sequence[Measurement]) -> None:
    end = interval[-1]
    losses = pack(to_float32([measurement.loss for measurement in interval]))
    connection.execute("INSERT INTO measurements VALUES (?, ?, ?, ?)", (trial_id, interval[0].step, end.step, losses))
    connection.execute(
        "INSERT INTO evaluations VALUES (?, ?, ?, ?)",
        (trial_id, end.step, repr(float(end.loss)), metrics_to_text(end.metrics or {})),
    )
    insert_tracked(connection, trial_id, interval)


def _tracked(connection: Connection, trial_id: str) -> Tracked:
    check_known(connection, trial_id)
    return read_tracked(connection, trial_id, last_step(connection, trial_id))


def _note(connection: Connection, kind: str, detail: str, trial_id: str | None = None) -> None:
    connection.execute(
        "INSERT INTO events (time, trial, kind, detail) VALUES (?, ?, ?, ?)", (now(), trial_id, kind, detail)
    )


def _update(connection: Connection, change: str, *values: object) -> None:
    """Change the one trial whose id is the last of the values."""
    if connection.execute(change, values).rowcount == 0:
        raise unknown_trial(str(values[-1]))


def _prediction_row(trial_id: str, step: int, predictions: Predictions) -> tuple[object, ...]:
    validation, test = predictions.validation, predictions.test
    shapes = [array.shape for array in (validation, test) if array is not None]
    if predictions.step != step or any(len(shape) != 2 or shape[1] != shapes[0][1] for shape in shapes):
        raise RequestError(
            f"predictions must be of step {step} with shapes (rows, outputs), not of step {predictions.step} with "
            f"{shapes!r}; give those of the best evaluation."
        )
    packed = [None if array is None else pack(to_float32(array)) for array in (validation, test)]
    return (trial_id, step, validation.shape[1], *packed)


def _rule_text(rule: StoppingRule | None) -> str | None:
    return None if rule is None else canonical_json(rule.to_json())
