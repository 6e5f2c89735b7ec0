"""How do trials run on this machine? In long-lived worker processes, one per core or GPU, their threads pinned.

A worker that dies takes nothing with it: its trial is taken up again from its last checkpoint, twice, and is then marked
failed with its error, while the others go on.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Self

from seedwise.errors import StorageError, WorkError
from seedwise.executors.base import Completed, Failed, Interrupted, Job, Measured, Paused, Report, Started
from seedwise.executors.messages import job_to_json, read_report
from seedwise.recipe import Recipe
from seedwise.task import Task
from seedwise.trial import Trial
from seedwise.validation import check_count

__all__ = ["LocalExecutor"]

RETRIES = 2
"""How often a trial is taken up again after its worker died."""

PATIENCE = 120.0
"""Seconds that workers get to put their trials aside or to write a model before they are ended."""

_TRIAL_ID = "[0-9a-f]" * 16  # what our files are named by; no other is touched


class LocalExecutor:
    """Runs trials in worker processes on this machine.

    Args:
        workers: How many trials run at once; by default one for each GPU, or without any one for each core.
        threads: Threads of each worker; one by default on a CPU, which trains the most trials per hour. Results are
            equal bit for bit only for equal threads.
        devices: Devices that the workers share in turn, such as ``["cuda:0"]``; by default all GPUs, or the CPU.

    Raises:
        RequestError: A count is below 1.
    """

    def __init__(self, workers: int | None = None, *, threads: int = 1, devices: list[str] | None = None) -> None:
        if workers is not None:
            check_count("workers", workers)
        check_count("threads", threads)
        self._workers, self._threads, self._devices = workers, threads, devices
        self._prepared: dict[tuple[str, str], Path] = {}
        self._rows: dict[tuple[str, str, int], tuple[Path, dict[str, Any]]] = {}  # by task, model and length
        self._checked: set[str] = set()  # recipes that fit their models

    def prepare(self, task: Task, recipe: Recipe) -> dict[str, Any]:
        """Tokenise a task's rows for a recipe's model, once, and return what is known of them."""
        if recipe.id not in self._checked:
            _check_fit(recipe)
            self._checked.add(recipe.id)
        key = (task.id, recipe.model, recipe.max_length)
        if key not in self._rows:
            self._rows[key] = _tokenized(task, recipe)
        self._prepared[task.id, recipe.id], facts = self._rows[key]
        return facts

    def open(self, folder: Path) -> "LocalSession":
        """Start the workers."""
        devices = self._devices or _devices()
        on_gpu = devices[0].startswith("cuda")
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        count = self._workers or (len(devices) if on_gpu else max(1, cores // self._threads))
        folder.mkdir(parents=True, exist_ok=True)
        return LocalSession(folder, self._prepared, [devices[i % len(devices)] for i in range(count)], self._threads)


class LocalSession:
    """The workers at work for one study; see `seedwise.executors.base.Session`."""

    def __init__(self, folder: Path, prepared: dict[tuple[str, str], Path], devices: list[str], threads: int) -> None:
        self._folder, self._prepared = folder, prepared
        self._inbox: queue.Queue[tuple[_Process, str | None]] = queue.Queue()
        self._processes = [_Process(folder, device, threads, self._inbox) for device in devices]
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
        return sum(process.job is None for process in self._processes)

    def submit(self, job: Job) -> None:
        """Give a job to a free worker."""
        process = next(process for process in self._processes if process.job is None)
        process.job = job
        process.send({"do": "train", "job": job_to_json(job), "data": self._data_of(job.trial)})

    def wait(self, seconds: float) -> list[Report]:
        """Return the reports that have come, waiting at most this long for the first."""
        reports: list[Report] = []
        try:
            while True:
                process, line = self._inbox.get(timeout=0 if reports else seconds)
                report = self._after_death(process) if line is None else self._receive(process, line)
                if report is not None:
                    reports.append(report)
        except queue.Empty:
            return reports

    def stop(self) -> list[Report]:
        """Ask every worker to put its trial aside, and wait for their last reports."""
        self._stopping = True
        reports = self.wait(0)
        for process in self._processes:
            if process.job is None or process.at_work:
                process.send({"do": "stop"})
            else:  # it is still loading libraries, and there is nothing to put aside
                reports.append(Interrupted(process.job.trial.id))
                process.abandon()
        deadline = time.monotonic() + PATIENCE
        while any(process.job is not None for process in self._processes) and time.monotonic() < deadline:
            reports += self.wait(0.2)
        return reports

    def drop(self, trial_id: str) -> None:
        """Delete a trial's checkpoint and weights."""
        for ending in ("safetensors", "best.safetensors"):
            (self._folder / f"{trial_id}.{ending}").unlink(missing_ok=True)

    def kept(self) -> frozenset[str]:
        """Return the trials of which a checkpoint or weights are on disk."""
        return frozenset(path.name.split(".")[0] for path in self._folder.glob(f"{_TRIAL_ID}.*safetensors"))

    def export(self, trial: Trial, folder: Path, files: Mapping[str, str]) -> None:
        """Let a free worker write the model folder, and wait for it."""
        process = next(process for process in self._processes if process.job is None)
        request = {"do": "export", "trial": trial.to_json(), "folder": str(folder), "files": dict(files)}
        process.send({**request, "data": self._data_of(trial)})
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

    def _data_of(self, trial: Trial) -> str:
        return str(self._prepared[trial.task.id, trial.recipe.id])

    def _receive(self, process: "_Process", line: str) -> Report | None:
        if process.job is None:  # abandoned
            return None
        report = read_report(line)
        if isinstance(report, Measured) and process.job is not None:
            process.job = replace(process.job, stored=report.measurements[-1].step)
        if isinstance(report, Started):
            process.at_work = True
        if isinstance(report, Paused | Completed | Failed | Interrupted):
            process.job, process.at_work = None, False
        return report

    def _after_death(self, process: "_Process") -> Report | None:
        """Take the trial of a dead worker up again in a new one, or give it up after the last retry."""
        job, cause = process.job, process.cause_of_death()
        trial_id = "" if job is None else job.trial.id
        if self._stopping:  # whether it was its trial's fault will be seen when the study is run again
            process.job = None
            return None if job is None else Interrupted(trial_id)
        deaths = self._deaths[trial_id] = self._deaths.get(trial_id, 0) + 1
        if job is None and deaths > RETRIES:
            raise WorkError(f"workers cannot run here ({cause}); what was done is kept.")
        process.start()
        if job is not None and deaths > RETRIES:
            process.job = None
            return Failed(trial_id, f"the worker died {deaths} times, last: {cause}")
        if job is not None:
            process.send({"do": "train", "job": job_to_json(job), "data": self._data_of(job.trial)})
        return None


class _Process:
    """One worker process and the thread that reads its reports."""

    def __init__(
        self, folder: Path, device: str, threads: int, inbox: "queue.Queue[tuple[_Process, str | None]]"
    ) -> None:
        self._command = [sys.executable, "-P", "-m", "seedwise.executors.worker", str(folder), str(threads), device]
        pinned = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
        self._environment = {**os.environ, **pinned, "TOKENIZERS_PARALLELISM": "false"}
        self._environment.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # equal bits on equal GPUs
        self._inbox = inbox
        self.job: Job | None = None
        self.at_work = False  # whether the job's trial has been taken up

    def start(self) -> None:
        self.at_work = False
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            env=self._environment,
            start_new_session=True,  # Ctrl-C reaches the parent alone, which lets the workers finish their step
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()

    def send(self, command: dict[str, Any]) -> None:
        stdin = self._process.stdin
        try:
            if stdin is not None:
                stdin.write(json.dumps(command) + "\n")
                stdin.flush()
        except BrokenPipeError:
            return  # it has just died: its end of output says so too, and is dealt with there

    def abandon(self) -> None:
        self.job = None
        self._process.kill()

    def end(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def cause_of_death(self) -> str:
        code = self._process.wait()
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().split("\n")
        self._errors.close()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}: {lines[-1]}" if lines[-1] else how

    def _read(self, process: "subprocess.Popen[str]") -> None:
        if process.stdout is not None:
            with process.stdout as lines:
                for line in lines:
                    if line.endswith("\n"):  # the last line of a killed worker may be half a report
                        self._inbox.put((self, line))
        self._inbox.put((self, None))


def _check_fit(recipe: Recipe) -> None:
    """Refuse a recipe that does not fit its model; no weights are read."""
    from seedwise.data.pretrained import check_model, check_start

    check_model(recipe.model)
    if recipe.start_from is not None:
        check_start(recipe.model, recipe.start_from)
    if recipe.needs_layers:
        from seedwise.training.model import check_switches

        check_switches(recipe)


def _tokenized(task: Task, recipe: Recipe) -> tuple[Path, dict[str, Any]]:
    """Return where a task's tokenised rows lie, and what is known of them."""
    from seedwise.data.pretrained import depth
    from seedwise.data.tokens import tokenize
    from seedwise.training.metrics import baselines

    data = tokenize(task, recipe.model, recipe.max_length)
    classes = None if data.label_names is None else len(data.label_names)
    known = {"baselines": baselines(data.kind, data.validation.labels, classes), "blocks": depth(recipe.model)}
    return data.folder, {**data.facts(), **known}


def _devices() -> list[str]:
    import torch

    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cpu"]
