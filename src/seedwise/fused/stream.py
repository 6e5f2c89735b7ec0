"""What does a stack compute on? The tokens of each trial's rows end to end, trial beside trial, and what attention needs.

Tokens have a place (trial, position in the trial's stream). Streams are filled up to the longest one, or to a multiple of
something where shapes should repeat. Attention takes rows in blocks of like length, shortest first, in which rows are filled
up to the longest; where nothing has to be filled up, the blocks end to end are the stream itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seedwise.fused.batches import Batch

__all__ = ["RowBlock", "Stream"]


@dataclass(frozen=True, slots=True, eq=False)
class RowBlock:
    """Rows that attention takes together.

    Args:
        length: Tokens of the longest.
        hidden: True where a token is none, shape [rows, 1, 1, length]; None where all are.
        trials: Which trial each row belongs to, shape [rows].
        slots: Which row of its step it is, shape [rows].
    """

    length: int
    hidden: torch.Tensor | None
    trials: NDArray[np.int64]
    slots: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.slots)


class Stream:
    """The batches of S trials side by side.

    Args:
        batches: One for each trial.
        slack: Rows are taken into one block while at least this share of its places holds tokens; 1 for equal lengths
            only, 0 for one block.
        multiple: Streams are filled up to a multiple of this many tokens.

    Attributes:
        ids, types, places: As in `Batch`, shape (S, tokens).
        slots: Which row of its step each token belongs to, shape (S, tokens).
        first: Where in the flat streams each row starts, shape (S, rows).
        row_slots: Which row of its step each row is, shape (S, rows).
        blocks: What attention takes together.
        gather: Where in the flat streams each place of the blocks, end to end, is taken from; None: as they are.
        scatter: Which place of the blocks each token of the flat streams is put back from; None: as they are.
        gather_rows, scatter_rows: The same for one token a row.
    """

    def __init__(self, batches: Sequence[Batch], *, slack: float, multiple: int = 1) -> None:
        self.batches = batches
        sizes = [int(batch.starts[-1]) for batch in batches]
        self.tokens = -(-max(sizes) // multiple) * multiple
        self.rows = max(len(batch.slots) for batch in batches)
        self.ids = self._side_by_side([batch.ids for batch in batches])
        types = [batch.types for batch in batches if batch.types is not None]
        self.types = self._side_by_side(types) if types else None
        self.places = self._side_by_side([batch.places for batch in batches])
        lengths = [np.repeat(batch.slots, batch.lengths) for batch in batches]
        self.slots = np.stack([np.pad(row, (0, self.tokens - len(row))) for row in lengths])
        starts = [np.pad(batch.starts[:-1], (0, self.rows - len(batch.slots)), mode="edge") for batch in batches]
        self.first = self._tensor(np.stack(starts) + np.arange(len(batches))[:, None] * self.tokens)
        self.row_slots = np.stack([np.pad(batch.slots, (0, self.rows - len(batch.slots))) for batch in batches])
        self._arrange(slack)

    def __len__(self) -> int:
        return len(self.batches)

    def _side_by_side(self, streams: Sequence[torch.Tensor]) -> torch.Tensor:
        if len(streams) == 1 and len(streams[0]) == self.tokens:
            return streams[0][None]
        found = streams[0].new_zeros((len(streams), self.tokens))
        for s, stream in enumerate(streams):
            found[s, : len(stream)] = stream
        return found

    def _arrange(self, slack: float) -> None:
        """Cut all rows, shortest first, into blocks of like length, and note what comes from where."""
        counts = [len(batch.slots) for batch in self.batches]
        lengths = np.concatenate([batch.lengths for batch in self.batches])
        starts = np.concatenate([batch.starts[:-1] + s * self.tokens for s, batch in enumerate(self.batches)])
        trials = np.repeat(np.arange(len(self)), counts)
        slots = np.concatenate([batch.slots for batch in self.batches])
        rows = np.concatenate([s * self.rows + np.arange(count) for s, count in enumerate(counts)])
        order = np.argsort(lengths, kind="stable")
        self.blocks, index, whole = [], [], []
        for cut in _cuts(lengths[order], slack):
            chosen = order[cut]
            places = np.arange(int(lengths[chosen[-1]]))
            real = places < lengths[chosen, None]
            hidden = None if real.all() else self._tensor(~real[:, None, None])
            self.blocks.append(RowBlock(len(places), hidden, trials[chosen], slots[chosen]))
            index.append((starts[chosen, None] + np.where(real, places, 0)).ravel())
            whole.append(real.ravel())
        tokens = len(self) * self.tokens
        self.gather, self.scatter = self._both_ways(np.concatenate(index), np.concatenate(whole), tokens)
        every = np.ones(len(order), dtype=bool)
        self.gather_rows, self.scatter_rows = self._both_ways(rows[order], every, len(self) * self.rows)

    def _both_ways(
        self, index: NDArray[np.int64], real: NDArray[np.bool_], places: int
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Return the way into the blocks and the way back; what is put nowhere comes from its trial's first."""
        if len(index) == places and np.array_equal(index, np.arange(places)):
            return None, None
        back = np.full(places, -1)
        back[index[real]] = np.flatnonzero(real)
        own = back.reshape(len(self), -1)
        return self._tensor(index), self._tensor(np.where(own < 0, own[:, :1], own).ravel())

    def _tensor(self, array: NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(array).to(self.ids.device)


def _cuts(lengths: NDArray[np.int64], slack: float) -> list[slice]:
    """Cut ascending lengths into stretches of which at least a share of ``slack`` is not filling."""
    cuts, start, total = [], 0, 0
    for k, length in enumerate(lengths.tolist()):
        total += length
        if total < slack * length * (k + 1 - start):
            cuts.append(slice(start, k))
            start, total = k, length
    return [*cuts, slice(start, len(lengths))]
