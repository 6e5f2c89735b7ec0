"""What is known about a trial that was run, and which trial won?

The store returns records, the analysis reads them, and a program can make them from its own runs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import NamedTuple, Protocol, TypeVar

from seedwise.errors import RequestError
from seedwise.values.facts import Environment
from seedwise.values.imported import AnyTask, AnyTrial, ImportedTrial
from seedwise.values.trial import Measurement, Trial, TrialState, best_evaluation

__all__ = [
    "DIFFERENCES",
    "FINGERPRINT_DIFFERS",
    "REPLAY_DIFFERS",
    "Cause",
    "Event",
    "TrialRecord",
    "by_cell",
    "own_trial",
    "winner",
]


class Cause(StrEnum):
    """Why a trial failed, which decides what happens to it next."""

    DIVERGED = "diverged"
    """Its training loss is no longer finite. It would diverge again, so its place goes to the next trial."""

    CRASHED = "crashed"
    """Anything else. It is tried again when the study is run again."""

    STORAGE = "storage"
    """The disk is full or cannot be written. The study stops, and the trial goes on when it is run again."""

    @classmethod
    def of(cls, error: str) -> "Cause":
        """Return the cause of a failed trial on record, of which the store keeps the error alone.

        Example:
            >>> Cause.of("diverged: the training loss became nan at step 7")
            <Cause.DIVERGED: 'diverged'>
        """
        return cls.DIVERGED if error.startswith(cls.DIVERGED) else cls.CRASHED


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """What the store knows about one trial.

    Args:
        trial: Task, recipe and seeds; an `ImportedTrial` where the run was imported.
        id: The trial's id.
        position: Its place in the study, from 0, in the order in which trials were added.
        state: Where it stands.
        evaluations: The measurements with metrics, ascending by step.
        fingerprint: Stream -> hash of what the stream drew; empty before the trial ran.
        environment: What the latest attempt ran on.
        seconds: Device seconds spent, replays included.
        attempts: How often it was started.
        error: Why it failed, if it did.
        best_step: The step of the evaluation whose test metrics and predictions are kept.
        test_metrics: Test metrics at best_step, if the task has test rows.
    """

    trial: AnyTrial
    id: str
    position: int
    state: TrialState
    evaluations: tuple[Measurement, ...]
    fingerprint: Mapping[str, str]
    environment: Environment
    seconds: float
    attempts: int
    error: str | None
    best_step: int | None
    test_metrics: Mapping[str, float] | None

    def __repr__(self) -> str:
        score = "" if self.best is None else f", {self.trial.task.metric} {self.best[1]:.3f} at step {self.best[0]}"
        seeds, name = self.trial.seeds, f"{self.trial.task.name}, {self.trial.recipe.model_name}"
        drawn = f"init {seeds.init}, order {seeds.order}, dropout {seeds.dropout}"
        return f"<TrialRecord {self.id[:8]}: {name}, {drawn}: {self.state}{score}>"

    def _repr_html_(self) -> str:
        return f"<code>{escape(repr(self))}</code>"

    @property
    def cause(self) -> Cause | None:
        """Why it failed, if it did."""
        return None if self.error is None else Cause.of(self.error)

    @property
    def last_step(self) -> int:
        """The step up to which the trial is stored: that of its last evaluation, 0 before the first."""
        return self.evaluations[-1].step if self.evaluations else 0

    @property
    def scores(self) -> tuple[tuple[int, float], ...]:
        """Step and score, by the task's metric, of every evaluation; nan where an evaluation lacks the metric."""
        metric = self.trial.task.metric
        return tuple((e.step, (e.metrics or {}).get(metric, float("nan"))) for e in self.evaluations)

    @property
    def best(self) -> tuple[int, float] | None:
        """Step and score of the best evaluation so far; None before there is a finite score."""
        return best_evaluation(self.scores, greater_is_better=self.trial.task.greater_is_better)


FINGERPRINT_DIFFERS = "fingerprint differs"
REPLAY_DIFFERS = "replay differs"
DIFFERENCES = (FINGERPRINT_DIFFERS, REPLAY_DIFFERS)
"""The kinds of events that tell of a trial whose repetition gave something else: a promise that was not kept."""


class Event(NamedTuple):
    """One entry of the study's diary."""

    time: str  # when, UTC, as ISO 8601
    trial_id: str | None  # which trial it is about; None for the study as a whole
    # added, removed, start, state, rule, design, schema, fingerprint differs, replay differs, or a caller's own word
    kind: str
    detail: str  # what happened, in a sentence or as JSON


def by_cell(records: Iterable[TrialRecord]) -> list[tuple[TrialRecord, ...]]:
    """Return the trials of each task and recipe, in the order in which they were added."""
    groups: dict[tuple[str, str], list[TrialRecord]] = {}
    for record in records:
        groups.setdefault((record.trial.task.id, record.trial.recipe.id), []).append(record)
    return [tuple(group) for group in groups.values()]


class _Scored(Protocol):
    """Anything with a trial, a state and a best evaluation."""

    @property
    def trial(self) -> AnyTrial: ...
    @property
    def state(self) -> TrialState: ...
    @property
    def best(self) -> tuple[int, float] | None: ...


_S = TypeVar("_S", bound=_Scored)


def winner(trials: Iterable[_S], task: AnyTask) -> _S | None:
    """Return a task's complete trial with the best evaluation, of equals the first; None if none is complete."""
    found, top = None, None
    for trial in trials:
        if trial.state is TrialState.COMPLETE and trial.trial.task == task and trial.best is not None:
            score = trial.best[1]
            if top is None or task.is_better(score, than=top):
                found, top = trial, score
    return found


def own_trial(record: TrialRecord) -> Trial:
    """Return a record's trial if it can be run; refuse an imported one, whose scores alone are known."""
    if isinstance(record.trial, ImportedTrial):
        raise RequestError(
            f"trial {record.id} was imported and cannot be run; choose another directory for trainings of your own."
        )
    return record.trial
