"""How do trials run as fast as this machine can? On the path and in the layout that are fastest here for this model."""

import logging
from collections.abc import Sequence
from pathlib import Path

from seedwise.errors import RequestError
from seedwise.executors.base import Job, Remaining
from seedwise.executors.choice import Wish, choose, stack_room, usual
from seedwise.executors.layout import FAST, Layout, check_device, devices_here, reason_against
from seedwise.executors.masks import cell_of, path_for, study_masks
from seedwise.executors.tasks import PreparedTasks
from seedwise.executors.workers.session import LocalSession
from seedwise.values.checks import check_choice, check_count
from seedwise.values.facts import TaskFacts
from seedwise.values.recipe import Recipe
from seedwise.values.task import Task

__all__ = ["FusedExecutor"]

logger = logging.getLogger(__name__)


class FusedExecutor:
    """Runs trials in worker processes on this machine, without padding, alone or many as one batched model.

    What is left open is chosen: as the study began, as measured here before, by measuring a few steps where the study is
    long enough for that, or by what is fast as a rule. What has been chosen is logged. Recipes and models that no fast path
    knows are trained by the library's own model.

    Args:
        width: How many trials share a stack, 1 for none; chosen by default.
        path: packed, compiled, fused, or auto to choose. A width above 1 means fused.
        workers: How many processes; chosen by default.
        threads: Threads of each; chosen by default.
        devices: Devices that the workers share in turn, such as ``["cuda:0"]``; by default all GPUs, or the CPU.

    Raises:
        RequestError: A count is below 1, or the path has no stacks to be wide.
    """

    def __init__(
        self,
        width: int | str = "auto",
        *,
        path: str = "auto",
        workers: int | None = None,
        threads: int | None = None,
        devices: list[str] | None = None,
    ) -> None:
        check_choice("the path", path, ("auto", *FAST))
        for name, count in (("workers", workers), ("threads", threads), ("width", None if width == "auto" else width)):
            if count is not None:
                check_count(name, count)
        self._width = width if isinstance(width, int) else None
        wide = self._width is not None and self._width > 1
        if wide and path not in ("auto", "fused"):
            raise RequestError(
                f"width goes with the path fused, not {path}, which trains one trial alone; leave it out."
            )
        self._path = "fused" if wide else None if path == "auto" else path
        self._workers, self._threads, self._devices = workers, threads, devices
        self._tasks = PreparedTasks()
        self._said: set[str] = set()

    def prepare(self, task: Task, recipe: Recipe) -> TaskFacts:
        """Tokenise a task's rows for a recipe's model, once, and return what is known of them."""
        return self._tasks.prepare(task, recipe)

    def open(self, folder: Path, remaining: Sequence[Remaining]) -> LocalSession:
        """Choose, and start the workers.

        Raises:
            RequestError: The device cannot take the path, or compute in a recipe's precision, or the width does not fit.
        """
        devices = self._devices or devices_here()
        wish = Wish(self._path, self._workers, self._threads, self._width, devices)
        for item in remaining:
            check_device(self._path or "plain", item.trial.recipe, wish.device)
        masks = study_masks(remaining, "hashed", wish.device)
        for sentence in masks.said:
            self._say(logging.WARNING, sentence)
        fast = [item for item in remaining if masks.kinds[cell_of(item)] == "hashed"]
        layout = self._layout(fast, wish, plain="hashed" not in masks.on_record)
        paths = {cell_of(item): self._path_of(item, layout, wish.device) for item in fast}
        places = [devices[i % len(devices)] for i in range(layout.workers)]

        def path_of(job: Job) -> str:
            return path_for(job, paths.get(cell_of(job), "plain"))

        return LocalSession(folder, self._tasks, places, layout.threads, width=layout.width, path_of=path_of)

    def _layout(self, fast: Sequence[Remaining], wish: Wish, *, plain: bool) -> Layout:
        """Choose for the longest work that can take a fast path; the others' trials have to fit into memory too."""
        left = [item for item in fast if item.steps]
        if not fast:
            return Layout("plain", *wish.processes[0])
        if not left:
            return usual(fast[0].trial.recipe, wish, 1)
        shapes = {_shape(item): item for item in sorted(left, key=lambda item: item.trials)}
        fit = min(stack_room(item, self._tasks.folder(item.trial), wish) for item in shapes.values())
        longest = max(left, key=lambda item: item.steps)
        layout, reason = choose(longest, self._tasks.folder(longest.trial), wish, fit=fit, plain=plain)
        self._say(logging.DEBUG if reason == "as asked" else logging.INFO, f"executor    {layout}: {reason}")
        return layout

    def _path_of(self, item: Remaining, layout: Layout, device: str) -> str:
        """Return the path of one task and recipe with hashed masks, and say where it is not the layout's."""
        if (reason := reason_against(layout.path, item.trial.recipe, device)) is not None:
            if item.steps:
                model = item.trial.recipe.model_name
                self._say(logging.WARNING, f"{model} takes the packed path, not {layout.path}: {reason}.")
            return "packed"
        return layout.path

    def _say(self, level: int, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            logger.log(level, "%s", sentence)


def _shape(item: Remaining) -> tuple[object, ...]:
    """Return what the memory of a trial depends on."""
    recipe = item.trial.recipe
    held = recipe.mixout, recipe.pretrained_weight_decay, recipe.track
    return item.trial.task.id, recipe.model, recipe.max_length, recipe.batch_size, recipe.dtype, *held
