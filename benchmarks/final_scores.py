"""How long do expected best and variance components take for a million final scores?

    python benchmarks/final_scores.py                a quarter of a minute
    python benchmarks/final_scores.py --side 300     a grid of 300 x 300
    python benchmarks/final_scores.py --repeats 9
    python benchmarks/final_scores.py --quick        a grid of 50 x 50, once: does it run?

A grid of 1,000 init seeds x 1,000 order seeds, one score each: the expected best of n = 1..30 draws with its standard
deviation, and the shares of init, order and rest. Beside seedwise the formulas as the papers and textbooks write them,
in NumPy: every weight (i/N)^n - ((i-1)/N)^n over all trials, and one mask a seed for its mean. The rival gives numbers
only; seedwise checks its arguments and gives the shares' intervals too. Both work in turn, in one process, and must
agree; printed are medians in seconds. Together seedwise is to take less than 5 s.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seedwise.stats.best.expected_best import expected_best
from seedwise.stats.seeds.components import variance_components

SIDE = 1000
DRAWS = np.arange(1, 31)
LIMIT = 5.0  # seconds

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Result = TypeVar("Result")


def grid(side: int) -> tuple[Floats, Codes, Codes]:
    """Return scores with known shares, init and order seeds; the trials in no order."""
    generator = np.random.default_rng(0)
    init, order = (codes.ravel() for codes in np.indices((side, side)))
    luck = generator.normal(0, 0.02, side)[init] + generator.normal(0, 0.01, side)[order]
    scores = 0.70 + luck + generator.normal(0, 0.03, side * side)
    shuffled = generator.permutation(side * side)
    return scores[shuffled], init[shuffled], order[shuffled]


def best_as_written(scores: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the best of n: Dodge et al. (2019), section 3, term by term."""
    v, i = np.sort(scores), np.arange(1, scores.size + 1)
    weights = [(i / scores.size) ** n - ((i - 1) / scores.size) ** n for n in DRAWS]
    mean = np.array([np.sum(w * v) for w in weights])
    return mean, np.sqrt([np.sum(w * v**2) for w in weights] - mean**2)


def variance_as_written(scores: Floats, init: Codes, order: Codes) -> Floats:
    """Return the variances of init, order and rest: a textbook's two-way table, one mask a seed."""
    side = int(init.max()) + 1
    inits, orders = (np.array([scores[seed == level].mean() for level in range(side)]) for seed in (init, order))
    left = scores - inits[init] - orders[order] + scores.mean()
    rest = np.sum(left**2) / (side - 1) ** 2
    return np.array([inits.var(ddof=1) - rest / side, orders.var(ddof=1) - rest / side, rest])


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Return the wall time of one call and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def measure(side: int) -> tuple[list[float], list[float]]:
    """Return seconds of both questions, in seedwise and as written, after checking that the answers agree."""
    scores, init, order = grid(side)
    best, ours = timed(lambda: expected_best(scores, DRAWS))
    best_written, (mean, sd) = timed(lambda: best_as_written(scores))
    parts, components = timed(lambda: variance_components(scores, {"init": init, "order": order}))
    parts_written, variance = timed(lambda: variance_as_written(scores, init, order))
    np.testing.assert_allclose(ours.mean, mean, rtol=1e-9)
    np.testing.assert_allclose(ours.sd, sd, rtol=1e-6)
    np.testing.assert_allclose(components.variance, variance, rtol=1e-6)
    return [best, parts], [best_written, parts_written]


def main() -> None:
    """Measure both and print the table, the ratio last."""
    parser = argparse.ArgumentParser(description="Time expected best and variance components of a grid of scores.")
    parser.add_argument("--side", type=int, default=SIDE, help=f"seeds of each kind (default {SIDE})")
    parser.add_argument("--repeats", type=int, default=3, help="repeats of each measurement (default 3)")
    parser.add_argument("--quick", action="store_true", help="a small grid, once: a smoke test, no measurement")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.side, arguments.repeats = 50, 1
    packages = ", ".join(f"{name} {version(name)}" for name in ("seedwise", "numpy", "scipy"))
    print(f"Python {platform.python_version()}, {packages}; {os.cpu_count()} cores, {platform.machine()}")
    print(f"{arguments.side**2:,} trials, medians of {arguments.repeats}, seconds\n")
    runs = np.array([measure(arguments.side) for _ in range(arguments.repeats)])  # (repeats, seedwise or not, question)
    print(f"{'':<24} {'seedwise':>10} {'as written':>11} {'ratio':>7}")
    for question, title in enumerate(("expected best, n = 1..30", "variance components")):
        here, there = (statistics.median(runs[:, who, question].tolist()) for who in (0, 1))
        print(f"{title:<24} {here:>10.2f} {there:>11.2f} {there / here:>7.1f}")
    here, there = (statistics.median(runs[:, who].sum(axis=1).tolist()) for who in (0, 1))
    print(f"{'together':<24} {here:>10.2f} {there:>11.2f} {there / here:>7.1f}")
    print(f"\nseedwise in less than {LIMIT:g} s: {'yes' if here < LIMIT else 'NO'}")
    print(f"the formulas' time as written over seedwise's: {there / here:.1f}")


if __name__ == "__main__":
    main()
