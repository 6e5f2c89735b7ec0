"""How good is the best of t trials, if only the p that lead early on are trained to the end?

Everything here is exact: no trials are sampled. Both laws rest on one remark. Let the trials stand in the order of their
early scores, best first. Given where the (p + 1)-th of the t drawn trials stands, the cutoff, the p that go on are a
random choice among the trials before it. So

    P(result <= v) = sum over cutoffs of P(cutoff) P(p random trials before the cutoff all end at v or below).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.checks import check_level, one_count
from seedwise.stats.stopping.cutoff import (
    Ranking,
    all_good,
    cutoff_density,
    cutoff_nodes,
    cutoff_probability,
    good_share,
    rank_trials,
    tied_terms,
)

__all__ = ["StoppedBest", "result_below", "result_quantile", "stopping_result"]

Floats = NDArray[np.float64]


class StoppedBest(NamedTuple):
    """The exact distribution of the best final score under a stopping rule.

    Args:
        values: Shape (V,): the distinct final scores, ascending.
        probability: Shape (V,): how probable each is as the result, in [0, 1]; sums to 1.
        mean: Expected result, in the unit of the scores.
        sd: Standard deviation of the result, in the unit of the scores.
        t: How many trials are started.
        p: How many of them go on to the end.
        replacement: Whether the t trials are drawn with replacement.
    """

    values: Floats
    probability: Floats
    mean: float
    sd: float
    t: int
    p: int
    replacement: bool


def stopping_result(
    early: ArrayLike, final: ArrayLike, *, t: int, p: int, replacement: bool = True, greater_is_better: bool = True
) -> StoppedBest:
    """Return the exact distribution of the best final score among the p early leaders of t trials.

    t of the N trials are drawn, the p with the best early scores go on, ties at random, and the best of their final
    scores is the result. With replacement a trial is a uniform number u, and each trial owns an interval of width 1/N,
    in the order of the early scores; with G_v(u) the length below u owned by trials that end at v or below (tied trials
    share their interval),

        P(result <= v) = (t - p) C(t, p) integral over u of G_v(u)^p (1 - u)^(t-p-1),    F(v)^t where p = t.

    Within a group of tied trials this is a polynomial of degree t - 1, for which ceil(t/2) Gauss-Legendre nodes are
    exact. Without replacement, with r trials before the cutoff and G_v(r) good ones among them,

        P(result <= v) = sum over r of E[C(G_v(r), p)] C(N - 1 - r, t - p - 1) / C(N, t),

    the expectation being over the random order within a group of tied trials: a sum over a hypergeometric count.

    Args:
        early: Shape (N,): best score so far of each trial when it is judged.
        final: Shape (N,): best score so far at the end of each trial; never worse than early.
        t: How many trials are started, at least 1; without replacement at most N.
        p: How many of them go on, from 1 to t.
        replacement: Whether the t trials are drawn with replacement, as in the paper; without, the result is that of
            the rule on a random subset of these very trials.
        greater_is_better: Whether a greater score is better.

    Returns:
        The distribution, its mean and its standard deviation.

    Raises:
        ValueError: Scores are not finite or not one a trial, a final score is worse than its early one, or t or p
            breaks its rule.

    Reference:
        Dodge et al. (2020), section 5, where it is simulated; the densities are those of order statistics (David and
        Nagaraja, 2003, "Order Statistics", chapter 2).

    Example:
        >>> early, final = [0.5, 0.6, 0.7, 0.5], [0.7, 0.6, 0.9, 0.8]
        >>> result = stopping_result(early, final, t=2, p=1, replacement=False)
        >>> result.values.tolist(), result.probability.round(3).tolist()
        ([0.6, 0.7, 0.8, 0.9], [0.333, 0.083, 0.083, 0.5])
        >>> round(result.mean, 3), result_quantile(result, 0.5)
        (0.775, 0.8)
    """
    ranking = rank_trials(early, final, greater_is_better=greater_is_better)
    kept, started = one_count("p (trials kept)", p), one_count("t (trials started)", t)
    if kept > started:
        raise ValueError(f"p (trials kept) must be at most t = {started}, not {kept}; keep fewer or start more.")
    if not replacement and started > ranking.trials:
        raise ValueError(
            f"t (trials started) must be at most {ranking.trials}, the number of trials, without replacement, not "
            f"{started}; start fewer, or draw with replacement."
        )
    below = result_below(ranking, started, kept, replacement=replacement)
    probability = np.maximum(np.diff(below / below[-1], prepend=0.0), 0.0)
    values = ranking.values
    if not greater_is_better:
        values, probability = -values[::-1], probability[::-1]
    mean = float(probability @ values)
    sd = float(np.sqrt(probability @ (values - mean) ** 2))
    return StoppedBest(values, probability, mean, sd, started, kept, replacement)


def result_quantile(result: StoppedBest, q: float) -> float:
    """Return the smallest score that the result does not exceed with probability q or more.

    Args:
        result: The distribution of the best final score.
        q: Which quantile, in (0, 1); 0.5 is the median.

    Raises:
        ValueError: q is not in (0, 1).

    Example:
        >>> result_quantile(stopping_result([0.5, 0.6], [0.7, 0.9], t=1, p=1), 0.5)
        0.7
    """
    check_level("q (the quantile)", q)
    below = np.cumsum(result.probability)
    place = int(np.searchsorted(below, q - 1e-12))  # 1e-12: a sum of probabilities is known to rounding only
    return float(result.values[min(place, len(below) - 1)])


def result_below(ranking: Ranking, t: int, p: int, *, replacement: bool) -> Floats:
    """Return P(result <= v) for each of the V final scores: the formula of ``stopping_result``."""
    law = _law_with_replacement if replacement else _law_without_replacement
    return law(ranking, t, p)


def _law_with_replacement(ranking: Ranking, t: int, p: int) -> Floats:
    """P(result <= v) for every value v."""
    columns = len(ranking.values)
    if t == p:
        below: Floats = ((ranking.good_before[-1] + ranking.good_within[-1]) / ranking.trials) ** t
        return below
    nodes = cutoff_nodes(ranking, np.full(len(ranking.size), -(-t // 2)))
    weight, below = nodes.weight * cutoff_density(nodes.u, t, p), np.zeros(columns)
    step = max(1, 2**20 // columns)  # 8 MB at a time
    for start in range(0, len(weight), step):
        some = slice(start, start + step)
        below += weight[some] @ good_share(ranking, nodes, some, columns) ** p
    return below


def _law_without_replacement(ranking: Ranking, t: int, p: int) -> Floats:
    """P(result <= v) for every value v."""
    if t == p:
        return all_good(ranking.good_before[-1] + ranking.good_within[-1], np.array(ranking.trials), t)
    cutoff, below = cutoff_probability(ranking.trials, t, p), np.zeros(len(ranking.values))
    for term in tied_terms(ranking, p, len(ranking.values)):
        below += np.bincount(term.row, cutoff[term.places] * term.chance, minlength=len(term.good)) @ term.good
    return below
