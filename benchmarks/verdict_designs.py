"""Which designs does ``verdicts.py`` measure, what do their trials score, and what is true of them?

A trial's quality is a mean plus effects of its init seed, its order seed and the rest, or, if it fails, a constant guess's.
Each of three evaluations, and the test score, is that quality plus noise of its own. What is true comes from many trials that
share no seed.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import itertools

from table_studies import TableStudy, table_study  # type: ignore[import-not-found]

__all__ = ["BASELINE", "DESIGNS", "Design", "Recipe", "Truth", "away", "draw", "draw_rows", "truth_of"]

Floats = NDArray[np.float64]
Seeds = tuple[NDArray[np.int64], NDArray[np.int64]]

BASELINE = 0.5
EVALUATIONS = 3
SHARES = (0.3, 0.1)  # of the variance of good trials: init, order
MANY = 200_000


@dataclass(frozen=True)
class Recipe:
    """What the trials of a recipe are like."""

    mean: float = 0.70  # of a trial that does not fail
    sd: float = 0.02
    failing: float = 0.0  # chance that a trial fails
    noise: float = 0.01  # sd of one evaluation about the trial's quality
    step: float = 0.0  # scores are multiples of this


class Truth(NamedTuple):
    """What is true of a recipe's trials, each with seeds of its own."""

    test: Floats  # test scores of many trials
    best: Floats  # their validation scores
    failed: float  # share of failed trials


@dataclass(frozen=True)
class Design:
    """How the trials of two recipes, or of several, share seeds."""

    name: str
    seeds: Callable[[], list[Seeds]]  # returns init and order seed of each trial, one pair a recipe
    recipe: Recipe = Recipe()
    together: float = 0.0  # correlation of a seed's effect on A with that on B
    differs: float = 0.01  # by how much the means differ away from the null


def away(design: Design) -> tuple[Recipe, Recipe]:
    """Return two recipes that differ in mean, spread and, where trials fail at all, in how many fail."""
    worse = design.recipe.failing + (0.1 if design.recipe.failing else 0.0)
    other = replace(design.recipe, mean=design.recipe.mean - design.differs, sd=1.5 * design.recipe.sd, failing=worse)
    return design.recipe, other


def draw(design: Design, recipes: tuple[Recipe, ...], generator: np.random.Generator) -> TableStudy:
    """Return a study of the design, with new trials."""
    common = [generator.standard_normal(1000) for _ in range(2)]
    parts = []
    for number, (recipe, (init, order)) in enumerate(zip(recipes, design.seeds(), strict=True)):
        effects = [
            np.sqrt(design.together) * shared + np.sqrt(1 - design.together) * generator.standard_normal(1000)
            for shared in common
        ]
        u = np.sqrt(SHARES[0]) * effects[0][init] + np.sqrt(SHARES[1]) * effects[1][order]
        scores, test = _scores(recipe, u, generator)
        own = {"init": init, "order": order, "baseline": BASELINE}
        parts.append(table_study(scores, test=test, recipe=f"recipe {number}", **own))
    return sum(parts[1:], start=parts[0])


def _scores(recipe: Recipe, seeds: Floats, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Return validation scores, (trials, evaluations), and test scores, (trials,)."""
    n = len(seeds)
    quality = recipe.mean + recipe.sd * (seeds + np.sqrt(1 - sum(SHARES)) * generator.standard_normal(n))
    fails = generator.random(n) < recipe.failing
    noise = np.where(fails, 0.002, recipe.noise)[:, None] * generator.standard_normal((n, EVALUATIONS + 1))
    scores = np.where(fails, BASELINE, quality)[:, None] + noise
    if recipe.step:
        scores = np.round(scores / recipe.step) * recipe.step
    scores = np.clip(scores, 0, 1)
    return scores[:, 1:], scores[:, 0]


def draw_rows(generator: np.random.Generator, *, trials: int, rows: int, differs: float) -> TableStudy:
    """Return a study of two recipes whose trials' answers on test rows are kept.

    Rows are unequally hard, a seed moves all rows of its trial, and ``differs``, in logits, is how unequally hard a row is for the
    two recipes; on the population of rows both are equally good.
    """
    hard = 1.0 + 1.2 * generator.standard_normal(rows)
    targets, parts = np.zeros(rows), []
    for number in range(2):
        own = hard + differs * generator.standard_normal(rows)
        logits = own + 0.15 * generator.standard_normal((trials, 1))
        right = generator.random((trials, rows)) < 1 / (1 + np.exp(-logits))
        outputs = np.stack([np.where(right, 1.0, -1.0), np.where(right, -1.0, 1.0)], axis=-1)
        seeds = np.arange(trials) + 1000 * number
        parts.append(
            table_study(
                generator.normal(0.7, 0.01, (trials, 1)),
                test=right.mean(axis=1),
                recipe=f"recipe {number}",
                init=seeds,
                order=seeds,
                baseline=BASELINE,
                outputs={"validation": outputs, "test": outputs},
                targets={"validation": targets, "test": targets},
            )
        )
    return parts[0] + parts[1]


def fresh(recipe: Recipe, n: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Return validation scores (best evaluation) and test scores of trials that share no seed."""
    scores, test = _scores(recipe, np.sqrt(sum(SHARES)) * generator.standard_normal(n), generator)
    return scores.max(axis=1), test


@cache
def truth_of(recipe: Recipe) -> Truth:
    """Return what is true of a recipe."""
    best, test = fresh(recipe, MANY, np.random.default_rng(12345))
    return Truth(test, best, float(np.mean(best <= BASELINE + 0.02 + 1e-12)))


def _apart(*counts: int) -> list[Seeds]:
    """Seeds that no two trials share."""
    ends = np.cumsum([0, *counts])
    ranges = [np.arange(start, end) for start, end in itertools.pairwise(ends)]
    return [(labels, labels) for labels in ranges]


def _grid(inits: int, orders: int, start: int = 0) -> Seeds:
    init, order = np.indices((inits, orders)) + start
    return init.ravel(), order.ravel()


def _nested(inits: int, orders: int, start: int) -> Seeds:
    """Every init seed with order seeds of its own."""
    init = start + np.repeat(np.arange(inits), orders)
    return init, start + np.arange(inits * orders)


def _one_init(init: int, orders: int, start: int) -> Seeds:
    return np.full(orders, init), start + np.arange(orders)


DESIGNS: tuple[Design, ...] = (
    Design("independent, 20 each", lambda: _apart(20, 20)),
    Design("paired, 20 seeds", lambda: [_apart(20)[0]] * 2, together=0.8),
    Design("crossed 6 x 6, seeds common", lambda: [_grid(6, 6)] * 2, together=0.8),
    Design("crossed 6 x 6, seeds apart", lambda: [_grid(6, 6), _grid(6, 6, 100)]),
    Design("nested, 5 inits x 5 own orders", lambda: [_nested(5, 5, 0), _nested(5, 5, 100)]),
    Design("grid 6 x 6 against 20 independent", lambda: [_grid(6, 6), _apart(100, 20)[1]]),
    Design("one init seed each, 20 orders", lambda: [_one_init(1, 20, 0), _one_init(2, 20, 100)]),
    Design("unequal n, 5 against 50", lambda: _apart(5, 50)),
    Design("10 % fail, 20 each", lambda: _apart(20, 20), Recipe(failing=0.1)),
    Design("30 % fail, 20 each", lambda: _apart(20, 20), Recipe(failing=0.3)),
    Design("crossed 6 x 6 apart, 30 % fail", lambda: [_grid(6, 6), _grid(6, 6, 100)], Recipe(failing=0.3)),
    Design("ties, steps of 0.02, 10 each", lambda: _apart(10, 10), Recipe(step=0.02)),
    Design("ties, 8 pairs", lambda: [_apart(8)[0]] * 2, Recipe(step=0.01), together=0.8),
)
