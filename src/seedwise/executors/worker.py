"""What does a long-lived worker process do? It trains one job after the other and reports as it goes.

It is started as ``python -m seedwise.executors.worker CHECKPOINTS THREADS DEVICE``, reads commands from its standard
input and writes reports to its standard output. When its input ends, its parent is gone and it ends at once.
"""

import json
import math
import os
import platform
import queue
import signal
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from seedwise.errors import CheckpointError, StorageError
from seedwise.executors.base import (
    DIVERGED,
    Completed,
    Failed,
    Interrupted,
    Job,
    Measured,
    Outcome,
    Paused,
    Report,
    Started,
)
from seedwise.executors.messages import job_from_json, write_report

__all__ = ["Worker", "main"]

CHECKPOINT_SHARE = 0.05
"""A running trial is checkpointed at an evaluation once writing takes at most this share of the time since the last."""


class Worker:
    """Trains jobs in this process.

    Args:
        checkpoints: Folder of the checkpoints.
        device: Where to train: cpu, cuda:0 ...
        out: Where reports go, one a line.
    """

    def __init__(self, checkpoints: Path, device: str, out: TextIO) -> None:
        self._checkpoints, self._device, self._out = checkpoints, device, out
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask the running job to put its trial aside after the current step."""
        self._stop.set()

    def train(self, job: Job, data_folder: Path) -> None:
        """Train one job and report how it ended; an error ends the job, not the worker."""
        try:
            self._train(job, data_folder)
        except StorageError as error:
            self._report(Failed(job.trial.id, str(error), fatal=True))
        except Exception as error:  # noqa: BLE001 - whatever one trial dies of, the others go on
            reason = f"{type(error).__name__}: {error}".strip().split("\n")[0]
            self._report(Failed(job.trial.id, reason))

    def export(self, request: dict[str, Any]) -> None:
        """Write a trial's model at its best evaluation as a Hugging Face folder, and answer when it is there."""
        from seedwise.executors.export import export_model
        from seedwise.trial import Trial

        try:
            trial = Trial.from_json(request["trial"])
            weights = self._weights(trial.id)
            export_model(trial, Path(request["data"]), weights, Path(request["folder"]), request["files"])
            answer: dict[str, Any] = {"exported": trial.id, "error": None}
        except Exception as error:  # noqa: BLE001 - the parent tells the user
            reason = str(error).strip().split("\n")[0]
            answer = {"exported": None, "error": reason, "storage": isinstance(error, StorageError)}
        self._write(json.dumps(answer))

    def _train(self, job: Job, data_folder: Path) -> None:
        from seedwise.data.tokens import TokenizedTask
        from seedwise.training.checkpoint import save_checkpoint, save_weights
        from seedwise.training.loop import train

        trial_id, clock = job.trial.id, _Clock()
        data = TokenizedTask.open(data_folder)
        training = self._begin(job, data)
        self._report(Started(trial_id, training.fingerprint, _origin(self._device, job.trial.recipe.dtype)))
        pending = list(training.pending)
        for measurement in train(training, job.until):
            pending.append(measurement)
            if measurement.metrics is not None:
                self._report(Measured(trial_id, tuple(pending), clock.lap()))
                pending = []
            if not math.isfinite(measurement.loss):
                error = f"{DIVERGED}: the training loss became {measurement.loss} at step {measurement.step}"
                self._report(Failed(trial_id, error, outcome=_outcome(training)))
                return
            if self._stop.is_set() and training.step < job.until:
                save_checkpoint(training, self._checkpoint(trial_id))
                self._report(Interrupted(trial_id))
                return
            if measurement.metrics is not None and training.step < job.until and clock.worth_saving():
                save_checkpoint(training, self._checkpoint(trial_id))
                clock.saved()
        if training.step < training.steps:
            save_checkpoint(training, self._checkpoint(trial_id))
            self._report(Paused(trial_id, _outcome(training), clock.lap()))
            return
        if training.best is not None:
            save_weights(training, self._weights(trial_id))
        self._checkpoint(trial_id).unlink(missing_ok=True)
        self._report(Completed(trial_id, _outcome(training), clock.lap()))

    def _begin(self, job: Job, data: Any) -> Any:
        """Take the trial up from its checkpoint if there is one that leaves no gap in its curve, else begin it."""
        from seedwise.training.checkpoint import load_checkpoint, step_of
        from seedwise.training.loop import begin

        path = self._checkpoint(job.trial.id)
        if path.exists():
            try:
                step, evaluated = step_of(path)
                if step <= job.until and evaluated <= job.stored:
                    return load_checkpoint(job.trial, data, path, self._device)
            except CheckpointError:
                path.unlink(missing_ok=True)  # torn by a power cut: the trial is trained again, to the same curve
        return begin(job.trial, data, self._device)

    def _checkpoint(self, trial_id: str) -> Path:
        return self._checkpoints / f"{trial_id}.safetensors"

    def _weights(self, trial_id: str) -> Path:
        return self._checkpoints / f"{trial_id}.best.safetensors"

    def _report(self, report: Report) -> None:
        self._write(write_report(report))

    def _write(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()


class _Clock:
    """Times the laps between reports, and tells when a checkpoint is worth its time."""

    def __init__(self) -> None:
        self._lap = self._last_save = time.monotonic()
        self._cost = 0.0
        self._began_saving = 0.0

    def lap(self) -> float:
        now = time.monotonic()
        elapsed, self._lap = now - self._lap, now
        return elapsed

    def worth_saving(self) -> bool:
        self._began_saving = time.monotonic()
        return (self._began_saving - self._last_save) * CHECKPOINT_SHARE >= self._cost

    def saved(self) -> None:
        self._last_save = time.monotonic()
        self._cost = self._last_save - self._began_saving


def _outcome(training: Any) -> Outcome | None:
    from seedwise.training.loop import at_best

    if training.best is None:
        return None
    test_metrics, test_logits = at_best(training)
    test = None if test_logits is None else test_logits.tolist()
    return Outcome(training.best.step, test_metrics, training.best.logits.tolist(), test)


def _origin(device: str, dtype: str) -> dict[str, Any]:
    """Say what a trial ran on: bits are equal only on equal devices, versions and threads."""
    import torch
    import transformers

    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else _processor()
    return {
        "seedwise": version("seedwise"),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "device": device,
        "device_name": name,
        "dtype": dtype,
        "threads": torch.get_num_threads(),
        "path": "plain",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def main(checkpoints: str, threads: str, device: str) -> None:
    """Serve commands from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever sends Ctrl-C to the whole job: the parent says what follows
    reports = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not look like a report
    worker = Worker(Path(checkpoints), device, reports)
    commands: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(worker, commands), daemon=True).start()

    import torch

    torch.set_num_threads(int(threads))
    if device.startswith("cuda"):
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
    import seedwise.training.checkpoint  # noqa: F401 - the slow imports happen now, not in the first job

    while True:
        command = commands.get()
        if command["do"] == "train":
            worker.train(job_from_json(command["job"]), Path(command["data"]))
        elif command["do"] == "export":
            worker.export(command)


def _listen(worker: Worker, commands: "queue.Queue[dict[str, Any]]") -> None:
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "stop":
            worker.stop()
        else:
            commands.put(command)
    os._exit(0)  # the parent is gone: whatever is not reported is replayed from the last checkpoint


if __name__ == "__main__":
    main(*sys.argv[1:])
