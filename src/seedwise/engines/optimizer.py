"""How is one step taken when the parameters are in a few long vectors? The same AdamW, in a few calls.

Each group of parameters with one rate and one decay is one vector; its parameters and their gradients are views.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import nn
from torch.optim.adamw import adamw
from transformers import PreTrainedModel

from seedwise.engines import kernels
from seedwise.training.optimizer import adam_constants, learning_rate, parameter_groups
from seedwise.training.regularizers import decay_towards
from seedwise.values.recipe import Recipe

__all__ = ["FlatOptimizer", "Group"]


class Group(NamedTuple):
    """Parameters of one rate and one decay."""

    vector: nn.Parameter  # their values end to end; its gradient is that of all of them
    first: torch.Tensor  # first moments m
    second: torch.Tensor  # second moments v
    factor: float  # the factor of the learning rate
    decay: float  # weight decay
    names: tuple[str, ...]  # the parameters, in order
    # parameters that decay towards their starting values, with those values
    home: tuple[tuple[torch.Tensor, torch.Tensor], ...]


class FlatOptimizer:
    """AdamW over a model's trained parameters, which it moves into vectors; see `seedwise.training.optimizer`."""

    def __init__(
        self,
        model: PreTrainedModel,
        recipe: Recipe,
        steps: int,
        start: Mapping[str, torch.Tensor] | None = None,
        *,
        compiled: bool = False,
    ) -> None:
        self.names = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._recipe, self._steps, self._compiled, start = recipe, steps, compiled, start or {}
        self.groups: list[Group] = []
        for (factor, decays), members in parameter_groups(model, recipe).items():
            values = torch.cat([self.names[name].detach().reshape(-1) for name in members])
            moments = torch.zeros_like(values), torch.zeros_like(values)
            home = [(self.names[name], start[name]) for name in members if decays and name in start]
            decay = recipe.weight_decay if decays else 0.0
            self.groups.append(Group(nn.Parameter(values), *moments, factor, decay, tuple(members), tuple(home)))
            self.relocate(len(self.groups) - 1, values, torch.zeros_like(values))

    def relocate(self, k: int, values: torch.Tensor, gradient: torch.Tensor) -> None:
        """Move group k to the given memory: its vector and gradient, and so those of every parameter."""
        vector, offset = self.groups[k].vector, 0
        vector.data, vector.grad = values, gradient
        for name in self.groups[k].names:
            parameter = self.names[name]
            end = offset + parameter.numel()
            parameter.data = values[offset:end].view(parameter.shape)
            parameter.grad = gradient[offset:end].view(parameter.shape)
            offset = end

    def step(self, step: int) -> torch.Tensor:
        """Clip the gradients, update every parameter and set the gradients to zero."""
        recipe = self._recipe
        rate = learning_rate(recipe, step, self._steps)
        norm = self._norm()
        share = (recipe.max_grad_norm / (norm + 1e-6)).clamp(max=1.0) if recipe.max_grad_norm else None
        for group in self.groups:
            strength = rate * group.factor * recipe.pretrained_weight_decay
            decay_towards([p for p, _ in group.home], [value for _, value in group.home], strength)
        if self._compiled:
            self._compiled_step(step, rate, 1.0 if share is None else float(share))
        else:
            self._torch_step(step, rate, share)
        return norm

    def _norm(self) -> torch.Tensor:
        gradients = [group.vector.grad for group in self.groups if group.vector.grad is not None]
        if self._compiled:
            return torch.tensor(sum(map(kernels.squared_norm, gradients))).sqrt()
        return torch.stack([gradient.dot(gradient) for gradient in gradients]).sum().sqrt()

    def _compiled_step(self, step: int, rate: float, share: float) -> None:
        recipe = self._recipe
        corrects = recipe.bias_correction
        for group in self.groups:
            kernels.adamw(
                group.vector.data,
                _gradient(group),
                group.first,
                group.second,
                lr=rate * group.factor,
                beta1=recipe.adam_beta1,
                beta2=recipe.adam_beta2,
                eps=recipe.adam_epsilon,
                weight_decay=group.decay,
                correction1=1 - recipe.adam_beta1**step if corrects else 1.0,
                correction2=1 - recipe.adam_beta2**step if corrects else 1.0,
                scale=share,
            )

    def _torch_step(self, step: int, rate: float, share: torch.Tensor | None) -> None:
        recipe = self._recipe
        scale, epsilon = adam_constants(recipe, step)
        for group in self.groups:
            vector, gradient = group.vector.data, _gradient(group)
            if share is not None:
                gradient.mul_(share)
            adamw(
                [vector],
                [gradient],
                [group.first],
                [group.second],
                [],
                [torch.full((), float(step - 1), device=vector.device)],
                fused=True,
                amsgrad=False,
                maximize=False,
                beta1=recipe.adam_beta1,
                beta2=recipe.adam_beta2,
                lr=rate * group.factor * scale,
                weight_decay=group.decay / scale,
                eps=epsilon,
            )
        self.forget()

    def forget(self) -> None:
        """Set all gradients to zero."""
        torch._foreach_zero_([group.vector.grad for group in self.groups if group.vector.grad is not None])

    def factor(self, name: str) -> float:
        """Return the learning-rate factor of a parameter."""
        return next(group.factor for group in self.groups if name in group.names)

    def moments(self) -> dict[str, torch.Tensor]:
        """Return every first and second moment by name."""
        found = {}
        for group in self.groups:
            sizes = [self.names[name].numel() for name in group.names]
            for moment, vector in (("exp_avg", group.first), ("exp_avg_sq", group.second)):
                for name, piece in zip(group.names, vector.split(sizes), strict=True):
                    found[f"{moment}.{name}"] = piece.view(self.names[name].shape)
        return found

    def restore(self, moments: dict[str, torch.Tensor], step: int) -> None:  # noqa: ARG002 - others count in their state
        """Load moments that ``moments`` returned after a step."""
        for name, vector in self.moments().items():
            vector.copy_(moments[name])


def _gradient(group: Group) -> torch.Tensor:
    if group.vector.grad is None:
        raise ValueError("the vectors of a flat optimiser always have gradients")
    return group.vector.grad
