"""Toy trials and curves for the tests of the store; loads no torch."""

from dataclasses import replace

from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.task import Task
from seedwise.values.trial import Measurement, Trial

TASK = Task.glue("rte")
RECIPE = Recipe(model="toy")


def trials(n: int, task: Task = TASK, recipe: Recipe = RECIPE) -> list[Trial]:
    return [Trial(task, recipe, seeds) for seeds in Seeds.paired(n)]


def interval(first: int, last: int, score: float = 0.5) -> list[Measurement]:
    """Steps first..last; every loss tells its step, the last one is an evaluation."""
    steps = [Measurement(step, step / 8) for step in range(first, last)]
    return [*steps, Measurement(last, last / 8, {"accuracy": score, "loss": 1 - score})]


def tracking(first: int, last: int) -> list[Measurement]:
    """Steps first..last that track the distance of three blocks and the gradient's norm; every value tells its step."""
    return [
        replace(m, tracked={"distance": (m.step / 8, m.step / 4, m.step / 2), "gradient_norm": (float(m.step),)})
        for m in interval(first, last)
    ]
