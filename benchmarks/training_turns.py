"""How do the rivals of ``training.py`` take turns: what each is, what it reports, and how it waits for the next call?"""

import ctypes
import math
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

__all__ = ["WARM_UP", "Ready", "Rival", "Turn", "Turns"]

WARM_UP = 2  # steps before the first turn


class Rival(NamedTuple):
    """A way to train.

    Args:
        title: What it is called in the table.
        path: trainer, plain, packed, compiled or fused; products multiplies matrices, copies, and trains nothing.
        processes: How many of it run at once.
        threads: Threads of each.
        width: Trials that each trains at once.
        as_run_glue: Whether the Trainer is set as the library's example for GLUE sets it, or as well as can be.
        trials: Train so many, shared out over the processes, from start to end in one turn; 0 for turns of a few steps.
    """

    title: str
    path: str
    processes: int
    threads: int
    width: int = 1
    as_run_glue: bool = False
    trials: int = 0


class Ready(NamedTuple):
    """Seconds from a process's start until all is loaded, and from there until one trial stands at step 0."""

    start: float
    begin: float


class Turn(NamedTuple):
    """Seconds of a step (the median of the turn's) and of an evaluation of all trials of a process.

    Memory is the process's peak so far, in bytes; losses are those of its first trial's steps, where it is ours. Where
    the steps were taken twice, recording is what all of them took longer at first.
    """

    step: float
    evaluation: float
    memory: float
    losses: tuple[float, ...] = ()
    recording: float = 0.0


class Turns:
    """A process's side of taking turns: it reports, and waits until it is called again or is no longer needed."""

    def __init__(self, pipe: Connection, device: str) -> None:
        self._pipe, self._device = pipe, device

    def over(self, report: Ready | Turn) -> None:
        """Hand a report over and wait."""
        with suppress(AttributeError, OSError, TypeError):  # not every system has it
            ctypes.CDLL(None).malloc_trim(0)  # what is free is handed back: the others need memory too
        self._pipe.send(report)
        if not self._pipe.recv():
            raise SystemExit

    def clock(self) -> float:
        """Return the time when all work handed to the device is done."""
        import torch

        if self._device.startswith("cuda"):
            torch.cuda.synchronize()
        return time.perf_counter()

    def memory(self) -> float:
        """Return the peak memory in bytes: on a GPU that of its tensors, else that of the process."""
        import torch

        if self._device.startswith("cuda"):
            return float(torch.cuda.max_memory_allocated())
        with suppress(OSError):
            for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
                if line.startswith("VmHWM:"):
                    return float(line.split()[1]) * 1024
        return math.nan
