"""Toy trials and curves for the tests of the store; loads no torch."""

from seedwise.recipe import Recipe
from seedwise.seeds import Seeds
from seedwise.task import Task
from seedwise.trial import Measurement, Trial

TASK = Task.hub("rte")
RECIPE = Recipe(model="toy")


def trials(n: int, task: Task = TASK, recipe: Recipe = RECIPE) -> list[Trial]:
    return [Trial(task, recipe, seeds) for seeds in Seeds.paired(n)]


def interval(first: int, last: int, score: float = 0.5) -> list[Measurement]:
    """Steps first..last; every loss tells its step, the last one is an evaluation."""
    steps = [Measurement(step, step / 8) for step in range(first, last)]
    return [*steps, Measurement(last, last / 8, {"accuracy": score, "loss": 1 - score})]
