"""What is an encoder made of, forward and backward? Products by torch, the rest by the kernels.

Gradients are written out by hand, so that memory is reused from step to step and nothing is recorded. In every backward
pass d is the gradient of what the layer returned; it is overwritten.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch

from seedwise.engines.architecture import Architecture
from seedwise.engines.kernels import call
from seedwise.training.hashed_masks import threshold

__all__ = ["Embeddings", "Linear", "Lines", "Parameters", "Residual", "Space", "adjacent", "dropout"]


class Parameters(NamedTuple):
    """A model's parameters and gradients by name."""

    values: Mapping[str, torch.Tensor]  # all parameters
    gradients: Mapping[str, torch.Tensor]  # the gradients of those that are trained
    unused: torch.Tensor  # a vector that takes the gradients of frozen vectors, which the kernels add up all the same

    def vector(self, name: str) -> torch.Tensor:
        """Return where a vector's gradient is added up."""
        return self.gradients.get(name, self.unused)


class Lines(NamedTuple):
    """Lines of numbers, row after row: a batch's tokens, or its first tokens."""

    rows: int  # how many rows
    starts: torch.Tensor  # where each row starts, and the end of the last, shape [rows + 1]
    slots: torch.Tensor  # which row of the step each row is, shape [rows]
    total: int  # lines in all
    longest: int  # lines of the longest row
    # weights that a head of an attention has among these lines: a row's keys are rounded up to a multiple of 8
    pairs: int


class Space:
    """Memory for what a step computes, by name; it grows and is never given back."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], tuple[int, torch.Tensor]] = {}

    def __call__(self, name: str, block: int, lines: int, width: int) -> torch.Tensor:
        """Return a tensor of shape [lines, width] that holds anything."""
        return self.whole(name, block, lines, width).narrow(0, 0, lines)

    def whole(self, name: str, block: int, lines: int, width: int = 1) -> torch.Tensor:
        """Return one with at least so many lines; it is not cut, which takes longer than to find it."""
        room, tensor = self._found.get((name, block), (0, None))
        if tensor is None or room < lines:
            room = lines if tensor is None else lines * 5 // 4
            tensor = torch.empty(room, width)
            self._found[name, block] = room, tensor
        return tensor


def dropout(key: int | None, site: int, p: float) -> tuple[int, int, int, float]:
    """Return a kernel's dropout: key, site, limit, scale; a key of None drops nothing."""
    return (0, 0, threshold(0.0), 1.0) if key is None else (key, site, threshold(p), 1 / (1 - p))


class Linear:
    """A linear layer, or several of one input whose parameters lie one after the other."""

    def __init__(self, parameters: Parameters, names: Sequence[str]) -> None:
        weights, biases = [f"{name}.weight" for name in names], [f"{name}.bias" for name in names]
        self.weight, self.bias = _joined(parameters.values, weights), _joined(parameters.values, biases)
        self.weight_gradient = _joined(parameters.gradients, weights)
        self.bias_gradient = _joined(parameters.gradients, biases)
        self._turned = self.weight.t()

    def forward(self, x: torch.Tensor, out: torch.Tensor, *, bias: bool = True) -> torch.Tensor:
        """Write x W' + b into out; without b where a kernel adds it."""
        if bias:
            return torch.addmm(self.bias, x, self._turned, out=out)
        return torch.mm(x, self._turned, out=out)

    def backward_weight(self, d: torch.Tensor, x: torch.Tensor, *, bias: bool = True) -> None:
        """Add to the gradients of W and, where no kernel does, b."""
        if self.weight_gradient is not None:
            torch.addmm(self.weight_gradient, d.t(), x, out=self.weight_gradient)
        if bias and self.bias_gradient is not None:
            call("add_lines", *d.shape, d, d.stride(0), self.bias_gradient)

    def backward_input(self, d: torch.Tensor, out: torch.Tensor, *, add: bool) -> torch.Tensor:
        """Write d W into out, or add it: the gradient of x."""
        return torch.addmm(out, d, self.weight, out=out) if add else torch.mm(d, self.weight, out=out)


class Embeddings:
    """Word, position and type embeddings, their sum normalised and dropped."""

    def __init__(self, parts: Architecture, parameters: Parameters) -> None:
        self._eps, self._p = parts.eps, parts.hidden_dropout
        self._words, self._words_gradient = _table(parameters, parts.words)
        self._positions, self._positions_gradient = _table(parameters, parts.positions, parts.first_position)
        self._types, self._types_gradient = _table(parameters, parts.types)
        self._norm = [parameters.values[f"{parts.embedding_norm}.{name}"] for name in ("weight", "bias")]
        self._norm_gradients = [parameters.vector(f"{parts.embedding_norm}.{name}") for name in ("weight", "bias")]
        self.width = len(self._norm[0])

    def forward(
        self, ids: torch.Tensor, types: torch.Tensor | None, lines: Lines, key: int | None, space: Space
    ) -> torch.Tensor:
        """Return the tokens' embeddings."""
        out = space("embedded", 0, lines.total, self.width)
        normal, inverse = _kept(space, "embedded", 0, (lines.total, self.width), key)
        tables = (self._words, self._positions, self._types)
        dropped = dropout(key, 0, self._p)
        call(
            "embed_forward", *lines[:3], self.width, ids, types, *tables, *self._norm, self._eps, *dropped, normal, inverse, out
        )  # fmt: skip
        return out

    def backward(
        self, d: torch.Tensor, ids: torch.Tensor, types: torch.Tensor | None, lines: Lines, key: int, space: Space
    ) -> None:
        """Add to the gradients of the embeddings."""
        kept = _kept(space, "embedded", 0, (lines.total, self.width), key)
        tables = (self._words_gradient, self._positions_gradient, self._types_gradient)
        dropped = dropout(key, 0, self._p)
        call(
            "embed_backward", *lines[:3], self.width, ids, types, self._norm[0], *dropped, *kept, d, *self._norm_gradients, *tables
        )  # fmt: skip


class Residual:
    """norm(residual + dropout(x + b)), where x is a linear layer's product."""

    def __init__(self, parameters: Parameters, norm: str, linear: str, eps: float, site: int, p: float) -> None:
        self._eps, self._site, self._p = eps, site, p
        self._bias, self._bias_gradient = parameters.values[f"{linear}.bias"], parameters.vector(f"{linear}.bias")
        self._norm = [parameters.values[f"{norm}.{name}"] for name in ("weight", "bias")]
        self._norm_gradients = [parameters.vector(f"{norm}.{name}") for name in ("weight", "bias")]

    def forward(
        self, x: torch.Tensor, residual: torch.Tensor, lines: Lines, key: int | None, space: Space, out: torch.Tensor
    ) -> torch.Tensor:
        """Write into out."""
        normal, inverse = _kept(space, "normal", self._site, x.shape, key)
        dropped = dropout(key, self._site, self._p)
        call(
            "residual_forward", *lines[:3], x.shape[1], x, self._bias, residual, *self._norm, self._eps, *dropped, normal, inverse, out
        )  # fmt: skip
        return out

    def backward(self, d: torch.Tensor, lines: Lines, key: int, space: Space, dx: torch.Tensor) -> torch.Tensor:
        """Turn d into the gradient of the residual, and return that of x, which is written into dx."""
        kept = _kept(space, "normal", self._site, d.shape, key)
        dropped = dropout(key, self._site, self._p)
        call(
            "residual_backward", *lines[:3], d.shape[1], self._norm[0], *dropped, *kept, d, dx, self._bias_gradient, *self._norm_gradients
        )  # fmt: skip
        return dx


def adjacent(parameters: Parameters, names: Sequence[str]) -> bool:
    """Return whether linear layers can be computed as one: what is trained in one is in all, and lies side by side."""
    for tensors in (parameters.values, parameters.gradients):
        for kind in ("weight", "bias"):
            own = [tensors.get(f"{name}.{kind}") for name in names]
            there = [tensor for tensor in own if tensor is not None]
            if there and len(there) < len(own):
                return False
            for one, other in pairwise(there):
                same = one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
                if not same or one.data_ptr() + one.nbytes != other.data_ptr():
                    return False
    return True


def _joined(tensors: Mapping[str, torch.Tensor], names: Sequence[str]) -> torch.Tensor:
    """Return tensors that lie one after the other as one."""
    first = tensors.get(names[0])
    if first is None or len(names) == 1:
        return first  # type: ignore[return-value]
    rows = sum(len(tensors[name]) for name in names)
    return first.as_strided((rows, *first.shape[1:]), first.stride(), first.storage_offset())


def _table(parameters: Parameters, name: str | None, start: int = 0) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Return an embedding and its gradient, from one row on; None for what is not there."""
    both = [tensors.get(f"{name}.weight") for tensors in (parameters.values, parameters.gradients)]
    value, gradient = (None if tensor is None else tensor[start:] for tensor in both)
    return value, gradient


def _kept(
    space: Space, name: str, site: int, shape: Sequence[int], key: int | None
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Return the memory of what a normalisation keeps for its backward pass; of an inference, none."""
    if key is None:
        return None, None
    return space.whole(f"{name} numbers", site, *shape), space.whole(f"{name} inverse", site, shape[0])
