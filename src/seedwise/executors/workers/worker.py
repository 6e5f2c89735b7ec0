"""What does a worker do with the jobs that it is given? It trains them, one or several at a time, and reports as it goes."""

import gc
import json
import threading
from pathlib import Path
from typing import Any, TextIO

from seedwise.data.tokens import TokenizedTask
from seedwise.engines.engine import Alone, Engine, Stepper
from seedwise.engines.memory import is_out_of_memory
from seedwise.errors import CheckpointError, MasksError, StorageError
from seedwise.executors.base import Job
from seedwise.executors.environment import environment
from seedwise.executors.messages import Interrupted, Message, Returned, Started, write_message
from seedwise.executors.study_masks import masks_of
from seedwise.executors.workers.export import export_model
from seedwise.executors.workers.job import Attempt, Clock, failed
from seedwise.training.checkpoint import load_checkpoint, step_of
from seedwise.training.loop import Training
from seedwise.values.trial import Measurement, Trial

__all__ = ["Worker"]


class Worker:
    """Trains jobs in this process: one at a time, or several in a stack."""

    def __init__(self, checkpoints: Path, device: str, out: TextIO, stop: threading.Event) -> None:
        self._checkpoints, self._device, self._out, self._stop = checkpoints, device, out, stop
        self._clock = Clock()
        self._stepper: Stepper | None = None  # what advances its trials
        self._attempts: dict[str, Attempt] = {}  # by trial
        self._data: tuple[Path, TokenizedTask] | None = None  # what it read last: the trials of a stack share it

    @property
    def busy(self) -> bool:
        """Whether it holds a trial."""
        return bool(self._attempts)

    def take_up(self, job: Job, data_folder: Path, engine: Engine, width: int) -> None:
        """Begin a job, or go on with it, beside those that it holds; an error ends the job, not the worker."""
        trial_id = job.trial.id
        if self._stop.is_set():
            self._send(Interrupted(trial_id))
            return
        self._clock.join(trial_id)
        try:
            self._take_up(job, self._tokens(data_folder), engine, width)
        except Exception as error:  # noqa: BLE001 - whatever one trial dies of, the others go on
            self._leave(trial_id)
            self._clock.leave(trial_id)
            full = is_out_of_memory(error)
            reason = f"{type(error).__name__}: {error}".split("\n")[0]
            self._send(Returned(trial_id, reason) if full and self.busy else failed(trial_id, error))

    def advance(self) -> None:
        """Take one step of every trial that it holds."""
        try:
            measured = [] if self._stepper is None else self._stepper.step()
        except Exception as error:
            if is_out_of_memory(error) and len(self._attempts) > 1:
                raise
            self._stepper = None  # it may be in no state to let them go
            for trial_id in tuple(self._attempts):  # it cannot be told which one is at fault
                self._give_up(trial_id, error)
            error.with_traceback(None)  # whose frames hold a stack's memory
            gc.collect()
            return
        for training, measurement in measured:
            try:
                self._note(training, measurement)
            except Exception as error:  # noqa: BLE001 - likewise
                self._give_up(training.trial.id, error)

    def export(self, request: dict[str, Any]) -> None:
        """Write a trial's model at its best evaluation as a Hugging Face folder, and answer when it is there."""
        try:
            trial = Trial.from_json(request["trial"])
            weights = self._weights(trial.id)
            export_model(trial, Path(request["data"]), weights, Path(request["folder"]), request["files"])
            answer: dict[str, Any] = {"exported": trial.id, "error": None}
        except Exception as error:  # noqa: BLE001 - the parent tells the user
            reason = str(error).strip().split("\n")[0]
            answer = {"exported": None, "error": reason, "storage": isinstance(error, StorageError)}
        self._write(json.dumps(answer))

    def _take_up(self, job: Job, data: TokenizedTask, engine: Engine, width: int) -> None:
        trial_id = job.trial.id
        training = self._begin(job, data, engine)
        masks = masks_of(job.environment)
        if masks not in (None, engine.masks):
            raise MasksError(
                f"the trials on record have other dropout masks than the {engine.masks.value} ones of the engine {engine}; "
                "choose an engine that has theirs."
            )
        files = self._checkpoint(trial_id), self._weights(trial_id)
        attempt = Attempt(job, training, files, self._clock, self._send)
        ran_on = environment(self._device, job.trial.recipe.dtype, engine.name, width)
        if not attempt.over:
            if self._stepper is None:
                self._stepper = engine.stepper(self._device)
            self._attempts[trial_id] = attempt
            self._stepper.join(training)
        self._send(Started(trial_id, training.fingerprint, ran_on))
        if attempt.over:
            attempt.end()
            self._clock.leave(trial_id)

    def _tokens(self, folder: Path) -> TokenizedTask:
        if self._data is None or self._data[0] != folder:
            self._data = folder, TokenizedTask.open(folder)
        return self._data[1]

    def _note(self, training: Training, measurement: Measurement) -> None:
        """Report a step where it is an evaluation, and end the attempt where it is over."""
        attempt = self._attempts[training.trial.id]
        attempt.note(measurement)
        if attempt.over or self._stop.is_set():
            self._leave(training.trial.id)
            attempt.end()
            self._clock.leave(training.trial.id)
        else:
            attempt.save_when_due(measurement, len(self._attempts))

    def _give_up(self, trial_id: str, error: Exception) -> None:
        self._leave(trial_id)
        self._clock.leave(trial_id)
        self._send(failed(trial_id, error))

    def _leave(self, trial_id: str) -> None:
        """Let a trial go, if it is there; the last one takes the stepper with it, and the memory that a stack holds."""
        attempt = self._attempts.pop(trial_id, None)
        if attempt is None or self._stepper is None:
            return
        self._stepper.leave(attempt.training)
        if not self._attempts:
            stacked, self._stepper = not isinstance(self._stepper, Alone), None
            if stacked:
                gc.collect()  # a stack and its members refer to each other

    def _begin(self, job: Job, data: TokenizedTask, engine: Engine) -> Training:
        """Take the trial up from its checkpoint if there is one that leaves no gap in its curve, else begin it."""
        file = self._checkpoint(job.trial.id)
        if file.exists():
            try:
                step, evaluated = step_of(file)
                if step <= job.until and evaluated <= job.stored:
                    return load_checkpoint(job.trial, data, file, self._device, engine.begin)
            except MasksError:
                raise
            except CheckpointError:
                file.unlink(missing_ok=True)  # torn by a power cut: the trial is trained again, to the same curve
        return engine.begin(job.trial, data, self._device)

    def _checkpoint(self, trial_id: str) -> Path:
        return self._checkpoints / f"{trial_id}.safetensors"

    def _weights(self, trial_id: str) -> Path:
        return self._checkpoints / f"{trial_id}.best.safetensors"

    def _send(self, message: Message | Returned) -> None:
        self._write(write_message(message))

    def _write(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()
