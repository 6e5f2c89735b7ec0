"""Where are the winners of a study, and which one is meant?"""

import json
from pathlib import Path

from seedwise.errors import RequestError
from seedwise.values.checks import did_you_mean
from seedwise.values.task import Task

__all__ = ["choose_winner", "winner_folders"]


def winner_folders(folder: Path) -> list[Path]:
    """Return the model folders of a study: ``best``, or those in it where the study has several tasks."""
    from seedwise.study.winners import NOTE

    best = folder / "best"
    if (best / NOTE).is_file():
        return [best]
    found = (note.parent for note in best.glob(f"*/{NOTE}"))
    return sorted(place for place in found if not place.name.startswith("."))  # a dot: not written to its end


def choose_winner(folder: Path, name: str | None) -> tuple[Path, Task]:
    """Return a winner's model folder and its task.

    Args:
        folder: The study's folder.
        name: The name of the winner's folder in ``best``, or of its task where only one has it; may be left out where
            there is one winner.

    Raises:
        RequestError: There is no winner, or the name does not say which one is meant.
    """
    tasks = {place: _task_of(place) for place in winner_folders(folder)}
    winners = {tasks[place].name if place == folder / "best" else place.name: place for place in tasks}
    if not winners:
        raise RequestError(
            f"{folder} holds no best model; run the study to its end, or see `seedwise trials {folder}` for what failed."
        )
    listed = ", ".join(winners)
    if name is None and len(winners) > 1:
        raise RequestError(f"the study has several winners; say --task, one of {listed}.")
    if name is not None and name not in {*winners, *(task.name for task in tasks.values())}:
        name = name.rstrip("/").rsplit("/", 1)[-1].casefold()  # as in --task embedded/entailment, glue/RTE
    meant = [winners[name]] if name in winners else [place for place in tasks if name in (None, tasks[place].name)]
    if not meant:
        raise RequestError(f"--task must be one of {listed}, not {name!r}{did_you_mean(name, winners)}.")
    if len(meant) > 1:
        folders = ", ".join(place.name for place in meant)
        raise RequestError(f"--task must name one winner, not {name!r}, the task of several; say one of {folders}.")
    return meant[0], tasks[meant[0]]


def _task_of(place: Path) -> Task:
    from seedwise.study.winners import NOTE

    return Task.from_json(json.loads((place / NOTE).read_text(encoding="utf-8"))["task"])
