"""What does ``seedwise demo`` run? The three generated tasks with the encoder inside the package, trained here and now."""

from pathlib import Path

from seedwise.cli.executors import executor_of
from seedwise.cli.options import WorkerOptions
from seedwise.cli.run import run_to_the_end
from seedwise.study.study import Study
from seedwise.values.benchmarks import EMBEDDED
from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.stopping import StoppingRule
from seedwise.values.task import Task

__all__ = ["DEMO_RECIPE", "DEMO_RULE", "run_demo"]

DEMO_RULE = StoppingRule(t=8, f=0.3, p=2)
DEMO_RECIPE = Recipe(model="embedded", learning_rate=5e-4, num_train_epochs=3, batch_size=16, evaluations="10 per run")  # type: ignore[arg-type]


def run_demo(folder: Path, workers: WorkerOptions) -> None:
    """Run the demo's study, print its table and write its report."""
    tasks = [Task.embedded(name) for name in EMBEDDED]
    print(f"{len(tasks)} tasks x {DEMO_RULE.t} seeds: judged after {DEMO_RULE.f:.0%} of the run, {DEMO_RULE.p} kept.")
    seeds = Seeds.paired(DEMO_RULE.t)
    with Study.create(folder, tasks=tasks, recipes=[DEMO_RECIPE], seeds=seeds, rule=DEMO_RULE) as study:
        run_to_the_end(study, executor_of(workers))
