"""What does a stack compute on? The tokens of each trial's rows end to end, trial beside trial, and what attention needs.

A token's place is (trial, position in the trial's stream). Streams are filled up to the longest one. A trial with fewer rows
than others repeats its first row, and the result is ignored. Attention takes rows in blocks of like
length, shortest first, in which rows are filled up to the longest; where nothing has to be filled up, the blocks end to end
are the stream itself.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seedwise.engines.batches import Batch

__all__ = ["RowBlock", "Stream"]

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RowBlock:
    """Rows that attention takes together."""

    length: int  # tokens of the longest
    hidden: torch.Tensor | None  # what is added to the scores of each place: 0, or minus infinity where no token is
    trials: torch.Tensor  # which trial each row belongs to, shape [rows]
    slots: torch.Tensor  # which row of its step it is, shape [rows]

    def __len__(self) -> int:
        return len(self.slots)


class Stream:
    """The batches of S trials side by side.

    Attributes:
        ids, types, places: As in `Batch`, shape (S, tokens).
        slots: Which row of its step each token belongs to, shape (S, tokens).
        first: Where in the flat streams each row starts, shape (S, rows).
        row_slots: Which row of its step each row is, shape (S, rows).
        labels: As in `Batch`, shape (S, rows).
        row_shares: What each row's loss is multiplied by, shape (S, rows).
        blocks: Rows that attention takes together.
        gather: Index into the flat streams for each place of the concatenated blocks; None if they are the same.
        scatter: Index into the concatenated blocks for each token of the flat streams; None if they are the same.
        gather_rows, scatter_rows: The same for one token a row.
    """

    def __init__(
        self, batches: Sequence[Batch], *, slack: float, shares: Sequence[float] | None = None, multiple: int = 1
    ) -> None:
        self._device = batches[0].ids.device
        self._multiple = multiple
        self.tokens = _up(max(int(batch.starts[-1]) for batch in batches), multiple)
        self.rows = max(len(batch.slots) for batch in batches)
        self.ids = self._side_by_side([batch.ids for batch in batches], self.tokens)
        types = [batch.types for batch in batches if batch.types is not None]
        self.types = self._side_by_side(types, self.tokens) if types else None
        self.places = self._side_by_side([batch.places for batch in batches], self.tokens)
        self.labels = self._side_by_side([batch.labels for batch in batches], self.rows)
        of_tokens = [np.repeat(batch.slots, batch.lengths) for batch in batches]
        self.slots = self._tensor(np.stack([np.pad(row, (0, self.tokens - len(row))) for row in of_tokens]))
        real = np.arange(self.rows) < np.array([len(batch.slots) for batch in batches])[:, None]
        row = np.where(real, np.arange(self.rows), 0)
        starts = np.stack([batch.starts[own] for batch, own in zip(batches, row, strict=True)])
        starts = starts + np.arange(len(batches))[:, None] * self.tokens
        lengths = np.stack([batch.lengths[own] for batch, own in zip(batches, row, strict=True)])
        slots = np.stack([batch.slots[own] for batch, own in zip(batches, row, strict=True)])
        self.first, self.row_slots = self._tensor(starts), self._tensor(slots)
        each = np.ones(len(batches)) if shares is None else np.array(shares)
        self.row_shares = self._tensor((real * (each / real.sum(axis=1))[:, None]).astype(np.float32))
        self._arrange(starts.ravel(), lengths.ravel(), slots.ravel(), slack)

    def __len__(self) -> int:
        return len(self.ids)

    def tensors(self) -> list[torch.Tensor]:
        """Return all tensors, always in the same order."""
        own = [self.ids, self.types, self.places, self.slots, self.first, self.row_slots, self.labels, self.row_shares]
        own += [self.gather, self.scatter, self.gather_rows, self.scatter_rows]
        of_blocks = [tensor for rows in self.blocks for tensor in (rows.hidden, rows.trials, rows.slots)]
        return [tensor for tensor in (*own, *of_blocks) if tensor is not None]

    def _side_by_side(self, streams: Sequence[torch.Tensor], length: int) -> torch.Tensor:
        if len(streams) == 1 and len(streams[0]) == length:
            return streams[0][None]
        found = streams[0].new_zeros((len(streams), length))
        for s, stream in enumerate(streams):
            found[s, : len(stream)] = stream
        return found

    def _arrange(self, starts: Numbers, lengths: Numbers, slots: Numbers, slack: float) -> None:
        """Cut all rows, shortest first, into blocks of similar length, with the index of each token."""
        trials = np.repeat(np.arange(len(self)), self.rows)
        order = np.argsort(lengths, kind="stable") if self._multiple == 1 else np.arange(len(lengths))
        self.blocks, index, whole = [], [], []
        for cut in _cuts(lengths[order], slack):
            chosen = order[cut]
            places = np.arange(_up(int(lengths[chosen].max()), self._multiple))
            real = places < lengths[chosen, None]
            self.blocks.append(
                RowBlock(
                    length=len(places),
                    hidden=self._hidden(real),
                    trials=self._tensor(trials[chosen]),
                    slots=self._tensor(slots[chosen]),
                )
            )
            index.append((starts[chosen, None] + np.where(real, places, 0)).ravel())
            whole.append(real.ravel())
        tokens = len(self) * self.tokens
        self.gather, self.scatter = self._both_ways(np.concatenate(index), np.concatenate(whole), tokens)
        every = np.ones(len(order), dtype=bool)
        self.gather_rows, self.scatter_rows = self._both_ways(order, every, len(order))

    def _hidden(self, real: NDArray[np.bool_]) -> torch.Tensor | None:
        if real.all() and self._multiple == 1:
            return None
        return self._tensor(np.where(real, 0.0, -math.inf).astype(np.float32)[:, None, None])

    def _both_ways(
        self, index: Numbers, real: NDArray[np.bool_], places: int
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Return the indices into the blocks and back; places without a token take their trial's first."""
        if self._multiple == 1 and len(index) == places and np.array_equal(index, np.arange(places)):
            return None, None
        back = np.full(places, -1)
        back[index[real]] = np.flatnonzero(real)
        own = back.reshape(len(self), -1)
        return self._tensor(index), self._tensor(np.where(own < 0, own[:, :1], own).ravel())

    def _tensor(self, array: NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device, non_blocking=True)


def _up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple


def _cuts(lengths: Numbers, slack: float) -> list[slice]:
    """Cut ascending lengths into blocks of which at least a share of ``slack`` is not padding."""
    cuts, start, total = [], 0, 0
    for k, length in enumerate(lengths.tolist()):
        total += length
        if total < slack * length * (k + 1 - start):
            cuts.append(slice(start, k))
            start, total = k, length
    return [*cuts, slice(start, len(lengths))]
