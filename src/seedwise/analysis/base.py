"""What does an analysis read of a study?"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedwise.values.choice import DesignRecord
from seedwise.values.facts import TaskFacts
from seedwise.values.imported import AnyTask, AnyTrial
from seedwise.values.recipe import Recipe
from seedwise.values.record import Event, TrialRecord
from seedwise.values.rows import Predictions, Targets
from seedwise.values.stopping import StoppingRule

__all__ = ["StudyLike"]


class StudyLike(Protocol):
    """What an analysis reads of a study."""

    @property
    def trials(self) -> Sequence[TrialRecord]:
        """Every trial, in trial order."""

    @property
    def rule(self) -> StoppingRule | None:
        """The stopping rule; None when every trial runs to the end."""

    @property
    def design(self) -> DesignRecord | None:
        """The design that its trials follow; None where they follow none."""

    @property
    def chosen(self) -> Mapping[tuple[str, str], Recipe]:
        """What the design's arms have chosen so far, by the arm's name and the task's id."""

    @property
    def tuning(self) -> "StudyLike | None":
        """The study of the design's choices, on seeds of its own; None where there is none."""

    @property
    def differences(self) -> Sequence[Event]:
        """What trials that were started again did not repeat exactly, oldest first."""

    def facts(self, trial: AnyTrial) -> TaskFacts:
        """What preparing the trial's task found."""

    def losses(self, trial_id: str) -> NDArray[np.float32]:
        """The trial's training loss at every step; empty where it is not known."""

    def tracked(self, trial_id: str) -> Mapping[str, NDArray[np.float32]]:
        """What the trial's recipe tracks at every step, by name, (steps, values a step); empty where it tracks nothing."""

    def predictions(self, trial_id: str) -> Predictions | None:
        """The trial's outputs on validation and test rows at its best evaluation; None where they are not kept."""

    def targets(self, task: AnyTask) -> Targets | None:
        """The labels of the task's validation and test rows; None where they are not kept."""
