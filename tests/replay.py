"""An executor that replays a table of scores: studies without models, in milliseconds."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from seedwise.executors.base import Job, Remaining
from seedwise.executors.messages import (
    Completed,
    Failed,
    Interrupted,
    Measured,
    Message,
    Outcome,
    Paused,
    Started,
)
from seedwise.values.facts import Environment, TaskFacts
from seedwise.values.recipe import Recipe
from seedwise.values.record import Cause
from seedwise.values.rows import Targets
from seedwise.values.task import Task
from seedwise.values.trial import Measurement, Trial


class ReplayExecutor:
    """Runs trials by looking their validation scores up: scores[init seed - 1][evaluation].

    Args:
        scores: One row for each init seed, one column for each evaluation; a nan is a score that is not finite.
        workers: Jobs at once.
        crash_after: Stop the whole study, as a kill would, after this many evaluations.
        fail: Init seeds of trials that fail at their first evaluation.
        diverge: Init seeds of trials that diverge, each with the last evaluation that it reaches.
    """

    def __init__(self, scores, *, workers=1, crash_after=math.inf, fail=(), diverge=None):
        self.diverge = diverge or {}
        self.scores, self.workers, self.crash_after, self.fail = scores, workers, crash_after, set(fail)
        self.started: list[int] = []
        self.exported: list[Path] = []
        self.most_kept = self.evaluations = 0

    def scores_of(self, trial: Trial):
        """The scores of a trial's evaluations."""
        return self.scores[trial.seeds.init - 1]

    def prepare(self, task: Task, recipe: Recipe):
        rows = {"train": recipe.batch_size * len(self.scores[0]), "validation": 10}
        return TaskFacts(digest="replay", rows=rows, baselines={"accuracy": 0.5})

    def targets(self, task: Task, recipe: Recipe):
        return Targets(np.ones(10, np.float32))

    def open(self, folder: Path, remaining: Sequence[Remaining]) -> "ReplaySession":
        return ReplaySession(self)


class ReplaySession:
    """See `seedwise.executors.base.Session`."""

    def __init__(self, executor: ReplayExecutor) -> None:
        self._executor = executor
        self._jobs: list[Job] = []
        self._kept: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None: ...

    @property
    def free(self) -> int:
        return self._executor.workers - len(self._jobs)

    def submit(self, job: Job) -> None:
        assert self.free
        self._executor.started.append(job.trial.seeds.init)
        self._jobs.append(job)

    def wait(self, seconds: float) -> list[Message]:
        job = self._jobs.pop()  # the last one first: messages need not come in the order of trials
        trial_id, seeds = job.trial.id, job.trial.seeds
        messages: list[Message] = [
            Started(trial_id, {"init": f"i{seeds.init}", "order": f"o{seeds.order}"}, Environment())
        ]
        if seeds.init in self._executor.fail:
            return [*messages, Failed(trial_id, "it would not")]
        last = self._executor.diverge.get(seeds.init, math.inf)
        whole = self._executor.scores_of(job.trial)
        scores = whole[: min(job.until, last)]
        for step, score in enumerate(scores, start=1):
            self._executor.evaluations += 1
            if self._executor.evaluations > self._executor.crash_after:
                raise RuntimeError("killed")
            messages.append(Measured(trial_id, (Measurement(step, 1 / step, {"accuracy": score}),), 1.0))
        self._kept.add(trial_id)
        self._executor.most_kept = max(self._executor.most_kept, len(self._kept))
        finite = [s for s in scores if math.isfinite(s)]
        outcome = Outcome(scores.index(max(finite)) + 1, None, [[0.0, 1.0]] * 10, None) if finite else None
        if last <= job.until:
            return [*messages, Failed(trial_id, f"{Cause.DIVERGED}: the loss became nan", Cause.DIVERGED, outcome)]
        end = Completed if job.until == len(whole) else Paused
        return [*messages, end(trial_id, outcome, 0.5)]

    def stop(self) -> list[Message]:
        found: list[Message] = [Interrupted(job.trial.id) for job in self._jobs]
        self._jobs = []
        return found

    def drop(self, trial_id: str) -> None:
        self._kept.discard(trial_id)

    def kept(self) -> frozenset[str]:
        return frozenset(self._kept)

    def export(self, trial: Trial, folder: Path, files: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        self._executor.exported.append(folder)


class Scripted(ReplayExecutor):
    """Runs trials by a function that returns the best validation score of a trial, at its last step; 32 training rows."""

    disk: ClassVar[dict[Path, set[str]]] = {}  # whose weights are kept in which folder, also after a kill

    def __init__(self, score, **how):
        super().__init__([[0.0]], **how)
        self.score = score
        self.trained: list[Trial] = []

    def scores_of(self, trial):
        score = self.score(trial)
        return [min(score, 0.0)] * (trial.recipe.num_train_steps - 1) + [score]  # of nan, nan

    def prepare(self, task, recipe):
        return TaskFacts("d", rows={"train": 32, "validation": 10}, baselines={"accuracy": 0.5}, blocks=3)

    def open(self, folder, work):
        session, trained = super().open(folder, work), self.trained
        session._kept = self.disk.setdefault(folder, set())
        submit = session.submit

        def noted(job):
            trained.append(job.trial)
            submit(job)

        session.submit = noted
        return session
