"""How do trials run on this machine, one in each worker process? One process per core or GPU, their threads pinned."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedwise.executors.base import Work
from seedwise.executors.prepared import PreparedTasks
from seedwise.executors.session import LocalSession
from seedwise.recipe import Recipe
from seedwise.task import Task
from seedwise.validation import check_count

__all__ = ["LocalExecutor", "cores", "devices_here"]


class LocalExecutor:
    """Runs trials in worker processes on this machine, each with the library's own model.

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
        self._tasks = PreparedTasks()

    def prepare(self, task: Task, recipe: Recipe) -> dict[str, Any]:
        """Tokenise a task's rows for a recipe's model, once, and return what is known of them."""
        return self._tasks.prepare(task, recipe)

    def open(self, folder: Path, work: Sequence[Work]) -> LocalSession:  # noqa: ARG002 - it runs all work alike
        """Start the workers."""
        devices = self._devices or devices_here()
        on_gpu = devices[0].startswith("cuda")
        count = self._workers or (len(devices) if on_gpu else max(1, cores() // self._threads))
        places = [devices[i % len(devices)] for i in range(count)]
        return LocalSession(folder, self._tasks, places, self._threads)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def devices_here() -> list[str]:
    """Return all GPUs, or the CPU where there is none."""
    import torch

    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cpu"]
