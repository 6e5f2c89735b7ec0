"""How long do a confidence band and its tuning curve take, here and in opda, and what do a million scores take?

    python benchmarks/bands.py                 about a minute
    python benchmarks/bands.py --large         also opda at N = 500, once: a minute more
    python benchmarks/bands.py --repeats 9
    python benchmarks/bands.py --quick         seconds: does it run?

Both compute the equal-tailed band of N scores and the band of the expected best of n = 1..N. opda finds the level by
100,000 simulated samples of N, on all cores; seedwise finds it exactly, on one. Each repeat computes everything anew,
opda and seedwise in turn; printed are medians in seconds. opda holds 100,000 floats for each
of the N ranks and hands them between processes, so beyond N = 100 it is measured only when asked.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray
from opda.nonparametric import EmpiricalDistribution

from seedwise.stats.best import bands
from seedwise.stats.best.expected_best import best_quantile, expected_best

SIZES = (48, 100, 625, 2000)
THEIR_SIZES = (48, 100)
LARGE = 500
MILLION = 1_000_000

Floats = NDArray[np.float64]
Ends = tuple[Floats, Floats]


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ours(scores: Floats) -> Ends:
    """Return the two ends of seedwise's band of the curve, nothing remembered from before."""
    bands._equal_tailed.cache_clear()  # noqa: SLF001 - the time of the first call is the question
    band = bands.expected_best_band(scores, np.arange(1, scores.size + 1), support=(0, 1))
    return band.lower, band.upper


def theirs(scores: Floats, seed: int = 0) -> Ends:
    """Return the two ends of opda's; a new generator makes it forget."""
    lower, _, upper = EmpiricalDistribution.confidence_bands(
        scores, 0.95, a=0.0, b=1.0, method="ld_equal_tailed", generator=np.random.default_rng(seed)
    )
    n = np.arange(1, scores.size + 1)
    return upper.average_tuning_curve(n), lower.average_tuning_curve(n)


def compare(size: int, repeats: int, *, both: bool) -> float | None:
    """Print one row of the table; return opda's time over ours where opda is measured."""
    scores = np.random.default_rng(size).beta(4, 2, size=size)
    mine, other = [], []
    for _ in range(repeats):
        mine.append(seconds(partial(ours, scores)))
        if both:
            other.append(seconds(partial(theirs, scores)))
    here = statistics.median(mine)
    if not both:
        print(f"{size:>6} {here:>10.4f} {'not run':>10} {'':>8} {'':>12}")
        return None
    there = statistics.median(other)
    apart = max(float(np.abs(a - b).max()) for a, b in zip(ours(scores), theirs(scores), strict=True))
    print(f"{size:>6} {here:>10.4f} {there:>10.2f} {there / here:>8.0f} {apart:>12.5f}")
    return there / here


def many(size: int, repeats: int) -> None:
    """Print what expected best and quantiles of so many scores take for n = 1..30."""
    scores, n = np.random.default_rng(0).random(size), np.arange(1, 31)
    print(f"\n{size:,} scores, n = 1..30, seconds")
    for replacement in (True, False):
        how = "with replacement" if replacement else "without replacement"
        mean = [seconds(partial(expected_best, scores, n, replacement=replacement)) for _ in range(repeats)]
        median = [seconds(partial(best_quantile, scores, n, 0.5, replacement=replacement)) for _ in range(repeats)]
        print(f"  {how:<20} mean and sd {statistics.median(mean):.2f}   median {statistics.median(median):.2f}")


def main() -> None:
    """Measure all and print the table, the ratio last."""
    parser = argparse.ArgumentParser(description="Time seedwise's and opda's equal-tailed bands.")
    parser.add_argument("--repeats", type=int, default=5, help="repeats of each measurement (default 5)")
    parser.add_argument("--large", action="store_true", help=f"also opda at N = {LARGE}, once")
    parser.add_argument("--quick", action="store_true", help="one small size, once: a smoke test, no measurement")
    arguments = parser.parse_args()
    sizes, repeats, size = (SIZES[:1], 1, MILLION // 100) if arguments.quick else (SIZES, arguments.repeats, MILLION)
    packages = ", ".join(f"{name} {version(name)}" for name in ("seedwise", "opda", "numpy", "scipy"))
    print(f"Python {platform.python_version()}, {packages}; {os.cpu_count()} cores, {platform.machine()}")
    print(f"medians of {repeats}, seconds\n")
    print(f"{'N':>6} {'seedwise':>10} {'opda':>10} {'ratio':>8} {'largest gap':>12}")
    ratios = {size: compare(size, repeats, both=size in THEIR_SIZES) for size in sizes}
    if arguments.large:
        ratios[LARGE] = compare(LARGE, 1, both=True)
    many(size, repeats)
    measured = [f"{ratio:.0f} at N = {size}" for size, ratio in ratios.items() if ratio]
    print(f"\nopda's time over seedwise's: {', '.join(measured)}")


if __name__ == "__main__":
    main()
