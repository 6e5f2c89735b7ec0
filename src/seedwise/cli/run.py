"""How does ``seedwise run`` turn what was asked into a study, and say how it went?"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from seedwise.analysis.analysis import Analysis
from seedwise.cli.config import StudyOptions
from seedwise.cli.designs import choice_lines, design_of, run_stages
from seedwise.cli.executors import executor_of
from seedwise.cli.progress import StudyBar
from seedwise.cli.tables import print_summary
from seedwise.cli.winners import winner_folders
from seedwise.errors import RequestError
from seedwise.executors.base import Executor
from seedwise.report.report import Report
from seedwise.study.study import Study
from seedwise.values.caveats import row_caveats
from seedwise.values.choice import DesignRecord
from seedwise.values.design import Design
from seedwise.values.recipe import Recipe
from seedwise.values.record import own_trial
from seedwise.values.seeds import Seeds
from seedwise.values.stopping import StoppingRule
from seedwise.values.task import Task
from seedwise.values.trial import TrialState

__all__ = ["run_from_design", "run_options", "run_to_the_end"]

ENDED = (TrialState.STOPPED, TrialState.COMPLETE)


def run_options(folder: Path, options: StudyOptions, *, extend: bool) -> None:
    """Run the study that is meant, or continue the folder's own when nothing was asked."""
    executor = executor_of(options.workers)
    if options.empty:
        if (folder / "study.db").is_file() and (held := _design_in(folder)) is not None:
            _run_in_stages(folder, None, held.design, executor)
            return
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


def run_from_design(folder: Path, name: str, scale: str, options: StudyOptions) -> None:
    """Run a design in its stages; what is there already is continued."""
    design = design_of(name, scale, options)
    _run_in_stages(folder, design, design, executor_of(options.workers))


def run_to_the_end(study: Study, executor: Executor) -> None:
    """Run a study with a progress bar, then print its summary and write its report."""
    _say_what_is_unusual(study, executor)
    if all(record.state in ENDED for record in study.trials):
        print("nothing is left to train: what follows is from before.\n")
    with StudyBar() as bar:
        study.run(executor, bar.update)
    _conclude(study)


def _run_in_stages(folder: Path, asked: Design | None, design: Design, executor: Executor) -> None:
    """Run a design, then print what was chosen and the report's summary, and write its report."""
    _say_of_rows({(arm.recipe, arm.task): None for arm in design.arms if arm.recipe.start_from is None}, executor)
    run_stages(folder, asked, executor)
    with Study.open(folder) as study:
        record = study.design
        lines = [] if record is None else choice_lines(record)
        print(*(f"chosen      {line}" for line in lines), "", sep="\n")
        _conclude(study)


def _design_in(folder: Path) -> DesignRecord | None:
    with Study.open(folder) as study:
        return study.design


def _conclude(study: Study) -> None:
    """Print a finished study's summary and write its report."""
    analysis = Analysis(study)
    print_summary(analysis.summary(), analysis.labels)
    page = Report(analysis, title=study.folder.resolve().name).save(study.folder / "report.html")
    print()
    for place in winner_folders(study.folder):
        print(f"best model  {place}")
    print(f"report      {page}")


def _plan(
    options: StudyOptions, executor: Executor, tasks: Sequence[Task], recipe: Recipe
) -> tuple[tuple[Seeds, ...], StoppingRule | None]:
    """Fit what was asked to each task's run, before anything is written."""
    plans = [
        options.trials.plan(recipe.evaluation_steps(executor.prepare(task, recipe).rows["train"])) for task in tasks
    ]
    if any(plan != plans[0] for plan in plans):
        raise RequestError(
            "--budget gives another plan for each of these tasks, as their evaluations fall on other fractions; say "
            "--start, --fraction and --keep, or run one study for each task."
        )
    return plans[0]


def _say_what_is_unusual(study: Study, executor: Executor) -> None:
    """Report rows that were cut, left out or repeated, before anything is trained on them."""
    _say_of_rows({(trial.recipe, trial.task): None for trial in map(own_trial, study.trials)}, executor)


def _say_of_rows(cells: Iterable[tuple[Recipe, Task]], executor: Executor) -> None:
    """Say what is unusual about the rows of each task, once."""
    said = {
        f"{task.name}: {caveat}": None
        for recipe, task in cells
        for caveat in row_caveats(executor.prepare(task, recipe))
    }
    for sentence in said:
        print(sentence, file=sys.stderr)
