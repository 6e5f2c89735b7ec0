"""What must anything that runs trials be able to do?

An executor opens a session over a study's folder. The study hands the session jobs and drains its reports; the session
knows nothing of rules, ranks or stores. Which trial ran where makes no difference to its curve.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from seedwise.values.recipe import Recipe
from seedwise.values.task import Task
from seedwise.values.trial import Measurement, Trial

__all__ = [
    "DIVERGED",
    "Completed",
    "Executor",
    "Failed",
    "Interrupted",
    "Job",
    "Measured",
    "Outcome",
    "Paused",
    "Report",
    "Session",
    "Started",
    "Work",
    "masks_of",
]


DIVERGED = "diverged"
"""How the error of a trial begins whose training loss is no longer finite; run again, it would diverge again."""


@dataclass(frozen=True, slots=True)
class Job:
    """A trial to be trained up to a step.

    Args:
        trial: What to train.
        until: The step to stop after.
        stored: The last evaluation's step that the study has on record, 0 for none; a checkpoint that is further
            ahead would leave a gap in the curve and is not used.
        masks: Which dropout masks the trials of its task and recipe on record were trained with, as ``masks_of`` names
            them; None where there are none yet, and the executor may choose.
    """

    trial: Trial
    until: int
    stored: int
    masks: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What is left to train of one task and recipe, which an executor may look at before it starts.

    Args:
        trial: One of its trials.
        trials: How many have not ended.
        steps: Optimiser steps that are left, all trials together, if none fails.
        origin: What its latest trial on record ran on, as in `Started`; empty where none did.
    """

    trial: Trial
    trials: int
    steps: int
    origin: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Started:
    """A worker took a trial up: what its seeds drew, and what it runs on."""

    trial_id: str
    fingerprint: Mapping[str, str]
    origin: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements since the last report, up to and with an evaluation."""

    trial_id: str
    measurements: tuple[Measurement, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trial at its best evaluation.

    Args:
        step: The best evaluation's step.
        test_metrics: Metrics on the test rows there; None without test rows.
        validation: Logits of the validation rows, one list a row.
        test: Logits of the test rows; None without test rows.
    """

    step: int
    test_metrics: Mapping[str, float] | None
    validation: Sequence[Sequence[float]]
    test: Sequence[Sequence[float]] | None


@dataclass(frozen=True, slots=True)
class Paused:
    """A trial reached its job's step and waits there in a checkpoint."""

    trial_id: str
    outcome: Outcome | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Completed:
    """A trial reached the end of its run; the weights of its best evaluation are kept until they are dropped."""

    trial_id: str
    outcome: Outcome | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A trial was put aside because the session was asked to stop."""

    trial_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A trial cannot go on.

    Args:
        trial_id: The trial.
        error: Why, in one sentence.
        fatal: Whether every other trial would fail likewise (a full disk), so that the study had better stop.
        outcome: The trial at its best evaluation, where it came that far.
    """

    trial_id: str
    error: str
    fatal: bool = False
    outcome: Outcome | None = None


Report = Started | Measured | Paused | Completed | Interrupted | Failed


class Session(Protocol):
    """Workers at work for one study; a context manager that leaves nothing running."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...

    @property
    def free(self) -> int:
        """How many jobs can be submitted now."""
        ...

    def submit(self, job: Job) -> None:
        """Start a job; one report after the other follows, the last being how it ended."""
        ...

    def wait(self, seconds: float) -> list[Report]:
        """Return the reports that have come, waiting at most this long for the first."""
        ...

    def stop(self) -> list[Report]:
        """Put every running trial aside in a checkpoint and return the last reports."""
        ...

    def drop(self, trial_id: str) -> None:
        """Delete whatever is kept on disk of a trial."""
        ...

    def kept(self) -> frozenset[str]:
        """Return the trials of which a checkpoint or weights are kept on disk."""
        ...

    def export(self, trial: Trial, folder: Path, files: Mapping[str, str]) -> None:
        """Write a complete trial's model at its best evaluation as a Hugging Face folder, with these files beside it."""
        ...


class Executor(Protocol):
    """Prepares tasks and opens sessions."""

    def prepare(self, task: Task, recipe: Recipe) -> dict[str, Any]:
        """Tokenise a task's rows and return what is known of them: counts, labels, baselines, digest."""
        ...

    def open(self, folder: Path, work: Sequence[Work]) -> Session:
        """Start the workers of a study that keeps its checkpoints in this folder and has this left to train.

        Raises:
            RequestError: What the executor was asked for cannot be done here.
        """
        ...


def masks_of(origin: Mapping[str, Any]) -> str | None:
    """Return which dropout masks a trial was trained with: library, hashed, or None of one that never ran.

    The library's own model draws masks of its own; all faster paths share masks that are hashes of their place, so that
    their curves agree. A study keeps to the masks that it began with.
    """
    if not origin:
        return None
    return "library" if origin.get("path", "plain") == "plain" else "hashed"
