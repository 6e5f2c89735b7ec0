"""Which tokens does a step see? The rows of an epoch end to end, laid out once, of which each step takes a slice.

Within a step the rows stand in the order of their lengths, so that attention finds rows of like length side by side;
``slots`` says which row of the step each is, because masks belong to that place.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seedwise.data.tokens import TokenizedSplit

__all__ = ["Batch", "Laid", "lay"]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The tokens of some rows end to end, without padding.

    Args:
        ids: Token ids, shape [tokens], int64.
        types: Which text a token belongs to, shape [tokens], int64; None where the model does not ask.
        places: Place of each token in its row, from 0, shape [tokens], int64.
        slots: Which row of the step each row is, shape [rows], int64.
        starts: Where each row starts, and the end of the last, shape [rows + 1], int64, on the CPU.
        labels: Class numbers (int64) or numbers to be predicted (float32), shape [rows].
    """

    ids: torch.Tensor
    types: torch.Tensor | None
    places: torch.Tensor
    slots: NDArray[np.int64]
    starts: NDArray[np.int64]
    labels: torch.Tensor

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row, ascending, shape [rows]."""
        return np.diff(self.starts)


class Laid:
    """Rows laid end to end on a device, cut into batches.

    Args:
        rows: A split's rows.
        order: Which of them, and in which order.
        cuts: Where in the order each batch starts, and the end of the last.
        renumber: The number that stands for each token id; see `seedwise.fused.vocabulary`.
        device: Where the tokens are wanted.
    """

    def __init__(
        self,
        rows: TokenizedSplit,
        order: NDArray[np.int64],
        cuts: NDArray[np.int64],
        renumber: NDArray[np.int64],
        device: torch.device,
    ) -> None:
        lengths = rows.lengths[order]
        batch = np.repeat(np.arange(len(cuts) - 1), np.diff(cuts))
        by_length = np.lexsort((lengths, batch))  # stable, and batch by batch
        self._slots = by_length - cuts[batch]
        self._cuts, order, lengths = cuts, order[by_length], lengths[by_length]
        self._starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(self._starts[-1]) - np.repeat(self._starts[:-1], lengths)
        tokens = np.repeat(rows.offsets[order], lengths) + places
        types = None if rows.type_ids is None else rows.type_ids[tokens].astype(np.int64)
        self._ids = torch.from_numpy(renumber[rows.ids[tokens]]).to(device)
        self._types = None if types is None else torch.from_numpy(types).to(device)
        self._places = torch.from_numpy(places).to(device)
        self._labels = torch.from_numpy(np.array(rows.labels[order])).to(device) if len(rows.labels) else None
        self.order = order

    def __len__(self) -> int:
        return len(self._cuts) - 1

    def __getitem__(self, k: int) -> Batch:
        rows = slice(int(self._cuts[k]), int(self._cuts[k + 1]))
        first, last = int(self._starts[rows.start]), int(self._starts[rows.stop])
        tokens = slice(first, last)
        return Batch(
            ids=self._ids[tokens],
            types=None if self._types is None else self._types[tokens],
            places=self._places[tokens],
            slots=self._slots[rows],
            starts=self._starts[rows.start : rows.stop + 1] - first,
            labels=torch.zeros(0) if self._labels is None else self._labels[rows],
        )

    def rows_of(self, k: int) -> NDArray[np.int64]:
        """Return which rows of the split batch k holds, in its order."""
        return self.order[int(self._cuts[k]) : int(self._cuts[k + 1])]


def lay(
    rows: TokenizedSplit, order: NDArray[np.int64], size: int, renumber: NDArray[np.int64], device: torch.device
) -> Laid:
    """Lay an epoch's rows out in steps of ``size`` rows; the last may hold fewer."""
    cuts = np.append(np.arange(0, len(order), size), len(order))
    return Laid(rows, order, cuts, renumber, device)
