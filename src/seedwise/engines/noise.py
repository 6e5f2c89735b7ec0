"""Which numbers does dropout keep in a stack? Each trial's own masks, by its dropout seed, step and probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from seedwise.engines.architecture import Architecture, Dropout
from seedwise.engines.stream import RowBlock, Stream
from seedwise.training.hashed_masks import Array, keep, line_keys, threshold

__all__ = ["Noise", "Rates"]

HEAD_LINES = 2**16
"""Lines that each head of an attention has for its queries."""


class Rates:
    """The dropout probabilities of S trials, by site."""

    def __init__(self, parts: Sequence[Architecture], device: torch.device) -> None:
        self.hidden = _Rate([own.hidden_dropout for own in parts], device)
        self.output = _Rate([own.output_dropout for own in parts], device)
        self.attention = _Rate([own.attention_dropout for own in parts], device)
        self.head: dict[int, tuple[int, _Rate]] = {}  # site and probabilities, by the number of the head's part
        for i, part in enumerate(parts[0].head):
            if isinstance(part, Dropout):
                same = [own.head[i] for own in parts]
                rate = _Rate([part.p for part in same if isinstance(part, Dropout)], device)
                self.head[i] = (1 + 3 * len(parts[0].blocks) + len(self.head), rate)


class Noise:
    """The dropout of one step of S trials."""

    def __init__(self, rates: Rates, keys: torch.Tensor, stream: Stream) -> None:
        self._device, self._rates, self._stream, self._keys = keys.device, rates, stream, keys

    def after_embeddings(self, x: torch.Tensor) -> torch.Tensor:
        """Apply dropout to the embeddings, shape (S, tokens, width)."""
        return self._dropped(x, 0, self._rates.hidden, first=False)

    def after_attention(self, x: torch.Tensor, block: int, *, first: bool) -> torch.Tensor:
        """Apply dropout to an attention's output, for all tokens or for each row's first."""
        return self._dropped(x, 2 + 3 * block, self._rates.output, first=first)

    def after_feed_forward(self, x: torch.Tensor, block: int, *, first: bool) -> torch.Tensor:
        """Apply dropout to a feed-forward layer's output, for all tokens or for each row's first."""
        return self._dropped(x, 3 + 3 * block, self._rates.hidden, first=first)

    def in_head(self, x: torch.Tensor, i: int) -> torch.Tensor:
        """Apply dropout at the i-th part of the head, shape (S, rows, width)."""
        site, rate = self._rates.head[i]
        return self._dropped(x, site, rate, first=True)

    def attention_weights(self, weights: torch.Tensor, block: int, rows: RowBlock) -> torch.Tensor:
        """Apply dropout to attention weights, shape (rows, heads, queries, keys); queries are all tokens or the first."""
        if self._rates.attention.nowhere:
            return weights
        heads, queries = (torch.arange(n, device=self._device) for n in weights.shape[1:3])
        lines = self._own(heads[:, None] * HEAD_LINES + queries)
        trials, slots = (self._own(t[:, None, None]) for t in (self._keys[rows.trials], rows.slots))
        keys = line_keys(trials, 1 + 3 * block, slots, lines)
        return self._rates.attention.applied(weights, keys, rows.trials)

    def _dropped(self, x: torch.Tensor, site: int, rate: "_Rate", *, first: bool) -> torch.Tensor:
        if rate.nowhere:
            return x
        stream = self._stream
        slots = self._own(stream.row_slots if first else stream.slots)
        lines = slots * 0 if first else self._own(stream.places)
        return rate.applied(x, line_keys(self._own(self._keys[:, None]), site, slots, lines), None)

    def _own(self, tensor: torch.Tensor) -> Array:
        """Return numbers in the library that computes masks: NumPy on a CPU, where it is faster, else torch."""
        return tensor.numpy() if self._device.type == "cpu" else tensor


class _Rate:
    """The probabilities of one kind of site, one for each trial."""

    def __init__(self, p: list[float], device: torch.device) -> None:
        self.nowhere = not any(p)
        self._limit: Any = threshold(p[0])
        self._scale: Any = 1 / (1 - p[0])
        self._alike = len(set(p)) == 1
        if not self._alike:
            self._limit = torch.tensor([threshold(each) for each in p], dtype=torch.int32, device=device)
            self._scale = torch.tensor([1 / (1 - each) for each in p], device=device)

    def applied(self, x: torch.Tensor, keys: Array, trials: torch.Tensor | None) -> torch.Tensor:
        """Multiply by 0 or 1 / (1 - p); ``trials`` gives the trial of each part of the leading axis."""
        if self._alike:
            mask = torch.as_tensor(keep(keys, x.shape[-1], self._limit)).to(x.dtype).mul_(self._scale)
            return x * mask
        shape = (-1,) + (1,) * (x.dim() - 1)
        limit, scale = (t if trials is None else t[trials] for t in (self._limit, self._scale))
        limit = limit.view(shape).numpy() if isinstance(keys, np.ndarray) else limit.view(shape)
        kept = torch.as_tensor(keep(keys, x.shape[-1], limit))
        factors: torch.Tensor = (kept * scale.view(shape)).to(x.dtype)
        return x * factors
