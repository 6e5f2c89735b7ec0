"""What was asked, and what is known so far? A study is a folder that can be run again and extended.

The folder holds ``study.db`` (every trial, loss and score), ``checkpoints/`` (paused trials) and ``best/`` (the winner
as a plain Hugging Face model). How a study is run to its end is in `seedwise.running`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from seedwise.errors import RequestError
from seedwise.executors.base import Executor
from seedwise.imported import AnyTask, AnyTrial, ImportedTrial
from seedwise.importing.runs import ForeignRuns, merged_facts
from seedwise.live import StudyProgress
from seedwise.recipe import Recipe
from seedwise.record import TrialRecord, own_trial, winner
from seedwise.running import run_study
from seedwise.seeds import Seeds
from seedwise.stopping import StoppingRule
from seedwise.store.base import Losses, Store, Tracked
from seedwise.store.database import is_being_written
from seedwise.store.sqlite import SqliteStore
from seedwise.store.tables import export, trials_table
from seedwise.task import Task
from seedwise.trial import Trial

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
            seeds: With which seeds; every task and recipe gets all of them.
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
        folder = Path(folder)
        _check_free(folder)
        trials = [Trial(task, recipe, s) for task in tasks for recipe in recipes for s in seeds]
        store = SqliteStore.create_or_open(folder / "study.db", write=True)
        try:
            records = store.records()
            if not any(record.attempts for record in records):  # a plan of which nothing ever ran binds nobody
                store.remove_trials([record.id for record in records])
            study = cls(folder, store)
            study._add(trials, rule, extend=extend)
        except BaseException:
            store.close()
            raise
        return study

    @classmethod
    def import_runs(cls, folder: str | Path, runs: ForeignRuns) -> "Study":
        """Keep somebody else's runs as a study, for everything but training.

        Args:
            folder: The study's folder; made if it is missing. One that holds imported runs is added to.
            runs: What `seedwise.read_runs` returned.

        Raises:
            RequestError: A run is there already, or the folder holds trainings of its own; nothing has been written.
        """
        folder = Path(folder)
        _check_free(folder)
        store = SqliteStore.create_or_open(folder / "study.db", write=True)
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
        study = cls(folder, SqliteStore.create_or_open(folder / "study.db", write=True))
        try:
            _check_own(folder, study.trials)
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
        return cls(folder, SqliteStore.create_or_open(folder / "study.db", write=False))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store and let other processes write."""
        self.store.close()

    def run(self, executor: Executor, on_progress: Callable[[StudyProgress], None] | None = None) -> None:
        """Run what is missing, then write the winner of each task to ``best/``; safe to repeat.

        Args:
            executor: Where trials run.
            on_progress: Called with the study's progress, at least four times a second.

        Raises:
            RequestError: The rows, the model or the rule's fraction do not fit; nothing has run.
            WorkError: The work failed on the way, or no trial could be completed; what was done is kept.
        """
        _check_own(self.folder, self.trials)
        try:
            run_study(self.folder, self.store, executor, on_progress)
        except RequestError:
            self._take_back()
            raise

    def _add(self, trials: Sequence[Trial], rule: StoppingRule | None, *, extend: bool) -> None:
        """Add what was asked to the store, and remember what was there before."""
        records, kept = self.store.records(), self.store.rule()
        _check_own(self.folder, records)
        _check_same_study(self.folder, records, kept, trials, rule, extend=extend)
        if rule is not None:
            rule = replace(rule, t=_most_seeds([*map(own_trial, records), *trials]))
        self._before = frozenset(record.id for record in records), kept
        self.store.add_trials(trials)
        self.store.set_rule(rule)

    def _take_back(self) -> None:
        """Forget what was added and could not be run, so that the study can go on without it."""
        if self._before is not None:
            held, rule = self._before
            self.store.remove_trials([record.id for record in self.store.records() if record.id not in held])
            self.store.set_rule(rule)

    @property
    def is_running(self) -> bool:
        """Whether a process runs the study at this moment; its trials stay "running" where one was killed."""
        return is_being_written(self.folder / "study.db")

    @property
    def is_imported(self) -> bool:
        """Whether its trials are runs of somebody else, which cannot be run here."""
        return any(isinstance(record.trial, ImportedTrial) for record in self.trials)

    @property
    def rule(self) -> StoppingRule | None:
        """The stopping rule; None when every trial runs to the end."""
        return self.store.rule()

    @property
    def trials(self) -> tuple[TrialRecord, ...]:
        """Every trial with its state and evaluations, in trial order."""
        return self.store.records()

    @property
    def tasks(self) -> tuple[AnyTask, ...]:
        """The tasks, in the order they were added."""
        return tuple({record.trial.task.id: record.trial.task for record in self.trials}.values())

    def facts(self, trial: AnyTrial) -> dict[str, Any]:
        """Return what preparing a trial's task found: rows, labels, baselines, evaluation steps; empty before that."""
        return self.store.facts(trial.task.id, trial.recipe.id) or {}

    def losses(self, trial_id: str) -> Losses:
        """Return a trial's training loss at every step, from step 1; empty where it is not known."""
        return self.store.losses(trial_id)

    def tracked(self, trial_id: str) -> Tracked:
        """Return what a trial's recipe tracks at every step, by name, (steps, values a step); empty where it is nothing.

        Names are distance (one value a block, from the bottom up), gradient_norm and bias_ratio; a step that is not known
        is nan.
        """
        return self.store.tracked(trial_id)

    def best_trial(self, task: AnyTask | None = None) -> TrialRecord:
        """Return the complete trial with the best evaluation; of equals the first.

        Args:
            task: Of which task; may be left out when the study has one.

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

    def trials_table(self) -> list[dict[str, Any]]:
        """Return one row of plain values for each trial."""
        return trials_table(self.trials)

    def export(self, folder: str | Path, format: str = "csv") -> list[Path]:  # noqa: A002 - the word users know
        """Write tidy tables: trials, evaluations, losses, tracked, predictions, recipes, tasks.

        Args:
            folder: Where to; made if it is missing.
            format: csv or parquet.
        """
        return export(self.store, Path(folder), format)


def _check_free(folder: Path) -> None:
    """Refuse what is no folder, and one where the study's own files would meet somebody else's."""
    if folder.exists() and not folder.is_dir():
        raise RequestError(f"{folder} must be a directory for the study, not a file; choose another directory.")
    if (folder / "study.db").exists():
        return
    for name in ("best", "checkpoints"):
        if (folder / name).exists():
            raise RequestError(
                f"{folder} holds no study but a {name} of something else; choose another directory for the study."
            )


def _check_own(folder: Path, records: Sequence[TrialRecord]) -> None:
    """Refuse to train beside runs of somebody else."""
    if any(isinstance(record.trial, ImportedTrial) for record in records):
        raise RequestError(
            f"{folder} holds imported runs, which cannot be run here; choose another directory for trainings of your own."
        )


def _check_same_study(
    folder: Path,
    records: Sequence[TrialRecord],
    kept: StoppingRule | None,
    trials: Sequence[Trial],
    wanted: StoppingRule | None,
    *,
    extend: bool,
) -> None:
    """Refuse to mix what was asked with another study, and say how it differs."""
    held = {record.id: own_trial(record) for record in records}
    if not held:
        return
    asked = {trial.id: trial for trial in trials}
    cells, wanted_cells = ({(t.task.id, t.recipe.id) for t in found.values()} for found in (held, asked))
    if not extend and cells != wanted_cells:
        raise RequestError(_holds_another(folder, held, asked))
    if not _may_become(kept, wanted, extend=extend):
        way_out = "a study's f never changes and its p can only grow with --extend; use the same rule"
        raise RequestError(
            f"{folder} holds a study with {_rule_words(kept)}, not {_rule_words(wanted)}; {way_out}, or another directory."
        )
    if not extend and set(asked) != set(held):
        raise RequestError(_holds_another(folder, held, asked))


def _holds_another(folder: Path, held: Mapping[str, Trial], asked: Mapping[str, Trial]) -> str:
    return (
        f"{folder} holds another study ({_difference(held.values(), asked.values())}); "
        "repeat its own command, add --extend to add to it, or choose another directory."
    )


def _may_become(kept: StoppingRule | None, wanted: StoppingRule | None, *, extend: bool) -> bool:
    if kept is None or wanted is None:
        return kept is wanted
    return kept.f == wanted.f and (kept.p == wanted.p or (extend and wanted.p > kept.p))


def _most_seeds(trials: Iterable[Trial]) -> int:
    """Return how many seeds the task and recipe with the most of them have."""
    return max(Counter((trial.task.id, trial.recipe.id) for trial in {t.id: t for t in trials}.values()).values())


def _rule_words(rule: StoppingRule | None) -> str:
    return "no stopping rule" if rule is None else f"f = {rule.f:g} and p = {rule.p}"


def _difference(held: Iterable[Trial], asked: Iterable[Trial]) -> str:
    """Say which of task, recipe and seeds differ, most telling first."""
    held, asked = list(held), list(asked)
    if {trial.task.id for trial in held} != {trial.task.id for trial in asked}:
        return _change("task", {t.task.name for t in held}, {t.task.name for t in asked}, "rows or settings")
    if {trial.recipe.id for trial in held} != {trial.recipe.id for trial in asked}:
        return _change("model", {t.recipe.model for t in held}, {t.recipe.model for t in asked}, "settings")
    return f"{len(held)} trials, not {len(asked)}, or with other seeds"


def _change(what: str, old: set[str], new: set[str], inside: str) -> str:
    if old == new:
        return f"{what} {', '.join(sorted(old))} with other {inside}"
    return f"{what} {', '.join(sorted(old))}, not {', '.join(sorted(new))}"
