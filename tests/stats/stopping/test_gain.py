"""Is the honest gain of stopping early honest, and does its interval cover the truth?"""

import numpy as np
import pytest

from seedwise.stats.stopping.budget import settings
from seedwise.stats.stopping.gain import gain_interval
from seedwise.stats.stopping.planning import (
    best_rules,
    error_reduction,
    expected_results,
    full_trainings,
    planning_table,
)

X = np.arange(1, 5) / 4


def study(n, seed):
    """Accuracies of which a fifth diverge."""
    generator = np.random.default_rng(seed)
    end = generator.normal(0.66, 0.03, (n, 1))
    scores = end - (end - 0.5) * np.exp(-X * generator.uniform(3, 8, (n, 1))) + generator.normal(0, 0.01, (n, 4))
    scores[generator.random(n) < 0.2] = 0.53
    return np.maximum.accumulate(np.round(scores * 277) / 277, axis=1)


def test_plain_gain_is_that_of_the_best_rule_on_all_trials():
    scores = study(30, seed=1)
    found = gain_interval(scores, X, [2, 5], repeats=3)
    plan = planning_table(scores, X, [2, 5])
    best, full = best_rules(plan).mean, full_trainings(plan).mean
    np.testing.assert_allclose(found.gain, best - full)
    np.testing.assert_allclose(found.error_reduction, error_reduction(best, full))
    assert found.budget.tolist() == [2, 5]


def test_where_early_scores_tell_nothing_the_plain_gain_is_feigned_and_the_honest_one_is_not():
    generator = np.random.default_rng(2)
    found = []
    for _ in range(20):
        scores = np.stack([generator.random(20) * 1e-3, generator.random(20)], axis=1)
        found.append(gain_interval(scores, [0.05, 1], [10], repeats=20))  # 29 may be started and 9 kept, of 10
    assert np.mean([one.gain for one in found]) > 0
    assert np.mean([one.honest_gain for one in found]) <= 0
    assert all(one.gain >= 0 for one in found)


@pytest.mark.slow
def test_interval_covers_the_gain_that_half_a_study_finds():
    population = study(20_000, seed=99)
    truth = expected_results(population, X, settings([5], X))
    rules = zip(truth.t, truth.f, truth.p, strict=True)
    gains = dict(zip(rules, truth.mean - full_trainings(truth).mean[0], strict=True))
    studies, chosen, ends = 30, [], []
    for seed in range(studies):
        scores = study(40, seed)
        rule = best_rules(planning_table(scores[:20], X, [5]))
        chosen.append(gains[rule.t[0], rule.f[0], rule.p[0]])
        found = gain_interval(scores, X, [5], repeats=24, seed=seed)
        ends.append((found.lower[0], found.upper[0]))
    lower, upper = np.array(ends).T
    covered = np.mean((lower <= np.mean(chosen)) & (np.mean(chosen) <= upper))
    assert covered > 0.95 - 3 * (0.95 * 0.05 / studies) ** 0.5  # quantiles themselves cover in 0.77


def test_errors_gain_what_scores_gain():
    scores = study(24, seed=3)
    score = gain_interval(scores, X, [3], repeats=10)
    error = gain_interval(1 - scores, X, [3], repeats=10, perfect=0.0, greater_is_better=False)
    for field in ("gain", "honest_gain", "lower", "upper", "error_reduction", "reduction_lower", "reduction_upper"):
        np.testing.assert_allclose(getattr(error, field), getattr(score, field), atol=1e-12)


def test_same_seed_gives_the_same_interval():
    scores = study(24, seed=3)
    first, again, other = (gain_interval(scores, X, [3], repeats=5, seed=seed).honest_gain for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"best_so_far": [[0.5, 0.6]] * 3}, "best_so_far must hold at least 4 trials"),
        ({"budgets": [2.5]}, "budgets must be whole numbers"),
        ({"budgets": [300]}, "budgets must be at most 200"),
        ({"confidence": 95}, "confidence must be in"),
        ({"repeats": 0}, "repeats must be a whole number"),
    ],
)
def test_misuse_is_refused_with_a_sentence(change, sentence):
    given = {"best_so_far": [[0.5, 0.6]] * 4, "fractions": [0.5, 1.0], "budgets": [2]} | change
    with pytest.raises(ValueError, match=sentence):
        gain_interval(**given)
