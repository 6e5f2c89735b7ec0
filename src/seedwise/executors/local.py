"""How do trials run on this machine, one in each worker process? One process per core or GPU, their threads pinned."""

import logging
from collections.abc import Sequence
from pathlib import Path

from seedwise.executors.base import Job, Remaining
from seedwise.executors.layout import check_device, cores, devices_here
from seedwise.executors.masks import cell_of, path_for, study_masks
from seedwise.executors.tasks import PreparedTasks
from seedwise.executors.workers.session import LocalSession
from seedwise.values.checks import check_count
from seedwise.values.facts import TaskFacts
from seedwise.values.recipe import Recipe
from seedwise.values.task import Task

__all__ = ["LocalExecutor"]

logger = logging.getLogger(__name__)


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

    def prepare(self, task: Task, recipe: Recipe) -> TaskFacts:
        """Tokenise a task's rows for a recipe's model, once, and return what is known of them."""
        return self._tasks.prepare(task, recipe)

    def open(self, folder: Path, remaining: Sequence[Remaining]) -> LocalSession:
        """Start the workers.

        Raises:
            RequestError: The device cannot compute in a recipe's precision.
        """
        devices = self._devices or devices_here()
        for item in remaining:
            check_device("plain", item.trial.recipe, devices[0])
        masks = study_masks(remaining, "library", devices[0])
        for sentence in masks.said:
            logger.warning("%s", sentence)
        on_gpu = devices[0].startswith("cuda")
        count = self._workers or (len(devices) if on_gpu else max(1, cores() // self._threads))
        places = [devices[i % len(devices)] for i in range(count)]

        def path_of(job: Job) -> str:
            return path_for(job, "packed" if masks.kinds[cell_of(job)] == "hashed" else "plain")

        return LocalSession(folder, self._tasks, places, self._threads, path_of=path_of)
