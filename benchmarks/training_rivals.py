"""What does a rival's process do? It trains for a turn, reports, and waits for its next: the work of ``training.py``."""

import ctypes
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from training_inputs import Setting

from seedwise import Measurement, Seeds
from seedwise.data.tokens import TokenizedTask
from seedwise.trial import Trial

__all__ = ["WARM_UP", "Ready", "Rival", "Turn", "Turns", "work"]

WARM_UP = 2  # steps before the first turn
LEAST = 1.0  # seconds of products in a turn

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Rival(NamedTuple):
    """A way to train.

    Args:
        title: What it is called in the table.
        path: trainer, plain, packed, compiled or fused; products multiplies matrices and trains nothing.
        processes: How many of it run at once.
        threads: Threads of each.
        width: Trials that each trains at once.
        as_run_glue: Whether the Trainer is set as the library's example for GLUE sets it, or as well as can be.
    """

    title: str
    path: str
    processes: int
    threads: int
    width: int = 1
    as_run_glue: bool = False


class Ready(NamedTuple):
    """Seconds from a process's start until all is loaded, and from there until one trial stands at step 0."""

    start: float
    begin: float


class Turn(NamedTuple):
    """Seconds of a step (the median of the turn's) and of an evaluation of all trials of a process.

    Memory is the process's peak so far, in bytes; losses are those of its first trial's steps, where it is ours.
    """

    step: float
    evaluation: float
    memory: float
    losses: tuple[float, ...] = ()


class Turns:
    """A process's side of taking turns: it reports, and waits until it is called again or is no longer needed."""

    def __init__(self, pipe: Connection, device: str) -> None:
        self._pipe, self._device = pipe, device

    def over(self, report: Ready | Turn) -> None:
        """Hand a report over and wait."""
        with suppress(AttributeError, OSError, TypeError):  # not every system has it
            ctypes.CDLL(None).malloc_trim(0)  # what is free is handed back: the others need memory too
        self._pipe.send(report)
        if not self._pipe.recv():
            raise SystemExit

    def clock(self) -> float:
        """Return the time when all work handed to the device is done."""
        import torch

        if self._device.startswith("cuda"):
            torch.cuda.synchronize()
        return time.perf_counter()

    def memory(self) -> float:
        """Return the peak memory in bytes: on a GPU that of its tensors, else that of the process."""
        import torch

        if self._device.startswith("cuda"):
            return float(torch.cuda.max_memory_allocated())
        with suppress(OSError):
            for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
                if line.startswith("VmHWM:"):
                    return float(line.split()[1]) * 1024
        return math.nan


def work(rival: Rival, setting: Setting, number: int, pipe: Connection, started: float) -> None:
    """Take turns until no longer needed; what goes wrong is sent in place of a report.

    Args:
        rival: What to do.
        setting: With which model and rows.
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
            _multiply(rival, setting, turns)
        elif rival.path == "trainer":
            from training_trainer import take_turns

            take_turns(rival, setting, number, turns, started)
        else:
            _train(rival, setting, number, turns, started)
    except Exception as error:  # noqa: BLE001 - the others go on without it
        pipe.send(f"{type(error).__name__}: {error}".strip().split("\n")[0])


def _quieten() -> None:
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def _train(rival: Rival, setting: Setting, number: int, turns: Turns, started: float) -> None:
    """Train seedwise's way, on one of its paths."""
    rows = TokenizedTask.open(setting.rows)
    recipe = setting.recipe.with_changes(evaluations=f"every {setting.span} steps")
    seeds = range(number * rival.width + 1, (number + 1) * rival.width + 1)
    trials = [Trial(setting.task, recipe, Seeds(seed, seed)) for seed in seeds]
    _begin(rival.path, trials[0], rows, setting.device)  # the first one loads libraries
    start, before = time.time() - started, turns.clock()
    trainings = [_begin(rival.path, trial, rows, setting.device) for trial in trials]
    begin = (turns.clock() - before) / len(trials)
    measurements = _measurements(rival.path, trainings, setting.device)
    for _ in range(WARM_UP):
        next(measurements)
    turns.over(Ready(start, begin))
    while True:
        plain, evaluated, losses = list[float](), list[float](), list[float]()
        for _ in range(setting.span):
            before = turns.clock()
            measurement = next(measurements)
            laps = plain if measurement.metrics is None else evaluated
            laps.append(turns.clock() - before)
            losses.append(measurement.loss)
        step = statistics.median(plain)
        turns.over(Turn(step, evaluated[0] - step, turns.memory(), tuple(losses)))


def _begin(path: str, trial: Trial, rows: TokenizedTask, device: str) -> Any:
    """Set a trial up at step 0."""
    if path == "plain":
        from seedwise.training import loop

        return loop.begin(trial, rows, device)
    from seedwise.fused.begin import begin

    return begin(trial, rows, device, path=path)


def _measurements(path: str, trainings: list[Any], device: str) -> Iterator[Measurement]:
    """Return what takes one step of all trials and hands out the first one's measurement."""
    first = trainings[0]
    if path != "fused":
        from seedwise.training import loop

        return loop.train(first)
    import torch

    from seedwise.fused.stack import Stack

    stack = Stack(torch.device(device))
    for training in trainings:
        stack.join(training)
    return (next(m for training, m in stack.step() if training is first) for _ in count())


def _multiply(rival: Rival, setting: Setting, turns: Turns) -> None:
    """Multiply matrices of the shapes of a step, forward and backward; a step's time is that of 10^12 operations."""
    passes, operations = _products(rival, setting)
    turns.over(Ready(0, 0))
    while True:
        before, done = turns.clock(), 0
        while done == 0 or turns.clock() - before < LEAST:
            for multiply in passes:
                multiply()
            done += 1
        turns.over(Turn((turns.clock() - before) / (done * operations) * 1e12, 0, math.nan))


def _products(rival: Rival, setting: Setting) -> tuple[list[Callable[[], object]], float]:
    """Return the products of a step, and how many operations they are."""
    import torch

    config = setting.config
    h, inner = config.hidden_size, config.intermediate_size
    tokens = round(setting.recipe.batch_size * float(TokenizedTask.open(setting.rows).train.lengths.mean()))
    kind = {"device": setting.device, "dtype": getattr(torch, setting.recipe.dtype)}
    passes: list[Callable[[], object]] = []
    operations = 0.0
    for wide, out in [(h, 3 * h), (h, h), (h, inner), (inner, h)] * config.num_hidden_layers:
        x, weight, y = (torch.randn(rival.width, *s, **kind) for s in ((tokens, wide), (wide, out), (tokens, out)))
        for a, b in ((x, weight), (y, weight.transpose(1, 2)), (x.transpose(1, 2), y)):
            passes.append(_product(a, b))
            operations += 2.0 * rival.width * tokens * wide * out
    return passes, operations


def _product(a: Any, b: Any) -> Callable[[], object]:
    import torch

    if len(a) == 1:  # one matrix by another is not always the same code as a stack of one
        return partial(torch.mm, a[0], b[0], out=torch.mm(a[0], b[0]))
    return partial(torch.bmm, a, b, out=torch.bmm(a, b))
