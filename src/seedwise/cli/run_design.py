"""How does ``seedwise run --design`` find the design that is meant, run it in its stages, and say what was chosen?"""

from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seedwise.cli.config import StudyOptions
from seedwise.cli.options import TaskOptions, model_place
from seedwise.designs.file import DesignFile
from seedwise.errors import RequestError
from seedwise.executors.base import Executor
from seedwise.values.choice import DesignRecord
from seedwise.values.design import Design
from seedwise.values.task import Task

if TYPE_CHECKING:  # loaded on first use
    from seedwise.study.progress import StudyProgress
    from seedwise.study.stages import StageStart

__all__ = ["choice_lines", "design_of", "run_stages"]


def design_of(name: str, scale: str, options: StudyOptions) -> Design:
    """Return the design that is meant."""
    if said := [*options.trials.ways, *(("--fraction",) if options.trials.fraction is not None else ())]:
        raise RequestError(
            f"--design says how many trials there are, so {said[0]} must be left out; `seedwise designs NAME` prints a "
            "design's file, to be copied and changed."
        )
    if options.recipe.recipe is not None:
        raise RequestError(
            "--design has its own recipes, so --recipe must be left out; --set changes one field of all."
        )
    file = DesignFile.read(name)
    return file.design(
        tasks=_tasks(options.task, file, scale),
        model=None if options.recipe.model is None else model_place(options.recipe.model, Path()),
        scale=scale,
        changes=options.recipe.changes,
    )


def run_stages(folder: Path, design: Design | None, executor: Executor) -> None:
    """Run a design with a heading and a progress bar for each stage; None continues the folder's own."""
    from seedwise.study.bar import StudyBar
    from seedwise.study.stages import run_design

    bars: list[StudyBar] = []
    with ExitStack() as shown:

        def begin(stage: "StageStart") -> None:
            shown.close()
            print(f"stage {stage.number} of {stage.stages}, {stage.name}: {stage.plan}", flush=True)
            for sentence in stage.left_out:
                print(f"  {sentence}, and is left out", flush=True)
            bars.append(shown.enter_context(StudyBar()))

        def update(progress: "StudyProgress") -> None:
            bars[-1].update(progress)

        run_design(folder, design, executor, on_stage=begin, on_progress=update)


def choice_lines(record: DesignRecord) -> list[str]:
    """Return one line for each choice that was made: what was taken, of how many candidates."""
    found: list[str] = []
    for arm in record.design.arms:
        recipe = record.chosen.get((arm.name, arm.task.id))
        if arm.search and recipe is not None:
            candidates = record.design.candidates(arm, record.chosen) or ()
            words = next(candidate.words for candidate in candidates if candidate.recipe == recipe)
            found.append(f"{arm.name} on {arm.task.name}: {words}, of {len(candidates)} candidates")
    return found


def _tasks(options: TaskOptions, file: DesignFile, scale: str) -> tuple[Task, ...]:
    """Return the tasks that are asked for, split and scored as the design says unless flags say else; none for its own."""
    if all(getattr(options, f.name) in (None, ()) for f in fields(options)):
        return ()
    if options.train is not None:
        return options.tasks()
    found: list[Task] = []
    for name in options.task or file.task_names(scale):
        protocol = None if name.startswith("hub/") else file.protocol
        found += replace(options, task=(name,), protocol=options.protocol or protocol).tasks()
    return tuple(found)
