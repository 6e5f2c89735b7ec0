"""Which numbers does dropout keep in a stack? Each trial's own masks, by its dropout seed, step and probabilities."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from seedwise.fused.architecture import Architecture
from seedwise.fused.architecture import Dropout as HeadDropout
from seedwise.fused.stream import RowBlock, Stream
from seedwise.training.masks import Array, keep, line_keys, threshold

__all__ = ["Noise"]

HEAD_LINES = 2**16
"""Lines that each head of an attention has for its queries."""


class Noise:
    """The dropout of one step of S trials.

    Args:
        parts: The trials' architectures, alike but for their probabilities.
        keys: The trials' step keys; see `seedwise.training.masks.step_key`.
        stream: What is computed on.
    """

    def __init__(self, parts: Sequence[Architecture], keys: Sequence[int], stream: Stream) -> None:
        self._parts, self._stream, self._device = parts, stream, stream.ids.device
        self._keys = np.array(keys, dtype=np.int64)
        on_cpu = self._device.type == "cpu"
        self._token_keys: Array = self._at_home(self._keys[:, None])
        self._slots: Array = self._at_home(stream.slots)
        self._places: Array = stream.places.numpy() if on_cpu else stream.places

    def embedded(self, x: torch.Tensor) -> torch.Tensor:
        """Drop numbers of the embeddings, shape (S, tokens, width)."""
        return self._times(x, 0, [parts.hidden_dropout for parts in self._parts], self._token_lines)

    def projected(self, x: torch.Tensor, block: int, *, first: bool) -> torch.Tensor:
        """Drop numbers of an attention's output: of all tokens, or of each row's first."""
        lines = self._row_lines if first else self._token_lines
        return self._times(x, 2 + 3 * block, [parts.output_dropout for parts in self._parts], lines)

    def fed(self, x: torch.Tensor, block: int, *, first: bool) -> torch.Tensor:
        """Drop numbers of a feed-forward layer's output: of all tokens, or of each row's first."""
        lines = self._row_lines if first else self._token_lines
        return self._times(x, 3 + 3 * block, [parts.hidden_dropout for parts in self._parts], lines)

    def attended(self, weights: torch.Tensor, block: int, rows: RowBlock) -> torch.Tensor:
        """Drop weights of an attention, shape (rows, heads, queries, keys); queries are all tokens or the first."""
        heads, queries = weights.shape[1:3]
        lines = np.arange(heads)[:, None] * HEAD_LINES + np.arange(queries)

        def keys(site: int) -> Array:
            found = line_keys(self._keys[rows.trials, None, None], site, rows.slots[:, None, None], lines)
            return self._at_home(found)

        p = [self._parts[trial].attention_dropout for trial in rows.trials.tolist()]
        return self._times(weights, 1 + 3 * block, p, keys)

    def headed(self, x: torch.Tensor, i: int) -> torch.Tensor:
        """Drop numbers of the i-th part of the head, shape (S, rows, width)."""
        drops = [parts.head[i] for parts in self._parts]
        site = 1 + 3 * len(self._parts[0].blocks) + sum(isinstance(d, HeadDropout) for d in self._parts[0].head[:i])
        return self._times(x, site, [d.p for d in drops if isinstance(d, HeadDropout)], self._row_lines)

    def _token_lines(self, site: int) -> Array:
        return line_keys(self._token_keys, site, self._slots, self._places)

    def _row_lines(self, site: int) -> Array:
        keys = line_keys(self._keys[:, None], site, self._stream.row_slots, np.zeros(1, dtype=np.int64))
        return self._at_home(keys)

    def _times(self, x: torch.Tensor, site: int, p: list[float], lines: Callable[[int], Array]) -> torch.Tensor:
        """Multiply by 0 or 1 / (1 - p); p belongs to the leading axis."""
        if not any(p):
            return x
        keys, shape = lines(site), (-1,) + (1,) * (x.dim() - 1)
        if len(set(p)) == 1:
            mask = torch.as_tensor(keep(keys, x.shape[-1], threshold(p[0])))
            return x * mask.to(x.dtype).mul_(1 / (1 - p[0]))
        limits = np.array([threshold(each) for each in p], dtype=np.int32).reshape(shape)
        scales = torch.tensor([1 / (1 - each) for each in p], device=self._device).view(shape)
        return x * (torch.as_tensor(keep(keys, x.shape[-1], self._at_home(limits))) * scales)

    def _at_home(self, array: NDArray[np.generic]) -> Array:
        """Return an array as masks are computed: as it is on a CPU, else on the device."""
        return array if self._device.type == "cpu" else torch.from_numpy(array).to(self._device)
