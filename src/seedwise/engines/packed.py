"""How are one trial's losses, gradients and logits computed without padding, and how does such a trial begin?"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
import torch
from transformers import AutoConfig, PreTrainedModel
from transformers.models.auto.tokenization_auto import get_tokenizer_config

from seedwise.data.pretrained import resolve_model
from seedwise.data.tokens import TokenizedSplit, TokenizedTask
from seedwise.engines import architecture as families
from seedwise.engines.architecture import Architecture, architecture
from seedwise.engines.batches import Batch, Feed
from seedwise.engines.compiled import CompiledEncoder
from seedwise.engines.encoder import forward, mean_losses
from seedwise.engines.noise import Noise, Rates
from seedwise.engines.optimizer import FlatOptimizer
from seedwise.engines.stream import Stream
from seedwise.engines.vocabulary import Vocabulary
from seedwise.engines.weights import Weights
from seedwise.errors import RequestError
from seedwise.training.hashed_masks import mask_fingerprint, step_key
from seedwise.training.loop import Training, assemble
from seedwise.training.model import load_model
from seedwise.training.plain import precision
from seedwise.values.masks import Masks
from seedwise.values.recipe import Recipe
from seedwise.values.trial import Trial

__all__ = ["Packed", "Passes", "TorchPasses", "begin", "objection", "slack"]

EVALUATION_TOKENS = 2048
"""Tokens in one evaluation batch on a CPU, whose caches hold what is between two layers."""

GPU_EVALUATION_TOKENS = 32768
"""The same on a GPU, which needs many to be busy."""

SLACK = 0.8
"""On a CPU, attention takes rows together while at least this share of a block's places holds tokens."""


def objection(recipe: Recipe) -> str | None:
    """Return why a recipe's model cannot be computed without padding; None if it can."""
    if recipe.lora_rank:
        return "LoRA puts matrices beside the weights"
    model = resolve_model(recipe.model)
    if get_tokenizer_config(model).get("padding_side", "right") != "right":
        return "its tokenizer pads on the left, which moves the positions of tokens"
    return families.objection(AutoConfig.from_pretrained(model))


def begin(
    name: str, trial: Trial, data: TokenizedTask, device: torch.device | str = "cpu", *, compiled: bool = False
) -> Training:
    """Set a trial up at step 0 for the engine of this name; `seedwise.training.loop.begin` does so for the library's model."""
    recipe, device = trial.recipe, torch.device(device)
    if (reason := objection(recipe)) is not None:
        raise RequestError(f"{recipe.model_name} cannot be trained by the engine {name}: {reason}; take plain.")
    loaded = load_model(recipe, label_names=data.label_names, init_seed=trial.seeds.init, pad_id=data.pad_id)
    model = loaded.model
    parts = architecture(model.config)
    vocabulary = Vocabulary(model, parts.words, data)
    model.to(device)  # type: ignore[arg-type]  # transformers annotates only the decorated overload
    tokens = EVALUATION_TOKENS if device.type == "cpu" else GPU_EVALUATION_TOKENS
    feed = Feed(trial, data, vocabulary.renumber, device, tokens)

    def computation(optimizer: FlatOptimizer) -> "Packed":
        def make_passes() -> Passes:
            if not compiled:
                return TorchPasses(parts, model, optimizer, recipe.dtype)
            gradients = {name: p.grad for name, p in optimizer.names.items() if p.grad is not None}
            return CompiledEncoder(parts, dict(model.named_parameters()), gradients)

        return Packed(name, make_passes, feed, vocabulary, optimizer, data, trial)

    kept = {vocabulary.parameter: torch.from_numpy(vocabulary.kept)}
    training = assemble(trial, data, loaded, partial(FlatOptimizer, compiled=compiled), computation, kept)
    training.fingerprint["dropout"] = mask_fingerprint(trial.seeds.dropout)
    return training


class Passes(Protocol):
    """Computes one batch, and adds its gradients to the parameters'."""

    def logits(self, batch: Batch) -> torch.Tensor:
        """Return the outputs of a batch without dropout, shape (rows, outputs)."""

    def backward(self, batch: Batch, kind: str, step_key: int, share: float) -> float:
        """Add a share of the gradients of the batch's mean loss, and return that share of the loss."""


class TorchPasses:
    """The forward pass of `seedwise.engines.encoder` for one trial, with torch's own backward."""

    def __init__(self, parts: Architecture, model: PreTrainedModel, optimizer: FlatOptimizer, dtype: str) -> None:
        self._parts, self._dtype, self._device = parts, dtype, model.device
        self._weights, self._rates = Weights.of([model], [optimizer]), Rates([parts], model.device)

    def logits(self, batch: Batch) -> torch.Tensor:
        """Return the outputs of a batch; see `Passes`."""
        with torch.inference_mode(), precision(self._device, self._dtype):
            return forward(self._parts, self._weights, self._stream(batch), None)[0]

    def backward(self, batch: Batch, kind: str, step_key: int, share: float) -> float:
        """Add gradients; see `Passes`."""
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
    """Return the share of a block that must hold tokens; a GPU takes all rows together."""
    return SLACK if device.type == "cpu" else 0.0


class Packed:
    """Computes one trial on rows without padding; see `seedwise.training.loop.Computation`."""

    masks = Masks.HASHED

    def __init__(
        self,
        name: str,
        make_passes: Callable[[], Passes],
        feed: Feed,
        vocabulary: Vocabulary,
        optimizer: FlatOptimizer,
        data: TokenizedTask,
        trial: Trial,
    ) -> None:
        self.name, self.feed, self.optimizer = name, feed, optimizer
        self._make_passes, self._vocabulary, self._data, self._trial = make_passes, vocabulary, data, trial
        self._passes: Passes | None = None
        self._together: Callable[[TokenizedSplit], np.ndarray] | None = None

    @property
    def passes(self) -> Passes:
        """The passes over batches."""
        if self._passes is None:
            self._passes = self._make_passes()
        return self._passes

    def relocated(self, together: Callable[[TokenizedSplit], np.ndarray] | None = None) -> None:
        """Note that the parameters were moved."""
        self._passes, self._together = None, together

    def backward(self, step: int) -> float:
        """Add the gradients of a step's mean loss to the existing ones, and return the loss."""
        key = step_key(self._trial.seeds.dropout, step)
        parts = self.feed.step(step)
        rows = sum(len(part.slots) for part in parts)
        loss = sum(self.passes.backward(part, self._data.kind, key, len(part.slots) / rows) for part in parts)
        self.spare_padding()
        return loss

    def spare_padding(self) -> None:
        """Set the gradient of the padding token to zero, as the library does, if the rows hold one."""
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
                found[laid.rows_of(k)] = self.passes.logits(batch).float().cpu().numpy()
        return found

    def whole(self, weights: dict[str, torch.Tensor], step: int) -> dict[str, torch.Tensor]:
        """Return the weights at a step in the library's layout, with the whole word embedding."""
        steps = self._trial.recipe.steps(len(self._data.train))
        return self._vocabulary.whole(weights, self._trial.recipe, self.optimizer, step, steps)

    @property
    def outputs(self) -> int:
        """Number of outputs per row."""
        return 1 if self._data.label_names is None else len(self._data.label_names)
