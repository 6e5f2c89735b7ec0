"""How long does a trial take, in seedwise and in the Hugging Face Trainer, and how many trials does a machine train?

    python benchmarks/training.py                            about 18 minutes on two idle cores
    python benchmarks/training.py --quick                    two minutes: does it run?
    python benchmarks/training.py --cells minilm-rte tiny-cola --paths trainer packed
    python benchmarks/training.py --model FOLDER --glue FOLDER --output result.json
    python benchmarks/training.py --device cuda --dtype bfloat16 --width 1 4 16

A trial is 3 epochs at batch size 16 with 10 evaluations each, of a BERT of MiniLM's shape or a tiny one, on rows as long
as those of RTE or CoLA; weights and rows are made up unless --model (for minilm) and --glue give real ones. Every rival
lives in processes of its own, on the same cores, and works in turn while all others wait: some steps, of which the
median counts, and an evaluation, several rounds. A trial's time is made up of both; where several trials are trained at
once it is their time over their number. Printed are medians over the rounds, and ratios last.

The Trainer is set as the library's run_glue sets it, and as well as can be: see ``training_trainer.py``. It needs the
package accelerate, which seedwise does not: pip install accelerate.

"of peak" is the arithmetic that a trial needs, without padding and with the first token alone in the last block, over
what matrix products of these shapes would have done in the trial's time, measured on the same cores in the same rounds.
"""

import argparse
import json
import math
import multiprocessing
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from training_inputs import CELLS, Cell, Setting, prepare, set_up
from training_rivals import WARM_UP, Ready, Rival, Turn, work

from seedwise.data.tokens import TokenizedTask

PATHS = ("trainer", "plain", "packed", "compiled", "fused")
COUNTS = (1, 2, 4, 8, 16, 32, 64)
PACKAGES = ("seedwise", "torch", "transformers", "accelerate", "numpy")
RUN_GLUE, BEST = "Trainer as run_glue sets it", "Trainer as well as can be"


class Result(NamedTuple):
    """What was measured of one rival; times in seconds, of each round.

    Args:
        rival: The rival.
        ready: How long its processes and trials took to begin.
        step: One step of one trial, given all that are trained at once.
        evaluation: One evaluation likewise.
        trial: A whole trial likewise.
        memory: Bytes for each trial that is trained at once.
    """

    rival: Rival
    ready: Ready
    step: list[float]
    evaluation: list[float]
    trial: list[float]
    memory: float

    @property
    def seconds(self) -> float:
        """The median of a trial's time."""
        return statistics.median(self.trial)


class Work(NamedTuple):
    """How much a trial is: its steps and evaluations, and the arithmetic that either needs."""

    steps: int
    evaluations: int
    step_operations: float
    evaluation_operations: float

    @property
    def operations(self) -> float:
        """The arithmetic that the whole trial needs."""
        return self.steps * self.step_operations + self.evaluations * self.evaluation_operations


class Team:
    """A rival's processes; they wait unless it is their turn.

    Args:
        rival: What they do.
        setting: With which model and rows.
    """

    def __init__(self, rival: Rival, setting: Setting) -> None:
        self.rival, self.turns = rival, list[list[Turn]]()
        self.error: str | None = None
        self._pipes: list[Connection] = []
        context = multiprocessing.get_context("spawn")
        for number in range(rival.processes):
            ours, theirs = context.Pipe()
            arguments = (rival, setting, number, theirs, time.time())
            context.Process(target=work, args=arguments, daemon=True).start()
            theirs.close()
            self._pipes.append(ours)
        ready = self._reports()
        starts, begins = [r.start for r in ready], [r.begin for r in ready]
        self.ready = Ready(max(starts, default=0), max(begins, default=0))

    def take_turn(self) -> None:
        """Let all processes work at once until each has reported."""
        if self.error is None:
            for pipe in self._pipes:
                pipe.send(True)  # noqa: FBT003 - go on
            self.turns.append(self._reports())

    def end(self) -> None:
        """Let the processes go."""
        for pipe in self._pipes:
            try:
                pipe.send(False)  # noqa: FBT003 - stop
            except OSError:
                continue  # it has ended already

    def _reports(self) -> list[Any]:
        found = []
        for pipe in self._pipes:
            try:
                found.append(pipe.recv())
            except EOFError:
                found.append("its process died")
        self.error = next((report for report in found if isinstance(report, str)), None)
        return [] if self.error else found


def rivals(cores: int, device: str, widths: Sequence[int], paths: Sequence[str]) -> list[Rival]:
    """Return who competes on these cores, or on one GPU."""
    on_gpu = device != "cpu"
    many = 1 if on_gpu else cores
    found = [Rival(RUN_GLUE, "trainer", 1, cores, as_run_glue=True), Rival(BEST, "trainer", 1, cores)]
    if many > 1:
        found.append(Rival(BEST, "trainer", many, 1))
    found += [Rival(f"seedwise, {path}", path, many, 1) for path in ("plain", "packed")]
    if not on_gpu:
        found.append(Rival("seedwise, compiled", "compiled", many, 1))
    found += [Rival("seedwise, fused", "fused", many, 1, width) for width in widths]
    products = Rival("matrix products", "products", many, 1, max(widths) if on_gpu else 1)
    return [*(rival for rival in found if rival.path in paths), products]


def compete(setting: Setting, taking_part: Sequence[Rival], rounds: int, load: Work) -> tuple[list[Result], float]:
    """Let the rivals work in turn; return what was measured, and the operations a second of the products."""
    teams = [Team(rival, setting) for rival in taking_part]
    for _ in range(rounds):
        for team in teams:
            team.take_turn()
    results, peak = [], math.nan
    for team in teams:
        team.end()
        if team.error is not None:
            print(f"left out: {team.rival.title} ({_at_once(team.rival)}): {team.error}")
        elif team.rival.path == "products":
            peak = statistics.median(sum(1e12 / turn.step for turn in turns) for turns in team.turns)
        else:
            results.append(_result(team, load))
    return results, peak


def _result(team: Team, load: Work) -> Result:
    width, count = team.rival.width, team.rival.width * team.rival.processes
    step = [1 / sum(width / turn.step for turn in turns) for turns in team.turns]
    evaluation = [1 / sum(width / turn.evaluation for turn in turns) for turns in team.turns]
    trial = [load.steps * a + load.evaluations * b for a, b in zip(step, evaluation, strict=True)]
    memory = sum(turn.memory for turn in team.turns[-1]) / count
    return Result(team.rival, team.ready, step, evaluation, trial, memory)


def work_of(setting: Setting, rows: TokenizedTask) -> Work:
    """Count a trial's steps, evaluations and operations: a multiplication and an addition are two.

    A block multiplies each of T tokens by 4h^2 + 2hi weights, and the attention's scores and sums take 4h for each pair
    of tokens of a row. The last block needs keys and values of all tokens and the rest of the first alone. A backward
    pass counts as two forward passes; embeddings, norms, activations and the optimiser count nothing.
    """
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(setting.model)
    h, inner, blocks = config.hidden_size, config.intermediate_size, config.num_hidden_layers

    def forward(lengths: Any, batch: int) -> float:
        tokens, pairs = batch * float(lengths.mean()), batch * float((lengths.astype(float) ** 2).mean())
        block = 2 * tokens * (4 * h * h + 2 * h * inner) + 4 * h * pairs
        last = 2 * tokens * 2 * h * h + 2 * batch * (2 * h * h + 2 * h * inner) + 4 * h * tokens
        return float((blocks - 1) * block + last + 2 * batch * h * h)  # the pooler last

    recipe, train = setting.recipe, rows.train
    return Work(
        recipe.steps(len(train)),
        len(recipe.evaluation_steps(len(train))),
        3 * forward(train.lengths, recipe.batch_size),
        forward(rows.validation.lengths, len(rows.validation)),
    )


def seconds_for(count: int, result: Result, single: float) -> float:
    """Return the time until so many trials are done: start, set-up and training, the trials spread over the processes.

    A last stack that is not full takes a time between that of one trial and that of a full one, in proportion.

    Args:
        count: Trials.
        result: The rival's times, whose processes are taken to be as fast with fewer of them at work.
        single: Seconds of one trial in a process that trains it alone.
    """
    rival = result.rival
    full, rest = divmod(math.ceil(count / rival.processes), rival.width)
    stack = result.seconds * rival.processes * rival.width
    taken = full * stack
    if rest:
        taken += single + (stack - single) * (rest - 1) / (rival.width - 1)
    return result.ready.start + (full * rival.width + rest) * result.ready.begin + taken


def report(results: Sequence[Result], load: Work, peak: float) -> dict[str, float]:
    """Print a cell's tables; return the ratios of its fastest path."""
    if not results:
        return {}
    baselines = {title: _fastest(results, title) for title in (RUN_GLUE, BEST)}
    header = f"{'':<28}{'at once':>11}{'ms/step':>9}{'s/eval.':>9}{'s/trial':>9}{'least to most':>18}{'MB/trial':>9}"
    print(f"{header}{'of peak':>9}{'run_glue /':>12}{'best /':>8}")
    for result in results:
        step, evaluation = statistics.median(result.step), statistics.median(result.evaluation)
        share = load.operations / peak / result.seconds
        around = f"{_brief(min(result.trial))} to {_brief(max(result.trial))}"
        ratios = [baselines[title] / result.seconds for title in (RUN_GLUE, BEST)]
        print(
            f"{result.rival.title:<28}{_at_once(result.rival):>11}{1000 * step:>9.4g}{evaluation:>9.3g}"
            f"{_brief(result.seconds):>9}{around:>18}{result.memory / 1e6:>9.0f}{share:>9.0%}"
            f"{ratios[0]:>12.2f}{ratios[1]:>8.2f}"
        )
    print(
        f"arithmetic: {load.step_operations / 1e9:.3g} GFLOP a step, {load.operations / 1e12:.3g} TFLOP a trial; products "
        f"of these shapes: {peak / 1e9:.3g} GFLOP/s, so that a trial takes {_brief(load.operations / peak)} s at least"
    )
    _report_many(results)
    ours = [result.seconds for result in results if result.rival.path != "trainer"]
    return {title: seconds / min(ours) for title, seconds in baselines.items()} if ours else {}


def _report_many(results: Sequence[Result]) -> None:
    print(f"\n{'minutes for so many trials':<39}" + "".join(f"{count:>9}" for count in COUNTS))
    for result in results:
        times = "".join(f"{seconds / 60:>9.3g}" for seconds in _many(result, results))
        print(f"{result.rival.title:<28}{_at_once(result.rival):>11}{times}")
    print()


def _many(result: Result, results: Sequence[Result]) -> list[float]:
    """Return the seconds for each count; what a trial takes alone is known from the packed path."""
    alone = next((r for r in results if r.rival.path == "packed"), result)
    return [seconds_for(count, result, alone.seconds * alone.rival.processes) for count in COUNTS]


def _fastest(results: Sequence[Result], title: str) -> float:
    return min((result.seconds for result in results if result.rival.title == title), default=math.nan)


def _at_once(rival: Rival) -> str:
    """Return processes x threads, and how many trials each process trains."""
    return f"{rival.processes} x {rival.threads}" + (f", {rival.width}" if rival.width > 1 else "")


def _brief(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 100 else f"{seconds:.3g}"


def machine(device: str, cores: int) -> dict[str, Any]:
    """Return where and with what is measured."""
    name = platform.processor() or platform.machine()
    known = Path("/proc/cpuinfo")
    if known.exists():
        lines = known.read_text(encoding="utf-8").splitlines()
        name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), name)
    if device != "cpu":
        import torch

        name = f"{torch.cuda.get_device_name(device)}, {name}"
    versions = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    date = datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M UTC")
    return {"date": date, "machine": name, "cores": cores, "device": device, "versions": versions}


def plain_json(result: Result, results: Sequence[Result], load: Work, peak: float) -> dict[str, Any]:
    """Return a rival's row as plain JSON: times in seconds, memory in bytes."""
    share = load.operations / peak / result.seconds
    content = {**result._asdict(), "rival": result.rival._asdict(), "ready": result.ready._asdict()}
    return {**content, "share_of_peak": share, "seconds_for": dict(zip(COUNTS, _many(result, results), strict=True))}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Time whole trials in seedwise and in the Hugging Face Trainer.")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), help="which (default all four)")
    parser.add_argument("--paths", nargs="+", choices=PATHS, default=list(PATHS), help="who competes (default all)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default 3)")
    parser.add_argument("--steps", type=int, help="steps of a turn (by default 8 to 80, by cell)")
    parser.add_argument("--width", type=int, nargs="+", default=[4], help="trials in a fused process (default 4)")
    parser.add_argument("--cores", type=int, default=_cores(), help="cores that each uses (default all)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--model", help="the model of the cells minilm: a folder in the Hugging Face layout")
    parser.add_argument("--glue", type=Path, help="folder of GLUE's RTE and CoLA folders; needs --model")
    parser.add_argument("--output", type=Path, help="also write all results to this file, as JSON")
    parser.add_argument("--quick", action="store_true", help="few rows and steps: a smoke test, no measurement")
    given = parser.parse_args()
    if given.glue is not None and given.model is None:
        parser.error("--glue needs --model, whose tokenizer knows the words; give both or neither.")
    if given.quick:
        given.rounds, given.steps = 1, 2
    return given


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(cell: Cell, folder: Path, glue: Path, given: argparse.Namespace) -> tuple[dict[str, Any], dict[str, float]]:
    """Measure and print one cell; return its results as plain JSON, and the ratios of its fastest path."""
    setting = prepare(cell, folder, given.model, glue, given.dtype, given.device)
    rows = TokenizedTask.open(setting.rows)
    load, needed = work_of(setting, rows), given.rounds * cell.span + WARM_UP
    print(
        f"\n{cell.model}, {cell.task}: {load.steps} steps, {load.evaluations} evaluations of {len(rows.validation)} rows"
    )
    if needed > load.steps:
        raise SystemExit(f"a trial has {load.steps} steps, but {needed} are to be timed; lower --rounds or --steps.")
    taking_part = rivals(given.cores, given.device, given.width, given.paths)
    started = time.perf_counter()
    results, peak = compete(setting, taking_part, given.rounds, load)
    ratios = report(results, load, peak)
    print(f"measured in {(time.perf_counter() - started) / 60:.1f} minutes")
    measured = [plain_json(result, results, load, peak) for result in results]
    return {**cell._asdict(), "work": load._asdict(), "peak": peak, "results": measured, "ratios": ratios}, ratios


def main() -> None:
    """Measure all cells and print their tables, the ratios last."""
    given = arguments()
    about = machine(given.device, given.cores)
    print(", ".join(f"{package} {number}" for package, number in about["versions"].items()))
    print(f"{about['machine']}, {given.cores} cores, {given.device}, {given.dtype}; {about['date']}")
    print(f"medians of {given.rounds} rounds; at once: processes x threads, and trials in each process")
    cells, last = {}, {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        glue = set_up(folder, given.model, given.glue, quick=given.quick)
        for name in given.cells:
            cell = CELLS[name]._replace(**({"span": given.steps} if given.steps else {}))
            cells[name], last[name] = measure(cell, folder, glue, given)
    if given.output is not None:
        given.output.write_text(json.dumps({**about, "dtype": given.dtype, "cells": cells}, indent=1), encoding="utf-8")
    for title in (RUN_GLUE, BEST):
        found = [f"{ratios[title]:.1f} on {name}" for name, ratios in last.items() if title in ratios]
        print(f"\n{title}, its time over that of seedwise's fastest path: {', '.join(found)}")


if __name__ == "__main__":
    main()
