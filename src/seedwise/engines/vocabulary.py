"""Which rows of the word embedding does a task need? Those whose tokens occur in it; the others move by weight decay alone.

A row that no training row contains has a zero gradient and zero moments at every step: it stays a multiple of its
pretrained values. Weight decay multiplies it by 1 - rate x decay, decay towards the pretrained values brings it nearer to
them, and no output reads it. So only the rows that occur are trained, and the others are computed at the end.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import PreTrainedModel

from seedwise.data.tokens import TokenizedTask
from seedwise.engines.optimizer import FlatOptimizer
from seedwise.training.optimizer import learning_rate
from seedwise.values.recipe import Recipe

__all__ = ["Vocabulary"]


class Vocabulary:
    """The part of a model's word embedding that a task needs; making one cuts the model's embedding down to it."""

    def __init__(self, model: PreTrainedModel, name: str, data: TokenizedTask) -> None:
        embedding = model.get_submodule(name)
        if not isinstance(embedding, nn.Embedding):
            raise TypeError(f"{name} is no embedding")
        self.parameter = f"{name}.weight"
        self._full = embedding.weight.detach()
        self.kept: NDArray[np.int64] = np.unique(np.concatenate([split.ids for split in data.splits.values()]))
        self.kept = self.kept.astype(np.int64)
        self.renumber = np.zeros(len(self._full), dtype=np.int64)
        self.renumber[self.kept] = np.arange(len(self.kept))
        # The library gives the padding token no gradient, even if a text spells it out.
        padding = np.flatnonzero(self.kept == embedding.padding_idx)
        self.padding_row = int(padding[0]) if len(padding) else None
        trained = embedding.weight.requires_grad
        embedding.weight = nn.Parameter(self._full[torch.from_numpy(self.kept)].clone(), requires_grad=trained)

    def whole(
        self, weights: dict[str, torch.Tensor], recipe: Recipe, optimizer: FlatOptimizer, step: int, steps: int
    ) -> dict[str, torch.Tensor]:
        """Return weights with the whole word embedding, as it is at a step."""
        if self.parameter not in weights:  # frozen
            return weights
        factor, multiple = optimizer.factor(self.parameter), 1.0
        for k in range(1, step + 1):
            rate = learning_rate(recipe, k, steps) * factor
            back = rate * recipe.pretrained_weight_decay
            multiple = (multiple * (1 - back) + back) * (1 - rate * recipe.weight_decay)
        full = self._full * multiple
        full[torch.from_numpy(self.kept)] = weights[self.parameter].to(full.device)
        return {**weights, self.parameter: full}
