"""What does one block of an encoder compute, forward and backward? Products by torch, the rest by the kernels.

Gradients are written out by hand, so that memory is reused from step to step and nothing is recorded. In every backward
pass d is the gradient of what the layer returned; it is overwritten.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch

from seedwise.fused.architecture import Architecture, Block
from seedwise.fused.kernels import call
from seedwise.training.masks import threshold

__all__ = ["BlockLayer", "Embeddings", "Linear", "Lines", "Parameters", "Space", "dropout"]


class Parameters(NamedTuple):
    """A model's parameters and gradients by name.

    Args:
        values: All parameters.
        gradients: The gradients of those that are trained.
        unused: A vector that takes the gradients of frozen vectors, which the kernels add up all the same.
    """

    values: Mapping[str, torch.Tensor]
    gradients: Mapping[str, torch.Tensor]
    unused: torch.Tensor

    def vector(self, name: str) -> torch.Tensor:
        """Return where a vector's gradient is added up."""
        return self.gradients.get(name, self.unused)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Lines of numbers, row after row: a batch's tokens, or its first tokens.

    Args:
        starts: Where each row starts, and the end of the last, shape [rows + 1].
        slots: Which row of the step each row is, shape [rows].
        count: Lines in all.
        longest: Tokens of the longest row.
        weights: Weights that each head of an attention has, if these lines ask the batch's tokens: a row's tokens are
            rounded up to a multiple of 8.
    """

    starts: torch.Tensor
    slots: torch.Tensor
    count: int
    longest: int
    weights: int

    @property
    def arguments(self) -> tuple[int, torch.Tensor, torch.Tensor]:
        """What kernels take first."""
        return len(self.slots), self.starts, self.slots


class Space:
    """Memory for what a step computes, by name; it grows and is never given back."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[str, int], torch.Tensor] = {}

    def __call__(self, name: str, block: int, lines: int, width: int) -> torch.Tensor:
        """Return a tensor of shape [lines, width] that holds anything."""
        found = self._blocks.get((name, block))
        if found is None or len(found) < lines:
            self._blocks.pop((name, block), None)
            found = self._blocks[name, block] = torch.empty(lines if found is None else lines * 5 // 4, width)
        return found.narrow(0, 0, lines)


def dropout(key: int | None, site: int, p: float) -> tuple[int, int, int, float]:
    """Return a kernel's dropout: key, site, limit, scale; a key of None drops nothing."""
    return (0, 0, threshold(0.0), 1.0) if key is None else (key, site, threshold(p), 1 / (1 - p))


class Linear:
    """A linear layer, or several of one input whose parameters lie one after the other.

    Args:
        parameters: The model's.
        names: The modules' names.
    """

    def __init__(self, parameters: Parameters, names: Sequence[str]) -> None:
        weights, biases = [f"{name}.weight" for name in names], [f"{name}.bias" for name in names]
        self._weight, self.bias = _joined(parameters.values, weights), _joined(parameters.values, biases)
        self._weight_gradient = _joined(parameters.gradients, weights)
        self.bias_gradient = _joined(parameters.gradients, biases)
        self._turned = self._weight.t()

    def forward(self, x: torch.Tensor, out: torch.Tensor, *, bias: bool = True) -> torch.Tensor:
        """Write x W' + b into out; without b where a kernel adds it."""
        if bias:
            return torch.addmm(self.bias, x, self._turned, out=out)
        return torch.mm(x, self._turned, out=out)

    def learn(self, d: torch.Tensor, x: torch.Tensor, *, bias: bool = True) -> None:
        """Add to the gradients of W and, where no kernel does, b."""
        if self._weight_gradient is not None:
            torch.addmm(self._weight_gradient, d.t(), x, out=self._weight_gradient)
        if bias and self.bias_gradient is not None:
            call("add_lines", len(d), d.shape[1], d.data_ptr(), d.stride(0), self.bias_gradient)

    def down(self, d: torch.Tensor, out: torch.Tensor, *, add: bool) -> torch.Tensor:
        """Write d W into out, or add it: the gradient of x."""
        return torch.addmm(out, d, self._weight, out=out) if add else torch.mm(d, self._weight, out=out)


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
        out = space("embedded", 0, lines.count, self.width)
        normal, inverse = _kept(space, "embedded", 0, (lines.count, self.width), key)
        tables = (self._words, self._positions, self._types)
        dropped = dropout(key, 0, self._p)
        call(
            "embed_forward", *lines.arguments, self.width, ids, types, *tables, *self._norm, self._eps, *dropped, normal, inverse, out
        )  # fmt: skip
        return out

    def backward(
        self, d: torch.Tensor, ids: torch.Tensor, types: torch.Tensor | None, lines: Lines, key: int, space: Space
    ) -> None:
        """Add to the gradients of the embeddings."""
        kept = _kept(space, "embedded", 0, (lines.count, self.width), key)
        tables = (self._words_gradient, self._positions_gradient, self._types_gradient)
        dropped = dropout(key, 0, self._p)
        call(
            "embed_backward", *lines.arguments, self.width, ids, types, self._norm[0], *dropped, *kept, d, *self._norm_gradients, *tables
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
            "residual_forward", *lines.arguments, x.shape[1], x, self._bias, residual, *self._norm, self._eps, *dropped, normal, inverse, out
        )  # fmt: skip
        return out

    def backward(self, d: torch.Tensor, lines: Lines, key: int, space: Space, dx: torch.Tensor) -> torch.Tensor:
        """Turn d into the gradient of the residual, and return that of x, which is written into dx."""
        kept = _kept(space, "normal", self._site, d.shape, key)
        dropped = dropout(key, self._site, self._p)
        call(
            "residual_backward", *lines.arguments, d.shape[1], self._norm[0], *dropped, *kept, d, dx, self._bias_gradient, *self._norm_gradients
        )  # fmt: skip
        return dx


class BlockLayer:
    """One block: attention, then the feed-forward layer.

    Args:
        parts: The model's architecture.
        k: Which block, from 0; the last one is computed for first tokens alone.
        parameters: The model's.
    """

    def __init__(self, parts: Architecture, k: int, parameters: Parameters) -> None:
        block, self._k, self._last = parts.blocks[k], k, k == len(parts.blocks) - 1
        self._heads, self._width, self._inner = parts.heads, parts.width, parts.inner
        self._attention_p = parts.attention_dropout
        self._projections = _projections(block, parameters, alone=1 if self._last else 0)
        self._out, self._up, self._down = (Linear(parameters, [name]) for name in (block.out, block.up, block.down))
        self._up_gradient = parameters.vector(f"{block.up}.bias")
        sites = 2 + 3 * k, 3 + 3 * k
        self._attended = Residual(
            parameters, block.attention_norm, block.out, parts.eps, sites[0], parts.output_dropout
        )
        self._fed = Residual(parameters, block.norm, block.down, parts.eps, sites[1], parts.hidden_dropout)

    def forward(self, x: torch.Tensor, tokens: Lines, first: Lines, key: int | None, space: Space) -> torch.Tensor:
        """Return the block's output for all tokens, or, of the last block, for first tokens."""
        kept = 0 if key is None else self._k  # the backward pass needs every block's numbers
        lines = first if self._last else tokens
        asking = x
        if self._last:
            asking = space("asking", 0, lines.count, self._width)
            torch.index_select(x, 0, tokens.starts[:-1], out=asking)
        queries, pairs = self._projected(space, "", kept, tokens, first)
        for linear, columns in self._projections:
            linear.forward(asking if columns.start == 0 else x, _target(queries, pairs, columns, self._width))
        context = space("context", kept, lines.count, self._width)
        weights = None if key is None else space("weights", kept, lines.weights * self._heads, 1)
        self._attend("attention_forward", queries, pairs, tokens, lines, key, space, weights, context)
        product = self._out.forward(context, space("product", 0, lines.count, self._width), bias=False)
        y = self._attended.forward(product, asking, lines, key, space, space("y", kept, lines.count, self._width))
        slope = self._up.forward(y, space("slope", kept, lines.count, self._inner), bias=False)
        inner = slope if key is None else space("inner", kept, lines.count, self._inner)
        call("gelu_forward", lines.count, self._inner, slope, self._up.bias, None if key is None else slope, inner)
        self._down.forward(inner, product, bias=False)
        out = space("x", self._k if key is not None else self._k % 2, lines.count, self._width)
        return self._fed.forward(product, y, lines, key, space, out)

    def backward(
        self, d: torch.Tensor, x: torch.Tensor, tokens: Lines, first: Lines, key: int, space: Space, *, lowest: bool
    ) -> torch.Tensor:
        """Add to the gradients of the block, and return that of its input x, unless the block is the lowest trained."""
        lines, width, k = first if self._last else tokens, self._width, self._k
        y, context = space("y", k, lines.count, width), space("context", k, lines.count, width)
        inner, slope = space("inner", k, lines.count, self._inner), space("slope", k, lines.count, self._inner)
        dx = self._fed.backward(d, lines, key, space, space("product", 0, lines.count, width))
        self._down.learn(dx, inner, bias=False)
        wide = self._down.down(dx, space("wide", 0, lines.count, self._inner), add=False)
        call("gelu_backward", lines.count, self._inner, wide, slope, self._up_gradient)
        self._up.learn(wide, y, bias=False)
        self._up.down(wide, d, add=True)
        dx = self._attended.backward(d, lines, key, space, dx)
        self._out.learn(dx, context, bias=False)
        dcontext = self._out.down(dx, space("dcontext", 0, lines.count, width), add=False)
        queries, pairs = self._projected(space, "", k, tokens, first)
        dqueries, dpairs = self._projected(space, "d", 0, tokens, first)
        weights = space("weights", k, lines.weights * self._heads, 1)
        self._attend(
            "attention_backward", queries, pairs, tokens, lines, key, space, weights, dcontext,
            dqueries, dpairs, dpairs[:, width:],
        )  # fmt: skip
        asking = space("asking", 0, lines.count, width) if self._last else x
        below = space("below", 0, tokens.count, width) if self._last else d
        for linear, columns in self._projections:
            gradient = _target(dqueries, dpairs, columns, width)
            linear.learn(gradient, asking if columns.start == 0 else x)
            if not lowest:
                linear.down(gradient, d if columns.start == 0 else below, add=not self._last or columns.start != 1)
        if self._last and not lowest:
            below.index_add_(0, tokens.starts[:-1], d)
        return below

    def _projected(
        self, space: Space, name: str, kept: int, tokens: Lines, first: Lines
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the memory of the queries, and that of keys and values side by side."""
        if self._last:
            queries = space(f"{name}queries", 0, first.count, self._width)
            return queries, space(f"{name}pairs", 0, tokens.count, 2 * self._width)
        three = space(f"{name}projected", kept, tokens.count, 3 * self._width)
        return three[:, : self._width], three[:, self._width :]

    def _attend(
        self,
        name: str,
        queries: torch.Tensor,
        pairs: torch.Tensor,
        tokens: Lines,
        lines: Lines,
        key: int | None,
        space: Space,
        *rest: torch.Tensor | None,
    ) -> None:
        depth = self._width // self._heads
        most = tokens.longest + 7
        scratch = space("scratch", 0, most * (4 * depth + 2 * most), 1)
        call(
            name, len(tokens.slots), lines.starts, tokens.starts, tokens.slots, self._heads, depth,
            queries, queries.stride(0), pairs, pairs[:, self._width :], pairs.stride(0),
            *dropout(key, 1 + 3 * self._k, self._attention_p), scratch, *rest,
        )  # fmt: skip


def _target(queries: torch.Tensor, pairs: torch.Tensor, columns: range, width: int) -> torch.Tensor:
    """Return where projections are written: columns counts queries, keys and values."""
    if columns.start > 0:
        return pairs[:, (columns.start - 1) * width : (columns.stop - 1) * width]
    if len(columns) == 1:
        return queries
    return queries.as_strided((len(queries), len(columns) * width), queries.stride())  # keys and values lie beside them


def _projections(block: Block, parameters: Parameters, alone: int) -> list[tuple[Linear, range]]:
    """Return the projections, as few as the parameters' places allow, and which of query, key and value each makes."""
    names = (block.query, block.key, block.value)
    made = [range(i, i + 1) for i in range(alone)]
    together = range(alone, 3)
    made += [together] if _adjacent(parameters, names[alone:]) else [range(i, i + 1) for i in together]
    return [(Linear(parameters, names[columns.start : columns.stop]), columns) for columns in made]


def _adjacent(parameters: Parameters, names: Sequence[str]) -> bool:
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
    return space(f"{name} numbers", site, *shape), space(f"{name} inverse", site, shape[0], 1)
