"""What must anything that runs trials be able to do?

An executor opens a session over a study's folder. The study hands the session jobs and collects its messages; the session
knows nothing of rules, ranks or stores. Where a trial runs makes no difference to its curve.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from seedwise.executors.messages import Message
from seedwise.values.facts import Environment, TaskFacts
from seedwise.values.recipe import Recipe
from seedwise.values.rows import Targets
from seedwise.values.task import Task
from seedwise.values.trial import Trial

__all__ = ["Executor", "Job", "Remaining", "Session"]


@dataclass(frozen=True, slots=True)
class Job:
    """A trial to be trained up to a step."""

    trial: Trial  # what to train
    until: int  # the step to stop after
    stored: int  # the last evaluation's step that the study has on record, 0 for none
    # what the latest trial of its task and recipe on record ran on
    environment: Environment = field(default_factory=Environment)

    def to_json(self) -> dict[str, Any]:
        """Return the job as plain JSON."""
        ran_on = self.environment.to_json()
        return {"trial": self.trial.to_json(), "until": self.until, "stored": self.stored, "environment": ran_on}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Job":
        """Build a job from what ``to_json`` returned."""
        ran_on = Environment.from_json(content["environment"])
        return cls(Trial.from_json(content["trial"]), content["until"], content["stored"], ran_on)


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left to train of one task and recipe, which an executor may look at before it starts."""

    trial: Trial  # one of its trials
    trials: int  # how many have not ended
    steps: int  # optimiser steps that are left, all trials together, if none fails
    environment: Environment = field(default_factory=Environment)  # what its latest trial on record ran on


class Session(Protocol):
    """Workers at work for one study; a context manager that leaves nothing running."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...

    @property
    def free(self) -> int:
        """How many jobs can be submitted now."""

    def submit(self, job: Job) -> None:
        """Start a job; one message after the other follows, the last being how it ended."""

    def wait(self, seconds: float) -> list[Message]:
        """Return the messages that have come, waiting at most this long for the first."""

    def stop(self) -> list[Message]:
        """Put every running trial aside in a checkpoint and return the last messages."""

    def drop(self, trial_id: str) -> None:
        """Delete whatever is kept on disk of a trial."""

    def kept(self) -> frozenset[str]:
        """Return the trials of which a checkpoint or weights are kept on disk."""

    def export(self, trial: Trial, folder: Path, files: Mapping[str, str]) -> None:
        """Write a complete trial's model at its best evaluation as a Hugging Face folder, with these files beside it."""


class Executor(Protocol):
    """Prepares tasks and opens sessions."""

    def prepare(self, task: Task, recipe: Recipe) -> TaskFacts:
        """Tokenise a task's rows and return what was found."""

    def targets(self, task: Task, recipe: Recipe) -> Targets:
        """Return the labels of a prepared task's validation and test rows."""

    def open(self, folder: Path, remaining: Sequence[Remaining]) -> Session:
        """Start the workers of a study that keeps its checkpoints in this folder and has this left to train.

        Raises:
            RequestError: What the executor was asked for cannot be done here.
        """
