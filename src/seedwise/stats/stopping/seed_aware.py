"""Does it help a stopping rule to know which trials share an initialisation and which share a data order?

Dodge et al. (2020), section 5, leave this to future work. Here a rule starts a whole sub-grid of init x order seeds,
drops the seeds that do badly on average, and then goes on with the best trials of those that are left.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.checks import label_array, one_count, seeded
from seedwise.stats.stopping.budget import MOST_STARTED, fraction_array, settings
from seedwise.stats.stopping.planning import best_rules, curve_array, planning_table

__all__ = ["SeedAwareBest", "seed_aware_stopping"]

Floats = NDArray[np.float64]

SEARCH = 400  # draws to find candidates: a standard error of a twentieth of the result's sd
FINALISTS = 20  # candidates that are played again before one is chosen


class SeedAwareBest(NamedTuple):
    """The best rule found that knows init seeds from order seeds, beside the best one that does not.

    Args:
        inits: How many init seeds are started, each with every order seed started.
        orders: How many order seeds are started.
        f: The share of the run after which trials are judged.
        drops: Which seeds are dropped as a whole: "init", "order" or "none".
        seeds_kept: How many of those seeds are kept: the ones with the best mean early score.
        p: How many trials go on to the end: the best early scores among the seeds kept.
        cost: What it costs, inits orders f + p (1 - f), in full trainings.
        mean: Mean result over fresh draws, in the unit of the scores.
        standard_error: Standard error of the mean.
        plain_t: How many trials the best plain rule of the same budget starts.
        plain_f: Where that rule judges them.
        plain_p: How many trials it trains to the end.
        plain_mean: Its exact expected result without replacement.
        candidates: How many seed-aware rules were tried; the best of many looks better than it is.
    """

    inits: int
    orders: int
    f: float
    drops: str
    seeds_kept: int
    p: int
    cost: float
    mean: float
    standard_error: float
    plain_t: int
    plain_f: float
    plain_p: int
    plain_mean: float
    candidates: int


class _Candidate(NamedTuple):
    inits: int
    orders: int
    f: float
    p: int
    cost: float
    drops: str
    seeds_kept: int


def seed_aware_stopping(
    best_so_far: ArrayLike,
    fractions: ArrayLike,
    init: Iterable[Any],
    order: Iterable[Any],
    *,
    budget: float,
    most_started: int = MOST_STARTED,
    draws: int = 20_000,
    seed: int = 0,
    greater_is_better: bool = True,
) -> SeedAwareBest:
    """Find the best rule that drops whole seeds, and compare it with the best plain rule of the same budget.

    A rule starts a random sub-grid of init x order seeds, judges all its trials at f, keeps the init seeds (or order
    seeds) with the best mean early score, and trains the p best trials of these to the end; ties are broken at random.
    Every such rule whose (t, f, p) ``settings`` allows is played 400 times, the 20 best are played again, and the
    best of those is judged by fresh draws. Both kinds of rules are chosen and judged on the same trials, the seed-aware
    one among many more: a lead of less than the choice can feign is no lead.

    Args:
        best_so_far: Shape (N, E): best score so far of each trial at each evaluation; never worse than before.
        fractions: Shape (E,): share of the run at each evaluation, ascending in (0, 1], the last 1.
        init: Shape (N,): each trial's init seed.
        order: Shape (N,): each trial's order seed; every pair of seeds must occur exactly once.
        budget: Budget in full trainings, at least 1.
        most_started: The largest t allowed.
        draws: How many times the chosen rule is played, at least 100.
        seed: Seed of the draws.
        greater_is_better: Whether a greater score is better.

    Returns:
        The best seed-aware rule with its mean, and the best plain one.

    Raises:
        ValueError: The grid is not complete, no sub-grid fits the budget, or an argument breaks its rule.

    Reference:
        Dodge et al. (2020), section 5, note 11.

    Example:
        >>> generator = np.random.default_rng(0)
        >>> init, order = np.repeat(np.arange(6), 6), np.tile(np.arange(6), 6)
        >>> scores = 0.7 + 0.05 * generator.normal(size=6)[init, None] + 0.01 * generator.normal(size=(36, 4))
        >>> curves = np.maximum.accumulate(scores, axis=1)
        >>> found = seed_aware_stopping(curves, [0.25, 0.5, 0.75, 1], init, order, budget=4)
        >>> found.drops, found.seeds_kept < found.inits, round(found.cost, 9)
        ('init', True, 4.0)
    """
    curves = curve_array(best_so_far, fractions, greater_is_better=greater_is_better)
    draws = one_count("draws", draws, least=100, why="for a standard error")
    grid = _grid(curves, init, order)  # (init, order, E)
    candidates = _candidates(grid.shape[0], grid.shape[1], budget, fractions, most_started)
    plain = best_rules(planning_table(curves, fractions, [budget], most_started=most_started, replacement=False))
    if not candidates:
        raise ValueError(f"budget must pay for a sub-grid of which some trials are stopped, not {budget:g}; give more.")
    generator = seeded(seed)
    finalists = _best(grid, fractions, candidates, SEARCH, generator)[:FINALISTS]
    chosen = _best(grid, fractions, finalists, max(100, draws // 4), generator)[0]
    result = _play(grid, fractions, [chosen], draws, generator)[0]
    sign = 1.0 if greater_is_better else -1.0
    return SeedAwareBest(
        inits=chosen.inits,
        orders=chosen.orders,
        f=chosen.f,
        drops=chosen.drops,
        seeds_kept=chosen.seeds_kept,
        p=chosen.p,
        cost=chosen.cost,
        mean=sign * float(result.mean()),
        standard_error=float(result.std(ddof=1) / len(result) ** 0.5),
        plain_t=int(plain.t[0]),
        plain_f=float(plain.f[0]),
        plain_p=int(plain.p[0]),
        plain_mean=sign * float(plain.mean[0]),
        candidates=len(candidates),
    )


def _grid(curves: Floats, init: Iterable[Any], order: Iterable[Any]) -> Floats:
    """The curves as an array of init seeds, order seeds and evaluations."""
    rows, columns = label_array("init", init, len(curves)), label_array("order", order, len(curves))
    shape = (int(rows.max()) + 1, int(columns.max()) + 1)
    found = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    if (found != 1).any():
        raise ValueError(
            f"init and order must form a complete grid, each pair once, but of {shape[0]} x {shape[1]} pairs "
            f"{int((found == 0).sum())} are missing and {int((found > 1).sum())} occur more than once; leave out the "
            "seeds that are not crossed with all others."
        )
    grid = np.empty((*shape, curves.shape[1]))
    grid[rows, columns] = curves
    return grid


def _candidates(inits: int, orders: int, budget: float, fractions: ArrayLike, most_started: int) -> list[_Candidate]:
    """Every rule that the budget pays for, sub-grids of the same size side by side."""
    found = settings([budget], fractions, most_started=min(most_started, inits * orders))
    candidates = []
    for t, f, p, cost in zip(found.t.tolist(), found.f.tolist(), found.p.tolist(), found.cost.tolist(), strict=True):
        for a in range(1, inits + 1):
            b = t // a
            if f == 1 or a * b != t or b > orders:
                continue
            kinds = [("init", k) for k in range(1, a) if k * b >= p] + [("order", k) for k in range(1, b) if k * a >= p]
            candidates += [_Candidate(a, b, f, p, cost, drops, k) for drops, k in [("none", a), *kinds]]
    return candidates


def _best(
    grid: Floats, fractions: ArrayLike, candidates: list[_Candidate], draws: int, generator: np.random.Generator
) -> list[_Candidate]:
    """The candidates, best mean result first."""
    means = [result.mean() for result in _play(grid, fractions, candidates, draws, generator)]
    return [candidates[i] for i in np.argsort(np.negative(means), kind="stable")]


def _play(
    grid: Floats, fractions: ArrayLike, candidates: list[_Candidate], draws: int, generator: np.random.Generator
) -> list[Floats]:
    """Each candidate's results; neighbours with the same sub-grid and f share their draws."""
    shares, results, drawn = fraction_array(fractions), [], (0, 0, 0.0)
    for candidate in candidates:
        a, b = candidate.inits, candidate.orders
        if drawn != (a, b, candidate.f):
            drawn = (a, b, candidate.f)
            rows = np.argsort(generator.random((draws, grid.shape[0])), axis=1)[:, :a, None]
            columns = np.argsort(generator.random((draws, grid.shape[1])), axis=1)[:, None, :b]
            early = grid[rows, columns, int(np.argmin(np.abs(shares - candidate.f)))]  # (draws, a, b)
            # Ties at random: a stable sort of what stands in random order.
            shuffled = np.argsort(generator.random((draws, a * b)), axis=1)
            places = np.argsort(-np.take_along_axis(early.reshape(draws, -1), shuffled, axis=1), axis=1, kind="stable")
            places = np.take_along_axis(shuffled, places, axis=1)  # (draws, a b): the trials, best early score first
            ends = np.take_along_axis(grid[rows, columns, -1].reshape(draws, -1), places, axis=1)
            seats = {  # (draws, a b): from 0, how its seed stands among the seeds of its kind
                "init": np.take_along_axis(_standing(early.mean(axis=2)), places // b, axis=1),
                "order": np.take_along_axis(_standing(early.mean(axis=1)), places % b, axis=1),
            }
        allowed = seats["order" if candidate.drops == "order" else "init"] < candidate.seeds_kept
        going = allowed & (np.cumsum(allowed, axis=1) <= candidate.p)
        results.append(np.where(going, ends, -np.inf).max(axis=1))
    return results


def _standing(means: Floats) -> NDArray[np.intp]:
    """Each seed's place from 0, best mean first; the seeds stand in random order, so ties are broken at random."""
    means = np.round(means, 12)  # equal means are equal up to rounding
    return np.argsort(np.argsort(-means, axis=1, kind="stable"), axis=1)
