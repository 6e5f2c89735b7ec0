"""What does ``seedwise status`` show of a study?"""

from contextlib import ExitStack
from typing import Any

from rich.text import Text

import seedwise as sw
from seedwise.cli.arguments import Folder, Json
from seedwise.cli.console import duration, new_table, print_json, print_table, score_words
from seedwise.study.shown import CellProgress, progress_of
from seedwise.values.caveats import repeat_caveats
from seedwise.values.design import STAGES
from seedwise.values.trial import TrialState

__all__ = ["status"]


def status(folder: Folder, *, json: Json = False) -> None:
    """Show how many trials wait, run, are paused, stopped, complete or failed, and the best so far."""
    with sw.Study.open(folder) as study, ExitStack() as opened:
        stages = [("report", study)]
        if study.design is not None and study.design.stage == "report":
            before = [stage for stage in STAGES if (study.folder / stage / "study.db").exists()]
            stages = [*((name, opened.enter_context(sw.Study.open(study.folder / name))) for name in before), *stages]
        if json:
            print_json(_as_json(study, stages))
        else:
            _print(study, stages)


def _warnings(stages: "list[tuple[str, sw.Study]]") -> list[str]:
    """Return what a reader must know of trials that could not be repeated to the last bit."""
    return repeat_caveats([event for _, stage in stages for event in stage.differences])


def _was_killed(study: "sw.Study", stages: "list[tuple[str, sw.Study]]") -> bool:
    running = any(record.state is TrialState.RUNNING for _, stage in stages for record in stage.trials)
    return running and not study.is_running


def _as_json(study: "sw.Study", stages: "list[tuple[str, sw.Study]]") -> dict[str, Any]:
    return {
        "study": study.folder,
        "imported": study.is_imported,
        "running": study.is_running,
        "killed": _was_killed(study, stages),
        "warnings": _warnings(stages),
        "stages": [{"stage": name, "cells": [cell._asdict() for cell in progress_of(stage)]} for name, stage in stages],
    }


def _print(study: "sw.Study", stages: "list[tuple[str, sw.Study]]") -> None:
    """Print a table for each stage of a design, or the one of a plain study."""
    for number, (name, stage) in enumerate(stages):
        if len(stages) > 1:
            print(f"{chr(10) if number else ''}{name}:\n")
        if stage.trials:
            _print_table(progress_of(stage), imported=stage.is_imported)
        else:
            print("waits for the stages before it." if len(stages) > 1 else "nothing has been started yet.")
    for warning in _warnings(stages):
        print(f"\n{warning}")
    if _was_killed(study, stages):
        print(f"\nThe process that ran this study is gone: seedwise run {study.folder} continues it.")


def _print_table(cells: list[CellProgress], *, imported: bool) -> None:
    always = set() if imported else set(TrialState) - {TrialState.FAILED}
    states = [state for state in TrialState if state in always or any(cell.states[state] for cell in cells)]
    named = len({cell.recipe for cell in cells}) > 1
    table = new_table("task", *["recipe"] * named, *states, *["time"] * (not imported), "best so far")
    for cell in cells:
        row = [cell.task, *[cell.recipe] * named, *(str(cell.states[state]) for state in states)]
        row += [] if cell.seconds is None else [duration(cell.seconds)]
        row.append("–" if cell.best is None else f"{cell.metric} {score_words(cell.best)}")
        table.add_row(*map(Text, row))
    print_table(table)
