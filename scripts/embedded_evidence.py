"""Is the embedded encoder worth fine-tuning, and how much do its seeds matter?

    python scripts/embedded_evidence.py                       20 seeds a task, pretrained and with random weights
    python scripts/embedded_evidence.py --learning-rate 1e-3  another recipe
    python scripts/embedded_evidence.py --quick               two short trials of one task: does it run?

Prints one line for each task and encoder: final validation score (mean, standard deviation, worst, best), test score and seconds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from seedwise.cli.demo import DEMO_RECIPE
from seedwise.data.pretrained import ENCODER
from seedwise.data.tokens import tokenize
from seedwise.training.loop import begin, train
from seedwise.training.metrics import score
from seedwise.training.plain import predict
from seedwise.values.benchmarks import EMBEDDED
from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.task import Task
from seedwise.values.trial import Trial

__all__ = ["main"]


class Outcome(NamedTuple):
    """What one trial came to: its last validation score, its test score and its seconds on one thread."""

    validation: float
    test: float
    seconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Train every task with every seed, pretrained and from random weights, and print the table."""
    parser = argparse.ArgumentParser(description="Compare the embedded encoder with random weights over many seeds.")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--tasks", nargs="+", default=list(EMBEDDED), choices=list(EMBEDDED))
    parser.add_argument("--encoder", default="embedded", help="folder of another encoder")
    parser.add_argument("--learning-rate", type=float, default=DEMO_RECIPE.learning_rate)
    parser.add_argument("--epochs", type=float, default=DEMO_RECIPE.num_train_epochs)
    parser.add_argument("--batch-size", type=int, default=DEMO_RECIPE.batch_size)
    parser.add_argument("--pretrained-only", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, help="also write every trial's scores to this file")
    parser.add_argument("--quick", action="store_true", help="two short trials of one task and encoder, in one process")
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        chosen.seeds, chosen.epochs, chosen.tasks, chosen.pretrained_only, chosen.processes = (
            2,
            0.2,
            ["acceptability"],
            True,
            1,
        )
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    recipe = DEMO_RECIPE.with_changes(
        model=chosen.encoder,
        learning_rate=chosen.learning_rate,
        num_train_epochs=chosen.epochs,
        batch_size=chosen.batch_size,
    )
    with tempfile.TemporaryDirectory() as folder:
        encoders = [("pretrained", recipe)]
        if not chosen.pretrained_only:
            encoders.append(("random", recipe.with_changes(model=_random_encoder(recipe.model, Path(folder)))))
        found = _run(chosen, encoders)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


def _run(chosen: argparse.Namespace, encoders: list[tuple[str, Recipe]]) -> dict[str, list[Outcome]]:
    print("| task | encoder | mean | sd | worst | best | test mean | test sd | seconds a trial |")
    print("|---|---|---|---|---|---|---|---|---|")
    found: dict[str, list[Outcome]] = {}
    with ExitStack() as opened:
        work: Callable[..., Iterable[Outcome]] = map
        if chosen.processes > 1:
            pool = ProcessPoolExecutor(chosen.processes, mp_context=get_context("spawn"))
            work = opened.enter_context(pool).map
        for task in chosen.tasks:
            for name, recipe in encoders:
                trials = [Trial(Task.embedded(task), recipe, seeds) for seeds in Seeds.paired(chosen.seeds)]
                found[f"{task} {name}"] = outcomes = list(work(_outcome, trials))
                print(_line(task, name, outcomes), flush=True)
    return found


def _line(task: str, name: str, outcomes: list[Outcome]) -> str:
    values, tests, seconds = np.array(outcomes).T
    scores = f"{values.mean():.3f} | {values.std(ddof=1):.3f} | {values.min():.3f} | {values.max():.3f}"
    return f"| {task} | {name} | {scores} | {tests.mean():.3f} | {tests.std(ddof=1):.3f} | {seconds.mean():.1f} |"


def _outcome(trial: Trial) -> Outcome:
    """Train one trial on one thread to its end and score it there."""
    torch.set_num_threads(1)
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    data = tokenize(trial.task, trial.recipe.model, trial.recipe.max_length)
    started = time.perf_counter()
    training = begin(trial, data)
    metrics = [measurement.metrics for measurement in train(training) if measurement.metrics][-1]
    seconds = time.perf_counter() - started
    assert data.test is not None
    test = score(data.kind, predict(training.model, data.test, data), np.asarray(data.test.labels))
    return Outcome(metrics[trial.task.metric], test[trial.task.metric], seconds)


def _random_encoder(model: str, folder: Path) -> str:
    """Save an encoder of the same shape and vocabulary with random weights."""
    source = str(ENCODER) if model == "embedded" else model
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModel.from_config(AutoConfig.from_pretrained(source)).save_pretrained(folder)  # type: ignore[no-untyped-call]
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    return str(folder)


if __name__ == "__main__":
    main()
