"""How is one step taken where the parameters lie in few long vectors? The same AdamW, in a few calls.

Every group of parameters with one rate and one decay is one vector, of which the parameters and their gradients are views.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import nn
from transformers import PreTrainedModel

from seedwise.recipe import Recipe
from seedwise.training.optimizer import adam_constants, learning_rate, parameter_groups
from seedwise.training.regularizers import decay_towards

__all__ = ["FlatOptimizer", "Group"]


class Group(NamedTuple):
    """Parameters of one rate and one decay.

    Args:
        vector: Their values end to end; its gradient is that of all of them.
        factor: What the learning rate is multiplied by.
        decay: Weight decay.
        names: The parameters in their order.
        home: Parameters that decay towards their starting values, and these.
    """

    vector: nn.Parameter
    factor: float
    decay: float
    names: tuple[str, ...]
    home: tuple[tuple[torch.Tensor, torch.Tensor], ...]


class FlatOptimizer:
    """AdamW over a model's trained parameters, which it takes over into vectors; see `seedwise.training.optimizer`.

    Args:
        model: The model whose parameters are updated; they stay the same objects, with their values elsewhere.
        recipe: Rates, moments, decay and clipping.
        steps: Optimiser steps of the full run.
        start: Starting values by name, for the parameters that decay towards them.

    Raises:
        RequestError: Layers are to learn at rates of their own, and the model's blocks cannot be told apart.
    """

    def __init__(
        self, model: PreTrainedModel, recipe: Recipe, steps: int, start: Mapping[str, torch.Tensor] | None = None
    ) -> None:
        self.names = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._recipe, self._steps, start = recipe, steps, start or {}
        self.groups: list[Group] = []
        for (factor, decays), members in parameter_groups(model, recipe).items():
            size = sum(self.names[name].numel() for name in members)
            vector = nn.Parameter(torch.empty(size, device=model.device))
            home = [(self.names[name], start[name]) for name in members if decays and name in start]
            decay = recipe.weight_decay if decays else 0.0
            self.groups.append(Group(vector, factor, decay, tuple(members), tuple(home)))
            torch.cat([self.names[name].detach().reshape(-1) for name in members], out=vector.data)
            self.settle(len(self.groups) - 1, vector.data, torch.zeros_like(vector))
        self._adam = torch.optim.AdamW(
            [{"params": [group.vector]} for group in self.groups],
            betas=(recipe.adam_beta1, recipe.adam_beta2),
            fused=True,
        )

    def settle(self, k: int, values: torch.Tensor, gradient: torch.Tensor) -> None:
        """Let group k live in given memory: its vector and gradient, and with them every parameter's.

        Args:
            k: The group.
            values: The vector's values, already in place.
            gradient: The gradient so far.
        """
        vector, offset = self.groups[k].vector, 0
        vector.data, vector.grad = values, gradient
        for name in self.groups[k].names:
            parameter = self.names[name]
            end = offset + parameter.numel()
            parameter.data = values[offset:end].view(parameter.shape)
            parameter.grad = gradient[offset:end].view(parameter.shape)
            offset = end

    def step(self, step: int) -> torch.Tensor:
        """Clip the gradients, update every parameter and set the gradients to zero.

        Args:
            step: Optimiser step, from 1.

        Returns:
            The L2 norm of all gradients before clipping.
        """
        recipe = self._recipe
        gradients = [group.vector.grad for group in self.groups if group.vector.grad is not None]
        norm = torch.stack([gradient.dot(gradient) for gradient in gradients]).sum().sqrt()
        if recipe.max_grad_norm:
            share = (recipe.max_grad_norm / (norm + 1e-6)).clamp(max=1.0)  # as torch's clip_grad_norm_ has it
            torch._foreach_mul_(gradients, share)
        rate = learning_rate(recipe, step, self._steps)
        scale, epsilon = adam_constants(recipe, step)
        for group, settings in zip(self.groups, self._adam.param_groups, strict=True):
            settings["lr"], settings["eps"] = rate * group.factor * scale, epsilon
            settings["weight_decay"] = group.decay / scale
            strength = rate * group.factor * recipe.pretrained_weight_decay
            decay_towards([p for p, _ in group.home], [value for _, value in group.home], strength)
        self._adam.step()
        self.forget()
        return norm

    def forget(self) -> None:
        """Set all gradients to zero."""
        torch._foreach_zero_([group.vector.grad for group in self.groups if group.vector.grad is not None])

    def factor(self, name: str) -> float:
        """Return what the learning rate of a parameter is multiplied by."""
        return next(group.factor for group in self.groups if name in group.names)

    def moments(self) -> dict[str, torch.Tensor]:
        """Return every first and second moment by name; none before the first step."""
        found = {}
        for group in self.groups:
            for moment in ("exp_avg", "exp_avg_sq"):
                vector = self._adam.state[group.vector].get(moment)
                if vector is not None:
                    sizes = [self.names[name].numel() for name in group.names]
                    for name, piece in zip(group.names, vector.split(sizes), strict=True):
                        found[f"{moment}.{name}"] = piece.view(self.names[name].shape)
        return found

    def restore(self, moments: dict[str, torch.Tensor], step: int) -> None:
        """Take over moments that ``moments`` returned after a step."""
        if not moments:
            return
        for group in self.groups:
            self._adam.state[group.vector] = {
                "step": torch.tensor(float(step), device=group.vector.device),
                **{
                    moment: torch.cat([moments[f"{moment}.{name}"].reshape(-1) for name in group.names]).to(
                        group.vector.device
                    )
                    for moment in ("exp_avg", "exp_avg_sq")
                },
            }
