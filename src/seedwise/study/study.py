"""What was asked for, and what is known so far? A study is a folder that can be run again and extended.

The folder holds ``study.db`` (every trial, loss and score), ``checkpoints/`` (paused trials) and ``best/`` (the winner
as a plain Hugging Face model). How a study is run to its end is in `seedwise.study.run`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from seedwise.errors import RequestError
from seedwise.executors.base import Executor
from seedwise.importing.runs import ImportedRuns, merged_facts
from seedwise.store.curves import Losses, Tracked
from seedwise.store.database import is_being_written
from seedwise.store.export import export, trials_dataframe
from seedwise.store.store import Store
from seedwise.study.folder import check_free, check_own, check_same_design, check_same_study, has_begun, most_seeds
from seedwise.study.gate import without_gates
from seedwise.study.progress import StudyProgress
from seedwise.study.run import run_study
from seedwise.study.shown import study_html, study_text
from seedwise.study.winners import choose_winner
from seedwise.values.choice import DesignRecord
from seedwise.values.facts import TaskFacts
from seedwise.values.imported import AnyTask, AnyTrial
from seedwise.values.recipe import Recipe
from seedwise.values.record import DIFFERENCES, Event, TrialRecord, own_trial, winner
from seedwise.values.rows import Predictions, Targets
from seedwise.values.seeds import Seeds
from seedwise.values.stopping import StoppingRule
from seedwise.values.task import Task
from seedwise.values.trial import Trial

if TYPE_CHECKING:
    import polars as pl

    from seedwise.study.model import BestModel

__all__ = ["Study"]


class Study:
    """Tasks x recipes x seeds under a stopping rule, in a folder.

    Start or continue one with `Study.create`, read one with `Study.open`; both are context managers.

    Args:
        folder: The study's folder.
        store: Its open store.
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder, store
        self._tuning: Study | None = None  # where it was asked for
        self._before: tuple[frozenset[str], StoppingRule | None] | None = None  # trials and rule, where some were added

    @classmethod
    def create(
        cls,
        folder: str | Path,
        *,
        tasks: Sequence[Task],
        recipes: Sequence[Recipe],
        seeds: Sequence[Seeds],
        rule: StoppingRule | None = None,
        extend: bool = False,
    ) -> "Study":
        """Start a study in a folder, or continue the one that is there.

        Args:
            folder: The study's folder; made if it is missing.
            tasks: What is learnt; at least one.
            recipes: How; at least one.
            seeds: The seeds; every task and recipe is run with all of them.
            rule: Which trials go on to the end, decided for each task and recipe; t must be the number of seeds. All
                trials run to the end by default.
            extend: Allow tasks, recipes or seeds that the folder's study does not hold yet, and a larger p.

        Raises:
            RequestError: Something is empty, the rule's t is not the number of seeds, the folder holds another study
                or is open in another process.
        """
        if not tasks or not recipes or not seeds:
            raise RequestError("a study needs at least one task, one recipe and one seed; name what is missing.")
        if rule is not None and rule.t != len(seeds):
            raise RequestError(
                f"the rule's t must be the number of seeds, not t = {rule.t} with {len(seeds)} seeds; "
                "Seeds.paired(rule.t) gives as many."
            )
        trials = [Trial(task, recipe, s) for task in tasks for recipe in recipes for s in seeds]
        return cls.of_trials(folder, trials, rule=rule, extend=extend)

    @classmethod
    def of_trials(
        cls,
        folder: str | Path,
        trials: Sequence[Trial],
        *,
        rule: StoppingRule | None = None,
        extend: bool = False,
        design: DesignRecord | None = None,
    ) -> "Study":
        """Start a study of any trials in a folder, or continue the one that is there.

        Args:
            folder: The study's folder; made if it is missing.
            trials: What is to be trained.
            rule: Which trials go on to the end, decided for each task and recipe; all by default.
            extend: Allow trials that the folder's study does not hold yet, and a larger p.
            design: The design that the trials follow, with what was chosen so far; such a study has no stopping rule,
                grows as choices are made, and accepts no other trials. `seedwise.run_design` runs a whole design.

        Raises:
            RequestError: The folder holds another study or is open in another process.
        """
        folder = Path(folder)
        check_free(folder)
        store = Store.create_or_open(folder / "study.db", write=True)
        try:
            study = cls(folder, store)
            if not any(record.attempts for record in study.trials):  # a plan that never ran can be replaced
                store.remove_trials([record.id for record in study.trials])
            check_same_design(folder, study.design, design, begun=has_begun(folder, study.trials))
            if design is None:
                study._add(trials, rule, extend=extend)
            else:
                study.grow(trials, design)
        except BaseException:
            store.close()
            raise
        return study

    @classmethod
    def import_runs(cls, folder: str | Path, runs: ImportedRuns) -> "Study":
        """Store imported runs as a study, which can do everything but train.

        Args:
            folder: The study's folder; made if it is missing. One that holds imported runs is added to.
            runs: What `seedwise.read_runs` returned.

        Raises:
            RequestError: A run is there already, or the folder holds trainings of its own; nothing has been written.
        """
        folder = Path(folder)
        check_free(folder)
        store = Store.create_or_open(folder / "study.db", write=True)
        try:
            known = {cell: store.facts(*cell) for cell in runs.facts}
            store.add_runs(runs.records, {c: merged_facts(known[c], new) for c, new in runs.facts.items()})
        except BaseException:
            store.close()
            raise
        return cls(folder, store)

    @classmethod
    def resume(cls, folder: str | Path) -> "Study":
        """Open the study that a folder holds, to run what is missing.

        Raises:
            RequestError: The folder holds no study, or imported runs, or it is open in another process.
        """
        folder = Path(folder)
        if not (folder / "study.db").exists():
            raise RequestError(f"{folder} holds no study; say what to run: a task, a model and how many trials.")
        study = cls(folder, Store.create_or_open(folder / "study.db", write=True))
        try:
            check_own(folder, study.trials)
            if study.design is not None:
                raise RequestError(f"{folder} holds a study in stages; continue it with seedwise.run_design.")
        except BaseException:
            study.close()
            raise
        return study

    @classmethod
    def open(cls, folder: str | Path) -> "Study":
        """Open a study for reading, also while it runs.

        Raises:
            RequestError: The folder holds no study, or one of a newer schema.
        """
        folder = Path(folder)
        if folder.is_file():
            raise RequestError(f"{folder} must be a study's directory, not a file; name the directory.")
        return cls(folder, Store.create_or_open(folder / "study.db", write=False))

    def __repr__(self) -> str:
        return study_text(self)

    def _repr_html_(self) -> str:
        return study_html(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store and let other processes write."""
        if self._tuning is not None:
            self._tuning.close()
        self.store.close()

    def grow(self, trials: Sequence[Trial], design: DesignRecord) -> None:
        """Add the trials that the study's design now asks for, and store what it has chosen."""
        self.store.set_design(design.to_json())
        self._add(trials, None, extend=True)

    def run(
        self, executor: Executor, on_progress: Callable[[StudyProgress], None] | None = None, *, progress: bool = True
    ) -> None:
        """Run what is missing, then write the winner of each task to ``best/``; safe to repeat.

        A study that only tunes a design's recipes has no winner.

        Args:
            executor: Where trials run.
            on_progress: Called with the study's progress, at least four times a second, in place of the bar.
            progress: Show a progress bar in a terminal or a notebook.

        Raises:
            RequestError: The rows, the model or the rule's fraction do not fit; nothing has run.
            WorkError: A run failed, or no trial could be completed; finished work is kept.
        """
        from seedwise.study.bar import StudyBar

        check_own(self.folder, self.trials)
        tuning = self.design is not None and self.design.stage == "tuning"
        try:
            with ExitStack() as shown:
                if progress and on_progress is None:
                    on_progress = shown.enter_context(StudyBar()).update
                run_study(self.folder, self.store, executor, on_progress, keep_winners=not tuning)
        except RequestError:
            self._take_back()
            raise

    def _add(self, trials: Sequence[Trial], rule: StoppingRule | None, *, extend: bool) -> None:
        """Add what was asked to the store, and remember what was there before."""
        records, kept = self.store.records(), self.store.rule()
        check_own(self.folder, records)
        check_same_study(self.folder, without_gates(self.store, records, trials), kept, trials, rule, extend=extend)
        if rule is not None:
            rule = replace(rule, t=most_seeds([*map(own_trial, records), *trials]))
        self._before = frozenset(record.id for record in records), kept
        self.store.add_trials(trials)
        self.store.set_rule(rule)

    def _take_back(self) -> None:
        """Remove what was added but could not be run, so that the study can continue without it."""
        if self._before is not None:
            held, rule = self._before
            self.store.remove_trials([record.id for record in self.store.records() if record.id not in held])
            self.store.set_rule(rule)

    @property
    def is_running(self) -> bool:
        """Whether a process is running the study now; after a kill its trials still say "running"."""
        return is_being_written(self.folder / "study.db")

    @property
    def is_imported(self) -> bool:
        """Whether its trials are imported runs, which cannot be trained."""
        return any(record.trial.is_imported for record in self.trials)

    @property
    def rule(self) -> StoppingRule | None:
        """The stopping rule; None when every trial runs to the end."""
        return self.store.rule()

    @property
    def design(self) -> DesignRecord | None:
        """The design that its trials follow, its stage, and what was chosen; None without a design."""
        content = self.store.design()
        return None if content is None else DesignRecord.from_json(content)

    @property
    def chosen(self) -> Mapping[tuple[str, str], Recipe]:
        """The recipes that the design's arms chose, by arm and task; for a tuning stage, those kept in its report."""
        design, place = self.design, self.folder.resolve().parent
        if design is None:
            return {}
        if design.stage == "tuning" and (place / "study.db").exists():
            with Study.open(place) as report:
                if report.design is not None and report.design.is_of(replace(design, stage="report")):
                    return report.design.chosen
        return design.chosen

    @property
    def tuning(self) -> "Study | None":
        """The tuning stage of its design, open for reading as long as this study is; None if there is none."""
        design, place = self.design, self.folder / "tuning"
        if self._tuning is None and design is not None and design.stage == "report" and (place / "study.db").exists():
            self._tuning = Study.open(place)
        return self._tuning

    @property
    def trials(self) -> tuple[TrialRecord, ...]:
        """Every trial with its state and evaluations, in trial order."""
        return self.store.records()

    @property
    def tasks(self) -> tuple[AnyTask, ...]:
        """The tasks, in the order they were added."""
        return tuple({record.trial.task.id: record.trial.task for record in self.trials}.values())

    def facts(self, trial: AnyTrial) -> TaskFacts:
        """Return what preparing a trial's task found; empty before that."""
        return self.store.facts(trial.task.id, trial.recipe.id) or TaskFacts()

    def losses(self, trial_id: str) -> Losses:
        """Return a trial's training loss at every step, from step 1; empty where it is not known."""
        return self.store.losses(trial_id)

    def tracked(self, trial_id: str) -> Tracked:
        """Return what a trial's recipe tracks, by name, each of shape (steps, values per step); empty if it tracks nothing.

        Names are distance (one value a block, from the bottom up), gradient_norm and bias_ratio; an unknown step is nan.
        """
        return self.store.tracked(trial_id)

    def predictions(self, trial_id: str) -> Predictions | None:
        """Return a trial's outputs before softmax at its best evaluation, on validation and test rows; None if not kept."""
        return self.store.predictions(trial_id)

    def targets(self, task: AnyTask) -> Targets | None:
        """Return the labels of a task's validation and test rows (numbers of classes, or values); None if not kept."""
        return self.store.targets(task.id)

    @property
    def differences(self) -> tuple[Event, ...]:
        """What restarted trials (after a kill or a failure) did not repeat exactly; normally empty."""
        return self.store.events(*DIFFERENCES)

    def best_trial(self, task: AnyTask | None = None) -> TrialRecord:
        """Return the complete trial with the best evaluation; the first if several are equal.

        Args:
            task: The task; optional if the study has only one.

        Raises:
            RequestError: No trial is complete yet, or the study has several tasks and none is named.
        """
        if task is None:
            if len(self.tasks) > 1:
                raise RequestError(f"the study has {len(self.tasks)} tasks, so task must be one of them, not None.")
            task = self.tasks[0]
        best = winner(self.trials, task)
        if best is None:
            raise RequestError(f"no trial of {task.name} is complete yet; run the study to its end first.")
        return best

    def best_model(self, task: AnyTask | str | None = None) -> "BestModel":
        """Return the best model of a task, from ``best/``: its folder, and ``predict`` for new rows.

        Args:
            task: The task, its name, or the name of its folder in ``best/``; optional if there is only one.

        Raises:
            RequestError: There is no best model yet, or the task does not identify one.
        """
        from seedwise.study.model import BestModel

        if self.is_imported:
            raise RequestError(
                f"{self.folder} holds imported runs and no model; predict with a study of your own trainings."
            )
        return BestModel(*choose_winner(self.folder, task))

    def predict(
        self, rows: "Sequence[str] | Sequence[Mapping[str, str]] | pl.DataFrame", task: AnyTask | str | None = None
    ) -> "pl.DataFrame":
        """Label new rows with the best model.

        Args:
            rows: Texts; or mappings or a polars DataFrame with the task's text columns.
            task: The task; see `best_model`.

        Returns:
            One row for each: ``row``, then ``label`` and a column ``p(LABEL)`` for each label, or ``prediction``.
        """
        return self.best_model(task).predict(rows)

    def trials_dataframe(self) -> "pl.DataFrame":
        """Return one row for each trial, with the columns of ``export``'s trials; ``.to_pandas()`` makes it pandas'."""
        return trials_dataframe(self.trials)

    def export(self, folder: str | Path, format: str = "csv") -> list[Path]:  # noqa: A002 - the word users know
        """Write tidy tables: trials, evaluations, losses, tracked, predictions, recipes, tasks, events.

        Args:
            folder: Where to; made if it is missing.
            format: csv or parquet.
        """
        return export(self.store, Path(folder), format)
