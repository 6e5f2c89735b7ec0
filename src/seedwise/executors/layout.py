"""How can the trials of a study be computed here: on which paths, by how many processes, how many in a stack?"""

import os
from functools import lru_cache
from typing import NamedTuple

from seedwise.errors import RequestError
from seedwise.values.recipe import Recipe

__all__ = ["FAST", "Layout", "check_device", "cores", "devices_here", "reason_against"]

FAST = ("compiled", "packed", "fused")
"""The paths whose masks are hashed, so that their curves agree."""


class Layout(NamedTuple):
    """How trials are computed.

    Args:
        path: plain, packed, compiled or fused.
        workers: Processes.
        threads: Threads of each.
        width: Trials that each may hold in a stack; 1 on other paths.
    """

    path: str
    workers: int
    threads: int
    width: int = 1

    def __str__(self) -> str:
        stack = f", {self.width} trial{'s' * (self.width > 1)} a stack" if self.path == "fused" else ""
        processes = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.path}, {processes} of {threads}{stack}"


def reason_against(path: str, recipe: Recipe, device: str) -> str | None:
    """Return why a recipe's trials cannot take a path on a device; None where they can."""
    if path == "plain":
        return None
    reason = _reason_against_recipe(recipe)
    if reason is not None or path != "compiled":
        return reason
    return _reason_against_device(recipe, device) or _reason_against_shape(recipe)


def check_device(path: str, recipe: Recipe, device: str) -> None:
    """Refuse what a device cannot do for any model.

    Raises:
        RequestError: The path is compiled where there are no kernels, or the precision bfloat16 on a GPU without it.
    """
    if recipe.dtype == "bfloat16" and device.startswith("cuda"):
        import torch

        if not torch.cuda.is_bf16_supported(including_emulation=False):
            raise RequestError(
                f"dtype must be float32 on {torch.cuda.get_device_name(device)}, which cannot compute in bfloat16; "
                "change it."
            )
    if path == "compiled" and (reason := _reason_against_device(recipe, device)) is not None:
        raise RequestError(f"the executor cannot be compiled here: {reason}; take packed or auto.")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def devices_here() -> list[str]:
    """Return all GPUs, or the CPU where there is none."""
    import torch

    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cpu"]


def _reason_against_device(recipe: Recipe, device: str) -> str | None:
    if device != "cpu":
        return f"the C kernels compute on a CPU, and the device is {device}"
    if recipe.dtype != "float32":
        return f"the C kernels compute in float32, and dtype is {recipe.dtype}"
    from seedwise.engines import kernels

    reason = kernels.reason()
    return None if reason is None else reason.rstrip(".")


@lru_cache(maxsize=1024)
def _reason_against_recipe(recipe: Recipe) -> str | None:
    from seedwise.engines.begin import reason_against as reason_against_recipe

    return reason_against_recipe(recipe)


@lru_cache(maxsize=1024)
def _reason_against_shape(recipe: Recipe) -> str | None:
    """Return why the kernels cannot compute the recipe's model."""
    from transformers import AutoConfig

    from seedwise.data.pretrained import resolve_model
    from seedwise.engines.architecture import architecture
    from seedwise.engines.compiled import reason_against as reason_against_parts

    return reason_against_parts(architecture(AutoConfig.from_pretrained(resolve_model(recipe.model))))
