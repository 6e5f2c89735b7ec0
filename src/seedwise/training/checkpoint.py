"""How is a trial saved and resumed, bit for bit?

One safetensors file holds all of it: the trained weights, both moments, the weights and logits of the best evaluation,
the steps not yet handed over, and in its metadata the trial's id and step. It replaces its predecessor in one rename, so a kill
at any instant leaves a whole checkpoint, the old one or the new one.
"""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from seedwise.data.tokens import TokenizedTask
from seedwise.errors import CheckpointError, MasksError
from seedwise.files import replacing
from seedwise.training import loop
from seedwise.training.loop import Best, Training
from seedwise.values.masks import Masks
from seedwise.values.trial import Measurement, Trial

__all__ = ["load_checkpoint", "load_weights", "save_checkpoint", "save_weights", "step_of"]


def save_checkpoint(training: Training, path: Path) -> None:
    """Write a trial's state, replacing an earlier checkpoint atomically."""
    tensors = {f"model.{name}": p.detach() for name, p in training.parameters.items()}
    tensors |= training.optimizer.moments()
    tensors |= _pending_tensors(training.pending)
    masks = training.computation.masks.value
    about: dict[str, Any] = {"trial": training.trial.id, "step": training.step, "masks": masks, "best": None}
    best = training.best
    if best is not None:
        about["best"] = {"step": best.step, "score": best.score}
        tensors["best_logits"] = torch.from_numpy(best.logits)
        if best.step != training.step:
            tensors |= {f"best.{name}": weight for name, weight in best.weights.items()}
    _write(tensors, about, path)


def load_checkpoint(
    trial: Trial,
    data: TokenizedTask,
    path: Path,
    device: torch.device | str = "cpu",
    begin: Callable[[Trial, TokenizedTask, torch.device | str], Training] = loop.begin,
) -> Training:
    """Resume a trial from its checkpoint."""
    about, tensors = _read(path)
    if about["trial"] != trial.id:
        raise CheckpointError(f"the checkpoint {path} belongs to trial {about['trial']}, not {trial.id}; remove it.")
    training = begin(trial, data, device)
    masks, computation = Masks(about.get("masks", "library")), training.computation
    if masks is not computation.masks:
        raise MasksError(
            f"the checkpoint {path} must be continued with the dropout masks it was trained with ({masks.value}), not with "
            f"those of the engine {computation.name} ({computation.masks.value}); choose an engine that has them."
        )
    training.step = about["step"]
    training.pending = _pending(tensors, training.step)
    with torch.no_grad():
        for name, parameter in training.parameters.items():
            parameter.copy_(tensors[f"model.{name}"])
    training.optimizer.restore({name: t for name, t in tensors.items() if name.startswith("exp_avg")}, training.step)
    if about["best"] is not None:
        prefix = "model" if about["best"]["step"] == training.step else "best"
        weights = {name: tensors[f"{prefix}.{name}"].to(training.device, copy=True) for name in training.parameters}
        logits = np.array(tensors["best_logits"].numpy())
        training.best = Best(about["best"]["step"], about["best"]["score"], weights, logits)
    return training


def step_of(path: Path) -> tuple[int, int]:
    """Return the step of a checkpoint and that of its last evaluation, without reading weights."""
    try:
        with safe_open(path, framework="pt") as file:
            step = int(json.loads(file.metadata()["seedwise"])["step"])
            return step, step - file.get_slice("pending").get_shape()[0]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the checkpoint {path} cannot be read ({error}); remove it.") from error


def save_weights(training: Training, path: Path) -> None:
    """Write only the weights of the best evaluation, atomically."""
    best = training.best
    if best is None:
        raise CheckpointError(
            f"trial {training.trial.id} has no finite evaluation, so it has no best weights to write."
        )
    weights = training.computation.whole(best.weights, best.step)
    _write(weights, {"trial": training.trial.id, "step": best.step, "best": {"score": best.score}}, path)


def load_weights(training: Training, path: Path) -> None:
    """Load weights that ``save_weights`` wrote into the model of a trial that has just begun."""
    about, tensors = _read(path)
    if about["trial"] != training.trial.id:
        raise CheckpointError(f"the weights {path} belong to trial {about['trial']}, not {training.trial.id}.")
    with torch.no_grad():
        for name, parameter in training.parameters.items():
            parameter.copy_(tensors[name])


def _pending_tensors(pending: list[Measurement]) -> dict[str, torch.Tensor]:
    """Return the losses of the steps since the last evaluation, and one tensor for each tracked quantity."""
    tracked = {
        f"pending.{name}": torch.tensor([(m.tracked or {})[name] for m in pending], dtype=torch.float64)
        for name in (pending[0].tracked or {} if pending else {})
    }
    return {"pending": torch.tensor([m.loss for m in pending], dtype=torch.float64), **tracked}


def _pending(tensors: dict[str, torch.Tensor], step: int) -> list[Measurement]:
    """Return the steps since the last evaluation, the last of which is ``step``."""
    losses = tensors["pending"].tolist()
    kept = {
        name.removeprefix("pending."): tensor.tolist()
        for name, tensor in tensors.items()
        if name.startswith("pending.")
    }
    return [
        Measurement(
            step - len(losses) + i + 1, loss, tracked={n: tuple(rows[i]) for n, rows in kept.items()} if kept else None
        )
        for i, loss in enumerate(losses)
    ]


def _write(tensors: dict[str, torch.Tensor], about: dict[str, Any], path: Path) -> None:
    try:
        with replacing(path) as beside:
            save_file({name: t.contiguous() for name, t in tensors.items()}, beside, {"seedwise": json.dumps(about)})
    except (OSError, SafetensorError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        reason = "the disk is full" if full else str(error)
        raise CheckpointError(f"the checkpoint {path} cannot be written: {reason}; make room and run again.") from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads(file.metadata()["seedwise"]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the checkpoint {path} cannot be read ({error}); remove it.") from error
