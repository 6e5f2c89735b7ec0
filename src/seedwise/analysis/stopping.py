"""When can trials be ranked, and what does stopping the poor ones save?"""

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.analysis.cell import Cell
from seedwise.errors import UnknownError
from seedwise.stats.correlation import EvaluationCorrelation, earliest_trusted, evaluation_correlation
from seedwise.stats.stopping.gain import GainInterval, gain_interval
from seedwise.stats.stopping.planning import Plan, best_rules, error_reduction, full_trainings, planning_table
from seedwise.stats.stopping.seed_aware import SeedAwareBest, seed_aware_stopping
from seedwise.stats.stopping.simulation import HalvedBest, successive_halving
from seedwise.values.stopping import MOST_STARTED

__all__ = ["BUDGETS", "Alternatives", "BestRules", "alternatives", "correlation", "gains", "plan", "trusted_from"]

Floats = NDArray[np.float64]
BUDGETS = range(1, 31)
"""The papers' budgets, in full trainings (Dodge et al. 2020, figure 6)."""


class BestRules(NamedTuple):
    """The best stopping rule for every budget, from the trials that were run."""

    settings: int  # how many settings (t, f, p) were compared
    trials: int  # how many trials they rest on
    rules: Plan  # one row for each budget: t, f, p, cost, mean and sd of the result
    full: Floats  # mean of the best of as many full trainings as the budget pays, (budgets,)
    reduction: Floats | None  # relative error reduction over full trainings, (budgets,)
    equal_budget: Floats  # the smallest budget whose best rule expects as much as full trainings do here, (budgets,)


class Alternatives(NamedTuple):
    """Other ways to spend a budget than one stopping rule."""

    budget: int  # in full trainings
    halving: HalvedBest  # successive halving
    seed_aware: SeedAwareBest | None  # a rule that drops whole init or order seeds, beside the best plain rule
    reason: str  # why there is no seed-aware rule; empty where there is one


def correlation(
    cell: Cell, method: Literal["spearman", "pearson"] = "spearman", *, confidence: float = 0.95
) -> EvaluationCorrelation:
    """Return the correlation over trials of the best score so far between all pairs of evaluations (Dodge et al.
    2020, figures 5 and 9).
    """
    _with_curves(cell)
    return evaluation_correlation(cell.best_at(cell.full(4)), method=method, confidence=confidence)


def trusted_from(found: EvaluationCorrelation, cell: Cell, *, at_least: float = 0.8) -> float | None:
    """Return the share of the run from which the ranking can be trusted; None if that is never the case before the end."""
    place = earliest_trusted(found, at_least=at_least)
    return None if place is None else float(cell.curves.fractions[place])


def plan(cell: Cell, budgets: Iterable[int] = BUDGETS) -> BestRules:
    """Return the best (t, f, p) for each budget, exactly, from the stored curves (Dodge et al. 2020, section 5).

    No rule starts more trials than were run, nor more than the paper's 200: what the best of more would score, nobody has seen.
    """
    index = _with_curves(cell)
    wanted = _affordable(budgets, len(index))
    table = planning_table(
        cell.best_at(index),
        cell.curves.fractions,
        range(1, wanted[-1] + 1),  # all, for what a budget is worth
        most_started=min(MOST_STARTED, len(index)),
        greater_is_better=cell.greater_is_better,
    )
    rules = best_rules(table, greater_is_better=cell.greater_is_better)
    plain = full_trainings(table)
    by_budget = dict(zip(plain.budget.tolist(), plain.mean.tolist(), strict=True))
    full = np.array([by_budget.get(budget, np.nan) for budget in rules.budget.tolist()])
    perfect = cell.perfect
    reduction = None if perfect is None else error_reduction(rules.mean, full, perfect=perfect)
    sign = 1.0 if cell.greater_is_better else -1.0
    reached = np.maximum.accumulate(sign * rules.mean)
    place = np.searchsorted(reached, sign * full - 1e-12)
    equal = np.array([rules.budget[i] if i < len(reached) else np.nan for i in place])
    asked = np.isin(rules.budget, wanted)
    return BestRules(
        int(np.isin(table.budget, wanted).sum()),
        len(index),
        Plan(*(np.asarray(column)[asked] for column in rules)),  # type: ignore[arg-type]
        full[asked],
        None if reduction is None else reduction[asked],
        equal[asked],
    )


def gains(cell: Cell, budgets: Iterable[int], *, repeats: int = 50) -> GainInterval:
    """Return what stopping gains over full trainings, with the rule judged by trials that did not choose it."""
    index, perfect = _with_curves(cell), cell.perfect
    return gain_interval(
        cell.best_at(index),
        cell.curves.fractions,
        _affordable(budgets, len(index) // 2),
        repeats=repeats,
        most_started=min(MOST_STARTED, len(index) // 2),
        perfect=math.nan if perfect is None else perfect,
        greater_is_better=cell.greater_is_better,
    )


def alternatives(cell: Cell, budget: int) -> Alternatives:
    """Return what other ways to spend a budget are expected to end with, by simulation on the stored curves."""
    index = _with_curves(cell)
    _affordable([budget], len(index))
    best, fractions, greater = cell.best_at(index), cell.curves.fractions, cell.greater_is_better
    halved = successive_halving(best, fractions, budget=budget, greater_is_better=greater)
    try:
        init, order = (cell.seeds(stream)[index] for stream in ("init", "order"))
        aware = seed_aware_stopping(best, fractions, init, order, budget=budget, greater_is_better=greater)
    except ValueError as error:
        return Alternatives(budget, halved, None, str(error))
    return Alternatives(budget, halved, aware, "")


def _with_curves(cell: Cell) -> NDArray[np.intp]:
    """Return which trials ran to their end, if they were evaluated on the way."""
    index = cell.full()
    if len(cell.curves.fractions) < 2:
        raise UnknownError(
            "each run has a single evaluation, so nothing is known of stopping it early; keep whole curves."
        )
    return index


def _affordable(budgets: Iterable[int], trials: int) -> list[int]:
    wanted = sorted(set(budgets))
    if not wanted or wanted[0] < 1:
        raise UnknownError(f"budgets must be at least 1 full training each, not {wanted}; 1..30 are the paper's.")
    if wanted[0] > trials:
        raise UnknownError(
            f"a budget must be at most {trials}, the trials that were run, not {wanted[0]}; run more seeds."
        )
    return [budget for budget in wanted if budget <= trials]
