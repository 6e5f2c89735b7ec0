"""How is a study laid out on this machine? Which engine, how many workers, how many threads each, how wide a stack."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from seedwise.engines.engine import COMPILED, ENGINES, FUSED, PACKED, PLAIN, Engine
from seedwise.errors import RequestError
from seedwise.executors.base import Remaining
from seedwise.executors.environment import device_name
from seedwise.values.masks import Masks
from seedwise.values.recipe import Recipe

__all__ = ["Chosen", "Layout", "Request", "check_device", "choose", "cores", "devices_here", "stack_room", "usual"]

WIDEST = {"cpu": 2, "cuda": 64}
"""How many trials a stack holds at most where no width is asked for: on a CPU wider stacks gain nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for; None leaves it open."""

    engine: Engine | None  # how trials are computed
    workers: int | None  # processes
    threads: int | None  # threads of each
    width: int | None  # trials in a stack
    devices: Sequence[str]  # where to compute; all of one kind

    @property
    def device(self) -> str:
        """The first device."""
        return self.devices[0]

    @property
    def kind(self) -> str:
        """Which kind of device: cpu or cuda."""
        return self.device.partition(":")[0]

    @property
    def processes(self) -> tuple[int, int]:
        """Workers and threads of each: one for each GPU, or as many threads as there are cores, one a worker."""
        threads = self.threads or 1
        usual = len(self.devices) if self.kind == "cuda" else max(1, cores() // threads)
        return self.workers or usual, threads


class Layout(NamedTuple):
    """How trials are computed."""

    engine: Engine  # by which engine
    workers: int  # processes
    threads: int  # threads of each
    width: int = 1  # trials that each may hold in a stack; 1 where the engine has none

    def __str__(self) -> str:
        stack = f", {self.width} trial{'s' * (self.width > 1)} a stack" if self.engine.stacks else ""
        processes = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.engine}, {processes} of {threads}{stack}"


class Chosen(NamedTuple):
    """A layout, and why, in half a sentence; None where there was nothing to choose."""

    layout: Layout
    reason: str | None


def choose(remaining: Remaining, fit: int, request: Request) -> Chosen:
    """Choose a layout for what is left of one task and recipe that packed can train: as asked, as begun, or the usual one."""
    engine, trials = request.engine, remaining.trials
    if engine is not None and (not engine.stacks or request.width is not None):
        width = (request.width or 1) if engine.stacks else 1
        layout = Layout(engine, *request.processes, min(width, max(1, trials)))
        narrowed = f"as asked, but no wider than there are trials left ({trials})"
        return Chosen(layout, narrowed if layout.width < width else None)
    if (begun := _begun(remaining, request, fit)) is not None:
        return Chosen(begun, "as the study began")
    return usual(remaining.trial.recipe, request, min(fit, trials // request.processes[0]))


def usual(recipe: Recipe, request: Request, most: int = 64) -> Chosen:
    """Return the layout that is usually fastest, for whatever the request leaves open.

    On a CPU the C kernels are fastest, one trial a core. On a GPU as many trials are stacked as its memory holds. What
    neither can train is trained by packed, or else by the library's own model. docs/performance.md has the measurements.
    """
    first = request.engine or (FUSED if request.kind == "cuda" else COMPILED)
    why = "as many trials at once as a GPU holds" if first.stacks else "usually the fastest on a CPU"
    for engine in (first, PACKED, PLAIN):
        against = engine.reason_against(recipe, request.device)
        if against is None:
            width = request.width or max(1, min(most, WIDEST[request.kind]))
            return Chosen(Layout(engine, *request.processes, width if engine.stacks else 1), why)
        why = f"not {engine}, as {against}"
    raise AssertionError("nothing speaks against plain")


def stack_room(remaining: Remaining, data: Path, request: Request) -> int:
    """Return how many trials memory holds in the stack of each worker, 0 where not even one is sure to fit."""
    from seedwise.data.tokens import TokenizedTask
    from seedwise.engines.memory import widest

    recipe, width = remaining.trial.recipe, request.width
    at_once = -(-request.processes[0] // len(request.devices))  # workers on a device
    fit = widest(recipe, TokenizedTask.open(data), request.device) // at_once
    if width is not None and min(width, remaining.trials) > max(1, fit):
        shared = f", which {at_once} workers share" if at_once > 1 else ""
        room = "more trials do not fit" if fit else "not even one trial is sure to fit"
        raise RequestError(
            f"width must be at most {max(1, fit)} for {recipe.model_name} on {request.device}, not {width}: {room} into "
            f"its memory{shared}; ask for less."
        )
    return fit


def check_device(engine: Engine | None, recipe: Recipe, device: str) -> None:
    """Refuse what a device cannot do for any model."""
    if recipe.dtype == "bfloat16" and device.startswith("cuda"):
        import torch

        if not torch.cuda.is_bf16_supported(including_emulation=False):
            raise RequestError(
                f"dtype must be float32 on {torch.cuda.get_device_name(device)}, which cannot compute in bfloat16; "
                "change it."
            )
    if engine is not None and (reason := engine.against_device(recipe, device)) is not None:
        raise RequestError(f"the engine {engine} cannot be used here: {reason}; take packed or auto.")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def devices_here() -> list[str]:
    """Return all GPUs, or the CPU where there is none."""
    import torch

    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cpu"]


def _begun(remaining: Remaining, request: Request, fit: int) -> Layout | None:
    """Return the layout that the study began with, where it began here and nothing else is asked for."""
    ran_on = remaining.environment
    engine = ENGINES.get(ran_on.engine or PLAIN.name)
    if engine is None or engine.masks is Masks.LIBRARY or ran_on.device_name != device_name(request.device):
        return None
    width = ran_on.width or 1
    if request.engine not in (None, engine) or request.width not in (None, width):
        return None
    if engine.reason_against(remaining.trial.recipe, request.device) is not None:
        return None
    request = replace(request, threads=request.threads or ran_on.threads)
    return Layout(engine, *request.processes, min(width, max(1, fit)))
