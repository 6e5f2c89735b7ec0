"""How long does a large study take to open, analyse and report? Run ``python benchmarks/large_study.py``.

The study has the size of Dodge et al. (2020): 2,100 trials (625 of three tasks, 225 of a fourth), each with 1,000 training
losses and 30 evaluations. Its numbers are drawn: curves that rise with noise, some of which never leave the guess. Each
command runs as a user would run it, in a process of its own, start of Python included. With ``--quick`` the study is small:
does it run?

Targets: open in 1 s, analyze in 10 s, report in 20 s and below 4 MB.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from seedwise import Evaluations, Measurement, Recipe, Seeds, Study, Task, TrialState
from seedwise.store.store import Store
from seedwise.values.facts import Environment, TaskFacts
from seedwise.values.trial import Trial

STEPS, EVALUATIONS = 1000, 30
ROWS = 5_334  # of training
TASKS = (("rte", 25, 277, 0.53), ("mrpc", 25, 409, 0.75), ("cola", 25, 1043, 0.0), ("sst2", 15, 873, 0.51))
QUICK = (("rte", 3, 277, 0.53), ("cola", 2, 1043, 0.0))

Tasks = tuple[tuple[str, int, int, float], ...]
"""Of each task: its name, its init seeds (and order seeds), its validation rows, and what guessing scores."""


def main() -> None:
    """Build the study unless the folder holds it, then time what users do with it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keep the study here")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a small study, once: a smoke test, no measurement")
    arguments = parser.parse_args()
    tasks, repeats = (QUICK, 1) if arguments.quick else (TASKS, arguments.repeats)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary) / "study"
        if not (folder / "study.db").exists():
            start = time.perf_counter()
            build(folder, tasks)
            print(f"built in {time.perf_counter() - start:.0f} s")
        measure(folder, tasks, repeats)


def measure(folder: Path, tasks: Tasks, repeats: int) -> None:
    """Time each command in turn, and print medians."""
    times: dict[str, list[float]] = {"open": [], "status": [], "analyze": [], "report": []}
    for _ in range(repeats):
        times["open"].append(opening(folder, tasks))
        for command in (["status"], ["analyze", "--json"], ["report"]):
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "seedwise", command[0], folder, *command[1:]], check=True, capture_output=True
            )
            times[command[0]].append(time.perf_counter() - start)
    size = (folder / "study.db").stat().st_size
    print(f"study.db {size / 1e6:.1f} MB; medians of {repeats}")
    for name, taken in times.items():
        print(f"{name:8} {statistics.median(taken):6.2f} s")
    print(f"report.html {(folder / 'report.html').stat().st_size / 1e6:.2f} MB")


def opening(folder: Path, tasks: Tasks) -> float:
    """Return the seconds to open the study and read all its trials, in this process."""
    start = time.perf_counter()
    with Study.open(folder) as study:
        assert len(study.trials) == sum(n * n for _, n, _, _ in tasks)
    return time.perf_counter() - start


def build(folder: Path, tasks: Tasks) -> None:
    """Write the study through the store, as a run would."""
    generator = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(model="drawn", num_train_steps=STEPS, evaluations=Evaluations(EVALUATIONS, "run"))
    steps = list(recipe.evaluation_steps(ROWS))
    with Store.create_or_open(folder / "study.db", write=True) as store:
        for name, size, rows, guess in tasks:
            task = Task.glue(name)
            trials = [Trial(task, recipe, seeds) for seeds in Seeds.grid(size, size)]
            store.add_trials(trials)
            metric = task.metric
            counts = {"train": ROWS, "validation": rows}
            facts = TaskFacts(name, rows=counts, baselines={metric: guess}, steps=STEPS, evaluation_steps=tuple(steps))
            store.set_facts(task.id, recipe.id, facts)
            scores, test = curves(generator, len(trials), size, rows, guess)
            losses = np.maximum(
                0.05, 0.7 * np.exp(-np.arange(STEPS) / 400) + generator.normal(0, 0.1, (len(trials), STEPS))
            )
            for row, trial in enumerate(trials):
                fill(store, trial.id, metric, steps, scores[row], losses[row], test[row])


def curves(
    generator: np.random.Generator, count: int, size: int, rows: int, guess: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw scores with an effect of either seed and a share of failed trials, on the grid of correct answers."""
    effect = generator.normal(0, 0.012, size)[:, None] + generator.normal(0, 0.012, size)[None]
    final = guess + 0.17 + effect.ravel() + generator.normal(0, 0.015, count)
    rise = 1 - np.exp(-np.arange(1, EVALUATIONS + 1) / 8)
    found = guess + (final - guess)[:, None] * rise + generator.normal(0, 0.012, (count, EVALUATIONS))
    found[generator.random(count) < 0.2] = guess
    test = found.max(axis=1) + generator.normal(0, 0.01, count)
    return np.round(found * rows) / rows, test


def fill(
    store: Store, key: str, metric: str, steps: list[int], scores: np.ndarray, losses: np.ndarray, test: float
) -> None:
    """Write one trial, evaluation by evaluation in one transaction."""
    at = {step: {metric: float(score)} for step, score in zip(steps, scores, strict=True)}
    store.start(key, {"init": key}, Environment(seedwise="benchmark", device="none"))
    store.append(key, [Measurement(s, float(losses[s - 1]), at.get(s)) for s in range(1, STEPS + 1)], 30.0)
    best = steps[int(np.argmax(scores))]
    store.set_best(key, best, {metric: float(test)}, None)
    store.set_state(key, TrialState.COMPLETE)


if __name__ == "__main__":
    main()
