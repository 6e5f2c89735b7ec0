"""How does a GPU stay busy when a step is many small kernels? The step is recorded once, then launched as a whole.

A recording (a CUDA graph) reads its inputs from its own memory, so one serves all streams of its shape. Streams are
padded to multiples of `MULTIPLE` tokens, which leaves few shapes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from seedwise.engines.stream import Stream

__all__ = ["MULTIPLE", "Recordings"]

MULTIPLE = 64
"""Streams and rows that are recorded are filled up to multiples of this many tokens."""

WARM_UP = 3
"""Runs before a recording, in which libraries choose their kernels and take their memory."""


class Recordings:
    """Recorded forward and backward passes, one for each shape of a stream."""

    def __init__(
        self, compute: Callable[[Stream, torch.Tensor], torch.Tensor], gradients: Sequence[torch.Tensor]
    ) -> None:
        self._compute, self._gradients = compute, gradients
        self._recorded: dict[tuple[torch.Size, ...], _Recording] = {}
        self._pool: Any = None  # the memory that all recordings share in turn

    def __len__(self) -> int:
        return len(self._recorded)

    def __call__(self, stream: Stream, keys: torch.Tensor) -> torch.Tensor:
        """Run ``compute`` on a stream by replaying the recording of its shape."""
        shapes = tuple(tensor.shape for tensor in stream.tensors())
        if keys.device.type != "cuda":
            if shapes not in self._recorded:  # nothing to record: the pass is run from the same memory
                self._recorded[shapes] = _Recording(stream, keys, lambda: self._compute(stream, keys))
            return self._recorded[shapes](stream, keys)
        with torch.cuda.device(keys.device):
            if shapes not in self._recorded:
                self._recorded[shapes] = self._record(stream, keys)
            return self._recorded[shapes](stream, keys)

    def _record(self, stream: Stream, keys: torch.Tensor) -> "_Recording":
        """Record a pass that reads this stream's memory; gradients are unchanged."""
        before = [gradient.clone() for gradient in self._gradients]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self._compute(stream, keys)
        torch.cuda.current_stream().wait_stream(side)
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            losses = self._compute(stream, keys)
        for gradient, value in zip(self._gradients, before, strict=True):
            gradient.copy_(value)

        def replay() -> torch.Tensor:
            graph.replay()
            return losses.clone()

        return _Recording(stream, keys, replay)


class _Recording:
    """One recorded pass, with the stream and keys whose memory it reads."""

    def __init__(self, stream: Stream, keys: torch.Tensor, replay: Callable[[], torch.Tensor]) -> None:
        self._stream, self._keys, self._replay = stream, keys, replay

    def __call__(self, stream: Stream, keys: torch.Tensor) -> torch.Tensor:
        if stream is not self._stream:
            self._keys.copy_(keys)
            for target, source in zip(self._stream.tensors(), stream.tensors(), strict=True):
                target.copy_(source)
        return self._replay()
