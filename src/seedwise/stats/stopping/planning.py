"""Which (t, f, p) makes the most of a budget, and how much better is it than stopping nothing?

Every setting is computed exactly, not simulated, and settings share their work: for one f all of them share the ranking
by early score, and for one f and p all of them share the integrand, which t enters through a weight only.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedwise.stats.checks import check_number, float_array, score_array
from seedwise.stats.stopping.budget import MOST_STARTED, Settings, fraction_array, settings
from seedwise.stats.stopping.cutoff import (
    Nodes,
    Ranking,
    cutoff_density,
    cutoff_nodes,
    cutoff_probability,
    good_share,
    rank_trials,
    tied_terms,
)
from seedwise.stats.stopping.exact import result_below

__all__ = [
    "Plan",
    "best_rules",
    "curve_array",
    "error_reduction",
    "expected_results",
    "full_trainings",
    "planning_table",
    "settings",
]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

NEGLIGIBLE = 1e-13  # of the range of the scores


class Plan(NamedTuple):
    """Stopping rules, what they cost and what is to be expected of them, as columns of equal length S.

    Args:
        budget: Shape (S,): what the rule may cost, in full trainings.
        t: Shape (S,): how many trials are started.
        f: Shape (S,): the share of the run after which they are judged, in (0, 1]; 1 stops nothing.
        p: Shape (S,): how many go on to the end.
        cost: Shape (S,): what the rule costs, t f + p (1 - f), in full trainings.
        mean: Shape (S,): expected best final score, in the unit of the scores.
        sd: Shape (S,): its standard deviation, in the unit of the scores.
    """

    budget: Floats
    t: Counts
    f: Floats
    p: Counts
    cost: Floats
    mean: Floats
    sd: Floats


def planning_table(
    best_so_far: ArrayLike,
    fractions: ArrayLike,
    budgets: ArrayLike,
    *,
    most_started: int = MOST_STARTED,
    replacement: bool = True,
    greater_is_better: bool = True,
) -> Plan:
    """Return every rule that the budgets pay for, with the exact mean and standard deviation of its result.

    With v_1 < ... < v_V the final scores, E[v_V - result] = sum over k of (v_(k+1) - v_k) P(result <= v_k); so the sum
    over values can be taken inside the integral of ``stopping_result``, once for each f and p, and every t is a weighted
    sum of the outcome. A group of n tied trials takes 2.75 + 1.5 t n / N nodes, at most t / 2: within 1e-9 of the range
    of the scores.

    Args:
        best_so_far: Shape (N, E): best score so far of each trial at each evaluation; never worse than before.
        fractions: Shape (E,): share of the run at each evaluation, ascending in (0, 1], the last 1.
        budgets: Budgets in full trainings, each at least 1.
        most_started: The largest t allowed; without replacement N is a bound, too.
        replacement: Whether the t trials are drawn with replacement, as in the paper.
        greater_is_better: Whether a greater score is better.

    Returns:
        The rules of ``settings``, each with its mean and sd.

    Raises:
        ValueError: Scores are not finite, become worse along a row, or an argument breaks its rule.

    Reference:
        Dodge et al. (2020), section 5 and figure 6, where 50,000 simulated draws stand for each rule.

    Example:
        >>> curves = [[0.5, 0.7], [0.6, 0.6], [0.7, 0.9], [0.5, 0.8]]
        >>> plan = planning_table(curves, [0.5, 1], [2])
        >>> plan.t.tolist(), plan.p.tolist(), plan.mean.round(3).tolist()
        ([3, 2], [1, 2], [0.792, 0.812])
    """
    curves = curve_array(best_so_far, fractions, greater_is_better=greater_is_better)
    most = most_started if replacement else min(most_started, len(curves))
    plan = expected_results(curves, fractions, settings(budgets, fractions, most_started=most), replacement=replacement)
    return plan if greater_is_better else plan._replace(mean=-plan.mean)


def expected_results(curves: Floats, fractions: ArrayLike, rules: Settings | Plan, *, replacement: bool = True) -> Plan:
    """Return what some rules yield on some trials: the formula of ``planning_table``."""
    shares, loss = fraction_array(fractions), np.empty((len(rules.t), 2))
    for f in np.unique(rules.f):
        some = rules.f == f
        ranking = rank_trials(curves[:, int(np.argmin(np.abs(shares - f)))], curves[:, -1])
        loss[some] = _losses(ranking, rules.t[some], rules.p[some], replacement=replacement)  # (S, 2): of v_V - result
    mean = curves[:, -1].max() - loss[:, 0]
    sd = np.sqrt(np.maximum(loss[:, 1] - loss[:, 0] ** 2, 0.0))
    return Plan(rules.budget, rules.t, rules.f, rules.p, rules.cost, mean, sd)


def best_rules(plan: Plan, *, greater_is_better: bool = True) -> Plan:
    """Return for each budget the rule with the best mean; of equal ones that with the largest f, then the smallest t.

    Args:
        plan: What ``planning_table`` returned.
        greater_is_better: Whether a greater score is better, as there.

    Returns:
        One row a budget, budgets ascending. The best of many rules looks better than it is: see ``gain_interval``.

    Reference:
        Dodge et al. (2020), figure 6.

    Example:
        >>> plan = planning_table([[0.5, 0.7], [0.6, 0.6], [0.7, 0.9], [0.5, 0.8]], [0.1, 1], [2, 3])
        >>> best = best_rules(plan)
        >>> best.budget.tolist(), best.t.tolist(), best.f.tolist(), best.p.tolist()
        ([2.0, 3.0], [11, 21], [0.1, 0.1], [1, 1])
    """
    rounding = 1e-12 * float(np.max(np.abs(plan.mean), initial=0.0))
    mean = np.round(plan.mean / rounding) * rounding if rounding else plan.mean
    order = np.lexsort((plan.t, -plan.f, -mean if greater_is_better else mean, plan.budget))
    first = np.unique(plan.budget[order], return_index=True)[1]
    return _rows(plan, order[first])


def full_trainings(plan: Plan) -> Plan:
    """Return for each whole budget the rule that stops nothing: t = p = budget.

    Args:
        plan: What ``planning_table`` returned.

    Reference:
        Dodge et al. (2020), section 5, "Early stopping works".

    Example:
        >>> plan = planning_table([[0.5, 0.7], [0.6, 0.6], [0.7, 0.9], [0.5, 0.8]], [0.1, 1], [2, 3])
        >>> full_trainings(plan).mean.round(3).tolist()
        [0.812, 0.844]
    """
    return _rows(plan, np.flatnonzero((plan.f == 1) & (plan.t == plan.budget)))


def error_reduction(best_mean: ArrayLike, full_mean: ArrayLike, *, perfect: float = 1.0) -> Floats:
    """Return the share of the error of full trainings that a rule removes: (best - full) / (perfect - full).

    Args:
        best_mean: Expected result of the rule.
        full_mean: Expected result of spending the budget on full trainings.
        perfect: The score without any error; 0 for an error, of which smaller is better.

    Returns:
        The share; 0 where full trainings are perfect already.

    Raises:
        ValueError: A score is not finite, or the two are not equally many.

    Reference:
        Dodge et al. (2020), figure 7.

    Example:
        >>> float(error_reduction(0.76, 0.75).round(3))
        0.04
    """
    check_number("perfect", perfect)
    best, plain = float_array("best_mean", best_mean), float_array("full_mean", full_mean)
    if not (np.isfinite(perfect) and np.isfinite(best).all() and np.isfinite(plain).all()):
        raise ValueError("best_mean, full_mean and perfect must be finite, but one is not; leave such a budget out.")
    if best.shape != plain.shape and best.ndim and plain.ndim:
        raise ValueError(f"best_mean and full_mean must be equally many, not {best.shape} and {plain.shape}.")
    best, plain = np.broadcast_arrays(best, plain)
    error = perfect - plain
    reduction: Floats = np.divide(best - plain, error, out=np.zeros(best.shape), where=error != 0)
    return reduction


def curve_array(best_so_far: ArrayLike, fractions: ArrayLike, *, greater_is_better: bool = True) -> Floats:
    """Return curves of the best score so far as an array in which greater is better."""
    curves, shares = float_array("best_so_far", best_so_far), fraction_array(fractions)
    if curves.ndim != 2 or curves.shape[1] != len(shares):
        raise ValueError(
            f"best_so_far must have one row a trial and one column for each of the {len(shares)} fractions, not shape "
            f"{curves.shape}."
        )
    score_array("best_so_far", curves.ravel())
    curves = curves if greater_is_better else -curves
    falls = np.flatnonzero((np.diff(curves, axis=1) < 0).any(axis=1))
    if len(falls):
        raise ValueError(
            f"best_so_far must never become worse along a row, but {len(falls)} of {len(curves)} rows do (the first is "
            f"row {falls[0]}); give the best score so far, as np.maximum.accumulate makes it."
        )
    return curves


def _losses(ranking: Ranking, t: Counts, p: Counts, *, replacement: bool) -> Floats:
    """E[v_V - result] and E[(v_V - result)^2] for every setting with one f: shape (S, 2)."""
    distance = ranking.values[-1] - ranking.values  # (V,)
    weights = -np.diff(np.stack([distance, distance**2]), axis=1)  # (2, V - 1), for P(result <= v)
    loss = np.zeros((len(t), 2))
    for i in np.flatnonzero(t == p):
        loss[i] = result_below(ranking, int(t[i]), int(p[i]), replacement=replacement)[:-1] @ weights.T
    kept, stops = np.unique(p[t > p]), t > p
    if not len(kept) or len(distance) == 1:
        return loss
    if replacement:
        tied = ranking.size / ranking.trials * int(t.max())  # how many of the t are expected in a group
        nodes = cutoff_nodes(ranking, np.minimum(-(-int(t.max()) // 2), np.ceil(2.75 + 1.5 * tied).astype(np.int64)))
        integrands = _integrands_with_replacement(ranking, nodes, kept, weights)
    else:
        integrands = _integrands_without_replacement(ranking, kept, weights)
    for one, integrand in zip(kept.tolist(), integrands, strict=True):
        mine = np.flatnonzero(stops & (p == one))
        if replacement:
            chance = cutoff_density(nodes.u, t[mine, None], one) * nodes.weight
        else:
            chance = cutoff_probability(ranking.trials, t[mine, None], one)
        loss[mine] = chance @ integrand.T
    return loss


def _integrands_with_replacement(ranking: Ranking, nodes: Nodes, kept: Counts, weights: Floats) -> Floats:
    """Sum over v of weight times (G_v(u) / u)^p at every node, for each p kept: shape (P, 2, M)."""
    sums = np.zeros((len(kept), 2, len(nodes.u)))
    step = max(1, 2**16 // weights.shape[1])  # 512 kB at a time: the powers stay in the processor's cache
    for start in range(0, len(nodes.u), step):
        some = slice(start, start + step)
        share = good_share(ranking, nodes, some, weights.shape[1])
        power, highest, reached = share.copy(), share.max(axis=0), 1
        for place, p in enumerate(kept.tolist()):
            first = int(
                np.searchsorted(highest, NEGLIGIBLE ** (1 / p))
            )  # smaller shares ascend to nothing from here on
            power, share, highest = power[:, first:], share[:, first:], highest[first:]
            for _ in range(p - reached):
                power *= share
            reached = p
            for moment in range(2):
                np.matmul(power, weights[moment, -len(highest) :], out=sums[place, moment, some])
    return sums


def _integrands_without_replacement(ranking: Ranking, kept: Counts, weights: Floats) -> Floats:
    """Sum over v of weight times P(p random trials before place r are good), for each p kept: shape (P, 2, N)."""
    sums = np.zeros((len(kept), 2, ranking.trials))
    for place, p in enumerate(kept.tolist()):
        for term in tied_terms(ranking, p, weights.shape[1]):
            sums[place][:, term.places] += term.chance * (weights @ term.good.T)[:, term.row]
    return sums


def _rows(plan: Plan, some: NDArray[np.intp]) -> Plan:
    budget, t, f, p, cost, mean, sd = plan
    return Plan(budget[some], t[some], f[some], p[some], cost[some], mean[some], sd[some])
