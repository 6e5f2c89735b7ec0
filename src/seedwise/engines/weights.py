"""Where are the weights of several trials? Each parameter is stacked along a leading axis, trial by trial.

The memory is that of the trials' own parameters: what backward writes to a stacked gradient, each optimiser finds in its
vectors, and what an optimiser writes, the stack sees.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from seedwise.engines.optimizer import FlatOptimizer

__all__ = ["Weights"]


class Weights:
    """The parameters of S trials of one model, by name, with a leading axis of length S."""

    def __init__(
        self,
        models: Sequence[nn.Module],
        places: Mapping[str, tuple[int, int]],
        values: Sequence[torch.Tensor],
        gradients: Sequence[torch.Tensor],
    ) -> None:
        self._models, self._places, self._values, self._gradients = models, places, values, gradients
        self._leaves: dict[tuple[str, ...], torch.Tensor] = {}
        self._found: list[tuple[torch.Tensor, torch.Tensor]] = []  # leaves that are trained, and their gradients

    @classmethod
    def of(cls, models: Sequence[nn.Module], optimizers: Sequence[FlatOptimizer]) -> "Weights":
        """Stack the parameters of some trials; those of several are moved into the stack's memory."""
        first = optimizers[0]
        places, values, gradients = {}, [], []
        for k, group in enumerate(first.groups):
            offset = 0
            for name in group.names:
                places[name] = (k, offset)
                offset += first.names[name].numel()
            vectors = [optimizer.groups[k].vector for optimizer in optimizers]
            values.append(_stacked([vector.data for vector in vectors]))
            gradients.append(_stacked([vector.grad for vector in vectors if vector.grad is not None]))
            for s, optimizer in enumerate(optimizers):
                optimizer.relocate(k, values[k][s], gradients[k][s])
        return cls(models, places, values, gradients)

    @property
    def gradients(self) -> Sequence[torch.Tensor]:
        """Every group's gradients, shape (S, numbers)."""
        return self._gradients

    def __len__(self) -> int:
        return len(self._models)

    def part(self, trials: slice) -> "Weights":
        """Return the weights of some of the trials, sharing memory."""
        values, gradients = ([t[trials] for t in tensors] for tensors in (self._values, self._gradients))
        return Weights(self._models[trials], self._places, values, gradients)

    def __call__(self, *names: str) -> torch.Tensor:
        """Return parameters of equal width, one below the other: shape (S, rows, ...), of a single trial (rows, ...)."""
        if names not in self._leaves:
            self._leaves[names] = self._leaf(names)
        return self._leaves[names]

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradients of a loss computed from these weights to the existing ones."""
        leaves, gradients = zip(*self._found, strict=True)
        torch._foreach_add_(gradients, torch.autograd.grad(loss, leaves))

    def _leaf(self, names: tuple[str, ...]) -> torch.Tensor:
        shapes = [self._models[0].get_parameter(name).shape for name in names]
        shape = (len(self), sum(shape[0] for shape in shapes), *shapes[0][1:])
        shape = shape[1:] if len(self) == 1 else shape
        if names[0] not in self._places:  # frozen
            rows = [torch.cat([model.get_parameter(name).detach() for name in names]) for model in self._models]
            return torch.stack(rows).view(shape)
        k, offset = self._places[names[0]]
        end = offset
        for name, own in zip(names, shapes, strict=True):
            if self._places[name] != (k, end):
                raise ValueError(f"{', '.join(names)} do not lie side by side")
            end += own.numel()
        leaf = self._values[k][:, offset:end].view(shape).detach().requires_grad_()
        self._found.append((leaf, self._gradients[k][:, offset:end].view(shape)))
        return leaf


def _stacked(vectors: list[torch.Tensor]) -> torch.Tensor:
    return vectors[0][None] if len(vectors) == 1 else torch.stack(vectors)
