"""Do correlation and planning of a cell equal those of its arrays, and what does a rule save?"""

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.stopping import alternatives, correlation, plan, trusted_from
from seedwise.errors import UnknownError
from table_studies import grid_seeds, table_study

QUALITY = np.random.default_rng(0).normal(0.7, 0.05, 60)
SCORES = QUALITY[:, None] - np.linspace(0.3, 0, 10) + np.random.default_rng(1).normal(0, 0.01, (60, 10))


def cell_of(scores=SCORES, **given):
    return Analysis(table_study(scores, **given)).cell()


def test_an_evaluation_correlates_with_itself():
    assert np.diag(correlation(cell_of()).r) == pytest.approx(np.ones(10))


def test_a_ranking_that_shows_at_once_is_trusted_at_once():
    cell = cell_of()
    assert trusted_from(correlation(cell), cell) == pytest.approx(0.1)


def test_a_ranking_that_is_noise_until_the_end_is_never_trusted_before():
    cell = cell_of(np.random.default_rng(0).random((60, 10)).cumsum(axis=1))
    share = trusted_from(correlation(cell), cell, at_least=0.99)
    assert share is None or share > 0.5


def test_stopping_is_planned_within_the_budget():
    found = plan(cell_of(), range(1, 11))
    assert found.rules.cost == pytest.approx(found.rules.budget)
    assert np.all(found.rules.mean >= found.full - 1e-12)
    assert np.all(found.equal_budget <= found.rules.budget)


def test_what_a_budget_is_worth_does_not_depend_on_the_others_asked_for():
    few, all_budgets = plan(cell_of(), [5, 10]), plan(cell_of(), range(1, 11))
    assert few.rules.budget.tolist() == [5, 10]
    assert few.equal_budget.tolist() == all_budgets.equal_budget[[4, 9]].tolist()
    assert few.full.tolist() == all_budgets.full[[4, 9]].tolist()


@pytest.mark.parametrize("compute", [plan, correlation])
def test_runs_without_curves_say_nothing_of_stopping(compute):
    with pytest.raises(UnknownError, match="single evaluation"):
        compute(cell_of(SCORES[:, -1:]))


def test_best_rule_is_that_of_the_plan():
    rule = Analysis(table_study(SCORES)).best_rule(budget=8)
    rules = plan(cell_of(), [8]).rules
    assert (rule.t, rule.p) == (rules.t[0], rules.p[0])
    assert rule.cost() == pytest.approx(8)


def test_a_study_with_stopped_trials_cannot_plan():
    states = ["complete"] * 30 + ["stopped"] * 30
    with pytest.raises(UnknownError, match="count as stopped"):
        plan(cell_of(states=states), [5])


def test_alternatives_stay_within_the_budget():
    cell = Analysis(table_study(SCORES[:36], **grid_seeds(6, 6))).cell()
    found = alternatives(cell, 6)
    assert found.halving.cost <= 6 + 1e-9
    assert found.seed_aware.cost <= 6 + 1e-9
    assert found.halving.mean <= cell.final().max()


def test_paired_seeds_have_no_seed_aware_rule():
    found = alternatives(cell_of(), 6)
    assert found.seed_aware is None
    assert "grid" in found.reason


def test_no_budget_below_one_training_is_planned():
    with pytest.raises(UnknownError, match="at least 1"):
        plan(cell_of(), [0])
