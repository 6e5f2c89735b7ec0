"""What does a stack compute on? The tokens of each trial's rows end to end, trial beside trial, and what attention needs.

Tokens have a place (trial, position in the trial's stream). Streams are filled up to the longest one, or to a multiple of
something where shapes should repeat. Attention takes rows in blocks of like length; a block whose rows are equally long and
stand side by side is a plain view of the stream.
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
        index: Where in the flat streams each token stands, shape [rows, length]; filled up with the row's first token.
        contiguous: The first token's place, where the rows are equally long and follow one another; else None.
        hidden: True where a token is none, shape [rows, 1, 1, length]; None where all are.
        trials: Which trial each row belongs to, shape [rows].
        rows: Its place among the rows of all trials, shape [rows].
        slots: Which row of its step it is, shape [rows].
    """

    index: torch.Tensor
    contiguous: int | None
    hidden: torch.Tensor | None
    trials: NDArray[np.int64]
    rows: torch.Tensor
    slots: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and length."""
        return self.index.shape[0], self.index.shape[1]


class Stream:
    """The batches of S trials side by side.

    Args:
        batches: One for each trial.
        slack: Rows are taken into one block while this share of its places is filled by tokens; 1 for equal lengths
            only, 0 for one block.
        multiple: Streams are filled up to a multiple of this many tokens.
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
        offsets = np.arange(len(batches)) * self.tokens
        self.first = self._tensor(np.stack(starts) + offsets[:, None])
        self.row_slots = np.stack([np.pad(batch.slots, (0, self.rows - len(batch.slots))) for batch in batches])
        self.blocks = self._blocks(offsets, slack)
        plain = len(batches) == 1 and self.tokens == sizes[0]
        self.back = None if plain and all(block.hidden is None for block in self.blocks) else self._back()
        self.row_back = None if len(batches) == 1 else self._row_back()

    def __len__(self) -> int:
        return len(self.batches)

    def _side_by_side(self, streams: Sequence[torch.Tensor]) -> torch.Tensor:
        if len(streams) == 1 and len(streams[0]) == self.tokens:
            return streams[0][None]
        found = streams[0].new_zeros((len(streams), self.tokens))
        for s, stream in enumerate(streams):
            found[s, : len(stream)] = stream
        return found

    def _blocks(self, offsets: NDArray[np.int64], slack: float) -> list[RowBlock]:
        """Cut all rows, shortest first, into blocks of like length."""
        lengths = np.concatenate([batch.lengths for batch in self.batches])
        starts = np.concatenate([batch.starts[:-1] + o for batch, o in zip(self.batches, offsets, strict=True)])
        trials = np.repeat(np.arange(len(self.batches)), [len(batch.slots) for batch in self.batches])
        slots = np.concatenate([batch.slots for batch in self.batches])
        rows = np.concatenate([s * self.rows + np.arange(len(batch.slots)) for s, batch in enumerate(self.batches)])
        order = np.argsort(lengths, kind="stable")
        blocks = []
        for cut in _cuts(lengths[order], slack):
            chosen = order[cut]
            longest, places = int(lengths[chosen[-1]]), np.arange(int(lengths[chosen[-1]]))
            real = places < lengths[chosen, None]
            together = bool(real.all() and np.all(np.diff(starts[chosen]) == longest))
            blocks.append(
                RowBlock(
                    index=self._tensor(starts[chosen, None] + np.where(real, places, 0)),
                    contiguous=int(starts[chosen[0]]) if together else None,
                    hidden=None if real.all() else self._tensor(~real[:, None, None]),
                    trials=trials[chosen],
                    rows=self._tensor(rows[chosen]),
                    slots=slots[chosen],
                )
            )
        return blocks

    def _tensor(self, array: NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(array).to(self.ids.device)

    def _back(self) -> torch.Tensor:
        """Return which place of the blocks, end to end, each token of the streams comes from."""
        back = np.zeros(len(self) * self.tokens, dtype=np.int64)
        done = 0
        for block in self.blocks:
            index = block.index.cpu().numpy()
            real = np.ones(index.shape, dtype=bool) if block.hidden is None else ~block.hidden[:, 0, 0].cpu().numpy()
            back[index[real]] = done + np.flatnonzero(real.ravel())
            done += index.size
        return self._tensor(back)

    def _row_back(self) -> torch.Tensor:
        """Return which row of the blocks, end to end, each row of the trials comes from; a missing row from any."""
        rows = torch.cat([block.rows for block in self.blocks])
        back = rows.new_zeros(len(self) * self.rows)
        back[rows] = torch.arange(len(rows), device=rows.device)
        return back


def _cuts(lengths: NDArray[np.int64], slack: float) -> list[slice]:
    """Cut ascending lengths into stretches of which at least a share of ``slack`` is not filling."""
    cuts, start, total = [], 0, 0
    for k, length in enumerate(lengths.tolist()):
        total += length
        if total < slack * length * (k + 1 - start):
            cuts.append(slice(start, k))
            start, total = k, length
    return [*cuts, slice(start, len(lengths))]
