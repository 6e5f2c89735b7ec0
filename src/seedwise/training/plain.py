"""How does the library's own model compute losses, gradients and logits? Padded batches, any architecture.

It is the reference that the faster computations of `seedwise.engines` are tested against.
"""

from typing import Any, Protocol

import numpy as np
import torch
from torch.nn import functional as F
from transformers import PreTrainedModel

from seedwise.data.tokens import TokenizedSplit, TokenizedTask
from seedwise.training.randomness import dropout_masks, permutation
from seedwise.values.masks import Masks
from seedwise.values.recipe import Recipe
from seedwise.values.trial import Trial

__all__ = ["EVALUATION_TOKENS", "Padding", "Plain", "loss_of", "precision", "predict"]

EVALUATION_TOKENS = 8192
"""Padded tokens in one evaluation batch: large enough for full speed, small enough for a laptop's memory."""

CPU_PART = 8
"""On a CPU a step's rows are computed in parts of this many rows of like length: padding costs more than parts do."""


class Padding(Protocol):
    """How a batch is padded; tokenised tasks and tokenizers both know."""

    @property
    def pad_id(self) -> int:
        """The token id that pads a batch."""

    @property
    def padding_side(self) -> str:
        """The side that is padded: right or left."""


class Plain:
    """Computes one trial with the library's model; see `seedwise.training.loop.Computation`."""

    name = "plain"
    masks = Masks.LIBRARY

    def __init__(self, model: PreTrainedModel, data: TokenizedTask, trial: Trial) -> None:
        self._model, self._data, self._trial = model, data, trial

    def backward(self, step: int) -> float:
        """Add up the gradients of the step's parts, and return the loss of its rows."""
        recipe, data, device = self._trial.recipe, self._data, self._model.device
        rows = _rows_of(self._trial, len(data.train), step)
        total = torch.zeros((), device=device)
        self._model.train()
        for part, chosen in enumerate(_parts(data.train, rows, recipe, device)):
            batch = _batch(data.train, chosen, data, device)
            labels = torch.from_numpy(np.array(data.train.labels[chosen])).to(device)
            with dropout_masks(self._trial.seeds.dropout, step, part, device):
                with precision(device, recipe.dtype):
                    logits = self._model(**batch).logits
                # Parts are weighted by their rows, so that the gradient is that of the whole step.
                loss = loss_of(data.kind, logits.float(), labels) * (len(chosen) / len(rows))
                loss.backward()
            total += loss.detach()
        return float(total)

    def logits(self, rows: TokenizedSplit) -> np.ndarray:
        """Return the model's outputs for rows, shape (rows, outputs)."""
        return predict(self._model, rows, self._data, self._trial.recipe.dtype)

    def whole(self, weights: dict[str, torch.Tensor], step: int) -> dict[str, torch.Tensor]:  # noqa: ARG002 - others need it
        """Return the weights unchanged: they are already in the library's layout."""
        return weights


def predict(model: PreTrainedModel, rows: TokenizedSplit, padding: Padding, dtype: str = "float32") -> np.ndarray:
    """Return the model's outputs for rows, computed in batches of similar length."""
    lengths = rows.lengths
    by_length = np.argsort(-lengths, kind="stable")  # longest first: memory peaks at once, not late
    outputs = np.zeros((len(rows), int(model.config.num_labels or 1)), dtype=np.float32)
    was_training = model.training
    model.eval()
    with torch.inference_mode(), precision(model.device, dtype):
        start = 0
        while start < len(by_length):
            size = max(1, EVALUATION_TOKENS // int(lengths[by_length[start]]))
            batch = by_length[start : start + size]
            logits = model(**_batch(rows, batch, padding, model.device)).logits
            outputs[batch] = logits.float().reshape(len(batch), -1).cpu().numpy()
            start += size
    model.train(was_training)
    return outputs


def loss_of(kind: str, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of some rows: cross entropy, or the mean squared error of a regression."""
    if kind == "regression":
        return F.mse_loss(logits.reshape(-1), labels)
    return F.cross_entropy(logits, labels)


def precision(device: torch.device, dtype: str) -> Any:
    """Within this context, the library computes in the recipe's precision; weights and gradients stay float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == "bfloat16")


def _rows_of(trial: Trial, rows: int, step: int) -> np.ndarray:
    """Return the training rows of a step: the next stretch of its epoch's permutation."""
    epoch, place = divmod(step - 1, trial.recipe.steps_per_epoch(rows))
    size = trial.recipe.step_rows
    return permutation(trial.seeds.order, epoch, rows)[place * size : (place + 1) * size]


def _parts(rows: TokenizedSplit, chosen: np.ndarray, recipe: Recipe, device: torch.device) -> list[np.ndarray]:
    """Split a step's rows into the parts whose gradients are summed; the sum does not depend on the split."""
    size = recipe.batch_size
    if device.type == "cpu":
        size = min(size, CPU_PART)
        chosen = chosen[np.argsort(rows.offsets[chosen + 1] - rows.offsets[chosen], kind="stable")]
    return [chosen[start : start + size] for start in range(0, len(chosen), size)]


def _batch(rows: TokenizedSplit, chosen: np.ndarray, padding: Padding, device: torch.device) -> dict[str, torch.Tensor]:
    """Pad the chosen rows to the longest."""
    lengths = rows.offsets[chosen + 1] - rows.offsets[chosen]
    shape = (len(chosen), int(lengths.max()))
    ids, mask = np.full(shape, padding.pad_id, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    types = None if rows.type_ids is None else np.zeros(shape, dtype=np.int64)
    for i, (row, length) in enumerate(zip(chosen, lengths, strict=True)):
        place = slice(shape[1] - length, None) if padding.padding_side == "left" else slice(0, length)
        source = slice(int(rows.offsets[row]), int(rows.offsets[row]) + int(length))
        ids[i, place], mask[i, place] = rows.ids[source], 1
        if types is not None and rows.type_ids is not None:
            types[i, place] = rows.type_ids[source]
    arrays = {"input_ids": ids, "attention_mask": mask} | ({} if types is None else {"token_type_ids": types})
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
