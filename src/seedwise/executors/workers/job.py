"""What happens to a job while it is trained? It reports measurements, saves its state and sends one outcome.

A worker may hold several attempts at once; the `Clock` shares its time out among them.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path

from seedwise.errors import StorageError
from seedwise.executors.base import Job
from seedwise.executors.messages import Completed, Failed, Interrupted, Measured, Message, Outcome, Paused
from seedwise.training.checkpoint import save_checkpoint, save_weights
from seedwise.training.loop import Training, at_best
from seedwise.values.record import Cause
from seedwise.values.trial import Measurement

__all__ = ["Attempt", "Clock", "failed"]

CHECKPOINT_SHARE = 0.05
"""A running trial is checkpointed at an evaluation once writing takes at most this share of the time since the last."""


class Clock:
    """Shares a worker's time out evenly among the trials that it holds."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._spent: dict[str, float] = {}

    def join(self, trial_id: str) -> None:
        """Count a trial in from now on."""
        self._tick()
        self._spent[trial_id] = 0.0

    def leave(self, trial_id: str) -> None:
        """Count a trial no more."""
        self._tick()
        self._spent.pop(trial_id, None)

    def lap(self, trial_id: str) -> float:
        """Return a trial's seconds since it was last asked for."""
        self._tick()
        spent, self._spent[trial_id] = self._spent[trial_id], 0.0
        return spent

    def _tick(self) -> None:
        now = time.monotonic()
        for trial_id in self._spent:
            self._spent[trial_id] += (now - self._last) / len(self._spent)
        self._last = now


class Attempt:
    """One job in training."""

    def __init__(
        self, job: Job, training: Training, paths: tuple[Path, Path], clock: Clock, send: Callable[[Message], None]
    ) -> None:
        self.training = training
        self._job, self._clock, self._send = job, clock, send
        self._checkpoint, self._weights = paths
        self._pending = list(training.pending)
        self._diverged = ""
        self._last_save, self._save_cost = time.monotonic(), 0.0

    @property
    def over(self) -> bool:
        """Whether its job is done, or it cannot go on."""
        return bool(self._diverged) or self.training.step >= self._job.until

    def note(self, measurement: Measurement) -> None:
        """Take in a step; an evaluation is reported with the steps before it."""
        self._pending.append(measurement)
        if measurement.metrics is not None:
            self._send(Measured(self._job.trial.id, tuple(self._pending), self._clock.lap(self._job.trial.id)))
            self._pending = []
        if not math.isfinite(measurement.loss):
            self._diverged = f"{Cause.DIVERGED}: the training loss became {measurement.loss} at step {measurement.step}"

    def save_when_due(self, measurement: Measurement, company: int) -> None:
        """Write a checkpoint after an evaluation, unless that takes too much of the time of a worker with this many."""
        began = time.monotonic()
        share = (began - self._last_save) * CHECKPOINT_SHARE
        if measurement.metrics is not None and not self.over and share >= self._save_cost * company:
            save_checkpoint(self.training, self._checkpoint)
            self._last_save = time.monotonic()
            self._save_cost = self._last_save - began

    def end(self) -> None:
        """Keep what is needed of the trial, and report how it stands; it has left the others."""
        trial_id, training = self._job.trial.id, self.training
        if self._diverged:
            self._send(Failed(trial_id, self._diverged, Cause.DIVERGED, _outcome(training)))
        elif not self.over:
            save_checkpoint(training, self._checkpoint)
            self._send(Interrupted(trial_id))
        elif training.step < training.steps:
            save_checkpoint(training, self._checkpoint)
            self._send(Paused(trial_id, _outcome(training), self._clock.lap(trial_id)))
        else:
            if training.best is not None:
                save_weights(training, self._weights)
            self._checkpoint.unlink(missing_ok=True)
            self._send(Completed(trial_id, _outcome(training), self._clock.lap(trial_id)))


def failed(trial_id: str, error: Exception) -> Failed:
    """Say in one sentence what a trial died of."""
    if isinstance(error, StorageError):
        return Failed(trial_id, str(error), Cause.STORAGE)
    return Failed(trial_id, f"{type(error).__name__}: {error}".strip().split("\n")[0])


def _outcome(training: Training) -> Outcome | None:
    if training.best is None:
        return None
    test_metrics, test_logits = at_best(training)
    test = None if test_logits is None else test_logits.tolist()
    return Outcome(training.best.step, test_metrics, training.best.logits.tolist(), test)
