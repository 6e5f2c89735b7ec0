"""What does a session hold of one worker? Its process, the jobs that it has, and the thread that reads its messages."""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from seedwise.engines.engine import PLAIN
from seedwise.executors.base import Job

__all__ = ["Inbox", "Process", "pinned"]

Inbox = queue.Queue[tuple["Process", str | None]]
"""Lines that workers wrote, each with who wrote it; None where a worker's output has ended."""


class Process:
    """One worker process."""

    def __init__(self, folder: Path, device: str, threads: int, inbox: Inbox, *, width: int = 1) -> None:
        self._command = [
            sys.executable,
            "-P",
            "-m",
            "seedwise.executors.workers.main",
            str(folder),
            str(threads),
            device,
        ]
        self._environment = pinned(threads)
        self._inbox = inbox
        self.width = width
        self.jobs: dict[str, Job] = {}  # by trial
        self.engine = PLAIN  # of its jobs
        self.taken_up: set[str] = set()  # trials whose start it has reported

    @property
    def room(self) -> int:
        """How many more jobs it may hold, if they can be stacked with those that it has."""
        if self.jobs and not self.engine.stacks:
            return 0
        return self.width - len(self.jobs)

    def start(self) -> None:
        """Start the process; it takes a few seconds before it reads its first command."""
        self.taken_up = set()
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
        """Write a command for the worker; one that has just died does not read it."""
        stdin = self._process.stdin
        try:
            if stdin is not None:
                stdin.write(json.dumps(command) + "\n")
                stdin.flush()
        except BrokenPipeError:
            return  # its end of output says so too, and is dealt with there

    def let_go(self, trial_id: str) -> None:
        """Forget a trial that it no longer holds, if it had it."""
        self.taken_up.discard(trial_id)
        self.jobs.pop(trial_id, None)

    def abandon(self) -> None:
        """End the process at once."""
        self.jobs, self.taken_up = {}, set()
        self._process.kill()

    def end(self) -> None:
        """Let the process end, as it does when its input ends."""
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
        """Return what a process that has ended died of, in a few words."""
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
                    if line.endswith("\n"):  # the last line of a killed worker may be half a message
                        self._inbox.put((self, line))
        self._inbox.put((self, None))


def pinned(threads: int) -> dict[str, str]:
    """Return the environment of a process that computes with this many threads."""
    counts = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    environment = {**os.environ, **counts, "TOKENIZERS_PARALLELISM": "false"}
    environment.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # equal bits on equal GPUs
    return environment
