"""How is one trial trained? Data, model, optimiser, loop and evaluation, in reading order.

`begin` sets a trial up, `train` is a generator that yields one Measurement for each step, and pausing is simply not
asking for the next. The state of a trial is the `Training` it works on, which `seedwise.training.checkpoint` writes and
reads. Evaluating draws no random numbers and leaves no trace, so looking changes nothing.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from seedwise.data.tokens import TokenizedSplit, TokenizedTask
from seedwise.training.metrics import score
from seedwise.training.model import load_model
from seedwise.training.optimizer import Optimizer
from seedwise.training.randomness import dropout_masks, fingerprint, permutation
from seedwise.training.regularizers import mixout, starting_values
from seedwise.training.tracking import Tracker
from seedwise.trial import Measurement, Trial

__all__ = ["Best", "Padding", "Training", "at_best", "begin", "predict", "train"]

EVALUATION_TOKENS = 8192
"""Padded tokens in one evaluation batch: large enough for full speed, small enough for a laptop's memory."""

CPU_PART = 8
"""On a CPU a step's rows are computed in parts of this many rows of like length: padding costs more than parts do."""


class Padding(Protocol):
    """How a batch is filled up; tokenised tasks know it, and so do tokenizers."""

    @property
    def pad_id(self) -> int:
        """The token id that fills a batch."""
        ...

    @property
    def padding_side(self) -> str:
        """Where it stands: right or left."""
        ...


class Best(NamedTuple):
    """A trial at its best evaluation so far: where, how good, its weights and validation logits."""

    step: int
    score: float
    weights: dict[str, torch.Tensor]
    logits: np.ndarray  # (validation rows, outputs)


@dataclass(slots=True)
class Training:
    """Everything that the training of one trial needs to go on.

    Args:
        trial: Task, recipe and seeds.
        data: The task's tokenised rows.
        model: The model, on its device.
        optimizer: Its optimiser and schedule.
        start: The pretrained values of the parameters that a switch holds near them; empty without such a switch.
        tracker: Measures what the recipe tracks.
        step: Optimiser steps done.
        best: The best evaluation so far; None before the first finite one.
        pending: The steps since the last evaluation; they travel with a checkpoint, so none is lost.
        fingerprint: What each seed really drew.
    """

    trial: Trial
    data: TokenizedTask
    model: PreTrainedModel
    optimizer: Optimizer
    start: Mapping[str, torch.Tensor]
    tracker: Tracker
    step: int = 0
    best: Best | None = None
    pending: list[Measurement] = field(default_factory=list)
    fingerprint: dict[str, str] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Optimiser steps of the full run."""
        return self.trial.recipe.steps(len(self.data.train))

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """The parameters that are trained, by name; what is frozen stays as it began."""
        return self.optimizer.names

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.device


def begin(trial: Trial, data: TokenizedTask, device: torch.device | str = "cpu") -> Training:
    """Set a trial up at step 0: pretrained weights, a head drawn by the init seed, fresh moments.

    Args:
        trial: What to train.
        data: The task's tokenised rows.
        device: Where to train.

    Raises:
        RequestError: The model cannot be loaded.
    """
    recipe = trial.recipe
    loaded = load_model(recipe, label_names=data.label_names, init_seed=trial.seeds.init, pad_id=data.pad_id)
    model = loaded.model
    model.to(torch.device(device))  # type: ignore[arg-type]  # transformers annotates only the decorated overload
    start = starting_values(model, recipe)
    pretrained = {name: value for name, value in start.items() if name not in loaded.drawn}
    optimizer = Optimizer(model, recipe, recipe.steps(len(data.train)), pretrained)
    training = Training(trial, data, model, optimizer, pretrained, Tracker(model, recipe, start))
    drawn: dict[str, torch.Tensor] = {name: p for name, p in model.named_parameters() if name in loaded.drawn}
    training.fingerprint = fingerprint(trial.seeds, drawn, len(data.train), training.device)
    return training


def train(training: Training, until: int | None = None) -> Iterator[Measurement]:
    """Train on from where the trial stands, yielding one measurement for each step.

    The generator ends early, with an evaluation, when the training loss is no longer finite.

    Args:
        training: The trial's state; it is updated before each measurement is handed out.
        until: Step to stop after; the end of the run by default.

    Yields:
        The step, its training loss, and at evaluations every validation metric.
    """
    recipe = training.trial.recipe
    evaluation_steps = set(recipe.evaluation_steps(len(training.data.train)))
    for step in range(training.step + 1, (training.steps if until is None else until) + 1):
        loss, tracked = _take_step(training, step)
        diverged = not math.isfinite(loss)
        metrics = _evaluate(training, step) if step in evaluation_steps or diverged else None
        training.step = step
        measurement = Measurement(step, loss, metrics, tracked)
        training.pending = [] if metrics is not None else [*training.pending, measurement]
        yield measurement
        if diverged:
            return


def predict(model: PreTrainedModel, rows: TokenizedSplit, padding: Padding, dtype: str = "float32") -> np.ndarray:
    """Return the model's outputs for rows, computed in batches of like length.

    Args:
        model: A sequence classifier.
        rows: The rows.
        padding: How they are padded; their task knows.
        dtype: float32 or bfloat16 (autocast).

    Returns:
        Logits, shape (rows, outputs), float32, in the order of the rows.
    """
    lengths = rows.lengths
    by_length = np.argsort(-lengths, kind="stable")  # longest first: memory peaks at once, not late
    outputs = np.zeros((len(rows), int(model.config.num_labels or 1)), dtype=np.float32)
    was_training = model.training
    model.eval()
    with torch.inference_mode(), _precision(model.device, dtype):
        start = 0
        while start < len(by_length):
            size = max(1, EVALUATION_TOKENS // int(lengths[by_length[start]]))
            batch = by_length[start : start + size]
            logits = model(**_batch(rows, batch, padding, model.device)).logits
            outputs[batch] = logits.float().reshape(len(batch), -1).cpu().numpy()
            start += size
    model.train(was_training)
    return outputs


def at_best(training: Training) -> tuple[dict[str, float] | None, np.ndarray | None]:
    """Put the model at its best evaluation and score the test rows there; the training cannot go on afterwards.

    Args:
        training: A trial with at least one finite evaluation.

    Returns:
        The test metrics and test logits; both None for a task without test rows.

    Raises:
        ValueError: The trial has no finite evaluation yet.
    """
    if training.best is None:
        raise ValueError("the trial has no finite evaluation yet; train it up to its first one.")
    if training.best.step != training.step:
        _put(training.parameters, training.best.weights)
    data = training.data
    if data.test is None:
        return None, None
    logits = predict(training.model, data.test, data, training.trial.recipe.dtype)
    return score(data.kind, logits, np.asarray(data.test.labels)), logits


def _take_step(training: Training, step: int) -> tuple[float, dict[str, tuple[float, ...]] | None]:
    """Forward and backward over the step's rows, part by part, then one update; return loss and what is tracked."""
    recipe, seeds = training.trial.recipe, training.trial.seeds
    mixed = {name: training.parameters[name] for name in training.start} if recipe.mixout else {}
    training.model.train()
    with mixout(mixed, training.start, recipe.mixout, dropout_seed=seeds.dropout, step=step):
        loss = _backward(training, step)
    norm = training.optimizer.step(step)
    return loss, training.tracker.after(step, norm)


def _backward(training: Training, step: int) -> float:
    """Add up the gradients of the step's parts, and return the loss of its rows."""
    recipe, data = training.trial.recipe, training.data
    rows = _rows_of(training, step)
    total = torch.zeros((), device=training.device)
    for part, chosen in enumerate(_parts(training, rows)):
        batch = _batch(data.train, chosen, data, training.device)
        labels = torch.from_numpy(np.array(data.train.labels[chosen])).to(training.device)
        with dropout_masks(training.trial.seeds.dropout, step, part, training.device):
            with _precision(training.device, recipe.dtype):
                logits = training.model(**batch).logits
            # Parts are weighted by their rows, so that the gradient is that of the whole step.
            loss = _loss(data.kind, logits.float(), labels) * (len(chosen) / len(rows))
            loss.backward()
        total += loss.detach()
    return float(total)


def _rows_of(training: Training, step: int) -> np.ndarray:
    """Return the training rows of a step: the next stretch of its epoch's permutation."""
    recipe, rows = training.trial.recipe, len(training.data.train)
    epoch, place = divmod(step - 1, recipe.steps_per_epoch(rows))
    size = recipe.batch_size * recipe.gradient_accumulation_steps
    return permutation(training.trial.seeds.order, epoch, rows)[place * size : (place + 1) * size]


def _parts(training: Training, rows: np.ndarray) -> list[np.ndarray]:
    """Split a step's rows into the parts whose gradients are added up: the sum is the same, however they are split."""
    size = training.trial.recipe.batch_size
    if training.device.type == "cpu":
        offsets, size = training.data.train.offsets, min(size, CPU_PART)
        rows = rows[np.argsort(offsets[rows + 1] - offsets[rows], kind="stable")]
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _loss(kind: str, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    if kind == "regression":
        return F.mse_loss(logits.reshape(-1), labels)
    return F.cross_entropy(logits, labels)


def _evaluate(training: Training, step: int) -> dict[str, float]:
    """Score the validation rows, and keep the weights if they are the best so far."""
    data, task = training.data, training.trial.task
    logits = predict(training.model, data.validation, data, training.trial.recipe.dtype)
    metrics = score(data.kind, logits, np.asarray(data.validation.labels))
    value, best = metrics[task.metric], training.best
    better = best is None or (value > best.score if task.greater_is_better else value < best.score)
    if math.isfinite(value) and better:
        weights = {name: p.detach().clone() for name, p in training.parameters.items()}
        training.best = Best(step, value, weights, logits)
    return metrics


def _batch(rows: TokenizedSplit, chosen: np.ndarray, padding: Padding, device: torch.device) -> dict[str, torch.Tensor]:
    """Pad the chosen rows to the longest of them."""
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


def _precision(device: torch.device, dtype: str) -> Any:
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == "bfloat16")


def _put(parameters: Mapping[str, nn.Parameter], weights: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
