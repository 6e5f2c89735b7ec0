"""How long does a trial take, in seedwise and in the Hugging Face Trainer, and how many trials does a machine train?

    python benchmarks/training.py                            about 20 minutes on two idle cores
    python benchmarks/training.py --quick                    one small cell on one core: does it run?
    python benchmarks/training.py --cells minilm-rte tiny-cola --paths trainer packed
    python benchmarks/training.py --model FOLDER --glue FOLDER --output result.json
    python benchmarks/training.py --device cuda --dtype bfloat16 --width 1 4 16 --cells large-rte --trials 32

A trial is 3 epochs at batch size 16 with 10 evaluations each, of a BERT of MiniLM's shape, a tiny or a large one, on rows
as long as those of RTE, CoLA or SST-2 (a tenth of these); weights and rows are made up unless --model (for minilm) and
--glue give real ones. Every rival
lives in processes of its own, on the same cores, and works in turn while all others wait: some steps, of which the
median counts, and an evaluation, several rounds. A trial's time is made up of both; where several trials are trained at
once it is their time over their number. Printed are medians over the rounds, and last the ratios: the time of the
Trainer, at the best number of processes and threads, over that of the row.

The Trainer is set as the library's run_glue sets it, and as well as can be: see ``training_trainer.py``. It needs the
package accelerate, which seedwise does not: pip install accelerate.

"of peak" is the least time a trial can take over that which it took. A step takes at least as long as its arithmetic,
without padding and with the first token alone in the last block, at the rate of matrix products of these shapes; or as
what AdamW reads and writes, at the rate of copies, whichever is longer. Both rates are measured on the same cores in the
same rounds. On a GPU each turn's steps are taken twice and the second time counts, so that what a shape's first step
takes is left out of all but --trials, which trains so many fused trials from start to end, for each width.
Memory is the peak of the processes, on a GPU that of their tensors, over the trials that are trained at once. The times
of many trials are put together from these, from the processes' start and from the trials' set-up.
"""

import argparse
import json
import math
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from training_inputs import CELLS, DEFAULT, Cell, Setting, prepare, set_up
from training_peak import Peak
from training_results import (
    BEST,
    RUN_GLUE,
    Result,
    Work,
    at_once,
    plain_json,
    report,
    report_trained,
    result_of,
    work_of,
)
from training_rivals import work
from training_turns import WARM_UP, Ready, Rival, Turn

from seedwise.data.tokens import TokenizedTask

PATHS = ("trainer", "plain", "packed", "compiled", "fused")
GPU_SPAN = 40  # steps of a turn
PATIENCE = 30  # seconds that a process gets to end
PACKAGES = ("seedwise", "torch", "transformers", "accelerate", "numpy")


class Team:
    """A rival's processes; they wait unless it is their turn.

    Args:
        rival: What they do.
        setting: With which model and rows.
        parameters: Parameters that a trial trains.
    """

    def __init__(self, rival: Rival, setting: Setting, parameters: int) -> None:
        self.rival, self.turns = rival, list[list[Turn]]()
        self.error: str | None = None
        self._pipes: list[Connection] = []
        self._processes: list[SpawnProcess] = []
        context = multiprocessing.get_context("spawn")
        for number in range(rival.processes):
            ours, theirs = context.Pipe()
            arguments = (rival, setting, parameters, number, theirs, time.time())
            process = context.Process(target=work, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        self.ready: list[Ready] = self._reports()

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
        for process in self._processes:
            process.join(PATIENCE)

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


def compete(setting: Setting, taking_part: Sequence[Rival], rounds: int, load: Work) -> tuple[list[Result], Peak]:
    """Let the rivals work in turn; return what was measured, and the rates of products and copies."""
    teams = [Team(rival, setting, load.parameters) for rival in taking_part]
    for _ in range(rounds):
        for team in teams:
            team.take_turn()
    results, peak = [], Peak(math.nan, math.nan)
    for team in teams:
        team.end()
        if team.error is not None:
            print(f"left out: {team.rival.title} ({at_once(team.rival)}): {team.error}")
        elif team.rival.path == "products":
            products = statistics.median(sum(1e12 / turn.step for turn in turns) for turns in team.turns)
            copies = statistics.median(sum(1e12 / turn.evaluation for turn in turns) for turns in team.turns)
            peak = Peak(products, copies)
        else:
            results.append(result_of(team.rival, team.ready, team.turns, load))
    return results, peak


def train_all(
    setting: Setting, taking_part: Sequence[Rival], trials: int, results: Sequence[Result], load: Work
) -> list[dict[str, Any]]:
    """Train many trials from start to end, stacked to each width; print and return how long it took."""
    found = []
    for rival in taking_part:
        if rival.path != "fused":
            continue
        team = Team(rival._replace(trials=trials), setting, load.parameters)
        team.take_turn()
        team.end()
        if team.error is not None:
            print(f"left out: {trials} trials, {rival.title} ({at_once(rival)}): {team.error}")
            continue
        start = max(ready.start for ready in team.ready)
        seconds = max(turn.step for turn in team.turns[0])
        report_trained(team.rival, start, seconds, results)
        memory = sum(turn.memory for turn in team.turns[0])
        found.append({"rival": team.rival._asdict(), "start": start, "seconds": seconds, "memory": memory})
    return found


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


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Time whole trials in seedwise and in the Hugging Face Trainer.")
    parser.add_argument("--cells", nargs="+", choices=CELLS, help="which (default: minilm and tiny on rte and cola)")
    parser.add_argument("--paths", nargs="+", choices=PATHS, help="who competes (default all)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default 3)")
    parser.add_argument("--steps", type=int, help="steps of a turn (by default 2 to 80, by cell; 40 on a GPU)")
    parser.add_argument("--width", type=int, nargs="+", default=[4], help="trials in a fused process (default 4)")
    parser.add_argument("--trials", type=int, default=0, help="also train so many from start to end, at each width")
    parser.add_argument("--cores", type=int, default=_cores(), help="cores that each uses (default all)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--model", help="the model of the cells minilm: a folder in the Hugging Face layout")
    parser.add_argument("--glue", type=Path, help="folder of GLUE's folders (RTE ...); needs --model")
    parser.add_argument("--output", type=Path, help="also write all results to this file, as JSON")
    parser.add_argument(
        "--quick", action="store_true", help="few rows and steps of one cell: a smoke test, no measurement"
    )
    given = parser.parse_args()
    if given.glue is not None and given.model is None:
        parser.error("--glue needs --model, whose tokenizer knows the words; give both or neither.")
    if given.device != "cpu":
        import torch

        if not torch.cuda.is_available():
            parser.error(f"--device must be cpu where there is no GPU, not {given.device!r}; leave it out.")
    if given.quick:
        given.rounds, given.steps, given.cores, given.cells = 1, given.steps or 2, 1, given.cells or ["tiny-cola"]
        given.paths = given.paths or ["trainer", "fused"]
    given.paths = given.paths or list(PATHS)
    given.cells = given.cells or list(DEFAULT if given.device == "cpu" else CELLS)
    processes = given.cores if given.device == "cpu" else 1
    if given.trials and ("fused" not in given.paths or given.trials < processes):
        parser.error(f"--trials trains on the path fused, at least {processes} trials, not {given.trials}; give both.")
    if given.steps is not None and given.steps < 2:  # the last is timed together with an evaluation
        parser.error(f"--steps must be at least 2, not {given.steps}; give 2 or more.")
    return given


def _cell(name: str, given: argparse.Namespace) -> Cell:
    cell = CELLS[name]
    return cell._replace(span=given.steps or (cell.span if given.device == "cpu" else GPU_SPAN))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(cell: Cell, folder: Path, glue: Path, given: argparse.Namespace) -> tuple[dict[str, Any], dict[str, float]]:
    """Measure and print one cell; return its results as plain JSON, and the ratios of its fastest path."""
    setting = prepare(cell, folder, given.model, glue, given.dtype, given.device)
    rows = TokenizedTask.open(setting.rows)
    load, needed = work_of(setting, rows), given.rounds * cell.span + WARM_UP
    shape = f"{setting.config.num_hidden_layers} x {setting.config.hidden_size}"
    trial = f"{load.steps} steps, {load.evaluations} evaluations of {len(rows.validation)} rows"
    print(f"\n{cell.model} ({shape}), {cell.task}: {trial}")
    if needed > load.steps:
        raise SystemExit(f"a trial has {load.steps} steps, but {needed} are to be timed; lower --rounds or --steps.")
    taking_part = rivals(given.cores, given.device, given.width, given.paths)
    started = time.perf_counter()
    results, peak = compete(setting, taking_part, given.rounds, load)
    ratios = report(results, load, peak)
    trained = train_all(setting, taking_part, given.trials, results, load) if given.trials else []
    print(f"measured in {(time.perf_counter() - started) / 60:.1f} minutes")
    measured = [plain_json(result, results, load, peak) for result in results]
    found = {"peak": peak._asdict(), "results": measured, "trained": trained, "ratios": ratios}
    return {**cell._asdict(), "work": load._asdict(), **found}, ratios


def main() -> None:
    """Measure all cells and print their tables, the ratios last."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a file shows each cell once it is done
    given = arguments()
    about = machine(given.device, given.cores)
    print(", ".join(f"{package} {number}" for package, number in about["versions"].items()))
    print(f"{about['machine']}, {given.cores} cores, {given.device}, {given.dtype}; {about['date']}")
    print(f"medians of {given.rounds} rounds; at once: processes x threads, and trials in each process")
    cells, last = {}, {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        chosen = {name: _cell(name, given) for name in given.cells}
        glue = set_up(folder, list(chosen.values()), given.model, given.glue, quick=given.quick)
        for name, cell in chosen.items():
            cells[name], last[name] = measure(cell, folder, glue, given)
            if given.output is not None:
                content = {**about, "dtype": given.dtype, "rounds": given.rounds, "cells": cells}
                given.output.write_text(json.dumps(content, indent=1), encoding="utf-8")
    if any(last.values()):
        print("\nthe Trainer's time over that of seedwise's fastest path")
    for title in dict.fromkeys(title for ratios in last.values() for title in ratios):
        found = [f"{ratios[title]:.1f} on {name}" for name, ratios in last.items() if title in ratios]
        print(f"{title}: {', '.join(found)}")


if __name__ == "__main__":
    main()
