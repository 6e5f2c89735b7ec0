"""What does ``seedwise demo`` run? The three tasks and the encoder inside the package, trained here and now."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

import seedwise as sw
from seedwise.cli.arguments import Json
from seedwise.cli.console import messages_aside, print_json
from seedwise.cli.options import WorkerOptions
from seedwise.cli.run import run_to_the_end
from seedwise.values.benchmarks import EMBEDDED
from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.stopping import StoppingRule
from seedwise.values.task import Task

__all__ = ["DEMO_RECIPE", "DEMO_RULE", "demo"]

DEMO_RULE = StoppingRule(t=8, f=0.3, p=2)
DEMO_RECIPE = Recipe(model="embedded", learning_rate=5e-4, num_train_epochs=3, batch_size=16, evaluations="10 per run")  # type: ignore[arg-type]


def demo(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="The study's folder.")] = Path("seedwise-demo"),
    workers: WorkerOptions = WorkerOptions(),
    json: Json = False,
) -> None:
    """Do the whole job offline: three small tasks, a small encoder, real training."""
    with messages_aside(json):
        ended = _run(output, workers)
    if json:
        print_json(ended)


def _run(folder: Path, workers: WorkerOptions) -> dict[str, Any]:
    from seedwise.cli.executors import executor_of

    tasks = [Task.embedded(name) for name in EMBEDDED]
    print(f"{len(tasks)} tasks x {DEMO_RULE.t} seeds: judged after {DEMO_RULE.f:.0%} of the run, {DEMO_RULE.p} kept.")
    seeds = Seeds.paired(DEMO_RULE.t)
    with sw.Study.create(folder, tasks=tasks, recipes=[DEMO_RECIPE], seeds=seeds, rule=DEMO_RULE) as study:
        return run_to_the_end(study, executor_of(workers))
