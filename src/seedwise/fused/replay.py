"""How does a GPU stay busy when a step is many small kernels? The step is recorded once and then launched as a whole.

A recording (a CUDA graph) reads its inputs from memory of its own, so one serves all streams of its shape. Streams are
filled up to multiples of `MULTIPLE` tokens for that, which leaves few shapes.
"""

from collections.abc import Callable, Sequence

import torch

from seedwise.fused.stream import Stream

__all__ = ["MULTIPLE", "Recordings"]

MULTIPLE = 64
"""Streams and rows that are recorded are filled up to multiples of this many tokens."""

WARM_UP = 3
"""Runs before a recording, in which libraries choose their kernels and take their memory."""


class Recordings:
    """Recorded forward and backward passes, one for each shape of a stream.

    Args:
        compute: Takes a stream and step keys, adds gradients, and returns losses; it must not wait for the device.
        gradients: What it adds to; warming up leaves no trace in them.
    """

    def __init__(
        self, compute: Callable[[Stream, torch.Tensor], torch.Tensor], gradients: Sequence[torch.Tensor]
    ) -> None:
        self._compute, self._gradients = compute, gradients
        self._recorded: dict[tuple[torch.Size, ...], _Recording] = {}

    def __len__(self) -> int:
        return len(self._recorded)

    def __call__(self, stream: Stream, keys: torch.Tensor) -> torch.Tensor:
        """Do for a stream what ``compute`` does, by the recording of its shape."""
        shapes = tuple(tensor.shape for tensor in stream.tensors())
        if shapes not in self._recorded:
            self._recorded[shapes] = _Recording(self._compute, self._gradients, stream, keys)
        return self._recorded[shapes](stream, keys)


class _Recording:
    """One recorded pass; its first stream and keys become the memory that it reads from."""

    def __init__(
        self,
        compute: Callable[[Stream, torch.Tensor], torch.Tensor],
        gradients: Sequence[torch.Tensor],
        stream: Stream,
        keys: torch.Tensor,
    ) -> None:
        self._stream, self._keys = stream, keys
        if keys.device.type != "cuda":  # nothing to record: the pass is run from the same memory
            self._replay: Callable[[], torch.Tensor] = lambda: compute(stream, keys)
            return
        before = [gradient.clone() for gradient in gradients]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                compute(stream, keys)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            losses = compute(stream, keys)
        for gradient, value in zip(gradients, before, strict=True):
            gradient.copy_(value)

        def replay() -> torch.Tensor:
            graph.replay()
            return losses.clone()

        self._replay = replay

    def __call__(self, stream: Stream, keys: torch.Tensor) -> torch.Tensor:
        if stream is not self._stream:
            self._keys.copy_(keys)
            for target, source in zip(self._stream.tensors(), stream.tensors(), strict=True):
                target.copy_(source)
        return self._replay()
