"""How is one trial trained? Data, model, optimiser, loop and evaluation, in reading order.

`begin` sets a trial up, `train` is a generator that yields one Measurement per step, and pausing is simply not
asking for the next. The state of a trial is the `Training` it works on, which `seedwise.training.checkpoint` writes and
reads. Evaluating draws no random numbers and leaves no trace, so looking changes nothing. How losses, gradients and logits
are computed is its `Computation`: by the library's own model here, faster in `seedwise.engines`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel

from seedwise.data.tokens import TokenizedSplit, TokenizedTask
from seedwise.training.metrics import score
from seedwise.training.model import LoadedModel, load_model
from seedwise.training.optimizer import Optimizer
from seedwise.training.plain import Plain
from seedwise.training.randomness import fingerprint
from seedwise.training.regularizers import mixout, starting_values
from seedwise.training.tracking import Tracker
from seedwise.values.masks import Masks
from seedwise.values.trial import Measurement, Trial

__all__ = [
    "Best",
    "Computation",
    "Training",
    "Updates",
    "assemble",
    "at_best",
    "begin",
    "mixed",
    "record",
    "train",
    "update",
]


AnyOptimizer = TypeVar("AnyOptimizer", bound="Updates")


class Computation(Protocol):
    """How one trial's losses, gradients and logits are computed from its parameters."""

    @property
    def name(self) -> str:
        """The engine's name: plain, packed, compiled or fused."""

    @property
    def masks(self) -> Masks:
        """The kind of dropout masks it draws."""

    def backward(self, step: int) -> float:
        """Add the gradients of a step's mean loss to the existing ones, and return the loss."""

    def logits(self, rows: TokenizedSplit) -> np.ndarray:
        """Return the outputs for rows without dropout, shape (rows, outputs), float32."""

    def whole(self, weights: dict[str, torch.Tensor], step: int) -> dict[str, torch.Tensor]:
        """Return the weights at a step in the library's layout."""


class Updates(Protocol):
    """An optimiser of one trial; see `seedwise.training.optimizer.Optimizer`."""

    @property
    def names(self) -> Mapping[str, nn.Parameter]:
        """The parameters that are trained, by name."""

    def step(self, step: int) -> torch.Tensor:
        """Clip, update and forget the gradients; return their norm before clipping."""

    def moments(self) -> dict[str, torch.Tensor]:
        """Return both moments of every parameter by name."""

    def restore(self, moments: dict[str, torch.Tensor], step: int) -> None:
        """Load moments that ``moments`` returned after a step."""


class Best(NamedTuple):
    """A trial at its best evaluation so far: where, how good, its weights and validation logits."""

    step: int
    score: float
    weights: dict[str, torch.Tensor]
    logits: np.ndarray  # (validation rows, outputs)


@dataclass(slots=True)
class Training:
    """Everything that one trial needs to continue training."""

    trial: Trial  # task, recipe and seeds
    data: TokenizedTask  # the task's tokenised rows
    model: PreTrainedModel  # the model, on its device
    optimizer: Updates  # its optimiser and schedule
    start: Mapping[str, torch.Tensor]  # the pretrained values of the parameters that a switch keeps near them
    tracker: Tracker  # measures what the recipe tracks
    computation: Computation  # how losses, gradients and logits are computed
    # which rows of a parameter are present, if not all
    kept: Mapping[str, torch.Tensor] = field(default_factory=dict)
    step: int = 0  # optimiser steps done
    best: Best | None = None  # the best evaluation so far; None before the first finite one
    pending: list[Measurement] = field(default_factory=list)  # the steps since the last evaluation
    fingerprint: dict[str, str] = field(default_factory=dict)  # what each seed actually drew
    evaluation_steps: frozenset[int] = field(init=False)  # after which steps it is scored

    def __post_init__(self) -> None:
        self.evaluation_steps = frozenset(self.trial.recipe.evaluation_steps(len(self.data.train)))

    @property
    def steps(self) -> int:
        """Optimiser steps of the full run."""
        return self.trial.recipe.steps(len(self.data.train))

    @property
    def parameters(self) -> Mapping[str, nn.Parameter]:
        """The trained parameters, by name, without frozen ones."""
        return self.optimizer.names

    @property
    def device(self) -> torch.device:
        """The model's device."""
        return self.model.device


def begin(trial: Trial, data: TokenizedTask, device: torch.device | str = "cpu") -> Training:
    """Set a trial up at step 0: pretrained weights, a head drawn by the init seed, fresh moments."""
    label_names, pad_id = data.label_names, data.pad_id
    loaded = load_model(trial.recipe, label_names=label_names, init_seed=trial.seeds.init, pad_id=pad_id)
    loaded.model.to(torch.device(device))  # type: ignore[arg-type]  # transformers annotates only the decorated overload
    return assemble(trial, data, loaded, Optimizer, lambda _: Plain(loaded.model, data, trial))


def assemble(
    trial: Trial,
    data: TokenizedTask,
    loaded: LoadedModel,
    optimizer: Callable[..., AnyOptimizer],
    computation: Callable[[AnyOptimizer], Computation],
    kept: Mapping[str, torch.Tensor] | None = None,
) -> Training:
    """Assemble a trial around a model that is on its device."""
    model, recipe = loaded.model, trial.recipe
    start = starting_values(model, recipe)
    pretrained = {name: value for name, value in start.items() if name not in loaded.drawn}
    drawn: dict[str, torch.Tensor] = {name: p for name, p in model.named_parameters() if name in loaded.drawn}
    drew = fingerprint(trial.seeds, drawn, len(data.train), model.device)
    updates = optimizer(model, recipe, recipe.steps(len(data.train)), pretrained)
    tracker = Tracker(model, recipe, start)
    return Training(
        trial, data, model, updates, pretrained, tracker, computation(updates), kept or {}, fingerprint=drew
    )


def train(training: Training, until: int | None = None) -> Iterator[Measurement]:
    """Continue a trial's training, yielding one measurement per step.

    The generator ends early, with an evaluation, when the training loss is no longer finite.
    """
    for step in range(training.step + 1, (training.steps if until is None else until) + 1):
        with mixed(training, step):
            loss = training.computation.backward(step)
        yield record(training, step, loss, update(training, step))
        if not math.isfinite(loss):
            return


def mixed(training: Training, step: int) -> AbstractContextManager[None]:
    """Within this context, the parameters are mixed as mixout does at a step; unchanged without mixout."""
    recipe, seeds = training.trial.recipe, training.trial.seeds
    held = {name: training.parameters[name] for name in training.start} if recipe.mixout else {}
    return mixout(held, training.start, recipe.mixout, dropout_seed=seeds.dropout, step=step, kept=training.kept)


def update(training: Training, step: int) -> dict[str, tuple[float, ...]] | None:
    """Take one step with the current gradients, and return its tracked values."""
    norm = training.optimizer.step(step)
    return training.tracker.after(step, norm, training.optimizer.moments)


def record(
    training: Training, step: int, loss: float, tracked: dict[str, tuple[float, ...]] | None = None
) -> Measurement:
    """Advance a trial to the step just taken, evaluate it if due, and return what was measured."""
    due = step in training.evaluation_steps or not math.isfinite(loss)
    metrics = _evaluate(training, step) if due else None
    training.step = step
    measurement = Measurement(step, loss, metrics, tracked)
    training.pending = [] if metrics is not None else [*training.pending, measurement]
    return measurement


def at_best(training: Training) -> tuple[dict[str, float] | None, np.ndarray | None]:
    """Restore the model of the best evaluation and score the test rows; training cannot continue afterwards."""
    if training.best is None:
        raise ValueError("the trial has no finite evaluation yet; train it up to its first one.")
    if training.best.step != training.step:
        _put(training.parameters, training.best.weights)
    data = training.data
    if data.test is None:
        return None, None
    logits = training.computation.logits(data.test)
    return score(data.kind, logits, np.asarray(data.test.labels)), logits


def _evaluate(training: Training, step: int) -> dict[str, float]:
    """Score the validation rows, and keep the weights if they are the best so far."""
    data, task = training.data, training.trial.task
    logits = training.computation.logits(data.validation)
    metrics = score(data.kind, logits, np.asarray(data.validation.labels))
    value, best = metrics[task.metric], training.best
    better = best is None or (value > best.score if task.greater_is_better else value < best.score)
    if math.isfinite(value) and better:
        weights = {name: p.detach().clone() for name, p in training.parameters.items()}
        training.best = Best(step, value, weights, logits)
    return metrics


def _put(parameters: Mapping[str, nn.Parameter], weights: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
