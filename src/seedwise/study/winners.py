"""How is each task's winner written to ``best/``, and how is a winner found there?

One task's winner is ``best/`` itself; the winners of several tasks are folders in it. ``seedwise.json`` in a winner's
folder says whose it is; a folder without one is not ours and is never replaced.
"""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from seedwise.errors import RequestError, StorageError, WorkError
from seedwise.executors.base import Session
from seedwise.files import replacing
from seedwise.store.store import Store
from seedwise.study.modelcard import model_card
from seedwise.values.checks import did_you_mean
from seedwise.values.facts import TaskFacts
from seedwise.values.identity import content_hash
from seedwise.values.imported import AnyTask
from seedwise.values.record import Cause, TrialRecord, own_trial, winner
from seedwise.values.task import Task
from seedwise.values.trial import TrialState

__all__ = ["NOTE", "choose_winner", "export_winners", "winner_folders"]

NOTE = "seedwise.json"
"""Stands beside a winner's model and says which trial and task it is of."""

_OPEN = (TrialState.WAITING, TrialState.RUNNING, TrialState.PAUSED)


def export_winners(folder: Path, store: Store, session: Session) -> None:
    """Write every task's winner to ``best/`` in the study's folder, unless it is already there."""
    records = store.records()
    tasks = list({record.trial.task.id: own_trial(record).task for record in records}.values())
    problems: list[WorkError] = []
    for task in tasks:
        try:
            mine = [record for record in records if record.trial.task == task]
            if winner(mine, task) is None and any(record.state in _OPEN for record in mine):
                continue  # of a study that was left before this task had a complete trial, a gate runs some others
            _export(_place(folder, task, tasks), store, session, task, mine)
        except WorkError as problem:
            problems.append(problem)
    if problems:
        raise problems[0]


def winner_folders(folder: Path) -> list[Path]:
    """Return the model folders of a study: ``best``, or those in it where the study has several tasks."""
    best = folder / "best"
    if (best / NOTE).is_file():
        return [best]
    found = (note.parent for note in best.glob(f"*/{NOTE}"))
    return sorted(place for place in found if not place.name.startswith("."))  # a dot: not completely written


def choose_winner(folder: Path, name: AnyTask | str | None) -> tuple[Path, Task]:
    """Return a winner's model folder and its task.

    The name is that of the folder in ``best/``, or of a task that only one winner has; one winner needs none.
    """
    tasks = {place: _task_of(place) for place in winner_folders(folder)}
    winners = {tasks[place].name if place == folder / "best" else place.name: place for place in tasks}
    if not winners:
        raise RequestError(
            f"{folder} holds no best model; run the study to its end, or see `seedwise trials {folder}` for what failed."
        )
    listed = ", ".join(winners)
    if name is not None and not isinstance(name, str):
        name = next((key for key, place in winners.items() if tasks[place] == name), name.name)
    if name is None and len(winners) > 1:
        raise RequestError(f"the study has several winners, so task must be one of {listed}, not None.")
    if name is not None and name not in {*winners, *(task.name for task in tasks.values())}:
        name = name.rstrip("/").rsplit("/", 1)[-1].casefold()  # as in --task embedded/entailment, glue/RTE
    meant = [winners[name]] if name in winners else [place for place in tasks if name in (None, tasks[place].name)]
    if not meant:
        raise RequestError(f"task must be one of {listed}, not {name!r}{did_you_mean(name, winners)}.")
    if len(meant) > 1:
        folders = ", ".join(place.name for place in meant)
        raise RequestError(f"task must name one winner, not {name!r}, the task of several; say one of {folders}.")
    return meant[0], tasks[meant[0]]


def _task_of(place: Path) -> Task:
    return Task.from_json(json.loads((place / NOTE).read_text(encoding="utf-8"))["task"])


def _export(place: Path, store: Store, session: Session, task: Task, records: list[TrialRecord]) -> None:
    """Write one winner; if it is already there, only update its card."""
    best = winner(records, task)
    if best is None:
        reasons = [record.error for record in records if record.error]
        diverged = any(record.cause is Cause.DIVERGED for record in records)
        remedy = "; try a smaller learning rate in another directory" if diverged else ""
        raise WorkError(
            f"no trial of {task.name} could be completed: {len(records)} started, the last error was "
            f"'{reasons[-1] if reasons else 'no finite validation score'}'; what was done is kept{remedy}."
        )
    facts = store.facts(task.id, best.trial.recipe.id) or TaskFacts()
    card = model_card(best, records, store.rule(), facts, _test_interval(store, best))
    note = {"trial": best.id, "task": task.to_json(), "card": content_hash(card)}
    held = _note_of(place)
    if held.get("trial") == best.id:
        if held.get("card") != note["card"]:
            _replace(place / "README.md", card)
            _replace(place / NOTE, json.dumps(note))
    else:
        _check_replaceable(place, held)
        if best.id not in session.kept():
            raise WorkError(
                f"{place} is gone and so are the winner's weights; train it again in another directory, in Python "
                f"with seeds=[seedwise.{best.trial.seeds}]."
            )
        place.parent.mkdir(parents=True, exist_ok=True)
        session.export(own_trial(best), place, {"README.md": card, NOTE: json.dumps(note)})
    session.drop(best.id)


def _test_interval(store: Store, best: TrialRecord) -> tuple[float, float] | None:
    """Return between which scores the winner's would lie on new rows, where the rows tell it."""
    from seedwise.stats.items.sampling import row_score_interval  # SciPy takes a second

    predictions, targets = store.predictions(best.id), store.targets(best.trial.task.id)
    if predictions is None or predictions.test is None or targets is None or targets.test is None:
        return None
    with suppress(ValueError):
        found = row_score_interval(best.trial.task.metric, predictions.test, targets.test)
        return found.lower, found.upper
    return None


def _check_replaceable(place: Path, note: dict[str, Any]) -> None:
    if not note and place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise WorkError(f"{place} holds something else than a winner of this study; move it away and run again.")


def _place(folder: Path, task: Task, tasks: list[Task]) -> Path:
    """Return ``best/`` for the only task, else a folder in it; a winner that was alone there moves into its own."""
    place = folder / "best"
    if len(tasks) == 1:
        return place
    several = folder / ".best.several"
    if alone := _note_of(place):
        several.mkdir(exist_ok=True)
        place.rename(several / _folder_name(Task.from_json(alone["task"]), tasks))
    if several.exists():  # also where an earlier run was killed between the two steps
        several.rename(place)
    for note in place.glob(f"*/{NOTE}"):
        if Task.from_json(_note_of(note.parent)["task"]) == task:
            return note.parent
    return place / _folder_name(task, tasks)


def _folder_name(task: Task, tasks: list[Task]) -> str:
    """Return a unique, valid folder name: tasks may share a name, or have one no folder can have."""
    names = [_file_name(other.name).casefold() for other in tasks]
    name = _file_name(task.name)
    return name if names.count(name.casefold()) == 1 else f"{name}-{task.id[:6]}"


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip(".")[:80] or "task"


def _note_of(place: Path) -> dict[str, Any]:
    """Return the note beside a winner: its trial, its task and the hash of its card; empty if there is none."""
    with suppress(OSError, ValueError):
        return dict(json.loads((place / NOTE).read_text(encoding="utf-8")))
    return {}


def _replace(path: Path, text: str) -> None:
    try:
        with replacing(path) as beside:
            beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error}); make room and run again.") from error
