"""How are one trial's losses, gradients and logits computed without padding?"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from transformers import PreTrainedModel

from seedwise.data.tokens import TokenizedSplit, TokenizedTask
from seedwise.engines.architecture import Architecture
from seedwise.engines.batches import Batch, Feed
from seedwise.engines.encoder import forward, mean_losses
from seedwise.engines.noise import Noise, Rates
from seedwise.engines.optimizer import FlatOptimizer
from seedwise.engines.stream import Stream
from seedwise.engines.vocabulary import Vocabulary
from seedwise.engines.weights import Weights
from seedwise.training.masks import step_key
from seedwise.training.plain import precision
from seedwise.values.trial import Trial

__all__ = ["Engine", "Packed", "TorchEngine", "slack"]

SLACK = 0.8
"""On a CPU, attention takes rows together while at least this share of a block's places holds tokens."""


class Engine(Protocol):
    """What computes on one batch; its gradients are added to the parameters'."""

    def logits(self, batch: Batch) -> torch.Tensor:
        """Return the outputs of a batch, shape (rows, outputs); nothing is dropped."""
        ...

    def backward(self, batch: Batch, kind: str, step_key: int, share: float) -> float:
        """Add a share of the gradients of the batch's mean loss, and return that share of the loss."""
        ...


class TorchEngine:
    """The forward pass of `seedwise.engines.encoder` for one trial, with torch's own backward.

    Args:
        parts: The model's parts.
        model: The model.
        optimizer: Its optimiser.
        dtype: float32, or bfloat16 for mixed precision.
    """

    def __init__(self, parts: Architecture, model: PreTrainedModel, optimizer: FlatOptimizer, dtype: str) -> None:
        self._parts, self._dtype, self._device = parts, dtype, model.device
        self._weights, self._rates = Weights.of([model], [optimizer]), Rates([parts], model.device)

    def logits(self, batch: Batch) -> torch.Tensor:
        """Return the outputs of a batch; see `Engine`."""
        with torch.inference_mode(), precision(self._device, self._dtype):
            return forward(self._parts, self._weights, self._stream(batch), None)[0]

    def backward(self, batch: Batch, kind: str, step_key: int, share: float) -> float:
        """Add gradients; see `Engine`."""
        stream = self._stream(batch, share)
        noise = Noise(self._rates, torch.tensor([step_key], device=self._device), stream)
        with precision(self._device, self._dtype):
            logits = forward(self._parts, self._weights, stream, noise)
        loss = mean_losses(kind, logits, stream)[0]
        self._weights.backward(loss)
        return float(loss.detach())

    def _stream(self, batch: Batch, share: float = 1.0) -> Stream:
        return Stream([batch], shares=[share], slack=slack(self._device))


def slack(device: torch.device) -> float:
    """Return which share of a block's places must hold tokens; a GPU takes all rows together."""
    return SLACK if device.type == "cpu" else 0.0


class Packed:
    """The computation of one trial on rows without padding; see `seedwise.training.loop.Computation`.

    Args:
        path: What this computation is called.
        make_engine: Makes what computes on batches, for the memory in which the parameters lie.
        feed: The trial's batches.
        vocabulary: The part of the word embedding that is there.
        optimizer: The trial's optimiser.
        data: The task's tokenised rows.
        trial: Recipe and seeds.
    """

    def __init__(
        self,
        path: str,
        make_engine: Callable[[], Engine],
        feed: Feed,
        vocabulary: Vocabulary,
        optimizer: FlatOptimizer,
        data: TokenizedTask,
        trial: Trial,
    ) -> None:
        self.path, self.feed, self.optimizer = path, feed, optimizer
        self._make_engine, self._vocabulary, self._data, self._trial = make_engine, vocabulary, data, trial
        self._engine: Engine | None = None
        self._together: Callable[[TokenizedSplit], np.ndarray] | None = None

    @property
    def engine(self) -> Engine:
        """What computes on batches."""
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine

    def moved(self, together: Callable[[TokenizedSplit], np.ndarray] | None = None) -> None:
        """Take note that the parameters lie elsewhere now.

        Args:
            together: Computes the trial's logits with those of others, where it lies among them.
        """
        self._engine, self._together = None, together

    def backward(self, step: int) -> float:
        """Add the gradients of a step's mean loss to those there are, and return the loss."""
        key = step_key(self._trial.seeds.dropout, step)
        parts = self.feed.step(step)
        rows = sum(len(part.slots) for part in parts)
        loss = sum(self.engine.backward(part, self._data.kind, key, len(part.slots) / rows) for part in parts)
        self.spare_padding()
        return loss

    def spare_padding(self) -> None:
        """Set the gradient of the padding token to zero, as the library does, where the rows hold one."""
        words, row = self.optimizer.names.get(self._vocabulary.parameter), self._vocabulary.padding_row
        if row is not None and words is not None and words.grad is not None:
            words.grad[row] = 0

    def logits(self, rows: TokenizedSplit) -> np.ndarray:
        """Return the outputs for rows, shape (rows, outputs)."""
        if self._together is not None:
            return self._together(rows)
        laid = self.feed.by_length(rows)
        found = np.zeros((len(rows), self.outputs), dtype=np.float32)
        for k in range(len(laid)):
            for batch in laid.parts(k):
                found[laid.rows_of(k)] = self.engine.logits(batch).float().cpu().numpy()
        return found

    def whole(self, weights: dict[str, torch.Tensor], step: int) -> dict[str, torch.Tensor]:
        """Return weights of a step as the library's model has them: with the whole word embedding."""
        steps = self._trial.recipe.steps(len(self._data.train))
        return self._vocabulary.whole(weights, self._trial.recipe, self.optimizer, step, steps)

    @property
    def outputs(self) -> int:
        """Outputs of the model for each row."""
        return 1 if self._data.label_names is None else len(self._data.label_names)
