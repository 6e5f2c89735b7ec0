"""What must be remembered of a study, and where: its trials and their curves in one SQLite file?

Whatever a method has stored when it returns survives the end of the process at any later instant; a method that fails
has stored nothing, and the store can still be used. A store belongs to the thread that opened it.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Self, TypeVar

from seedwise.errors import WorkError
from seedwise.store.curves import (
    Losses,
    Tracked,
    check_steps,
    first_difference,
    insert_interval,
    last_step,
    read_losses,
    read_tracked,
)
from seedwise.store.database import Database, now
from seedwise.store.encoding import metrics_to_text
from seedwise.store.rows import (
    check_known,
    prediction_row,
    read_design,
    read_events,
    read_facts,
    read_predictions,
    read_records,
    read_rule,
    read_targets,
    unknown_trial,
    write_facts,
    write_targets,
)
from seedwise.store.trials import delete_trials, insert_runs, insert_trials
from seedwise.values.facts import Environment, TaskFacts
from seedwise.values.identity import canonical_json
from seedwise.values.record import FINGERPRINT_DIFFERS, REPLAY_DIFFERS, Event, TrialRecord
from seedwise.values.rows import Predictions, Targets
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import Measurement, Trial, TrialState

__all__ = ["Store"]

T = TypeVar("T")


class Store:
    """The trials of one study in one SQLite file; open it with `create_or_open`, close it or use it as a context manager.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with Store.create_or_open(folder / "study.db", write=True) as store:
        ...     store.set_rule(StoppingRule(t=20, f=0.25, p=5))
        >>> with Store.create_or_open(folder / "study.db", write=False) as store:
        ...     store.rule()
        StoppingRule(t=20, f=0.25, p=5)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def create_or_open(cls, path: str | Path, *, write: bool) -> Self:
        """Open the file ``study.db`` of a study: for any number of readers, or for one writer, who makes a missing one."""
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
        with self._database.writing() as connection:
            new, in_all = insert_trials(connection, trials)
            if new:
                _note(connection, "added", f"{new} trials, {in_all} in all")
        return new

    def add_runs(self, runs: Sequence[TrialRecord], facts: Mapping[tuple[str, str], TaskFacts]) -> None:
        """Add imported runs after those that are there, all or none; facts, by task and recipe id, replace the old ones."""
        with self._database.writing() as connection:
            insert_runs(connection, runs, facts)
            _note(connection, "added", f"{len(runs)} imported runs")

    def remove_trials(self, trial_ids: Collection[str]) -> int:
        """Remove those of the trials that never started, and return how many."""
        with self._database.writing() as connection:
            removed = delete_trials(connection, trial_ids)
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
        """Return the design that the study's trials follow, as it was given, if they follow one."""
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

    def facts(self, task_id: str, recipe_id: str) -> TaskFacts | None:
        """Return what preparing this task for this recipe found, or None before anything was prepared."""
        return self._database.read(lambda connection: read_facts(connection, task_id, recipe_id))

    def set_facts(self, task_id: str, recipe_id: str, facts: TaskFacts) -> None:
        """Keep what preparing found; refuse a digest other than the stored one, because the rows have changed since."""
        with self._database.writing() as connection:
            write_facts(connection, task_id, recipe_id, facts)

    def targets(self, task_id: str) -> Targets | None:
        """Return the labels of a task's validation and test rows, or None where they are not kept."""
        return self._database.read(lambda connection: read_targets(connection, task_id))

    def set_targets(self, task_id: str, targets: Targets) -> None:
        """Keep the labels of a task's rows; refuse others than the stored ones."""
        with self._database.writing() as connection:
            write_targets(connection, task_id, targets)

    # Trials while they run --------------------------------------------------------------------------------------------

    def start(self, trial_id: str, fingerprint: Mapping[str, str], environment: Environment) -> None:
        """Mark a trial as running, count the attempt, and keep what it drew and where it runs.

        A fingerprint that differs from an earlier attempt's is noted as the event ``fingerprint differs``.
        """
        drawn, place = json.dumps(dict(fingerprint)), json.dumps(environment.to_json())
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
                _note(connection, FINGERPRINT_DIFFERS, f"it was {before} and is {drawn}", trial_id)

    def append(self, trial_id: str, measurements: Sequence[Measurement], seconds: float) -> None:
        """Keep the steps since the last stored one, of which the last is an evaluation: all or none.

        Steps that are stored already (a replay after a kill) stay as they are. Where a replay differs in a bit of a
        float32 loss, a metric or a tracked value, the event ``replay differs`` names the first such step and both values.
        """
        check_steps(measurements)
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
                _note(connection, REPLAY_DIFFERS, difference, trial_id)
            interval: list[Measurement] = []
            for measurement in measurements[len(replayed) :]:
                interval.append(measurement)
                if measurement.metrics is not None:
                    insert_interval(connection, trial_id, interval)
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
        """Keep test metrics and predictions at a trial's best evaluation in place of earlier ones; add the seconds."""
        row = None if predictions is None else prediction_row(trial_id, step, predictions)
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
        return self._of(trial_id, read_losses)

    def tracked(self, trial_id: str) -> Tracked:
        """Return what was tracked at every stored step, by name; empty where nothing was."""
        return self._of(trial_id, read_tracked)

    def predictions(self, trial_id: str) -> Predictions | None:
        """Return the predictions at the trial's best evaluation, if any are kept."""
        return self._of(trial_id, read_predictions)

    def add_event(self, kind: str, detail: str, trial_id: str | None = None) -> None:
        """Write into the study's diary."""
        with self._database.writing() as connection:
            if trial_id is not None:
                check_known(connection, trial_id)
            _note(connection, kind, detail, trial_id)

    def events(self, *kinds: str) -> tuple[Event, ...]:
        """Return the study's diary, oldest entry first; only these kinds, unless none is named."""
        return self._database.read(lambda connection: read_events(connection, kinds))

    def _of(self, trial_id: str, question: Callable[[Connection, str], T]) -> T:
        """Ask about one trial, which must be in the study."""

        def asked(connection: Connection) -> T:
            check_known(connection, trial_id)
            return question(connection, trial_id)

        return self._database.read(asked)


def _note(connection: Connection, kind: str, detail: str, trial_id: str | None = None) -> None:
    connection.execute(
        "INSERT INTO events (time, trial, kind, detail) VALUES (?, ?, ?, ?)", (now(), trial_id, kind, detail)
    )


def _update(connection: Connection, change: str, *values: object) -> None:
    """Change the one trial whose id is the last of the values."""
    if connection.execute(change, values).rowcount == 0:
        raise unknown_trial(str(values[-1]))


def _rule_text(rule: StoppingRule | None) -> str | None:
    return None if rule is None else canonical_json(rule.to_json())
