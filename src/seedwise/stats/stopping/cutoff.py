"""Who stands before the cutoff, the first trial that a stopping rule drops?

Trials stand in the order of their early scores, best first, in groups of equal scores. Where the cutoff falls is a matter
of t and p alone; who ends well among the trials before it, a matter of the trials alone. The laws of ``early_stopping``
and ``planning`` put the two together.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from seedwise.stats.checks import score_array

__all__ = [
    "Nodes",
    "Ranking",
    "TiedTerm",
    "all_good",
    "cutoff_density",
    "cutoff_nodes",
    "cutoff_probability",
    "good_share",
    "rank_trials",
    "tied_terms",
]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Ranking(NamedTuple):
    """Trials in the order of their early scores, best first, in K groups of equal early scores."""

    trials: int  # how many there are (N)
    values: Floats  # shape (V,): the distinct final scores, ascending; greater is better
    before: Counts  # shape (K,): how many trials stand before the group
    size: Counts  # shape (K,): how many are in the group
    good_before: Counts  # shape (K, V): how many of those before end at the value or below
    good_within: Counts  # shape (K, V): how many of those in the group do


class Nodes(NamedTuple):
    """Points of the unit interval at which an integral over the cutoff's place is evaluated."""

    group: Counts  # shape (M,): the group of tied trials the point falls in
    share: Floats  # shape (M,): which share of the group stands before it, in (0, 1)
    u: Floats  # shape (M,): the point, ascending, in (0, 1)
    weight: Floats  # shape (M,): its weight; they sum to 1


def rank_trials(early: ArrayLike, final: ArrayLike, *, greater_is_better: bool = True) -> Ranking:
    """Order trials by early score and count, for each group of ties, who ends at or below each final score."""
    sign = 1.0 if greater_is_better else -1.0
    first, last = sign * score_array("early", early), sign * score_array("final", final)
    if len(first) != len(last):
        raise ValueError(f"early and final must have one score a trial, not {len(first)} and {len(last)}.")
    worse = np.flatnonzero(last < first)
    if len(worse):
        raise ValueError(
            f"final must not be worse than early, but trial {worse[0]} falls from {sign * first[worse[0]]:g} to "
            f"{sign * last[worse[0]]:g}; give the best score so far, not the last one."
        )
    group, size = np.unique(-first, return_inverse=True, return_counts=True)[1:]
    values, value = np.unique(last, return_inverse=True)
    cells = np.bincount(group * len(values) + value, minlength=len(size) * len(values))
    within = np.cumsum(cells.reshape(len(size), len(values)), axis=1)  # (K, V)
    return Ranking(len(first), values, np.cumsum(size) - size, size, np.cumsum(within, axis=0) - within, within)


def cutoff_nodes(ranking: Ranking, counts: Counts) -> Nodes:
    """Return Gauss-Legendre nodes in every group's interval: counts[k] of them, exact to degree 2 counts[k] - 1."""
    group = np.repeat(np.arange(len(counts)), counts)
    share, weight = np.empty(len(group)), np.empty(len(group))
    for count in np.unique(counts):
        x, w = np.polynomial.legendre.leggauss(int(count))
        mine, repeats = np.repeat(counts == count, counts), int(np.sum(counts == count))
        share[mine], weight[mine] = np.tile((x + 1) / 2, repeats), np.tile(w / 2, repeats)
    u = (ranking.before[group] + share * ranking.size[group]) / ranking.trials
    return Nodes(group, share, u, weight * ranking.size[group] / ranking.trials)


def good_share(ranking: Ranking, nodes: Nodes, some: slice, columns: int) -> Floats:
    """Return the share G_v(u) / u of the trials before some nodes that end at each of the first values or below."""
    group = nodes.group[some]
    good = ranking.good_within[group, :columns] * nodes.share[some, None]
    good += ranking.good_before[group, :columns]
    good /= (ranking.trials * nodes.u[some])[:, None]
    return good


def cutoff_density(u: Floats, t: Counts | int, p: int) -> Floats:
    """Return the density at u of the (p + 1)-th smallest of t > p uniform numbers, Beta(p + 1, t - p)."""
    scale = gammaln(np.add(t, 1)) - gammaln(p + 1) - gammaln(np.subtract(t, p))
    exponent: Floats = np.exp(scale + p * np.log(u) + np.subtract(t, p + 1) * np.log1p(-u))
    return exponent


def cutoff_probability(trials: int, t: Counts | int, p: int) -> Floats:
    """Return for r = 0..N-1 the probability that r trials stand before the (p + 1)-th of t > p without replacement."""
    r = np.arange(trials)
    log = _log_choose(r, p) + _log_choose(trials - 1 - r, np.subtract(t, p + 1)) - _log_choose(trials, t)
    probability: Floats = np.exp(log)
    return probability


class TiedTerm(NamedTuple):
    """The part of the law without replacement in which i of the p that go on are tied with the cutoff."""

    places: Counts  # shape (R,): the cutoffs r, trials before the cutoff, at which i can be
    row: Counts  # shape (R,): the row of ``good`` that belongs to each
    chance: Floats  # shape (R,): how probable it is that i of p are tied with the cutoff
    good: Floats  # shape (rows, V): how probable it is that all p are good, for each group


def tied_terms(ranking: Ranking, p: int, columns: int) -> Iterator[TiedTerm]:
    """Yield, for i = 0, 1, ..., the case that i of the p that go on are tied with the cutoff.

    Before a cutoff within a group stand all trials of better groups and j of the group's own, a random choice of them.
    So i is hypergeometric, and given i, p - i trials are a random choice of the better ones and i one of the group's.
    """
    group = np.repeat(np.arange(len(ranking.size)), ranking.size)
    ahead = np.arange(ranking.trials) - ranking.before[group]  # j, for every place
    for i in range(min(p, int(ranking.size.max()) - 1) + 1):
        places = np.flatnonzero((ahead >= i) & (ranking.before[group] >= p - i))
        if not len(places):
            continue
        mine, row = np.unique(group[places], return_inverse=True)
        before, j = ranking.before[group[places]], ahead[places]
        chance = np.exp(_log_choose(before, p - i) + _log_choose(j, i) - _log_choose(before + j, p))
        good = all_good(ranking.good_before[mine, :columns], ranking.before[mine, None], p - i)
        if i:
            good *= all_good(ranking.good_within[mine, :columns], ranking.size[mine, None], i)
        yield TiedTerm(places, row, chance, good)


def all_good(good: Counts, total: Counts, drawn: int) -> Floats:
    """The probability that all of several trials drawn without replacement are good: C(good, drawn) / C(total, drawn)."""
    probability: Floats = np.exp(_log_choose(good, drawn) - _log_choose(total, drawn))
    return probability


def _log_choose(n: ArrayLike, k: ArrayLike) -> Floats:
    """The logarithm of C(n, k) for whole numbers: -inf where k > n."""
    n, k = np.broadcast_arrays(n, k)
    possible = k <= n
    log = gammaln(n + 1) - gammaln(k + 1) - gammaln(np.where(possible, n - k, 0) + 1)
    return np.where(possible, log, -np.inf)
