"""What does a running study know of its trials, and what follows from it?

A `RunningCell` holds the trials of one task and recipe while they run, in trial order. It translates the store's records and
the executor's reports into what the pure schedule understands, and nothing else.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from seedwise.executors.base import Remaining
from seedwise.study.schedule import Decision, Goal, Progress, Schedule, Standing
from seedwise.values.facts import Environment
from seedwise.values.record import Cause, TrialRecord, own_trial
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import Measurement, Trial, TrialState, best_evaluation

__all__ = ["LiveTrial", "RunningCell", "StudyProgress", "study_progress"]


@dataclass(slots=True)
class LiveTrial:
    """One trial in a running study."""

    trial: Trial  # the trial
    id: str  # its id
    state: TrialState  # where it stands
    # step and score of every evaluation so far, in the task's metric
    scores: list[tuple[int, float]] = field(default_factory=list)
    judged: bool = False  # whether its outcome at fraction f, or at the end, is on record
    diverged: bool = False  # whether its training loss is no longer finite: it would fail again
    fingerprint: Mapping[str, str] = field(default_factory=dict)  # what each seed drew, once it ran

    @classmethod
    def of(cls, record: TrialRecord, fraction_step: int) -> "LiveTrial":
        """Load a trial from the store; one that was running when the study was killed waits again."""
        scores = list(record.scores)
        reached = bool(scores) and scores[-1][0] >= fraction_step
        hopeless = best_evaluation(scores) is None  # no finite score, so no best evaluation can be stored
        judged = reached and (record.best_step is not None or hopeless)
        state = record.state
        if state is TrialState.RUNNING:
            state = TrialState.PAUSED if judged else TrialState.WAITING
        diverged = state is TrialState.FAILED and record.cause is Cause.DIVERGED
        return cls(own_trial(record), record.id, state, scores, judged, diverged, record.fingerprint)

    def add(self, measurements: Iterable[Measurement]) -> None:
        """Add the scores of new measurements; replayed ones are already known."""
        last = self.scores[-1][0] if self.scores else 0
        metric = self.trial.task.metric
        self.scores += [(m.step, m.metrics[metric]) for m in measurements if m.metrics is not None and m.step > last]

    @property
    def best(self) -> tuple[int, float] | None:
        """Step and score of the best evaluation so far."""
        return best_evaluation(self.scores, greater_is_better=self.trial.task.greater_is_better)

    def oriented_best(self, until: int) -> float:
        """Return the best score up to a step, larger is better; nan without a finite one."""
        greater = self.trial.task.greater_is_better
        best = best_evaluation(((s, v) for s, v in self.scores if s <= until), greater_is_better=greater)
        return math.nan if best is None else best[1] if greater else -best[1]


class RunningCell:
    """The trials of one task and recipe, and the rule that decides among them."""

    def __init__(self, records: list[TrialRecord], schedule: Schedule, evaluation_steps: tuple[int, ...]) -> None:
        self.schedule, self.evaluation_steps = schedule, evaluation_steps
        self.trials = [LiveTrial.of(record, schedule.fraction_step) for record in records]
        ran = [record.environment for record in records if record.attempts and record.environment.is_known]
        self.environment = ran[-1] if ran else Environment()  # what its latest trial on record ran on

    def is_of(self, record: TrialRecord) -> bool:
        """Whether a trial is one of this task and recipe."""
        own = self.trials[0].trial
        return (record.trial.task, record.trial.recipe) == (own.task, own.recipe)

    def take_in(self, record: TrialRecord) -> LiveTrial:
        """Add a trial that joined the study as it ran; only where every trial runs to its end."""
        self.schedule = replace(self.schedule, rule=StoppingRule.full(len(self.trials) + 1))
        self.trials.append(LiveTrial.of(record, self.schedule.fraction_step))
        return self.trials[-1]

    def decide(self) -> Decision:
        """Ask the schedule what runs next and what is dropped."""
        return self.schedule.decide([self._progress(trial) for trial in self.trials])

    def until(self, goal: Goal) -> int:
        """Return the step of a goal."""
        return self.schedule.steps if goal is Goal.END else self.schedule.fraction_step

    def remaining(self) -> Remaining:
        """Return what is left to train, for the executor."""
        ended = (TrialState.STOPPED, TrialState.COMPLETE, TrialState.FAILED)
        left = self.evaluations_left() * self.schedule.steps // len(self.evaluation_steps)
        return Remaining(
            self.trials[0].trial, sum(live.state not in ended for live in self.trials), left, self.environment
        )

    def evaluations_left(self) -> int:
        """Return how many evaluations are still to come if no trial fails."""
        early = sum(step <= self.schedule.fraction_step for step in self.evaluation_steps)
        full, left, going_on = len(self.evaluation_steps), 0, 0
        for trial in self.trials:
            ended = trial.state in (TrialState.STOPPED, TrialState.COMPLETE, TrialState.FAILED)
            left += 0 if ended else max(0, early - len(trial.scores))
            ended_late = trial.state in (TrialState.COMPLETE, TrialState.FAILED) and len(trial.scores) >= early
            going_on += ended_late and not trial.diverged
        running_on = [t for t in self.trials if t.state is TrialState.RUNNING and len(t.scores) > early]
        left += sum(full - len(trial.scores) for trial in running_on)
        places = min(self.schedule.rule.p, len(self.trials)) - going_on - len(running_on)
        return left + max(0, places) * (full - early)

    def _progress(self, trial: LiveTrial) -> Progress:
        ended = trial.state in (TrialState.COMPLETE, TrialState.FAILED)
        running = trial.state is TrialState.RUNNING
        if not trial.judged or trial.diverged:  # a trial that diverges gives its place to the next
            return Progress(Standing.DONE if ended else Standing.BEFORE, None, running)
        early = trial.oriented_best(self.schedule.fraction_step)
        return Progress(Standing.DONE if ended else Standing.JUDGED, early, running)


class StudyProgress(NamedTuple):
    """What a progress display needs to know."""

    states: Mapping[TrialState, int]
    evaluations_done: int
    evaluations_left: int
    best: Mapping[str, tuple[str, float]]  # task name -> (metric, best score so far)


def study_progress(cells: Iterable[RunningCell]) -> StudyProgress:
    """Sum up the cells of a study."""
    states = dict.fromkeys(TrialState, 0)
    best: dict[str, tuple[str, float]] = {}
    done = left = 0
    for cell in cells:
        left += cell.evaluations_left()
        for live in cell.trials:
            states[live.state] += 1
            done += len(live.scores)
            task, found = live.trial.task, live.best
            if found is None:
                continue
            if task.name not in best or task.is_better(found[1], than=best[task.name][1]):
                best[task.name] = (task.metric, found[1])
    return StudyProgress(states, done, left, best)
