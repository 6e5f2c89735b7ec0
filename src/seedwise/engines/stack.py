"""How are many trials trained as one batched model? Each keeps its own order, masks, rates and optimiser.

The trials of a stack share what gives tensors their shapes: model, rows, batch size, trained parameters. Everything else may
differ. A trial joins at whatever step it is and leaves when it is paused or complete; the others are stacked anew.

On a CPU, where batched products gain nothing, the trials of a stack are computed one after the other, so that what one
computes is bitwise independent of the others. On a GPU they are computed at once, and streams are as long as the
longest, so the order of sums over tokens depends on the other trials, and results agree up to rounding.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from seedwise.data.tokens import TokenizedSplit
from seedwise.engines.architecture import Architecture, architecture
from seedwise.engines.batches import Batch
from seedwise.engines.encoder import forward, mean_losses
from seedwise.engines.memory import is_out_of_memory
from seedwise.engines.noise import Noise, Rates
from seedwise.engines.packed import Packed, slack
from seedwise.engines.replay import MULTIPLE, Recordings
from seedwise.engines.stream import Stream
from seedwise.engines.weights import Weights
from seedwise.errors import RequestError
from seedwise.training.hashed_masks import step_key
from seedwise.training.loop import Training, mixed, record, update
from seedwise.training.plain import precision
from seedwise.values.trial import Measurement, Trial

__all__ = ["Stack", "difference"]

SHARED = ("model", "batch_size", "max_length", "dtype", "freeze_layers")
"""The fields of a recipe that trials of a stack have in common; of unequal batches most of a stack would be filling."""


def difference(one: Trial, other: Trial) -> str | None:
    """Return why two trials cannot share a stack, in words; None if they can.

    Args:
        one: A trial.
        other: Another.
    """
    if one.task.id != other.task.id:
        return f"their tasks differ: {one.task.name} and {other.task.name}"
    for name in SHARED:
        mine, theirs = getattr(one.recipe, name), getattr(other.recipe, name)
        if mine != theirs:
            return f"their {name} differs: {mine} and {theirs}"
    layers = [trial.recipe.layerwise_lr_decay == 1 for trial in (one, other)]
    if layers[0] != layers[1]:
        return "one of them has layerwise_lr_decay and the other does not"
    return None


class Stack:
    """Trials that are trained together."""

    def __init__(
        self, device: torch.device | str = "cpu", *, together: int | None = None, record: bool | None = None
    ) -> None:
        self.members: list[Training] = []
        self._device = torch.device(device)
        on_gpu = self._device.type == "cuda"
        self._multiple = MULTIPLE if (on_gpu if record is None else record) else 1
        self._largest = together or (2**30 if on_gpu else 1)  # members of a piece
        self._parts: list[Architecture] = []
        self._pieces: list[_Piece] = []  # what is computed at once: all members, or fewer if memory runs out
        self._changed = False  # since the pieces were laid out
        self._due: set[int] = set()  # whose evaluation is due
        self._outputs: dict[int, np.ndarray] = {}  # of all members, by split

    def join(self, training: Training) -> None:
        """Add a trial, at any step."""
        if self.members and (reason := difference(self.members[0].trial, training.trial)):
            raise RequestError(
                f"trials can be stacked only where they are alike but for numbers, but {reason}; train them apart."
            )
        self.members.append(training)
        self._changed = True

    def leave(self, training: Training) -> None:
        """Remove a trial, with all that it needs to continue elsewhere."""
        self.members = [member for member in self.members if member is not training]
        self._changed = True
        optimizer = _packed(training).optimizer
        for k, group in enumerate(optimizer.groups):
            values = group.vector.data.clone()
            optimizer.relocate(k, values, torch.zeros_like(values))
        _packed(training).relocated()

    def step(self) -> list[tuple[Training, Measurement]]:
        """Take the next step of every trial, and return what was measured."""
        steps = [member.step + 1 for member in self.members]
        with ExitStack() as stack:
            for member, step in zip(self.members, steps, strict=True):
                stack.enter_context(mixed(member, step))
            losses = self._backward(steps)
            for member in self.members:
                _packed(member).spare_padding()
        tracked = [update(member, step) for member, step in zip(self.members, steps, strict=True)]
        self._due = {s for s, step in enumerate(steps) if step in self.members[s].evaluation_steps}
        self._outputs = {}
        return [
            (member, record(member, step, loss, found))
            for member, step, loss, found in zip(self.members, steps, losses, tracked, strict=True)
        ]

    def _restack(self) -> None:
        """Lay the members' parameters out side by side."""
        self._changed, self._pieces, members = False, [], self.members
        self._parts = [architecture(member.model.config) for member in members]
        weights = Weights.of([m.model for m in members], [_packed(m).optimizer for m in members])
        for start in range(0, len(members), self._largest):
            trials = slice(start, min(start + self._largest, len(members)))
            own = weights.part(trials)
            compute = partial(self._losses, own, Rates(self._parts[trials], self._device))
            self._pieces.append(
                _Piece(trials, own, compute if self._multiple == 1 else Recordings(compute, own.gradients))
            )
        for s, member in enumerate(members):
            _packed(member).relocated(partial(self._logits, s))

    def _backward(self, steps: list[int]) -> list[float]:
        """Compute the gradients of every trial's step and return the losses, in smaller pieces if memory runs out."""
        parts = [_packed(m).feed.step(step) for m, step in zip(self.members, steps, strict=True)]
        keys = [step_key(m.trial.seeds.dropout, step) for m, step in zip(self.members, steps, strict=True)]
        while True:
            try:
                if self._changed:
                    self._restack()
                found = [self._piece_backward(piece, parts[piece.trials], keys[piece.trials]) for piece in self._pieces]
                return torch.cat(found).tolist()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or len(self._pieces) == len(self.members):
                    raise
                self._largest = -(-len(self.members) // (2 * max(1, len(self._pieces))))
            for member in self.members:
                _packed(member).optimizer.forget()
            self._changed = True

    def _piece_backward(self, piece: "_Piece", parts: list[list[Batch]], keys: list[int]) -> torch.Tensor:
        """Add the gradients of a piece of the stack, part by part, and return its losses."""
        rows = [sum(len(part.slots) for part in own) for own in parts]
        total = torch.zeros(len(parts), device=self._device)
        for k in range(max(len(own) for own in parts)):
            # A trial with fewer parts computes its first one again, and the result is ignored.
            batches = [own[k] if k < len(own) else own[0] for own in parts]
            shares = [len(own[k].slots) / n if k < len(own) else 0.0 for own, n in zip(parts, rows, strict=True)]
            filled = 0.0 if self._multiple > 1 else slack(self._device)
            stream = Stream(batches, shares=shares, slack=filled, multiple=self._multiple)
            total += piece.compute(stream, torch.tensor(keys, device=self._device))
        return total

    def _losses(self, weights: Weights, rates: Rates, stream: Stream, keys: torch.Tensor) -> torch.Tensor:
        """Add the gradients of a stream, and return its losses; nothing here waits for the device."""
        noise = Noise(rates, keys, stream)
        with precision(self._device, self.members[0].trial.recipe.dtype):
            logits = forward(self._parts[0], weights, stream, noise)
        losses = mean_losses(self.members[0].data.kind, logits, stream)
        weights.backward(losses.sum())
        return losses.detach()

    def _logits(self, s: int, rows: TokenizedSplit) -> np.ndarray:
        """Return a trial's outputs, computed with the others' if most of those are due."""
        if 2 * len(self._due) <= len(self.members):
            piece = next(piece for piece in self._pieces if piece.trials.start <= s < piece.trials.stop)
            own = s - piece.trials.start
            alone: np.ndarray = self._evaluated(piece.weights.part(slice(own, own + 1)), rows)[0]
            return alone
        if id(rows) not in self._outputs:
            self._outputs[id(rows)] = np.concatenate([self._evaluated(piece.weights, rows) for piece in self._pieces])
        mine: np.ndarray = self._outputs[id(rows)][s]
        return mine

    def _evaluated(self, weights: Weights, rows: TokenizedSplit) -> np.ndarray:
        """Return the outputs of some trials for rows, shape (trials, rows, outputs)."""
        first = _packed(self.members[0])
        laid = first.feed.by_length(rows)
        found = np.zeros((len(weights), len(rows), first.outputs), dtype=np.float32)
        with torch.inference_mode(), precision(self._device, self.members[0].trial.recipe.dtype):
            for k in range(len(laid)):
                numbers, done = laid.rows_of(k), 0
                for batch in laid.parts(k, max(1, len(numbers) // len(weights))):  # as many tokens as of one trial
                    stream = Stream([batch] * len(weights), slack=slack(self._device))
                    own = numbers[done : done + len(batch.slots)]
                    found[:, own] = forward(self._parts[0], weights, stream, None).float().cpu().numpy()
                    done += len(own)
        return found


class _Piece(NamedTuple):
    """Neighbours in a stack that are computed at once, with their weights and passes."""

    trials: slice
    weights: Weights
    compute: Callable[[Stream, torch.Tensor], torch.Tensor]


def _packed(training: Training) -> Packed:
    if not isinstance(training.computation, Packed):
        raise TypeError("only trials that the engine fused has begun can be stacked")
    return training.computation
