"""How much faster is a planning table computed exactly than simulated, and do the two agree?

    python benchmarks/planning.py            with nothing beside it
    python benchmarks/planning.py --quick    a smaller table and fewer draws: does it run?

It needs no data: one task of 625 trials with 30 evaluations
is made up, with accuracies on 277 rows, of which a fifth diverge, as on RTE. The paper simulates every (t, f, p) with 50,000
draws; here a plain Python loop plays a few settings with few draws, and its time is scaled up in proportion to the
draws and to the number of trials drawn, which is what its time is made of. The vectorised simulation is scaled likewise.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

from seedwise.stats.stopping.exact import stopping_result
from seedwise.stats.stopping.planning import Plan, planning_table
from seedwise.stats.stopping.simulation import simulate_stopping

TRIALS, EVALUATIONS, ROWS = 625, 30, 277
BUDGETS = range(1, 31)
DRAWS = 50_000  # of each setting, in the paper
LOOP_DRAWS = 500  # of the plain loop, which is scaled up
TIMED = 12  # settings that the simulations are timed on, evenly over the table
REPEATS = 5


def make_curves(rows: int | None = ROWS) -> np.ndarray:
    """Return best-so-far scores, shape (625, 30): accuracies on some rows, or scores without ties."""
    generator = np.random.default_rng(0)
    x = np.arange(1, EVALUATIONS + 1) / EVALUATIONS
    end = generator.normal(0.67, 0.03, (TRIALS, 1))
    curves = end - (end - 0.5) * np.exp(-x * generator.uniform(3, 8, (TRIALS, 1)))
    curves += generator.normal(0, 0.01, curves.shape)
    diverged = generator.random(TRIALS) < 0.2
    curves[diverged] = 0.53 + generator.normal(0, 0.004, (diverged.sum(), EVALUATIONS))
    if rows:
        curves = np.round(curves * rows) / rows
    return np.maximum.accumulate(curves, axis=1)


def play_plainly(early: Sequence[float], final: Sequence[float], t: int, p: int, draws: int) -> float:
    """Return the mean result over draws, one trial after the other."""
    trials, total = range(len(early)), 0.0
    for _ in range(draws):
        drawn = [(early[i], random.random(), final[i]) for i in random.choices(trials, k=t)]  # ties at random
        drawn.sort(reverse=True)
        total += max(end for _, _, end in drawn[:p])
    return total / draws


def seconds(work: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def sides(curves: np.ndarray, plan: Plan, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the early and the final scores of one setting."""
    return curves[:, round(plan.f[i] * EVALUATIONS) - 1], curves[:, -1]


def disagreement(curves: np.ndarray, plan: Plan, timed: np.ndarray, draws: int) -> tuple[float, float]:
    """Return the largest distance from the simulation in standard errors, and from the single rule's exact result."""
    far, off = 0.0, 0.0
    for i in timed:
        t, p = int(plan.t[i]), int(plan.p[i])
        found = simulate_stopping(*sides(curves, plan, i), t=t, p=p, draws=draws, seed=int(i))
        far = max(far, abs(found.mean - plan.mean[i]) / found.standard_error)
        off = max(off, abs(stopping_result(*sides(curves, plan, i), t=t, p=p).mean - plan.mean[i]))
    return far, off


def main() -> None:
    """Measure in turn, several times over; print medians and, last, the ratio."""
    parser = argparse.ArgumentParser(description="Time an exact planning table and a simulated one.")
    parser.add_argument(
        "--quick", action="store_true", help="few budgets and draws, once: a smoke test, no measurement"
    )
    quick = parser.parse_args().quick
    budgets, draws, loop_draws, repeats = (
        (range(1, 4), 2_000, 20, 1) if quick else (BUDGETS, DRAWS, LOOP_DRAWS, REPEATS)
    )
    curves, untied = make_curves(), make_curves(rows=None)
    fractions = np.arange(1, EVALUATIONS + 1) / EVALUATIONS
    plan = planning_table(curves, fractions, budgets)
    timed = np.linspace(0, len(plan.t) - 1, TIMED).astype(int)
    share = plan.t[timed].sum() / plan.t.sum()  # of all trials drawn, how many the timed settings draw

    def loop() -> None:
        for i in timed:
            early, final = (side.tolist() for side in sides(curves, plan, i))
            play_plainly(early, final, int(plan.t[i]), int(plan.p[i]), loop_draws)

    def vectorised() -> None:
        for i in timed:
            simulate_stopping(*sides(curves, plan, i), t=int(plan.t[i]), p=int(plan.p[i]), draws=draws // 5)

    work = {
        "exact table, accuracies": (lambda: planning_table(curves, fractions, budgets), 1.0),
        "exact table, no ties at all": (lambda: planning_table(untied, fractions, budgets), 1.0),
        "plain loop, scaled up": (loop, draws / loop_draws / share),
        "vectorised simulation, scaled up": (vectorised, 5 / share),
    }
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repeats):
        for name, (call, scale) in work.items():
            taken[name].append(scale * seconds(call))
    far, off = disagreement(curves, plan, timed, draws)
    print(f"{len(plan.t)} settings, {TRIALS} trials, {EVALUATIONS} evaluations; medians of {repeats} in turn")
    for name, times in taken.items():
        print(f"{name:34}{statistics.median(times):12.2f} s   ({min(times):.2f} to {max(times):.2f})")
    print(f"farthest of {TIMED} settings from {draws:,} simulated draws: {far:.1f} standard errors")
    print(f"farthest from the exact result of the rule alone: {off:.1e}")
    if far > 4 or off > 1e-8:
        raise SystemExit("the table and the simulation disagree.")
    exact, plain, fast = (statistics.median(taken[name]) for name in list(work)[0:1] + list(work)[2:])
    print(f"faster than the vectorised simulation: {fast / exact:,.0f} times")
    print(f"faster than the plain loop: {plain / exact:,.0f} times")


if __name__ == "__main__":
    main()
