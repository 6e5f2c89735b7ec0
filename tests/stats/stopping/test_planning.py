"""Is every rule of a plan the one that the exact result of a single rule says, and is the choice among them right?"""

from fractions import Fraction

import numpy as np
import pytest

from seedwise import StoppingRule
from seedwise.stats.stopping.budget import settings
from seedwise.stats.stopping.exact import stopping_result
from seedwise.stats.stopping.planning import Plan, best_rules, error_reduction, full_trainings, planning_table


def curves(n, evaluations, *, seed, rows=None):
    """Best-so-far scores of which a fifth diverge at one same score; ``rows`` makes them accuracies on that many."""
    generator = np.random.default_rng(seed)
    x = np.arange(1, evaluations + 1) / evaluations
    end = generator.normal(0.7, 0.04, (n, 1))
    scores = (
        end - (end - 0.5) * np.exp(-x * generator.uniform(2, 8, (n, 1))) + generator.normal(0, 0.01, (n, evaluations))
    )
    scores[: n // 5] = 0.53
    if rows:
        scores = np.round(scores * rows) / rows
    return np.maximum.accumulate(scores, axis=1), x


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize(("n", "rows"), [(7, None), (40, None), (40, 50), (150, 277)])
def test_every_setting_agrees_with_the_exact_result_of_the_rule_alone(n, rows, replacement):
    scores, x = curves(n, 6, seed=n, rows=rows)
    plan = planning_table(scores, x, [1, 3, 8, 12.5], replacement=replacement)
    assert len(plan.t) > 5
    spread = np.ptp(scores[:, -1])
    for i in range(0, len(plan.t), 3):
        early = scores[:, np.argmin(abs(x - plan.f[i]))]
        alone = stopping_result(early, scores[:, -1], t=plan.t[i], p=plan.p[i], replacement=replacement)
        assert plan.mean[i] == pytest.approx(alone.mean, abs=1e-9 * spread)
        assert plan.sd[i] == pytest.approx(alone.sd, abs=1e-7 * spread)


@pytest.mark.parametrize("n", [20, 60, 110, 200, 410])
def test_few_nodes_are_enough_for_two_hundred_trials_of_which_chance_decides_the_end(n):
    generator = np.random.default_rng(n)
    early = generator.normal(size=n)
    scores = np.stack([early, np.where(generator.random(n) < 0.5, 5.0, 9.0)], axis=1)  # the least smooth integrand
    plan = planning_table(scores, [0.1, 1.0], [21, 25, 30])
    for i in range(0, len(plan.t), 4):
        alone = stopping_result(scores[:, int(plan.f[i] == 1)], scores[:, 1], t=plan.t[i], p=plan.p[i])
        assert plan.mean[i] == pytest.approx(alone.mean, abs=4e-9)


def test_errors_are_scores_upside_down():
    scores, x = curves(30, 5, seed=1)
    score, error = planning_table(scores, x, [4]), planning_table(-scores, x, [4], greater_is_better=False)
    np.testing.assert_allclose(error.mean, -score.mean)
    np.testing.assert_allclose(error.sd, score.sd)
    assert best_rules(error, greater_is_better=False).t == best_rules(score).t


def test_trials_that_all_end_alike_leave_no_spread():
    plan = planning_table(np.full((5, 2), 0.7), [0.5, 1], [3])
    np.testing.assert_allclose(plan.mean, 0.7)
    np.testing.assert_allclose(plan.sd, 0)


def test_settings_are_all_rules_of_exact_cost():
    found = settings(range(1, 31), np.arange(1, 31) / 30)
    expected = set()
    for b in range(1, 31):
        expected.add((b, b, Fraction(1), b))
        for i in range(1, 30):
            f = Fraction(i, 30)
            for p in range(1, b + 1):
                t = (b - p * (1 - f)) / f
                if t.denominator == 1 and p < t <= 200:
                    expected.add((b, int(t), f, p))
    rows = zip(found.budget, found.t, found.f, found.p, strict=True)
    assert {(int(b), int(t), Fraction(round(30 * f), 30), int(p)) for b, t, f, p in rows} == expected
    assert len(found.t) == len(expected) == 4134
    np.testing.assert_allclose(found.cost, found.budget, atol=1e-9)


def test_fractions_to_three_places_are_those_of_even_evaluations():
    rounded = settings([2, 5], np.round(np.arange(1, 31) / 30, 3))
    exact = settings([2, 5], np.arange(1, 31) / 30)
    np.testing.assert_array_equal(rounded.t, exact.t)
    np.testing.assert_allclose(rounded.f, exact.f, atol=0.0005)  # half of the third place


def test_uneven_fractions_use_as_much_of_the_budget_as_they_can():
    found = settings([2.5, 4], [0.13, 0.4, 1.0])
    for b, t, f, p in zip(found.budget, found.t, found.f, found.p, strict=True):
        assert StoppingRule(t=int(t), f=float(f), p=int(p)).cost() <= b + 1e-9
        assert f == 1 or StoppingRule(t=int(t) + 1, f=float(f), p=int(p)).cost() > b
    assert [(int(t), int(p)) for t, f, p in zip(found.t, found.f, found.p, strict=True) if f == 1] == [(2, 2), (4, 4)]


def test_no_rule_starts_more_than_allowed():
    assert settings([10], np.arange(1, 31) / 30, most_started=50).t.max() <= 50
    assert planning_table(*curves(12, 4, seed=2), [6], replacement=False).t.max() <= 12


def plan_of(*rows):
    columns = np.array(rows, dtype=float).T
    return Plan(
        columns[0], columns[1].astype(int), columns[2], columns[3].astype(int), columns[0], columns[4], columns[4] * 0
    )


def test_best_rule_has_the_highest_mean_then_the_largest_fraction_then_the_fewest_trials():
    plan = plan_of(
        (2, 3, 0.5, 1, 0.70), (2, 2, 1.0, 2, 0.71), (3, 5, 0.5, 1, 0.8), (3, 4, 0.75, 2, 0.8), (3, 6, 0.75, 1, 0.8)
    )
    best = best_rules(plan)
    assert (best.budget.tolist(), best.t.tolist(), best.f.tolist()) == ([2, 3], [2, 4], [1.0, 0.75])


def test_baseline_is_the_full_trainings_of_whole_budgets():
    plan = planning_table(*curves(10, 4, seed=3), [1, 2.5, 3])
    found = full_trainings(plan)
    assert (found.budget.tolist(), found.t.tolist(), found.p.tolist()) == ([1, 3], [1, 3], [1, 3])


def test_error_reduction_is_the_share_of_the_error_that_goes():
    np.testing.assert_allclose(error_reduction([0.8, 0.7], [0.75, 0.75]), [0.2, -0.2])
    np.testing.assert_allclose(error_reduction(0.2, 0.25, perfect=0.0), 0.2)
    assert error_reduction(1.0, 1.0) == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"best_so_far": [[0.5, 0.4], [0.5, 0.6]]}, "best_so_far must never become worse along a row, but 1 of 2"),
        ({"best_so_far": [[0.5, np.nan]]}, "best_so_far must be finite"),
        ({"best_so_far": [0.5, 0.6]}, "best_so_far must have one row a trial and one column for each of the 2"),
        ({"fractions": [0.5, 0.9]}, "fractions must ascend"),
        ({"fractions": [0.0, 1.0]}, "fractions must ascend"),
        ({"budgets": [0.5]}, "budgets must each pay for at least 1 full training"),
        ({"budgets": []}, "budgets must each pay"),
        ({"most_started": 0}, "most_started must be a whole number of at least 1"),
    ],
)
def test_misuse_is_refused_with_a_sentence(change, sentence):
    given = {"best_so_far": [[0.5, 0.6], [0.5, 0.6]], "fractions": [0.5, 1.0], "budgets": [2]} | change
    with pytest.raises(ValueError, match=sentence):
        planning_table(**given)
