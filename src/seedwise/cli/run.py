"""How does ``seedwise run`` turn what was asked into a study, and say how it went?"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from rich.text import Text

import seedwise as sw
from seedwise.cli.arguments import Folder, Json
from seedwise.cli.config import StudyOptions
from seedwise.cli.console import duration, messages_aside, new_table, print_json, print_table, score_words
from seedwise.cli.options import RecipeOptions, TaskOptions, TrialOptions, WorkerOptions
from seedwise.cli.run_design import choice_lines, design_of, run_stages
from seedwise.errors import RequestError
from seedwise.executors.base import Executor
from seedwise.values.caveats import row_caveats, score_caveats
from seedwise.values.choice import DesignRecord
from seedwise.values.design import Design
from seedwise.values.recipe import Recipe
from seedwise.values.record import own_trial
from seedwise.values.seeds import Seeds
from seedwise.values.stopping import StoppingRule
from seedwise.values.task import Task
from seedwise.values.trial import TrialState

if TYPE_CHECKING:  # loading the statistics takes a second
    from seedwise.analysis.summary import CellSummary

__all__ = ["run", "run_to_the_end"]

ENDED = (TrialState.STOPPED, TrialState.COMPLETE)


def run(
    folder: Folder,
    *,
    design: Annotated[
        str | None, Parameter(help="A ready-made design (`seedwise designs`), or a file like one.")
    ] = None,
    scale: Annotated[
        Literal["full", "small"] | None,
        Parameter(help="With --design: as published, or small enough for this machine in minutes."),
    ] = None,
    config: Annotated[
        Path | None, Parameter(help="A study file: TOML that says what flags would; flags override it.")
    ] = None,
    task: TaskOptions = TaskOptions(),
    recipe: RecipeOptions = RecipeOptions(),
    trials: TrialOptions = TrialOptions(),
    workers: WorkerOptions = WorkerOptions(),
    extend: Annotated[bool, Parameter(negative="", help="Add to the study in the folder.")] = False,
    json: Json = False,
) -> None:
    """Run a study, or continue the one in the folder."""
    options = StudyOptions(task, recipe, trials, workers)
    if design is not None and (config is not None or extend):
        flag = "--config" if config is not None else "--extend"
        raise RequestError(f"--design says what is run, so {flag} must be left out; give one of the two.")
    if design is None and scale is not None:
        raise RequestError(f"--scale {scale} goes with --design, which is missing; name a design.")
    with messages_aside(json):
        if design is not None:
            ended = _run_from_design(folder, design, scale or "full", options)
        else:
            ended = _run_options(folder, options.over_file(config) if config else options, extend=extend)
    if json:
        print_json(ended)


def _run_options(folder: Path, options: StudyOptions, *, extend: bool) -> dict[str, Any]:
    """Run the study that is meant, or continue the folder's own when nothing was asked."""
    from seedwise.cli.executors import executor_of

    executor = executor_of(options.workers)
    if options.empty:
        if (folder / "study.db").is_file() and (held := _design_in(folder)) is not None:
            return _run_in_stages(folder, None, held.design, executor)
        with sw.Study.resume(folder) as study:
            return run_to_the_end(study, executor)
    if options.task.empty and (folder / "study.db").is_file():
        raise RequestError(
            f"{folder} holds a study, and a change to it needs its whole command again, task and all; "
            f"`seedwise run {folder}` alone continues it."
        )
    tasks, recipe = options.task.tasks(), options.recipe.to_recipe()
    seeds, rule = _plan(options, executor, tasks, recipe)
    with sw.Study.create(folder, tasks=tasks, recipes=[recipe], seeds=seeds, rule=rule, extend=extend) as study:
        return run_to_the_end(study, executor)


def _run_from_design(folder: Path, name: str, scale: str, options: StudyOptions) -> dict[str, Any]:
    """Run a design in its stages; what is there already is continued."""
    from seedwise.cli.executors import executor_of

    design = design_of(name, scale, options)
    return _run_in_stages(folder, design, design, executor_of(options.workers))


def run_to_the_end(study: "sw.Study", executor: Executor) -> dict[str, Any]:
    """Run a study with a progress bar, print its summary, write its report, and return what --json prints."""
    _say_what_is_unusual(study, executor)
    if all(record.state in ENDED for record in study.trials):
        print("nothing is left to train; the results below were there before.\n")
    study.run(executor)
    return _conclude(study)


def _run_in_stages(folder: Path, asked: Design | None, design: Design, executor: Executor) -> dict[str, Any]:
    """Run a design, then print what was chosen and the report's summary, and write its report."""
    _say_of_rows({(arm.recipe, arm.task): None for arm in design.arms if arm.recipe.start_from is None}, executor)
    run_stages(folder, asked, executor)
    with sw.Study.open(folder) as study:
        record = study.design
        lines = [] if record is None else choice_lines(record)
        print(*(f"chosen      {line}" for line in lines), "", sep="\n")
        return {"chosen": lines, **_conclude(study)}


def _design_in(folder: Path) -> DesignRecord | None:
    with sw.Study.open(folder) as study:
        return study.design


def _conclude(study: "sw.Study") -> dict[str, Any]:
    """Print a finished study's summary and write its report."""
    analysis = sw.Analysis(study)
    summary = analysis.summary()
    _print_summary(summary, analysis.labels)
    _print_test_intervals(analysis)
    page = sw.Report(analysis, title=study.folder.resolve().name).save(study.folder / "report.html")
    from seedwise.study.winners import winner_folders

    winners = winner_folders(study.folder)
    print()
    for place in winners:
        print(f"best model  {place}")
    print(f"report      {page}")
    cells = [_summary_json(cell, analysis.labels) for cell in summary]
    return {"study": study.folder, "cells": cells, "best_models": winners, "report": page}


def _summary_json(cell: "CellSummary", labels: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    named = {"task": cell.task.name, "recipe": labels[cell.task.id, cell.recipe_id], "metric": cell.task.metric}
    numbers = {
        name: value for name, value in cell._asdict().items() if name not in ("task", "model", "recipe_id", "winner")
    }
    return {**named, **numbers, "winner": cell.winner and cell.winner.id}


def _print_summary(summary: "Sequence[CellSummary]", labels: Mapping[tuple[str, str], str]) -> None:
    """Print one line for each task and recipe: what was started, stopped and kept, and how good the best is."""
    failed = ("failed",) * any(cell.failed for cell in summary)
    named = ("recipe",) * (len(set(labels.values())) > 1)
    columns = ("task", *named, "metric", "started", "stopped", "kept", *failed)
    table = new_table(*columns, "best", "median", "test", "guess", "runs", "time")
    for cell in summary:
        counts = (cell.started, cell.stopped, cell.kept, *(cell.failed for _ in failed))
        scores = (cell.best, cell.median, cell.test, cell.baseline)
        row = [
            cell.task.name,
            *(labels[cell.task.id, cell.recipe_id] for _ in named),
            cell.task.metric,
            *map(str, counts),
            *map(score_words, scores),
        ]
        table.add_row(*map(Text, [*row, f"{cell.cost:.1f}", duration(cell.seconds)]))
    print_table(table)
    for cell in summary:
        for caveat in score_caveats(cell.task, cell.best, cell.baseline):
            print(f"\n{cell.task.name}: {caveat}")


def _print_test_intervals(analysis: "sw.Analysis") -> None:
    """Print how sure each winner's test score is, where its rows tell it."""
    for cell in analysis.cells:
        with suppress(sw.UnknownError):
            found = analysis.test_interval(cell)
            print(
                f"\n{analysis.label(cell)}: on new rows like the {cell.facts.rows['test']:,} test rows, the best would score "
                f"{score_words(found.lower)} to {score_words(found.upper)} (95% interval)"
            )


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


def _say_what_is_unusual(study: "sw.Study", executor: Executor) -> None:
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
