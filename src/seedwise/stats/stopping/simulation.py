"""What do stopping rules yield when they are played many times over on stored trials?

For comparison: the plain rule has a closed form in ``early_stopping``; rules that stop more than once, or that know
which trials share a seed, have none.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.checks import check_number, one_count, score_array, seeded
from seedwise.stats.stopping.budget import MOST_STARTED, fraction_array
from seedwise.stats.stopping.cutoff import rank_trials
from seedwise.stats.stopping.planning import curve_array

__all__ = ["HalvedBest", "SimulatedBest", "simulate_stopping", "successive_halving"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

AT_ONCE = 2**21  # numbers held at a time: 16 MB


class SimulatedBest(NamedTuple):
    """The best final score under a stopping rule, by simulation.

    Args:
        mean: Mean result over the draws, in the unit of the scores.
        standard_error: Standard error of the mean: standard deviation of the result over the root of draws.
        draws: How many times the rule was played.
    """

    mean: float
    standard_error: float
    draws: int


class HalvedBest(NamedTuple):
    """The best final score under successive halving, by simulation.

    Args:
        t: How many trials are started.
        rungs: The shares of the run after which trials are judged, ascending, in (0, 1).
        kept: How many trials go on after each rung.
        cost: What it costs, in full trainings.
        mean: Mean result over the draws, in the unit of the scores.
        standard_error: Standard error of the mean.
    """

    t: int
    rungs: tuple[float, ...]
    kept: tuple[int, ...]
    cost: float
    mean: float
    standard_error: float


def simulate_stopping(
    early: ArrayLike,
    final: ArrayLike,
    *,
    t: int,
    p: int,
    replacement: bool = True,
    draws: int = 50_000,
    seed: int = 0,
    greater_is_better: bool = True,
) -> SimulatedBest:
    """Play the rule on random draws of t trials, as the paper does; ``stopping_result`` is what this tends to.

    Args:
        early: Shape (N,): best score so far of each trial when it is judged.
        final: Shape (N,): best score so far at its end; never worse than early.
        t: How many trials are started, at least 1; without replacement at most N.
        p: How many of them go on, from 1 to t; ties in the early score are broken at random.
        replacement: Whether the t trials are drawn with replacement, as in the paper.
        draws: How many times the rule is played, at least 2.
        seed: Seed of the draws.
        greater_is_better: Whether a greater score is better.

    Raises:
        ValueError: Scores are not finite or not one a trial, a final score is worse than its early one, or a count
            breaks its rule.

    Reference:
        Dodge et al. (2020), section 5: 50,000 draws for each setting.

    Example:
        >>> found = simulate_stopping([0.5, 0.6, 0.7, 0.5], [0.7, 0.6, 0.9, 0.8], t=2, p=1, replacement=False)
        >>> bool(abs(found.mean - 0.775) < 4 * found.standard_error)
        True
    """
    rank_trials(early, final, greater_is_better=greater_is_better)  # refuses what is no pair of scores
    sign = 1.0 if greater_is_better else -1.0
    curves = sign * np.stack([score_array("early", early), score_array("final", final)], axis=1)
    started, kept = one_count("t (trials started)", t), one_count("p (trials kept)", p)
    if kept > started:
        raise ValueError(f"p (trials kept) must be at most t = {started}, not {kept}; keep fewer or start more.")
    if not replacement and started > len(curves):
        raise ValueError(
            f"t (trials started) must be at most {len(curves)}, the number of trials, without replacement, not "
            f"{started}; start fewer, or draw with replacement."
        )
    best = _played(
        curves,
        started,
        (kept,),
        replacement=replacement,
        draws=one_count("draws", draws, least=2, why="for a standard error"),
        seed=seed,
    )
    return SimulatedBest(sign * float(best.mean()), _standard_error(best), len(best))


def successive_halving(
    best_so_far: ArrayLike,
    fractions: ArrayLike,
    *,
    budget: float,
    eta: float = 2,
    most_started: int = MOST_STARTED,
    replacement: bool = True,
    draws: int = 50_000,
    seed: int = 0,
    greater_is_better: bool = True,
) -> HalvedBest:
    """Play successive halving: at each rung keep one in eta trials, so that every rung costs about the same.

    The rungs are the evaluations nearest to the shares 1/eta, 1/eta^2, ... of the run, the later of two equally near,
    down to the first evaluation; as many trials are started as the budget pays for.

    Args:
        best_so_far: Shape (N, E): best score so far of each trial at each evaluation; never worse than before.
        fractions: Shape (E,): share of the run at each evaluation, ascending in (0, 1], the last 1.
        budget: Budget in full trainings, at least 1.
        eta: One in how many trials goes on at a rung, above 1; at least one trial always does.
        most_started: The largest t allowed; without replacement N is a bound, too.
        replacement: Whether the trials are drawn with replacement.
        draws: How many times it is played, at least 2.
        seed: Seed of the draws.
        greater_is_better: Whether a greater score is better.

    Raises:
        ValueError: Scores are not finite or become worse along a row, or an argument breaks its rule.

    Reference:
        Jamieson and Talwalkar (2016), "Non-stochastic Best Arm Identification and Hyperparameter Optimization", on
        which Dodge et al. (2020), section 5, build.

    Example:
        >>> curves = np.maximum.accumulate(np.random.default_rng(0).normal(0.7, 0.05, (40, 4)), axis=1)
        >>> found = successive_halving(curves, [0.25, 0.5, 0.75, 1], budget=4)
        >>> found.t, found.rungs, found.kept, found.cost
        (8, (0.25, 0.5), (4, 2), 4.0)
    """
    curves = curve_array(best_so_far, fractions, greater_is_better=greater_is_better)
    check_number("budget", budget)
    check_number("eta", eta)
    if not 1 <= budget < np.inf:
        raise ValueError(f"budget must pay for at least 1 full training, not {budget!r}; give 1 or more.")
    if not 1 < eta < np.inf:
        raise ValueError(f"eta must be above 1, not {eta!r}; 2 halves the trials at each rung.")
    rungs = _rungs(fraction_array(fractions), eta)
    most = most_started if replacement else min(most_started, len(curves))
    t, kept, cost = _most_affordable(np.append(fraction_array(fractions)[rungs], 1.0), budget, eta, most)
    columns = np.append(rungs, -1)
    best = _played(
        curves[:, columns],
        t,
        kept,
        replacement=replacement,
        draws=one_count("draws", draws, least=2, why="for a standard error"),
        seed=seed,
    )
    shares = tuple(fraction_array(fractions)[rungs].tolist())
    mean = float(best.mean()) if greater_is_better else -float(best.mean())
    return HalvedBest(t, shares, kept, cost, mean, _standard_error(best))


def _rungs(shares: Floats, eta: float) -> Counts:
    """Which evaluations are nearest to the shares eta^-1, eta^-2, ... of the run."""
    wanted = eta ** -np.arange(1, 1 + np.ceil(np.log(1 / shares[0]) / np.log(eta) - 1e-9))
    distance = np.abs(wanted[:, None] - shares[:-1]) - 1e-9 * np.arange(len(shares) - 1)
    return np.unique(np.argmin(distance, axis=1)).astype(np.int64) if distance.size else np.empty(0, np.int64)


def _most_affordable(ends: Floats, budget: float, eta: float, most_started: int) -> tuple[int, tuple[int, ...], float]:
    """The largest t, how many go on after each rung, and the cost, which never falls as t grows."""
    lengths = np.diff(ends, prepend=0.0)
    found: tuple[int, tuple[int, ...], float] = (1, (1,) * (len(ends) - 1), 1.0)
    for t in range(2, most_started + 1):
        kept: list[int] = []
        for _ in ends[:-1]:
            kept.append(max(1, int((kept[-1] if kept else t) / eta + 1e-9)))
        cost = float(lengths @ [t, *kept])
        if cost > budget + 1e-9:
            break
        found = (t, tuple(kept), round(cost, 9))
    return found


def _played(curves: Floats, t: int, kept: tuple[int, ...], *, replacement: bool, draws: int, seed: int) -> Floats:
    """The best final score in each draw of t trials, of which kept[i] go on from column i."""
    generator, n = seeded(seed), len(curves)
    place = np.empty(curves.shape)  # best first, ties alike
    for column, scores in enumerate(curves.T):
        place[:, column] = np.unique(-scores, return_inverse=True)[1]
    best = np.empty(draws)
    step = max(1, AT_ONCE // (t if replacement else n))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        if replacement:
            going = generator.integers(0, n, (size, t))
        else:
            going = np.argsort(generator.random((size, n)), axis=1)[:, :t]
        for column, count in enumerate(kept):
            if count < going.shape[1]:
                key = place[going, column] + generator.random(going.shape)
                going = np.take_along_axis(going, np.argpartition(key, count - 1, axis=1)[:, :count], axis=1)
        best[start : start + size] = curves[going, -1].max(axis=1)
    return best


def _standard_error(best: Floats) -> float:
    return float(best.std(ddof=1) / len(best) ** 0.5)
