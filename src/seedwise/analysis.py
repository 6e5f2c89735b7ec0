"""What do a study's trials say: from trials to arrays and named results, with no torch and no store.

Figures, report and command line take everything they show from here.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from seedwise.record import TrialRecord, winner
from seedwise.stopping import StoppingRule
from seedwise.task import Task
from seedwise.trial import Trial, TrialState

__all__ = ["Analysis", "CellSummary", "StudyLike"]


class StudyLike(Protocol):
    """What an analysis reads of a study."""

    @property
    def trials(self) -> Sequence[TrialRecord]:
        """Every trial, in trial order."""
        ...

    @property
    def rule(self) -> StoppingRule | None:
        """The stopping rule; None when every trial runs to the end."""
        ...

    def facts(self, trial: Trial) -> Mapping[str, Any]:
        """What preparing the trial's task found: rows, labels, baselines, evaluation steps."""
        ...


class CellSummary(NamedTuple):
    """One task and recipe of a study, summed up.

    Args:
        task: The task.
        model: The name of the recipe's model.
        recipe_id: The recipe's id.
        started: Trials with at least one evaluation.
        stopped: Trials that were judged and do not go on.
        kept: Trials that reached the end.
        failed: Trials that failed.
        open: Trials that are not finished: waiting, running or paused.
        best: Best validation score of a complete trial, in the task's metric.
        test: Its test score in the same metric.
        median: Median best validation score of the trials that reached the end.
        baseline: What the best constant guess scores.
        cost: Device time in full trainings: steps trained over steps of one run.
        seconds: Device seconds.
        winner: The trial that best belongs to.
    """

    task: Task
    model: str
    recipe_id: str
    started: int
    stopped: int
    kept: int
    failed: int
    open: int
    best: float | None
    test: float | None
    median: float | None
    baseline: float | None
    cost: float
    seconds: float
    winner: TrialRecord | None


class Analysis:
    """Everything that can be said about a study's trials.

    Args:
        study: A study, open or not.
    """

    def __init__(self, study: StudyLike) -> None:
        self.study = study
        self.rule = study.rule
        self.trials = tuple(study.trials)

    def cells(self) -> list[tuple[TrialRecord, ...]]:
        """Return the trials of each task and recipe, in trial order."""
        groups: dict[tuple[str, str], list[TrialRecord]] = {}
        for record in self.trials:
            groups.setdefault((record.trial.task.id, record.trial.recipe.id), []).append(record)
        return [tuple(group) for group in groups.values()]

    def facts(self, trials: Sequence[TrialRecord]) -> Mapping[str, Any]:
        """Return what preparing a cell's task found: rows, labels, baselines, evaluation steps."""
        return self.study.facts(trials[0].trial)

    def summary(self) -> list[CellSummary]:
        """Return one summary for each task and recipe."""
        return [self._summary(trials) for trials in self.cells()]

    def _summary(self, trials: tuple[TrialRecord, ...]) -> CellSummary:
        task, facts = trials[0].trial.task, self.facts(trials)
        states = [record.state for record in trials]
        complete = [r for r in trials if r.state is TrialState.COMPLETE and r.best is not None]
        best = winner(trials, task)
        steps = facts.get("steps", 0)
        trained = sum(record.scores[-1][0] for record in trials if record.scores)
        return CellSummary(
            task=task,
            model=trials[0].trial.recipe.model_name,
            recipe_id=trials[0].trial.recipe.id,
            started=sum(bool(record.scores) for record in trials),
            stopped=states.count(TrialState.STOPPED),
            kept=states.count(TrialState.COMPLETE),
            failed=states.count(TrialState.FAILED),
            open=sum(s in (TrialState.WAITING, TrialState.RUNNING, TrialState.PAUSED) for s in states),
            best=best.best[1] if best and best.best else None,
            test=best.test_metrics.get(task.metric) if best and best.test_metrics else None,
            median=statistics.median(r.best[1] for r in complete if r.best) if complete else None,
            baseline=facts.get("baselines", {}).get(task.metric),
            cost=trained / steps if steps else 0.0,
            seconds=sum(record.seconds for record in trials),
            winner=best,
        )
