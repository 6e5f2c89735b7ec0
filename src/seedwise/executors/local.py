"""How do trials run on this machine? In worker processes, each pinned to its threads and one device."""

import logging
from collections.abc import Sequence
from pathlib import Path

from seedwise.engines.engine import ENGINES, FUSED, PACKED, PLAIN, Engine
from seedwise.errors import RequestError
from seedwise.executors.base import Job, Remaining
from seedwise.executors.layout import Layout, Request, check_device, choose, devices_here, stack_room, usual
from seedwise.executors.study_masks import cell_of, masks_of, study_masks, with_masks
from seedwise.executors.tasks import PreparedTasks
from seedwise.executors.workers.session import LocalSession
from seedwise.values.checks import check_choice, check_count
from seedwise.values.facts import TaskFacts
from seedwise.values.masks import Masks
from seedwise.values.recipe import Recipe
from seedwise.values.rows import Targets
from seedwise.values.task import Task

__all__ = ["LocalExecutor"]

logger = logging.getLogger(__name__)


class LocalExecutor:
    """Runs trials in worker processes on this machine.

    What is left open is chosen by a rule: a study goes on as it began; a fresh one is trained by the compiled kernels on a
    CPU, one trial a core, and on a GPU with as many trials at once as its memory holds. A recipe or model that the engine
    cannot train is trained by packed, or by the library's own model. What was chosen is logged.

    Args:
        engine: plain (the library's own model), packed (without padding), compiled (C kernels on a CPU), fused (many
            trials as one batched model), or auto to choose. A width above 1 means fused.
        workers: How many processes; by default one for each GPU, or without any one for each core.
        threads: Threads of each; one by default, which trains the most trials per hour. Results are equal bit for bit
            only for equal threads.
        width: How many trials share a stack with the engine fused.
        devices: Devices that the workers share in turn, such as ``["cuda:0"]``; by default all GPUs, or the CPU.

    Raises:
        RequestError: A count is below 1, or the engine has no stacks to be wide.
    """

    def __init__(
        self,
        engine: str = "auto",
        *,
        workers: int | None = None,
        threads: int | None = None,
        width: int | None = None,
        devices: list[str] | None = None,
    ) -> None:
        check_choice("engine", engine, ("auto", *ENGINES))
        for name, count in (("workers", workers), ("threads", threads), ("width", width)):
            if count is not None:
                check_count(name, count)
        self._engine = ENGINES.get(engine)
        if width is not None and width > 1:
            if self._engine is not None and not self._engine.stacks:
                raise RequestError(
                    f"width goes with the engine fused, not {engine}, which trains one trial alone; leave it out."
                )
            self._engine = FUSED
        self._workers, self._threads, self._width, self._devices = workers, threads, width, devices
        self._tasks = PreparedTasks()
        self._said: set[str] = set()

    def prepare(self, task: Task, recipe: Recipe) -> TaskFacts:
        """Tokenise a task's rows for a recipe's model, once, and return what is known of them."""
        return self._tasks.prepare(task, recipe)

    def targets(self, task: Task, recipe: Recipe) -> Targets:
        """Return the labels of a prepared task's validation and test rows."""
        return self._tasks.targets(task, recipe)

    def open(self, folder: Path, remaining: Sequence[Remaining]) -> LocalSession:
        """Choose, and start the workers.

        Raises:
            RequestError: The device cannot be used by the engine, or not in a recipe's precision, or the width does not fit.
        """
        devices = self._devices or devices_here()
        request = Request(self._engine, self._workers, self._threads, self._width, devices)
        for item in remaining:
            check_device(request.engine, item.trial.recipe, request.device)
        wanted = Masks.HASHED if request.engine is None else request.engine.masks
        masks = study_masks(remaining, wanted, request.device)
        for sentence in masks.said:
            self._say(logging.WARNING, sentence)
        hashed = [item for item in remaining if masks.kinds[cell_of(item)] is Masks.HASHED]
        layout = self._layout(hashed, request)
        engines = {cell_of(item): self._engine_for(item, layout, request.device) for item in hashed}

        def engine_of(job: Job) -> Engine:
            return with_masks(engines.get(cell_of(job), PLAIN), masks_of(job.environment))

        places = [devices[i % len(devices)] for i in range(layout.workers)]
        return LocalSession(folder, self._tasks, places, layout.threads, width=layout.width, engine_of=engine_of)

    def _layout(self, hashed: Sequence[Remaining], request: Request) -> Layout:
        """Choose for the longest work that need not be plain; the others' trials have to fit into memory too."""
        if not hashed or request.engine is PLAIN:
            return Layout(PLAIN, *request.processes)
        left = [item for item in hashed if item.steps]
        if not left:
            return usual(hashed[0].trial.recipe, request, 1).layout
        shapes = {_shape(item): item for item in sorted(left, key=lambda item: item.trials)}
        fit = min(stack_room(item, self._tasks.folder(item.trial), request) for item in shapes.values())
        layout, reason = choose(max(left, key=lambda item: item.steps), fit, request)
        if reason is not None:
            self._say(logging.INFO, f"engine      {layout}: {reason}")
        return layout

    def _engine_for(self, item: Remaining, layout: Layout, device: str) -> Engine:
        """Return the engine of one task and recipe with hashed masks, and say where it is not the layout's."""
        if layout.engine is PLAIN:
            return PACKED
        if (reason := layout.engine.reason_against(item.trial.recipe, device)) is not None:
            if item.steps:
                model = item.trial.recipe.model_name
                self._say(logging.WARNING, f"{model} runs on the packed engine, not {layout.engine}: {reason}.")
            return PACKED
        return layout.engine

    def _say(self, level: int, sentence: str) -> None:
        """Log a sentence, once: a study that runs in stages opens many sessions."""
        if sentence not in self._said:
            self._said.add(sentence)
            logger.log(level, "%s", sentence)


def _shape(item: Remaining) -> tuple[object, ...]:
    """Return what the memory of an item's trials depends on."""
    recipe = item.trial.recipe
    held = recipe.mixout, recipe.pretrained_weight_decay, recipe.track
    return item.trial.task.id, recipe.model, recipe.max_length, recipe.batch_size, recipe.dtype, *held
