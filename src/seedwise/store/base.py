"""What must a store remember of a study, and what does it hand back?

The protocol `Store` is the seam: a study knows nothing of files or SQL. A store belongs to the thread that opened it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seedwise.values.record import TrialRecord
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import Measurement, Trial, TrialState

__all__ = ["Event", "Losses", "Predictions", "Store", "Tracked"]

Losses = NDArray[np.float32]
"""One training loss per optimiser step, from step 1."""

Tracked = Mapping[str, NDArray[np.float32]]
"""What was tracked beside the loss, by name, (steps, values a step); row i is step i + 1, nan where it is not known."""


class Predictions(NamedTuple):
    """What a trial says of every row: the model's outputs before softmax.

    Args:
        step: The step at which they were made.
        validation: Outputs on the validation rows, (rows, outputs), float32.
        test: Outputs on the test rows, if the task has any.
    """

    step: int
    validation: NDArray[np.float32]
    test: NDArray[np.float32] | None = None


class Event(NamedTuple):
    """One entry of the study's diary.

    Args:
        time: When, UTC, as ISO 8601.
        trial_id: Which trial it is about; None for the study as a whole.
        kind: added, removed, start, state, rule, design, schema, fingerprint differs, replay differs, or a caller's own
            word.
        detail: What happened, in a sentence or as JSON.
    """

    time: str
    trial_id: str | None
    kind: str
    detail: str


class Store(Protocol):
    """Where the trials of one study and their curves are kept.

    Whatever a method has stored when it returns survives the end of the process at any later instant. A method that
    fails has stored nothing, and the store can still be used.

    Raises:
        RequestError: From every method, where it is asked for a trial or a write that this store does not have.
        WorkError: From every method, where the medium fails: the disk is full, unreadable or read-only.
    """

    def add_trials(self, trials: Sequence[Trial]) -> int:
        """Add those trials that are missing, in the given order, and return how many were new."""

    def add_runs(self, runs: Sequence[TrialRecord], facts: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
        """Add runs that are over, with their evaluations, after the trials that are there: all of them or none.

        Args:
            runs: What is known of each; their positions are not read.
            facts: Task id and recipe id -> what is known of these runs, in place of what was.

        Raises:
            RequestError: One of them is there already, or the study holds trainings of its own.
        """

    def remove_trials(self, trial_ids: Collection[str]) -> int:
        """Take those of the trials that never started out of the study again, and return how many."""

    def rule(self) -> StoppingRule | None:
        """Return the study's stopping rule."""

    def set_rule(self, rule: StoppingRule | None) -> None:
        """Replace the study's stopping rule; an event keeps the old one."""

    def design(self) -> dict[str, Any] | None:
        """Return the design that the study's trials follow, as it was given, or None where they follow none."""

    def set_design(self, content: Mapping[str, Any]) -> None:
        """Replace the study's design, plain JSON whose meaning is the caller's; an event keeps the old one."""

    def facts(self, task_id: str, recipe_id: str) -> dict[str, Any] | None:
        """Return what preparing this task for this recipe found, or None before anything was prepared."""

    def set_facts(self, task_id: str, recipe_id: str, facts: Mapping[str, Any]) -> None:
        """Keep what preparing found: rows per split, labels, steps, evaluation steps, baselines, digest.

        Raises:
            DataError: The digest differs from the one stored: the rows have changed since.
        """

    def records(self) -> tuple[TrialRecord, ...]:
        """Return what is known of every trial, in the study's order."""

    def record(self, trial_id: str) -> TrialRecord:
        """Return what is known of one trial."""

    def start(self, trial_id: str, fingerprint: Mapping[str, str], origin: Mapping[str, Any]) -> None:
        """Mark a trial as running, count the attempt, and keep what it drew and where it runs.

        A fingerprint that differs from an earlier attempt's is noted as the event ``fingerprint differs``.
        """

    def append(self, trial_id: str, measurements: Sequence[Measurement], seconds: float) -> None:
        """Keep the steps since the last evaluation and the evaluation that ends them, all or nothing.

        Steps that are stored already (a replay after a kill) stay as they are. Where a replay differs, in the bits of
        a float32 loss, of a metric or of a tracked float32 value, the event ``replay differs`` tells the first such step and both values.

        Args:
            trial_id: Which trial.
            measurements: Consecutive steps, none left out after the last stored one; the last one is an evaluation.
            seconds: Device seconds that they took.

        Raises:
            WorkError: Steps between the last stored one and the first given one are missing.
            RequestError: The measurements are no piece of a curve, or a tracked name changes its number of values.
        """

    def set_state(self, trial_id: str, state: TrialState, error: str | None = None) -> None:
        """Note where a trial stands, and why it failed."""

    def set_best(
        self,
        trial_id: str,
        step: int,
        test_metrics: Mapping[str, float] | None,
        predictions: Predictions | None,
        seconds: float = 0.0,
    ) -> None:
        """Keep the test metrics and predictions of a trial's best evaluation, in place of an earlier one's.

        Args:
            trial_id: Which trial.
            step: The step of its best evaluation; a stored one.
            test_metrics: Test metrics there, if the task has test rows.
            predictions: Outputs there, if they are to be kept.
            seconds: Device seconds that they took; added to the trial's.
        """

    def losses(self, trial_id: str) -> Losses:
        """Return the training loss of every stored step, from step 1."""

    def tracked(self, trial_id: str) -> Tracked:
        """Return what was tracked at every stored step, by name; empty where nothing was."""

    def predictions(self, trial_id: str) -> Predictions | None:
        """Return the predictions at the trial's best evaluation, if any are kept."""

    def add_event(self, kind: str, detail: str, trial_id: str | None = None) -> None:
        """Write into the study's diary."""

    def events(self) -> tuple[Event, ...]:
        """Return the study's diary, oldest entry first."""

    def reset_running(self) -> int:
        """Set trials that a crash left running to waiting, and return how many."""

    def close(self) -> None:
        """Give the study free for others; a second call does nothing."""
