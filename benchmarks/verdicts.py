"""How often is what seedwise says of recipes wrong, whatever the design?

    python benchmarks/verdicts.py                  half an hour
    python benchmarks/verdicts.py --studies 2000   more of them, for a smaller Monte Carlo error
    python benchmarks/verdicts.py --quick          a few studies of each design: does it run?

Studies are simulated by design (``verdict_designs.py``), once with two equal recipes and once with two that differ in mean, spread
and failures, and go through ``sw.Analysis``, so that what is measured is what the user is told. The first column of a table is how
often a winner is named though there is none, or the worse recipe is; every other one how often an interval at 95 % holds
the truth. An asterisk marks what is worse than nominal by more than 3 Monte Carlo errors, a dash what was told in none of the
studies. Everything is seeded: the same numbers come out again.
"""

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from verdict_designs import BASELINE, DESIGNS, Design, Recipe, Truth, away, draw, draw_rows, truth_of

import seedwise as sw
from seedwise.analysis.base import StudyLike
from seedwise.analysis.cell import Cell
from seedwise.analysis.recipes import RecipeComparison
from seedwise.analysis.verdicts import Answer
from seedwise.stats.compare.sequential import sequential_looks

BOUND = 3
"""Monte Carlo errors beyond which a rate is marked."""

Told = Mapping[str, bool | None]
WRONG = "names a wrong winner"
ERRORS = frozenset({WRONG, "equal within the margin, though not"})


class Rate(NamedTuple):
    """How often something was so, of the studies in which it was told."""

    hits: int
    told: int

    @property
    def share(self) -> float:
        """The rate."""
        return self.hits / self.told if self.told else math.nan

    def marked(self, *, error: bool) -> bool:
        """Whether the rate is worse than nominal by more than chance."""
        spread = BOUND * math.sqrt(0.05 * 0.95 / self.told) if self.told else math.inf
        return self.share > 0.05 + spread if error else self.share < 0.95 - spread


def claims_of_pair(study: StudyLike, recipes: tuple[Recipe, Recipe], margin: float) -> Told:
    """Return for each claim on two recipes whether it is right; None where nothing is told."""
    analysis = sw.Analysis(study)
    found = analysis.compare("recipe 0", "recipe 1", margin=margin or None)
    verdict, (a, b) = found.verdict, map(truth_of, recipes)
    difference = float(a.test.mean() - b.test.mean()) if margin else 0.0
    better = {Answer.A_BETTER: 1, Answer.B_BETTER: -1}.get(verdict.answer, 0)
    return {
        WRONG: better != 0 and better != int(np.sign(difference)),
        "difference": None if verdict.test is None else verdict.lower <= difference <= verdict.upper,
        "equal within the margin, though not": verdict.answer is Answer.WITHIN_MARGIN if margin else None,
        **_beside(found, recipes),
    }


def _beside(found: RecipeComparison, recipes: tuple[Recipe, Recipe]) -> Told:
    a, b = map(truth_of, recipes)
    beats = _share_above(*recipes)
    ratio = float(a.test.std() / b.test.std())
    return {
        "P(A beats B)": None
        if found.improvement is None
        else found.improvement.lower <= beats <= found.improvement.upper,
        "ratio of sds": None if found.spread is None else found.spread.lower <= ratio <= found.spread.upper,
        "failed, A - B": None
        if found.failed is None
        else found.failed.lower <= a.failed - b.failed <= found.failed.upper,
    }


def claims_of_one(study: StudyLike, recipe: Recipe) -> Told:
    """Return for each claim on a single recipe whether it is right."""
    analysis, truth = sw.Analysis(study), truth_of(recipe)
    cell = analysis.cells[0]
    return {name: _known(tell, analysis, cell, recipe, truth) for name, tell in CLAIMS_OF_ONE.items()}


def _known(tell: Callable[..., bool], *arguments: object) -> bool | None:
    try:
        return tell(*arguments)
    except sw.UnknownError:
        return None


def _failed(analysis: sw.Analysis, cell: Cell, _: Recipe, truth: Truth) -> bool:
    share = analysis.failed(cell).share
    return share.lower <= truth.failed <= share.upper


def _rest(analysis: sw.Analysis, cell: Cell, _: Recipe, truth: Truth) -> bool:
    mean = analysis.hurdle(cell).mean
    return mean.lower <= float(truth.best[truth.best > BASELINE + 0.02].mean()) <= mean.upper


def _low(analysis: sw.Analysis, cell: Cell, _: Recipe, truth: Truth) -> bool:
    found = analysis.low_quantile(cell)
    return found.lower <= float(np.quantile(truth.best, 0.1)) <= found.upper


def _band(analysis: sw.Analysis, cell: Cell, recipe: Recipe, _: Truth) -> bool:
    found = analysis.expected_best(cell)
    expected = _expected_best(recipe, len(found.n))
    return bool(np.all((found.lower <= expected) & (expected <= found.upper)))


def _gap(analysis: sw.Analysis, cell: Cell, recipe: Recipe, _: Truth) -> bool:
    found = analysis.gap(cell)
    return found.gap.lower <= _gap_of(recipe, found.n) <= found.gap.upper


CLAIMS_OF_ONE: dict[str, Callable[..., bool]] = {
    "failed": _failed,
    "mean of the rest": _rest,
    "lowest tenth": _low,
    "expected best": _band,
    "gap": _gap,
}


@cache
def _share_above(one: Recipe, other: Recipe) -> float:
    """Share of pairs in which a trial of the one is higher, ties counting half."""
    a, b = truth_of(one).test, truth_of(other).test
    ranked = np.sort(b)
    below, not_above = (np.searchsorted(ranked, a, side=side) for side in ("left", "right"))
    return float(np.mean((below + not_above) / 2)) / len(b)


@cache
def _gap_of(recipe: Recipe, n: int) -> float:
    """Mean validation score less mean test score of the best of n trials."""
    truth = truth_of(recipe)
    chosen = truth.best[: len(truth.best) // n * n].reshape(-1, n)
    test = truth.test[: chosen.size].reshape(chosen.shape)
    picked = chosen.argmax(axis=1)[:, None]
    return float(np.mean(np.take_along_axis(chosen, picked, axis=1) - np.take_along_axis(test, picked, axis=1)))


@cache
def _expected_best(recipe: Recipe, most: int) -> np.ndarray:
    """Mean validation score of the best of 1, 2, ... trials."""
    ranked = np.sort(truth_of(recipe).best)
    chances = np.arange(len(ranked) + 1) / len(ranked)
    return np.array([np.diff(chances**n) @ ranked for n in range(1, most + 1)])


def measured(design: Design, studies: int, *, equal: bool, seed: int) -> dict[str, Rate]:
    """Return how often each claim was right, or wrong, in studies of a design."""
    generator = np.random.default_rng([seed, DESIGNS.index(design), equal])
    recipes = (design.recipe, design.recipe) if equal else away(design)
    truths = (truth_of(recipes[0]), truth_of(recipes[1]))
    margin = 0.0 if equal else abs(float(truths[0].test.mean() - truths[1].test.mean()))
    told = []
    for _ in range(studies):
        study = draw(design, recipes, generator)
        told.append({**claims_of_pair(study, recipes, margin), **claims_of_one(study, recipes[0])})
    return _counted(told)


def _counted(told: Sequence[Told]) -> dict[str, Rate]:
    found: dict[str, list[bool]] = defaultdict(list)
    for one in told:
        for name, right in one.items():
            if right is not None:
                found[name].append(bool(right))
    return {name: Rate(sum(found[name]), len(found[name])) for name in told[0]}


def many_recipes(studies: int, recipes: int, trials: int, seed: int) -> Rate:
    """Return how often some recipe is called worse than the best where all are equal."""
    generator, wrong = np.random.default_rng([seed, 100, recipes]), 0
    ends = [np.arange(start, start + trials) for start in range(0, recipes * trials, trials)]
    design = Design("", lambda: [(labels, labels) for labels in ends])
    for _ in range(studies):
        analysis = sw.Analysis(draw(design, (Recipe(),) * recipes, generator))
        wrong += bool(analysis.headline("toy").worse)
    return Rate(wrong, studies)


def looks(studies: int, pairs: int, recipe: Recipe, seed: int) -> tuple[Rate, Rate]:
    """Return how often equal recipes are told apart by looking after every pair: at the sequential test, and at p < 0.05."""
    from seedwise.stats.compare.tests import paired  # what looking at an ordinary test would do

    generator = np.random.default_rng([seed, 200, round(100 * recipe.failing)])
    pool = truth_of(recipe).test
    sequential = ordinary = 0
    for _ in range(studies):
        a, b = generator.choice(pool, (2, pairs))
        sequential += bool((sequential_looks(a, b).p < 0.05).any())
        ordinary += any(
            np.ptp(a[:n] - b[:n]) > 0 and paired(a[:n], b[:n], alternative="two-sided").p < 0.05
            for n in range(5, pairs + 1)
        )
    return Rate(sequential, studies), Rate(ordinary, studies)


def rows(studies: int, trials: int, count: int, differs: float, seed: int) -> dict[str, Rate]:
    """Return how often recipes that are equally good on all rows are told apart on few rows, and on new ones."""
    generator, told = np.random.default_rng([seed, 300, count]), []
    for _ in range(studies):
        study = draw_rows(generator, trials=trials, rows=count, differs=differs)
        found = sw.Analysis(study).compare("recipe 0", "recipe 1")
        new = found.new_rows
        told.append(
            {
                "on these rows": found.verdict.better is not None,
                "on new rows": None if new is None else new.better is not None,
            }
        )
    return _counted(told)


def table(title: str, found: Mapping[str, Mapping[str, Rate]]) -> str:
    """Return rates in percent as a Markdown table, one row a design; columns that nothing is told of are left out."""
    names = [name for name in next(iter(found.values())) if any(rates[name].told for rates in found.values())]
    lines = [f"| {title} | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    lines += [
        f"| {design} | {' | '.join(_cell(name, rates[name]) for name in names)} |" for design, rates in found.items()
    ]
    return "\n".join(lines)


def _cell(name: str, rate: Rate) -> str:
    if not rate.told:
        return "–"
    return f"{100 * rate.share:.1f}{'*' * rate.marked(error=name in ERRORS)}"


def main() -> None:
    """Simulate, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=500, help="studies of each design and scenario")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="two studies of each")
    asked = parser.parse_args()
    studies, started = (2 if asked.quick else asked.studies), time.perf_counter()
    spread = 100 * math.sqrt(0.05 * 0.95 / studies)
    print(f"{studies} studies of each; Monte Carlo error of 5 or 95 %: {spread:.1f} %. All numbers in percent.\n")
    for equal, title in ((True, "two equal recipes"), (False, "two that differ")):
        found = {design.name: measured(design, studies, equal=equal, seed=asked.seed) for design in DESIGNS}
        print(table(title, found), end="\n\n", flush=True)
    print("Of so many equal recipes of 10 trials each, some are called worse than the best:", end=" ")
    counts = (2, 5) if asked.quick else (2, 5, 10, 20)
    print(", ".join(f"{n}: {_cell(WRONG, many_recipes(studies, n, 10, asked.seed))}" for n in counts), flush=True)
    print(
        "Equal recipes told apart by looking after each of 5 to 60 pairs, sequentially (at an ordinary paired t-test):"
    )
    for failing in (0.0, 0.1, 0.3):
        always, once = looks(studies, 60, Recipe(failing=failing), asked.seed)
        print(f"  {failing:.0%} failing: {_cell(WRONG, always)} ({100 * once.share:.1f})", flush=True)
    print("Recipes that are equally good on all rows there are, 20 trials each, told apart:")
    for count in (60, 140, 500):
        rates = rows(studies, 20, count, 0.5, asked.seed)
        print(
            f"  {count} test rows: {', '.join(f'{name} {100 * rate.share:.1f}' for name, rate in rates.items() if rate.told)}"
        )
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
