"""Where does a worker train what it holds? One trial alone, or several in a stack, a step at a time."""

from collections.abc import Iterator
from typing import Protocol

import torch

from seedwise.data.tokens import TokenizedTask
from seedwise.training import loop
from seedwise.training.loop import Training, train
from seedwise.values.trial import Measurement, Trial

__all__ = ["Alone", "Lane", "begin", "lane"]


class Lane(Protocol):
    """Advances trials by one step at a time."""

    def join(self, training: Training) -> None:
        """Take a trial in."""

    def leave(self, training: Training) -> None:
        """Let a trial go; its own state is then as it would be if it had trained alone."""

    def step(self) -> list[tuple[Training, Measurement]]:
        """Take one step of every trial, and return what each one yields."""
        ...


class Alone:
    """A lane for one trial."""

    def __init__(self) -> None:
        self._held: tuple[Training, Iterator[Measurement]] | None = None

    def join(self, training: Training) -> None:
        """Take the trial in."""
        self._held = training, train(training)

    def leave(self, training: Training) -> None:  # noqa: ARG002 - there is but one
        """Let the trial go."""
        self._held = None

    def step(self) -> list[tuple[Training, Measurement]]:
        """Take one step."""
        if self._held is None:
            return []
        training, steps = self._held
        return [(training, next(steps))]


def lane(path: str, device: str) -> Lane:
    """Return a lane for trials of one path."""
    if path != "fused":
        return Alone()
    from seedwise.engines.stack import Stack

    return Stack(device)


def begin(trial: Trial, data: TokenizedTask, device: torch.device | str, path: str) -> Training:
    """Set a trial up at step 0 on its path."""
    if path == "plain":
        return loop.begin(trial, data, device)
    from seedwise.engines.begin import begin as begin_fast

    return begin_fast(trial, data, device, path=path)
