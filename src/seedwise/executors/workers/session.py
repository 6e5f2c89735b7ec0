"""How are the workers of one study kept busy? Jobs go where there is room, messages come back, the dead are replaced.

A worker that dies takes nothing with it: its trial is taken up again from its last checkpoint, twice, and is then marked
failed with its error, while the others go on.
"""

import json
import logging
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from seedwise.engines.engine import Engine
from seedwise.errors import StorageError, WorkError
from seedwise.executors.base import Job
from seedwise.executors.messages import (
    Completed,
    Failed,
    Interrupted,
    Measured,
    Message,
    Paused,
    Returned,
    Started,
    read_message,
)
from seedwise.executors.tasks import PreparedTasks
from seedwise.executors.workers.process import Inbox, Process
from seedwise.values.trial import Trial

__all__ = ["PATIENCE", "LocalSession"]

logger = logging.getLogger(__name__)

RETRIES = 2
"""How often a trial is taken up again after its worker died."""

PATIENCE = 120.0
"""Seconds that workers get to put their trials aside or to write a model before they are ended."""

_TRIAL_ID = "[0-9a-f]" * 16  # what our files are named by; no other is touched


class LocalSession:
    """The workers at work for one study; see `seedwise.executors.base.Session`."""

    def __init__(
        self,
        folder: Path,
        tasks: PreparedTasks,
        devices: Sequence[str],
        threads: int,
        *,
        width: int = 1,
        engine_of: Callable[[Job], Engine],
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._tasks, self._engine_of = folder, tasks, engine_of
        self._inbox: Inbox = queue.Queue()
        self._processes = [Process(folder, device, threads, self._inbox, width=width) for device in devices]
        self._waiting: list[Job] = []  # for a worker that they can join
        self._deaths: dict[str, int] = {}  # by trial; "" counts deaths without one
        self._stopping = False

    def __enter__(self) -> Self:
        for left_over in self._folder.glob(f".{_TRIAL_ID}.*safetensors.*"):  # half-written when a worker was killed
            left_over.unlink(missing_ok=True)
        for process in self._processes:
            process.start()
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self._processes:
            process.end()

    @property
    def free(self) -> int:
        """How many jobs can be submitted now."""
        return max(0, sum(process.room for process in self._processes) - len(self._waiting))

    def submit(self, job: Job) -> None:
        """Give a job to a worker, now or when there is one that it can join."""
        self._waiting.append(job)
        self._place()

    def wait(self, seconds: float) -> list[Message]:
        """Return the messages that have come, waiting at most this long for the first."""
        messages: list[Message] = []
        try:
            while True:
                process, line = self._inbox.get(timeout=0 if messages else seconds)
                messages += self._after_death(process) if line is None else self._receive(process, line)
                self._place()
        except queue.Empty:
            return messages

    def stop(self) -> list[Message]:
        """Ask every worker to put its trials aside, and wait for their last messages."""
        self._stopping = True
        messages = self.wait(0)
        messages += [Interrupted(job.trial.id) for job in self._waiting]
        self._waiting = []
        for process in self._processes:
            if not process.jobs or process.taken_up:
                process.send({"do": "stop"})
            else:  # it is still loading libraries, and there is nothing to put aside
                messages += [Interrupted(trial_id) for trial_id in process.jobs]
                process.abandon()
        deadline = time.monotonic() + PATIENCE
        while any(process.jobs for process in self._processes) and time.monotonic() < deadline:
            messages += self.wait(0.2)
        return messages

    def drop(self, trial_id: str) -> None:
        """Delete a trial's checkpoint and weights."""
        for ending in ("safetensors", "best.safetensors"):
            (self._folder / f"{trial_id}.{ending}").unlink(missing_ok=True)

    def kept(self) -> frozenset[str]:
        """Return the trials of which a checkpoint or weights are on disk."""
        return frozenset(path.name.split(".")[0] for path in self._folder.glob(f"{_TRIAL_ID}.*safetensors"))

    def export(self, trial: Trial, folder: Path, files: Mapping[str, str]) -> None:
        """Let a free worker write the model folder, and wait for it."""
        process = next(process for process in self._processes if not process.jobs)
        request = {"do": "export", "trial": trial.to_json(), "folder": str(folder), "files": dict(files)}
        process.send({**request, "data": str(self._tasks.folder(trial))})
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                sender, line = self._inbox.get(timeout=1.0)
            except queue.Empty:
                continue
            if line is None:
                self._after_death(sender)
            if sender is process:
                answer = {"error": "the worker died"} if line is None else json.loads(line)
                if answer["error"] is None:
                    return
                kind = StorageError if answer.get("storage") else WorkError
                raise kind(f"the best model cannot be written to {folder}: {answer['error']}; run the command again.")
        raise WorkError(f"the best model was not written to {folder} within {PATIENCE:g} s; run the command again.")

    def _place(self) -> None:
        """Give waiting jobs to workers that have room for them, the first come first."""
        for job in tuple(self._waiting):
            engine = self._engine_of(job)
            able = [process for process in self._processes if _can_join(process, job, engine)]
            if able:
                self._waiting.remove(job)
                self._give(min(able, key=lambda process: len(process.jobs)), job, engine)

    def _give(self, process: Process, job: Job, engine: Engine) -> None:
        process.jobs[job.trial.id], process.engine = job, engine
        width = process.width if engine.stacks else 1
        data = str(self._tasks.folder(job.trial))
        process.send({"do": "train", "job": job.to_json(), "data": data, "engine": engine.name, "width": width})

    def _receive(self, process: Process, line: str) -> list[Message]:
        message = read_message(line)
        job = process.jobs.get(message.trial_id)
        if job is None:  # abandoned
            return []
        if isinstance(message, Returned):
            process.let_go(message.trial_id)
            self._narrow(
                process, max(1, len(process.jobs)), f"one trial more does not fit into a worker ({message.reason})"
            )
            return self._again([job])
        if isinstance(message, Measured):
            process.jobs[message.trial_id] = replace(job, stored=message.measurements[-1].step)
        if isinstance(message, Started):
            process.taken_up.add(message.trial_id)
        if isinstance(message, Paused | Completed | Failed | Interrupted):
            process.let_go(message.trial_id)
        return [message]

    def _after_death(self, process: Process) -> list[Message]:
        """Take the trials of a dead worker up again, or give one up after the last retry.

        Of several, none can be told to be at fault: half as many may then share a worker, until the one is alone.
        """
        jobs, cause = list(process.jobs.values()), process.cause_of_death()
        process.jobs = {}
        if self._stopping:  # whether it was a trial's fault will be seen when the study is run again
            return [Interrupted(job.trial.id) for job in jobs]
        if len(jobs) > 1:
            process.start()
            self._narrow(process, len(jobs) // 2, f"a worker with {len(jobs)} trials died ({cause})")
            return self._again(jobs)
        trial_id = jobs[0].trial.id if jobs else ""
        deaths = self._deaths[trial_id] = self._deaths.get(trial_id, 0) + 1
        if not jobs and deaths > RETRIES:
            raise WorkError(f"workers cannot run here ({cause}); what was done is kept.")
        process.start()
        if jobs and deaths > RETRIES:
            return [Failed(trial_id, f"the worker died {deaths} times, last: {cause}")]
        return self._again(jobs)

    def _again(self, jobs: list[Job]) -> list[Message]:
        """Let jobs wait for a worker once more, before all others."""
        if self._stopping:
            return [Interrupted(job.trial.id) for job in jobs]
        self._waiting = [*jobs, *self._waiting]
        return []

    def _narrow(self, process: Process, width: int, reason: str) -> None:
        if width < process.width:
            process.width = width
            logger.warning("%s; from now on it holds %d at once.", reason, width)


def _can_join(process: Process, job: Job, engine: Engine) -> bool:
    """Whether a worker has room for a job, beside those that it holds."""
    if process.room < 1 or (process.jobs and not engine.stacks):
        return False
    if not process.jobs:
        return True
    from seedwise.engines.stack import difference

    return difference(next(iter(process.jobs.values())).trial, job.trial) is None
