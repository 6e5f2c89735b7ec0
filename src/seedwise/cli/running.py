"""How does ``seedwise run`` turn what was asked into a study, and say how it went?"""

import sys
from collections.abc import Sequence
from pathlib import Path

from seedwise.analysis.analysis import Analysis
from seedwise.caveats import row_caveats
from seedwise.cli.options import WorkerOptions
from seedwise.cli.progress import StudyBar
from seedwise.cli.studyfile import StudyOptions
from seedwise.cli.tables import print_summary
from seedwise.cli.winners import winner_folders
from seedwise.errors import RequestError
from seedwise.executors.local import LocalExecutor
from seedwise.recipe import Recipe
from seedwise.record import own_trial
from seedwise.report.report import Report
from seedwise.seeds import Seeds
from seedwise.stopping import StoppingRule
from seedwise.study import Study
from seedwise.task import Task
from seedwise.trial import TrialState

__all__ = ["local_executor", "run_options", "run_to_the_end"]

ENDED = (TrialState.STOPPED, TrialState.COMPLETE)


def run_options(folder: Path, options: StudyOptions, *, extend: bool) -> None:
    """Run the study that is meant, or continue the folder's own when nothing was asked."""
    executor = local_executor(options.workers)
    if options.empty:
        with Study.resume(folder) as study:
            run_to_the_end(study, executor)
        return
    if options.task.empty and (folder / "study.db").is_file():
        raise RequestError(
            f"{folder} holds a study, and a change to it needs its whole command again, task and all; "
            f"`seedwise run {folder}` alone continues it."
        )
    tasks, recipe = options.task.tasks(), options.recipe.to_recipe()
    seeds, rule = _plan(options, executor, tasks, recipe)
    with Study.create(folder, tasks=tasks, recipes=[recipe], seeds=seeds, rule=rule, extend=extend) as study:
        run_to_the_end(study, executor)


def run_to_the_end(study: Study, executor: LocalExecutor) -> None:
    """Run a study with a progress bar, then print its summary and write its report."""
    _say_what_is_unusual(study, executor)
    if all(record.state in ENDED for record in study.trials):
        print("nothing is left to train: what follows is from before.\n")
    with StudyBar() as bar:
        study.run(executor, bar.update)
    analysis = Analysis(study)
    print_summary(analysis.summary(), analysis.labels)
    page = Report(analysis, title=study.folder.resolve().name).save(study.folder / "report.html")
    print()
    for place in winner_folders(study.folder):
        print(f"best model  {place}")
    print(f"report      {page}")


def local_executor(options: WorkerOptions) -> LocalExecutor:
    """Return the executor that is meant."""
    return LocalExecutor(options.workers, threads=1 if options.threads is None else options.threads)


def _plan(
    options: StudyOptions, executor: LocalExecutor, tasks: Sequence[Task], recipe: Recipe
) -> tuple[tuple[Seeds, ...], StoppingRule | None]:
    """Fit what was asked to each task's run, before anything is written."""
    plans = [
        options.trials.plan(recipe.evaluation_steps(executor.prepare(task, recipe)["rows"]["train"])) for task in tasks
    ]
    if any(plan != plans[0] for plan in plans):
        raise RequestError(
            "--budget gives another plan for each of these tasks, as their evaluations fall on other fractions; say "
            "--start, --fraction and --keep, or run one study for each task."
        )
    return plans[0]


def _say_what_is_unusual(study: Study, executor: LocalExecutor) -> None:
    """Report rows that were cut, left out or repeated, before anything is trained on them."""
    cells = {(trial.recipe, trial.task): None for trial in map(own_trial, study.trials)}
    for recipe, task in cells:
        for caveat in row_caveats(executor.prepare(task, recipe)):
            print(f"{task.name}: {caveat}", file=sys.stderr)
