"""How is one trial trained with the compiled kernels? Forward, and backward written by hand, on a CPU in float32."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch.nn import functional as F

from seedwise.engines.architecture import Architecture, Dense, Dropout
from seedwise.engines.batches import Batch
from seedwise.engines.kernels import call
from seedwise.engines.kernels.block import BlockLayer
from seedwise.engines.kernels.layers import Embeddings, Linear, Lines, Parameters, Space, dropout

__all__ = ["CompiledEncoder", "objection"]

INFERENCE_TOKENS = 2048
"""Tokens that are computed at once where no gradients are wanted: more take more memory, and are hardly faster."""


def objection(parts: Architecture) -> str | None:
    """Return why the kernels cannot compute an architecture; None if they can."""
    if parts.activation != "gelu":
        return f"its activation is {parts.activation}, and the kernels have gelu alone"
    if parts.relative is not None:
        return "its attention uses relative positions, which the kernels do not"
    depth = parts.width // parts.heads
    if depth % 8 or parts.inner % 8 or parts.embedding % 8:
        return (
            f"its heads are {depth} wide, its feed-forward layer {parts.inner}, its embeddings {parts.embedding}, and the "
            "kernels need multiples of 8"
        )
    return None


class CompiledEncoder:
    """One trial's classifier: forward and backward passes that reuse their memory from step to step."""

    def __init__(
        self, parts: Architecture, values: Mapping[str, torch.Tensor], gradients: Mapping[str, torch.Tensor]
    ) -> None:
        if (reason := objection(parts)) is not None:
            raise ValueError(f"parts must be an architecture that the kernels can compute, but {reason}; use torch.")
        unused = torch.zeros(max(parts.embedding, 3 * parts.width, parts.inner))
        plain = {name: tensor.detach() for name, tensor in values.items()}
        parameters = Parameters(plain, {name: tensor.detach() for name, tensor in gradients.items()}, unused)
        self._embeddings = Embeddings(parts, parameters)
        self._projection = None if parts.projection is None else Linear(parameters, [parts.projection])
        self._blocks = [BlockLayer(parts, k, parameters) for k in range(len(parts.blocks))]
        self._head = _Head(parts, parameters)
        self._lowest = _lowest(parts, gradients)
        self._width, self._space = parts.width, Space()

    @torch.inference_mode()
    def logits(self, batch: Batch) -> torch.Tensor:
        """Return the outputs of a batch's rows without dropout, shape [rows, outputs]."""
        found = []
        for part in _pieces(batch):
            tokens, first = _lines(part)
            found.append(self._head.forward(self._encode(part, None, tokens, first)[-1], first, None))
        return torch.cat(found)

    @torch.inference_mode()
    def backward(self, batch: Batch, kind: str, step_key: int, share: float) -> float:
        """Add a share of the gradients of a batch's mean loss to the gradients."""
        tokens, first = _lines(batch)
        inputs = self._encode(batch, step_key, tokens, first)
        loss, d = _loss(kind, self._head.forward(inputs[-1], first, step_key), batch.labels)
        d = self._head.backward(d * share, first, step_key)
        for k in reversed(range(max(self._lowest, 0), len(self._blocks))):
            d = self._blocks[k].backward(d, inputs[k], tokens, first, step_key, self._space)
        if self._lowest < 0:
            if self._projection is not None:
                embedded = self._space("embedded", 0, len(d), self._embeddings.width)
                self._projection.backward_weight(d, embedded)
                d = self._projection.backward_input(d, self._space("dembedded", 0, *embedded.shape), add=False)
            self._embeddings.backward(d, batch.ids, batch.types, tokens, step_key, self._space)
        return loss * share

    def _encode(self, batch: Batch, key: int | None, tokens: Lines, first: Lines) -> list[torch.Tensor]:
        """Return the input of each block, and the output of the last."""
        x = self._embeddings.forward(batch.ids, batch.types, tokens, key, self._space)
        if self._projection is not None:
            x = self._projection.forward(x, self._space("projected embeddings", 0, len(x), self._width))
        inputs = [x]
        for block in self._blocks:
            inputs.append(block.forward(inputs[-1], tokens, first, key, self._space))
        return inputs


class _Head:
    """The head on the first tokens, which is so little work that torch does nearly all of it."""

    def __init__(self, parts: Architecture, parameters: Parameters) -> None:
        self._parts = parts.head
        self._linear = {part.name: Linear(parameters, [part.name]) for part in parts.head if isinstance(part, Dense)}
        drops = [i for i, part in enumerate(parts.head) if isinstance(part, Dropout)]
        self._sites = {i: 1 + 3 * len(parts.blocks) + n for n, i in enumerate(drops)}
        self._kept: list[tuple[torch.Tensor, ...]] = []  # of each dense part: its input, its product, its output

    def forward(self, x: torch.Tensor, first: Lines, key: int | None) -> torch.Tensor:
        """Return the outputs, shape [rows, outputs]."""
        self._kept = []
        for i, part in enumerate(self._parts):
            if isinstance(part, Dropout):
                x = x if key is None else self._dropped(i, part, x, first, key)
                continue
            linear = self._linear[part.name]
            z = linear.forward(x, x.new_empty(first.rows, len(linear.bias)))
            y = z if part.activation is None else _ACTIVATIONS[part.activation](z)
            self._kept.append((x, z, y))
            x = y
        return x

    def backward(self, d: torch.Tensor, first: Lines, key: int) -> torch.Tensor:
        """Add to the gradients of the head, and return that of its input."""
        for i, part in reversed(list(enumerate(self._parts))):
            if isinstance(part, Dropout):
                d = self._dropped(i, part, d, first, key)
                continue
            linear, (x, z, y) = self._linear[part.name], self._kept.pop()
            if part.activation == "tanh":
                d = d * (1 - y * y)
            elif part.activation == "relu":
                d = d * (y > 0)
            elif part.activation == "gelu":
                d = torch.ops.aten.gelu_backward(d, z)
            linear.backward_weight(d, x, bias=False)  # one output per class: too few for a kernel
            if linear.bias_gradient is not None:
                linear.bias_gradient += d.sum(0)
            d = linear.backward_input(d, torch.empty_like(x), add=False)
        return d

    def _dropped(self, i: int, part: Dropout, x: torch.Tensor, first: Lines, key: int) -> torch.Tensor:
        out = torch.empty_like(x)
        call("drop_rows", first.rows, first.slots, x.shape[1], x, *dropout(key, self._sites[i], part.p), out)
        return out


_ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "gelu": F.gelu}


def _loss(kind: str, outputs: torch.Tensor, labels: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Return the mean loss of the rows and its gradient."""
    if kind == "regression":
        errors = outputs - labels[:, None]
        return float(errors.square().mean()), errors * (2 / len(labels))
    logarithms, labels = torch.log_softmax(outputs, 1), labels[:, None]
    of_labels = logarithms.gather(1, labels)
    d = logarithms.exp().scatter_(1, labels, of_labels.expm1())
    return -float(of_labels.mean()), d / len(labels)


def _lowest(parts: Architecture, gradients: Mapping[str, torch.Tensor]) -> int:
    """Return the lowest block with trained parameters: -1 for the embeddings, past the last for the head."""
    below = (parts.words, parts.positions, parts.types, parts.projection, parts.embedding_norm)
    modules = {name.rpartition(".")[0] for name in gradients}
    if modules & set(below):
        return -1
    own = (k for k, block in enumerate(parts.blocks) if modules & {getattr(block, f) for f in block.__slots__})
    return next(own, len(parts.blocks))


def _lines(batch: Batch) -> tuple[Lines, Lines]:
    """Return a batch's tokens and its first tokens."""
    starts, slots = torch.from_numpy(batch.starts.copy()), torch.from_numpy(batch.slots.copy())
    lengths = batch.lengths
    rows, padded = len(lengths), (lengths + 7) // 8 * 8
    return (
        Lines(rows, starts, slots, int(batch.starts[-1]), int(lengths.max()), int(lengths @ padded)),
        Lines(rows, torch.arange(rows + 1), slots, rows, 1, 8 * rows),
    )


def _pieces(batch: Batch) -> Iterator[Batch]:
    """Cut a batch into some rows at a time."""
    first = 0
    while first < len(batch.slots):
        limit = batch.starts[first] + INFERENCE_TOKENS
        last = max(first + 1, int(np.searchsorted(batch.starts, limit, side="right")) - 1)
        tokens = slice(int(batch.starts[first]), int(batch.starts[last]))
        yield Batch(
            ids=batch.ids[tokens],
            types=None if batch.types is None else batch.types[tokens],
            places=batch.places[tokens],
            slots=batch.slots[first:last],
            starts=batch.starts[first : last + 1] - batch.starts[first],
            labels=batch.labels[first:last],
        )
        first = last
