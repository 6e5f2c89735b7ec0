"""What does a rival's process do? It trains for a turn, reports, and waits for its next: the work of ``training.py``."""

import math
import os
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from training_inputs import Setting
from training_turns import WARM_UP, Ready, Rival, Turn, Turns

from seedwise import Measurement, Seeds
from seedwise.data.tokens import TokenizedTask
from seedwise.values.trial import Trial

__all__ = ["work"]

Step = Callable[[list[Any]], Measurement]  # takes a step of all trials, returns what was measured of the first

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def work(rival: Rival, setting: Setting, parameters: int, number: int, pipe: Connection, started: float) -> None:
    """Take turns until no longer needed; what goes wrong is sent in place of a report.

    Args:
        rival: What to do.
        setting: With which model and rows.
        parameters: Parameters that a trial trains.
        number: Which of the rival's processes this is.
        pipe: Where reports go and calls come from.
        started: When it was started, by time.time().
    """
    for name in THREAD_VARIABLES:  # torch has not been loaded yet
        os.environ[name] = str(rival.threads)
    try:
        import torch

        torch.set_num_threads(rival.threads)
        _quieten()
        turns = Turns(pipe, setting.device)
        if rival.path == "products":
            from training_peak import multiply_and_copy

            multiply_and_copy(rival, setting, parameters, turns)
        elif rival.path == "trainer":
            from training_trainer import take_turns

            take_turns(rival, setting, number, turns, started)
        elif rival.trials:
            _train_all(rival, setting, number, turns, started)
        else:
            _train(rival, setting, number, turns, started)
    except Exception as error:  # noqa: BLE001 - the others go on without it
        pipe.send(f"{type(error).__name__}: {error}".strip().split("\n")[0])


def _quieten() -> None:
    import transformers

    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def _train(rival: Rival, setting: Setting, number: int, turns: Turns, started: float) -> None:
    """Train seedwise's way, on one of its paths.

    On a GPU a shape's first step takes long, for it is recorded or its kernels are chosen. There each turn's steps are
    taken twice, from weights as they come, and the second time counts.
    """
    rows = TokenizedTask.open(setting.rows)
    recipe = setting.recipe.with_changes(evaluations=f"every {setting.span} steps")
    seeds = range(number * rival.width + 1, (number + 1) * rival.width + 1)
    trials = [Trial(setting.task, recipe, Seeds(seed, seed)) for seed in seeds]
    _begin(rival.path, trials[0], rows, setting.device)  # the first one loads libraries
    start, before = time.time() - started, turns.clock()
    trainings = [_begin(rival.path, trial, rows, setting.device) for trial in trials]
    begin = (turns.clock() - before) / len(trials)
    step = _stepper(rival.path, setting.device)
    for _ in range(WARM_UP):
        step(trainings)
    turns.over(Ready(start, begin))
    while True:
        first = 0.0
        if setting.device.startswith("cuda"):
            done, before = trainings[0].step, turns.clock()
            _steps(step, trainings, setting.span, turns)
            first = turns.clock() - before
            for training in trainings:
                training.step = done
        before = turns.clock()
        turn = _steps(step, trainings, setting.span, turns)
        again = turns.clock() - before
        turns.over(turn._replace(memory=turns.memory(), recording=max(0.0, first - again)))


def _steps(step: Step, trainings: list[Any], span: int, turns: Turns) -> Turn:
    """Take a turn's steps, the last with an evaluation."""
    plain, evaluated, losses = list[float](), list[float](), list[float]()
    for _ in range(span):
        before = turns.clock()
        measurement = step(trainings)
        laps = plain if measurement.metrics is None else evaluated
        laps.append(turns.clock() - before)
        losses.append(measurement.loss)
    median = statistics.median(plain)
    return Turn(median, evaluated[0] - median, math.nan, tuple(losses))


def _train_all(rival: Rival, setting: Setting, number: int, turns: Turns, started: float) -> None:
    """Train this process's share of the rival's trials from start to end, and report the seconds that all took."""
    rows = TokenizedTask.open(setting.rows)
    seeds = range(number + 1, rival.trials + 1, rival.processes)
    trials = [Trial(setting.task, setting.recipe, Seeds(seed, seed)) for seed in seeds]
    _begin(rival.path, trials[0], rows, setting.device)  # the first one loads libraries
    turns.over(Ready(time.time() - started, 0))
    before, step = turns.clock(), _stepper(rival.path, setting.device)
    for first in range(0, len(trials), rival.width):
        chosen = trials[first : first + rival.width]
        trainings = [_begin(rival.path, trial, rows, setting.device) for trial in chosen]
        for _ in range(trainings[0].steps):
            step(trainings)
    turns.over(Turn(turns.clock() - before, 0, turns.memory()))


def _begin(path: str, trial: Trial, rows: TokenizedTask, device: str) -> Any:
    """Set a trial up at step 0."""
    from seedwise.engines.engine import ENGINES

    return ENGINES[path].begin(trial, rows, device)


def _stepper(path: str, device: str) -> Step:
    """Return what takes one step of all trials and returns the first one's measurement."""
    if path != "fused":
        from seedwise.training import loop

        return lambda trainings: next(loop.train(trainings[0]))
    import torch

    from seedwise.engines.stack import Stack

    stack = Stack(torch.device(device))

    def step(trainings: list[Any]) -> Measurement:
        for member in list(stack.members):
            if not any(member is training for training in trainings):
                stack.leave(member)
        for training in trainings:
            if not any(member is training for member in stack.members):
                stack.join(training)
        return next(measured for training, measured in stack.step() if training is trainings[0])

    return step
