"""How is a design run: the intermediate task first, then the choice on the tuning seeds, then the report on fresh ones?

Each stage is a study of its own in the design's folder: ``intermediate/``, ``tuning/``, and the folder itself for the
report, whose trials are those of the recipes that were chosen. Every decision follows from what the stages hold, so
a run that was killed continues when it is run again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import NamedTuple

from seedwise.errors import RequestError, WorkError
from seedwise.executors.base import Executor
from seedwise.study.progress import StudyProgress
from seedwise.study.study import Study
from seedwise.values.arm import Arm, Candidate
from seedwise.values.choice import DesignRecord, choose, objection
from seedwise.values.design import Design
from seedwise.values.recipe import Recipe
from seedwise.values.record import Cause, TrialRecord
from seedwise.values.seeds import Seeds
from seedwise.values.trial import Trial, TrialState

__all__ = ["StageStart", "run_design"]


class StageStart(NamedTuple):
    """What a progress display needs to know when a stage begins."""

    number: int  # which stage it is, from 1
    stages: int  # how many there are
    name: str  # intermediate, tuning or report
    plan: str  # what it trains: recipes, seeds and tasks
    left_out: tuple[str, ...] = ()  # which candidates are not tried, each with its reason


def run_design(
    folder: str | Path,
    design: Design | None,
    executor: Executor,
    *,
    on_stage: Callable[[StageStart], None] | None = None,
    on_progress: Callable[[StudyProgress], None] | None = None,
) -> None:
    """Run every stage of a design, or what is missing; safe to repeat.

    An arm chooses by the best validation score, averaged over its tuning seeds; test rows and
    the report's seeds play no part. Of equal candidates the first is taken.

    Args:
        folder: Where its studies are kept; created if missing. ``Study.open(folder)`` reads the report.
        design: What to run; None continues the design that the folder holds.
        executor: Where trials run.
        on_stage: Called when a stage begins.
        on_progress: Called with the running stage's progress, at least four times a second.

    Raises:
        RequestError: The rows, the models or the candidates do not fit, or the folder holds another study.
        WorkError: A run failed, or a choice cannot be made; finished work is kept.
    """
    folder = Path(folder)
    run = _Run(folder, _known(folder, design), executor, on_stage or (lambda _: None), on_progress)
    run.check()
    run.settle()
    with Study.of_trials(folder, run.reported(), design=run.record("report")) as study:
        run.train_first()
        run.tune(study)
        study.grow(run.reported(), run.record("report"))
        run.say("report", [(arm, 1, arm.seeds) for arm in run.design.arms])
        study.run(executor, on_progress)


def _known(folder: Path, design: Design | None) -> DesignRecord:
    """Return the design that was asked for, with what it has already chosen."""
    held = None
    if design is None or (folder / "study.db").exists():
        with Study.open(folder) as study:
            held = study.design
    if design is not None:
        asked = DesignRecord(design=design.starting_from(_intermediate(folder)))
        return replace(held, design=asked.design) if held is not None and held.is_of(asked) else asked
    if held is None:
        raise RequestError(f"{folder} holds no study in stages; name its design.")
    if held.stage != "report":
        raise RequestError(f"{folder} is a stage of the study in {folder.resolve().parent}; run that one.")
    return held


class _Run:
    """One run of a design: its choices so far, and its callbacks."""

    def __init__(
        self,
        folder: Path,
        known: DesignRecord,
        executor: Executor,
        on_stage: Callable[[StageStart], None],
        on_progress: Callable[[StudyProgress], None] | None,
    ) -> None:
        self.folder, self.design, self.executor = folder, known.design, executor
        self.on_stage, self.on_progress = on_stage, on_progress
        self.chosen: dict[tuple[str, str], Recipe] = dict(known.chosen)
        self._left_out: list[str] = []  # and not yet announced

    def record(self, stage: str) -> DesignRecord:
        """Return what a stage's study stores about the design."""
        return DesignRecord(design=self.design, stage=stage, chosen=dict(self.chosen))

    def check(self) -> None:
        """Refuse rows, models and searches that do not fit, before anything is written."""
        first = self.design.intermediate
        if first is not None:
            self.executor.prepare(first.task, first.recipe)
        for arm in self.design.arms:
            for candidate in self._fitting(arm, arm.candidates())[0]:
                self.executor.prepare(arm.task, self._at_hand(candidate.recipe))

    def settle(self) -> None:
        """Record the recipes of arms that have nothing to choose."""
        changed = True
        while changed:
            changed = False
            for arm in self._waiting():
                found = self.design.candidates(arm, self.chosen)
                if not arm.search and found is not None:
                    self.chosen[_key(arm)] = found[0].recipe
                    changed = True

    def reported(self) -> list[Trial]:
        """Return the report's trials, in the order of the arms; none until every choice is made."""
        if self._waiting():
            return []
        return [Trial(arm.task, self.chosen[_key(arm)], seeds) for arm in self.design.arms for seeds in arm.seeds]

    def train_first(self) -> None:
        """Train the intermediate task, where there is one."""
        first = self.design.intermediate
        if first is None:
            return
        trials = [Trial(first.task, first.recipe, seeds) for seeds in first.seeds]
        place = self.folder / "intermediate"
        with Study.of_trials(place, trials, design=self.record("intermediate")) as study:
            if (place / "best").exists() and all(r.state is TrialState.COMPLETE for r in study.trials):
                return
            plan = f"{_count(len(first.seeds), 'training')} on {first.task.name}"
            self.on_stage(StageStart(1, self._stages, "intermediate", plan))
            study.run(self.executor, self.on_progress)

    def tune(self, report: Study) -> None:
        """Choose every arm's recipe on its tuning seeds; arms that come after others have a later round."""
        while waiting := self._waiting():
            ready: list[tuple[Arm, tuple[Candidate, ...]]] = []
            for arm in waiting:
                candidates = self.design.candidates(arm, self.chosen)
                if candidates is not None:
                    fitting, reasons = self._fitting(arm, candidates)
                    ready.append((arm, fitting))
                    self._left_out += reasons
            records = self._train([(arm, fitting) for arm, fitting in ready if len(fitting) > 1])
            for arm, fitting in ready:
                self.chosen[_key(arm)] = fitting[_choice(arm, fitting, records)].recipe
            self.settle()
            report.grow(self.reported(), self.record("report"))

    def say(self, stage: str, trained: Sequence[tuple[Arm, int, Sequence[Seeds]]]) -> None:
        """Announce a stage: its recipes and seeds for each arm, and what was left out."""
        recipes = sum({arm.name: count for arm, count, _ in trained}.values())
        seeds = " or ".join(map(str, sorted({len(found) for _, _, found in trained})))
        tasks = ", ".join(dict.fromkeys(arm.task.name for arm, _, _ in trained))
        plan = f"{_count(recipes, 'recipe')} x {seeds} seeds on {tasks}"
        number = self._stages if stage == "report" else self._stages - 1
        self.on_stage(StageStart(number, self._stages, stage, plan, tuple(self._left_out)))
        self._left_out = []

    @property
    def _stages(self) -> int:
        return sum(count > 0 for count in self.design.cost.values())

    def _waiting(self) -> list[Arm]:
        return [arm for arm in self.design.arms if _key(arm) not in self.chosen]

    def _at_hand(self, recipe: Recipe) -> Recipe:
        """Return a recipe without the intermediate model that it starts from, which may not be there yet."""
        later = self.design.intermediate is not None and recipe.start_from == _intermediate(self.folder)
        return recipe.with_changes(start_from=None) if later else recipe

    def _fitting(self, arm: Arm, candidates: Sequence[Candidate]) -> tuple[tuple[Candidate, ...], tuple[str, ...]]:
        """Return the candidates that fit the arm's task and model, and the reasons why others do not."""
        if not arm.search:
            return tuple(candidates), ()
        facts = self.executor.prepare(arm.task, self._at_hand(arm.recipe))
        steps, blocks = arm.recipe.steps(facts.rows["train"]), facts.blocks
        reasons = [objection(candidate, own_steps=steps, blocks=blocks) for candidate in candidates]
        kept = tuple(candidate for candidate, reason in zip(candidates, reasons, strict=True) if reason is None)
        left_out = tuple(f"{arm.name} on {arm.task.name}: {reason}" for reason in reasons if reason)
        if not kept:
            raise RequestError(
                f"the search of arm {arm.name!r} on task {arm.task.name} must hold a candidate that fits, but {reasons[-1]}; "
                "add one to the design's file."
            )
        return kept, left_out

    def _train(self, tuned: Sequence[tuple[Arm, Sequence[Candidate]]]) -> Mapping[str, TrialRecord]:
        """Train every candidate on its arm's tuning seeds; return the stage's trials by id."""
        if not tuned:
            return {}
        trials = [Trial(arm.task, c.recipe, seeds) for arm, found in tuned for c in found for seeds in arm.tuning_seeds]
        with Study.of_trials(self.folder / "tuning", trials, design=self.record("tuning")) as study:
            self.say("tuning", [(arm, len(found), arm.tuning_seeds) for arm, found in tuned])
            study.run(self.executor, self.on_progress)
            return {record.id: record for record in study.trials}


def _choice(arm: Arm, candidates: Sequence[Candidate], records: Mapping[str, TrialRecord]) -> int:
    """Return which candidate an arm takes."""
    if len(candidates) == 1:
        return 0
    found = [[records[Trial(arm.task, c.recipe, seeds).id] for seeds in arm.tuning_seeds] for c in candidates]
    for record in (record for mine in found for record in mine):
        if record.state is TrialState.FAILED and record.cause is not Cause.DIVERGED:
            raise WorkError(
                f"arm {arm.name!r} on task {arm.task.name} cannot choose, because trial {record.id} failed "
                f"({record.error}); run again to try it anew."
            )
    scores = [[nan if record.best is None else record.best[1] for record in mine] for mine in found]
    best = choose(scores, greater_is_better=arm.task.greater_is_better)
    if best is None:
        raise WorkError(
            f"arm {arm.name!r} on task {arm.task.name} cannot choose, because no trial has a finite score; try smaller "
            "learning rates in another directory."
        )
    return best


def _intermediate(folder: Path) -> str:
    """Return the path of the intermediate task's study, as recipes name it."""
    return str((folder / "intermediate").resolve())


def _key(arm: Arm) -> tuple[str, str]:
    return arm.name, arm.task.id


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
