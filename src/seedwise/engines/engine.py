"""Which engines compute a trial's numbers, and which recipes can each of them train?

Four engines, one value each: ``plain`` is the library's own model, ``packed`` skips padding, ``compiled`` runs C kernels on
a CPU, ``fused`` trains several trials as one batched model. Naming an engine loads no torch: what computes is imported
when a trial begins.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from seedwise.values.masks import Masks
from seedwise.values.recipe import Recipe
from seedwise.values.trial import Measurement, Trial

if TYPE_CHECKING:
    import torch

    from seedwise.data.tokens import TokenizedTask
    from seedwise.training.loop import Training

__all__ = ["COMPILED", "ENGINES", "FUSED", "PACKED", "PLAIN", "Alone", "Engine", "Stepper"]


Objection = Callable[[Recipe, str], str | None]
"""Says what speaks against a recipe on a device; None where nothing does."""


class Stepper(Protocol):
    """Advances the trials that it holds by one step at a time."""

    def join(self, training: "Training") -> None:
        """Add a trial."""

    def leave(self, training: "Training") -> None:
        """Remove a trial, whose state is then what it would be if it had trained alone."""

    def step(self) -> "list[tuple[Training, Measurement]]":
        """Take one step of every trial, and return what each one yields."""


def _nothing(recipe: Recipe, device: str) -> None:
    """Return no objection."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to compute a trial's numbers."""

    name: str  # its name on the command line and in a trial's record
    masks: Masks  # which dropout masks it draws; engines with equal masks give equal curves, up to rounding
    setup: "Callable[[Trial, TokenizedTask, torch.device | str], Training]"  # sets a trial up at step 0 on a device
    stacks: bool = False  # whether its trials can share one batched model
    against_device: Objection = _nothing  # its objection to a device, for any model
    against_model: tuple[Objection, ...] = ()  # its objection to a model, on any device

    def __str__(self) -> str:
        return self.name

    def reason_against(self, recipe: Recipe, device: str) -> str | None:
        """Return why it cannot compute a recipe's trials on a device; None if it can."""
        return next(
            (
                reason
                for ask in (self.against_device, *self.against_model)
                if (reason := ask(recipe, device)) is not None
            ),
            None,
        )

    def begin(self, trial: Trial, data: "TokenizedTask", device: "torch.device | str" = "cpu") -> "Training":
        """Set a trial up at step 0."""
        return self.setup(trial, data, device)

    def stepper(self, device: str) -> Stepper:
        """Return what advances its trials on a device."""
        if not self.stacks:
            return Alone()
        from seedwise.engines.stack import Stack

        return Stack(device)


class Alone:
    """Advances one trial."""

    def __init__(self) -> None:
        self._held: tuple[Training, Iterator[Measurement]] | None = None

    def join(self, training: "Training") -> None:
        """Add the trial."""
        from seedwise.training.loop import train

        self._held = training, train(training)

    def leave(self, training: "Training") -> None:  # noqa: ARG002 - there is only one
        """Remove the trial."""
        self._held = None

    def step(self) -> "list[tuple[Training, Measurement]]":
        """Take one step."""
        if self._held is None:
            return []
        training, steps = self._held
        return [(training, next(steps))]


def _library(trial: Trial, data: "TokenizedTask", device: "torch.device | str") -> "Training":
    """Set a trial up for the library's own model."""
    from seedwise.training.loop import begin

    return begin(trial, data, device)


def _packed(name: str, *, compiled: bool = False) -> "Callable[[Trial, TokenizedTask, torch.device | str], Training]":
    """Return what sets a trial up for rows without padding."""

    def setup(trial: Trial, data: "TokenizedTask", device: "torch.device | str") -> "Training":
        from seedwise.engines.packed import begin

        return begin(name, trial, data, device, compiled=compiled)

    return setup


@lru_cache(maxsize=1024)
def _model(recipe: Recipe, device: str) -> str | None:  # noqa: ARG001 - every objection takes both
    """Return the objection to computing a recipe's model without padding."""
    from seedwise.engines.packed import objection

    return objection(recipe)


def _kernels(recipe: Recipe, device: str) -> str | None:
    """Return the C kernels' objection to a device."""
    if device != "cpu":
        return f"the C kernels compute on a CPU, and the device is {device}"
    if recipe.dtype != "float32":
        return f"the C kernels compute in float32, and dtype is {recipe.dtype}"
    from seedwise.engines import kernels

    reason = kernels.reason()
    return None if reason is None else reason.rstrip(".")


@lru_cache(maxsize=1024)
def _shape(recipe: Recipe, device: str) -> str | None:  # noqa: ARG001 - every objection takes both
    """Return the C kernels' objection to the shape of a recipe's model."""
    from transformers import AutoConfig

    from seedwise.data.pretrained import resolve_model
    from seedwise.engines.architecture import architecture
    from seedwise.engines.compiled import objection

    return objection(architecture(AutoConfig.from_pretrained(resolve_model(recipe.model))))


PLAIN = Engine("plain", Masks.LIBRARY, _library)
PACKED = Engine("packed", Masks.HASHED, _packed("packed"), against_model=(_model,))
COMPILED = Engine(
    "compiled",
    Masks.HASHED,
    _packed("compiled", compiled=True),
    against_device=_kernels,
    against_model=(_model, _shape),
)
FUSED = Engine("fused", Masks.HASHED, _packed("fused"), stacks=True, against_model=(_model,))

ENGINES = {engine.name: engine for engine in (PLAIN, PACKED, COMPILED, FUSED)}
"""All engines by name."""
