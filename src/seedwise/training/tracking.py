"""What else is recorded at every step if a recipe asks for it? Distances, gradient norm, bias of Adam's update."""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from transformers import PreTrainedModel

from seedwise.training.blocks import blocks
from seedwise.values.recipe import Recipe

__all__ = ["Tracker"]

Moments = Callable[[], Mapping[str, torch.Tensor]]  # the optimiser's, by name


class Tracker:
    """Measures a model after each step."""

    def __init__(self, model: PreTrainedModel, recipe: Recipe, start: Mapping[str, torch.Tensor]) -> None:
        self._recipe = recipe
        names = blocks(model, "track = distance") if "distance" in recipe.track else []
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._blocks = [
            [(p, start[name]) for name, p in trained.items() if name.startswith(f"{block}.")] for block in names
        ]
        self._trained = tuple(trained)

    def after(self, step: int, gradient_norm: torch.Tensor, moments: Moments) -> dict[str, tuple[float, ...]] | None:
        """Return what is tracked after an update; None if nothing is."""
        if not self._recipe.track:
            return None
        found = {"gradient_norm": lambda: (float(gradient_norm),), "bias_ratio": lambda: (self._bias(step, moments()),)}
        return {name: found.get(name, self._distances)() for name in self._recipe.track}

    def _distances(self) -> tuple[float, ...]:
        return tuple(math.sqrt(_squared(block)) for block in self._blocks)

    def _bias(self, step: int, moments: Mapping[str, torch.Tensor]) -> float:
        """Divide the norm of the update taken by that of the corrected one; nan without any gradient.

        Both are computed from the moments behind the update, before the rate, which is 0 in the first step of a warm-up.
        """
        recipe = self._recipe
        if recipe.bias_correction:
            return 1.0
        scale, root_scale = 1 - recipe.adam_beta1**step, math.sqrt(1 - recipe.adam_beta2**step)
        taken = corrected = 0.0
        for name in self._trained:
            if f"exp_avg.{name}" in moments:
                m, root = moments[f"exp_avg.{name}"], moments[f"exp_avg_sq.{name}"].sqrt()
                taken += _sum_of_squares(m / (root + recipe.adam_epsilon))
                corrected += _sum_of_squares(m / scale / (root / root_scale + recipe.adam_epsilon))
        return math.sqrt(taken / corrected) if corrected else math.nan


def _sum_of_squares(values: torch.Tensor) -> float:
    return float(values.square_().sum(dtype=torch.float64))


def _squared(block: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """Sum the squared changes of a block's parameters, in float32 on their device: one GPU synchronisation per block."""
    if not block:  # frozen
        return 0.0
    return float(torch.stack([(p.detach() - start).square_().sum() for p, start in block]).double().sum())
