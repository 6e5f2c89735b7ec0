"""Which tokens does a step see? The rows of an epoch are laid end to end at once, and each step takes a slice.

Within a step, rows are sorted by length, so that attention finds rows of similar length side by side;
``slots`` gives each row's index in the step, which its masks depend on.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seedwise.data.tokens import TokenizedSplit, TokenizedTask
from seedwise.training.randomness import permutation
from seedwise.values.trial import Trial

__all__ = ["Batch", "Feed", "Laid"]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The tokens of some rows end to end, without padding."""

    ids: torch.Tensor  # token ids, shape [tokens], int64
    types: torch.Tensor | None  # which text a token belongs to, shape [tokens], int64
    places: torch.Tensor  # place of each token in its row, from 0, shape [tokens], int64
    slots: NDArray[np.int64]  # which row of the step each row is, shape [rows], int64
    starts: NDArray[np.int64]  # where each row starts, and the end of the last, shape [rows + 1], int64, on the CPU
    labels: torch.Tensor  # class numbers (int64) or numbers to be predicted (float32), shape [rows]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row, ascending, shape [rows]."""
        return np.diff(self.starts)


class Laid:
    """Rows laid end to end on a device, cut into batches."""

    def __init__(
        self,
        rows: TokenizedSplit,
        order: NDArray[np.int64],
        cuts: NDArray[np.int64],
        renumber: NDArray[np.int64],
        device: torch.device,
    ) -> None:
        batch = np.repeat(np.arange(len(cuts) - 1), np.diff(cuts))
        by_length = np.lexsort((rows.lengths[order], batch))  # stable, and batch by batch
        self._cuts, self._slots, self.order = cuts, by_length - cuts[batch], order[by_length]
        lengths = rows.lengths[self.order]
        self._starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(self._starts[-1]) - np.repeat(self._starts[:-1], lengths)
        tokens = np.repeat(rows.offsets[self.order], lengths) + places
        types = None if rows.type_ids is None else rows.type_ids[tokens].astype(np.int64)
        self._ids = torch.from_numpy(renumber[rows.ids[tokens]]).to(device)
        self._types = None if types is None else torch.from_numpy(types).to(device)
        self._places = torch.from_numpy(places).to(device)
        labels = rows.labels[self.order] if len(rows.labels) else np.zeros(len(order))
        self._labels = torch.from_numpy(np.array(labels)).to(device)

    def __len__(self) -> int:
        return len(self._cuts) - 1

    def parts(self, k: int, size: int | None = None) -> list[Batch]:
        """Return batch k, in parts of at most ``size`` rows if given."""
        first, last = int(self._cuts[k]), int(self._cuts[k + 1])
        size = size or last - first
        return [self._batch(slice(start, min(start + size, last))) for start in range(first, last, size)]

    def rows_of(self, k: int) -> NDArray[np.int64]:
        """Return which rows of the split batch k holds, in its order."""
        return self.order[self._cuts[k] : self._cuts[k + 1]]

    def _batch(self, rows: slice) -> Batch:
        first = int(self._starts[rows.start])
        tokens = slice(first, int(self._starts[rows.stop]))
        return Batch(
            ids=self._ids[tokens],
            types=None if self._types is None else self._types[tokens],
            places=self._places[tokens],
            slots=self._slots[rows],
            starts=self._starts[rows.start : rows.stop + 1] - first,
            labels=self._labels[rows],
        )


class Feed:
    """What one trial's steps and evaluations see."""

    def __init__(
        self,
        trial: Trial,
        data: TokenizedTask,
        renumber: NDArray[np.int64],
        device: torch.device,
        evaluation_tokens: int,
    ) -> None:
        self._trial, self._data, self._renumber, self._device = trial, data, renumber, device
        self._evaluation_tokens = evaluation_tokens
        self._epoch: tuple[int, Laid] | None = None
        self._splits: dict[int, tuple[TokenizedSplit, Laid]] = {}  # kept alive, so that no id is reused

    def step(self, step: int) -> list[Batch]:
        """Return the rows of a step, in the parts whose gradients are summed."""
        rows, recipe = len(self._data.train), self._trial.recipe
        epoch, place = divmod(step - 1, recipe.steps_per_epoch(rows))
        if self._epoch is None or self._epoch[0] != epoch:
            order = permutation(self._trial.seeds.order, epoch, rows)
            cuts = np.append(np.arange(0, rows, recipe.step_rows), rows)
            self._epoch = (epoch, Laid(self._data.train, order, cuts, self._renumber, self._device))
        return self._epoch[1].parts(place, recipe.batch_size)

    def by_length(self, rows: TokenizedSplit) -> Laid:
        """Return all rows of a split in batches of similar length."""
        if id(rows) not in self._splits:
            order = np.argsort(rows.lengths, kind="stable")
            number = np.cumsum(rows.lengths[order]) // self._evaluation_tokens
            cuts = np.append(np.unique(number, return_index=True)[1], len(order))
            self._splits[id(rows)] = (rows, Laid(rows, order, cuts, self._renumber, self._device))
        return self._splits[id(rows)][1]
