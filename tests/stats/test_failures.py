"""Are failed trials counted as failed, and does the test for clusters agree with exact ones?"""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from seedwise.stats.failures import clustering, failed_by, failed_share, is_failed

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("score", "failed"), [(0.6, False), (0.53, True), (0.5, True), (NAN, True), (INF, True), (-INF, True)]
)
def test_a_trial_no_better_than_the_baseline_failed(score, failed):
    assert is_failed([score], 0.53).tolist() == [failed]


@pytest.mark.parametrize(("loss", "failed"), [(0.6, False), (0.69, True), (0.8, True), (NAN, True), (-INF, True)])
def test_a_trial_whose_loss_is_no_lower_than_the_baseline_failed(loss, failed):
    assert is_failed([loss], 0.69, greater_is_better=False).tolist() == [failed]


def test_a_margin_asks_for_more_than_the_baseline():
    assert is_failed([0.54, 0.56], 0.53, margin=0.02).tolist() == [True, False]
    assert is_failed([0.68, 0.66], 0.69, margin=0.02, greater_is_better=False).tolist() == [True, False]


def test_each_trial_may_have_its_own_baseline():
    assert is_failed([0.6, 0.6], [0.53, 0.75]).tolist() == [False, True]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"scores": [[0.5]], "baseline": 0.5}, "one number a trial"),
        ({"scores": [], "baseline": 0.5}, "one number a trial"),
        ({"scores": [0.5, 0.6], "baseline": NAN}, "baseline must be one finite number"),
        ({"scores": [0.5, 0.6], "baseline": [0.5] * 3}, "or one for each trial"),
        ({"scores": [0.5, 0.6], "baseline": 0.5, "margin": -0.1}, "margin must be at least 0"),
    ],
)
def test_what_has_no_meaning_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        is_failed(**arguments)


def test_the_share_of_failed_trials_has_wilsons_interval():
    result = failed_share(np.arange(25) < 12, confidence=0.9)
    assert (result.failed, result.n, result.share, result.confidence) == (12, 25, 0.48, 0.9)
    assert (result.lower, result.upper) == pytest.approx(proportion_confint(12, 25, 0.1, method="wilson"))


def test_scores_in_place_of_booleans_are_refused():
    with pytest.raises(ValueError, match=r"one boolean a trial, not \[0.5, 0.6\]; is_failed makes it of scores"):
        failed_share([0.5, 0.6])


def test_each_level_has_its_own_share():
    failed, levels = np.array([True, False, True, True, False, False]), ["b", "b", "a", "a", "a", "c"]
    result = failed_by(failed, levels)
    assert result.levels.tolist() == ["a", "b", "c"]
    assert (result.failed.tolist(), result.n.tolist()) == ([2, 1, 0], [3, 2, 1])
    for i, level in enumerate(result.levels):
        own = failed_share(failed[np.array(levels) == level])
        assert (result.share[i], result.lower[i], result.upper[i]) == (own.share, own.lower, own.upper)


def test_the_statistic_is_pearsons():
    generator = np.random.default_rng(0)
    failed, levels = generator.random(60) < 0.4, generator.integers(0, 5, 60)
    table = [[np.sum(failed & (levels == i)), np.sum(~failed & (levels == i))] for i in range(5)]
    expected = stats.chi2_contingency(table, correction=False).statistic
    assert clustering(failed, levels, permutations=1).chi2 == pytest.approx(expected)


def test_between_two_equal_levels_the_p_value_is_fishers():
    failed, levels = np.array([True] * 7 + [False] * 3 + [True] * 2 + [False] * 8), np.repeat([1, 2], 10)
    exact = stats.fisher_exact([[7, 3], [2, 8]]).pvalue
    p = clustering(failed, levels, permutations=100_000).p
    assert p == pytest.approx(exact, abs=5 * np.sqrt(exact / 100_000))


def test_between_unequal_levels_the_p_value_is_that_of_all_tables():
    n, total = (2, 3, 4), 4
    failed = np.array([True, True, True, False, False, True, False, False, False])
    levels = np.repeat([1, 2, 3], n)

    def chi2(counts):
        share = total / 9
        return sum((c - share * m) ** 2 / (share * (1 - share) * m) for c, m in zip(counts, n, strict=True))

    tables = [(a, b, total - a - b) for a in range(3) for b in range(4) if 0 <= total - a - b <= 4]
    chance = [math.prod(math.comb(m, c) for m, c in zip(n, t, strict=True)) / math.comb(9, total) for t in tables]
    exact = sum(c for c, t in zip(chance, tables, strict=True) if chi2(t) >= chi2((2, 1, 1)) - 1e-9)
    assert clustering(failed, levels, permutations=100_000).p == pytest.approx(exact, abs=5 * np.sqrt(exact / 100_000))


@pytest.mark.slow
def test_failures_at_random_are_clusters_no_more_often_than_promised():
    generator, levels = np.random.default_rng(1), np.repeat(np.arange(10), 10)
    p = [clustering(generator.random(100) < 0.3, levels, permutations=499, seed=i).p for i in range(400)]
    assert np.mean(np.array(p) <= 0.05) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)


def test_failures_of_a_few_seeds_are_a_cluster():
    init, _ = (index.ravel() for index in np.indices((10, 10)))
    failed = np.random.default_rng(2).random(100) < np.where(init < 3, 0.7, 0.1)
    assert clustering(failed, init, permutations=999).p < 0.01


@pytest.mark.parametrize("failed", [True, False])
def test_where_all_trials_are_alike_nothing_clusters(failed):
    assert clustering(np.full(6, failed), [1, 1, 2, 2, 3, 3])[:2] == (0, 1)


def test_one_level_cannot_hold_a_cluster():
    with pytest.raises(ValueError, match="at least two labels, not one for all 3 trials"):
        clustering([True, False, False], [1, 1, 1])
